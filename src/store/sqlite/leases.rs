//! Leases: see [`Leases`] for the promises.
//!
//! `SQLite` is one machine, so a lease is a lock of the operating system on a file beside the
//! database: it ends with the process, however that ends, and needs no clock. The file stays; to
//! remove it would let two processes hold locks on two files of one name.
//!
//! The holder writes its process id and the instant into that file, for whoever waits. Windows lets
//! nobody read a file that another process has locked; there they stand in a file beside it.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use jiff::Timestamp;

use crate::domain::TargetName;
use crate::store::sqlite::connection::{
    Failure, Inner, Location, SqliteStore, blocking, held, private,
};
use crate::store::sqlite::trouble;
use crate::store::{Lease, LeaseHolder, Leases, StoreError};

/// A holder's line has some 40 bytes.
const MAX_HOLDER_BYTES: u64 = 256;

/// A lease held. Dropped field by field: first the file's lock, then the place in the list.
#[derive(Debug)]
struct Held {
    _file: Option<File>,
    _place: ListedPlace,
}

/// A target's place in the list of leases held through one store.
#[derive(Debug)]
struct ListedPlace {
    leased: Arc<Mutex<BTreeMap<TargetName, LeaseHolder>>>,
    target: TargetName,
}

impl Drop for ListedPlace {
    fn drop(&mut self) {
        held(&self.leased).remove(&self.target);
    }
}

impl Lease for Held {}

#[async_trait]
impl Leases for SqliteStore {
    async fn lease(
        &self,
        target: &TargetName,
        now: Timestamp,
    ) -> Result<Option<Box<dyn Lease>>, StoreError> {
        let (inner, target) = (Arc::clone(&self.inner), target.clone());
        let holder = LeaseHolder { pid: std::process::id(), since: now };
        blocking("take the target's lease", move || {
            let taken = take(&inner, target, holder)?;
            Ok(taken.map(|lease| Box::new(lease) as Box<dyn Lease>))
        })
        .await
    }

    async fn lease_holder(&self, target: &TargetName) -> Result<Option<LeaseHolder>, StoreError> {
        let (inner, target) = (Arc::clone(&self.inner), target.clone());
        blocking("look up who holds the target's lease", move || {
            if let Some(holder) = held(&inner.leased).get(&target) {
                return Ok(Some(*holder));
            }
            Ok(match &inner.location {
                Location::File(database) | Location::ReadOnly(database) => {
                    read_holder(&holder_path(&lock_path(database, &target)))
                }
                Location::Memory(_) => None,
            })
        })
        .await
    }
}

fn take(inner: &Inner, target: TargetName, holder: LeaseHolder) -> Result<Option<Held>, Failure> {
    let path = match &inner.location {
        Location::File(database) => Some(lock_path(database, &target)),
        Location::Memory(_) => None,
        Location::ReadOnly(_) => return Err(Failure::other("it was opened for reading only")),
    };
    let place = {
        let mut leased = held(&inner.leased);
        if leased.contains_key(&target) {
            return Ok(None);
        }
        leased.insert(target.clone(), holder);
        ListedPlace { leased: Arc::clone(&inner.leased), target }
    };
    let file = match path {
        None => None,
        Some(path) => {
            match lock(&path).map_err(|error| Failure::other(trouble::explained_io(error)))? {
                Some(file) => {
                    // nothing but a word to whoever waits
                    if let Err(error) = write_holder(&path, &file, holder) {
                        tracing::debug!(%error, "the lock file does not say who holds it");
                    }
                    Some(file)
                }
                None => return Ok(None),
            }
        }
    };
    Ok(Some(Held { _file: file, _place: place }))
}

fn lock(path: &Path) -> std::io::Result<Option<File>> {
    let mut options = OpenOptions::new();
    let file = private(options.create(true).truncate(false).write(true)).open(path)?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// Where the holder of a lock is named.
fn holder_path(lock: &Path) -> PathBuf {
    if cfg!(windows) {
        let mut path = lock.as_os_str().to_owned();
        path.push(".holder");
        return PathBuf::from(path);
    }
    lock.to_owned()
}

fn write_holder(lock: &Path, locked: &File, holder: LeaseHolder) -> std::io::Result<()> {
    let line = format!("{} {}\n", holder.pid, holder.since);
    let path = holder_path(lock);
    if path == lock {
        locked.set_len(0)?;
        return (&*locked).write_all(line.as_bytes());
    }
    let mut options = OpenOptions::new();
    private(options.create(true).truncate(true).write(true)).open(path)?.write_all(line.as_bytes())
}

/// Reads who holds a lock; nothing where that is not written, or not yet.
fn read_holder(path: &Path) -> Option<LeaseHolder> {
    let mut line = String::new();
    File::open(path).ok()?.take(MAX_HOLDER_BYTES).read_to_string(&mut line).ok()?;
    let (pid, since) = line.strip_suffix('\n')?.split_once(' ')?;
    Some(LeaseHolder { pid: pid.parse().ok()?, since: since.parse().ok()? })
}

/// `<database>.<target>.lock`. Names from the config are plain; anything else is spelt out, so
/// that no name can point to another folder.
fn lock_path(database: &Path, target: &TargetName) -> PathBuf {
    let mut path = database.as_os_str().to_owned();
    path.push(".");
    for byte in target.as_str().bytes() {
        if byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_' {
            path.push(char::from(byte).encode_utf8(&mut [0; 1]));
        } else {
            path.push(format!("%{byte:02X}"));
        }
    }
    path.push(".lock");
    PathBuf::from(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_file_lies_beside_the_database_whatever_the_target_is_called() {
        let path = |target: &str| lock_path(Path::new("/data/s.db"), &TargetName::new(target));
        assert_eq!(path("entra-eu"), Path::new("/data/s.db.entra-eu.lock"));
        assert_eq!(path("../x"), Path::new("/data/s.db.%2E%2E%2Fx.lock"));
    }

    #[test]
    fn a_lock_file_that_says_nothing_names_nobody() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s.db.entra.lock");
        assert_eq!(read_holder(&path), None);
        for text in ["", "7", "7 ", "x 2026-09-01T10:00:00Z\n", "7 2026-09-01T10:00:00Z"] {
            std::fs::write(&path, text).unwrap();
            assert_eq!(read_holder(&path), None, "{text}");
        }
        std::fs::write(&path, "7 2026-09-01T10:00:00Z\n").unwrap();
        let since = "2026-09-01T10:00:00Z".parse().unwrap();
        assert_eq!(read_holder(&path), Some(LeaseHolder { pid: 7, since }));
    }
}
