//! Sessions: what happened between a process and a host, for its user to see.
//!
//! Knows: processes, hosts, counts, placeholders. Must not know: secrets in clear, sockets, bodies.
//! When it must choose, it favours availability over history: a record that cannot be written is
//! counted and said loudly, and never holds up a request or keeps the agent from starting.

mod id;
mod index;
mod process;
mod record;
mod recorder;
mod store;
mod writer;

pub use id::Id;
pub use process::{Container, Process};
pub use record::{
    Detail, Entry, Event, Exchange, Level, LoggedPath, NamedPackage, PackageAction, PackagePlace,
    Sealed, Session, Tokens, Update, Verdict, Viewer, now,
};
pub use recorder::{Recorder, Retention, Stats, Tail, Tailed};
pub use store::Error;
pub use writer::Passed;
