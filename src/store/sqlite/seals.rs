//! Which keys the store is sealed with, and packing and unpacking under them.
//!
//! The table `seals` names every key that something may be sealed with, and says whether anything
//! may lie in the clear. Each line is proven under its own key, so that a line that was changed is
//! noticed. Whoever writes enters their key first, in the same transaction: a store never holds what
//! is sealed with a key that it does not name.

use std::fmt::Display;
use std::path::Path;

use rusqlite::{Connection, params};

use crate::store::seal::{Place, SealKey, SealKeyId, SealKeys, SealTrouble, key_id_of, open, seal};
use crate::store::sqlite::connection::{Failure, cannot_open};
use crate::store::sqlite::resource;
use crate::store::{SealProblem, StoreError};

/// A line of the table.
pub(super) struct Seal {
    pub(super) key: SealKeyId,
    pub(super) refuses_plain: bool,
    proof: Vec<u8>,
}

/// Packs and unpacks for one transaction.
pub(super) struct Sealer<'k> {
    keys: &'k SealKeys,
    takes_plain: bool,
}

impl<'k> Sealer<'k> {
    /// For a transaction that reads.
    pub(super) fn reading(db: &Connection, keys: &'k SealKeys) -> Result<Self, Failure> {
        let takes_plain = !all(db, keys)?.iter().any(|seal| seal.refuses_plain);
        Ok(Self { keys, takes_plain })
    }

    /// For a transaction that writes: names the key in the store.
    pub(super) fn writing(db: &Connection, keys: &'k SealKeys) -> Result<Self, Failure> {
        let seals = all(db, keys)?;
        let refusing = seals.iter().find(|seal| seal.refuses_plain);
        match keys.current() {
            Some(key) if seals.iter().any(|seal| seal.key == key.id()) => {}
            Some(key) => enter(db, key, refusing.is_some())?,
            None => {
                if let Some(seal) = refusing {
                    return Err(StoreError::Seal(SealProblem::WouldLieOpen(seal.key)).into());
                }
            }
        }
        Ok(Self { keys, takes_plain: refusing.is_none() })
    }

    /// For a draft, which lies apart and enters the store later.
    pub(super) const fn apart(keys: &'k SealKeys) -> Self {
        Self { keys, takes_plain: true }
    }

    /// Whether there is a key to seal with.
    pub(super) const fn seals(&self) -> bool {
        self.keys.current().is_some()
    }

    /// Packs a value, and seals it where there is a key.
    pub(super) fn pack(&self, place: Place<'_>, value: &[u8]) -> Result<Vec<u8>, Failure> {
        self.wrap(place, resource::pack(value)?)
    }

    /// Seals what is packed, where there is a key.
    pub(super) fn wrap(&self, place: Place<'_>, packed: Vec<u8>) -> Result<Vec<u8>, Failure> {
        match self.keys.current() {
            None => Ok(packed),
            Some(key) => seal(key, place, &packed)
                .ok_or_else(|| Failure::other("the system gives no random bytes to seal with")),
        }
    }

    /// Unpacks what lies in a cell.
    pub(super) fn unpack(&self, place: Place<'_>, stored: &[u8]) -> Result<Vec<u8>, Unreadable> {
        let packed = self.unwrap(place, stored)?;
        resource::unpack(&packed).ok_or(Unreadable::Damaged)
    }

    /// What lies in a cell, packed and not sealed.
    pub(super) fn unwrap(&self, place: Place<'_>, stored: &[u8]) -> Result<Vec<u8>, Unreadable> {
        if resource::is_packed(stored) {
            return if self.takes_plain { Ok(stored.to_vec()) } else { Err(Unreadable::Plain) };
        }
        if key_id_of(stored).is_none() {
            return Err(Unreadable::Damaged);
        }
        open(self.keys, place, stored).map_err(|trouble| match trouble {
            SealTrouble::NoKey(key) => Unreadable::NoKey(key),
            SealTrouble::Damaged => Unreadable::Altered,
        })
    }
}

/// Why a value cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unreadable {
    /// Nobody packed these bytes.
    Damaged,
    /// They are not what was sealed for this place.
    Altered,
    /// They lie in the clear, in a store where nothing does.
    Plain,
    /// They are sealed with a key that is not here.
    NoKey(SealKeyId),
}

impl Unreadable {
    /// The error for a value of a cell.
    pub(super) fn at(
        self,
        table: &'static str,
        column: &'static str,
        id: &dyn Display,
    ) -> StoreError {
        let id = id.to_string();
        match self {
            Self::Damaged => StoreError::Inconsistent { table, column, id },
            Self::Altered => StoreError::Seal(SealProblem::Altered { table, column, id }),
            Self::Plain => StoreError::Seal(SealProblem::Plain { table, column, id }),
            Self::NoKey(key) => StoreError::Seal(SealProblem::NoKey(vec![key])),
        }
    }
}

/// The lines of the table; those whose key is here are true.
pub(super) fn all(db: &Connection, keys: &SealKeys) -> Result<Vec<Seal>, Failure> {
    let mut statement = db.prepare_cached(
        "-- seals.all
        SELECT key_id, refuses_plain, proof
        FROM seals
        ORDER BY key_id",
    )?;
    let mut rows = statement.query([])?;
    let mut seals = Vec::new();
    while let Some(row) = rows.next()? {
        let id = row.get_ref(0)?.as_blob().map_err(rusqlite::Error::from)?;
        let key = SealKeyId::from_bytes(id).ok_or_else(altered_mark)?;
        let seal = Seal { key, refuses_plain: row.get(1)?, proof: row.get(2)? };
        if keys.find(key).is_some() && !seal.is_true(keys) {
            return Err(altered_mark().into());
        }
        seals.push(seal);
    }
    Ok(seals)
}

impl Seal {
    fn is_true(&self, keys: &SealKeys) -> bool {
        let place = Place::Mark { refuses_plain: self.refuses_plain };
        key_id_of(&self.proof) == Some(self.key)
            && open(keys, place, &self.proof).is_ok_and(|value| value.is_empty())
    }
}

fn altered_mark() -> StoreError {
    let (table, column, id) = ("seals", "proof", "a key".to_owned());
    StoreError::Seal(SealProblem::Altered { table, column, id })
}

/// Names a key in the store.
pub(super) fn enter(db: &Connection, key: &SealKey, refuses_plain: bool) -> Result<(), Failure> {
    let proof = seal(key, Place::Mark { refuses_plain }, &[])
        .ok_or_else(|| Failure::other("the system gives no random bytes to seal with"))?;
    db.prepare_cached(
        "-- seals.enter
        INSERT INTO seals (key_id, refuses_plain, proof)
        VALUES (?1, ?2, ?3)
        ON CONFLICT (key_id) DO UPDATE SET
            refuses_plain = excluded.refuses_plain,
            proof = excluded.proof",
    )?
    .execute(params![key.id().bytes(), refuses_plain, proof])?;
    Ok(())
}

/// Takes the names of all other keys out of the store.
pub(super) fn leave_only(db: &Connection, key: Option<SealKeyId>) -> Result<(), Failure> {
    db.prepare_cached(
        "-- seals.leave_only
        DELETE FROM seals
        WHERE ?1 IS NULL
            OR key_id <> ?1",
    )?
    .execute([key.map(SealKeyId::bytes)])?;
    Ok(())
}

/// Makes sure that everything in the store can be read, before anything is done; a store that is
/// new begins sealed. `may_open_up` where somebody is about to take the seals off.
pub(super) fn verify(
    db: &Connection,
    keys: &SealKeys,
    path: &Path,
    may_open_up: bool,
) -> Result<(), StoreError> {
    if !is_there(db).map_err(|error| cannot_open(path, error))? {
        return Ok(());
    }
    let seals = all(db, keys).map_err(|failure| failure.named("look at the keys of the store"))?;
    let missing: Vec<SealKeyId> =
        seals.iter().map(|seal| seal.key).filter(|key| keys.find(*key).is_none()).collect();
    if !missing.is_empty() {
        return Err(StoreError::Seal(SealProblem::NoKey(missing)));
    }
    let refusing = seals.iter().find(|seal| seal.refuses_plain);
    match refusing {
        Some(seal) if keys.current().is_none() && !may_open_up => {
            Err(StoreError::Seal(SealProblem::WouldLieOpen(seal.key)))
        }
        _ => Ok(()),
    }
}

/// Begins sealed: names the key in a store that holds nothing yet.
pub(super) fn begin(db: &Connection, keys: &SealKeys) -> Result<(), Failure> {
    let Some(key) = keys.current() else { return Ok(()) };
    if all(db, keys)?.iter().any(|seal| seal.key == key.id()) {
        return Ok(());
    }
    let is_empty: bool = db
        .prepare_cached(
            "-- seals.is_empty
            SELECT NOT EXISTS (SELECT 1 FROM runs)
                AND NOT EXISTS (SELECT 1 FROM deliveries)
                AND NOT EXISTS (SELECT 1 FROM records)
                AND NOT EXISTS (SELECT 1 FROM seals)",
        )?
        .query_row([], |row| row.get(0))?;
    if is_empty {
        return enter(db, key, true);
    }
    Sealer::writing(db, keys).map(drop)
}

/// Whether the table is there: a store of an older version has none.
fn is_there(db: &Connection) -> rusqlite::Result<bool> {
    db.query_row(
        "-- seals.is_there
        SELECT EXISTS (
            SELECT 1
            FROM sqlite_schema
            WHERE type = 'table'
                AND name = 'seals')",
        [],
        |row| row.get(0),
    )
}
