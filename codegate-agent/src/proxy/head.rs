//! Heads: a `CONNECT` and what a proxy answers, read to their ends and no further.

use std::{io, mem};

use bytes::{BufMut, Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt};
use zeroize::Zeroizing;

use super::{Authority, Credentials};

/// The most that a head may take, in bytes. Tickets of Kerberos in `Proxy-Authorization` can be of tens of
/// kilobytes, and proxies take heads of this size.
pub const LIMIT: usize = 64 * 1024;

/// A usual read.
const CHUNK: usize = 2048;

/// Where a status line says something, and how much of that is shown.
const SAID: usize = "HTTP/1.1 200".len();
const LONGEST: usize = 80;

const METHOD: &[u8] = b"CONNECT ";

/// What the first bytes of a connection are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// They begin a `CONNECT`.
    Connect,
    /// They may, when more of them are there.
    Cut,
    /// They are something else.
    Other,
}

/// Why a head could not be read. What was read of it is of no use to anybody.
#[derive(Debug, thiserror::Error)]
pub enum HeadError {
    /// [`LIMIT`] was reached.
    #[error("a head of more than {LIMIT} bytes")]
    TooLarge,
    /// The peer closed its side.
    #[error("closed within a head, after {0} bytes")]
    Closed(usize),
    /// It is not HTTP/1.x.
    #[error("no answer of HTTP/1.x")]
    NotHttp,
    /// The connection broke.
    #[error("{0}")]
    Io(#[from] io::Error),
}

/// What a proxy answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// All of the head, as it came: those of interim answers before it, too.
    pub head: Bytes,
    /// What came behind it.
    pub rest: Bytes,
}

impl Answer {
    /// The status code and what is said of it, fit for a message.
    pub fn status_line(&self) -> String {
        let mut lines = self.head.split(|&byte| byte == b'\n').rev();
        let last = lines.find(|line| line.starts_with(b"HTTP/1."));
        let said = last.and_then(|line| line.get(SAID..)).unwrap_or_default();
        let said = said.iter().filter(|byte| (b' '..=b'~').contains(byte));
        let said: String = said.take(LONGEST).map(|byte| char::from(*byte)).collect();
        format!("{} {}", self.status, said.trim())
            .trim_end()
            .to_owned()
    }
}

/// A request for a tunnel.
pub fn connect(to: &Authority, credentials: Option<&Credentials>) -> Zeroizing<Vec<u8>> {
    let mut request = format!("CONNECT {to} HTTP/1.1\r\nHost: {to}\r\n").into_bytes();
    if let Some(credentials) = credentials {
        request.extend_from_slice(b"Proxy-Authorization: Basic ");
        // Of the final length: what would be left behind by growing is not overwritten.
        request.reserve_exact(credentials.value().len() + 4);
        request.extend_from_slice(credentials.value().as_bytes());
        request.extend_from_slice(b"\r\n");
    }
    request.extend_from_slice(b"\r\n");
    Zeroizing::new(request)
}

/// What a connection's first bytes are. Empty lines before a request are nothing (RFC 9112, section 2.2).
pub fn kind(first: &[u8]) -> Kind {
    let first = after_empty_lines(first);
    if first.starts_with(METHOD) {
        Kind::Connect
    } else if METHOD.starts_with(first) {
        Kind::Cut
    } else {
        Kind::Other
    }
}

/// The target of a `CONNECT`; `None` if the request line is not as it should be.
pub fn target(head: &[u8]) -> Option<Authority> {
    let line = after_empty_lines(head)
        .split(|&byte| byte == b'\n')
        .next()?;
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let line = str::from_utf8(line.strip_prefix(METHOD)?).ok()?;
    let (target, version) = line.split_once(' ')?;
    version
        .starts_with("HTTP/1.")
        .then(|| target.parse().ok())
        .flatten()
}

/// Reads a request's head; gives it, and what came behind it.
///
/// # Errors
/// See [`HeadError`].
pub async fn read_request<S>(stream: &mut S) -> Result<(Bytes, Bytes), HeadError>
where
    S: AsyncRead + Unpin,
{
    read(stream, Bytes::new()).await
}

/// Reads a proxy's answer, and nothing that comes after its head unless it came with it.
///
/// # Errors
/// See [`HeadError`].
pub async fn read_answer<S>(stream: &mut S) -> Result<Answer, HeadError>
where
    S: AsyncRead + Unpin,
{
    let mut before = BytesMut::new();
    let mut rest = Bytes::new();
    loop {
        let (head, more) = read(stream, mem::take(&mut rest)).await?;
        let status = status(&head).ok_or(HeadError::NotHttp)?;
        before.extend_from_slice(&head);
        if before.len() > LIMIT {
            return Err(HeadError::TooLarge);
        }
        if !(100..200).contains(&status) {
            return Ok(Answer {
                status,
                head: before.freeze(),
                rest: more,
            });
        }
        rest = more;
    }
}

async fn read<S>(stream: &mut S, first: Bytes) -> Result<(Bytes, Bytes), HeadError>
where
    S: AsyncRead + Unpin,
{
    let mut bytes = BytesMut::from(first);
    let mut looked = 0;
    loop {
        if let Some(end) = end(&bytes, looked) {
            let rest = bytes.split_off(end).freeze();
            return Ok((bytes.freeze(), rest));
        }
        if bytes.len() >= LIMIT {
            return Err(HeadError::TooLarge);
        }
        looked = bytes.len();
        bytes.reserve(CHUNK);
        let mut room = (&mut bytes).limit(LIMIT - looked);
        if stream.read_buf(&mut room).await? == 0 {
            return Err(HeadError::Closed(looked));
        }
    }
}

/// Where the head ends: behind an empty line that is not one of those before it. No end is at `looked`
/// or before. Lines may end in a line feed alone, as the laxest of proxies take that.
fn end(bytes: &[u8], looked: usize) -> Option<usize> {
    let begin = bytes.len() - after_empty_lines(bytes).len();
    let from = looked.saturating_sub(2).max(begin);
    let line_feeds = (from..).zip(bytes.get(from..)?);
    let mut ends = line_feeds.filter(|(_, byte)| **byte == b'\n');
    ends.find_map(|(at, _)| {
        let after = bytes.get(at + 1..)?;
        match after {
            [b'\n', ..] => Some(at + 2),
            [b'\r', b'\n', ..] => Some(at + 3),
            _ => None,
        }
    })
}

fn after_empty_lines(bytes: &[u8]) -> &[u8] {
    let empty = bytes
        .iter()
        .take_while(|byte| matches!(byte, b'\r' | b'\n'))
        .count();
    bytes.get(empty..).unwrap_or_default()
}

/// The status code of an answer's head.
fn status(head: &[u8]) -> Option<u16> {
    let line = head.strip_prefix(b"HTTP/1.")?;
    let (digit, line) = line.split_first()?;
    let code = line.strip_prefix(b" ")?.get(..3)?;
    let ended = matches!(line.get(4), None | Some(b' ' | b'\r' | b'\n'));
    if !digit.is_ascii_digit() || !ended || !code.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let code = str::from_utf8(code).ok()?.parse().ok()?;
    (100..600).contains(&code).then_some(code)
}

#[cfg(test)]
#[path = "head_test.rs"]
mod tests;
