//! The one thread that writes: it commits what many ask for at once, and answers when it is safe.
//!
//! Knows: queues and commits. Must not know: what is written, or why.
//!
//! While a commit is on its way to the disk, more tasks arrive; they make up the next one. Nothing
//! waits longer for the sake of a larger batch.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{Receiver, RecvTimeoutError, Sender, channel},
    },
    thread::JoinHandle,
    time::Duration,
};

use tokio::sync::oneshot;

use super::{
    VaultError,
    index::Index,
    store::{Batch, Store},
};

/// The most tasks in a commit.
const BATCH: usize = 64;
/// How often usage is written if nothing else is.
const FLUSH_EVERY: Duration = Duration::from_secs(30);

/// The writer's queue and thread. Dropping it writes what is left and waits for the thread.
pub(super) struct Writer {
    queue: Option<Sender<Box<dyn Task>>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    /// Starts the thread.
    pub(super) fn start(store: Arc<Store>, index: Arc<Mutex<Index>>) -> std::io::Result<Self> {
        let (queue, tasks) = channel();
        let thread = std::thread::Builder::new()
            .name("vault".to_owned())
            .spawn(move || run(&store, &index, &tasks))?;
        Ok(Self {
            queue: Some(queue),
            thread: Some(thread),
        })
    }

    /// Does some work in a transaction, and returns when that is durable.
    pub(super) async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Batch<'_>) -> Result<T, VaultError> + Send + 'static,
    ) -> Result<T, VaultError> {
        let (reply, done) = oneshot::channel();
        let task = Box::new(Asked {
            work: Some(work),
            result: None,
            reply,
        });
        let queue = self.queue.as_ref().ok_or(VaultError::Stopped)?;
        queue.send(task).map_err(|_| VaultError::Stopped)?;
        done.await.map_err(|_| VaultError::Stopped)?
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.queue = None;
        if self
            .thread
            .take()
            .is_some_and(|thread| thread.join().is_err())
        {
            tracing::error!("the vault's writer had panicked");
        }
    }
}

/// Something to be written, whatever it is.
trait Task: Send {
    fn run(&mut self, batch: &mut Batch<'_>) -> Result<(), VaultError>;
    /// Answers whoever asked, after the commit.
    fn finish(self: Box<Self>, committed: Result<(), VaultError>);
}

struct Asked<W, T> {
    work: Option<W>,
    result: Option<T>,
    reply: oneshot::Sender<Result<T, VaultError>>,
}

impl<W, T> Task for Asked<W, T>
where
    W: FnOnce(&mut Batch<'_>) -> Result<T, VaultError> + Send,
    T: Send,
{
    fn run(&mut self, batch: &mut Batch<'_>) -> Result<(), VaultError> {
        let work = self.work.take().ok_or(VaultError::Stopped)?;
        self.result = Some(work(batch)?);
        Ok(())
    }

    fn finish(self: Box<Self>, committed: Result<(), VaultError>) {
        let Self { result, reply, .. } = *self;
        let result = committed.and_then(|()| result.ok_or(VaultError::Stopped));
        if reply.send(result).is_err() {
            tracing::debug!("nobody waited for the vault any more");
        }
    }
}

fn run(store: &Store, index: &Mutex<Index>, tasks: &Receiver<Box<dyn Task>>) {
    loop {
        let first = match tasks.recv_timeout(FLUSH_EVERY) {
            Ok(task) => Some(task),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => break,
        };
        let batch = first.into_iter().chain(tasks.try_iter()).take(BATCH);
        commit(store, index, batch.collect());
    }
    commit(store, index, Vec::new());
}

/// Commits some tasks, and usage with them, and answers them all.
fn commit(store: &Store, index: &Mutex<Index>, mut tasks: Vec<Box<dyn Task>>) {
    let lock = || index.lock().unwrap_or_else(PoisonError::into_inner);
    let usage = lock().take_dirty();
    if tasks.is_empty() && usage.is_empty() {
        return;
    }
    let written = store.write(|batch| {
        tasks.iter_mut().try_for_each(|task| task.run(batch))?;
        usage
            .iter()
            .try_for_each(|(id, usage)| batch.set_usage(id, *usage))
    });
    let result = match written {
        Ok(((), changes)) => {
            let mut index = lock();
            changes.into_iter().for_each(|change| index.apply(change));
            Ok(())
        }
        Err(error) => {
            tracing::error!(%error, "the vault could not be written");
            lock().put_back(usage.into_iter().map(|(id, _)| id));
            Err(error)
        }
    };
    for task in tasks {
        task.finish(result.clone());
    }
}
