//! What becomes of a connection: a pure function of what it said and of the configuration.
//!
//! Knows: endpoints, process rules, the ClientHello. Must not know: sockets, TLS sessions, HTTP.

mod clear;

pub use clear::{Http, is_cut, speaks};

use crate::{
    config::{Action, Config},
    flow::Process,
    hello::Hello,
};

/// What becomes of a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// Bytes go to the original destination untouched.
    Splice(Reason),
    /// The guard stands in the middle.
    Terminate(Target),
    /// The connection is refused.
    Refuse(Reason),
}

/// The AI host that a connection is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Its name, which the upstream's certificate must prove.
    pub host: String,
    /// Its configured provider.
    pub provider: &'static str,
    /// Whether the client named the host itself. If not, it was told from the address, and an
    /// upstream that turns out to be somebody else is spliced.
    pub named: bool,
}

/// Why a connection is not terminated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// A process rule says so.
    Process,
    /// The client named a host that is not guarded.
    OtherHost,
    /// The client named no host and the address is nobody's.
    NoName,
    /// The client does not speak TLS.
    NotTls,
    /// The client sends a handshake of the agent's own on.
    Own,
    /// The client speaks to a proxy, and asks for no tunnel.
    Proxy,
    /// The service spoke first.
    ServerFirst,
}

/// What the first bytes say of a client that does not speak TLS. `learned` is the guarded host whose name gave
/// the address: nobody else can be told apart in clear, as everybody can write what they like as `Host`.
pub fn in_clear(config: &Config, port: u16, first: &[u8], learned: Option<String>) -> Decision {
    let found = learned.and_then(|host| Some((config.endpoints.find(&host, port)?, host)));
    match found {
        Some((endpoint, host)) if !endpoint.tls && clear::speaks(first).is_some() => {
            Decision::Terminate(Target {
                host,
                provider: endpoint.provider.as_str(),
                named: true,
            })
        }
        _ => Decision::Splice(Reason::NotTls),
    }
}

/// What is known before the client has said anything; `None` if its hello must be read.
pub fn by_process(config: &Config, process: &Process) -> Option<Decision> {
    match config.processes.action(process) {
        Action::Guard | Action::GuardAll => None,
        Action::Pass => Some(Decision::Splice(Reason::Process)),
        Action::Block => Some(Decision::Refuse(Reason::Process)),
    }
}

/// What the hello says. `learned` is the guarded host whose name gave the address.
pub fn by_hello(config: &Config, port: u16, hello: &Hello, learned: Option<String>) -> Decision {
    let named = hello.sni.is_some();
    let Some(host) = hello.sni.clone().or(learned) else {
        return Decision::Splice(Reason::NoName);
    };
    match config
        .endpoints
        .find(&host, port)
        .filter(|endpoint| endpoint.tls)
    {
        None => Decision::Splice(Reason::OtherHost),
        Some(endpoint) => Decision::Terminate(Target {
            host,
            provider: endpoint.provider.as_str(),
            named,
        }),
    }
}
