//! Leases: see [`Leases`] for the promises.
//!
//! `SQLite` is one machine, so a lease is a lock of the operating system on a file beside the
//! database: it ends with the process, however that ends, and needs no clock. The file stays; to
//! remove it would let two processes hold locks on two files of one name.

use std::collections::BTreeSet;
use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;

use crate::domain::TargetName;
use crate::store::sqlite::connection::{
    Failure, Inner, Location, SqliteStore, blocking, held, private,
};
use crate::store::{Lease, Leases, StoreError};

/// A lease held. Dropped field by field: first the file's lock, then the place in the list.
#[derive(Debug)]
struct Held {
    _file: Option<File>,
    _place: ListedPlace,
}

/// A target's place in the list of leases held through one store.
#[derive(Debug)]
struct ListedPlace {
    leased: Arc<Mutex<BTreeSet<TargetName>>>,
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
    async fn lease(&self, target: &TargetName) -> Result<Option<Box<dyn Lease>>, StoreError> {
        let (inner, target) = (Arc::clone(&self.inner), target.clone());
        blocking("take the target's lease", move || {
            let taken = take(&inner, target)?;
            Ok(taken.map(|lease| Box::new(lease) as Box<dyn Lease>))
        })
        .await
    }
}

fn take(inner: &Inner, target: TargetName) -> Result<Option<Held>, Failure> {
    let path = match &inner.location {
        Location::File(database) => Some(lock_path(database, &target)),
        Location::Memory(_) => None,
        Location::ReadOnly(_) => return Err(Failure::other("it was opened for reading only")),
    };
    if !held(&inner.leased).insert(target.clone()) {
        return Ok(None);
    }
    let place = ListedPlace { leased: Arc::clone(&inner.leased), target };
    let file = match path {
        None => None,
        Some(path) => match lock(&path).map_err(Failure::other)? {
            Some(file) => Some(file),
            None => return Ok(None),
        },
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
}
