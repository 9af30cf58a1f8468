//! Getting a file: again where that may help, and on from where it broke off.

use std::{
    fs::{File, OpenOptions},
    io::{Seek, SeekFrom, Write},
    ops::ControlFlow,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use http::{Response, StatusCode, header};
use http_body_util::BodyExt;
use hyper::body::{Bytes, Incoming};
use tokio::time::{sleep, timeout};

use super::{
    FetchError, Url,
    connection::{Connection, Way},
};
use crate::{
    config::Upstream,
    upstream::{Connector, Through},
};

/// How often a file is asked for.
const ATTEMPTS: u32 = 4;
/// Before the second attempt; before each further one, twice as long.
const PAUSE: Duration = Duration::from_millis(500);
/// Nothing for so long, and it is over.
const IDLE: Duration = Duration::from_secs(30);
/// More redirects than this lead nowhere.
const REDIRECTS: u32 = 5;
/// A line longer than this is none.
const LONGEST_LINE: usize = 4096;

/// Called with the bytes that have come, and those that will, if that is known.
pub type Progress<'p> = dyn FnMut(u64, Option<u64>) + Send + 'p;

/// Gets files, one after the other, over a connection that is kept.
pub struct Client {
    way: Arc<Way>,
    connection: Connection,
    pause: Duration,
}

impl Client {
    /// A client that trusts the host's roots and those that were chosen besides, but never our own, and goes
    /// by the proxy that was chosen.
    ///
    /// # Errors
    /// If a configured root does not serve, there is no root at all, or the proxy's password cannot be had.
    pub fn new(chosen: &Upstream) -> Result<Self, FetchError> {
        Ok(Self::with(Arc::new(Way {
            connector: Connector::without_ca(&chosen.extra_roots)?,
            through: Through::of(chosen)?,
        })))
    }

    fn with(way: Arc<Way>) -> Self {
        Self {
            way,
            connection: Connection::default(),
            pause: PAUSE,
        }
    }

    /// Another one, with a connection of its own.
    pub(super) fn another(&self) -> Self {
        Self {
            pause: self.pause,
            ..Self::with(Arc::clone(&self.way))
        }
    }

    /// Pauses that tests can wait for.
    #[cfg(test)]
    pub(super) fn hasty(mut self) -> Self {
        self.pause = Duration::from_millis(1);
        self
    }

    /// Writes a file down, of at most `limit` bytes. What is there already is replaced.
    ///
    /// # Errors
    /// If it cannot be had whole; what is left of it then is of no use.
    pub async fn file(
        &mut self,
        url: &Url,
        path: &Path,
        limit: u64,
        progress: &mut Progress<'_>,
    ) -> Result<u64, FetchError> {
        let mut part = Part::new(path, limit)?;
        let mut pause = self.pause;
        for attempt in 1.. {
            match self.attempt(url, &mut part, progress).await {
                Err(error) if error.is_transient() && attempt < ATTEMPTS => {
                    tracing::debug!(%error, attempt, "a file is asked for again");
                    self.connection.close();
                    sleep(pause).await;
                    pause *= 2;
                }
                done => return done.map(|()| part.length),
            }
        }
        Ok(part.length)
    }

    async fn attempt(
        &mut self,
        url: &Url,
        part: &mut Part,
        progress: &mut Progress<'_>,
    ) -> Result<(), FetchError> {
        let answer = self.get(url, &part.resumption()).await?;
        let total = part.begin(url, &answer)?;
        let mut body = answer.into_body();
        while let Some(bytes) = next(url, &mut body).await? {
            part.write(url, &bytes)?;
            progress(part.length, total);
        }
        match total {
            Some(wanted) if wanted != part.length => Err(FetchError::Short {
                url: url.to_string(),
                got: part.length,
                wanted,
            }),
            _ => Ok(()),
        }
    }

    /// Reads a text line by line, until told to stop.
    ///
    /// # Errors
    /// If it cannot be read; it is not asked for again, since lines have been given away.
    pub async fn lines(
        &mut self,
        url: &Url,
        limit: u64,
        mut each: impl FnMut(&str) -> ControlFlow<()>,
    ) -> Result<(), FetchError> {
        let answer = self.get(url, &[]).await?;
        let mut body = answer.into_body();
        let (mut rest, mut seen) = (Vec::new(), 0);
        while let Some(bytes) = next(url, &mut body).await? {
            seen += bytes.len() as u64;
            rest.extend_from_slice(&bytes);
            let whole = rest
                .iter()
                .rposition(|b| *b == b'\n')
                .map_or(0, |end| end + 1);
            for line in rest.drain(..whole).as_slice().split(|b| *b == b'\n') {
                if each(&String::from_utf8_lossy(line)).is_break() {
                    self.connection.close();
                    return Ok(());
                }
            }
            if seen > limit || rest.len() > LONGEST_LINE {
                return Err(FetchError::TooLarge {
                    url: url.to_string(),
                    limit,
                });
            }
        }
        // The last line may lack its end.
        if each(&String::from_utf8_lossy(&rest)).is_break() {
            self.connection.close();
        }
        Ok(())
    }

    /// The answer that has the file, wherever it was redirected to.
    async fn get(
        &mut self,
        url: &Url,
        fields: &[(header::HeaderName, String)],
    ) -> Result<Response<Incoming>, FetchError> {
        let mut at = url.clone();
        for _ in 0..=REDIRECTS {
            let answer = self.connection.get(&self.way, &at, fields).await?;
            let status = answer.status();
            if status.is_success() {
                return Ok(answer);
            }
            // The rest of such an answer may be long, and nobody wants it.
            self.connection.close();
            let location = answer.headers().get(header::LOCATION);
            let location = location.and_then(|value| value.to_str().ok());
            match location.filter(|_| status.is_redirection()) {
                Some(location) => at = at.redirect(location)?,
                None => {
                    let url = at.to_string();
                    return Err(FetchError::Status { url, status });
                }
            }
        }
        Err(FetchError::Redirects(url.to_string()))
    }
}

/// The next bytes of an answer; `None` at its end.
async fn next(url: &Url, body: &mut Incoming) -> Result<Option<Bytes>, FetchError> {
    loop {
        let frame = timeout(IDLE, body.frame()).await;
        let frame = frame.map_err(|_| FetchError::Silent {
            url: url.to_string(),
            limit: IDLE,
        })?;
        let frame = frame.transpose().map_err(|source| FetchError::Http {
            url: url.to_string(),
            source,
        })?;
        match frame.map(hyper::body::Frame::into_data) {
            None => return Ok(None),
            Some(Ok(bytes)) => return Ok(Some(bytes)),
            Some(Err(_trailers)) => {}
        }
    }
}

/// As much of a file as has come.
struct Part {
    path: PathBuf,
    file: File,
    length: u64,
    limit: u64,
    /// What says that the rest is of the same file: a strong entity tag (RFC 9110, 8.8.3).
    tag: Option<String>,
}

impl Part {
    fn new(path: &Path, limit: u64) -> Result<Self, FetchError> {
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .open(path);
        Ok(Self {
            file: file.map_err(FetchError::at(path))?,
            path: path.to_owned(),
            length: 0,
            limit,
            tag: None,
        })
    }

    /// The fields that ask for the rest.
    fn resumption(&self) -> Vec<(header::HeaderName, String)> {
        match &self.tag {
            Some(tag) if self.length > 0 => vec![
                (header::RANGE, format!("bytes={}-", self.length)),
                (header::IF_RANGE, tag.clone()),
            ],
            _ => Vec::new(),
        }
    }

    /// Makes ready for an answer's body; returns how long the file will be.
    fn begin(&mut self, url: &Url, answer: &Response<Incoming>) -> Result<Option<u64>, FetchError> {
        let text = |name| {
            answer
                .headers()
                .get(name)
                .and_then(|value| value.to_str().ok())
        };
        let goes_on = format!("bytes {}-", self.length);
        let goes_on = text(header::CONTENT_RANGE).is_some_and(|range| range.starts_with(&goes_on));
        match answer.status() {
            StatusCode::PARTIAL_CONTENT if goes_on => {}
            StatusCode::OK => self.begin_anew()?,
            status => {
                let url = url.to_string();
                return Err(FetchError::Status { url, status });
            }
        }
        self.tag = text(header::ETAG)
            .filter(|tag| tag.starts_with('"'))
            .map(str::to_owned);
        let length: Option<u64> =
            text(header::CONTENT_LENGTH).and_then(|length| length.parse().ok());
        let total = length.map(|length| self.length.saturating_add(length));
        match total {
            Some(total) if total > self.limit => Err(self.too_large(url)),
            _ => Ok(total),
        }
    }

    fn begin_anew(&mut self) -> Result<(), FetchError> {
        self.length = 0;
        let cut = self.file.set_len(0);
        let start = cut.and_then(|()| self.file.seek(SeekFrom::Start(0)));
        start.map(|_| ()).map_err(FetchError::at(&self.path))
    }

    fn write(&mut self, url: &Url, bytes: &[u8]) -> Result<(), FetchError> {
        if self.length + bytes.len() as u64 > self.limit {
            return Err(self.too_large(url));
        }
        self.file
            .write_all(bytes)
            .map_err(FetchError::at(&self.path))?;
        self.length += bytes.len() as u64;
        Ok(())
    }

    fn too_large(&self, url: &Url) -> FetchError {
        FetchError::TooLarge {
            url: url.to_string(),
            limit: self.limit,
        }
    }
}
