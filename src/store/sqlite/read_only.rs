//! Reading a store without leaving a trace.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// A file that was changed less than this ago may change again within the same tick of its clock
/// (two seconds on FAT).
const TICK: Duration = Duration::from_secs(2);

/// How to open a file so that reading it leaves no trace.
///
/// An ordinary reader of a write-ahead database makes the log and its index where they are missing
/// and cannot remove them again. Where there is no log nobody has the database open (the last to
/// close it removes the log), so it can be read as an unchanging file. Where there is one, an
/// ordinary reader adds nothing and takes part in the locking.
pub(super) fn address(path: &Path) -> PathBuf {
    if has_log(path) {
        return path.to_owned();
    }
    match url::Url::from_file_path(path) {
        Ok(mut address) => {
            address.set_query(Some("immutable=1"));
            PathBuf::from(String::from(address))
        }
        Err(()) => path.to_owned(),
    }
}

fn has_log(path: &Path) -> bool {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    Path::new(&log).exists()
}

/// The state of a file that nobody has open: as long as it is the same, a reader that took the file
/// for unchanging was right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stamp {
    bytes: u64,
    changed: SystemTime,
}

impl Stamp {
    /// `None` where somebody may be writing, or was just now.
    pub(super) fn of(path: &Path) -> Option<Self> {
        let metadata = std::fs::metadata(path).ok()?;
        let changed = metadata.modified().ok()?;
        // the file system's clock, which is this machine's
        let is_old = changed.elapsed().is_ok_and(|age| age > TICK);
        (is_old && !has_log(path)).then_some(Self { bytes: metadata.len(), changed })
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::io::Write;

    use super::*;

    #[test]
    fn a_file_is_the_same_until_it_is_changed_or_open() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store.db");
        assert_eq!(Stamp::of(&path), None);
        let mut file = File::create(&path).unwrap();
        file.write_all(b"one").unwrap();
        assert_eq!(Stamp::of(&path), None, "it may change again unseen");
        let date = |seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        file.set_modified(date(1_000_000)).unwrap();
        let stamp = Stamp::of(&path);
        assert!(stamp.is_some());
        assert_eq!(Stamp::of(&path), stamp);
        file.write_all(b"two").unwrap();
        file.set_modified(date(1_000_001)).unwrap();
        assert_ne!(Stamp::of(&path), stamp);
        File::create(folder.path().join("store.db-wal")).unwrap();
        assert_eq!(Stamp::of(&path), None);
        assert_eq!(address(&path), path);
    }
}
