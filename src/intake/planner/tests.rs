//! Rows whose userName another worker of the ledger has.

use crate::domain::{Change, OperationId};
use crate::mapping::{AttributeConfig, Literal, Mapping, MappingConfig, RuleConfig, ValueSource};
use crate::plan::SourceRules;
use crate::source::{FormatConfig, Limits, RowsConfig};
use crate::store::{Commit, Operation, Operations, Runs, SqliteStore};

use super::*;
use crate::intake::cells::PackedCells;
use crate::scim::{digest, user_name_key};

fn feed() -> Arc<Feed> {
    let line =
        |path: &str, value| AttributeConfig { path: path.to_owned(), rule: RuleConfig::new(value) };
    let attributes = vec![
        line("externalId", ValueSource::Column("Id".to_owned())),
        line("userName", ValueSource::Column("Login".to_owned())),
        line("active", ValueSource::Const(Literal::Boolean(true))),
    ];
    let mapping = MappingConfig { attributes, ..MappingConfig::default() };
    Arc::new(Feed {
        name: "hr".into(),
        target: "entra".into(),
        job: "tenant/principal/job".to_owned(),
        format: FormatConfig::default(),
        rows: RowsConfig::default(),
        takes_over: Vec::new(),
        rules: SourceRules::default(),
        mapping: Mapping::compile(&mapping, None).unwrap(),
        limits: Limits::default(),
        time_zone: jiff::tz::TimeZone::UTC,
        password: None,
    })
}

fn row(id: &str, user_name: &str, active: bool) -> ReadRow {
    let resource = format!("{id} {user_name} {active}").into_bytes();
    ReadRow {
        row: 2,
        line: Some(2),
        verdict: ReadVerdict::User(Person {
            external_id: id.into(),
            active,
            digest: digest(&resource),
            resource,
            user_name_key: Some(user_name_key(user_name)),
            manager: None,
            window: None,
            row_digest: None,
            warning: Some(("mapping.own-manager".to_owned(), "why".to_owned())),
            cells: PackedCells::default(),
        }),
    }
}

/// Plans rows of a file that names these workers, and commits them as a run.
async fn run(store: &SqliteStore, id: &str, named: &'static [&str], rows: Vec<ReadRow>) {
    let now = Timestamp::UNIX_EPOCH;
    let feed = feed();
    let run = NewRun {
        job: feed.job.clone(),
        rows: rows.len() as u64,
        ..NewRun::new(id.into(), feed.name.clone(), feed.target.clone(), now)
    };
    let target = feed.target.clone();
    let is_named = Box::new(|id: &str| named.contains(&id));
    let mut planner = Planner::new(store, feed, run, is_named);
    planner.draft = Some(store.draft(&target).await.unwrap());
    planner.take(rows, now, &mut PlanOptions::default()).await.unwrap();
    let Planner { draft, run, .. } = planner;
    assert_eq!(draft.unwrap().commit(run, now).await.unwrap(), Commit::Done);
}

async fn operations(store: &SqliteStore, run: &str) -> Vec<Operation> {
    let after: Option<OperationId> = None;
    store.operations(&run.into(), after, 100).await.unwrap()
}

#[tokio::test]
async fn a_user_name_of_somebody_else_keeps_an_active_row_back_and_names_them() {
    let store = SqliteStore::in_memory().unwrap();
    run(&store, "R1", &[], vec![row("E1", "Ann@contoso.example", true)]).await;
    let rows = vec![
        row("E2", "ann@CONTOSO.example", true),
        row("E3", "cy@contoso.example", true),
        row("E4", "ann@contoso.example", false),
    ];
    run(&store, "R2", &["E2", "E3", "E4"], rows).await;
    let found = operations(&store, "R2").await;
    assert_eq!(found[0].status, OperationStatus::Rejected);
    assert_eq!(found[0].code.as_deref(), Some("user-name-taken"));
    let reason = found[0].reason.as_deref().unwrap();
    assert!(reason.contains("`E1`") && reason.contains("`Login`"), "{reason}");
    assert!(found[0].advice.as_deref().unwrap().contains("another userName"));
    assert!(!reason.contains("contoso"), "no value: {reason}");
    let faulty = store.faulty_rows(vec![found[0].id]).await.unwrap();
    assert_eq!(faulty[0].as_ref().unwrap().column.as_deref(), Some("Login"));

    assert_eq!(found[1].status, OperationStatus::Queued);
    assert_eq!(found[1].code.as_deref(), Some("mapping.own-manager"));
    // a leaver goes out whatever the name, with the graver of two warnings
    assert_eq!((found[2].status, found[2].change), (OperationStatus::Queued, Some(Change::Joiner)));
    assert_eq!(found[2].code.as_deref(), Some("user-name-taken"));
    assert!(found[2].reason.as_deref().unwrap().contains("`E1`"));
}

#[tokio::test]
async fn a_name_is_free_when_its_holder_is_the_worker_or_gets_another_one_in_the_same_file() {
    let store = SqliteStore::in_memory().unwrap();
    run(&store, "R1", &[], vec![row("E1", "a", true), row("E2", "b", true)]).await;
    // the same names in other people's hands, and a name kept
    let swapped = vec![row("E1", "b", true), row("E2", "a", true), row("E3", "c", true)];
    run(&store, "R2", &["E1", "E2", "E3"], swapped).await;
    run(&store, "R3", &["E3"], vec![row("E3", "C", true)]).await;
    for run in ["R2", "R3"] {
        let statuses: Vec<_> =
            operations(&store, run).await.into_iter().map(|each| each.status).collect();
        assert!(statuses.iter().all(|status| status.as_str() != "rejected"), "{statuses:?}");
    }
}
