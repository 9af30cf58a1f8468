//! What one agent tells the next: the addresses that are guarded. Names that a service has many
//! addresses for are not learned again in a moment, and clients may know any of them.

use std::{net::SocketAddr, time::Duration};

use aya::maps::{HashMap, MapData, MapError};
use codegate_ebpf::{Address, Endpoint, NEVER, flags, maps};
use serde::{Deserialize, Serialize};

use super::{
    Hooks, KernelError, Pinned,
    hooks::{lock, of_map},
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
}

impl Hooks {
    /// The addresses that are guarded now.
    ///
    /// # Errors
    /// [`KernelError::Map`].
    pub fn guarded(&self) -> Result<Vec<Guarded>, KernelError> {
        read(&lock(&self.0.endpoints), layout::monotonic_ns())
    }

    /// Guards what another agent guarded.
    ///
    /// # Errors
    /// [`KernelError::Map`].
    pub fn inherit(&self, guarded: &[Guarded]) -> Result<(), KernelError> {
        guarded
            .iter()
            .try_for_each(|one| self.set_endpoint(one.address, one.ttl, one.refuse_udp))
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
        let map = HashMap::try_from(self.map(maps::ENDPOINTS)?).map_err(of_map(maps::ENDPOINTS))?;
        read(&map, last)
    }
}

/// What has not expired at some time, in the programs' clock.
fn read(
    map: &HashMap<MapData, Plain<Address>, Plain<Endpoint>>,
    now: u64,
) -> Result<Vec<Guarded>, KernelError> {
    let read = |entry: Result<(Plain<Address>, Plain<Endpoint>), MapError>| {
        let (Plain(address), Plain(endpoint)) = entry?;
        Ok((endpoint.expires > now).then(|| Guarded {
            address: layout::socket_addr(&address),
            ttl: (endpoint.expires != NEVER).then(|| Duration::from_nanos(endpoint.expires - now)),
            refuse_udp: endpoint.flags & flags::REFUSE_UDP != 0,
        }))
    };
    let found: Result<Vec<_>, MapError> = map.iter().map(read).collect();
    let found = found.map_err(of_map(maps::ENDPOINTS))?;
    Ok(found.into_iter().flatten().collect())
}
