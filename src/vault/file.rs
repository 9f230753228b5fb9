//! Reading and replacing small files so that whoever reads has the old one or the new one, whole.
//!
//! A file is written beside the one that it is to replace, under a name that tells whose place it was to
//! take: what a killed process has left there may hold keys, and goes before the next is written.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use crate::vault::VaultError;

/// Largest vault, in bytes: a hundred of the longest values.
pub(super) const MAX_FILE_BYTES: u64 = 8 * 1024 * 1024;
/// Letters and digits at the end of the name of a file that is not yet in its place.
const RANDOM_CHARS: usize = 6;

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
/// Owner and rights stay what they were; a new file is its owner's alone. For whoever holds its lock.
pub(super) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let mut prefix = OsString::from(".");
    prefix.push(path.file_name().unwrap_or_default());
    prefix.push(".new-");
    sweep(folder, &prefix);
    let mut builder = tempfile::Builder::new();
    let mut new = builder.prefix(&prefix).rand_bytes(RANDOM_CHARS).tempfile_in(folder)?;
    new.write_all(bytes)?;
    if let Ok(old) = std::fs::metadata(path) {
        keep_rights(new.as_file(), &old)?;
    }
    new.as_file().sync_all()?;
    new.persist(path).map_err(|error| error.error)?;
    sync_folder(folder)
}

/// Removes what was never put in its place, because the process was killed before.
fn sweep(folder: &Path, prefix: &OsStr) {
    // where the folder cannot be listed, nothing can be found either
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let end = name.as_encoded_bytes().strip_prefix(prefix.as_encoded_bytes());
        let is_ours = end.is_some_and(|end| {
            end.len() == RANDOM_CHARS && end.iter().all(u8::is_ascii_alphanumeric)
        });
        if !is_ours || !entry.file_type().is_ok_and(|kind| kind.is_file()) {
            continue;
        }
        if let Err(error) = std::fs::remove_file(entry.path()) {
            tracing::warn!(
                file = %entry.path().display(),
                %error,
                "what a killed command has left of a key or a vault cannot be removed; remove it"
            );
        }
    }
}

/// Where a link leads to: it is that file which is replaced, not the link.
pub(super) fn real(path: &Path) -> Result<PathBuf, VaultError> {
    match std::fs::canonicalize(path) {
        Ok(real) => Ok(real),
        // nobody has said that a file is to be made where a link happens to lead
        Err(_) if path.is_symlink() => Err(VaultError::LinkToNowhere(path.to_owned())),
        Err(_) => Ok(path.to_owned()),
    }
}

/// Whether other users of this machine may put something else into a file.
#[cfg(unix)]
pub(super) fn may_others_write(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    const GROUP_OR_WORLD_WRITE: u32 = 0o022;
    std::fs::metadata(path).is_ok_and(|data| data.permissions().mode() & GROUP_OR_WORLD_WRITE != 0)
}

/// Windows keeps access in lists that say nothing in a few bits; there the folder decides.
#[cfg(not(unix))]
pub(super) fn may_others_write(_path: &Path) -> bool {
    false
}

/// The daemon may be another user than the one who types the command.
#[cfg(unix)]
pub(super) fn keep_rights(new: &File, old: &std::fs::Metadata) -> io::Result<()> {
    use std::os::unix::fs::{MetadataExt as _, fchown};
    let ours = new.metadata()?;
    if (ours.uid(), ours.gid()) != (old.uid(), old.gid()) {
        fchown(new, Some(old.uid()), Some(old.gid()))?;
    }
    new.set_permissions(old.permissions())
}

/// Windows gives a new file the rights of its folder.
#[cfg(not(unix))]
pub(super) fn keep_rights(_new: &File, _old: &std::fs::Metadata) -> io::Result<()> {
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
            replace(&path, bytes).unwrap();
            assert_eq!(read(&path).unwrap(), bytes);
        }
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
        assert!(replace(&folder.path().join("none").join("v"), b"x").is_err());
    }

    #[test]
    fn what_a_killed_command_has_left_is_removed_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let put =
            |name: &str| std::fs::write(folder.path().join(name), "AGE-SECRET-KEY-1").unwrap();
        let others = [
            ".vault.key.new-short",
            ".vault.key.new-toolong",
            ".vault.key.new-ab.def",
            ".vault.key.new",
            ".other.key.new-abcdef",
            "vault.key.new-abcdef",
        ];
        for name in [".vault.key.new-aB3dEf", ".vault.key.new-000000"].iter().chain(&others) {
            put(name);
        }
        std::fs::create_dir(folder.path().join(".vault.key.new-folder")).unwrap();
        replace(&folder.path().join("vault.key"), b"new").unwrap();
        let mut left: Vec<_> = std::fs::read_dir(folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        let mut expected = [&others[..], &[".vault.key.new-folder", "vault.key"]].concat();
        left.sort();
        expected.sort_unstable();
        assert_eq!(left, expected);
    }

    #[cfg(unix)]
    #[test]
    fn a_new_file_is_its_owners_alone_and_an_old_one_keeps_its_rights() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("v");
        let mode = || std::fs::metadata(&path).unwrap().permissions().mode() & 0o777;
        replace(&path, b"x").unwrap();
        assert_eq!(mode(), 0o600);
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        replace(&path, b"y").unwrap();
        assert_eq!(mode(), 0o640);
        for (mode, may) in [(0o600, false), (0o644, false), (0o620, true), (0o602, true)] {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(may_others_write(&path), may, "{mode:o}");
        }
    }

    #[test]
    fn a_file_that_is_too_large_is_not_read_to_its_end() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("v");
        File::create(&path).unwrap().set_len(MAX_FILE_BYTES + 1).unwrap();
        assert!(matches!(read(&path), Err(VaultError::TooLarge(_))));
    }
}
