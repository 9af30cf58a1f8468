//! A thread in another network namespace: sockets that it makes belong there, whoever uses them.
//!
//! The namespace lives at least as long as the thread.

use std::{fs::File, io, os::fd::AsFd as _, sync::mpsc, thread};

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use tokio::{runtime::Handle, sync::oneshot};

/// What the thread does is shallow: it makes sockets.
const STACK: usize = 256 * 1024;

type Work = Box<dyn FnOnce() + Send>;

/// Does work in a network namespace, until it is dropped.
#[derive(Debug)]
pub struct Inside(mpsc::Sender<Work>);

impl Inside {
    /// Enters a namespace, of which `namespace` is a handle (`/proc/PID/ns/net`). Must be called on a
    /// tokio runtime.
    ///
    /// # Errors
    /// Where it cannot be entered (`CAP_SYS_ADMIN`, setns(2)), or there can be no more threads.
    pub async fn enter(namespace: File) -> io::Result<Self> {
        let (work, waiting) = mpsc::channel::<Work>();
        let (tell, entered) = oneshot::channel();
        let runtime = Handle::current();
        thread::Builder::new()
            .name("codegate-netns".to_owned())
            .stack_size(STACK)
            .spawn(move || {
                let network = Some(LinkNameSpaceType::Network);
                let result = move_into_link_name_space(namespace.as_fd(), network);
                let inside = result.is_ok();
                // Nobody waits for it any more: then nobody sends work, either.
                _ = tell.send(result.map_err(io::Error::from));
                let _runtime = runtime.enter();
                if inside {
                    waiting.into_iter().for_each(|work| work());
                }
            })?;
        entered.await.map_err(io::Error::other)??;
        Ok(Self(work))
    }

    /// Does it there, and gives what it made. It must not block for long: others wait behind it.
    ///
    /// # Errors
    /// Where the thread is gone.
    pub async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> io::Result<T> {
        let (tell, done) = oneshot::channel();
        let work = Box::new(move || _ = tell.send(work()));
        // Work that cannot be sent is dropped, and then nobody is left to tell.
        _ = self.0.send(work);
        done.await.map_err(io::Error::other)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests panic")]
mod tests {
    use super::*;

    #[tokio::test]
    async fn work_is_done_one_by_one_and_a_panic_ends_it() {
        let own = || File::open("/proc/self/ns/net").unwrap();
        // Without the right to enter there is an error, and with it there are results.
        let Ok(inside) = Inside::enter(own()).await else {
            return assert_ne!(rustix::process::geteuid().as_raw(), 0);
        };
        assert_eq!(inside.run(|| 6 * 7).await.unwrap(), 42);
        let name = inside.run(|| thread::current().name().map(str::to_owned));
        assert_eq!(name.await.unwrap().as_deref(), Some("codegate-netns"));
    }

    #[tokio::test]
    async fn what_is_no_namespace_is_not_entered() {
        let file = File::open("/proc/self/stat").unwrap();
        assert!(Inside::enter(file).await.is_err());
    }
}
