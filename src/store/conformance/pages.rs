//! Promises of [`Pages`](crate::store::Pages).

use crate::domain::{Change, OperationStatus, RunId, RunStatus};
use crate::store::Store;
use crate::store::conformance::sample::{at, commit, joiners, new_run, rejected, row, target};

pub async fn runs_are_read_page_by_page_newest_first<S: Store>(store: &S) {
    for number in 1..=5 {
        let (id, worker) = (format!("R{number}"), format!("E{number}"));
        commit(store, &id, joiners(&[&worker]), at(number)).await;
    }
    let mut seen = Vec::new();
    let mut before = None;
    loop {
        let page = store.runs_before(before.as_ref(), 2).await.unwrap();
        let Some(last) = page.last() else { break };
        assert!(page.len() <= 2);
        before = Some(last.id.clone());
        seen.extend(page.into_iter().map(|run| run.id.to_string()));
    }
    assert_eq!(seen, ["R5", "R4", "R3", "R2", "R1"]);
    let unknown = RunId::from("R9");
    assert_eq!(store.runs_before(Some(&unknown), 2).await.unwrap().len(), 0);
}

pub async fn operations_are_read_by_status_page_by_page<S: Store>(store: &S) {
    let mut rows = joiners(&["E1", "E2", "E3"]);
    rows.extend([rejected(5), row(6, "E4", Change::Mover, 1), rejected(7)]);
    commit(store, "R1", rows, at(0)).await;
    commit(store, "R2", joiners(&["E8"]), at(1)).await;
    let run = RunId::from("R1");
    let read = async |statuses: &[OperationStatus]| {
        let (mut seen, mut after) = (Vec::new(), None);
        loop {
            let page = store.operations_with(&run, statuses, after, 2).await.unwrap();
            let Some(last) = page.last() else { return seen };
            assert!(page.len() <= 2);
            after = Some(last.id);
            seen.extend(page.iter().map(|operation| operation.row.unwrap()));
        }
    };
    assert_eq!(read(&[OperationStatus::Rejected]).await, [5, 7]);
    assert_eq!(read(&[OperationStatus::Queued]).await, [2, 3, 4, 6]);
    let both = [OperationStatus::Rejected, OperationStatus::Queued];
    assert_eq!(read(&both).await.len(), 6);
    assert_eq!(read(&[OperationStatus::Failed]).await, [0; 0]);
    assert_eq!(read(&[]).await, [0; 0]);
}

pub async fn everything_is_counted<S: Store>(store: &S) {
    assert_eq!(store.tally().await.unwrap(), crate::store::Tally::default());
    commit(store, "R1", vec![row(2, "E1", Change::Joiner, 1), rejected(3)], at(0)).await;
    let mut draft = store.draft(&target()).await.unwrap();
    draft.push(joiners(&["E2"])).await.unwrap();
    let mut planned = new_run("R2", 1 + 40 + 2);
    (planned.unchanged, planned.out_of_scope) = (40, 2);
    draft.commit(planned, at(1)).await.unwrap();

    let tally = store.tally().await.unwrap();
    assert_eq!(
        tally.runs.into_iter().collect::<Vec<_>>(),
        [((target(), RunStatus::Delivering), 2)]
    );
    let counts = tally.operations.get(&target()).copied().unwrap();
    let counted: Vec<_> = counts.iter().filter(|(_, count)| *count > 0).collect();
    let expected = [
        (OperationStatus::Rejected, 1),
        (OperationStatus::OutOfScope, 2),
        (OperationStatus::Unchanged, 40),
        (OperationStatus::Queued, 2),
    ];
    assert_eq!(counted, expected);
}
