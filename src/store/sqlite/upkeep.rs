//! Looking after the store: see [`Upkeep`] for the promises.

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;

use crate::domain::{AuditEntry, ExternalId, TargetName, Who};
use crate::store::sqlite::connection::{Location, SqliteStore, blocking};
use crate::store::sqlite::convert::micros;
use crate::store::sqlite::{audit, forget, kept, rekey, reread, seals, wipe};
use crate::store::{
    Forgetting, RekeyPlace, RekeyStep, SealKey, SealKeys, Seals, StoreError, Upkeep, Wiped,
};

#[async_trait]
impl Upkeep for SqliteStore {
    async fn seals(&self) -> Result<Seals, StoreError> {
        let keys = self.keys();
        self.read("look at the keys of the store", move |db| {
            let found = seals::all(db, &keys)?;
            Ok(Seals {
                current: keys.current().map(SealKey::id),
                is_whole: found.iter().any(|seal| seal.refuses_plain),
                named: found.iter().map(|seal| seal.key).collect(),
            })
        })
        .await
    }

    async fn use_keys(&self, keys: SealKeys) -> Result<(), StoreError> {
        if keys.are_those_of(&self.keys()) {
            return Ok(());
        }
        let checked = keys.clone();
        self.write("take other keys", move |db| {
            seals::verify(db, &checked, Path::new(""), false)?;
            seals::begin(db, &checked)
        })
        .await?;
        self.take_keys(keys);
        Ok(())
    }

    async fn read_some(
        &self,
        from: RekeyPlace,
        limit: usize,
    ) -> Result<(u64, Option<RekeyPlace>), StoreError> {
        let (keys, limit) = (self.keys(), limit.max(1));
        self.read("read what is stored of people", move |db| reread::read(db, &keys, &from, limit))
            .await
    }

    async fn begin_rekey(&self) -> Result<(), StoreError> {
        let keys = self.keys();
        self.write("begin to encrypt anew", move |db| rekey::begin(db, &keys)).await
    }

    async fn rekey_some(&self, from: RekeyPlace, limit: usize) -> Result<RekeyStep, StoreError> {
        let (keys, limit) = (self.keys(), limit.max(1));
        let looking = Arc::clone(&keys);
        let look = move |db: &rusqlite::Connection| rekey::find(db, &looking, &from, limit);
        let (rows, next) = self.read("look for what to encrypt anew", look).await?;
        let rewritten = if rows.is_empty() {
            0
        } else {
            self.write("encrypt anew", move |db| rekey::rewrite(db, &keys, &rows)).await?
        };
        Ok(RekeyStep { rewritten, next })
    }

    async fn end_rekey(&self, entry: AuditEntry, now: Timestamp) -> Result<u64, StoreError> {
        let keys = self.keys();
        self.write("end encrypting anew", move |db| {
            let left = rekey::end(db, &keys)?;
            if left == 0 {
                wipe::note(db, None, micros(now))?;
                audit::append(db, &entry, micros(now))?;
            }
            Ok(left)
        })
        .await
    }

    async fn wipe(&self) -> Result<Wiped, StoreError> {
        let inner = Arc::clone(&self.inner);
        blocking("write the store anew", move || {
            let is_file = !matches!(inner.location, Location::Memory(_));
            let writer = inner.writer()?;
            wipe::wipe(&writer, is_file)
        })
        .await
    }

    async fn forget(
        &self,
        target: &TargetName,
        external_id: &ExternalId,
        even_active: bool,
        who: Who,
        now: Timestamp,
    ) -> Result<Forgetting, StoreError> {
        let (target, id) = (target.clone(), external_id.clone());
        self.write("forget a person", move |db| {
            let found = forget::forget(db, &target, &id, even_active)?;
            match found {
                Forgetting::Done(done) => {
                    wipe::note(db, Some((&target, &id)), micros(now))?;
                    audit::append(db, &forget::entry(&target, done, who), micros(now))?;
                }
                Forgetting::Nobody => {
                    let before = wipe::forgotten_at(db, &target, &id)?;
                    return Ok(before.map_or(found, Forgetting::Already));
                }
                _ => {}
            }
            Ok(found)
        })
        .await
    }

    async fn remove_operations(
        &self,
        ended_before: Timestamp,
        limit: usize,
    ) -> Result<u64, StoreError> {
        let before_us = micros(ended_before);
        let find = move |db: &rusqlite::Connection| kept::find_operations(db, before_us, limit);
        let found = self.read("look for old operations", find).await?;
        self.write("remove old operations", move |db| {
            if found.is_empty() {
                kept::end_runs(db, before_us)?;
            }
            kept::remove_operations(db, &found)
        })
        .await
    }

    async fn reduce_leavers(
        &self,
        left_before: Timestamp,
        limit: usize,
    ) -> Result<u64, StoreError> {
        let (before_us, keys) = (micros(left_before), self.keys());
        self.write("reduce people who left", move |db| {
            kept::reduce_leavers(db, &keys, before_us, limit)
        })
        .await
    }

    async fn tell_let_go(&self, who: Who, now: Timestamp) -> Result<(), StoreError> {
        self.write("tell what was let go", move |db| kept::tell(db, &who, micros(now))).await
    }
}
