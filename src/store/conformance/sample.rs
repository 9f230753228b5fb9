//! Small things the promises are made of.

use jiff::{SignedDuration, Timestamp};

use crate::domain::{
    Change, ExternalId, OperationStatus, Origin, RunId, RunStatus, SourceName, TargetName, Who,
};
use crate::store::{
    ChangeCounts, Claim, Commit, FaultyRow, NewRun, Operation, PlannedOperation, PlannedRow,
    PlannedVerdict, RecordNote, Run, Settlement, Store,
};

/// An instant, in milliseconds from one in 2023.
pub fn at(milliseconds: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000).unwrap() + SignedDuration::from_millis(milliseconds)
}

/// The target of most promises.
pub fn target() -> TargetName {
    TargetName::from("entra")
}

/// The source of most promises.
pub fn source() -> SourceName {
    SourceName::from("hr")
}

/// A worker's resource in a version.
pub fn resource(id: &str, version: u32) -> Vec<u8> {
    format!(r#"{{"externalId":"{id}","title":"{version}"}}"#).into_bytes()
}

/// A row that is to be sent.
pub fn row(number: u64, id: &str, change: Change, version: u32) -> PlannedRow {
    let mut digest = [0; 16];
    digest[..4].copy_from_slice(&version.to_be_bytes());
    PlannedRow {
        row: Some(number),
        line: Some(number),
        external_id: Some(ExternalId::from(id)),
        verdict: PlannedVerdict::Operation(PlannedOperation {
            change,
            active: change != Change::Leaver,
            digest,
            resource: resource(id, version),
            user_name_key: None,
            manager: None,
            resend: false,
            closes: false,
            note: RecordNote::default(),
            warning: None,
        }),
    }
}

/// The same row, with a manager.
pub fn reporting_to(manager: &str, mut row: PlannedRow) -> PlannedRow {
    if let PlannedVerdict::Operation(operation) = &mut row.verdict {
        operation.manager = Some(ExternalId::from(manager));
    }
    row
}

/// Rows of joiners, version 1.
pub fn joiners(ids: &[&str]) -> Vec<PlannedRow> {
    (2..).zip(ids).map(|(number, id)| row(number, id, Change::Joiner, 1)).collect()
}

/// A row that was rejected.
pub fn rejected(number: u64) -> PlannedRow {
    PlannedRow {
        row: Some(number),
        line: Some(number + 1),
        external_id: None,
        verdict: PlannedVerdict::Rejected {
            code: "mapping.required-empty".into(),
            reason: "column `WorkerID` is empty".into(),
            advice: Some("fill it".into()),
            faulty: FaultyRow {
                column: Some("WorkerID".into()),
                cells: vec![String::new(), "Zoë".into()],
            },
        },
    }
}

/// A run to commit.
pub fn new_run(id: &str, rows: u64) -> NewRun {
    NewRun {
        job: "tenant/principal/job".to_owned(),
        file: Some("workers.csv".into()),
        file_digest: [7; 32],
        mapping_fingerprint: [8; 16],
        columns: vec!["WorkerID".into(), "Last Name".into()],
        rows,
        changes: ChangeCounts { joiner: rows, ..ChangeCounts::default() },
        ..NewRun::new(RunId::from(id), source(), target(), at(-1_000))
    }
}

/// Plans and commits a run at an instant.
pub async fn commit<S: Store>(store: &S, id: &str, rows: Vec<PlannedRow>, now: Timestamp) {
    let run = new_run(id, rows.len() as u64);
    let mut draft = store.draft(&target()).await.unwrap();
    draft.push(rows).await.unwrap();
    assert_eq!(draft.commit(run, now).await.unwrap(), Commit::Done);
}

/// Claims what goes next, at most 50 operations.
pub async fn claim<S: Store>(store: &S, now: Timestamp) -> Option<Claim> {
    store.claim(&target(), 50, format!("guid-{now}"), now).await.unwrap()
}

/// The workers of a claim, in order.
pub fn workers(claim: &Claim) -> Vec<&str> {
    claim.operations.iter().map(|operation| operation.external_id.as_str()).collect()
}

/// Claims everything that goes now and has it accepted.
pub async fn deliver<S: Store>(store: &S, now: Timestamp) {
    while let Some(claimed) = claim(store, now).await {
        store.accepted(claimed.id, None, now, now).await.unwrap();
    }
}

/// A run's operations.
pub async fn operations<S: Store>(store: &S, run: &str) -> Vec<Operation> {
    store.operations(&RunId::from(run), None, 1_000).await.unwrap()
}

/// A run that must be there; its counts must add up.
pub async fn run<S: Store>(store: &S, id: &str) -> Run {
    let run = store.run(&RunId::from(id)).await.unwrap().unwrap();
    assert_eq!(run.counts.total(), run.rows + run.without_row, "counts of {id}");
    assert_eq!(run.ended_at.is_none(), run.status.is_unfinished(), "end of {id}");
    run
}

/// A run's status.
pub async fn status<S: Store>(store: &S, id: &str) -> RunStatus {
    run(store, id).await.status
}

/// The statuses of a run's operations, in order.
pub async fn statuses<S: Store>(store: &S, id: &str) -> Vec<OperationStatus> {
    operations(store, id).await.into_iter().map(|operation| operation.status).collect()
}

/// An outcome of an operation.
pub fn outcome(operation: &Operation, status: OperationStatus, code: &str) -> Settlement {
    Settlement {
        operation: operation.id,
        status,
        code: Some(code.into()),
        deed: None,
        awaits_manager: false,
        reason: Some("in words".into()),
        advice: None,
        change_id: Some("change-1".into()),
        event_at: at(5_000),
    }
}

/// Somebody who types commands.
pub fn by(name: &str) -> Who {
    Who::new(name, Origin::Cli)
}
