//! Where redirected connections arrive, and who made them.
//!
//! Knows: loopback listeners, `/proc`. Must not know: TLS, HTTP, endpoints.

mod listener;
mod process;

pub use listener::{Bound, bind};
pub use process::identify;
