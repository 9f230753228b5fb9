//! What can be done that the trail tells of.

use std::fmt;

macro_rules! actions {
    ($($(#[$doc:meta])* $name:ident = $word:literal,)*) => {
        /// What was done. The words are stable: whoever reads an export looks for them.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum AuditAction {
            $($(#[$doc])* $name,)*
        }

        impl AuditAction {
            /// Every one of them.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The word in the trail.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $word,)*
                }
            }
        }
    };
}

actions! {
    /// A run was planned and goes out at once, or has nothing to send.
    RunCommitted = "run.committed",
    /// A run was planned, and a guard keeps it back.
    RunHeld = "run.held",
    /// A file or a delivery was refused as a whole.
    RunRefused = "run.refused",
    /// A held run was let go.
    RunApproved = "run.approved",
    /// A run was stopped.
    RunCancelled = "run.cancelled",
    /// Operations of a run were queued again.
    RunRetried = "run.retried",
    /// Everything of a target without an outcome was queued again.
    TargetRetried = "target.retried",
    /// Operations were queued again without anybody asking, because Entra lost what it had accepted.
    TargetResent = "target.resent",
    /// A target was tied to a provisioning job, or to another one before anything was sent.
    TargetBound = "target.bound",
    /// Entra accepted a bulk request.
    RequestAccepted = "request.accepted",
    /// Entra refused a bulk request for good.
    RequestRefused = "request.refused",
    /// A webhook delivery was stored.
    DeliveryReceived = "delivery.received",
    /// A webhook delivery was ended without a run.
    DeliveryClosed = "delivery.closed",
    /// A provisioning key was made.
    KeyCreated = "key.created",
    /// A provisioning key was made in the place of another.
    KeyRotated = "key.rotated",
    /// A provisioning key was ended.
    KeyRevoked = "key.revoked",
    /// A secret was put into the vault.
    SecretSet = "secret.set",
    /// A secret of the vault was replaced, the old value kept for a while or not.
    SecretRotated = "secret.rotated",
    /// A secret was taken out of the vault.
    SecretRemoved = "secret.removed",
    /// The vault was encrypted for another key.
    VaultRekeyed = "vault.rekeyed",
    /// A target's second credential was taken because the first was refused, or the first again.
    CredentialSwitched = "credential.switched",
    /// A credential was read again and is another one than before.
    CredentialRenewed = "credential.renewed",
    /// The provisioning app's schema was changed by us.
    SchemaPushed = "schema.pushed",
    /// The provisioning app's schema was put back to what it was.
    SchemaRestored = "schema.restored",
    /// What is kept of a worker was erased on request.
    RecordForgotten = "record.forgotten",
    /// What had been kept long enough was erased.
    RetentionApplied = "retention.applied",
    /// What lies in the store was encrypted for the first time.
    StoreEncrypted = "store.encrypted",
    /// What lies in the store was encrypted with another key.
    StoreRekeyed = "store.rekeyed",
    /// The config in force is another than the one before.
    ConfigChanged = "config.changed",
    /// `serve` began.
    ServiceStarted = "service.started",
    /// `serve` read config and secrets again, and they are in force.
    ServiceReloaded = "service.reloaded",
    /// `serve` read config and secrets again, and something was wrong: the old ones stay.
    ServiceReloadRefused = "service.reload-refused",
    /// `serve` ended in good order.
    ServiceStopped = "service.stopped",
}

impl AuditAction {
    /// Reads the word back; `None` for any other word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|action| action.as_str() == word)
    }
}

impl fmt::Display for AuditAction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_action_has_a_word_of_its_own_that_reads_back() {
        let words: BTreeSet<&str> = AuditAction::ALL.iter().map(|action| action.as_str()).collect();
        assert_eq!(words.len(), AuditAction::ALL.len());
        for action in AuditAction::ALL {
            assert_eq!(AuditAction::parse(action.as_str()), Some(*action));
        }
        assert_eq!(AuditAction::parse("run.eaten"), None);
    }
}
