//! What one agent tells the next: the addresses that are guarded. Names that a service has many
//! addresses for are not learned again in a moment, and clients may know any of them.

use std::{net::SocketAddr, time::Duration};

use aya::maps::{HashMap, MapError};
use codegate_ebpf::{Address, Endpoint, NEVER, flags, maps};
use serde::{Deserialize, Serialize};

use super::{
    Hooks, KernelError, Pinned,
    hooks::{Table, lock, of_map},
    layout::{self, Plain},
};

/// A guarded address as one agent tells another of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Guarded {
    /// The address.
    pub address: SocketAddr,
    /// How long it is guarded yet; `None` if until it is removed.
    pub ttl: Option<Duration>,
    /// Whether UDP to it is refused.
    pub refuse_udp: bool,
    /// Whether it was learned from a DNS answer, and gives way to newer ones.
    pub learned: bool,
}

impl Hooks {
    /// The addresses that are guarded now.
    ///
    /// # Errors
    /// [`KernelError::Map`].
    pub fn guarded(&self) -> Result<Vec<Guarded>, KernelError> {
        let now = layout::monotonic_ns();
        let mut guarded = read(&lock(&self.0.endpoints), maps::ENDPOINTS, now)?;
        guarded.extend(read(&lock(&self.0.learned), maps::LEARNED, now)?);
        Ok(guarded)
    }

    /// Guards what another agent guarded.
    ///
    /// # Errors
    /// [`KernelError::Map`].
    pub fn inherit(&self, guarded: &[Guarded]) -> Result<(), KernelError> {
        guarded.iter().try_for_each(|one| match one.ttl {
            Some(ttl) if one.learned => self.learn_endpoint(one.address, ttl),
            ttl => self.set_endpoint(one.address, ttl, one.refuse_udp),
        })
    }
}

impl Pinned {
    /// The addresses that its agent guarded when its heart last beat: those that its programs refuse
    /// since then.
    ///
    /// # Errors
    /// [`KernelError::Map`].
    pub fn guarded(&self) -> Result<Vec<Guarded>, KernelError> {
        let last = self.heart()?.last()?;
        let mut guarded = Vec::new();
        for name in [maps::ENDPOINTS, maps::LEARNED] {
            let map = HashMap::try_from(self.map(name)?).map_err(of_map(name))?;
            guarded.extend(read(&map, name, last)?);
        }
        Ok(guarded)
    }
}

/// What has not expired at some time, in the programs' clock.
fn read(
    map: &Table<Address, Endpoint>,
    name: &'static str,
    now: u64,
) -> Result<Vec<Guarded>, KernelError> {
    let read = |entry: Result<(Plain<Address>, Plain<Endpoint>), MapError>| {
        let (Plain(address), Plain(endpoint)) = entry?;
        Ok((endpoint.expires > now).then(|| Guarded {
            address: layout::socket_addr(&address),
            ttl: (endpoint.expires != NEVER).then(|| Duration::from_nanos(endpoint.expires - now)),
            refuse_udp: endpoint.flags & flags::REFUSE_UDP != 0,
            learned: name == maps::LEARNED,
        }))
    };
    let found: Result<Vec<_>, MapError> = map.iter().map(read).collect();
    let found = found.map_err(of_map(name))?;
    Ok(found.into_iter().flatten().collect())
}
