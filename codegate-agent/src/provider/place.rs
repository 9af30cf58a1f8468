//! The places of a body, and what stands there: the vocabulary that the dialects' tables are
//! written in.
//!
//! Knows: names of members. Must not know: any dialect.
//!
//! The tables are deny lists. A member that a table does not name is text, with all that is below
//! it: a field that a provider adds tomorrow is scanned today.

/// What stands at a place of a body.
#[derive(Debug, Clone, Copy)]
pub(super) enum Place {
    /// Text, all that is below it, and the names of its members.
    Free,
    /// Text that is not to be read as JSON, whatever it looks like.
    Plain,
    /// Text, unless it is a `data:` URL, whose base64 is not.
    Url,
    /// Nothing that may be read or changed, at any depth.
    Skip,
    /// In a stream: a part of a text that goes on in other events; the number tells the texts of
    /// one event apart. Elsewhere it is text.
    Delta(u8),
    /// A delta that is not to be read as JSON.
    PlainDelta(u8),
    /// Not text, but worth knowing.
    Note(Note),
    /// In a stream: a number that says whose text its object's deltas go on, by level.
    Index(u8),
    /// An object (or each in an array of them, or text) with members of its own.
    Node(&'static Node),
}

/// What is worth knowing in a body, besides its texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Note {
    /// The kind of an event.
    Type,
    /// Who says a message.
    Role,
    /// An event's number in its stream.
    Number,
    /// The model.
    Model,
    /// What an answer is called, and in a request the answer that it goes on from.
    Answer,
    /// Whether a stream is asked for.
    Stream,
    /// Why a choice ends: once this is not null, nothing follows for it.
    Finish,
    /// Tokens read.
    Input,
    /// Tokens read from a cache, which [`Note::Input`] does not count.
    InputBeside,
    /// Tokens written into a cache, which [`Note::Input`] does not count.
    InputStored,
    /// Tokens read from a cache, which [`Note::Input`] counts as well.
    Cached,
    /// Tokens written.
    Output,
}

/// The members of an object.
#[derive(Debug)]
pub(super) struct Node {
    /// What stands at the members that are known.
    pub(super) members: &'static [(&'static str, Place)],
    /// A node whose members are here, too, unless named otherwise.
    pub(super) like: Option<&'static Self>,
    /// What stands at all others.
    pub(super) other: Place,
    /// What a string is that stands in the place of the object.
    pub(super) itself: Place,
    /// Other tables for objects whose `type` is this.
    pub(super) by_type: &'static [(&'static str, &'static Node)],
}

/// A node without members: what the tables leave out.
pub(super) const NODE: Node = Node {
    members: &[],
    like: None,
    other: Place::Free,
    itself: Place::Free,
    by_type: &[],
};

impl Node {
    /// What stands at a member, and whether the table names it.
    fn member(&self, name: &[u8]) -> (Place, bool) {
        let known = self
            .members
            .iter()
            .find(|(known, _)| known.as_bytes() == name);
        match (known, self.like) {
            (Some(&(_, place)), _) => (place, true),
            (None, Some(like)) => like.member(name),
            (None, None) => (self.other, false),
        }
    }
}

impl Place {
    /// What stands at a member of an object here, and whether the member's name is known, so that
    /// it need not be read as text.
    pub(super) fn member(self, name: &[u8]) -> (Self, bool) {
        match self {
            Self::Node(node) => node.member(name),
            Self::Skip => (Self::Skip, true),
            _ => (Self::Free, false),
        }
    }
}
