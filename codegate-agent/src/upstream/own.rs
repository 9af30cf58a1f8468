//! Handshakes of our own that are under way. A proxy on this machine is itself a process whose connections
//! come to us: what it sends on for us begins with a ClientHello that we know.

use std::{
    collections::HashSet,
    ops::Range,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// Where a ClientHello has its random: behind the headers of the record and of the message, and the
/// version (RFC 8446, sections 4, 4.1.2 and 5.1).
const RANDOM: Range<usize> = 11..43;

type Random = [u8; 32];

/// The randoms of those handshakes. Clones share them.
#[derive(Debug, Clone, Default)]
pub(super) struct Own(Arc<Mutex<HashSet<Random>>>);

/// One of them, for as long as it lasts.
#[derive(Debug)]
pub(super) struct UnderWay {
    own: Own,
    random: Option<Random>,
}

impl Own {
    /// Notes a handshake that begins with these bytes.
    pub(super) fn begin(&self, hello: &[u8]) -> UnderWay {
        let random = random(hello);
        self.lock().extend(random);
        UnderWay {
            own: self.clone(),
            random,
        }
    }

    /// Whether a connection that begins with these bytes is one of them.
    pub(super) fn is(&self, hello: &[u8]) -> bool {
        random(hello).is_some_and(|random| self.lock().contains(&random))
    }

    /// A panic elsewhere leaves the set whole.
    fn lock(&self) -> MutexGuard<'_, HashSet<Random>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        if let Some(random) = &self.random {
            self.own.lock().remove(random);
        }
    }
}

fn random(hello: &[u8]) -> Option<Random> {
    hello.get(RANDOM)?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handshake_is_known_as_long_as_it_lasts() {
        let own = Own::default();
        let (one, other) = ([1; 200], [2; 200]);
        let under_way = own.begin(&one);
        assert!(own.is(&one) && !own.is(&other) && !own.is(&[1; 20]));
        drop(under_way);
        assert!(!own.is(&one));
        assert!(own.begin(&[]).random.is_none());
    }
}
