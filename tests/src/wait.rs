//! Waiting for what others do, however slow the machine is.

use std::{
    thread::sleep,
    time::{Duration, Instant},
};

/// From one look to the next.
const PAUSE: Duration = Duration::from_millis(20);

/// Returns once something holds.
///
/// # Panics
/// Where it does not for all of `patience`.
pub fn until(what: &str, patience: Duration, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + patience;
    while !holds() {
        assert!(Instant::now() < deadline, "never: {what}");
        sleep(PAUSE);
    }
}
