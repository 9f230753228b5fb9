//! Looking after what is stored of people: under which key it lies, how long it is kept, and that
//! somebody is forgotten.

use async_trait::async_trait;
use jiff::Timestamp;

use crate::domain::{AuditEntry, ExternalId, OperationStatus, TargetName, Who};
use crate::store::{SealKeyId, SealKeys, StoreError};

/// How the store is sealed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seals {
    /// The key that is sealed with now.
    pub current: Option<SealKeyId>,
    /// All keys that something may be sealed with.
    pub named: Vec<SealKeyId>,
    /// Whether nothing lies in the clear.
    pub is_whole: bool,
}

/// How far a rekeying has come; begins at the default.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RekeyPlace {
    /// Which part of the store.
    pub(in crate::store) part: u8,
    /// After which row there.
    pub(in crate::store) text: (String, String),
    pub(in crate::store) number: (i64, i64),
}

/// One step of a rekeying.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RekeyStep {
    /// Values that were written anew.
    pub rewritten: u64,
    /// Where it goes on; `None` once everything was looked at.
    pub next: Option<RekeyPlace>,
}

/// What is left of values that were removed or written anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wiped {
    /// Nothing, and nothing was before.
    NothingDue,
    /// Nothing any more, in the database and its log.
    Clean,
    /// The database and its log may still have them: somebody else is reading.
    InUse,
}

/// What became of forgetting somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Forgetting {
    /// They are not known any more; what is left of them in the file waits to be wiped.
    Done(Forgotten),
    /// They were forgotten at that instant, and since then what is left of them waits to be wiped.
    Already(Timestamp),
    /// The target knows nobody of this id.
    Nobody,
    /// Something of theirs has not ended.
    OnTheWay(OperationStatus),
    /// They are active.
    Active,
}

/// What was removed of a person.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Forgotten {
    /// Whether there was a line in the ledger.
    pub record: bool,
    /// Operations and rejected rows.
    pub operations: u64,
    /// Rows that would have applied later.
    pub scheduled: u64,
    /// Runs that these were counted with; they still are.
    pub runs: u64,
}

/// Looking after the store.
#[async_trait]
pub trait Upkeep {
    /// How the store is sealed.
    async fn seals(&self) -> Result<Seals, StoreError>;

    /// Seals and opens with these keys from now on.
    ///
    /// # Errors
    ///
    /// When something is sealed with a key that is not among them, or nothing may lie in the clear and
    /// there is none to seal with: then nothing changes.
    async fn use_keys(&self, keys: SealKeys) -> Result<(), StoreError>;

    /// Reads some of the values that a rekeying concerns, at most `limit`; gives how many, and where it
    /// goes on.
    ///
    /// # Errors
    ///
    /// When one cannot be read: which.
    async fn read_some(
        &self,
        from: RekeyPlace,
        limit: usize,
    ) -> Result<(u64, Option<RekeyPlace>), StoreError>;

    /// Begins to bring everything under the current key; without one, into the clear.
    async fn begin_rekey(&self) -> Result<(), StoreError>;

    /// Writes some values anew that do not lie as they should, at most `limit`, in one short
    /// transaction. Steps may be repeated, left out and run side by side.
    async fn rekey_some(&self, from: RekeyPlace, limit: usize) -> Result<RekeyStep, StoreError>;

    /// Takes the names of other keys out of the store, and refuses what lies in the clear from now
    /// on; what lay there before waits to be [wiped](Self::wipe). Gives how many values still do not
    /// lie as they should: then nothing was done, and more steps are needed. Else the entry is in the
    /// audit trail.
    async fn end_rekey(&self, entry: AuditEntry, now: Timestamp) -> Result<u64, StoreError>;

    /// Writes the file anew without what was removed from it, and empties its log: where a rekeying has
    /// ended or somebody was forgotten and this was not done since. Others wait meanwhile who want to
    /// write.
    ///
    /// It may be repeated, and goes on where the last one ended: while somebody else is reading, the
    /// file is not written again.
    async fn wipe(&self) -> Result<Wiped, StoreError>;

    /// Removes a person from a target: the ledger's line, operations and rejected rows with all that
    /// belongs to them, rows that apply later, absences. Their runs go on counting them. Where others
    /// are told to wait for them or name them, that is taken out. All of it or nothing; what is left in
    /// the file waits to be [wiped](Self::wipe), and that is noted with it.
    ///
    /// Leaves an active worker alone unless `even_active`, and anybody of whom something has not
    /// ended. The audit trail tells who did it, and not of whom.
    async fn forget(
        &self,
        target: &TargetName,
        external_id: &ExternalId,
        even_active: bool,
        who: Who,
        now: Timestamp,
    ) -> Result<Forgetting, StoreError>;

    /// Removes operations and rows of runs that ended before an instant, but for the last of each
    /// worker and those that have not ended; the runs go on counting them. Looks at `limit` at most;
    /// gives how many were removed, 0 once nothing is left to do.
    async fn remove_operations(
        &self,
        ended_before: Timestamp,
        limit: usize,
    ) -> Result<u64, StoreError>;

    /// Reduces the resources of people who left, whose last operation ended well before an instant
    /// and for whom nothing is due, to what says who it was. At most `limit`; gives how many.
    async fn reduce_leavers(&self, left_before: Timestamp, limit: usize)
    -> Result<u64, StoreError>;

    /// Tells in the audit trail how much of both was done since it was last told, also where whoever did
    /// it was stopped before; nothing where nothing was done.
    async fn tell_let_go(&self, who: Who, now: Timestamp) -> Result<(), StoreError>;
}
