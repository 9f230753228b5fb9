//! Leaving nothing behind of what was removed.
//!
//! What has to be wiped is noted in the transaction that removes it, so that whoever was stopped in
//! between, by a full disk or by a crash, finds it again.

use std::time::Duration;

use jiff::Timestamp;
use rusqlite::{Connection, params};
use sha2::{Digest as _, Sha256};

use crate::domain::{ExternalId, TargetName};
use crate::store::Wiped;
use crate::store::sqlite::connection::{BUSY_TIMEOUT, Failure};
use crate::store::sqlite::convert::Cell;

/// How long others who read and write are waited for before the log is emptied.
const WAIT: Duration = Duration::from_millis(100);

/// Notes, in the transaction it is in, that something was removed: of a person, or the values from before
/// a rekeying.
pub(super) fn note(
    db: &Connection,
    person: Option<(&TargetName, &ExternalId)>,
    now_us: i64,
) -> Result<(), Failure> {
    let salt: Option<[u8; 16]> = match person {
        None => None,
        Some(_) => db
            .prepare_cached(
                "-- wipe.salt
                SELECT randomblob(16)",
            )?
            .query_row([], |row| row.get(0))?,
    };
    let person = person.zip(salt.as_ref()).map(|((target, id), salt)| mark(salt, target, id));
    db.prepare_cached(
        "-- wipe.note
        INSERT INTO wipes_due (noted_at_us, salt, person)
        VALUES (?1, ?2, ?3)",
    )?
    .execute(params![now_us, salt, person])?;
    Ok(())
}

/// When a person was forgotten of whom something may still be there; the last time.
pub(super) fn forgotten_at(
    db: &Connection,
    target: &TargetName,
    id: &ExternalId,
) -> Result<Option<Timestamp>, Failure> {
    let mut statement = db.prepare_cached(
        "-- wipe.persons
        SELECT seq, noted_at_us, salt, person
        FROM wipes_due
        WHERE person IS NOT NULL
        ORDER BY seq DESC",
    )?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (seq, at_us): (i64, i64) = (row.get(0)?, row.get(1)?);
        let (salt, person): (Option<Vec<u8>>, [u8; 32]) = (row.get(2)?, row.get(3)?);
        if mark(salt.as_deref().unwrap_or_default(), target, id) == person {
            let cell = Cell { table: "wipes_due", column: "noted_at_us", id: &seq };
            return Ok(Some(cell.instant(at_us)?));
        }
    }
    Ok(None)
}

/// Tells a person from others without saying who it is.
fn mark(salt: &[u8], target: &TargetName, id: &ExternalId) -> [u8; 32] {
    let hash = Sha256::new().chain_update(salt).chain_update(target.as_str());
    hash.chain_update([0]).chain_update(id.as_str()).finalize().into()
}

/// Writes the database anew, page by page, from what is in it, so that whatever was removed is in none of
/// them; then moves the log into the file and empties it, unless others go on reading. All of it as far
/// as it is due.
pub(super) fn wipe(writer: &Connection, is_file: bool) -> Result<Wiped, Failure> {
    let Some(due) = due(writer)? else { return Ok(Wiped::NothingDue) };
    if is_file {
        if due.is_to_rewrite {
            writer.execute_batch("VACUUM")?;
            writer
                .prepare_cached(
                    "-- wipe.rewritten
                    UPDATE wipes_due
                    SET is_rewritten = 1
                    WHERE seq <= ?1",
                )?
                .execute([due.last])?;
        }
        if !is_log_emptied(writer)? {
            return Ok(Wiped::InUse);
        }
    }
    writer
        .prepare_cached(
            "-- wipe.done
            DELETE FROM wipes_due
            WHERE seq <= ?1",
        )?
        .execute([due.last])?;
    if is_file {
        // the note itself need not stay there either, but nothing more depends on that
        drop(is_log_emptied(writer));
    }
    Ok(Wiped::Clean)
}

/// What is due.
struct Due {
    /// The last of the notes.
    last: i64,
    is_to_rewrite: bool,
}

fn due(db: &Connection) -> Result<Option<Due>, Failure> {
    let (last, is_to_rewrite): (Option<i64>, Option<bool>) = db
        .prepare_cached(
            "-- wipe.due
            SELECT max(seq), min(is_rewritten) = 0
            FROM wipes_due",
        )?
        .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(last.map(|last| Due { last, is_to_rewrite: is_to_rewrite.unwrap_or(true) }))
}

/// Whether nothing is in the log any more: whoever reads and whoever writes is waited for as long as
/// [`WAIT`].
fn is_log_emptied(writer: &Connection) -> Result<bool, Failure> {
    writer.busy_timeout(WAIT)?;
    let is_busy: rusqlite::Result<i64> =
        writer.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0));
    writer.busy_timeout(BUSY_TIMEOUT)?;
    Ok(is_busy? == 0)
}
