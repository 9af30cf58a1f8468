//! The values that users named: kept as hashes, which are sealed besides.
//!
//! Knows: rows and hashes. Must not know: texts. A value passes through here once, when it is named,
//! and is not kept.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, MutexGuard, PoisonError},
};

use redb::{ReadTransaction, ReadableTable};

use super::{
    NewSecret, SecretInfo, Vault, VaultError, index,
    record::{Id, NONCE_LEN, VERSION, lock, unlock},
    store::{Batch, LITERALS, parse_kind},
    time,
};
use crate::{
    inspect::Kind,
    seal::{
        keys::UserKeys,
        literals::{Literal, Literals, RULE, check_lengths},
        token::Placeholder,
    },
};

/// What is sealed of a literal: its length, and its hashes.
const SEALED_LEN: usize = 16;

/// The literals of each user who has any.
pub(super) type ByUser = HashMap<u32, Arc<Literals>>;

/// A literal as it lies in the database.
pub(super) struct Row {
    pub(super) id: Id,
    pub(super) kind: Kind,
    /// Milliseconds since 1970.
    pub(super) added: u64,
    pub(super) nonce: [u8; NONCE_LEN],
    pub(super) sealed: Vec<u8>,
}

impl Row {
    fn seal(keys: &UserKeys, uid: u32, literal: &Literal, added: u64) -> Result<Self, VaultError> {
        let id = (uid, literal.mac);
        let len = u32::try_from(literal.len).unwrap_or(u32::MAX);
        let mut clear = [0; SEALED_LEN];
        let bytes = [len.to_be_bytes(), literal.window.to_be_bytes()].concat();
        let bytes = bytes.into_iter().chain(literal.print.to_be_bytes());
        clear
            .iter_mut()
            .zip(bytes)
            .for_each(|(to, from)| *to = from);
        let (nonce, sealed) = lock(keys, &bound_to(&id, &literal.kind), &clear)?;
        Ok(Self {
            id,
            kind: literal.kind,
            added,
            nonce,
            sealed,
        })
    }

    fn open(self, keys: &UserKeys) -> Result<Literal, VaultError> {
        let bound_to = bound_to(&self.id, &self.kind);
        let clear = unlock(keys, &bound_to, &self.nonce, self.sealed)?;
        let (len, rest) = clear.split_first_chunk().ok_or(VaultError::Altered)?;
        let (window, rest) = rest.split_first_chunk().ok_or(VaultError::Altered)?;
        let print = rest.first_chunk().ok_or(VaultError::Altered)?;
        Ok(Literal {
            mac: self.id.1,
            kind: self.kind,
            len: u32::from_be_bytes(*len) as usize,
            window: u32::from_be_bytes(*window),
            print: u64::from_be_bytes(*print),
        })
    }
}

/// A literal that is moved to another user, name or kind cannot be opened.
fn bound_to((uid, mac): &Id, kind: &Kind) -> Vec<u8> {
    let (uid, kind) = (uid.to_be_bytes(), kind.as_str().as_bytes());
    [b"literal", &[VERSION][..], &uid, mac, kind].concat()
}

impl Vault {
    /// Keeps hashes of values that a user named, so that they are found and sealed from now on, and
    /// returns the placeholders that they will have; durable when this returns.
    ///
    /// # Errors
    /// [`VaultError::Literal`] if they are too many, too long or too short; then none is kept. Also if
    /// the database cannot be written.
    pub async fn add_literals(
        &self,
        uid: u32,
        items: &[NewSecret<'_>],
    ) -> Result<Vec<Placeholder>, VaultError> {
        self.owned()?;
        let keys = self.keys.of(uid)?;
        let of = |item: &NewSecret<'_>| Literal::of(&keys, item.kind, item.value);
        self.check_room(uid, items)?;
        let literals: Vec<Literal> = items.iter().map(of).collect();
        let now = super::now();
        let seal = |literal: &Literal| Row::seal(&keys, uid, literal, now);
        let rows = literals.iter().map(seal).collect::<Result<Vec<_>, _>>()?;
        let add = move |batch: &mut Batch<'_>| rows.iter().try_for_each(|r| batch.add_literal(r));
        self.writer.write(add).await?;
        self.reload_literals(uid)?;
        let index = self.index();
        let placeholder = |literal: &Literal| {
            let known = index.get(&(uid, literal.mac)).map(|known| known.kind);
            Placeholder::new(known.unwrap_or(literal.kind), literal.mac)
        };
        Ok(literals.iter().map(placeholder).collect())
    }

    /// The values that a user named; `None` if there are none.
    pub fn literals(&self, uid: u32) -> Option<Arc<Literals>> {
        self.by_user().get(&uid).cloned()
    }

    fn check_room(&self, uid: u32, items: &[NewSecret<'_>]) -> Result<(), VaultError> {
        let lengths: Vec<usize> = items.iter().map(|item| item.value.len()).collect();
        let keys = self.keys.of(uid)?;
        let have: Vec<usize> = self.store.read(|transaction| {
            let rows = rows(transaction, uid)?;
            Ok(open(&keys, rows).iter().map(|have| have.len).collect())
        })?;
        check_lengths(&lengths, &have).map_err(VaultError::Literal)
    }

    /// Takes up what the database holds for a user. The last to take it up sees what all wrote.
    pub(super) fn reload_literals(&self, uid: u32) -> Result<(), VaultError> {
        let keys = self.keys.of(uid)?;
        let mut by_user = self.by_user();
        let rows = self.store.read(|transaction| rows(transaction, uid))?;
        let literals = open(&keys, rows);
        match literals.is_empty() {
            true => by_user.remove(&uid),
            false => by_user.insert(uid, Arc::new(Literals::new(keys, &literals))),
        };
        Ok(())
    }

    pub(super) fn load_literals(&self) -> Result<(), VaultError> {
        let users = self.store.read(owners)?;
        users
            .into_iter()
            .try_for_each(|uid| self.reload_literals(uid))
    }

    /// Those of a user's literals of which nothing was sealed yet; and marks the others.
    pub(super) fn list_literals(
        &self,
        uid: u32,
        sealed: &mut [SecretInfo],
    ) -> Result<Vec<SecretInfo>, VaultError> {
        let mut more = Vec::new();
        for row in self.store.read(|transaction| rows(transaction, uid))? {
            let is_it = |info: &&mut SecretInfo| info.placeholder.mac == row.id.1;
            match sealed.iter_mut().find(is_it) {
                Some(info) => info.literal = true,
                None => more.push(SecretInfo {
                    placeholder: Placeholder::new(row.kind, row.id.1),
                    rule: RULE.to_owned(),
                    first_seen: time(row.added),
                    last_seen: time(row.added),
                    uses: 0,
                    literal: true,
                }),
            }
        }
        Ok(more)
    }

    pub(super) fn literal_users(&self) -> BTreeSet<u32> {
        self.by_user().keys().copied().collect()
    }

    fn by_user(&self) -> MutexGuard<'_, ByUser> {
        self.literals.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What cannot be opened is told, and does not keep the rest from being found.
fn open(keys: &UserKeys, rows: Vec<Row>) -> Vec<Literal> {
    let open = |row: Row| {
        let opened = row.open(keys);
        opened.inspect_err(|error| tracing::error!(%error, "a literal is not looked for"))
    };
    rows.into_iter().flat_map(open).collect()
}

fn rows(transaction: &ReadTransaction, uid: u32) -> Result<Vec<Row>, VaultError> {
    let (first, last) = index::of(uid).into_inner();
    let literals = transaction.open_table(LITERALS)?;
    let mut rows = Vec::new();
    for entry in literals.range((first.0, &first.1)..=(last.0, &last.1))? {
        let (id, row) = entry?;
        let (version, kind, added, nonce, sealed) = row.value();
        if version != VERSION {
            let why = format!("a literal has version {version}, which is not known here");
            return Err(VaultError::Corrupt(why));
        }
        rows.push(Row {
            id: (uid, *id.value().1),
            kind: parse_kind(kind)?,
            added,
            nonce: *nonce,
            sealed: sealed.to_vec(),
        });
    }
    Ok(rows)
}

fn owners(transaction: &ReadTransaction) -> Result<BTreeSet<u32>, VaultError> {
    let literals = transaction.open_table(LITERALS)?;
    let mut users = BTreeSet::new();
    for entry in literals.iter()? {
        users.insert(entry?.0.value().0);
    }
    Ok(users)
}
