//! What could not be reached: the programs are told, so that clients are, in their own `connect()`.

use std::{io, net::SocketAddr, time::Duration};

use codegate_ebpf::{Destination, Failure, maps};

use super::{
    Hooks, KernelError,
    hooks::{lock, of_map},
    layout::{self, Plain},
};

/// How long others are told the same. A service that comes back is missed for as long at most.
const HOLDS: Duration = Duration::from_secs(1);

/// What the network itself answers. Whatever else keeps the agent from connecting (a limit on its own
/// descriptors, say) is no answer to its clients; and a timeout must take its time.
const ANSWERS: [i32; 5] = [
    libc::ECONNREFUSED,
    libc::EHOSTUNREACH,
    libc::ENETUNREACH,
    libc::EHOSTDOWN,
    libc::ENETDOWN,
];

impl Hooks {
    /// Has connections to `to` in a network namespace fail with the same error for a second: in
    /// `connect()`, as they would without a guard. Before Linux 6.1 it changes nothing.
    ///
    /// # Errors
    /// [`KernelError::Map`].
    pub fn fail_alike(
        &self,
        netns_cookie: u64,
        to: SocketAddr,
        error: &io::Error,
    ) -> Result<(), KernelError> {
        let Some(errno) = answer(error) else {
            return Ok(());
        };
        let failure = Failure {
            until: layout::expiry(Some(HOLDS)),
            errno,
            zero: 0,
        };
        let destination = Destination::new(netns_cookie, layout::address(to));
        lock(&self.0.failed)
            .insert(Plain(destination), Plain(failure), 0)
            .map_err(of_map(maps::FAILED))
    }
}

fn answer(error: &io::Error) -> Option<u32> {
    let errno = error.raw_os_error()?;
    ANSWERS
        .contains(&errno)
        .then(|| u32::try_from(errno).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_answers_of_the_network_are_passed_on() {
        let of = |errno| answer(&io::Error::from_raw_os_error(errno));
        assert_eq!(of(libc::ECONNREFUSED), Some(111));
        assert_eq!(of(libc::EHOSTUNREACH), Some(113));
        for own in [
            libc::EMFILE,
            libc::EPERM,
            libc::ETIMEDOUT,
            libc::EADDRNOTAVAIL,
        ] {
            assert_eq!(of(own), None);
        }
        assert_eq!(answer(&io::Error::from(io::ErrorKind::TimedOut)), None);
    }
}
