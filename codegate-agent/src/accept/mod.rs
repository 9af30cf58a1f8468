//! Where redirected connections arrive, and who made them.
//!
//! Knows: loopback listeners, network namespaces, `/proc`. Must not know: TLS, HTTP, endpoints.

mod container;
mod established;
mod inside;
mod listener;
mod network;
mod owners;
mod process;

pub use container::Containers;
pub use established::{Diag, Established};
pub use inside::Inside;
pub use listener::{Bound, bind, bind_at};
pub use network::{Network, networks_below, views_below};
pub use owners::owners;
pub use process::{identify, identify_again};
