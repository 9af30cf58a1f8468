#![allow(clippy::unwrap_used, clippy::panic, reason = "tests panic")]

mod ollama;
mod places;
mod requests;
mod samples;
mod splits;
mod streams;
mod tools;
mod vault;
mod watch;
