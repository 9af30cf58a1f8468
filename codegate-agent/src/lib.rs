//! CodeGate's agent: it stands between the AI tools of a machine and the services they call.
//!
//! The modules stand in the order the data flows; `docs/architecture.md` draws it. Each says at its
//! top what it knows and what it must not know, and `cargo xtask lint` holds them to it.

pub mod accept;
pub mod cli;
pub mod config;
pub mod control;
pub mod daemon;
pub mod decide;
pub mod drain;
mod durable;
pub mod fetch;
pub mod flow;
pub mod hello;
pub mod http;
pub mod inspect;
pub mod kernel;
pub mod provider;
pub mod proxy;
pub mod quic;
pub mod recent;
pub mod resolve;
pub mod scan;
pub mod seal;
pub mod session;
pub mod span;
pub mod splice;
pub mod swap;
pub mod tcp;
pub mod tls;
pub mod trust;
pub mod upstream;
