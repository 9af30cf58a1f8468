//! What the agent does when it is told to: it pauses or rotates the local CA, leaving a note
//! of who wanted it, and it hands over.

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use super::{authority::Authority, successor::Legacy};
use crate::{
    accept,
    control::{Asker, Commands, Estate, Retired, Trust},
    flow::Flow,
    kernel::Heart,
    session::{Event, Level, Recorder},
};

/// What sessions call the guard itself, where a host's name stands otherwise.
const SELF: &str = "codegate";

/// The switch that a command has its hand on.
pub(super) struct Switch {
    pub(super) heart: Arc<Heart>,
    pub(super) recorder: Recorder,
    pub(super) legacy: Arc<Legacy>,
    pub(super) authority: Arc<Authority>,
}

impl Commands for Switch {
    fn pause(&self, time: Duration, by: Asker) -> Result<(), String> {
        self.heart.pause(time).map_err(|error| error.to_string())?;
        let event = if time.is_zero() {
            Event::new(Level::Info, "resumed", "the guard was resumed".to_owned())
        } else {
            let message = format!("the guard was paused for {} s", time.as_secs());
            Event::new(Level::Alert, "paused", message)
        };
        tracing::warn!(uid = by.uid, pid = by.pid, "{}", event.message);
        self.recorder.event(&asked(by), SELF, SELF, event);
        Ok(())
    }

    fn rotate(&self, by: Asker) -> Result<Trust, String> {
        let trust = self.authority.rotate().map_err(|error| error.to_string())?;
        let message = format!("the local CA was rotated; SHA-256 {}", trust.sha256);
        let event = Event::new(Level::Alert, "rotated", message);
        self.recorder.event(&asked(by), SELF, SELF, event);
        Ok(trust)
    }

    fn give(&self) -> Result<Estate, String> {
        self.legacy.give().map_err(|error| error.to_string())
    }

    fn take_back(&self) -> Result<(), String> {
        self.legacy.take_back().map_err(|error| error.to_string())
    }

    fn retire(&self) -> Option<Retired> {
        self.legacy.retire()
    }
}

/// Whoever asked, as if they had connected to the guard.
fn asked(by: Asker) -> Flow {
    let nowhere = SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0));
    Flow {
        client: nowhere,
        original: nowhere,
        process: accept::identify(by.pid.unwrap_or(0), by.uid, SELF),
    }
}
