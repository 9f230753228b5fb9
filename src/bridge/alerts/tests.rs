//! What the store says, found and told.

use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, Ordering};

use async_trait::async_trait;
use jiff::Timestamp;

use super::*;
use crate::bridge::Setup;
use crate::config::Config;
use crate::domain::{AlertKind, Clock, OperationStatus, RunId};
use crate::store::conformance::sample::joiners;
use crate::store::{
    CallLimits, Commit, JobSeen, NewRun, Settlement, StoreTrouble, StoreTroubleKind, TakesPlaceOf,
};
use crate::telemetry::alerts::{Facts, Notice};

const TENANT: &str = "11111111-1111-1111-1111-111111111111";
const CONFIG: &str = r#"
[target.entra]
tenant_id = "11111111-1111-1111-1111-111111111111"
client_id = "22222222-2222-2222-2222-222222222222"
service_principal_id = "33333333-3333-3333-3333-333333333333"
job_id = "API2AAD.a.b"
credential = { client_secret = { env = "SECRET" } }
authority_url = "http://127.0.0.1:9"
graph_url = "http://127.0.0.1:9"
daily_calls = 5

[source.hr]
target = "entra"

[source.hr.mapping]
externalId = "Id"
active = { const = true }

[alerts]
nothing_settled_after = "4h"
"#;

/// Seconds since some day.
struct Moved(AtomicI64);

impl Clock for Moved {
    fn now(&self) -> Timestamp {
        at(self.0.load(Ordering::Relaxed))
    }
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

/// What was said.
#[derive(Default)]
struct Ear(Mutex<Vec<String>>);

#[async_trait]
impl Channel for Ear {
    fn name(&self) -> &'static str {
        "ear"
    }

    async fn tell(&self, notice: &Notice) -> Result<String, ChannelError> {
        let Notice::Alerts(message) = notice else { panic!("nobody tests") };
        self.0.lock().unwrap().push(format!("{} {}", message.kind, message.state.as_str()));
        Ok(String::new())
    }
}

struct Played {
    bridge: Bridge,
    clock: Arc<Moved>,
    ear: Arc<Ear>,
    lookout: Lookout,
    rounds: Rounds,
}

impl Played {
    async fn new() -> Self {
        let setup = Setup::new(Config::parse(CONFIG, Path::new("."), []).unwrap()).unwrap();
        let config = setup.config().alerts.clone().unwrap();
        let (clock, ear) = (Arc::new(Moved(AtomicI64::new(0))), Arc::new(Ear::default()));
        let bridge =
            Bridge::open_read_only(setup, Arc::clone(&clock) as Arc<dyn Clock>, Vec::new());
        let bridge = bridge.unwrap();
        let channels = vec![Arc::clone(&ear) as Arc<dyn Channel>];
        let book =
            bridge.open_book(&config, &channels, at(0), &CancellationToken::new()).await.unwrap();
        let rounds = Rounds::new(book, channels);
        Self { bridge, clock, ear, lookout: Lookout::new(config), rounds }
    }

    /// Looks at a second, and again when what is new is no longer gathered; gives what was said.
    async fn said_at(&mut self, second: i64) -> Vec<String> {
        for later in [0, 3, 6] {
            self.clock.0.store(second + later, Ordering::Relaxed);
            self.bridge.alert_once(&mut self.lookout, &mut self.rounds).await;
            self.rounds.all_sent(&*self.clock).await;
        }
        std::mem::take(&mut *self.ear.0.lock().unwrap())
    }

    async fn commit(&self, run: &str, workers: &[&str]) {
        let target = TargetName::new("entra");
        let run = NewRun {
            job: "t/s/j".to_owned(),
            rows: workers.len() as u64,
            takes_place_of: TakesPlaceOf::Nothing,
            ..NewRun::new(RunId::new(run), "hr".into(), target.clone(), self.clock.now())
        };
        let rows = joiners(workers);
        let mut draft = self.bridge.store.draft(&target).await.unwrap();
        draft.push(rows).await.unwrap();
        assert_eq!(draft.commit(run, self.clock.now()).await.unwrap(), Commit::Done);
    }
}

const HOUR: i64 = 3_600;

#[tokio::test]
async fn operations_without_any_outcome_are_told_after_the_time_for_that() {
    let mut played = Played::new().await;
    let target = TargetName::new("entra");
    played.commit("R1", &["E1", "E2"]).await;
    let store = Arc::clone(&played.bridge.store);
    let claim = store.claim(&target, 50, "guid".to_owned(), at(0)).await.unwrap().unwrap();
    store.accepted(claim.id, None, at(0), at(0)).await.unwrap();
    assert_eq!(played.said_at(3 * HOUR).await, [""; 0]);
    assert_eq!(played.said_at(4 * HOUR).await, ["nothing_settled raised"]);
    // given up is not settled
    let words = || "why".to_owned();
    store.unconfirm(&target, at(HOUR), words(), words(), at(5 * HOUR)).await.unwrap();
    assert_eq!(played.said_at(5 * HOUR).await, [""; 0]);
    let settled = Settlement {
        operation: claim.operations[0].id,
        status: OperationStatus::Provisioned,
        code: Some("created".into()),
        deed: None,
        awaits_manager: false,
        reason: None,
        advice: None,
        change_id: Some("change".into()),
        event_at: at(HOUR),
    };
    store.settle(vec![settled], at(6 * HOUR)).await.unwrap();
    assert_eq!(played.said_at(6 * HOUR).await, ["nothing_settled over"], "some were");
}

#[tokio::test]
async fn a_job_is_told_of_by_the_state_in_which_it_was_last_seen() {
    let mut played = Played::new().await;
    played.commit("R1", &["E1"]).await;
    let target = TargetName::new("entra");
    let mut see = async |second, code: &str, quarantine: Option<&str>| {
        let seen = JobSeen {
            code: code.to_owned(),
            quarantine: quarantine.map(str::to_owned),
            delete_threshold: None,
            at: at(second),
        };
        played.bridge.store.note_job(&target, seen).await.unwrap();
        played.said_at(second).await
    };
    assert_eq!(see(100, "Active", None).await, [""; 0]);
    assert_eq!(see(200, "Paused", None).await, ["job_paused raised"]);
    let both = ["job_paused over", "job_quarantined raised"];
    assert_eq!(see(300, "Quarantine", Some("TooManyDeletes")).await, both);
    assert_eq!(see(400, "Active", None).await, ["job_quarantined over"]);
}

#[tokio::test]
async fn calls_that_do_not_carry_what_waits_are_told() {
    let mut played = Played::new().await;
    let workers: Vec<String> = (0..150).map(|number| format!("E{number}")).collect();
    let workers: Vec<&str> = workers.iter().map(String::as_str).collect();
    played.commit("R1", &workers).await;
    assert_eq!(played.said_at(10).await, [""; 0], "three requests, five calls");
    let limits = CallLimits {
        burst: 40,
        window: Duration::from_secs(5),
        margin: Duration::ZERO,
        daily: 5,
        lost_after: Duration::from_mins(10),
    };
    for _ in 0..3 {
        let target = TargetName::new("entra");
        played.bridge.store.begin_call(TENANT, &target, limits, at(20)).await.unwrap();
    }
    assert_eq!(played.said_at(30).await, ["quota_short raised"]);
    assert_eq!(played.said_at(25 * HOUR).await, ["quota_short over"]);
}

#[tokio::test]
async fn trouble_with_the_store_is_told_and_is_over_when_none_shows_any_more() {
    let mut played = Played::new().await;
    let trouble = StoreTrouble { kind: StoreTroubleKind::DiskFull, code: 13 };
    played.bridge.note_trouble(&trouble);
    assert_eq!(played.said_at(0).await, ["store_trouble raised"]);
    assert_eq!(played.bridge.conditions.active()[&AlertKind::StoreTrouble], 1);
    played.bridge.note_trouble(&trouble);
    assert_eq!(played.said_at(590).await, [""; 0]);
    assert_eq!(played.said_at(620).await, ["store_trouble over"]);
    assert_eq!(played.bridge.conditions.active().len(), 0);
}

#[tokio::test]
async fn what_others_notice_is_told_and_kept() {
    let mut played = Played::new().await;
    let overdue = Facts::FileOverdue { source: "hr".to_owned(), expected_at: at(0) };
    played.bridge.conditions.raise(overdue, at(5));
    assert_eq!(played.said_at(10).await, ["file_overdue raised"]);
    let kept = played.bridge.store.alerts().await.unwrap().unwrap();
    assert_eq!((kept.since, kept.alerts.len()), (at(0), 1));
    // what was told last is kept with the next look
    assert_eq!(kept.told.len(), 1);
    played.bridge.conditions.clear(AlertKind::FileOverdue, "hr");
    assert_eq!(played.said_at(20).await, ["file_overdue over"]);
}
