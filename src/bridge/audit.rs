//! Entries of the audit trail about what no other part of the store does.

use crate::bridge::{Bridge, BridgeError};
use crate::domain::{AuditAction, AuditDetails, AuditEntry, AuditSubject, Who};
use crate::store::AuditHead;

impl Bridge {
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
