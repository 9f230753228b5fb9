//! Getting what a time is for: a file that is whole, or the HR system's answer in a file of our own.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use tempfile::TempDir;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::bridge::BridgeError;
use crate::bridge::folder::{UNREADABLE, blocking};
use crate::bridge::schedule::ScheduleError;
use crate::bridge::schedule::entry::{Entry, LONGEST_LOOK};
use crate::config::{FetchConfig, Takes};
use crate::domain::RunId;
use crate::intake::folder::{Listing, Looks, Seen, list};
use crate::store::Run;
use crate::web::{HydrateFailure, Hydrator, Patience};

/// How long a failure that nothing but a person mends keeps us from asking again.
const AFTER_REFUSAL: Duration = Duration::from_mins(5);

/// What there is.
pub(super) enum Got {
    /// A file to be read.
    File(Obtained),
    /// Nothing, for so long.
    NotYet(NotYet, Duration),
}

/// A file to be read.
pub(super) struct Obtained {
    path: PathBuf,
    /// How it looked; `None` for one of our own.
    pub(super) seen: Option<Seen>,
    /// Where it lies if it is our own; gone with it.
    _own: Option<TempDir>,
}

impl Obtained {
    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

/// Why there is nothing yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum NotYet {
    /// There is no such file.
    Missing,
    /// Its folder cannot be looked into.
    Away(String),
    /// It changes from one look to the next, or has not been looked at for long enough.
    Growing,
    /// It could not be read to its end.
    Unreadable,
    /// It has the bytes of the latest run.
    CameBefore(RunId),
    /// The HR system gave none.
    Failed {
        /// Why, and what to do.
        words: String,
        advice: &'static str,
        is_temporary: bool,
    },
}

impl fmt::Display for NotYet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("it is not there"),
            Self::Away(error) => write!(f, "its folder cannot be looked into: {error}"),
            Self::Growing => f.write_str("it is still being written"),
            Self::Unreadable => f.write_str("it could not be read to its end"),
            Self::CameBefore(run) => write!(
                f,
                "it is the one that came before (run {run}): the export did not run, or wrote the \
                 same again"
            ),
            Self::Failed { words, .. } => f.write_str(words),
        }
    }
}

/// Whether a run's file could be read at all.
pub(super) fn was_read(run: &Run) -> bool {
    !run.problem.as_ref().is_some_and(|problem| is_unread(&problem.code))
}

/// Whether a file was refused because it could not be read, which says nothing about its bytes.
pub(super) fn is_unread(code: &str) -> bool {
    code == UNREADABLE
}

impl Entry {
    /// What the time is for, as far as it is there.
    pub(super) async fn obtain(
        &mut self,
        at: Timestamp,
        cancel: &CancellationToken,
    ) -> Result<Got, BridgeError> {
        match self.config.takes.clone() {
            Takes::File { path, settle } => Ok(self.look_at(path, settle).await),
            Takes::Fetch(fetch) => self.fetch(&fetch, at, cancel).await,
        }
    }

    async fn look_at(&mut self, path: PathBuf, settle: Duration) -> Got {
        let file = path.clone();
        let listing = match blocking(move || listing_of(&file)).await {
            Ok(listing) => listing,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Listing::default(),
            Err(error) => {
                self.looks = Looks::default();
                return Got::NotYet(NotYet::Away(error.to_string()), self.look());
            }
        };
        let seen = listing.files.first().cloned();
        let found = self.looks.compare(listing, settle, Instant::now());
        let Some(seen) = seen else { return Got::NotYet(NotYet::Missing, self.look()) };
        if let Some((before, run)) = &self.before
            && *before == seen
        {
            return Got::NotYet(NotYet::CameBefore(run.clone()), self.look());
        }
        if found.whole.is_empty() {
            let wait = found.next.unwrap_or(LONGEST_LOOK).min(self.look());
            return Got::NotYet(NotYet::Growing, wait);
        }
        Got::File(Obtained { path, seen: Some(seen), _own: None })
    }

    async fn fetch(
        &mut self,
        fetch: &FetchConfig,
        at: Timestamp,
        cancel: &CancellationToken,
    ) -> Result<Got, BridgeError> {
        let hydrator = if let Some(hydrator) = &self.hydrator {
            hydrator
        } else {
            let (http, secrets) = (&self.bridge.setup.config().http, self.bridge.secrets.clone());
            let made = Hydrator::new(&self.source, fetch, http, secrets)
                .map_err(|source| ScheduleError::Client { name: self.source.clone(), source })?;
            // a report may take its time; what goes on failing is tried again from outside
            let patience = Patience { attempts: 2, ..Patience::default() };
            self.hydrator.insert(made.with_patience(patience))
        };
        let own = TempDir::new().map_err(ScheduleError::Spool)?;
        let local = at.to_zoned(self.config.times.zone().zone.clone());
        let path = own.path().join(format!("{}-{}", self.source, local.strftime("%Y%m%dT%H%M")));
        match hydrator.document(&path, cancel).await {
            Ok(()) => Ok(Got::File(Obtained { path, seen: None, _own: Some(own) })),
            Err(failure) => {
                let wait = failure.retry_after().unwrap_or(if failure.is_temporary() {
                    LONGEST_LOOK
                } else {
                    AFTER_REFUSAL
                });
                Ok(Got::NotYet(failed(&failure), wait))
            }
        }
    }
}

fn failed(failure: &HydrateFailure) -> NotYet {
    NotYet::Failed {
        words: failure.trouble.to_string(),
        advice: failure.advice(),
        is_temporary: failure.is_temporary(),
    }
}

/// The one file, and its companions, as they lie there.
fn listing_of(path: &Path) -> std::io::Result<Listing> {
    let name = path.file_name().unwrap_or_default().to_owned();
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let text = name.to_string_lossy().into_owned();
    let mut listing = list(folder, &|found| found == text)?;
    listing.files.retain(|seen| seen.name == name);
    listing.announced.retain(|announced, _| *announced == name);
    Ok(listing)
}
