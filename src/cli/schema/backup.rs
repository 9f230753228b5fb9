//! Where the schema as it was goes, before anything is sent.

use std::io::{ErrorKind, Result, Write as _};
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use crate::cli::context::Failed;
use crate::cli::exit::Exit;
use crate::cli::files::create_new_private;
use crate::cli::terminal::tell;
use crate::domain::TargetName;

/// Backups of one target in one second.
const MOST_IN_A_SECOND: u32 = 100;

/// A file that is not there yet.
pub(super) struct Backup {
    path: PathBuf,
    /// Without its ending; absent where somebody named the file.
    stem: Option<String>,
}

impl Backup {
    /// The file that was named, or one that is called by target and time. Whoever is asked should not
    /// hear afterwards that it is taken.
    pub(super) fn new(
        named: Option<PathBuf>,
        target: &TargetName,
        now: Timestamp,
    ) -> std::result::Result<Self, Failed> {
        let Some(path) = named else {
            let stem = format!("schema-{target}-{}", now.strftime("%Y%m%dT%H%M%SZ"));
            return Ok(Self { path: PathBuf::from(format!("{stem}.json")), stem: Some(stem) });
        };
        if path.exists() {
            tell(format!(
                "error: `{}` is there already\nhint: name a new file with `--backup`",
                path.display()
            ));
            return Err(Failed(Exit::Usage));
        }
        Ok(Self { path, stem: None })
    }

    /// The file; after [`Backup::keep`] the one that was written.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Writes a schema to a new file, and sees to it that it is on the disk. No file is overwritten: a
    /// second one of the same second gets a number.
    pub(super) fn keep(&mut self, text: &str) -> Result<()> {
        let mut number = 1;
        let mut file = loop {
            match (create_new_private(&self.path), &self.stem) {
                (Err(error), Some(stem))
                    if error.kind() == ErrorKind::AlreadyExists && number < MOST_IN_A_SECOND =>
                {
                    number += 1;
                    self.path.set_file_name(format!("{stem}-{number}.json"));
                }
                (made, _) => break made?,
            }
        };
        file.write_all(text.as_bytes())?;
        file.sync_all()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_several_in_one_second_none_overwrites_another() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let keep = |text: &str| {
            let backup = Backup::new(None, &TargetName::new("entra"), Timestamp::UNIX_EPOCH);
            let mut backup = backup.ok().unwrap();
            backup.path = at(backup.path.to_str().unwrap());
            backup.keep(text).unwrap();
            backup.path
        };
        let paths: Vec<_> = ["a", "b", "c"].iter().map(|text| keep(text)).collect();
        let stem = "schema-entra-19700101T000000Z";
        let names = ["", "-2", "-3"].map(|number| at(&format!("{stem}{number}.json")));
        assert_eq!(paths, names);
        let kept = names.map(|path| std::fs::read_to_string(path).unwrap());
        assert_eq!(kept, ["a", "b", "c"]);
    }

    #[test]
    fn a_file_that_somebody_named_is_theirs_alone() {
        let folder = tempfile::tempdir().unwrap();
        let (path, target) = (folder.path().join("mine.json"), TargetName::new("entra"));
        let named = || Backup::new(Some(path.clone()), &target, Timestamp::UNIX_EPOCH);
        let (mut first, mut second) = (named().ok().unwrap(), named().ok().unwrap());
        first.keep("a").unwrap();
        assert_eq!(second.keep("b").unwrap_err().kind(), ErrorKind::AlreadyExists);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "a");
        assert!(named().is_err(), "that is told before anybody is asked");
    }
}
