//! Rows for tests that work on a store themselves.

use scimport::domain::{
    AuditAction, AuditDetails, AuditEntry, AuditSubject, Change, ExternalId, Origin, Who,
};
use scimport::store::{PlannedOperation, PlannedRow, PlannedVerdict, RecordNote};

/// Somebody who joins, in that row of a file.
pub fn joiner(row: u64, id: &str, resource: Vec<u8>) -> PlannedRow {
    PlannedRow {
        row: Some(row),
        line: Some(row),
        external_id: Some(ExternalId::from(id)),
        verdict: PlannedVerdict::Operation(PlannedOperation {
            change: Change::Joiner,
            active: true,
            digest: [1; 16],
            resource,
            user_name_key: None,
            manager: None,
            resend: false,
            closes: false,
            note: RecordNote::default(),
            warning: None,
        }),
    }
}

/// What the audit trail says of a rekeying that has ended.
pub fn rekeyed() -> AuditEntry {
    AuditEntry {
        action: AuditAction::StoreRekeyed,
        subject: AuditSubject::Store,
        details: AuditDetails::none(),
        who: Who::new("ann", Origin::Cli),
    }
}
