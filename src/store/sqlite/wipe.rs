//! Leaving nothing behind of what was removed.

use std::time::Duration;

use rusqlite::Connection;

use crate::store::Wiped;
use crate::store::sqlite::connection::Failure;

/// How often, and how far apart, the log is tried to be emptied while others read: ten seconds.
const TRIES: u32 = 100;
const PAUSE: Duration = Duration::from_millis(100);

/// Writes the database anew, page by page, from what is in it; whatever was removed is in none of
/// them. Then moves the log into the file and empties it.
pub(super) fn wipe(writer: &Connection) -> Result<Wiped, Failure> {
    writer.execute_batch("VACUUM")?;
    for _ in 0..TRIES {
        if is_log_emptied(writer)? {
            return Ok(Wiped::Clean);
        }
        std::thread::sleep(PAUSE);
    }
    Ok(Wiped::LogInUse)
}

fn is_log_emptied(writer: &Connection) -> Result<bool, Failure> {
    let is_busy: i64 = writer.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
    Ok(is_busy == 0)
}
