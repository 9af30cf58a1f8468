//! The old agent's side of a hand-over: what it gives, and that it can take it back.
//!
//! Knows: the stores, the hooks. Must not know: what is said to the new agent, or how.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::{mpsc::UnboundedReceiver, oneshot, watch};

use super::namespaces::Namespaces;
use crate::{
    control::{Estate, Retired},
    http::Guard,
    kernel::{Hooks, KernelError},
    seal::VaultError,
    session::{self, Passed},
};

/// Why nothing could be handed over, or be taken back.
#[derive(Debug, thiserror::Error)]
pub(super) enum HandOver {
    #[error("another agent is taking over already")]
    UnderWay,
    #[error("the vault: {0}")]
    Vault(#[from] VaultError),
    #[error("the sessions: {0}")]
    Sessions(#[from] session::Error),
    #[error(transparent)]
    Kernel(#[from] KernelError),
    #[error("the sessions' writer is gone")]
    NoWriter,
}

/// What there is to hand over.
pub(super) struct Legacy {
    pub(super) guard: Arc<Guard>,
    pub(super) hooks: Hooks,
    /// Where the agent listens: its own namespace, and the others.
    networks: (u64, Arc<Namespaces>),
    /// The vault's directory.
    pub(super) vault: PathBuf,
    given: Mutex<Option<UnboundedReceiver<Passed>>>,
    retired: watch::Sender<bool>,
    sent: Mutex<Option<oneshot::Receiver<()>>>,
}

impl Legacy {
    pub(super) fn new(
        guard: Arc<Guard>,
        hooks: Hooks,
        networks: (u64, Arc<Namespaces>),
        vault: PathBuf,
    ) -> Self {
        Self {
            guard,
            hooks,
            networks,
            vault,
            given: Mutex::default(),
            retired: watch::Sender::new(false),
            sent: Mutex::default(),
        }
    }

    /// Lets go of the stores. Requests go on: see [`Vault::give`](crate::seal::Vault::give). Blocks.
    pub(super) fn give(&self) -> Result<Estate, HandOver> {
        let mut given = lock(&self.given);
        if given.is_some() || *self.retired.borrow() {
            return Err(HandOver::UnderWay);
        }
        let guarded = self.hooks.guarded()?;
        let paused = self.hooks.heart().pulse()?.paused.unwrap_or_default();
        self.guard.vault.give(&self.vault)?;
        *given = self.guard.recorder.give();
        if given.is_none() {
            self.guard.vault.take_back(&self.vault)?;
            return Err(HandOver::NoWriter);
        }
        tracing::info!("another agent is about to take over");
        Ok(Estate {
            pid: std::process::id(),
            guarded,
            paused,
        })
    }

    /// The other agent did not take over: all is as before. Blocks.
    pub(super) fn take_back(&self) -> Result<(), HandOver> {
        *lock(&self.given) = None;
        self.guard.vault.take_back(&self.vault)?;
        self.guard.recorder.take_back()?;
        tracing::warn!("no other agent took over: this one goes on");
        Ok(())
    }

    /// The other agent guards: this one redirects nothing any more.
    pub(super) fn retire(&self) -> Option<Retired> {
        let records = lock(&self.given).take()?;
        let (own, others) = &self.networks;
        if let Err(error) = self.hooks.expect_no_more() {
            tracing::warn!(%error, "the kernel could not be told to expect no more listeners");
        }
        for netns in others.cookies().into_iter().chain([*own]) {
            if let Err(error) = self.hooks.unlisten(netns) {
                tracing::warn!(%error, "the kernel could not be told to let go");
            }
        }
        let (sent, told) = oneshot::channel();
        *lock(&self.sent) = Some(told);
        self.retired.send_replace(true);
        Some(Retired { records, sent })
    }

    /// Returns when another agent has taken over.
    pub(super) async fn retired(&self) {
        let mut retired = self.retired.subscribe();
        // This holds the sender, so there is no error.
        let _gone = retired.wait_for(|retired| *retired).await.is_err();
    }

    /// Returns when the other agent was told everything.
    pub(super) async fn told(&self) {
        let told = lock(&self.sent).take();
        if let Some(told) = told {
            let _dropped = told.await.is_err();
        }
    }
}

/// A panic elsewhere leaves an option whole.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
