//! Scanning files at rest, with the engine and the rules that requests are scanned with.
//!
//! Knows: files, folders, `.gitignore`, request bodies in files. Must not know: the agent, the vault,
//! or how a report is printed.
//!
//! One walker, as many workers as there are cores: whoever is idle takes the next file. Reports come
//! out in the order of the walk, so two runs over the same files say the same.
//!
//! Memory is bounded: a worker reads a file through one window ([`window`]); only a request body is
//! held whole, up to the size that the agent would take.

mod file;
mod fingerprint;
mod mask;
mod place;
mod source;
mod window;

use std::{
    collections::BTreeMap,
    num::NonZero,
    ops::{ControlFlow, Range},
    path::PathBuf,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
        mpsc::{self, RecvTimeoutError, SyncSender},
    },
    thread,
    time::Duration,
};

use self::{
    file::Worker,
    source::{Source, Sources},
};
use crate::inspect::{Confidence, Inspector, Kind};

pub use place::Place;

/// How often the observer hears that time passes.
const TICK: Duration = Duration::from_millis(100);
/// Batches of reports that may wait for the observer before workers do.
const WAITING: usize = 64;

/// What is scanned, and how.
#[derive(Debug, Clone)]
pub struct Options {
    /// Files and folders; `-` is standard input.
    pub paths: Vec<PathBuf>,
    /// Whether `.gitignore` and its kin are heeded in folders.
    pub ignore: bool,
    /// Whose request bodies the files are; `None` if they are just files.
    pub provider: Option<String>,
    /// The largest request body, in bytes.
    pub body_limit: usize,
    /// How many files are scanned at once; `None` is one a core.
    pub threads: Option<NonZero<usize>>,
}

/// One file, scanned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Its path, as far as it is Unicode.
    pub path: String,
    /// What was found, in order.
    pub found: Vec<Found>,
    /// Why it could not be scanned, or not to its end.
    pub problem: Option<String>,
}

impl Report {
    fn is_silent(&self) -> bool {
        self.found.is_empty() && self.problem.is_none()
    }
}

/// Something that was found, without its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The rule that found it.
    pub rule: Arc<str>,
    /// What it is.
    pub kind: Kind,
    /// How sure the rule is.
    pub confidence: Confidence,
    /// Its bytes in the file.
    pub range: Range<u64>,
    /// Where it begins.
    pub start: Place,
    /// Where it ends: the place behind its last character.
    pub end: Place,
    /// The same for the same value found by the same rule; the value does not follow from it.
    pub fingerprint: String,
    /// The value with all but its ends masked. Traffic chose it: not fit for a terminal as it is.
    pub masked: String,
}

/// How far a scan is.
#[derive(Debug, Default)]
pub struct Tally {
    files: AtomicU64,
    bytes: AtomicU64,
}

impl Tally {
    /// Files that are done, the binary ones that were left out included.
    pub fn files(&self) -> u64 {
        self.files.load(Ordering::Relaxed)
    }

    /// Bytes that were read.
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    fn read(&self, bytes: usize) {
        self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }
}

/// Somebody who watches a scan.
pub trait Observer {
    /// A file has something to say. To break off, return [`ControlFlow::Break`].
    fn report(&mut self, report: Report) -> ControlFlow<()>;
    /// Time has passed.
    fn tick(&mut self, tally: &Tally);
}

/// How many files a scan will look at.
pub fn count(options: &Options) -> u64 {
    Sources::new(options).filter(Result::is_ok).count() as u64
}

/// Scans, and tells the observer of every file that has findings or a problem, in the order of the
/// walk.
pub fn run(inspector: &Inspector, options: &Options, observer: &mut dyn Observer) -> Tally {
    let tally = Tally::default();
    let queue = Mutex::new(Sources::new(options).enumerate());
    let next = || queue.lock().unwrap_or_else(PoisonError::into_inner).next();
    thread::scope(|scope| {
        let (send, receive) = mpsc::sync_channel(WAITING);
        for _ in 0..threads(options) {
            let send = send.clone();
            let worker = Worker::new(inspector, options, &tally);
            scope.spawn(|| work(worker, &next, send, &tally));
        }
        drop(send);
        deliver(&receive, observer, &tally);
    });
    tally
}

fn threads(options: &Options) -> usize {
    let one = NonZero::<usize>::MIN;
    let cores = || thread::available_parallelism().unwrap_or(one);
    options.threads.unwrap_or_else(cores).get()
}

/// Files with their numbers: many that have nothing to say, or the first that does.
type Numbered = Vec<(usize, Report)>;

/// The most reports that are sent at once: waking the observer for each file would cost more than
/// scanning a small one.
const BATCH: usize = 64;

/// Takes files until there are none, or nobody wants to know.
fn work(
    mut worker: Worker<'_>,
    next: &dyn Fn() -> Option<(usize, Result<Source, Report>)>,
    send: SyncSender<Numbered>,
    tally: &Tally,
) {
    let mut batch = Vec::new();
    while let Some((number, source)) = next() {
        let report = source.map_or_else(|report| report, |source| worker.scan(&source));
        tally.files.fetch_add(1, Ordering::Relaxed);
        let says = !report.is_silent();
        batch.push((number, report));
        if (says || batch.len() >= BATCH) && send.send(std::mem::take(&mut batch)).is_err() {
            return;
        }
    }
    // Nobody may want to know any more.
    send.send(batch).ok();
}

/// Brings reports back into order.
fn deliver(receive: &mpsc::Receiver<Numbered>, observer: &mut dyn Observer, tally: &Tally) {
    let mut early = BTreeMap::new();
    let mut due = 0;
    loop {
        match receive.recv_timeout(TICK) {
            Ok(batch) => early.extend(batch),
            Err(RecvTimeoutError::Timeout) => {
                observer.tick(tally);
                continue;
            }
            Err(RecvTimeoutError::Disconnected) => return,
        };
        while let Some(report) = early.remove(&due) {
            due += 1;
            if !report.is_silent() && observer.report(report).is_break() {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests;
