//! Looking for an id in files: where a person is still named.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use memchr::memmem;

use crate::domain::ExternalId;

/// How deep folders are looked into: `work/`, `done/` and what lies in them.
const DEPTH: usize = 4;
/// Most files that are looked at.
const FILES: usize = 100_000;
/// Bytes read at a time.
const CHUNK: usize = 1 << 20;
/// What workbooks begin with: they are packed, or compound files of older Office versions.
const PACKED: [&[u8]; 2] = [b"PK\x03\x04", &[0xd0, 0xcf, 0x11, 0xe0]];

/// What a search brought.
#[derive(Debug, Default)]
pub(super) struct Search {
    /// Files that name the person.
    pub(super) found: Vec<PathBuf>,
    /// Files that cannot be searched.
    pub(super) not_searched: Vec<PathBuf>,
}

/// Looks into files and all below folders. Links are not followed.
pub(super) fn search(places: Vec<PathBuf>, id: &ExternalId) -> Search {
    let mut search = Search::default();
    let mut files = Vec::new();
    for place in places {
        collect(&place, DEPTH, &mut files);
    }
    files.sort();
    files.dedup();
    for file in files {
        match is_named_in(&file, id) {
            Some(true) => search.found.push(file),
            Some(false) => {}
            None => search.not_searched.push(file),
        }
    }
    search
}

fn collect(place: &Path, depth: usize, files: &mut Vec<PathBuf>) {
    let Ok(kind) = place.symlink_metadata().map(|data| data.file_type()) else { return };
    if files.len() >= FILES {
        return;
    }
    if kind.is_file() {
        files.push(place.to_owned());
    } else if kind.is_dir() && depth > 0 {
        let Ok(entries) = std::fs::read_dir(place) else { return };
        for entry in entries.flatten() {
            collect(&entry.path(), depth - 1, files);
        }
    }
}

/// `None` where that cannot be told.
fn is_named_in(path: &Path, id: &ExternalId) -> Option<bool> {
    let mut file = File::open(path).ok()?;
    // an id that lies across two pieces is found in the second, with the letters around it
    let overlap = id.as_str().len() * 2 + 4;
    let mut piece: Vec<u8> = Vec::with_capacity(CHUNK + overlap);
    let mut is_first = true;
    loop {
        let kept = piece.len().saturating_sub(overlap);
        piece.drain(..kept);
        let read = file.by_ref().take(CHUNK as u64).read_to_end(&mut piece).ok()?;
        if is_first && PACKED.iter().any(|magic| piece.starts_with(magic)) {
            return None;
        }
        if names(&piece, id) {
            return Some(true);
        }
        if read == 0 {
            return Some(false);
        }
        is_first = false;
    }
}

/// Whether a text has the id in it, and not as part of another one. Files in UTF-16 too.
pub(super) fn names(text: &[u8], id: &ExternalId) -> bool {
    let narrow = id.as_str().as_bytes();
    let is_letter = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    let stands_alone = |at: usize| {
        let before = at.checked_sub(1).and_then(|at| text.get(at));
        !is_letter(before) && !is_letter(text.get(at + narrow.len()))
    };
    let wide: Vec<u8> = id.as_str().encode_utf16().flat_map(u16::to_le_bytes).collect();
    !narrow.is_empty()
        && (memmem::find_iter(text, narrow).any(stands_alone)
            || memmem::find(text, &wide).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id() -> ExternalId {
        ExternalId::from("E1001")
    }

    #[test]
    fn an_id_is_found_where_it_stands_alone() {
        for text in ["E1001", "a;E1001;b", "{\"id\":\"E1001\"}", "E10012 E1001\n"] {
            assert!(names(text.as_bytes(), &id()), "{text}");
        }
        for text in ["", "E10012", "XE1001", "E100"] {
            assert!(!names(text.as_bytes(), &id()), "{text}");
        }
        let wide: Vec<u8> = "a;E1001".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert!(names(&wide, &id()));
    }

    #[test]
    fn folders_are_searched_and_workbooks_are_named_apart() {
        let folder = tempfile::tempdir().unwrap();
        let done = folder.path().join("done");
        std::fs::create_dir(&done).unwrap();
        let mut long = vec![b'x'; CHUNK - 3];
        long.extend_from_slice(b";E1001;");
        std::fs::write(done.join("a.csv"), &long).unwrap();
        std::fs::write(done.join("b.csv"), "E1002\n").unwrap();
        std::fs::write(done.join("c.xlsx"), b"PK\x03\x04E1001").unwrap();
        let search = search(vec![folder.path().to_owned(), done.join("a.csv")], &id());
        assert_eq!(search.found, [done.join("a.csv")]);
        assert_eq!(search.not_searched, [done.join("c.xlsx")]);
    }
}
