//! Reading and writing small files so that whoever reads has the old one or the new one, whole.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

use tempfile::NamedTempFile;

use crate::vault::VaultError;

/// Largest vault, in bytes: a hundred of the longest values.
pub(super) const MAX_FILE_BYTES: u64 = 8 * 1024 * 1024;
/// How long somebody else may write.
const PATIENCE: Duration = Duration::from_secs(30);
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// Keeps others from writing while it lives.
pub(super) struct Lock(#[expect(dead_code, reason = "held for what its end does")] File);

/// Waits until nobody else writes the vault, and keeps others from it. The file beside it stays: to
/// remove it would let two in.
pub(super) fn lock(vault: &Path) -> Result<Lock, VaultError> {
    let mut name = real(vault).into_os_string();
    name.push(".lock");
    let path = PathBuf::from(name);
    let failed = |source| VaultError::Write { path: path.clone(), source };
    // one that somebody else made may be readable only
    let file = File::open(&path)
        .or_else(|_| OpenOptions::new().write(true).create(true).truncate(false).open(&path))
        .map_err(failed)?;
    let began = Instant::now();
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(Lock(file)),
            Err(TryLockError::WouldBlock) if began.elapsed() < PATIENCE => sleep(LOOK_AGAIN),
            Err(TryLockError::WouldBlock) => return Err(VaultError::Locked(vault.to_owned())),
            Err(TryLockError::Error(source)) => return Err(failed(source)),
        }
    }
}

/// The bytes of a vault.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, VaultError> {
    let failed = |source: io::Error| match source.kind() {
        io::ErrorKind::NotFound => VaultError::Missing(path.to_owned()),
        _ => VaultError::Read { path: path.to_owned(), source },
    };
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes))
        .map_err(failed)?;
    if bytes.len() as u64 > MAX_FILE_BYTES {
        return Err(VaultError::TooLarge(path.to_owned()));
    }
    Ok(bytes)
}

/// Puts bytes in the place of a file, or makes it, in one step: they are on the disk when this returns.
/// Owner and rights stay what they were; a new file is its owner's alone.
pub(super) fn write(path: &Path, bytes: &[u8]) -> Result<(), VaultError> {
    replace(&real(path), bytes)
        .map_err(|source| VaultError::Write { path: path.to_owned(), source })
}

fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let mut new = NamedTempFile::new_in(folder)?;
    new.write_all(bytes)?;
    if let Ok(old) = std::fs::metadata(path) {
        keep_rights(new.as_file(), &old)?;
    }
    new.as_file().sync_all()?;
    new.persist(path).map_err(|error| error.error)?;
    sync_folder(folder)
}

/// Where a link leads to: it is that file which is replaced, not the link.
fn real(path: &Path) -> PathBuf {
    std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned())
}

/// The daemon may be another user than the one who types the command.
#[cfg(unix)]
fn keep_rights(new: &File, old: &std::fs::Metadata) -> io::Result<()> {
    use std::os::unix::fs::{MetadataExt as _, fchown};
    let ours = new.metadata()?;
    if (ours.uid(), ours.gid()) != (old.uid(), old.gid()) {
        fchown(new, Some(old.uid()), Some(old.gid()))?;
    }
    new.set_permissions(old.permissions())
}

/// Windows gives a new file the rights of its folder.
#[cfg(not(unix))]
fn keep_rights(_new: &File, _old: &std::fs::Metadata) -> io::Result<()> {
    Ok(())
}

/// The new name is on the disk once the folder is.
#[cfg(unix)]
fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Windows syncs no folders; the file itself was synced.
#[cfg(not(unix))]
fn sync_folder(_folder: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_whole_and_nothing_is_left_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("v");
        assert!(matches!(read(&path), Err(VaultError::Missing(_))));
        for bytes in [&b"one"[..], b"another", b""] {
            write(&path, bytes).unwrap();
            assert_eq!(read(&path).unwrap(), bytes);
        }
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
        let nowhere = folder.path().join("none").join("v");
        assert!(matches!(write(&nowhere, b"x"), Err(VaultError::Write { .. })));
    }

    #[cfg(unix)]
    #[test]
    fn a_new_file_is_its_owners_alone_and_an_old_one_keeps_its_rights() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let (path, link) = (folder.path().join("v"), folder.path().join("l"));
        let mode = || std::fs::metadata(&path).unwrap().permissions().mode() & 0o777;
        write(&path, b"x").unwrap();
        assert_eq!(mode(), 0o600);
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        std::os::unix::fs::symlink(&path, &link).unwrap();
        write(&link, b"y").unwrap();
        assert_eq!(mode(), 0o640);
        assert!(std::fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(read(&path).unwrap(), b"y");
    }

    #[test]
    fn two_do_not_write_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("v");
        let held = lock(&path).unwrap();
        let other = File::open(folder.path().join("v.lock")).unwrap();
        assert!(matches!(other.try_lock(), Err(TryLockError::WouldBlock)));
        drop(held);
        assert!(other.try_lock().is_ok());
    }

    #[test]
    fn a_file_that_is_too_large_is_not_read_to_its_end() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("v");
        File::create(&path).unwrap().set_len(MAX_FILE_BYTES + 1).unwrap();
        assert!(matches!(read(&path), Err(VaultError::TooLarge(_))));
    }
}
