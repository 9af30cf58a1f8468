#![allow(clippy::unwrap_used, clippy::panic, reason = "tests panic")]

mod requests;
mod streams;
mod tools;
mod vault;
