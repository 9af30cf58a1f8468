//! Dialects: which parts of a body are text that a person, tool or model wrote, and what an answer
//! looks like.
//!
//! Knows: bodies, paths, placeholders' grammar. Must not know: sockets, connections, keys.

mod anthropic;
mod body;
mod call;
mod channel;
mod event;
mod events;
mod extract;
mod json;
mod lexer;
mod numbers;
mod ollama;
mod opaque;
mod openai_chat;
mod openai_responses;
mod parked;
mod parts;
mod passage;
mod patch;
mod paths;
mod place;
mod queue;
mod raw;
mod refusal;
mod route;
mod script;
mod sse;
mod stream;
mod tool;
mod tree;
mod walk;
mod watch;
mod written;

use std::fmt;

use bytes::BytesMut;
use zeroize::Zeroizing;

use crate::{seal::Placeholder, span::Text};

pub use body::dialect_of;
pub use route::{plain, route};

/// One way of writing requests and answers.
pub trait Dialect: fmt::Debug + Send + Sync {
    /// Its name in sessions and in the configuration, such as `openai-chat`.
    fn name(&self) -> &'static str;

    /// Reads a whole request body, already decoded from its content encoding.
    ///
    /// # Errors
    /// Where the body is not what the dialect's clients send: the caller blocks it.
    fn request(&self, body: &[u8]) -> Result<Request, Malformed>;

    /// Reads a whole answer that is not a stream, already decoded.
    ///
    /// # Errors
    /// Where the body is not JSON; the caller passes it on as it is.
    fn answer(&self, body: &[u8]) -> Result<Answer, Malformed>;

    /// Has a whole answer that is not a stream looked at; gives it with what is to be told put in,
    /// and with its calls refused that must not be made. `None`: it stays as it is.
    fn watched(&self, _body: &[u8], _watch: &mut dyn Watch) -> Option<Vec<u8>> {
        None
    }

    /// Whether an answer of JSON may be a stream: a long array whose items come one by one.
    fn answers_in_pieces(&self) -> bool {
        false
    }

    /// A reader for one streaming answer.
    fn stream(&self) -> Box<dyn AnswerStream>;

    /// A reader for an answer of lines, each of which is JSON. Where a dialect has none, they are text.
    fn lines(&self) -> Box<dyn AnswerStream> {
        plain().stream()
    }

    /// The body of an error in the provider's own shape; the status is always 400.
    fn refusal(&self, message: &str) -> Vec<u8>;
}

/// What a request says.
#[derive(Debug, Default)]
pub struct Request {
    /// Its texts, and the way back into the raw body.
    pub text: Text,
    /// The model asked for.
    pub model: Option<String>,
    /// Whether the client asked for a stream.
    pub stream: bool,
    /// JSON documents in its strings that may be manifests or lock files, as they are.
    pub documents: Vec<Vec<u8>>,
    /// Which piece is the first that a user says: it tells conversations apart.
    pub opening: Option<usize>,
    /// The answer that it goes on from, where the service remembers the conversation.
    pub follows: Option<String>,
}

/// What a whole answer says.
#[derive(Debug, Default)]
pub struct Answer {
    /// Its texts, and the way back into the raw body.
    pub text: Text,
    /// The model that answered.
    pub model: Option<String>,
    /// What the answer is called, where a request may go on from it.
    pub id: Option<String>,
    /// Tokens used.
    pub usage: Usage,
}

/// Tokens, as the provider counted them; 0 where it did not say.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// Tokens read, cached ones included.
    pub input: u64,
    /// Tokens written.
    pub output: u64,
    /// Of the tokens read, those that came from the provider's cache.
    pub cached: u64,
}

/// A streaming answer on its way through.
pub trait AnswerStream: Send {
    /// Takes decoded bytes as they arrived (any split) and appends to `out` what may go on now.
    fn push(&mut self, chunk: &[u8], watch: &mut dyn Watch, out: &mut BytesMut);
    /// The upstream's body has ended: appends whatever was held back.
    fn finish(&mut self, watch: &mut dyn Watch, out: &mut BytesMut);
    /// The model that answers, once the stream has said so.
    fn model(&self) -> Option<&str>;
    /// What the answer is called, once the stream has said so, where a request may go on from it.
    fn id(&self) -> Option<&str> {
        None
    }
    /// Tokens used, as far as the stream has said so.
    fn usage(&self) -> Usage;
}

/// Gives values back for placeholders; bound to one user and one exchange.
pub trait Restore {
    /// The value that the placeholder stands for; `None` if this user has no such secret. A
    /// placeholder that is not restored stays in the text as it is.
    fn value(&mut self, placeholder: &Placeholder) -> Option<Zeroizing<Vec<u8>>>;
    /// Something looked like a placeholder but was altered: an alert, never a guess.
    fn mangled(&mut self, text: &[u8]);
}

/// Looks at what an answer says; bound to one user and one exchange.
///
/// The texts are given as the model wrote them, placeholders and all.
pub trait Watch: Restore {
    /// Whether anybody looks. If not, nothing is gathered and no call waits.
    fn watches(&self) -> bool {
        false
    }

    /// A piece of what the model says, in Markdown: paragraphs, or a whole fence. Gives what is to be
    /// told behind it.
    fn passage(&mut self, _markdown: &str) -> Option<String> {
        None
    }

    /// A text for people has ended. Gives what else is to be told behind it.
    fn closing(&mut self) -> Option<String> {
        None
    }

    /// A command that a tool is to run. Gives what is to be said instead if it must not run.
    fn command(&mut self, _command: &str) -> Option<String> {
        None
    }

    /// A command is replaced by `written` of a reason. Gives that, in which the reason may have been
    /// marked so that it is known again.
    fn replaced(
        &mut self,
        _original: &str,
        reason: &str,
        written: &dyn Fn(&str) -> String,
    ) -> String {
        written(reason)
    }

    /// Whether a call that writes a file of this name has to wait until it is whole.
    fn guards(&self, _name: &str) -> bool {
        false
    }

    /// A file that a tool is to write: its content, or what is added to it. Gives what is to be said
    /// instead if it must not be written.
    fn file(&mut self, _name: &str, _content: &str, _whole: bool) -> Option<String> {
        None
    }

    /// A call is too long to be looked at. Gives what is to be said if it must not be made then.
    fn unchecked(&mut self) -> Option<String> {
        None
    }
}

/// A body that is not what the dialect says.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason} at byte {offset}")]
pub struct Malformed {
    /// What is wrong.
    pub reason: &'static str,
    /// Where, in bytes from the body's start.
    pub offset: usize,
}

/// How an exchange is to be read.
#[derive(Debug, Clone, Copy)]
pub struct Route {
    /// The dialect of its bodies.
    pub dialect: &'static dyn Dialect,
    /// Whether prompts go there: what cannot be read is blocked then.
    pub inference: bool,
}

#[cfg(test)]
mod tests;
