//! The new agent's side of a hand-over: it asks the one that runs, and hears it out.
//!
//! Knows: the control socket's language. Must not know: what an agent is made of.

use std::{
    io::{self, BufRead, BufReader, Write},
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    sync::Arc,
    thread::{self, sleep},
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use serde::de::DeserializeOwned;

use crate::{
    control::{Estate, Reply, Request},
    http::Guard,
    session::Passed,
};

/// How long the old agent may take for an answer: it writes its stores to disk first.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long connections that the old agent's programs had already sent its way take to reach it.
const ON_ITS_WAY: Duration = Duration::from_millis(100);
/// How long its last file may stay locked after it has said everything.
const LOCKED: Duration = Duration::from_secs(60);

/// The agent that answers on the control socket.
pub(super) struct Predecessor {
    stream: BufReader<UnixStream>,
}

impl Predecessor {
    /// Looks for it; `None` if nobody answers.
    pub(super) fn find(socket: &Path) -> Result<Option<Self>> {
        let Ok(stream) = UnixStream::connect(socket) else {
            return Ok(None);
        };
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        let stream = BufReader::new(stream);
        Ok(Some(Self { stream }))
    }

    /// Has it let go of the stores. Blocks.
    pub(super) fn estate(&mut self) -> Result<Estate> {
        self.ask(&Request::HandOver)
            .context("the running agent does not hand over")
    }

    /// Tells it that this agent guards. When this returns, no new connections reach it. Blocks.
    pub(super) fn retire(&mut self) -> Result<()> {
        let () = self
            .ask(&Request::Go)
            .context("the running agent did not let go")?;
        sleep(ON_ITS_WAY);
        Ok(())
    }

    /// Hears it out, in a thread of its own, and takes in what it leaves.
    pub(super) fn hear_out(mut self, guard: Arc<Guard>, vault: PathBuf) -> io::Result<()> {
        self.stream.get_ref().set_read_timeout(None)?;
        let listen = move || {
            self.listen(&guard);
            tracing::info!("the agent before this one has ended");
            take_in(&guard, &vault);
        };
        thread::Builder::new()
            .name("hand-over".to_owned())
            .spawn(listen)
            .map(drop)
    }

    fn listen(&mut self, guard: &Guard) {
        loop {
            match self.line::<Passed>() {
                Ok(Reply::Item(passed)) => guard.recorder.take_in(passed),
                Ok(_) => return,
                Err(error) => {
                    // The last word was missing, and so may be others.
                    return tracing::warn!("the agent before this one broke off: {error:#}");
                }
            }
        }
    }

    fn ask<T: DeserializeOwned>(&mut self, request: &Request) -> Result<T> {
        let mut line = serde_json::to_vec(request)?;
        line.push(b'\n');
        self.stream.get_mut().write_all(&line)?;
        match self.line()? {
            Reply::Item(item) => Ok(item),
            Reply::Error(failure) => Err(failure.into()),
            Reply::End => Err(io::Error::from(io::ErrorKind::UnexpectedEof).into()),
        }
    }

    fn line<T: DeserializeOwned>(&mut self) -> Result<Reply<T>> {
        let mut line = Vec::new();
        self.stream.read_until(b'\n', &mut line)?;
        if line.is_empty() {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
        }
        Ok(serde_json::from_slice(&line)?)
    }
}

/// Takes in what the old agent sealed on the side, as soon as it has let go of that.
fn take_in(guard: &Guard, vault: &Path) {
    let since = Instant::now();
    loop {
        match guard.vault.take_in(vault) {
            Ok(0) if since.elapsed() < Duration::from_secs(2) => sleep(ON_ITS_WAY),
            Ok(new) => return tracing::info!(new, "what the last agent sealed was taken in"),
            Err(error) if since.elapsed() > LOCKED => {
                return tracing::error!(%error, "what the last agent sealed is left for later");
            }
            Err(_) => sleep(ON_ITS_WAY),
        }
    }
}
