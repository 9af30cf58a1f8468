//! The handle that the rest of the agent holds: records go in without waiting, sessions come out
//! for those who may see them.

use std::{
    path::Path,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::Ordering,
        mpsc::{self, SyncSender, TrySendError},
    },
    thread::{self, JoinHandle},
};

use tokio::sync::{broadcast, mpsc::UnboundedReceiver};

use super::{
    Detail, Entry, Event, Exchange, Id, Session, Update, Viewer,
    index::Index,
    store::{Error, Store},
    writer::{Counters, Job, Passed, Record, Writer},
};
use crate::{config, flow::Flow};

/// Records that may wait for the writer.
const QUEUE: usize = 4096;
/// Updates that a slow watcher may fall behind.
const WATCHED: usize = 256;

/// Records what happens. Cheap to clone; the last one to go waits until all is written.
#[derive(Debug, Clone)]
pub struct Recorder {
    inner: Arc<Inner>,
}

/// How much is kept; beyond it, the sessions that were silent longest go first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// Sessions.
    pub sessions: usize,
    /// Entries of all sessions together.
    pub entries: u64,
    /// Entries of one session; the oldest go first.
    pub entries_per_session: u64,
}

/// How many records were written, and how many could not be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stats {
    /// Written.
    pub recorded: u64,
    /// Not written: the queue was full or the disk failed.
    pub lost: u64,
}

/// Updates as they come, for one viewer.
#[derive(Debug)]
pub struct Tail {
    viewer: Viewer,
    updates: broadcast::Receiver<Arc<Update>>,
}

/// What a [`Tail`] yields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tailed {
    /// A session after a new entry.
    Update(Arc<Update>),
    /// The watcher was too slow, and updates went by.
    Missed,
}

#[derive(Debug)]
struct Inner {
    jobs: Option<SyncSender<Job>>,
    thread: Mutex<Option<JoinHandle<()>>>,
    store: Arc<Store>,
    counters: Arc<Counters>,
    updates: broadcast::Sender<Arc<Update>>,
}

impl Default for Retention {
    fn default() -> Self {
        Self {
            sessions: 5_000,
            entries: 50_000,
            entries_per_session: 5_000,
        }
    }
}

impl Recorder {
    /// Opens the database of sessions, or makes it (mode 0600). One that is damaged is moved aside
    /// with an error in the log.
    ///
    /// # Errors
    /// If the file cannot be opened: its directory is missing, or another agent has it.
    pub fn open(path: &Path) -> Result<Self, Error> {
        Self::with_retention(path, Retention::default())
    }

    /// As [`Recorder::open`], with bounds.
    ///
    /// # Errors
    /// As [`Recorder::open`].
    pub fn with_retention(path: &Path, retention: Retention) -> Result<Self, Error> {
        let store = Arc::new(Store::open(path)?);
        let boot = boot_id();
        let counters = Arc::new(Counters::default());
        let (updates, _) = broadcast::channel(WATCHED);
        let writer = Writer {
            store: Arc::clone(&store),
            index: Index::new(store.all()?, &boot),
            boot,
            retention,
            counters: Arc::clone(&counters),
            updates: updates.clone(),
            away: None,
        };
        let (jobs, queue) = mpsc::sync_channel(QUEUE);
        let thread = thread::Builder::new()
            .name("sessions".into())
            .spawn(move || writer.run(&queue))
            .map_err(Error::Thread)?;
        let inner = Arc::new(Inner {
            jobs: Some(jobs),
            thread: Mutex::new(Some(thread)),
            store,
            counters,
            updates,
        });
        Ok(Self { inner })
    }

    /// Records a request and its answer. Never waits.
    pub fn exchange(&self, flow: &Flow, host: &str, provider: &str, exchange: Exchange) {
        self.record(flow, host, provider, Entry::Exchange(exchange));
    }

    /// Records what happened to a connection outside any exchange. Never waits.
    pub fn event(&self, flow: &Flow, host: &str, provider: &str, event: Event) {
        self.record(flow, host, provider, Entry::Event(event));
    }

    fn record(&self, flow: &Flow, host: &str, provider: &str, mut entry: Entry) {
        entry.bound();
        let record = Box::new(Record {
            process: (&flow.process).into(),
            start: flow.process.start,
            host: config::normalized(host).into_owned(),
            provider: provider.to_owned(),
            entry,
        });
        self.submit(record);
    }

    fn submit(&self, record: Box<Record>) {
        let Some(jobs) = &self.inner.jobs else { return };
        match jobs.try_send(Job::Record(record)) {
            Ok(()) => {}
            Err(TrySendError::Full(_)) => self.lost("the queue is full"),
            Err(TrySendError::Disconnected(_)) => self.lost("the writer is gone"),
        }
    }

    fn lost(&self, why: &str) {
        let total = self.inner.counters.lost.fetch_add(1, Ordering::Relaxed) + 1;
        // A flood of losses must not become a flood of log lines.
        if total.is_power_of_two() {
            tracing::error!(total, why, "sessions could not be recorded");
        }
    }

    /// The newest `limit` sessions that the viewer may see, newest first. Reads the disk.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub fn list(&self, viewer: Viewer, limit: usize) -> Result<Vec<Session>, Error> {
        self.inner.store.list(viewer, limit)
    }

    /// A session with its entries; `None` if there is none that the viewer may see. Reads the disk.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub fn show(&self, viewer: Viewer, id: Id) -> Result<Option<Detail>, Error> {
        self.inner.store.show(viewer, id)
    }

    /// What is recorded from now on and the viewer may see.
    pub fn tail(&self, viewer: Viewer) -> Tail {
        Tail {
            viewer,
            updates: self.inner.updates.subscribe(),
        }
    }

    /// How many watch, see [`Recorder::tail`].
    pub fn watchers(&self) -> usize {
        self.inner.updates.receiver_count()
    }

    /// Waits until everything recorded so far is on disk, or lost. Blocks the thread.
    pub fn flush(&self) {
        // Without an answer the writer is gone, and nothing is left to wait for.
        self.ask(|_| ());
    }

    /// Lets go of the database when everything recorded so far is in it, so that another process can
    /// open it; what is recorded from then on comes out here. `None` if the writer is gone. Blocks the
    /// thread.
    pub fn give(&self) -> Option<UnboundedReceiver<Passed>> {
        self.ask(Writer::give)
    }

    /// Takes the database back. Blocks the thread.
    ///
    /// # Errors
    /// It cannot be opened: whoever had it has it still.
    pub fn take_back(&self) -> Result<(), Error> {
        self.ask(Writer::reopen).unwrap_or(Err(Error::Closed))
    }

    /// Ends what [`Recorder::give`] began: nothing more is recorded, here or there. Blocks the thread.
    pub fn end(&self) {
        self.ask(|writer| writer.away = None);
    }

    /// Records what another agent passed on. Never waits.
    pub fn take_in(&self, Passed(record): Passed) {
        self.submit(record);
    }

    /// Has the writer do something when all before it is written; `None` if it is gone.
    fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&mut Writer) -> T + Send + 'static,
    ) -> Option<T> {
        let (answer, wait) = mpsc::channel();
        let then = Box::new(move |writer: &mut Writer| {
            answer.send(question(writer)).ok(); // whoever asked may have gone
        });
        self.inner.jobs.as_ref()?.send(Job::Then(then)).ok()?;
        wait.recv().ok()
    }

    /// How much was recorded since the agent started.
    pub fn stats(&self) -> Stats {
        let counters = &self.inner.counters;
        Stats {
            recorded: counters.recorded.load(Ordering::Relaxed),
            lost: counters.lost.load(Ordering::Relaxed),
        }
    }
}

impl Tail {
    /// The next update; `None` once the recorder is gone.
    pub async fn next(&mut self) -> Option<Tailed> {
        loop {
            match self.updates.recv().await {
                Ok(update) if self.viewer.sees(update.session.process.uid) => {
                    return Some(Tailed::Update(update));
                }
                Ok(_) => {}
                Err(broadcast::error::RecvError::Lagged(_)) => return Some(Tailed::Missed),
                Err(broadcast::error::RecvError::Closed) => return None,
            }
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.jobs = None; // the writer ends when it has written what is queued
        let thread = self
            .thread
            .get_mut()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if thread.is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the sessions' writer panicked");
        }
    }
}

/// A pid and a start time name a process only within one boot (`proc_sys_kernel(5)`).
fn boot_id() -> String {
    let id = std::fs::read_to_string("/proc/sys/kernel/random/boot_id");
    id.map(|id| id.trim().to_owned()).unwrap_or_default()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic, reason = "tests panic")]
mod tests;
