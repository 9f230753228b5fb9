//! What the store itself does, in the words of the audit trail: appended in the transaction that does it.

use rusqlite::Connection;

use crate::domain::{
    AuditAction, AuditDetails, AuditEntry, AuditSubject, AuditValue, BulkRequestId, DeliveryId,
    OperationStatus, RunId, TargetName, Who,
};
use crate::store::sqlite::audit::append;
use crate::store::sqlite::connection::Failure;
use crate::store::sqlite::convert::micros;
use crate::store::{Key, NewDelivery, NewKey, NewRun, RefusedRun, Resent, ResentWhy};

/// What is told, and when.
pub(super) struct Told<'a> {
    pub(super) who: &'a Who,
    pub(super) now_us: i64,
}

impl Told<'_> {
    fn append(
        &self,
        db: &Connection,
        action: AuditAction,
        subject: AuditSubject,
        details: AuditDetails,
    ) -> Result<(), Failure> {
        let entry = AuditEntry { action, subject, details, who: self.who.clone() };
        append(db, &entry, self.now_us).map(drop)
    }

    /// A decision about a run, and how many operations it concerns.
    pub(super) fn decided(
        &self,
        db: &Connection,
        action: AuditAction,
        run: &RunId,
        operations: u64,
        statuses: &[OperationStatus],
    ) -> Result<(), Failure> {
        let mut details = AuditDetails::none().with("operations", operations);
        if !statuses.is_empty() {
            let words = statuses.iter().map(|status| status.as_str());
            details = details.with("statuses", AuditValue::codes(words));
        }
        self.append(db, action, AuditSubject::Run(run.clone()), details)
    }

    /// Operations of a target that are queued again.
    pub(super) fn resent(
        &self,
        db: &Connection,
        target: &TargetName,
        resent: &Resent,
    ) -> Result<(), Failure> {
        let action = match resent.why {
            ResentWhy::Asked => AuditAction::TargetRetried,
            ResentWhy::Resumed | ResentWhy::Overtaken => AuditAction::TargetResent,
        };
        let details = AuditDetails::none()
            .with("operations", resent.operations)
            .with("why", resent.why.as_str());
        self.append(db, action, AuditSubject::Target(target.clone()), details)
    }

    /// A target that is tied to another provisioning job.
    pub(super) fn bound(
        &self,
        db: &Connection,
        target: &TargetName,
        job: &str,
    ) -> Result<(), Failure> {
        let details = AuditDetails::none().with("job", AuditValue::code(job));
        self.append(db, AuditAction::TargetBound, AuditSubject::Target(target.clone()), details)
    }

    /// A bulk request that Entra took or refused; a refusal has a code.
    pub(super) fn answered(
        &self,
        db: &Connection,
        request: i64,
        request_id: Option<&str>,
        refusal: Option<&str>,
    ) -> Result<(), Failure> {
        let (target, operations): (Box<str>, i64) = db
            .prepare_cached(
                "-- told.request
                SELECT target, (SELECT count(*) FROM operations WHERE bulk_request = ?1)
                FROM bulk_requests
                WHERE id = ?1",
            )?
            .query_row([request], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let details = AuditDetails::none()
            .with("target", &TargetName::new(target))
            .with("operations", u64::try_from(operations).unwrap_or(0))
            .with_some("code", refusal.map(AuditValue::token))
            .with_some("request_id", request_id.map(AuditValue::token));
        let action = match refusal {
            None => AuditAction::RequestAccepted,
            Some(_) => AuditAction::RequestRefused,
        };
        self.append(db, action, AuditSubject::Request(BulkRequestId(request)), details)
    }

    /// A webhook delivery of which nothing comes.
    pub(super) fn closed(&self, db: &Connection, id: &DeliveryId) -> Result<(), Failure> {
        let subject = AuditSubject::Delivery(id.clone());
        self.append(db, AuditAction::DeliveryClosed, subject, AuditDetails::none())
    }

    /// A webhook delivery that is stored.
    pub(super) fn received(&self, db: &Connection, delivery: &NewDelivery) -> Result<(), Failure> {
        let details =
            AuditDetails::none().with("source", &delivery.source).with("workers", delivery.workers);
        let subject = AuditSubject::Delivery(delivery.id.clone());
        self.append(db, AuditAction::DeliveryReceived, subject, details)
    }

    /// A key that is made.
    pub(super) fn key_created(&self, db: &Connection, key: &NewKey) -> Result<(), Failure> {
        let details = AuditDetails::none()
            .with("role", key.scope.role().as_str())
            .with_some("source", key.scope.source())
            .with("expires_at", key.expires_at);
        self.append(db, AuditAction::KeyCreated, AuditSubject::Key(key.id.clone()), details)
    }

    /// A key that is made in the place of another one.
    pub(super) fn key_rotated(
        &self,
        db: &Connection,
        old: &Key,
        new: &NewKey,
    ) -> Result<(), Failure> {
        let details = AuditDetails::none()
            .with("ends_at", old.expires_at)
            .with("expires_at", new.expires_at)
            .with("role", new.scope.role().as_str())
            .with_some("source", new.scope.source())
            .with("successor", &new.id);
        self.append(db, AuditAction::KeyRotated, AuditSubject::Key(old.id.clone()), details)
    }

    /// A key that is ended.
    pub(super) fn key_revoked(&self, db: &Connection, key: &Key) -> Result<(), Failure> {
        let details = AuditDetails::none()
            .with("role", key.scope.role().as_str())
            .with_some("source", key.scope.source());
        self.append(db, AuditAction::KeyRevoked, AuditSubject::Key(key.id.clone()), details)
    }
}

/// A run that is committed, and held perhaps. The name of its file is the run's own: whoever names a file
/// may have named it after somebody, and here nothing is ever taken out. Its digest tells which it was.
pub(super) fn committed(db: &Connection, run: &NewRun, now_us: i64) -> Result<(), Failure> {
    let changes = &run.changes;
    let mut details = AuditDetails::none()
        .with("source", &run.source)
        .with("target", &run.target)
        .with("kind", run.kind.as_str())
        .with("file_digest", AuditValue::digest(&run.file_digest))
        .with("mapping", AuditValue::digest(&run.mapping_fingerprint))
        .with("rows", run.rows)
        .with("joiners", changes.joiner)
        .with("movers", changes.mover)
        .with("leavers", changes.leaver)
        .with("rehires", changes.rehire)
        .with("missing", changes.missing);
    let action = if run.held_by.is_empty() {
        AuditAction::RunCommitted
    } else {
        let guards = run.held_by.iter().map(|held| held.guard.as_str());
        details = details.with("held_by", AuditValue::codes(guards));
        AuditAction::RunHeld
    };
    if !run.deliveries.is_empty() {
        let deliveries = u64::try_from(run.deliveries.len()).unwrap_or(u64::MAX);
        details = details.with("deliveries", deliveries);
    }
    let told = Told { who: &run.who, now_us };
    told.append(db, action, AuditSubject::Run(run.id.clone()), details)
}

/// A file or a delivery that is refused.
pub(super) fn refused(db: &Connection, run: &RefusedRun) -> Result<(), Failure> {
    let details = AuditDetails::none()
        .with("source", &run.source)
        .with("target", &run.target)
        .with("kind", run.kind.as_str())
        .with("code", AuditValue::code(&run.problem.code))
        .with("file_digest", AuditValue::digest(&run.file_digest));
    let told = Told { who: &run.who, now_us: micros(run.ended_at) };
    told.append(db, AuditAction::RunRefused, AuditSubject::Run(run.id.clone()), details)
}
