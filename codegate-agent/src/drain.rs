//! Stopping without dropping what is under way.
//!
//! Knows: tasks that are to end. Must not know: what they do.

use std::{convert::Infallible, time::Duration};

use tokio::sync::{mpsc, watch};

/// Held by whoever stops the rest.
#[derive(Debug)]
pub struct Drain {
    stop: watch::Sender<bool>,
    alive: mpsc::Receiver<Infallible>,
}

/// Held by each task that is to end in its own time; [`Drain::finish`] waits until all are dropped.
#[derive(Debug, Clone)]
pub struct Running {
    stop: watch::Receiver<bool>,
    _alive: mpsc::Sender<Infallible>,
}

/// A pair, of which [`Running`] is cloned into every task.
pub fn drain() -> (Drain, Running) {
    let (stop, stopped) = watch::channel(false);
    let (holder, alive) = mpsc::channel(1);
    (
        Drain { stop, alive },
        Running {
            stop: stopped,
            _alive: holder,
        },
    )
}

impl Drain {
    /// Asks all tasks to end and waits for them; false if some were still there after `patience`.
    pub async fn finish(mut self, patience: Duration) -> bool {
        self.stop.send_replace(true);
        tokio::time::timeout(patience, self.alive.recv())
            .await
            .is_ok()
    }
}

impl Running {
    /// Returns once the agent stops (or whoever held the [`Drain`] is gone).
    pub async fn stopped(&mut self) {
        // An error means that the sender is gone, which is a stop too.
        let _gone = self.stop.wait_for(|stop| *stop).await.is_err();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::drain;

    #[tokio::test]
    async fn finish_waits_for_the_last_task() {
        let (drain, running) = drain();
        let task = tokio::spawn({
            let mut running = running.clone();
            async move { running.stopped().await }
        });
        drop(running);
        assert!(drain.finish(Duration::from_secs(5)).await);
        assert!(task.is_finished());
    }

    #[tokio::test]
    async fn finish_gives_up_on_a_task_that_hangs() {
        let (drain, running) = drain();
        assert!(!drain.finish(Duration::from_millis(10)).await);
        drop(running);
    }
}
