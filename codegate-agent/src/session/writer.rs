//! The one thread that writes sessions: it gathers what comes within a moment and commits it at
//! once.

use std::{
    collections::BTreeSet,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc::{Receiver, RecvTimeoutError},
    },
    time::{Duration, Instant},
};

use redb::{ReadableTable, Table, WriteTransaction};
use serde::{Deserialize, Serialize};
use tokio::sync::{
    broadcast,
    mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
};

use super::{
    Entry, Id, Process, Retention, Session, Update,
    index::{Index, Key, Stored},
    now,
    store::{ENTRIES, Error, SEALED, SESSIONS, Store},
};

/// How long the first record of a batch waits for company.
const GATHER: Duration = Duration::from_millis(50);
/// The most records in one commit.
const BATCH: usize = 1024;
/// The most sealed secrets, and the most packages, that one session tells apart.
const MAX_SEALED: u64 = 10_000;

/// What comes down the channel.
pub(super) enum Job {
    /// Something to write.
    Record(Box<Record>),
    /// Something to do when everything before this is written.
    Then(Box<dyn FnOnce(&mut Writer) + Send>),
}

/// An entry and whose it is.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Record {
    pub(super) process: Process,
    pub(super) start: u64,
    pub(super) host: String,
    pub(super) provider: String,
    pub(super) entry: Entry,
}

/// A record on its way to the agent that has the database now.
#[derive(Debug, Serialize, Deserialize)]
pub struct Passed(pub(super) Box<Record>);

/// Counts of records, shared with [`super::Recorder`].
#[derive(Debug, Default)]
pub(super) struct Counters {
    pub(super) recorded: AtomicU64,
    pub(super) lost: AtomicU64,
}

pub(super) struct Writer {
    pub(super) store: Arc<Store>,
    pub(super) index: Index,
    pub(super) boot: String,
    pub(super) retention: Retention,
    pub(super) counters: Arc<Counters>,
    pub(super) updates: broadcast::Sender<Arc<Update>>,
    /// Where records go instead of the disk, while another agent has the database.
    pub(super) away: Option<UnboundedSender<Passed>>,
}

impl Writer {
    /// Runs until the channel's other ends are gone, and everything in it is written.
    pub(super) fn run(mut self, jobs: &Receiver<Job>) {
        while let Ok(first) = jobs.recv() {
            let (batch, then) = gather(first, jobs);
            self.write(batch);
            if let Some(then) = then {
                then(&mut self);
            }
        }
    }

    fn write(&mut self, batch: Vec<Record>) {
        if batch.is_empty() {
            return;
        }
        if let Some(away) = &self.away {
            let gone = batch.into_iter().filter_map(|record| {
                let passed = Passed(Box::new(record));
                away.send(passed).err()
            });
            let lost = gone.count() as u64;
            self.counters.lost.fetch_add(lost, Ordering::Relaxed);
            return;
        }
        let count = batch.len() as u64;
        // A defect of the database's must cost history, not the agent.
        match catch_unwind(AssertUnwindSafe(|| self.commit(&batch))) {
            Ok(Ok(sessions)) => {
                self.counters.recorded.fetch_add(count, Ordering::Relaxed);
                self.publish(sessions, batch);
            }
            Ok(Err(error)) => self.recover(count, &error.to_string()),
            Err(_) => self.recover(count, "it panicked"),
        }
    }

    fn publish(&self, sessions: Vec<Session>, batch: Vec<Record>) {
        for (session, record) in sessions.into_iter().zip(batch) {
            let entry = record.entry;
            self.updates.send(Arc::new(Update { session, entry })).ok(); // nobody may be watching
        }
    }

    /// Counts the batch as lost and opens the database again for the next one.
    fn recover(&mut self, lost: u64, why: &str) {
        let total = self.counters.lost.fetch_add(lost, Ordering::Relaxed) + lost;
        tracing::error!(lost, total, why, "sessions could not be recorded");
        if let Err(error) = self.reopen() {
            tracing::error!(%error, "the sessions' database cannot be opened again");
        }
    }

    /// Lets go of the database: what comes now goes to whoever has it.
    pub(super) fn give(&mut self) -> UnboundedReceiver<Passed> {
        let (away, records) = unbounded_channel();
        self.away = Some(away);
        self.store.close();
        records
    }

    /// Takes the database back.
    pub(super) fn reopen(&mut self) -> Result<(), Error> {
        self.store.reopen()?;
        self.index = Index::new(self.store.all()?, &self.boot);
        self.away = None;
        Ok(())
    }

    fn commit(&mut self, batch: &[Record]) -> Result<Vec<Session>, Error> {
        let mut transaction = self.store.database()?.begin_write()?;
        // The checksums are not cryptographic, and peers choose part of what is written.
        transaction.set_two_phase_commit(true);
        let sessions = self.fill(&transaction, batch)?;
        transaction.commit()?;
        Ok(sessions)
    }

    fn fill(
        &mut self,
        transaction: &WriteTransaction,
        batch: &[Record],
    ) -> Result<Vec<Session>, Error> {
        let mut tables = Tables {
            sessions: transaction.open_table(SESSIONS)?,
            entries: transaction.open_table(ENTRIES)?,
            sealed: transaction.open_table(SEALED)?,
        };
        let sessions = batch
            .iter()
            .map(|record| self.add(&mut tables, record))
            .collect::<Result<_, Error>>()?;
        self.retire(&mut tables)?;
        Ok(sessions)
    }

    fn add(&mut self, tables: &mut Tables<'_>, record: &Record) -> Result<Session, Error> {
        let before = match self.index.find(&record.key()) {
            Some(id) => tables.session(id)?,
            None => None,
        };
        let mut stored = before.clone().unwrap_or_else(|| self.begin(record));
        stored.session.absorb(&record.entry);
        stored.session.provider.clone_from(&record.provider);
        let id = stored.session.id.key();
        let session = &mut stored.session;
        session.secrets += tables.note(id, session.secrets, record.entry.placeholders())?;
        session.packages += tables.note(id, session.packages, record.entry.packages())?;
        tables
            .entries
            .insert((id, stored.next), json(&record.entry)?.as_slice())?;
        stored.next += 1;
        while stored.next - stored.first > self.retention.entries_per_session {
            tables.entries.remove((id, stored.first))?;
            stored.first += 1;
        }
        tables.sessions.insert(id, json(&stored)?.as_slice())?;
        self.index.update(before.as_ref(), &stored);
        Ok(stored.session)
    }

    fn begin(&mut self, record: &Record) -> Stored {
        let id = self.index.fresh_id(now());
        let started = record.entry.time();
        Stored {
            session: Session::new(id, started, record.process.clone(), &record.host),
            start: record.start,
            boot: self.boot.clone(),
            first: 0,
            next: 0,
        }
    }

    /// Forgets the sessions that were silent longest until the bounds hold.
    fn retire(&mut self, tables: &mut Tables<'_>) -> Result<(), Error> {
        let Retention {
            sessions, entries, ..
        } = self.retention;
        while let Some(id) = self.index.surplus(sessions, entries) {
            match tables.remove(id)? {
                Some(stored) => self.index.remove(&stored),
                None => self.index.forget(id),
            }
        }
        Ok(())
    }
}

/// What is to be done after a batch.
type Then = Box<dyn FnOnce(&mut Writer) + Send>;

/// What comes within a moment of the first job; something to do ends it at once.
fn gather(first: Job, jobs: &Receiver<Job>) -> (Vec<Record>, Option<Then>) {
    let deadline = Instant::now() + GATHER;
    let mut batch = Vec::new();
    let mut next = Ok(first);
    loop {
        match next {
            Ok(Job::Record(record)) => batch.push(*record),
            Ok(Job::Then(then)) => return (batch, Some(then)),
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => break,
        }
        if batch.len() >= BATCH {
            break;
        }
        next = jobs.recv_timeout(deadline.saturating_duration_since(Instant::now()));
    }
    (batch, None)
}

/// The tables of one transaction.
struct Tables<'t> {
    sessions: Table<'t, u64, &'static [u8]>,
    entries: Table<'t, (u64, u64), &'static [u8]>,
    sealed: Table<'t, (u64, &'static str), ()>,
}

impl Tables<'_> {
    fn session(&self, id: Id) -> Result<Option<Stored>, Error> {
        let row = self.sessions.get(id.key())?;
        Ok(row.and_then(|row| serde_json::from_slice(row.value()).ok()))
    }

    /// Notes what was sealed or found; returns how much of it is new to the session.
    fn note(&mut self, id: u64, known: u64, names: BTreeSet<&str>) -> Result<u64, Error> {
        let mut new = 0;
        for name in names {
            if known + new >= MAX_SEALED {
                break;
            }
            if self.sealed.insert((id, name), ())?.is_none() {
                new += 1;
            }
        }
        Ok(new)
    }

    fn remove(&mut self, id: Id) -> Result<Option<Stored>, Error> {
        let stored = self.session(id)?;
        let id = id.key();
        self.sessions.remove(id)?;
        self.entries
            .retain_in((id, 0)..=(id, u64::MAX), |_, _| false)?;
        self.sealed
            .retain_in((id, "")..(id + 1, ""), |_, ()| false)?;
        Ok(stored)
    }
}

impl Record {
    fn key(&self) -> Key {
        Key {
            uid: self.process.uid,
            pid: self.process.pid,
            start: self.start,
            host: self.host.clone(),
        }
    }
}

fn json(value: &impl serde::Serialize) -> Result<Vec<u8>, Error> {
    serde_json::to_vec(value).map_err(Error::Encode)
}
