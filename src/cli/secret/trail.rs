//! What the audit trail tells of a change of the vault.
//!
//! The vault is no part of the store, so that no transaction holds both. A change has two entries: the
//! first, with `"state":"begun"`, is in the trail before anything is changed; the second tells how it
//! ended, `"done"` or `"failed"`. Where the second is missing, the process was killed in between, and only
//! the vault itself tells whether the change was made; a change without an entry there is not.
//!
//! The one exception is the secret with which the store is encrypted: nothing can be written to that
//! store before the secret is set, so it has its one entry afterwards.

use crate::bridge::Bridge;
use crate::cli::context::{Context, Failed, failed};
use crate::cli::exit::Exit;
use crate::cli::secret::told;
use crate::cli::terminal::tell;
use crate::domain::{AuditAction, AuditDetails, AuditSubject};
use crate::vault::VaultError;

/// A change that the trail says is begun.
pub struct Begun<'a> {
    context: &'a Context,
    bridge: &'a Bridge,
    action: AuditAction,
    subject: AuditSubject,
}

impl<'a> Begun<'a> {
    /// Notes what is about to be done; where that cannot be noted, nothing is to be changed.
    pub async fn note(
        context: &'a Context,
        bridge: &'a Bridge,
        action: AuditAction,
        subject: AuditSubject,
        known: AuditDetails,
    ) -> Result<Self, Failed> {
        let begun = Self { context, bridge, action, subject };
        begun.append("begun", known).await.inspect_err(|_| {
            tell("nothing was changed: what the audit trail cannot tell of is not done");
        })?;
        Ok(begun)
    }

    /// What was done, or why it was not; that is told, and noted.
    pub async fn unless_failed<T>(&self, done: Result<T, VaultError>) -> Result<T, Failed> {
        match done {
            Ok(done) => Ok(done),
            Err(error) => {
                let failed = told(error);
                self.append("failed", AuditDetails::none()).await.inspect_err(|_| {
                    tell("error: the audit trail tells only that it was begun");
                })?;
                Err(failed)
            }
        }
    }

    /// Notes that it is done.
    pub async fn done(self, details: AuditDetails) -> Result<Exit, Failed> {
        self.append("done", details).await.inspect_err(|_| {
            tell(
                "error: the vault was changed as said, but the audit trail tells only that it was \
                 begun",
            );
        })?;
        Ok(Exit::Success)
    }

    async fn append(&self, state: &'static str, details: AuditDetails) -> Result<(), Failed> {
        let (details, who) = (details.with("state", state), self.context.who());
        let done = self.bridge.audit(self.action, self.subject.clone(), details, &who).await;
        done.map(drop).map_err(failed)
    }
}

/// Notes what is done already.
pub async fn note_done(
    context: &Context,
    action: AuditAction,
    subject: AuditSubject,
    details: AuditDetails,
) -> Result<Exit, Failed> {
    const NOT_IN_TRAIL: &str =
        "error: the vault was changed as said, but the audit trail does not tell of it";
    let bridge = context.bridge().inspect_err(|_| tell(NOT_IN_TRAIL))?;
    let done = Begun { context, bridge: &bridge, action, subject };
    done.append("done", details).await.inspect_err(|_| tell(NOT_IN_TRAIL))?;
    Ok(Exit::Success)
}
