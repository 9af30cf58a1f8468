//! Sockets in network namespaces where nobody listens yet, as the programs tell of them.

use std::io;

use codegate_ebpf::Newcomer;

use super::{Hooks, ring::Ring};

/// Where the programs tell it.
pub struct Newcomers(Ring);

impl Hooks {
    /// What the programs tell of network namespaces; there is one reader. `None` if there is one
    /// already, or this kernel does not take the program.
    ///
    /// Must be called on a tokio runtime.
    ///
    /// # Errors
    /// Where the runtime cannot wait for it.
    pub fn newcomers(&self) -> io::Result<Option<Newcomers>> {
        self.take_newcomers()
            .map(|buffer| Ring::new(buffer).map(Newcomers))
            .transpose()
    }
}

impl Newcomers {
    /// Waits until there is somebody, and hands over the threads that made a socket, each with the
    /// cookie of the namespace in which it did.
    ///
    /// # Errors
    /// Where the buffer cannot be waited for any more.
    pub async fn read(&mut self, mut each: impl FnMut(Newcomer)) -> io::Result<()> {
        self.0
            .read(|item| {
                if let Some(newcomer) = parse(item) {
                    each(newcomer);
                }
            })
            .await
    }
}

fn parse(item: &[u8]) -> Option<Newcomer> {
    let (netns, rest) = item.split_first_chunk()?;
    let (tgid, rest) = rest.split_first_chunk()?;
    let (tid, _) = rest.split_first_chunk()?;
    Some(Newcomer {
        netns: u64::from_ne_bytes(*netns),
        tgid: u32::from_ne_bytes(*tgid),
        tid: u32::from_ne_bytes(*tid),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_read_in_its_own_order() {
        let item = [
            &7_u64.to_ne_bytes()[..],
            &8_u32.to_ne_bytes(),
            &9_u32.to_ne_bytes(),
        ]
        .concat();
        let newcomer = Newcomer {
            netns: 7,
            tgid: 8,
            tid: 9,
        };
        assert_eq!(parse(&item), Some(newcomer));
        assert_eq!(parse(&item[..15]), None);
    }
}
