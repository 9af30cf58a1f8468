//! What a service answers: whole or in pieces, compressed or not, and how it ends.

use std::{fmt, time::Duration};

use crate::coding::Coding;

/// The pieces of a body, each made at the moment it is sent.
pub type Pieces = Box<dyn Iterator<Item = Vec<u8>> + Send>;

/// How an answer ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Ending {
    /// As it should.
    #[default]
    Clean,
    /// The connection is closed before the body is complete.
    Truncated,
    /// The connection is reset before the body is complete.
    Reset,
}

/// An answer.
pub struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) hints: Vec<(String, String)>,
    pub(crate) body: Body,
    pub(crate) coding: Coding,
    pub(crate) delay: Duration,
    pub(crate) trailers: Vec<(String, String)>,
    pub(crate) ending: Ending,
}

pub(crate) enum Body {
    /// With a content length.
    Whole(Vec<u8>),
    /// Without one.
    Pieces(Pieces),
}

impl Reply {
    /// A whole body of some type.
    #[must_use]
    pub fn new(status: u16, media_type: &str, body: impl Into<Vec<u8>>) -> Self {
        Self {
            status,
            headers: vec![("content-type".into(), media_type.into())],
            hints: Vec::new(),
            body: Body::Whole(body.into()),
            coding: Coding::Identity,
            delay: Duration::ZERO,
            trailers: Vec::new(),
            ending: Ending::Clean,
        }
    }

    /// A JSON body.
    #[must_use]
    pub fn json(status: u16, body: &serde_json::Value) -> Self {
        Self::new(status, "application/json", body.to_string())
    }

    /// A stream of server-sent events, each piece sent and flushed by itself.
    #[must_use]
    pub fn events(pieces: impl IntoIterator<Item = Vec<u8>, IntoIter: Send + 'static>) -> Self {
        Self::new(200, "text/event-stream; charset=utf-8", Vec::new()).in_pieces(pieces)
    }

    /// Sends the body in these pieces instead.
    #[must_use]
    pub fn in_pieces(
        mut self,
        pieces: impl IntoIterator<Item = Vec<u8>, IntoIter: Send + 'static>,
    ) -> Self {
        self.body = Body::Pieces(Box::new(pieces.into_iter()));
        self
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Sends a 103 with this header first (HTTP/1 only).
    #[must_use]
    pub fn hint(mut self, name: &str, value: &str) -> Self {
        self.hints.push((name.into(), value.into()));
        self
    }

    /// Compresses the body.
    #[must_use]
    pub fn coding(mut self, coding: Coding) -> Self {
        self.coding = coding;
        self
    }

    /// Waits so long before each piece.
    #[must_use]
    pub fn delay(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    /// Adds a trailer.
    #[must_use]
    pub fn trailer(mut self, name: &str, value: &str) -> Self {
        self.trailers.push((name.into(), value.into()));
        self
    }

    /// How the answer ends.
    #[must_use]
    pub fn ending(mut self, ending: Ending) -> Self {
        self.ending = ending;
        self
    }
}

impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reply")
            .field("status", &self.status)
            .finish_non_exhaustive()
    }
}
