//! One writer at a time, for the vault and for the file of its key.
//!
//! The lock of a file is a file beside it: the file itself is replaced, and a lock would go with it. It
//! is its owner's alone, as whoever can open it can keep everybody else waiting.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::vault::{VaultError, file};

/// How long somebody else may write.
const PATIENCE: Duration = Duration::from_secs(30);
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// Keeps others from writing a file while it lives, and writes it.
pub(super) struct Lock {
    /// The file as it is called.
    called: PathBuf,
    /// Where links lead.
    path: PathBuf,
    #[expect(dead_code, reason = "held for what its end does")]
    held: File,
}

impl Lock {
    /// Waits until nobody else writes a file, and keeps others from it. The file beside it stays: to
    /// remove it would let two in.
    pub(super) fn of(called: &Path) -> Result<Self, VaultError> {
        let path = file::real(called)?;
        let mut name = path.clone().into_os_string();
        name.push(".lock");
        let name = PathBuf::from(name);
        let held = open(&name, &path)?;
        let began = Instant::now();
        loop {
            match held.try_lock() {
                Ok(()) => return Ok(Self { called: called.to_owned(), path, held }),
                Err(TryLockError::WouldBlock) if began.elapsed() < PATIENCE => sleep(LOOK_AGAIN),
                Err(TryLockError::WouldBlock) => return Err(VaultError::Locked(called.to_owned())),
                Err(TryLockError::Error(source)) => {
                    return Err(VaultError::Lock { path: name, source });
                }
            }
        }
    }

    /// Puts bytes in the place of the file, or makes it, in one step.
    pub(super) fn write(&self, bytes: &[u8]) -> Result<(), VaultError> {
        file::replace(&self.path, bytes)
            .map_err(|source| VaultError::Write { path: self.called.clone(), source })
    }
}

/// Opens the lock of a file. A new one belongs to whom the file belongs to, so that it is in nobody's
/// way where root was the first to write.
fn open(name: &Path, of: &Path) -> Result<File, VaultError> {
    let not_made = |source| VaultError::Write { path: name.to_owned(), source };
    let mut options = OpenOptions::new();
    options.read(true).write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(name) {
        Ok(new) => {
            if let Ok(file) = std::fs::metadata(of) {
                give_to_owner(&new, &file).map_err(not_made)?;
            }
            Ok(new)
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            let old = File::open(name)
                .map_err(|source| VaultError::Lock { path: name.to_owned(), source })?;
            tighten(&old, name);
            Ok(old)
        }
        Err(error) => Err(not_made(error)),
    }
}

#[cfg(unix)]
fn give_to_owner(lock: &File, file: &std::fs::Metadata) -> io::Result<()> {
    use std::os::unix::fs::{MetadataExt as _, fchown};
    if lock.metadata()?.uid() == file.uid() {
        return Ok(());
    }
    fchown(lock, Some(file.uid()), None)
}

/// Windows gives a new file the rights of its folder.
#[cfg(not(unix))]
fn give_to_owner(_lock: &File, _file: &std::fs::Metadata) -> io::Result<()> {
    Ok(())
}

/// Takes from others what an earlier version gave them. Only of a lock that is what it seems: by a link
/// somebody could have root change the rights of another file.
#[cfg(unix)]
fn tighten(lock: &File, name: &Path) {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
    let (Ok(opened), Ok(named)) = (lock.metadata(), std::fs::symlink_metadata(name)) else {
        return;
    };
    let is_itself = (opened.dev(), opened.ino(), opened.nlink()) == (named.dev(), named.ino(), 1);
    if is_itself && opened.is_file() && opened.mode() & 0o077 != 0 {
        // of one that belongs to somebody else the rights cannot be changed; it locks all the same
        let _ = lock.set_permissions(std::fs::Permissions::from_mode(0o600));
    }
}

#[cfg(not(unix))]
fn tighten(_lock: &File, _name: &Path) {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_do_not_write_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("v");
        let held = Lock::of(&path).unwrap();
        let other = File::open(folder.path().join("v.lock")).unwrap();
        assert!(matches!(other.try_lock(), Err(TryLockError::WouldBlock)));
        drop(held);
        assert!(other.try_lock().is_ok());
    }

    #[test]
    fn where_nothing_can_be_made_it_is_said_of_which_file() {
        let folder = tempfile::tempdir().unwrap();
        let error = Lock::of(&folder.path().join("none").join("v")).err().unwrap();
        assert!(matches!(error, VaultError::Write { .. }), "{error:?}");
        assert!(error.to_string().contains("v.lock"), "{error}");
    }

    #[cfg(unix)]
    mod unix {
        use std::os::unix::fs::{PermissionsExt as _, symlink};

        use super::*;

        fn mode(path: &Path) -> u32 {
            std::fs::metadata(path).unwrap().permissions().mode() & 0o777
        }

        fn loosen(path: &Path) {
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o644)).unwrap();
        }

        #[test]
        fn a_lock_is_its_owners_alone_and_an_older_one_becomes_so() {
            let folder = tempfile::tempdir().unwrap();
            let (path, lock) = (folder.path().join("v"), folder.path().join("v.lock"));
            drop(Lock::of(&path).unwrap());
            assert_eq!(mode(&lock), 0o600);
            loosen(&lock);
            drop(Lock::of(&path).unwrap());
            assert_eq!(mode(&lock), 0o600);
        }

        #[test]
        fn by_a_lock_that_is_a_link_no_other_file_changes_its_rights() {
            let folder = tempfile::tempdir().unwrap();
            let other = folder.path().join("other");
            std::fs::write(&other, "").unwrap();
            loosen(&other);
            symlink(&other, folder.path().join("v.lock")).unwrap();
            std::fs::hard_link(&other, folder.path().join("w.lock")).unwrap();
            for name in ["v", "w"] {
                drop(Lock::of(&folder.path().join(name)).unwrap());
                assert_eq!(mode(&other), 0o644, "{name}");
            }
        }

        #[test]
        fn a_link_is_followed_and_one_that_leads_nowhere_is_refused() {
            let folder = tempfile::tempdir().unwrap();
            let (path, link) = (folder.path().join("v"), folder.path().join("l"));
            symlink(&path, &link).unwrap();
            let error = Lock::of(&link).err().unwrap();
            assert!(matches!(error, VaultError::LinkToNowhere(_)), "{error:?}");
            assert!(link.is_symlink() && !path.exists());
            std::fs::write(&path, "old").unwrap();
            Lock::of(&link).unwrap().write(b"new").unwrap();
            assert!(link.is_symlink());
            assert_eq!(std::fs::read(&path).unwrap(), b"new");
        }
    }
}
