//! What the agent is told to do, by those who may.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{
    Code, Estate, Failure, Retired, State, Trust,
    answer::{Answer, blocking, unavailable},
    server::Peer,
};

/// The longest pause.
pub const LONGEST_PAUSE: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// What the daemon does when it is told to.
pub trait Commands: Send + Sync + 'static {
    /// Lets everything go direct for so long; no time at all ends that. Must not block.
    ///
    /// # Errors
    /// Why it cannot be done, for people.
    fn pause(&self, time: Duration, by: Asker) -> Result<(), String>;

    /// Makes a new local CA, and signs by it from now on. Blocks.
    ///
    /// # Errors
    /// Why it cannot be done, for people.
    fn rotate(&self, by: Asker) -> Result<Trust, String>;

    /// Gives another agent what only one can have. Blocks.
    ///
    /// # Errors
    /// Why it cannot be done, for people; all is as before then.
    fn give(&self) -> Result<Estate, String>;

    /// The other agent did not take over: takes it back. Blocks.
    ///
    /// # Errors
    /// Why it cannot be done, for people.
    fn take_back(&self) -> Result<(), String>;

    /// The other agent guards: takes no more connections, and drains. `None` if nothing was given.
    fn retire(&self) -> Option<Retired>;
}

/// Who tells the daemon to do something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asker {
    /// Its process, if the kernel names one.
    pub pid: Option<u32>,
    /// Its user.
    pub uid: u32,
}

/// Until when the guard is paused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pause {
    /// `None` if it is not.
    pub paused_until: Option<Timestamp>,
}

impl Pause {
    /// So long from now; no time at all is none.
    pub fn of(time: Option<Duration>) -> Self {
        let time = time.filter(|time| !time.is_zero());
        let end = |time| {
            let time = SignedDuration::try_from(time).ok()?;
            Timestamp::now().checked_add(time).ok()
        };
        Self {
            paused_until: time.map(|time| end(time).unwrap_or(Timestamp::MAX)),
        }
    }
}

/// Only root may: who can pause the guard can send secrets out.
pub(super) async fn pause(peer: &mut Peer, state: &State, time: Duration) -> Answer {
    only_root(peer)?;
    if time > LONGEST_PAUSE {
        let days = LONGEST_PAUSE.as_secs() / 86_400;
        let message = format!("the longest pause is {days} days");
        return Err(Failure::new(Code::BadRequest, message).into());
    }
    state
        .commands
        .pause(time, peer.asker())
        .map_err(unavailable)?;
    Ok(peer.replies.item(&Pause::of(Some(time))).await?)
}

/// Only root may: whatever was told to trust the old CA distrusts the new one.
pub(super) async fn rotate(peer: &mut Peer, state: &State) -> Answer {
    only_root(peer)?;
    let (commands, by) = (state.commands.clone(), peer.asker());
    let trust = blocking(move || commands.rotate(by)).await?;
    Ok(peer.replies.item(&trust).await?)
}

pub(super) fn only_root(peer: &Peer) -> Answer {
    if peer.viewer.uid() == 0 {
        return Ok(());
    }
    Err(Failure::new(Code::Denied, "only root may tell the agent what to do").into())
}
