//! Processes all of whose TLS connections are looked at: what the rules ask of the kernel.

use crate::{
    config::{Action, Config},
    flow::Process,
    kernel::{Hooks, Redirected},
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

/// Tells the programs whether the other connections of a caller are looked at, too.
pub(super) fn tell(hooks: &Hooks, config: &Config, redirected: &Redirected, process: &Process) {
    if !config.processes.guard_all() {
        return;
    }
    let all = config.processes.action(process) == Action::GuardAll;
    if let Err(error) = hooks.classify(redirected, all) {
        tracing::warn!(%error, pid = process.pid, "all connections of a process are looked at");
    }
}
