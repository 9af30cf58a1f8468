//! Processes all of whose TLS connections are looked at, or none: what the rules ask of the kernel.

use crate::{
    config::{Action, Config},
    flow::Process,
    kernel::{Hooks, ProcessClass, Redirected},
};

/// Tells the programs what the rules ask for; what they knew of processes is forgotten. Connections are
/// looked at on the ports on which some host is guarded: what goes elsewhere is not on its way to one.
pub(super) fn take_up(hooks: &Hooks, config: &Config) {
    let ports = if config.processes.guard_all() {
        config.endpoints.ports()
    } else {
        Vec::new()
    };
    if let Err(error) = hooks.look_at_all(&ports) {
        tracing::error!(%error, "processes of the class guard-all are only guarded");
    }
}

/// Tells the programs what becomes of the other connections of a caller. Those who are refused come to the agent each
/// time.
pub(super) fn tell(hooks: &Hooks, config: &Config, redirected: &Redirected, process: &Process) {
    let class = match config.processes.action(process) {
        Action::Pass => ProcessClass::Pass,
        Action::GuardAll => ProcessClass::GuardAll,
        Action::Guard | Action::Block if config.processes.guard_all() => ProcessClass::Guard,
        Action::Guard | Action::Block => return,
    };
    if let Err(error) = hooks.classify(redirected, class) {
        tracing::warn!(%error, pid = process.pid, "more connections of a process are looked at than must be");
    }
}
