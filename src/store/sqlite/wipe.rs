//! Leaving nothing behind of what was removed.

use std::time::Duration;

use rusqlite::Connection;

use crate::store::Wiped;
use crate::store::sqlite::connection::{BUSY_TIMEOUT, Failure};

/// How often the log is tried to be emptied while others read, and how long each time: ten seconds.
const TRIES: u32 = 100;
const WAIT: Duration = Duration::from_millis(100);

/// Writes the database anew, page by page, from what is in it; whatever was removed is in none of
/// them. Then moves the log into the file and empties it.
pub(super) fn wipe(writer: &Connection) -> Result<Wiped, Failure> {
    writer.execute_batch("VACUUM")?;
    // whoever reads and whoever writes is waited for, each time as long as that
    writer.busy_timeout(WAIT)?;
    let emptied = empty_log(writer);
    writer.busy_timeout(BUSY_TIMEOUT)?;
    emptied
}

fn empty_log(writer: &Connection) -> Result<Wiped, Failure> {
    for _ in 0..TRIES {
        if is_log_emptied(writer)? {
            return Ok(Wiped::Clean);
        }
        std::thread::sleep(WAIT);
    }
    Ok(Wiped::LogInUse)
}

fn is_log_emptied(writer: &Connection) -> Result<bool, Failure> {
    let is_busy: i64 = writer.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
    Ok(is_busy == 0)
}
