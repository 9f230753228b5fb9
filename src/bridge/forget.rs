//! Forgetting a person.

use jiff::Timestamp;
use std::path::PathBuf;

use tokio_util::sync::CancellationToken;

use crate::bridge::traces::{self, Search};
use crate::bridge::{Bridge, BridgeError};
use crate::config::{SourceConfig, Takes, aside};
use crate::domain::{ExternalId, OperationStatus, SourceName, TargetName, Who};
use crate::store::{Forgetting, Forgotten, StoreError, Wiped};

/// Deliveries looked at a time, and most bytes of them.
const DELIVERIES: usize = 10_000;
const BYTES: usize = 256 << 20;

/// Why nobody was forgotten.
#[derive(Debug, thiserror::Error)]
pub enum ForgetError {
    /// Something of theirs has not ended.
    #[error("an operation of this person is {status} in target `{target}`: it has not ended")]
    OnTheWay {
        /// The target.
        target: TargetName,
        /// How far it is.
        status: OperationStatus,
    },
    /// A delivery that waits names them.
    #[error(
        "{count} deliveries to the webhook of source `{source_name}` wait that may be about this person"
    )]
    Waiting {
        /// The source.
        source_name: SourceName,
        /// How many.
        count: u64,
    },
    /// They are active.
    #[error("this person is active in target `{target}`")]
    Active {
        /// The target.
        target: TargetName,
    },
}

impl ForgetError {
    /// The way out.
    #[must_use]
    pub const fn advice(&self) -> &'static str {
        match self {
            Self::OnTheWay { status: OperationStatus::Held, .. } => {
                "approve or cancel the run that holds it, then try again"
            }
            Self::OnTheWay { .. } => {
                "let `scimport work --until settled` or the daemon bring it to its end, then try again"
            }
            Self::Waiting { .. } => "let the daemon work them off, then try again",
            Self::Active { .. } => {
                "the next file that names them would send them as somebody new, and their account in \
                 Entra stays as it is: let them leave first. `--even-active` forgets them all the same"
            }
        }
    }
}

/// Whether the target knew a person who was to be forgotten.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WhetherKnown {
    /// It did, and does not any more: what was removed, and when.
    Forgotten(Forgotten, Timestamp),
    /// They were forgotten at that instant, and what was left of them in the store's file had not been
    /// wiped.
    Already(Timestamp),
    /// It knows nobody of this id.
    Nobody,
}

/// What is left to say about a person who was to be forgotten.
#[derive(Debug)]
pub struct PersonForgotten {
    /// The target.
    pub target: TargetName,
    /// Whether it knew them.
    pub known: WhetherKnown,
    /// Whether the store's file holds nothing of anybody any more who was forgotten, or why that cannot be
    /// said. Whatever it is, they are forgotten.
    pub wiped: Result<Wiped, StoreError>,
    /// Files that still name them.
    pub files: Vec<PathBuf>,
    /// Files that could not be searched: workbooks, or what may not be read.
    pub not_searched: Vec<PathBuf>,
}

impl Bridge {
    /// The target that is meant by its own name or that of a source, or the only one.
    ///
    /// # Errors
    ///
    /// When there is none of that name. `Ok(None)` where there are several and none is named.
    pub fn target_of(
        &self,
        target: Option<&str>,
        source: Option<&str>,
    ) -> Result<Option<TargetName>, BridgeError> {
        if let Some(source) = source {
            return Ok(Some(self.setup.feed(source)?.target.clone()));
        }
        let targets = self.targets();
        match target {
            Some(name) => {
                let name = TargetName::new(name);
                if targets.contains(&name) {
                    Ok(Some(name))
                } else {
                    Err(BridgeError::NoSuchTarget(name))
                }
            }
            None => Ok(if targets.len() == 1 { targets.into_iter().next() } else { None }),
        }
    }

    /// Whether somebody can be forgotten now, as far as that can be told before it is tried.
    ///
    /// # Errors
    ///
    /// [`ForgetError::Waiting`]; when the store fails.
    pub async fn check_forgetting(
        &self,
        target: &TargetName,
        id: &ExternalId,
    ) -> Result<(), BridgeError> {
        for source in self.sources_of(target) {
            let waiting = self
                .store
                .waiting_deliveries(&source.name, DELIVERIES, BYTES, Timestamp::MAX)
                .await?;
            let named = waiting.iter().filter(|delivery| traces::names(&delivery.body, id));
            let count = named.count() as u64;
            if count > 0 {
                let source_name = source.name.clone();
                return Err(ForgetError::Waiting { source_name, count }.into());
            }
        }
        Ok(())
    }

    /// Removes a person from the ledger and the books of a target, wipes what is left of them in the
    /// store's file, and says which files still name them. Nothing is done in Entra.
    ///
    /// Once somebody is forgotten this is no error any more: the wiping is noted in the store, and whoever
    /// forgets the same person again goes on with it.
    ///
    /// # Errors
    ///
    /// [`ForgetError`] when nothing was done; when the store fails, and nothing was done either.
    pub async fn forget(
        &self,
        target: &TargetName,
        id: &ExternalId,
        even_active: bool,
        who: &Who,
        cancel: &CancellationToken,
    ) -> Result<PersonForgotten, BridgeError> {
        self.check_forgetting(target, id).await?;
        let (who, now) = (who.clone(), self.clock.now());
        let known = match self.store.forget(target, id, even_active, who, now).await? {
            Forgetting::Done(removed) => WhetherKnown::Forgotten(removed, now),
            Forgetting::Already(at) => WhetherKnown::Already(at),
            Forgetting::Nobody => WhetherKnown::Nobody,
            Forgetting::OnTheWay(status) => {
                return Err(ForgetError::OnTheWay { target: target.clone(), status }.into());
            }
            Forgetting::Active => return Err(ForgetError::Active { target: target.clone() }.into()),
        };
        if let WhetherKnown::Forgotten(removed, _) = known {
            tracing::info!(
                target = %target,
                forgotten.operations = removed.operations,
                forgotten.runs = removed.runs,
                "a person was forgotten"
            );
        }
        let wiped = self.wipe(cancel).await;
        let places = self.sources_of(target).flat_map(files_of).collect();
        let searched = id.clone();
        let Search { found, not_searched } = aside(move || traces::search(places, &searched)).await;
        Ok(PersonForgotten { target: target.clone(), known, wiped, files: found, not_searched })
    }

    fn sources_of(&self, target: &TargetName) -> impl Iterator<Item = &SourceConfig> {
        let sources = self.setup.config().sources.iter();
        sources.filter(move |source| source.target == *target)
    }
}

/// Where a source's files lie, before and after they were read.
fn files_of(source: &SourceConfig) -> Vec<PathBuf> {
    let folders = source.folders.iter().map(|folder| folder.path.clone());
    let scheduled = source.schedules.iter().filter_map(|schedule| match &schedule.takes {
        Takes::File { path, .. } => Some(path.clone()),
        Takes::Fetch(_) => None,
    });
    folders.chain(scheduled).collect()
}
