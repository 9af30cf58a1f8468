//! What is said on the control socket: one JSON value per line, a request first, then any number
//! of items, then an end or an error. A connection may carry one request after another.

use std::{collections::BTreeMap, net::SocketAddr, path::PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::session::{Entry, Id, Process, Session, Update};

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "request", rename_all = "kebab-case")]
pub enum Request {
    /// How the agent is: one [`Status`].
    Status,
    /// Lets everything go direct for some time; for none, ends that. Only root may: one
    /// [`Pause`](super::Pause).
    Pause {
        /// For how long.
        seconds: u64,
    },
    /// A new agent wants to take over. Only root may: one [`Estate`](super::Estate), and then
    /// [`Request::Go`] is expected.
    HandOver,
    /// The new agent guards. An empty item, and then what the old one still records.
    Go,
    /// The newest sessions, newest first: [`Session`]s.
    SessionsList {
        /// At most so many.
        limit: usize,
    },
    /// One session: a [`Shown::Session`], then its entries.
    SessionsShow {
        /// Its name.
        id: Id,
    },
    /// What is recorded from now on: [`Watched`], until the client goes.
    SessionsTail,
    /// What was sealed: [`SecretLine`]s.
    SecretsList {
        /// Whose; without it one's own, and root's is everybody's.
        uid: Option<u32>,
    },
    /// The value of a placeholder: one [`Revealed`].
    SecretsReveal {
        /// The placeholder.
        placeholder: String,
        /// Whose; without it one's own.
        uid: Option<u32>,
    },
    /// Looks for values from now on, and keeps only keyed hashes of them: a [`SecretLine`] for each.
    SecretsAdd {
        /// The values.
        values: Vec<Clear>,
        /// The KIND of their placeholders.
        kind: Option<String>,
        /// Whose; without it one's own.
        uid: Option<u32>,
    },
    /// Forgets a value for good; no items.
    SecretsForget {
        /// The placeholder.
        placeholder: String,
        /// Whose; without it one's own.
        uid: Option<u32>,
    },
    /// What clients must trust: one [`Trust`].
    Trust,
    /// Makes a new local CA. Only root may: one [`Trust`].
    Rotate,
}

/// A value in clear: its bytes, in base64 (RFC 4648, section 4).
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Clear(pub String);

/// One line of an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Reply<T> {
    /// One of the things asked for.
    Item(T),
    /// That was all.
    End,
    /// It could not be done.
    Error(Failure),
}

/// Why a request could not be answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// For programs.
    pub code: Code,
    /// For people.
    pub message: String,
}

/// Why a request could not be answered, for programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Code {
    /// The request is not one.
    BadRequest,
    /// Only root may ask that.
    Denied,
    /// There is no such thing, or it is somebody else's.
    NotFound,
    /// The agent has too much to do, or one of its stores failed.
    Unavailable,
}

/// How the agent is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// Whether it guards.
    pub state: Readiness,
    /// The agent's version.
    pub version: String,
    /// The agent's process.
    pub pid: u32,
    /// Seconds since it started.
    pub uptime_s: u64,
    /// Each hook in the kernel, and how it is.
    pub hooks: BTreeMap<String, String>,
    /// The addresses it listens on.
    pub listeners: Vec<String>,
    /// How many hosts are guarded.
    pub endpoints: u64,
    /// How many client connections are open.
    pub connections: u64,
    /// Until when everything goes direct; `None` if the guard is not paused.
    #[serde(default)]
    pub paused_until: Option<Timestamp>,
    /// What was counted since it started.
    pub counters: BTreeMap<String, u64>,
    /// Connections to guarded addresses that are older than the guard, those of other users left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub existing: Vec<Older>,
    /// What is wrong, for people.
    pub problems: Vec<String>,
}

/// A connection to a guarded address that is older than the guard.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Older {
    /// Whose it is.
    pub process: Process,
    /// Its own end.
    pub local: SocketAddr,
    /// The guarded address.
    pub remote: SocketAddr,
    /// The guarded host that the address belongs to; it may serve others besides.
    pub host: String,
}

/// Whether the agent guards.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Readiness {
    /// Not yet.
    Starting,
    /// Hooks are attached and listeners answer.
    Ready,
    /// It does, but not all of it.
    Degraded,
}

/// A line of `sessions show`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum Shown {
    /// The session; comes first.
    Session(Session),
    /// One of its exchanges or events, oldest first.
    #[serde(untagged)]
    Entry(Entry),
}

/// A line of `sessions tail`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Watched {
    /// A session after a new entry.
    Update(Box<Update>),
    /// The watcher was too slow.
    Missed {
        /// Always true.
        missed: bool,
    },
}

/// What may be told about a sealed value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecretLine {
    /// What stands in its place.
    pub placeholder: String,
    /// The placeholder's KIND.
    pub kind: String,
    /// The rule that found it first.
    pub rule: String,
    /// The user it belongs to.
    pub uid: u32,
    /// How often it was found.
    pub uses: u64,
    /// When it was sealed.
    pub first_seen: Timestamp,
    /// When it was found last.
    pub last_seen: Timestamp,
    /// Whether the user named it, so that it is looked for by itself; `first_seen` is when they
    /// did, if it was never found.
    #[serde(default)]
    pub literal: bool,
}

/// A value in clear.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revealed {
    /// Its bytes, in base64 (RFC 4648, section 4).
    pub value_base64: String,
}

/// What clients must trust.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trust {
    /// A file with the local root alone.
    pub ca_pem: PathBuf,
    /// A file with the system's roots and the local one.
    pub bundle: PathBuf,
    /// The local root's SHA-256, in hexadecimal.
    pub sha256: String,
    /// When the local root expires.
    pub expires: Timestamp,
    /// The local root as PEM.
    pub pem: String,
    /// The variables that make programs trust it.
    pub variables: BTreeMap<String, PathBuf>,
}

impl Failure {
    pub(super) fn new(code: Code, message: impl Into<String>) -> Self {
        let message = message.into();
        Self { code, message }
    }
}

impl std::fmt::Debug for Clear {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Clear").finish_non_exhaustive()
    }
}

impl Drop for Clear {
    fn drop(&mut self) {
        zeroize::Zeroize::zeroize(&mut self.0);
    }
}

impl std::fmt::Debug for Revealed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Revealed").finish_non_exhaustive()
    }
}

impl Drop for Revealed {
    fn drop(&mut self) {
        zeroize::Zeroize::zeroize(&mut self.value_base64);
    }
}
