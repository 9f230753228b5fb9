//! What is in a folder right now.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{ErrorKind, Read, Seek, SeekFrom};
use std::path::Path;
use std::time::SystemTime;

/// Ends of the names of files that are still being written, as browsers, SFTP clients and copy tools
/// use them.
const UNFINISHED: [&str; 6] = [".part", ".filepart", ".partial", ".tmp", ".temp", ".crdownload"];
/// The end of the name of a companion: the file before it is whole.
pub(super) const DONE: &str = ".done";
/// How much of the end of a file is compared.
const TAIL_BYTES: u64 = 4096;

/// A file as a look finds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// Its name.
    pub name: OsString,
    /// Its size in bytes.
    pub size: u64,
    /// When it was last written, where the file system says so.
    pub modified: Option<SystemTime>,
    /// A sum of its last bytes; `None` while somebody keeps it to himself.
    pub tail: Option<u32>,
}

/// A folder as a look finds it.
#[derive(Debug, Clone, Default)]
pub struct Listing {
    /// Files that may be taken.
    pub files: Vec<Seen>,
    /// Files whose companion is there, and when that was written.
    pub announced: BTreeMap<OsString, Option<SystemTime>>,
    /// What the files that are still being written look like.
    pub unfinished: BTreeSet<Shape>,
}

/// By what a file is known again under another name: size, time and end.
pub type Shape = (u64, Option<SystemTime>, Option<u32>);

impl Seen {
    /// By what it is known again under another name.
    #[must_use]
    pub const fn shape(&self) -> Shape {
        (self.size, self.modified, self.tail)
    }
}

/// Lists a folder's own files; `takes` says which names are meant. Links and folders are left alone.
///
/// # Errors
///
/// When the folder cannot be read.
pub fn list(folder: &Path, takes: &dyn Fn(&str) -> bool) -> std::io::Result<Listing> {
    let mut listing = Listing::default();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let text = name.to_string_lossy();
        // one that went meanwhile is none
        let Ok(metadata) = entry.metadata() else { continue };
        if !metadata.is_file() {
            continue;
        }
        let modified = metadata.modified().ok();
        if let Some(whole) = text.strip_suffix(DONE) {
            listing.announced.insert(OsString::from(whole), modified);
            continue;
        }
        let is_unfinished = is_unfinished(&text);
        if is_unfinished || takes(&text) {
            let tail = tail(&folder.join(&name), metadata.len());
            let seen = Seen { size: metadata.len(), modified, tail, name };
            if is_unfinished {
                listing.unfinished.insert(seen.shape());
            } else {
                listing.files.push(seen);
            }
        }
    }
    Ok(listing)
}

/// Whether a name says that the file is not to be taken: dot-files, lock files of office programs,
/// and what is still being written.
fn is_unfinished(name: &str) -> bool {
    let lower = name.to_lowercase();
    name.starts_with('.')
        || name.starts_with("~$")
        || UNFINISHED.iter().any(|end| lower.ends_with(end))
}

/// The companion of a file.
pub(super) fn companion(name: &OsStr) -> OsString {
    let mut companion = name.to_owned();
    companion.push(DONE);
    companion
}

fn tail(path: &Path, size: u64) -> Option<u32> {
    let read = || -> std::io::Result<u32> {
        let mut file = File::open(path)?;
        file.seek(SeekFrom::Start(size.saturating_sub(TAIL_BYTES)))?;
        let mut bytes = Vec::new();
        file.take(TAIL_BYTES).read_to_end(&mut bytes)?;
        Ok(crc32fast::hash(&bytes))
    };
    match read() {
        Ok(sum) => Some(sum),
        // it stays like that, and its reader will say so; anything else passes
        Err(error) if error.kind() == ErrorKind::PermissionDenied => Some(0),
        Err(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_being_written_and_what_announces_others_is_not_taken() {
        let folder = tempfile::tempdir().unwrap();
        for name in [
            "a.csv",
            "b.csv",
            "b.csv.done",
            ".hidden.csv",
            "~$book.xlsx",
            "c.csv.part",
            "D.CSV.TMP",
            "e.csv.filepart",
            "notes.md",
        ] {
            std::fs::write(folder.path().join(name), name).unwrap();
        }
        std::fs::create_dir(folder.path().join("sub.csv")).unwrap();
        let listing = list(folder.path(), &|name| name != "notes.md").unwrap();
        let mut names: Vec<_> = listing.files.iter().map(|seen| seen.name.clone()).collect();
        names.sort();
        assert_eq!(names, ["a.csv", "b.csv"]);
        assert_eq!(listing.announced.keys().collect::<Vec<_>>(), ["b.csv"]);
        assert_eq!(listing.unfinished.len(), 5);
    }

    #[cfg(unix)]
    #[test]
    fn a_link_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let elsewhere = tempfile::NamedTempFile::new().unwrap();
        std::os::unix::fs::symlink(elsewhere.path(), folder.path().join("link.csv")).unwrap();
        assert!(list(folder.path(), &|_| true).unwrap().files.is_empty());
    }

    #[test]
    fn a_folder_that_is_not_there_is_an_error() {
        assert!(list(Path::new("no/such/folder"), &|_| true).is_err());
    }
}
