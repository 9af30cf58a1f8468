//! What outlives an agent, and what the next one makes of it.
//!
//! With `fail = "closed"` the programs are pinned: where the agent is gone they refuse what it guarded.
//! The next agent attaches its own beside them, and takes the old ones away when it guards itself, so
//! that at no moment a guarded host can be reached past both.
//!
//! Knows: the configuration, pins. Must not know: connections.

use anyhow::{Context, Result};

use crate::{
    config::{Config, Fail},
    kernel::{Hooks, KernelError, Pinned, Pins},
};

/// What an agent before this one has left behind.
#[derive(Debug)]
pub(super) struct Left(Vec<Pinned>);

impl Left {
    /// Looks for it, and guards what is guarded there. To be called before the heart beats.
    pub(super) fn find(config: &Config, hooks: &Hooks) -> Result<Self> {
        let left = match Pins::find(&config.runtime_dir)? {
            Some(pins) => pins.all().context("cannot look for pinned programs")?,
            None => Vec::new(),
        };
        for pinned in &left {
            // Another version may have pinned it: then there is nothing to learn, only to take away.
            if let Err(error) = inherit(pinned, hooks) {
                tracing::warn!(%error, "not all is known of what the last agent guarded");
            }
        }
        Ok(Self(left))
    }

    /// Takes it away. To be called when this agent guards.
    pub(super) fn remove(self) -> Result<()> {
        for pinned in self.0 {
            pinned
                .remove()
                .context("the last agent's programs cannot be removed")?;
        }
        Ok(())
    }
}

/// Lets this agent's programs outlive it, where that was chosen. To be called when it guards.
pub(super) fn pin(config: &Config, hooks: &Hooks) -> Result<()> {
    if config.capture.fail == Fail::Closed {
        let pins = Pins::find_or_mount(&config.runtime_dir)?;
        hooks
            .pin(&pins)
            .context("fail = \"closed\" cannot be kept")?;
    }
    Ok(())
}

fn inherit(pinned: &Pinned, hooks: &Hooks) -> Result<(), KernelError> {
    hooks.inherit(&pinned.guarded()?)?;
    if let Some(time) = pinned.heart()?.pulse()?.paused {
        hooks.heart().pause(time)?;
    }
    Ok(())
}
