//! QUIC to addresses that guarded hosts have: which connections may go on. Those that would be inspected may
//! not, so that their clients come by TCP.
//!
//! Knows: handshakes as the kernel hands them over, rules, names. Must not know: how a handshake is read.

use std::sync::Arc;

use super::{agent::Agent, proxies};
use crate::{
    config,
    decide::{self, Decision},
    flow::Process,
    hello::Hello,
    kernel::{self, Handshake, Handshakes, Sender},
    quic::{self, Beginning, Progress},
    recent::Recent,
};

/// How many connections are remembered, at least: one that goes on with its handshake is not asked about anew.
const REMEMBERED: usize = 256;

/// Judges for as long as the agent runs.
struct Screen {
    agent: Arc<Agent>,
    connections: Recent<(Sender, u64), Connection, REMEMBERED>,
}

/// A connection that is being made.
enum Connection {
    /// Who makes it decides.
    ByProcess(bool),
    /// Its hello does; whether it may go on, once that was read.
    ByHello(Beginning, Option<bool>),
}

/// Has QUIC looked at, where this kernel can. `is_first`: no other agent has looked at it before.
pub(super) fn start(agent: &Arc<Agent>, is_first: bool) {
    let handshakes = match agent.hooks.handshakes() {
        Ok(Some(handshakes)) => handshakes,
        Ok(None) => return,
        Err(error) => {
            tracing::warn!(%error, "HTTP/3 to addresses that guarded hosts share is refused");
            return;
        }
    };
    let config = agent.config.get();
    let hosts = proxies::hosts(&config);
    let ports: Vec<u16> = hosts.into_iter().flat_map(|(_, ports)| ports).collect();
    let no_old = is_first && config.capture.existing == config::Existing::Close;
    tokio::spawn(judge(agent.clone(), handshakes));
    if let Err(error) = agent.hooks.screen(&ports, no_old) {
        tracing::warn!(%error, "HTTP/3 to some addresses that guarded hosts share is refused");
    }
}

async fn judge(agent: Arc<Agent>, mut handshakes: Handshakes) {
    let mut screen = Screen {
        agent: agent.clone(),
        connections: Recent::default(),
    };
    let error = loop {
        if let Err(error) = handshakes.read(|handshake| screen.take(handshake)).await {
            break error;
        }
    };
    tracing::error!(%error, "HTTP/3 to addresses that guarded hosts share is refused from now on");
    if let Err(error) = agent.hooks.screen_no_more() {
        tracing::error!(%error, "some of it waits in vain");
    }
}

impl Screen {
    fn take(&mut self, handshake: Handshake<'_>) {
        let sender = handshake.sender;
        let Some(id) = quic::client_id(handshake.octets).map(kernel::connection) else {
            return;
        };
        let key = (sender, id);
        if self.connections.get(&key).is_none() {
            self.connections.insert(key, self.begun(sender), 1);
        }
        let answer = match self.connections.get_mut(&key) {
            Some(Connection::ByProcess(may_pass)) => Some(*may_pass),
            Some(Connection::ByHello(beginning, known)) => {
                for datagram in handshake.datagrams() {
                    let fresh = match beginning.take(datagram) {
                        Progress::Hello(hello) => Some(is_free(&self.agent, sender, &hello)),
                        Progress::Unreadable => Some(false),
                        // It goes on with what was begun, unless that was before anybody looked.
                        Progress::Nothing if known.is_none() && !beginning.has_begun() => {
                            Some(false)
                        }
                        Progress::Nothing | Progress::More => None,
                    };
                    *known = fresh.or(*known);
                }
                *known
            }
            None => None,
        };
        if let Some(may_pass) = answer
            && let Err(error) = self.agent.hooks.answer(sender, id, may_pass)
        {
            tracing::warn!(%error, to = %sender.to(), "HTTP/3 waits in vain");
        }
    }

    /// Somebody makes a connection.
    fn begun(&self, sender: Sender) -> Connection {
        let caller = self.agent.hooks.caller(sender);
        let process = caller.map_or_else(unknown, |caller| self.agent.process(&caller));
        match decide::by_process(&self.agent.config.get(), &process) {
            Some(decision) => Connection::ByProcess(is_splice(&decision)),
            None => Connection::ByHello(Beginning::default(), None),
        }
    }
}

/// Whether a connection with such a hello would go through the guard untouched.
fn is_free(agent: &Agent, sender: Sender, hello: &Hello) -> bool {
    let to = sender.to();
    let learned = agent.names.host_for(to);
    let decision = decide::by_hello(&agent.config.get(), to.port(), hello, learned);
    let is_free = is_splice(&decision);
    tracing::debug!(%to, host = hello.sni, is_free, "HTTP/3");
    is_free
}

fn is_splice(decision: &Decision) -> bool {
    matches!(decision, Decision::Splice(_))
}

/// Of a socket that has sent before anybody looked.
fn unknown() -> Process {
    Process {
        uid: u32::MAX,
        ..Process::default()
    }
}
