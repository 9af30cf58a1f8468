//! A disk in memory that can fail, and lose what was not synced when the power goes.

use std::{
    io,
    sync::{Arc, Mutex, MutexGuard},
};

use redb::StorageBackend;

use super::super::store::{Store, builder};

/// Memory for cached pages, in bytes: so little that most reads reach the disk.
const CACHE: usize = 64 << 10;

#[derive(Clone, Debug, Default)]
pub(super) struct Disk(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    live: Vec<u8>,
    /// What a power cut leaves, and what it may take or leave.
    durable: Vec<u8>,
    unsynced: Vec<Write>,
    writes: usize,
    fault: Option<Fault>,
}

#[derive(Debug, Clone)]
enum Write {
    Len(usize),
    Bytes(usize, Vec<u8>),
}

#[derive(Debug)]
struct Fault {
    /// Operations that still succeed.
    after: usize,
    /// Operations that fail then.
    times: usize,
    errno: i32,
    reads_too: bool,
    fired: bool,
}

impl Disk {
    pub(super) fn store(&self) -> Store {
        let disk = self.clone();
        Store::new(Box::new(move || {
            let mut builder = builder();
            builder.set_cache_size(CACHE);
            Ok(builder.create_with_backend(disk.clone())?)
        }))
    }

    /// How many writes, syncs and changes of length there have been.
    pub(super) fn writes(&self) -> usize {
        self.state().writes
    }

    /// Lets all writes fail, after some more that succeed.
    pub(super) fn break_writes(&self, after: usize, errno: i32) {
        self.break_down(after, usize::MAX, errno, false);
    }

    /// Lets everything fail, after some operations that succeed.
    pub(super) fn break_all(&self, after: usize, errno: i32) {
        self.break_down(after, usize::MAX, errno, true);
    }

    /// Lets the next operation fail, and no other.
    pub(super) fn break_once(&self, errno: i32) {
        self.break_down(0, 1, errno, true);
    }

    fn break_down(&self, after: usize, times: usize, errno: i32, reads_too: bool) {
        self.state().fault = Some(Fault {
            after,
            times,
            errno,
            reads_too,
            fired: false,
        });
    }

    /// Ends the failures, and says whether there was one.
    pub(super) fn mend(&self) -> bool {
        self.state().fault.take().is_some_and(|fault| fault.fired)
    }

    /// Edits what is on the disk, behind the database's back.
    pub(super) fn damage(&self, edit: impl FnOnce(&mut Vec<u8>)) {
        let mut state = self.state();
        edit(&mut state.live);
        state.durable = state.live.clone();
    }

    /// What is on the disk after a power cut of which some unsynced writes survive.
    pub(super) fn after_power_cut(&self, mut survives: impl FnMut() -> bool) -> Self {
        let state = self.state();
        let mut live = state.durable.clone();
        for write in &state.unsynced {
            if survives() {
                write.apply(&mut live);
            }
        }
        let durable = live.clone();
        Self(Arc::new(Mutex::new(State {
            live,
            durable,
            ..State::default()
        })))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }
}

impl State {
    fn check(&mut self, is_read: bool) -> io::Result<()> {
        let Some(fault) = self
            .fault
            .as_mut()
            .filter(|fault| fault.reads_too || !is_read)
        else {
            return Ok(());
        };
        if let Some(left) = fault.after.checked_sub(1) {
            fault.after = left;
        } else if let Some(left) = fault.times.checked_sub(1) {
            fault.times = left;
            fault.fired = true;
            return Err(io::Error::from_raw_os_error(fault.errno));
        }
        Ok(())
    }

    fn write(&mut self, write: Write) -> io::Result<()> {
        self.check(false)?;
        self.writes += 1;
        write.apply(&mut self.live);
        self.unsynced.push(write);
        Ok(())
    }
}

impl Write {
    fn apply(&self, to: &mut Vec<u8>) {
        match self {
            Self::Len(len) => to.resize(*len, 0),
            Self::Bytes(at, bytes) => {
                let end = at + bytes.len();
                to.resize(to.len().max(end), 0);
                to[*at..end].copy_from_slice(bytes);
            }
        }
    }
}

impl StorageBackend for Disk {
    fn len(&self) -> io::Result<u64> {
        let mut state = self.state();
        state.check(true)?;
        Ok(state.live.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let mut state = self.state();
        state.check(true)?;
        let from = offset as usize;
        let bytes = state.live.get(from..from + out.len());
        out.copy_from_slice(bytes.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.state().write(Write::Len(len as usize))
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.state()
            .write(Write::Bytes(offset as usize, data.to_vec()))
    }

    fn sync_data(&self) -> io::Result<()> {
        let mut state = self.state();
        state.check(false)?;
        state.writes += 1;
        state.durable = state.live.clone();
        state.unsynced.clear();
        Ok(())
    }
}
