//! Provisioning keys: see [`Keys`] for the promises.

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::domain::{KeyId, KeyRole, KeyScope, SourceName, Who};
use crate::store::sqlite::connection::{Failure, SqliteStore};
use crate::store::sqlite::convert::{Cell, micros};
use crate::store::sqlite::told::Told;
use crate::store::{Key, KeyRevoked, KeyRotated, Keys, NewKey, StoreError};

#[async_trait]
impl Keys for SqliteStore {
    async fn add_key(&self, key: NewKey, now: Timestamp) -> Result<(), StoreError> {
        self.write("store a key", move |db| {
            add(db, &key, now)?;
            Told { who: &key.by, now_us: micros(now) }.key_created(db, &key)
        })
        .await
    }

    async fn key(&self, id: &KeyId) -> Result<Option<Key>, StoreError> {
        let id = id.clone();
        self.read("look up a key", move |db| find(db, &id)).await
    }

    async fn keys(&self) -> Result<Vec<Key>, StoreError> {
        self.read("list keys", |db| {
            let mut statement = db.prepare_cached(
                "-- keys.all
                SELECT
                    id, role, source, digest, created_us, created_by, expires_us, last_used_us,
                    revoked_us, revoked_by, replaced_by
                FROM keys
                ORDER BY created_us, id",
            )?;
            let mut rows = statement.query([])?;
            let mut keys = Vec::new();
            while let Some(row) = rows.next()? {
                keys.push(key(row)?);
            }
            Ok(keys)
        })
        .await
    }

    async fn rotate_key(
        &self,
        old: &KeyId,
        new: NewKey,
        overlap: SignedDuration,
        now: Timestamp,
    ) -> Result<Option<KeyRotated>, StoreError> {
        let old = old.clone();
        self.write("rotate a key", move |db| rotate(db, &old, &new, overlap, now)).await
    }

    async fn revoke_key(
        &self,
        id: &KeyId,
        by: &Who,
        now: Timestamp,
    ) -> Result<Option<KeyRevoked>, StoreError> {
        let (id, by) = (id.clone(), by.clone());
        self.write("revoke a key", move |db| {
            let changed = db
                .prepare_cached(
                    "-- keys.revoke
                    UPDATE keys
                    SET revoked_us = ?2,
                        revoked_by = ?3
                    WHERE id = ?1
                        AND revoked_us IS NULL",
                )?
                .execute(params![id.as_str(), micros(now), by.name()])?;
            let Some(found) = find(db, &id)?.map(Box::new) else { return Ok(None) };
            if changed == 0 {
                return Ok(Some(KeyRevoked::Before(found)));
            }
            Told { who: &by, now_us: micros(now) }.key_revoked(db, &found)?;
            Ok(Some(KeyRevoked::Done(found)))
        })
        .await
    }

    async fn note_key_use(
        &self,
        id: &KeyId,
        unless_since: Timestamp,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let id = id.clone();
        self.write("note that a key was used", move |db| {
            db.prepare_cached(
                "-- keys.note_use
                UPDATE keys
                SET last_used_us = ?3
                WHERE id = ?1
                    AND (last_used_us IS NULL OR last_used_us <= ?2)",
            )?
            .execute(params![id.as_str(), micros(unless_since), micros(now)])?;
            Ok(())
        })
        .await
    }
}

fn add(db: &Connection, key: &NewKey, now: Timestamp) -> Result<(), Failure> {
    db.prepare_cached(
        "-- keys.add
        INSERT INTO keys (id, role, source, digest, created_us, created_by, expires_us)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?
    .execute(params![
        key.id.as_str(),
        key.scope.role().as_str(),
        key.scope.source().map(SourceName::as_str),
        key.digest,
        micros(now),
        key.by.name(),
        micros(key.expires_at)
    ])?;
    Ok(())
}

fn rotate(
    db: &Connection,
    old: &KeyId,
    new: &NewKey,
    overlap: SignedDuration,
    now: Timestamp,
) -> Result<Option<KeyRotated>, Failure> {
    let Some(found) = find(db, old)?.map(Box::new) else { return Ok(None) };
    if !found.is_valid(now) || found.replaced_by.is_some() {
        return Ok(Some(KeyRotated::NotPossible(found)));
    }
    add(db, new, now)?;
    let until = now.checked_add(overlap).unwrap_or(found.expires_at);
    db.prepare_cached(
        "-- keys.replace
        UPDATE keys
        SET expires_us = min(expires_us, ?2),
            replaced_by = ?3
        WHERE id = ?1",
    )?
    .execute(params![old.as_str(), micros(until), new.id.as_str()])?;
    let Some(found) = find(db, old)?.map(Box::new) else { return Ok(None) };
    Told { who: &new.by, now_us: micros(now) }.key_rotated(db, &found, new)?;
    Ok(Some(KeyRotated::Done(found)))
}

fn find(db: &Connection, id: &KeyId) -> Result<Option<Key>, Failure> {
    let mut statement = db.prepare_cached(
        "-- keys.find
        SELECT
            id, role, source, digest, created_us, created_by, expires_us, last_used_us, revoked_us,
            revoked_by, replaced_by
        FROM keys
        WHERE id = ?1",
    )?;
    statement.query_row([id.as_str()], |row| Ok(key(row))).optional()?.transpose()
}

/// A key from the columns of `keys.find`.
fn key(row: &Row<'_>) -> Result<Key, Failure> {
    let id: Box<str> = row.get(0)?;
    let cell = |column| Cell { table: "keys", column, id: &id };
    let role = KeyRole::parse(row.get_ref(1)?.as_str().map_err(rusqlite::Error::from)?);
    let role = role.ok_or_else(|| cell("role").inconsistent())?;
    let source: Option<Box<str>> = row.get(2)?;
    let scope = KeyScope::new(role, source.map(SourceName::new));
    let key_id = |text: &str, column| KeyId::parse(text).ok_or_else(|| cell(column).inconsistent());
    let replaced_by: Option<Box<str>> = row.get(10)?;
    Ok(Key {
        id: key_id(&id, "id")?,
        scope: scope.ok_or_else(|| cell("source").inconsistent())?,
        digest: row.get(3)?,
        created_at: cell("created_us").instant(row.get(4)?)?,
        created_by: row.get(5)?,
        expires_at: cell("expires_us").instant(row.get(6)?)?,
        last_used_at: cell("last_used_us").instant_or_none(row.get(7)?)?,
        revoked_at: cell("revoked_us").instant_or_none(row.get(8)?)?,
        revoked_by: row.get(9)?,
        replaced_by: replaced_by.map(|id| key_id(&id, "replaced_by")).transpose()?,
    })
}
