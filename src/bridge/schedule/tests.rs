//! Times that come while a test moves the clock, pass by pass.

use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::Timestamp;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use crate::bridge::schedule::{Timetable, name};
use crate::bridge::{Applying, Bridge, Setup};
use crate::domain::{Clock, RunStatus, SourceName};
use crate::store::{DueTime, Run, ScheduleNote};

struct HandClock(Mutex<Timestamp>);

impl Clock for HandClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }
}

/// A bridge with one schedule, and a clock that is moved by hand.
struct Stand {
    folder: TempDir,
    clock: Arc<HandClock>,
    bridge: Arc<Bridge>,
    table: Timetable,
}

const CONFIG: &str = r#"
[target.entra]
tenant_id = "11111111-1111-1111-1111-111111111111"
client_id = "22222222-2222-2222-2222-222222222222"
service_principal_id = "33333333-3333-3333-3333-333333333333"
job_id = "API2AAD.a.b"
authority_url = "http://127.0.0.1:9"
graph_url = "http://127.0.0.1:9"
credential = { client_secret = { env = "SECRET" } }

[source.hr]
target = "entra"
time_zone = "UTC"
guard = { min_rows = false, max_rejects = false, max_inactive = false }
schedule = { cron = "CRON", file = "daily.csv", settle = "1ms" }

[source.hr.mapping]
externalId = "Id"
userName = "Id"
active = { const = true }
"#;

impl Stand {
    /// Begun at noon of the first of September.
    async fn begun(cron: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("scimport.toml");
        fs::write(&config, CONFIG.replace("CRON", cron)).unwrap();
        let setup = Setup::load(&config, &[]).unwrap();
        let clock = Arc::new(HandClock(Mutex::new(at("01T12:00"))));
        let handed: Arc<dyn Clock> = Arc::clone(&clock) as Arc<dyn Clock>;
        let bridge = Arc::new(Bridge::open(setup, handed, Vec::new()).unwrap());
        let table = Timetable::new(&bridge, &source()).unwrap();
        let mut stand = Self { folder, clock, bridge, table };
        stand.pass().await;
        stand
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("daily.csv")
    }

    fn write(&self, workers: usize) {
        let ids = (0..workers).map(|number| format!("E{number}"));
        let lines: Vec<String> = std::iter::once("Id".to_owned()).chain(ids).collect();
        fs::write(self.file(), lines.join("\n") + "\n").unwrap();
    }

    fn move_to(&self, text: &str) {
        *self.clock.0.lock().unwrap() = at(text);
    }

    /// One pass; gives how long the next may wait.
    async fn pass(&mut self) -> Duration {
        for entry in &mut self.table.entries {
            entry.again_at = None;
        }
        let wait = self.table.pass(&CancellationToken::new()).await;
        // what was seen once settles
        tokio::time::sleep(Duration::from_millis(5)).await;
        wait
    }

    async fn passes(&mut self) {
        for _ in 0..3 {
            self.pass().await;
        }
    }

    /// What a process does that starts now.
    async fn restarted(&mut self) {
        self.table.lease = None;
        self.table = Timetable::new(&self.bridge, &source()).unwrap();
        self.passes().await;
    }

    async fn runs(&self) -> Vec<Run> {
        let mut runs = self.bridge.store.runs(100).await.unwrap();
        runs.reverse();
        runs
    }

    async fn note(&self) -> ScheduleNote {
        let config = &self.bridge.setup.config().sources[0].schedules[0];
        self.bridge.store.schedule(&source(), &name(config)).await.unwrap().unwrap()
    }

    async fn keep(&self, note: &ScheduleNote) {
        let config = &self.bridge.setup.config().sources[0].schedules[0];
        self.bridge.store.note_schedule(&source(), &name(config), note).await.unwrap();
    }
}

fn source() -> SourceName {
    "hr".into()
}

/// An instant of September, as `01T12:00`.
fn at(text: &str) -> Timestamp {
    format!("2026-09-{text}:00Z").parse().unwrap()
}

#[tokio::test]
async fn a_time_that_comes_is_a_run_and_the_first_of_a_source_waits() {
    let mut stand = Stand::begun("0 5 * * *").await;
    stand.write(3);
    let wait = stand.pass().await;
    assert!(stand.runs().await.is_empty() && wait <= Duration::from_secs(30));
    stand.move_to("02T05:00");
    stand.passes().await;
    let runs = stand.runs().await;
    assert_eq!((runs.len(), runs[0].status), (1, RunStatus::Held), "nobody has asked for it");
    let note = stand.note().await;
    assert_eq!((note.through, note.due, note.alarmed), (at("02T05:00"), None, None));
}

#[tokio::test]
async fn a_file_that_grows_is_waited_for() {
    let mut stand = Stand::begun("0 5 * * *").await;
    stand.move_to("02T05:00");
    for rows in 1..5 {
        stand.write(rows);
        stand.pass().await;
        assert!(stand.runs().await.is_empty());
    }
    stand.passes().await;
    assert_eq!(stand.runs().await[0].rows, 4);
}

/// A process that dies between the commit of a run and the note of it.
#[tokio::test]
async fn what_a_dead_process_committed_is_not_done_again_and_what_came_since_is() {
    let mut stand = Stand::begun("0 5 * * *").await;
    stand.write(3);
    stand.move_to("02T05:00");
    stand.passes().await;
    let done = stand.note().await;
    let run = stand.runs().await[0].id.clone();
    let due = DueTime { at: at("02T05:00"), run, missed: 0 };
    stand.keep(&ScheduleNote { through: at("01T12:00"), due: Some(due), ..done }).await;
    stand.move_to("04T06:00");
    stand.write(4);
    stand.restarted().await;
    let runs = stand.runs().await;
    assert_eq!(runs.iter().map(|run| run.rows).collect::<Vec<_>>(), [3, 4]);
    assert_eq!(stand.note().await.through, at("04T05:00"));
}

/// A process that dies before it commits: the id is there, the run is not.
#[tokio::test]
async fn what_a_dead_process_began_gets_the_id_that_was_made_for_it() {
    let mut stand = Stand::begun("0 5 * * *").await;
    let due = DueTime { at: at("02T05:00"), run: "01TESTTESTTESTTESTTESTTEST".into(), missed: 0 };
    let note = ScheduleNote { due: Some(due), ..ScheduleNote::from(at("01T12:00")) };
    stand.keep(&note).await;
    stand.write(3);
    stand.move_to("02T05:01");
    stand.restarted().await;
    let runs = stand.runs().await;
    assert_eq!((runs.len(), runs[0].id.as_str()), (1, "01TESTTESTTESTTESTTESTTEST"));
}

#[tokio::test]
async fn it_is_overdue_once_for_each_time_and_times_pile_up_to_one() {
    let mut stand = Stand::begun("0 * * * *").await;
    stand.move_to("01T13:00");
    stand.passes().await;
    stand.move_to("01T14:59");
    stand.passes().await;
    assert_eq!(stand.note().await.alarmed, None, "the first has its two hours");
    stand.move_to("01T15:00");
    stand.pass().await;
    assert_eq!(stand.note().await.alarmed, Some(at("01T13:00")));
    stand.pass().await;
    let note = stand.note().await;
    assert_eq!((note.alarmed, note.due.unwrap().at), (Some(at("01T13:00")), at("01T15:00")));
    stand.move_to("01T17:00");
    stand.passes().await;
    assert_eq!(stand.note().await.alarmed, Some(at("01T15:00")));
    // nobody is there for days: one alarm for all of them
    stand.move_to("05T12:30");
    stand.restarted().await;
    let note = stand.note().await;
    assert_eq!((note.alarmed, note.through), (Some(at("05T10:00")), at("01T12:00")));
    assert!(note.due.unwrap().missed > 90);
    stand.write(3);
    stand.passes().await;
    let note = stand.note().await;
    assert_eq!((note.alarmed, note.due, note.through), (None, None, at("05T12:00")));
    assert_eq!(stand.runs().await.len(), 1);
}

#[tokio::test]
async fn the_file_of_before_has_not_come_but_one_that_was_applied_by_hand_has() {
    let mut stand = Stand::begun("0 5 * * *").await;
    stand.write(3);
    stand.move_to("02T05:00");
    stand.passes().await;
    stand.move_to("03T05:00");
    stand.passes().await;
    assert_eq!(stand.note().await.due.unwrap().at, at("03T05:00"), "it is waited for");
    stand.move_to("03T07:00");
    stand.passes().await;
    assert_eq!(stand.note().await.alarmed, Some(at("03T05:00")));
    stand.write(4);
    stand.passes().await;
    assert_eq!((stand.note().await.alarmed, stand.runs().await.len()), (None, 2));
    // somebody applies the next one before its time
    stand.write(5);
    stand.move_to("04T04:00");
    let (file, applying) = (stand.file(), Applying::default());
    stand.bridge.apply("hr", &file, applying, &mut |_| true).await.unwrap();
    stand.move_to("04T05:00");
    stand.passes().await;
    let note = stand.note().await;
    assert_eq!((note.due, note.through, stand.runs().await.len()), (None, at("04T05:00"), 3));
}

#[tokio::test]
async fn a_clock_that_was_ahead_keeps_no_schedule_from_going_on() {
    let mut stand = Stand::begun("0 5 * * *").await;
    stand.write(3);
    stand.keep(&ScheduleNote::from(at("29T12:00"))).await;
    stand.restarted().await;
    assert_eq!(stand.note().await.through, at("01T12:00"));
    stand.move_to("02T05:00");
    stand.passes().await;
    assert_eq!(stand.runs().await.len(), 1);
    // an hour back is only a clock that was put right
    stand.move_to("02T04:30");
    stand.restarted().await;
    stand.move_to("02T05:10");
    stand.restarted().await;
    let note = stand.note().await;
    assert_eq!((note.through, note.due, stand.runs().await.len()), (at("02T05:00"), None, 1));
}
