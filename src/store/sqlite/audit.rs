//! The audit trail: see [`Audit`] for the promises.

use std::collections::BTreeMap;

use async_trait::async_trait;
use jiff::Timestamp;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::domain::{AuditAction, AuditDetails, AuditEntry, AuditSubject, AuditValue, Who};
use crate::store::sqlite::connection::{Failure, SqliteStore};
use crate::store::sqlite::convert::{Cell, limit as most, micros, whole};
use crate::store::{
    Audit, AuditFault, AuditHead, AuditRecord, AuditVerdict, AuditedConfig, Chain, Link,
    StoreError, link,
};

/// How many triggers keep the trail.
const TRIGGERS: usize = 6;
/// What the whole config file is called among its keys.
const WHOLE: &str = "";
/// Most keys that an entry names.
const MOST_KEYS: usize = 100;

#[async_trait]
impl Audit for SqliteStore {
    async fn append_audit(
        &self,
        entry: AuditEntry,
        now: Timestamp,
    ) -> Result<AuditHead, StoreError> {
        self.write("append to the audit trail", move |db| append(db, &entry, micros(now))).await
    }

    async fn audit_page(&self, after: u64, limit: usize) -> Result<Vec<AuditRecord>, StoreError> {
        self.read("read the audit trail", move |db| {
            let mut statement = db.prepare_cached(
                "-- audit.page
                SELECT
                    seq, at_us, actor, origin, action, subject, details,
                    coalesce(
                        (SELECT hash FROM audit AS before WHERE before.seq = audit.seq - 1),
                        zeroblob(32)),
                    hash
                FROM audit
                WHERE seq > ?1
                ORDER BY seq
                LIMIT ?2",
            )?;
            let mut rows = statement.query(params![whole(after), most(limit)])?;
            let mut records = Vec::new();
            while let Some(row) = rows.next()? {
                records.push(record(row)?);
            }
            Ok(records)
        })
        .await
    }

    async fn audit_head(&self) -> Result<AuditHead, StoreError> {
        self.read("read the end of the audit trail", head).await
    }

    async fn audit_config(
        &self,
        config: AuditedConfig,
        who: Who,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.write("note the config", move |db| note_config(db, &config, who, micros(now))).await
    }

    async fn verify_audit(&self, noted: Option<AuditHead>) -> Result<AuditVerdict, StoreError> {
        self.read("verify the audit trail", move |db| verify(db, noted)).await
    }
}

/// Appends an entry, inside whatever transaction there is.
pub(super) fn append(
    db: &Connection,
    entry: &AuditEntry,
    now_us: i64,
) -> Result<AuditHead, Failure> {
    let head = head(db)?;
    let seq = whole(head.seq).saturating_add(1);
    let (actor, origin) = (entry.who.actor(), entry.who.origin().to_string());
    let (action, subject) = (entry.action.as_str(), entry.subject.to_string());
    let details = entry.details.to_json();
    let texts = [&actor, &origin, action, &subject, &details].map(str::as_bytes);
    let hash = link(&head.hash, &Link { seq, at_us: now_us, texts });
    db.prepare_cached(
        "-- audit.append
        INSERT INTO audit (seq, at_us, actor, origin, action, subject, details, hash)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )?
    .execute(params![seq, now_us, actor, origin, action, subject, details, hash])?;
    Ok(AuditHead { seq: head.seq.saturating_add(1), hash })
}

fn head(db: &Connection) -> Result<AuditHead, Failure> {
    let cell = |column| Cell { table: "audit_head", column, id: &1 };
    let found: Option<(i64, [u8; 32])> = db
        .prepare_cached(
            "-- audit.head
            SELECT seq, hash
            FROM audit_head
            WHERE id = 1",
        )?
        .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let (seq, hash) = found.ok_or_else(|| cell("seq").inconsistent())?;
    Ok(AuditHead { seq: cell("seq").count(seq)?, hash })
}

/// Appends what is other about a config, and keeps what it is now.
fn note_config(
    db: &Connection,
    config: &AuditedConfig,
    who: Who,
    now_us: i64,
) -> Result<bool, Failure> {
    let mut known: BTreeMap<String, Vec<u8>> = {
        let mut statement = db.prepare_cached(
            "-- audit.known_config
            SELECT key, digest
            FROM audited_config",
        )?;
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        rows.collect::<rusqlite::Result<_>>()?
    };
    let before = known.remove(WHOLE);
    let mut changed = Vec::new();
    for (key, digest) in &config.keys {
        if known.remove(key).is_none_or(|known| known != *digest) {
            changed.push(key.as_str());
        }
    }
    // what is left is not in the config any more
    changed.extend(known.keys().map(String::as_str));
    changed.sort_unstable();
    if changed.is_empty() && before.as_deref() == Some(&config.digest) {
        return Ok(false);
    }
    let more = changed.len().saturating_sub(MOST_KEYS);
    let more = u64::try_from(more).ok().filter(|more| *more > 0);
    let shown = changed.iter().take(MOST_KEYS).copied();
    let details = AuditDetails::none()
        .with_some("before", before.as_deref().map(AuditValue::digest))
        .with("after", AuditValue::digest(&config.digest))
        .with("changed", AuditValue::codes(shown))
        .with_some("more", more);
    let (action, subject) = (AuditAction::ConfigChanged, AuditSubject::Config);
    append(db, &AuditEntry { action, subject, details, who }, now_us)?;
    db.prepare_cached(
        "-- audit.forget_config
        DELETE FROM audited_config",
    )?
    .execute([])?;
    let mut statement = db.prepare_cached(
        "-- audit.keep_config
        INSERT INTO audited_config (key, digest)
        VALUES (?1, ?2)",
    )?;
    statement.execute(params![WHOLE, config.digest])?;
    for (key, digest) in &config.keys {
        statement.execute(params![key, digest])?;
    }
    Ok(true)
}

/// A record from the columns of `audit.page`.
fn record(row: &Row<'_>) -> Result<AuditRecord, Failure> {
    let seq: i64 = row.get(0)?;
    let cell = |column| Cell { table: "audit", column, id: &seq };
    let text = |index, column| -> Result<String, Failure> {
        row.get::<_, String>(index).map_err(|_| cell(column).inconsistent().into())
    };
    Ok(AuditRecord {
        seq: cell("seq").count(seq)?,
        at: cell("at_us").instant(row.get(1)?)?,
        actor: text(2, "actor")?,
        origin: text(3, "origin")?,
        action: text(4, "action")?,
        subject: text(5, "subject")?,
        details: text(6, "details")?,
        previous: row.get(7)?,
        hash: row.get(8)?,
    })
}

/// Looks at the whole trail. Whatever somebody has made of the rows is found wrong, and no error.
fn verify(db: &Connection, noted: Option<AuditHead>) -> Result<AuditVerdict, Failure> {
    let mut chain = Chain::new(noted);
    let mut statement = db.prepare_cached(
        "-- audit.verify
        SELECT seq, at_us, actor, origin, action, subject, details, hash
        FROM audit
        ORDER BY seq",
    )?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (record, hash) = raw(row)?;
        if let Err(fault) = chain.take(&record, hash) {
            return Ok(AuditVerdict::Broken(explained(db, &chain, fault)?));
        }
    }
    drop(rows);
    if let Some(fault) = other_end(db, &chain)? {
        return Ok(AuditVerdict::Broken(fault));
    }
    let verdict = chain.end();
    if matches!(verdict, AuditVerdict::Sound(_)) && !is_guarded(db)? {
        return Ok(AuditVerdict::Broken(AuditFault::Unguarded));
    }
    Ok(verdict)
}

/// A row as it is, whatever it is.
fn raw<'a>(row: &'a Row<'_>) -> Result<(Link<'a>, &'a [u8]), Failure> {
    let mut texts = [&[][..]; 5];
    for (index, text) in (2..).zip(&mut texts) {
        *text = bytes(row.get_ref(index)?);
    }
    let whole = |value| match value {
        ValueRef::Integer(whole) => whole,
        _ => i64::MIN,
    };
    let record = Link { seq: whole(row.get_ref(0)?), at_us: whole(row.get_ref(1)?), texts };
    Ok((record, bytes(row.get_ref(7)?)))
}

fn bytes(value: ValueRef<'_>) -> &[u8] {
    match value {
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => bytes,
        ValueRef::Null | ValueRef::Integer(_) | ValueRef::Real(_) => &[],
    }
}

/// Says of a record that does not fit whether the one that belongs there stands elsewhere.
fn explained(db: &Connection, chain: &Chain, fault: AuditFault) -> Result<AuditFault, Failure> {
    let seq = chain.next();
    if let AuditFault::OtherHead { .. } = fault {
        return Ok(fault);
    }
    let mut statement = db.prepare_cached(
        "-- audit.elsewhere
        SELECT seq, at_us, actor, origin, action, subject, details, hash
        FROM audit
        WHERE seq <> ?1
        ORDER BY seq",
    )?;
    let mut rows = statement.query([seq])?;
    while let Some(row) = rows.next()? {
        let (record, hash) = raw(row)?;
        if link(chain.hash(), &Link { seq, ..record }) == *hash {
            return Ok(AuditFault::OutOfOrder { seq, found_at: record.seq });
        }
    }
    Ok(fault)
}

/// What the two other places say of the end, where it does not fit.
fn other_end(db: &Connection, chain: &Chain) -> Result<Option<AuditFault>, Failure> {
    let last = chain.next().saturating_sub(1);
    let noted: Option<(i64, Vec<u8>)> = db
        .prepare_cached(
            "-- audit.noted_head
            SELECT seq, hash
            FROM audit_head
            WHERE id = 1",
        )?
        .query_row([], |row| {
            Ok(match (row.get_ref(0)?, row.get_ref(1)?) {
                (ValueRef::Integer(seq), hash) => (seq, bytes(hash).to_vec()),
                _ => (i64::MIN, Vec::new()),
            })
        })
        .optional()?;
    let highest: Option<i64> = db
        .prepare_cached(
            "-- audit.highest
            SELECT seq
            FROM sqlite_sequence
            WHERE name = 'audit'",
        )?
        .query_row([], |row| Ok(row.get(0).unwrap_or(i64::MIN)))
        .optional()?;
    let (noted, hash) = noted.unwrap_or((i64::MIN, Vec::new()));
    let highest = highest.unwrap_or(0);
    let were = noted.max(highest);
    Ok(if were > last {
        Some(AuditFault::CutOff { last, were })
    } else if noted != last || hash != *chain.hash() || highest != last {
        Some(AuditFault::HeadEdited { last })
    } else {
        None
    })
}

/// Whether the triggers are there, as the schema has them.
fn is_guarded(db: &Connection) -> Result<bool, Failure> {
    let mut statement = db.prepare_cached(
        "-- audit.triggers
        SELECT sql
        FROM sqlite_schema
        WHERE type = 'trigger'
            AND tbl_name IN ('audit', 'audit_head')",
    )?;
    let mut rows = statement.query([])?;
    let mut found = 0;
    while let Some(row) = rows.next()? {
        let sql = row.get_ref(0)?.as_str().unwrap_or_default();
        if sql.is_empty() || !SCHEMA.contains(sql) {
            return Ok(false);
        }
        found += 1;
    }
    Ok(found == TRIGGERS)
}

const SCHEMA: &str = include_str!("../migrations/0009_audit.sql");
