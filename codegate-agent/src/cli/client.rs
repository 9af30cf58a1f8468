//! The command line's end of the control socket.

use std::{
    io::{self, BufRead, BufReader, Write},
    os::unix::net::UnixStream,
    path::Path,
    time::Duration,
};

use serde::de::DeserializeOwned;

use super::exit::Problem;
use crate::control::{Reply, Request};

/// How long the agent may take for a line of its answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// A connection to the agent.
#[derive(Debug)]
pub(super) struct Client {
    stream: BufReader<UnixStream>,
}

impl Client {
    pub(super) fn connect(path: &Path) -> Result<Self, Problem> {
        let failed = |source| Problem::Connect {
            path: path.to_owned(),
            source,
        };
        let stream = UnixStream::connect(path).map_err(failed)?;
        stream.set_read_timeout(Some(PATIENCE)).map_err(failed)?;
        stream.set_write_timeout(Some(PATIENCE)).map_err(failed)?;
        let stream = BufReader::new(stream);
        Ok(Self { stream })
    }

    /// Waits so long, and no longer.
    pub(super) fn with_patience(self, time: Duration) -> Result<Self, Problem> {
        let stream = self.stream.get_ref();
        stream
            .set_read_timeout(Some(time))
            .map_err(Problem::Answer)?;
        Ok(self)
    }

    /// Waits for ever, as a watcher does.
    pub(super) fn patient(self) -> Result<Self, Problem> {
        let stream = self.stream.get_ref();
        stream.set_read_timeout(None).map_err(Problem::Answer)?;
        Ok(self)
    }

    /// Asks, and takes the items as they come.
    pub(super) fn each<T: DeserializeOwned>(
        &mut self,
        request: &Request,
        mut take: impl FnMut(T) -> Result<(), Problem>,
    ) -> Result<(), Problem> {
        self.send(request).map_err(Problem::Answer)?;
        loop {
            match self.receive().map_err(Problem::Answer)? {
                Reply::Item(item) => take(item)?,
                Reply::End => return Ok(()),
                Reply::Error(failure) => return Err(failure.into()),
            }
        }
    }

    /// Asks for everything.
    pub(super) fn all<T: DeserializeOwned>(
        &mut self,
        request: &Request,
    ) -> Result<Vec<T>, Problem> {
        let mut all = Vec::new();
        self.each(request, |item| {
            all.push(item);
            Ok(())
        })?;
        Ok(all)
    }

    /// Asks for the one thing.
    pub(super) fn one<T: DeserializeOwned>(&mut self, request: &Request) -> Result<T, Problem> {
        let missing = || Problem::Answer(io::Error::from(io::ErrorKind::UnexpectedEof));
        self.all(request)?.pop().ok_or_else(missing)
    }

    fn send(&mut self, request: &Request) -> io::Result<()> {
        // It may hold a value in clear.
        let mut line = zeroize::Zeroizing::new(serde_json::to_vec(request)?);
        line.push(b'\n');
        self.stream.get_mut().write_all(&line)
    }

    fn receive<T: DeserializeOwned>(&mut self) -> io::Result<Reply<T>> {
        // It may hold a value in clear.
        let mut line = zeroize::Zeroizing::new(Vec::new());
        self.stream.read_until(b'\n', &mut line)?;
        if line.is_empty() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(serde_json::from_slice(&line)?)
    }
}
