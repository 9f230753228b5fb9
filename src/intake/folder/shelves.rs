//! Where the files of a watched folder go: `work/` while they are planned, then `done/`, `held/` or
//! `failed/`. Every move is a rename within the folder, so that a file is in one place or in the other.

use std::ffi::{OsStr, OsString};
use std::fs::{File, TryLockError};
use std::io::{ErrorKind, Result};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::domain::RunId;
use crate::intake::folder::list::{DONE, companion};
use crate::intake::folder::names::{ANSWER, CORRECT, ROWS, base_of, run_of, with_run};

const WORK: &str = "work";
/// Locked by whoever watches the folder.
const LOCK: &str = ".lock";

/// Where answered files lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Shelf {
    /// The run goes on, or has ended.
    Done,
    /// The run waits for somebody's decision.
    Held,
    /// The file was refused.
    Failed,
}

impl Shelf {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Done, Self::Held, Self::Failed];

    /// The name of its folder.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Held => "held",
            Self::Failed => "failed",
        }
    }
}

/// A file that was taken, on its way to an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// The run it is to be.
    pub run: RunId,
    /// Its own name.
    pub name: OsString,
    /// Where it lies now.
    pub path: PathBuf,
}

/// An answered file.
#[derive(Debug, Clone)]
pub struct Answered {
    /// The run in its name.
    pub run: RunId,
    /// Where its answers are, without their ends.
    pub base: PathBuf,
    /// The files of that run on the shelf, its answers left out.
    pub files: Vec<PathBuf>,
    /// When it was answered; `None` where it was not.
    pub answered_at: Option<SystemTime>,
}

impl Answered {
    /// What the answer says after this word and a colon, in the line that begins like that.
    #[must_use]
    pub fn says(&self, word: &str) -> Option<String> {
        let text = std::fs::read_to_string(with_end(&self.base, ANSWER)).ok()?;
        let said =
            |line: &str| Some(line.strip_prefix(word)?.strip_prefix(": ")?.trim().to_owned());
        text.lines().find_map(said)
    }
}

/// Held by the one process that watches a folder; given back when it is dropped or the process dies.
#[derive(Debug)]
pub struct Lock(Option<File>);

impl Lock {
    /// Whether others are kept out; some network shares know no locks.
    #[must_use]
    pub const fn is_real(&self) -> bool {
        self.0.is_some()
    }
}

/// The places of one watched folder.
#[derive(Debug, Clone)]
pub struct Shelves {
    root: PathBuf,
}

impl Shelves {
    /// The places of a folder.
    #[must_use]
    pub const fn new(root: PathBuf) -> Self {
        Self { root }
    }

    /// The watched folder itself.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Whether the watched folder is there right now.
    #[must_use]
    pub fn is_there(&self) -> bool {
        std::fs::read_dir(&self.root).is_ok()
    }

    /// Makes the folders that are missing, in a folder that is there.
    ///
    /// # Errors
    ///
    /// When one cannot be made.
    pub fn prepare(&self) -> Result<()> {
        for name in [WORK].into_iter().chain(Shelf::ALL.map(Shelf::as_str)) {
            match std::fs::create_dir(self.root.join(name)) {
                Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }

    /// Keeps other processes from watching the folder; `None` while one does.
    ///
    /// # Errors
    ///
    /// When the lock's file cannot be made.
    pub fn lock(&self) -> Result<Option<Lock>> {
        let mut options = File::options();
        let path = self.root.join(WORK).join(LOCK);
        let file = options.create(true).truncate(false).write(true).open(path)?;
        Ok(match file.try_lock() {
            Ok(()) => Some(Lock(Some(file))),
            Err(TryLockError::WouldBlock) => None,
            Err(TryLockError::Error(_)) => Some(Lock(None)),
        })
    }

    /// Whether the lock's file is still there: without it, the folder is another one than before.
    #[must_use]
    pub fn has_lock_file(&self) -> bool {
        self.root.join(WORK).join(LOCK).exists()
    }

    /// Takes a file: whoever renames it first has it. Its companion goes with it.
    ///
    /// # Errors
    ///
    /// When it cannot be renamed; it stays where it was, or somebody else has it.
    pub fn claim(&self, name: &OsStr, run: &RunId) -> Result<Claim> {
        let folder = self.root.join(WORK).join(run.as_str());
        std::fs::create_dir(&folder)?;
        let announced = companion(name);
        // first: a companion left behind would announce the next file of this name
        let moved = std::fs::rename(self.root.join(&announced), folder.join(&announced));
        let path = folder.join(name);
        if let Err(error) = std::fs::rename(self.root.join(name), &path) {
            if moved.is_ok() {
                std::fs::rename(folder.join(&announced), self.root.join(&announced))?;
            }
            std::fs::remove_dir(&folder)?;
            return Err(error);
        }
        Ok(Claim { run: run.clone(), name: name.to_owned(), path })
    }

    /// Files that were taken and have no answer, the oldest first: those of a process that died.
    ///
    /// # Errors
    ///
    /// When the folder cannot be read.
    pub fn claims(&self) -> Result<Vec<Claim>> {
        let mut claims = Vec::new();
        for entry in std::fs::read_dir(self.root.join(WORK))? {
            let entry = entry?;
            let Some(run) = entry.file_name().to_str().and_then(run_of) else { continue };
            if !entry.file_type()?.is_dir() {
                continue;
            }
            let (mut file, mut announced) = (None, None);
            for inner in std::fs::read_dir(entry.path())? {
                let inner = inner?;
                let place =
                    if is_companion(&inner.file_name()) { &mut announced } else { &mut file };
                *place = Some((inner.file_name(), inner.path()));
            }
            match (file, announced) {
                (Some((name, path)), _) => claims.push(Claim { run, name, path }),
                (None, announced) => {
                    // it died between two renames: before the file's, or after it was answered
                    if let Some((name, path)) = announced {
                        std::fs::rename(path, self.root.join(name))?;
                    }
                    std::fs::remove_dir(entry.path())?;
                }
            }
        }
        claims.sort_by(|a, b| a.run.cmp(&b.run));
        Ok(claims)
    }

    /// Takes a claim anew, as another run.
    ///
    /// # Errors
    ///
    /// When its folder cannot be renamed.
    pub fn claim_anew(&self, claim: Claim, run: &RunId) -> Result<Claim> {
        let work = self.root.join(WORK);
        let folder = work.join(run.as_str());
        std::fs::rename(work.join(claim.run.as_str()), &folder)?;
        Ok(Claim { run: run.clone(), path: folder.join(&claim.name), name: claim.name })
    }

    /// Where the answers of a file go, without their ends.
    #[must_use]
    pub fn base(&self, to: Shelf, name: &OsStr, run: &RunId) -> PathBuf {
        let named = with_run(&name.to_string_lossy(), run);
        self.root.join(to.as_str()).join(base_of(&named).unwrap_or(&named))
    }

    /// Moves a claimed file, whose answers are written, to its shelf.
    ///
    /// # Errors
    ///
    /// When it cannot be moved; it stays a claim.
    pub fn finish(&self, claim: &Claim, to: Shelf) -> Result<PathBuf> {
        let folder = self.root.join(WORK).join(claim.run.as_str());
        // while the file is there the claim is: a companion without one would be put back
        remove(&folder.join(companion(&claim.name)))?;
        let named = with_run(&claim.name.to_string_lossy(), &claim.run);
        let path = self.root.join(to.as_str()).join(named);
        std::fs::rename(&claim.path, &path)?;
        std::fs::remove_dir(folder)?;
        Ok(path)
    }

    /// The answered files of a shelf, by run.
    ///
    /// # Errors
    ///
    /// When the shelf cannot be read.
    pub fn answered(&self, on: Shelf) -> Result<Vec<Answered>> {
        let folder = self.root.join(on.as_str());
        let mut found = std::collections::BTreeMap::new();
        for entry in std::fs::read_dir(&folder)? {
            let entry = entry?;
            let name = entry.file_name();
            let Some(name) = name.to_str() else { continue };
            let (Some(run), Some(base)) = (run_of(name), base_of(name)) else { continue };
            let answered = found.entry(base.to_owned()).or_insert_with(|| Answered {
                run,
                base: folder.join(base),
                files: Vec::new(),
                answered_at: None,
            });
            match name.strip_prefix(base) {
                Some(ANSWER) => answered.answered_at = entry.metadata()?.modified().ok(),
                Some(ROWS | CORRECT) => {}
                _ => answered.files.push(entry.path()),
            }
        }
        Ok(found.into_values().collect())
    }

    /// Moves an answered file from one shelf to another, where its new answers are; the old ones go.
    ///
    /// # Errors
    ///
    /// When something cannot be moved or removed; called again, it goes on.
    pub fn move_on(&self, answered: &Answered, to: Shelf) -> Result<()> {
        for path in &answered.files {
            let name = path.file_name().unwrap_or_default();
            match std::fs::rename(path, self.root.join(to.as_str()).join(name)) {
                // moved before, or taken away by somebody
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        remove_answers(&answered.base)
    }

    /// Removes an answered file with its answers.
    ///
    /// # Errors
    ///
    /// When something cannot be removed.
    pub fn discard(&self, answered: &Answered) -> Result<()> {
        answered.files.iter().try_for_each(|path| remove(path))?;
        remove_answers(&answered.base)
    }
}

fn is_companion(name: &OsStr) -> bool {
    name.to_string_lossy().ends_with(DONE)
}

/// Removes answers, the one that says that there is one last.
fn remove_answers(base: &Path) -> Result<()> {
    [ROWS, CORRECT, ANSWER].iter().try_for_each(|end| remove(&with_end(base, end)))
}

fn with_end(base: &Path, end: &str) -> PathBuf {
    let mut path = base.as_os_str().to_owned();
    path.push(end);
    PathBuf::from(path)
}

fn remove(path: &Path) -> Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "01KB1Q0Z9V8T7S6R5Q4P3N2M1K";

    struct Inbox(tempfile::TempDir, Shelves);

    impl Inbox {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let shelves = Shelves::new(folder.path().to_owned());
            shelves.prepare().unwrap();
            Self(folder, shelves)
        }

        fn write(&self, name: &str) {
            std::fs::write(self.0.path().join(name), name).unwrap();
        }

        fn has(&self, name: &str) -> bool {
            self.0.path().join(name).exists()
        }
    }

    #[test]
    fn a_file_is_in_one_place_from_the_claim_to_the_shelf() {
        let inbox = Inbox::new();
        inbox.write("a.csv");
        inbox.write("a.csv.done");
        let claim = inbox.1.claim("a.csv".as_ref(), &ID.into()).unwrap();
        assert!(!inbox.has("a.csv") && !inbox.has("a.csv.done") && claim.path.is_file());
        assert_eq!(inbox.1.claims().unwrap().first(), Some(&claim));
        let path = inbox.1.finish(&claim, Shelf::Held).unwrap();
        assert_eq!(path, inbox.0.path().join(format!("held/a.{ID}.csv")));
        assert!(path.is_file() && inbox.1.claims().unwrap().is_empty());
        assert_eq!(std::fs::read_dir(inbox.0.path().join("work")).unwrap().count(), 0);
    }

    #[test]
    fn what_cannot_be_taken_stays_with_its_companion() {
        let inbox = Inbox::new();
        inbox.write("gone.csv.done");
        let error = inbox.1.claim("gone.csv".as_ref(), &ID.into()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
        assert!(inbox.has("gone.csv.done") && !inbox.has(&format!("work/{ID}")));
    }

    #[test]
    fn a_death_between_two_renames_is_put_right() {
        let inbox = Inbox::new();
        inbox.write("a.csv");
        std::fs::create_dir(inbox.0.path().join("work").join(ID)).unwrap();
        inbox.write(&format!("work/{ID}/a.csv.done"));
        assert!(inbox.1.claims().unwrap().is_empty());
        assert!(inbox.has("a.csv") && inbox.has("a.csv.done") && !inbox.has(&format!("work/{ID}")));
    }

    #[test]
    fn a_shelf_is_read_by_run_and_only_what_is_ours() {
        let inbox = Inbox::new();
        inbox.write("done/other.csv");
        for end in [".csv", ANSWER, ROWS] {
            inbox.write(&format!("done/a.{ID}{end}"));
        }
        let answered = inbox.1.answered(Shelf::Done).unwrap();
        let [one] = answered.as_slice() else { panic!("{answered:?}") };
        assert_eq!((one.run.as_str(), one.files.len()), (ID, 1));
        assert!(one.answered_at.is_some());
        std::fs::write(with_end(&one.base, ANSWER), "a.csv: x\n\nStatus: held\n").unwrap();
        assert_eq!((one.says("Status"), one.says("Run")), (Some("held".to_owned()), None));
        inbox.1.move_on(one, Shelf::Failed).unwrap();
        assert!(inbox.has(&format!("failed/a.{ID}.csv")) && inbox.has("done/other.csv"));
        assert!(!inbox.has(&format!("done/a.{ID}.answer.txt")));
    }

    #[test]
    fn one_at_a_time_watches() {
        let inbox = Inbox::new();
        let first = inbox.1.lock().unwrap().expect("nobody else");
        assert!(first.is_real() && inbox.1.lock().unwrap().is_none());
        drop(first);
        assert!(inbox.1.lock().unwrap().is_some());
    }
}
