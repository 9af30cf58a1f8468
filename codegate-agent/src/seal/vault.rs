//! The vault: what was sealed, for whom, and back again.
//!
//! Knows: users, values, placeholders. Must not know: where a value was found or goes to.
//!
//! When it must choose, it favours durability over latency: a placeholder is handed out only once
//! its value is on the disk. A value that is known already costs no write.

mod error;
mod given;
mod index;
mod literals;
mod read;
mod record;
mod store;
mod writer;

use std::{
    fmt, fs, io,
    os::unix::fs::DirBuilderExt,
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use redb::ReadableTable;
use zeroize::Zeroizing;

pub use self::error::VaultError;
use self::{
    index::Index,
    read::{load, record, reveals, rows},
    record::{Id, Record},
    store::{Batch, Store},
    writer::Writer,
};
use super::{keys::Keys, token::Placeholder};
use crate::inspect::Kind;

const KEY_FILE: &str = "vault.key";
const DATABASE: &str = "vault.redb";
/// Where the database says which root key it belongs to.
const KEY_CHECK: &str = "key_check";

/// A value that is to be sealed.
#[derive(Clone, Copy)]
pub struct NewSecret<'a> {
    /// What stands there.
    pub kind: Kind,
    /// The rule that found it.
    pub rule: &'a str,
    /// The value itself.
    pub value: &'a [u8],
}

/// What may be told about a sealed value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretInfo {
    /// What stands in its place.
    pub placeholder: Placeholder,
    /// The rule that found it first.
    pub rule: String,
    /// When it was sealed.
    pub first_seen: SystemTime,
    /// When it was last found in what was about to leave.
    pub last_seen: SystemTime,
    /// How often it was found.
    pub uses: u64,
    /// Whether the user named it, so that it is found by itself.
    pub literal: bool,
}

/// A note that somebody was shown a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reveal {
    /// When.
    pub at: SystemTime,
    /// The user who asked.
    pub by: u32,
    /// The user whose value it is.
    pub uid: u32,
    /// Which.
    pub placeholder: Placeholder,
}

/// All sealed values of all users.
pub struct Vault {
    keys: Keys,
    index: Arc<Mutex<Index>>,
    literals: Mutex<literals::ByUser>,
    store: Arc<Store>,
    writer: Writer,
}

impl Vault {
    /// Opens the vault in a directory, and makes what is missing there, readable by its owner only.
    ///
    /// # Errors
    /// The key or the database cannot be read or made, is damaged, or is used by another process.
    pub fn open(dir: &Path) -> Result<Self, VaultError> {
        private_dir(dir).map_err(|error| VaultError::io(dir, error))?;
        let (key, database) = (dir.join(KEY_FILE), dir.join(DATABASE));
        let keys = match Keys::load(&key) {
            Err(VaultError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                // A new key would not open what is there: better to say so than to forget it.
                if holds_something(&database) {
                    return Err(VaultError::KeyMissing { path: key });
                }
                Keys::create(&key)
            }
            other => other,
        }?;
        let vault = Self::with(keys, Store::in_file(&database))?;
        if let Err(error) = vault.take_in(dir) {
            tracing::error!(%error, "what lies beside the vault cannot be taken in");
        }
        Ok(vault)
    }

    /// A vault with these keys in this store.
    fn with(keys: Keys, store: Store) -> Result<Self, VaultError> {
        check_key(&store, &keys.check()?)?;
        let index = Arc::new(Mutex::new(store.read(load)?));
        let store = Arc::new(store);
        let writer = Writer::start(Arc::clone(&store), Arc::clone(&index))
            .map_err(|error| VaultError::io(Path::new(DATABASE), error))?;
        let vault = Self {
            keys,
            index,
            literals: Mutex::default(),
            store,
            writer,
        };
        vault.load_literals()?;
        Ok(vault)
    }

    /// Seals values, and returns their placeholders in the same order once all are durable.
    ///
    /// The same value of the same user always has the same placeholder; its kind is the one that
    /// it was first sealed with.
    ///
    /// # Errors
    /// The disk is full or failed. Nothing may be sent then; the same may be tried again.
    pub async fn seal(
        &self,
        uid: u32,
        items: &[NewSecret<'_>],
    ) -> Result<Vec<Placeholder>, VaultError> {
        let keys = self.keys.of(uid)?;
        let id = |item: &NewSecret<'_>| (uid, keys.mac(item.value));
        let ids: Vec<Id> = items.iter().map(id).collect();
        let mut kinds = self.touch(&ids);
        let mut new = Vec::new();
        for (kind, (id, item)) in kinds.iter().zip(ids.iter().zip(items)) {
            if kind.is_none() {
                let record = Record::seal(&keys, *id, item.kind, item.value)?;
                new.push((record, item.rule.to_owned()));
            }
        }
        if !new.is_empty() {
            let mut added = self.add(new).await?.into_iter();
            for kind in kinds.iter_mut().filter(|kind| kind.is_none()) {
                *kind = added.next();
            }
        }
        let sealed = kinds.into_iter().zip(ids);
        Ok(sealed
            .filter_map(|(kind, (_, mac))| Some(Placeholder::new(kind?, mac)))
            .collect())
    }

    /// The value that a placeholder stands for; `None` if this user has no such value.
    ///
    /// # Errors
    /// The database cannot be read, or the record was altered.
    pub fn restore(
        &self,
        uid: u32,
        placeholder: &Placeholder,
    ) -> Result<Option<Zeroizing<Vec<u8>>>, VaultError> {
        let id = (uid, placeholder.mac);
        // A placeholder with another kind was not made here: its checksum needs no key.
        let known = self.index().get(&id).map(|known| known.kind);
        if known != Some(placeholder.kind) {
            return Ok(None);
        }
        let found = self.store.read(|transaction| record(transaction, id))?;
        let Some(record) = found.or_else(|| self.store.inherited_record(&id)) else {
            return Ok(None);
        };
        record.open(&*self.keys.of(uid)?).map(Some)
    }

    /// The mark of a note that CodeGate writes into a user's conversation: nobody else can make it,
    /// so that the note is known again when it comes back.
    ///
    /// # Errors
    /// The user's keys cannot be derived.
    pub fn mark(&self, uid: u32, note: &[u8]) -> Result<String, VaultError> {
        let mark = self.keys.of(uid)?.note(note);
        Ok(mark.iter().map(|byte| format!("{byte:02x}")).collect())
    }

    /// Whether a user has any sealed value. Asked per answer, so it never touches the disk.
    pub fn holds_any(&self, uid: u32) -> bool {
        self.index().holds_any(uid)
    }

    /// The users that have any sealed value or literal, in rising order.
    pub fn users(&self) -> Vec<u32> {
        let mut users = self.index().users();
        users.extend(self.literal_users());
        users.into_iter().collect()
    }

    /// What a user has sealed or named, without the values.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn list(&self, uid: u32) -> Result<Vec<SecretInfo>, VaultError> {
        self.owned()?;
        let rows = self.store.read(|transaction| rows(transaction, uid))?;
        let index = self.index();
        let mut secrets: Vec<SecretInfo> = rows
            .into_iter()
            .map(|(id, kind, rule, first_seen)| {
                let usage = index.get(&id).map(|known| known.usage).unwrap_or_default();
                SecretInfo {
                    placeholder: Placeholder::new(kind, id.1),
                    rule,
                    first_seen: time(first_seen),
                    last_seen: time(usage.last_seen.max(first_seen)),
                    uses: usage.uses.max(1),
                    literal: false,
                }
            })
            .collect();
        drop(index);
        let literals = self.list_literals(uid, &mut secrets)?;
        secrets.extend(literals);
        Ok(secrets)
    }

    /// The value that a placeholder stands for, to be shown to `by`: this is noted durably first.
    ///
    /// Whether `by` may see what belongs to `uid` is for the caller to decide.
    ///
    /// # Errors
    /// As [`Vault::restore`]; also if the note cannot be written.
    pub async fn reveal(
        &self,
        uid: u32,
        placeholder: &Placeholder,
        by: u32,
    ) -> Result<Option<Zeroizing<Vec<u8>>>, VaultError> {
        self.owned()?;
        let value = self.restore(uid, placeholder)?;
        if value.is_some() {
            let (id, kind, now) = ((uid, placeholder.mac), placeholder.kind, now());
            let note = move |batch: &mut Batch<'_>| batch.note_reveal(&id, &kind, by, now);
            self.writer.write(note).await?;
        }
        Ok(value)
    }

    /// Who was shown which of a user's values, oldest first.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn reveals(&self, uid: u32) -> Result<Vec<Reveal>, VaultError> {
        self.owned()?;
        self.store.read(|transaction| reveals(transaction, uid))
    }

    /// Forgets a value: its placeholder is not restored any more, and if the user named it, it is
    /// not looked for. False if there was none.
    ///
    /// # Errors
    /// The database cannot be written; then nothing is forgotten.
    pub async fn forget(&self, uid: u32, placeholder: &Placeholder) -> Result<bool, VaultError> {
        self.owned()?;
        let id = (uid, placeholder.mac);
        let forgotten = self.writer.write(move |batch| batch.remove(&id)).await?;
        self.reload_literals(uid)?;
        Ok(forgotten)
    }

    /// Forgets all values of a user, and says how many there were.
    ///
    /// # Errors
    /// The database cannot be written; then nothing is forgotten.
    pub async fn forget_all(&self, uid: u32) -> Result<usize, VaultError> {
        self.owned()?;
        let forgotten = self
            .writer
            .write(move |batch| batch.remove_all(uid))
            .await?;
        self.reload_literals(uid)?;
        Ok(forgotten)
    }

    /// Adds records, and returns the kinds under which their values are known.
    async fn add(&self, new: Vec<(Record, String)>) -> Result<Vec<Kind>, VaultError> {
        let ids: Vec<Id> = new.iter().map(|(record, _)| record.id).collect();
        let now = now();
        let add = move |batch: &mut Batch<'_>| {
            let add = |(record, rule): &(Record, String)| batch.add(record, rule, now);
            new.iter().map(add).collect()
        };
        let kinds = self.writer.write(add).await?;
        self.touch(&ids);
        Ok(kinds)
    }

    /// Notes that values were seen, and says as what each is known.
    fn touch(&self, ids: &[Id]) -> Vec<Option<Kind>> {
        let now = now();
        let mut index = self.index();
        ids.iter().map(|id| index.touch(id, now)).collect()
    }

    fn index(&self) -> MutexGuard<'_, Index> {
        self.index.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vault").finish_non_exhaustive()
    }
}

/// Refuses a root key that is not the database's; a new database takes it as its own.
fn check_key(store: &Store, check: &[u8]) -> Result<(), VaultError> {
    let ((), _) = store.write(|batch| {
        let known = batch
            .meta
            .get(KEY_CHECK)?
            .map(|known| known.value() == check);
        match known {
            Some(true) => Ok(()),
            Some(false) => Err(VaultError::WrongKey),
            None => Ok(batch.meta.insert(KEY_CHECK, check).map(|_| ())?),
        }
    })?;
    Ok(())
}

/// Makes a directory, if it is missing, that only its owner may enter.
fn private_dir(dir: &Path) -> io::Result<()> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(dir)
}

/// Whether there is a database that only its own key can open.
fn holds_something(database: &Path) -> bool {
    fs::metadata(database).is_ok_and(|metadata| metadata.len() > 0)
}

/// Milliseconds since 1970.
fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| {
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    })
}

fn time(millis: u64) -> SystemTime {
    UNIX_EPOCH
        .checked_add(Duration::from_millis(millis))
        .unwrap_or(UNIX_EPOCH)
}

#[cfg(test)]
mod tests;
