//! Lines of a bounded length from a peer that may send anything.

use std::io;

use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};

/// The longest request, in bytes.
pub(super) const MAX_LINE: usize = 16 << 10;

pub(super) struct Lines<R> {
    reader: BufReader<R>,
}

impl<R: AsyncRead + Unpin> Lines<R> {
    pub(super) fn new(reader: R) -> Self {
        Self {
            reader: BufReader::new(reader),
        }
    }

    /// The next line without its end; `None` when the peer has ended. A last line without an end
    /// is not a line.
    ///
    /// # Errors
    /// `InvalidData` for a line that is too long.
    pub(super) async fn next(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut line = Vec::new();
        loop {
            let available = self.reader.fill_buf().await?;
            if available.is_empty() {
                return Ok(None);
            }
            let end = available.iter().position(|byte| *byte == b'\n');
            let taken = end.unwrap_or(available.len());
            if line.len() + taken > MAX_LINE {
                return Err(io::Error::new(
                    io::ErrorKind::InvalidData,
                    "the line is too long",
                ));
            }
            line.extend(available.iter().take(taken));
            self.reader.consume(taken + usize::from(end.is_some()));
            if end.is_some() {
                return Ok(Some(line));
            }
        }
    }

    /// Waits until the peer sends something more, or ends.
    pub(super) async fn disturbed(&mut self) {
        // Both what comes and what fails ends a watch.
        self.reader.fill_buf().await.ok();
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests panic")]
mod tests {
    use super::*;

    async fn lines(bytes: &[u8]) -> Vec<io::Result<Option<Vec<u8>>>> {
        let mut lines = Lines::new(bytes);
        let mut all = Vec::new();
        loop {
            all.push(lines.next().await);
            if !matches!(all.last(), Some(Ok(Some(_)))) {
                return all;
            }
        }
    }

    #[tokio::test]
    async fn lines_end_with_a_line_feed() {
        let all = lines(b"a\n\nbc\nrest").await;
        let texts: Vec<_> = all.into_iter().map(Result::unwrap).collect();
        assert_eq!(
            texts,
            [
                Some(b"a".to_vec()),
                Some(vec![]),
                Some(b"bc".to_vec()),
                None
            ]
        );
    }

    #[tokio::test]
    async fn a_long_line_is_an_error_before_it_is_stored() {
        let mut bytes = vec![b'a'; MAX_LINE];
        bytes.push(b'\n');
        assert_eq!(
            lines(&bytes).await[0]
                .as_ref()
                .unwrap()
                .as_ref()
                .unwrap()
                .len(),
            MAX_LINE
        );
        bytes.insert(0, b'a');
        let error = lines(&bytes).await.remove(0).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
    }
}
