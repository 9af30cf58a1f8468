//! Which processes have all their TLS connections looked at, and which none: what the programs are told of rules
//! and processes.

use aya::maps::{Array, HashMap, MapData};
use codegate_ebpf::{
    image::{Class, Policy, ProcessKey, class},
    maps,
};

use super::{
    Hooks, KernelError, Redirected,
    hooks::{Table, lock, of_map, or_absent},
    layout::Plain,
};

/// What becomes of a process's connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProcessClass {
    /// Those to guarded addresses go to the agent.
    Guard,
    /// All on the ports that are [looked at](Hooks::look_at_all) do.
    GuardAll,
    /// None do.
    Pass,
}

/// The maps.
pub(super) struct Classes {
    pub(super) known: Table<ProcessKey, Class>,
    pub(super) policy: Array<MapData, Plain<Policy>>,
    pub(super) ports: HashMap<MapData, u16, u8>,
}

impl Hooks {
    /// Sends connections to any address on these ports to the agent, if processes make them that are not
    /// known yet, or known as such. What was known is forgotten. Without ports this ends.
    ///
    /// # Errors
    /// [`KernelError::Map`].
    pub fn look_at_all(&self, ports: &[u16]) -> Result<(), KernelError> {
        let mut classes = lock(&self.0.classes);
        let before: Vec<u16> = classes.ports.keys().filter_map(Result::ok).collect();
        for port in ports {
            let inserted = classes.ports.insert(port.to_be(), 1, 0);
            inserted.map_err(of_map(maps::LOOKED_AT))?;
        }
        for port in before
            .iter()
            .filter(|port| !ports.contains(&u16::from_be(**port)))
        {
            or_absent(classes.ports.remove(port)).map_err(of_map(maps::LOOKED_AT))?;
        }
        let Plain(policy) = classes.policy.get(&0, 0).map_err(of_map(maps::POLICY))?;
        let policy = Policy {
            generation: policy.generation.wrapping_add(1),
            guard_all: u32::from(!ports.is_empty()),
        };
        let set = classes.policy.set(0, Plain(policy), 0);
        set.map_err(of_map(maps::POLICY))
    }

    /// Notes what becomes of the other connections of a process that made one, for as long as it stays the same
    /// program, of the same user and in the same cgroup.
    ///
    /// # Errors
    /// [`KernelError::Map`].
    pub fn classify(
        &self,
        redirected: &Redirected,
        class: ProcessClass,
    ) -> Result<(), KernelError> {
        let mut classes = lock(&self.0.classes);
        let Plain(policy) = classes.policy.get(&0, 0).map_err(of_map(maps::POLICY))?;
        let entry = Class {
            generation: policy.generation,
            class: match class {
                ProcessClass::Guard => class::GUARD,
                ProcessClass::GuardAll => class::GUARD_ALL,
                ProcessClass::Pass => class::PASS,
            },
            cgroup: redirected.cgroup,
            uid: redirected.uid,
            zero: 0,
        };
        let noted = classes.known.insert(Plain(redirected.key), Plain(entry), 0);
        noted.map_err(of_map(maps::CLASSES))
    }
}
