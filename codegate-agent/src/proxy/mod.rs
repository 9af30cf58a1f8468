//! How clients and proxies talk before they are out of the way: `CONNECT` (RFC 9110, section 9.3.6).
//!
//! Knows: heads of HTTP/1.x, as bytes; authorities; who the agent itself is to a proxy. Must not know:
//! connections, TLS, what is guarded, and what a client's head says besides: credentials go by unread.
//! When it must choose, it favours following: a head whose target cannot be read is still one that opens a
//! tunnel, and the ClientHello tells the rest.

pub mod authority;
pub mod credentials;
pub mod except;
pub mod head;

pub use authority::{Authority, BadAuthority, Host};
pub use credentials::{Credentials, CredentialsError};
pub use except::{BadExcept, Except};
pub use head::{Answer, HeadError, Kind, connect, kind, read_answer, read_request, target};
