//! Operations that the log says nothing of when it is read as a whole: it is asked for each person
//! alone before anybody is given up.

use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;
use scimport::domain::{Clock, OperationStatus, RunId, SourceName, TargetName};
use scimport::store::{
    Jobs, NewRun, Operations, Outbox, Outcomes, PlannedRow, ResentWhy, Runs, Settlement,
    SqliteStore,
};
use scimport::tracking::{Look, Tracker, TrackerSettings};
use serde_json::json;
use wiremock::matchers::{method, path};
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

use crate::entra_support::{MovedClock, client_at, give_tokens};
use crate::store_support;

const LOG: &str = "/v1.0/auditLogs/provisioning";

fn target() -> TargetName {
    TargetName::from("entra")
}

fn joiner(number: usize, id: &str) -> PlannedRow {
    let resource = format!(r#"{{"externalId":"{id}"}}"#).into_bytes();
    PlannedRow { line: None, ..store_support::joiner(number as u64 + 2, id, resource) }
}

/// A store whose people were sent, one after the other, as the clock says.
async fn sent(people: &[&str], clock: &MovedClock) -> Arc<SqliteStore> {
    let store = SqliteStore::in_memory().unwrap();
    let mut draft = store.draft(&target()).await.unwrap();
    let rows = people.iter().enumerate().map(|(number, id)| joiner(number, id)).collect();
    draft.push(rows).await.unwrap();
    let source = SourceName::from("hr");
    let run = NewRun {
        rows: people.len() as u64,
        ..NewRun::new(RunId::from("R1"), source, target(), clock.now())
    };
    draft.commit(run, clock.now()).await.unwrap();
    for second in 0.. {
        let at = clock.now() + SignedDuration::from_secs(second);
        let Some(claim) = store.claim(&target(), 1, "guid".into(), at).await.unwrap() else {
            break;
        };
        store.accepted(claim.id, None, at, at).await.unwrap();
    }
    Arc::new(store)
}

/// A log that shows nobody, unless it is asked for one of these alone.
async fn log_of(shown: &'static [&'static str]) -> MockServer {
    let server = MockServer::start().await;
    give_tokens(&server).await;
    let answer = move |request: &Request| {
        let query: Vec<_> = request.url.query_pairs().collect();
        let filter = &query.iter().find(|(name, _)| name == "$filter").unwrap().1;
        let asked_for = |id: &&&str| {
            filter.ends_with(&format!("sourceIdentity/id eq '{}'", id.replace('\'', "''")))
        };
        let event = |id: &&str| {
            json!({"id": format!("event of {id}"), "changeId": id,
                "activityDateTime": "2026-09-01T10:30:00Z", "sourceIdentity": {"id": id},
                "provisioningAction": "create", "provisioningStatusInfo": {"status": "success"}})
        };
        let events: Vec<_> = shown.iter().filter(asked_for).map(event).collect();
        ResponseTemplate::new(200).set_body_json(json!({ "value": events }))
    };
    Mock::given(method("GET")).and(path(LOG)).respond_with(answer).mount(&server).await;
    server
}

fn tracker(store: &Arc<SqliteStore>, server: &MockServer, clock: &MovedClock) -> Tracker {
    let settings = TrackerSettings {
        target: target(),
        first_poll: Duration::from_mins(5),
        poll: Duration::from_secs(30),
        unconfirmed_after: Duration::from_mins(90),
        reads: 1_000,
        reads_window: Duration::from_secs(1),
        has_log: true,
    };
    let client = client_at(&server.uri(), server, clock);
    Tracker::new(Arc::clone(store) as Arc<_>, client, Arc::new(clock.clone()), settings)
}

/// How often the log was asked for somebody alone.
async fn asked_alone(server: &MockServer) -> usize {
    let requests = server.received_requests().await.unwrap();
    requests.iter().filter(|request| request.url.as_str().contains("sourceIdentity")).count()
}

async fn statuses(store: &SqliteStore) -> Vec<(String, OperationStatus)> {
    let operations = store.operations(&RunId::from("R1"), None, 100).await.unwrap();
    let one = |operation: &scimport::store::Operation| {
        (operation.external_id.as_ref().unwrap().to_string(), operation.status)
    };
    operations.iter().map(one).collect()
}

#[tokio::test]
async fn the_log_is_asked_for_each_person_before_anybody_is_given_up() {
    let people = [
        "O'Neill", "E02", "E03", "E04", "E05", "E06", "E07", "E08", "E09", "E10", "E11", "a&b=1",
        "E13",
    ];
    let clock = MovedClock::default();
    let server = log_of(&["O'Neill", "a&b=1"]).await;
    let store = sent(&people, &clock).await;
    let mut tracker = tracker(&store, &server, &clock);
    clock.advance(3_600);
    let look = tracker.step().await.unwrap();
    assert_eq!(look, Look::Looked { settled: 0, unconfirmed: 0 });
    assert_eq!(asked_alone(&server).await, 0, "a cycle may need more time than this");

    clock.advance(3_600);
    let look = tracker.step().await.unwrap();
    assert_eq!(look, Look::Looked { settled: 1, unconfirmed: 0 });
    assert_eq!(asked_alone(&server).await, 10, "so many at one look");
    clock.advance(60);
    let look = tracker.step().await.unwrap();
    assert_eq!(look, Look::Looked { settled: 1, unconfirmed: 11 });
    assert_eq!(asked_alone(&server).await, 13, "nobody twice");
    for (id, status) in statuses(&store).await {
        let is_shown = id == "O'Neill" || id == "a&b=1";
        let expected =
            if is_shown { OperationStatus::Provisioned } else { OperationStatus::Unconfirmed };
        assert_eq!(status, expected, "{id}");
    }
}

#[tokio::test]
async fn where_asking_the_oldest_finds_nothing_all_are_given_up_at_once() {
    let people: Vec<String> = (10..50).map(|number| format!("E{number}")).collect();
    let people: Vec<&str> = people.iter().map(String::as_str).collect();
    let clock = MovedClock::default();
    let server = log_of(&[]).await;
    let store = sent(&people, &clock).await;
    let mut tracker = tracker(&store, &server, &clock);
    clock.advance(7_200);
    let look = tracker.step().await.unwrap();
    assert_eq!(look, Look::Looked { settled: 0, unconfirmed: 40 });
    assert_eq!(asked_alone(&server).await, 10);
    assert!(store.open_window(&target()).await.unwrap().is_none());
}

/// Sent clearly earlier than what is settled, and unknown to the log: sent again, but once.
#[tokio::test]
async fn what_was_passed_over_is_sent_again_once() {
    let clock = MovedClock::default();
    let server = log_of(&[]).await;
    let store = sent(&["E01", "E02", "E03"], &clock).await;
    let mut tracker = tracker(&store, &server, &clock);
    let operations = store.operations(&RunId::from("R1"), None, 100).await.unwrap();
    // a later sending of somebody else is settled
    let settle = async |sent_at| {
        let mut draft = store.draft(&target()).await.unwrap();
        draft.push(vec![joiner(9, "E09")]).await.unwrap();
        let (source, id) = (SourceName::from("payroll"), format!("R{sent_at}"));
        let run =
            NewRun { rows: 1, ..NewRun::new(RunId::from(id.as_str()), source, target(), sent_at) };
        draft.commit(run, sent_at).await.unwrap();
        let claim = store.claim(&target(), 1, "guid".into(), sent_at).await.unwrap().unwrap();
        assert_eq!(claim.operations[0].external_id.as_str(), "E09");
        store.accepted(claim.id, None, sent_at, sent_at).await.unwrap();
        let outcome = Settlement {
            operation: claim.operations[0].id,
            status: OperationStatus::Provisioned,
            code: Some("created".to_owned()),
            deed: None,
            awaits_manager: false,
            reason: None,
            advice: None,
            change_id: None,
            event_at: sent_at,
        };
        store.settle(vec![outcome], sent_at).await.unwrap();
    };
    clock.advance(3_600);
    settle(clock.now()).await;
    clock.advance(3_600);
    tracker.step().await.unwrap();
    let expected = [OperationStatus::Queued; 3];
    assert_eq!(statuses(&store).await.into_iter().map(|one| one.1).collect::<Vec<_>>(), expected);
    let resent = store.resent(&target()).await.unwrap().unwrap();
    assert_eq!((resent.operations, resent.why), (3, ResentWhy::Overtaken));

    let again = clock.now();
    let claim = store.claim(&target(), 50, "guid".into(), again).await.unwrap().unwrap();
    assert_eq!(claim.operations.len(), operations.len());
    store.accepted(claim.id, None, again, again).await.unwrap();
    clock.advance(3_600);
    settle(clock.now()).await;
    clock.advance(3_600);
    tracker.step().await.unwrap();
    let expected = [OperationStatus::Unconfirmed; 3];
    assert_eq!(statuses(&store).await.into_iter().map(|one| one.1).collect::<Vec<_>>(), expected);
}

/// The clock goes back an hour, or is an hour behind the server's: the log is read in time all the
/// same.
#[tokio::test(start_paused = true)]
async fn a_clock_that_goes_back_does_not_keep_the_log_from_being_read() {
    let clock = MovedClock::default();
    let server = log_of(&[]).await;
    let store = sent(&["E01"], &clock).await;
    let mut tracker = tracker(&store, &server, &clock);
    clock.advance(600);
    assert!(matches!(tracker.step().await.unwrap(), Look::Looked { .. }));
    assert!(matches!(tracker.step().await.unwrap(), Look::At(_)));
    clock.advance(-3_600);
    tokio::time::advance(Duration::from_mins(5)).await;
    assert!(matches!(tracker.step().await.unwrap(), Look::Looked { .. }));
    assert!(matches!(tracker.step().await.unwrap(), Look::At(_)), "and then at the usual pace");
    clock.advance(30);
    assert!(matches!(tracker.step().await.unwrap(), Look::Looked { .. }));
}
