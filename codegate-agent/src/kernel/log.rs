//! Hands the programs' own log records to `tracing`.
#![allow(
    unsafe_code,
    reason = "tokio wants a promise that a descriptor stays what it is"
)]

use std::io;

use aya::Ebpf;
use aya_log::EbpfLogger;
use codegate_ebpf::maps;
use tokio::{
    io::{Interest, unix::AsyncFd},
    runtime::Handle,
    task::JoinHandle,
};

use super::KernelError;

/// A task that reads until it is dropped.
pub(super) struct Reader(JoinHandle<()>);

impl Reader {
    /// Takes the log's ring buffer out of the object; must be called on a tokio runtime.
    pub(super) fn start(object: &mut Ebpf) -> Result<Self, KernelError> {
        let runtime = Handle::try_current().map_err(|error| unreadable(io::Error::other(error)))?;
        let logger = EbpfLogger::init_with_logger(object, ToTracing)
            .map_err(|_| KernelError::Missing(maps::LOGS))?;
        // SAFETY: the logger owns its map, whose descriptor never changes and is closed with it.
        let buffer = unsafe { AsyncFd::register_with_interest(logger, Interest::READABLE) }
            .map_err(|error| unreadable(error.into()))?;
        Ok(Self(runtime.spawn(async move {
            if let Err(error) = read(buffer).await {
                tracing::warn!(%error, "the eBPF programs' log cannot be read any more");
            }
        })))
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.0.abort();
    }
}

fn unreadable(source: io::Error) -> KernelError {
    KernelError::Socket {
        action: "wait for the eBPF programs' log",
        source,
    }
}

async fn read(mut buffer: AsyncFd<EbpfLogger<ToTracing>>) -> io::Result<()> {
    loop {
        let mut ready = buffer.readable_mut().await?;
        ready.get_inner_mut().flush();
        ready.clear_ready();
    }
}

/// aya-log speaks `log`, the agent speaks `tracing`.
struct ToTracing;

impl log::Log for ToTracing {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        let text = record.args();
        match record.level() {
            log::Level::Error => tracing::error!(target: "codegate::kernel::program", "{text}"),
            log::Level::Warn => tracing::warn!(target: "codegate::kernel::program", "{text}"),
            log::Level::Info => tracing::info!(target: "codegate::kernel::program", "{text}"),
            log::Level::Debug => tracing::debug!(target: "codegate::kernel::program", "{text}"),
            log::Level::Trace => tracing::trace!(target: "codegate::kernel::program", "{text}"),
        }
    }

    fn flush(&self) {}
}
