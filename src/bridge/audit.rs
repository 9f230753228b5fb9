//! Entries of the audit trail about what no other part of the store does.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::bridge::daemon::is_over;
use crate::bridge::{Bridge, BridgeError};
use crate::domain::{AuditAction, AuditDetails, AuditEntry, AuditSubject, Who};
use crate::store::{AuditHead, AuditedConfig};
use crate::telemetry::Causes;

/// How often it is said where the trail ends.
const DAY: Duration = Duration::from_hours(24);

impl Bridge {
    /// Says which config this bridge works by, where the audit trail does not say so already; whether it
    /// did not.
    ///
    /// # Errors
    ///
    /// When the store fails.
    pub async fn note_config(&self) -> Result<bool, BridgeError> {
        let config = self.setup.config();
        let keys = config.key_digests().map(|(key, digest)| (key.to_owned(), digest)).collect();
        let config = AuditedConfig { digest: config.digest, keys };
        Ok(self.store.audit_config(config, self.who.clone(), self.clock.now()).await?)
    }

    /// Says something about the service itself.
    ///
    /// # Errors
    ///
    /// When the store fails.
    pub async fn audit_service(
        &self,
        action: AuditAction,
        details: AuditDetails,
    ) -> Result<(), BridgeError> {
        self.audit(action, AuditSubject::Service, details, &self.who).await.map(drop)
    }

    /// Says in the log where the audit trail ends, now and every day: whoever keeps the log elsewhere has
    /// a head to verify by.
    pub(super) async fn keep_noting_head(&self, cancel: &CancellationToken) {
        loop {
            match self.store.audit_head().await {
                Ok(head) => tracing::info!(audit.head = %head, "where the audit trail ends"),
                Err(error) => {
                    tracing::error!(error = %Causes(&error), "the audit trail cannot be read");
                }
            }
            if is_over(cancel, DAY).await {
                return;
            }
        }
    }

    /// Appends an entry to the audit trail, as of now; where the trail ends then.
    ///
    /// For what is done outside the store (secrets, the provisioning app's schema, the service). What the
    /// store does it tells itself, in the same transaction.
    ///
    /// # Errors
    ///
    /// When the store fails.
    pub async fn audit(
        &self,
        action: AuditAction,
        subject: AuditSubject,
        details: AuditDetails,
        who: &Who,
    ) -> Result<AuditHead, BridgeError> {
        let entry = AuditEntry { action, subject, details, who: who.clone() };
        Ok(self.store.append_audit(entry, self.clock.now()).await?)
    }
}
