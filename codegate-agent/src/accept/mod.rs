//! Where redirected connections arrive, and who made them.
//!
//! Knows: loopback listeners, network namespaces, `/proc`. Must not know: TLS, HTTP, endpoints.

mod inside;
mod listener;
mod network;
mod process;

pub use inside::Inside;
pub use listener::{Bound, bind};
pub use network::{Network, networks_below};
pub use process::{identify, identify_again};
