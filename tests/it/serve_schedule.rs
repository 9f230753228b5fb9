//! `serve` reads by the clock: files, and what an HR system answers.

use std::time::Duration;

use fastrand::Rng;
use jiff::ToSpan as _;
use jiff::tz::TimeZone;
use wiremock::matchers::{any, header};
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::serve_support::{QUICK, Serving, answered, drop_file, stage_with};
use crate::support::{Stage, UNGUARDED, count, workers};

const PEOPLE: usize = 20;
const DAILY: &str = "time_zone = \"UTC\"\n\
    schedule = { cron = \"0 5 * * *\", file = \"daily.csv\", settle = \"200ms\" }";
const FOLLOWED: &str = "this schedule is followed from now on";
const PLANNED: &str = "the time's run is planned";
const MISSED: &str = "nobody was there when times of this schedule came";

/// A stage that knows its people, and whose schedules have been begun at noon.
async fn begun(rules: &str, env: &[(&str, &str)]) -> Stage {
    let stage = stage_with(&format!("{rules}\n{UNGUARDED}"), PEOPLE).await;
    to_hour(&stage, 1, 12).await;
    let serving = Serving::start_with(&stage, env);
    serving.says(FOLLOWED, 1).await;
    serving.stop().await;
    stage
}

/// Lets time pass to an hour of a later day, in UTC.
async fn to_hour(stage: &Stage, days: i32, hour: i8) {
    let today = stage.now().to_zoned(TimeZone::UTC).date();
    let then = today.saturating_add(days.days()).at(hour, 0, 0, 0);
    stage.pass_to(then.to_zoned(TimeZone::UTC).unwrap().timestamp()).await;
}

/// Waits until there are so many runs, and the last has ended.
async fn has_runs(stage: &Stage, number: usize, serving: &Serving) {
    for _ in 0..1800 {
        let runs = stage.runs().await;
        assert!(runs.len() <= number, "{runs:?}\n{}", serving.log());
        let ended = runs.last().is_some_and(|run| run["status"] == "completed");
        if runs.len() == number && ended {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("{:?}\n{}", stage.runs().await, serving.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn missed_times_are_caught_up_with_once_and_a_new_schedule_with_none() {
    let stage = begun(DAILY, &[]).await;
    stage.write("daily.csv", &workers(PEOPLE, 2));
    assert_eq!(stage.runs().await.len(), 1, "the times before its first start are not its own");
    to_hour(&stage, 3, 12).await;
    let serving = Serving::start(&stage);
    has_runs(&stage, 2, &serving).await;
    let log = serving.stop().await;
    assert!(log.contains(MISSED) && log.contains("missed=3"), "{log}");
    assert_eq!(log.matches(PLANNED).count(), 1, "{log}");
    stage.assert_directory_is(PEOPLE, 2).await;
    // a restart repeats nothing
    stage.write("daily.csv", &workers(PEOPLE, 3));
    let serving = Serving::start(&stage);
    serving.says("delivering to this target", 1).await;
    let log = serving.stop().await;
    assert!(!log.contains(MISSED) && !log.contains(FOLLOWED), "{log}");
    assert_eq!(stage.runs().await.len(), 2);
    // and the next time takes what is there then
    to_hour(&stage, 1, 6).await;
    let serving = Serving::start(&stage);
    has_runs(&stage, 3, &serving).await;
    let log = serving.stop().await;
    assert!(log.contains("missed=1"), "{log}");
    stage.assert_directory_is(PEOPLE, 3).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_does_not_come_is_told_once_and_taken_when_it_comes() {
    let stage = begun(DAILY, &[]).await;
    to_hour(&stage, 1, 6).await;
    let serving = Serving::start(&stage);
    serving.says("is waited for: it is not there", 1).await;
    let log = serving.stop().await;
    assert!(!log.contains("is overdue"), "an hour late is not two: {log}");
    to_hour(&stage, 0, 8).await;
    let serving = Serving::start(&stage);
    serving.says("is overdue", 1).await;
    let log = serving.stop().await;
    assert!(log.contains("it is not there"), "{log}");
    // once, also over a restart
    let serving = Serving::start(&stage);
    serving.says("is waited for: it is not there", 1).await;
    stage.write("daily.csv", &workers(PEOPLE, 2));
    serving.says("was overdue and has come after all", 1).await;
    has_runs(&stage, 2, &serving).await;
    let log = serving.stop().await;
    assert!(!log.contains(" is overdue"), "{log}");
    // yesterday's file again has not come
    to_hour(&stage, 1, 8).await;
    let serving = Serving::start(&stage);
    serving.says(" is overdue", 1).await;
    let log = serving.stop().await;
    assert!(log.contains("it is the one that came before"), "{log}");
    assert_eq!(stage.runs().await.len(), 2);
    // a day later it is overdue anew
    to_hour(&stage, 1, 8).await;
    let serving = Serving::start(&stage);
    serving.says(" is overdue", 1).await;
    stage.write("daily.csv", &workers(PEOPLE, 3));
    serving.says("was overdue and has come after all", 1).await;
    has_runs(&stage, 3, &serving).await;
    serving.stop().await;
    stage.assert_directory_is(PEOPLE, 3).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_file_is_a_failed_run_and_its_time_is_over() {
    let stage = begun(DAILY, &[]).await;
    stage.write("daily.csv", "WorkerID\n");
    for day in 1..=2 {
        to_hour(&stage, 1, 6).await;
        let serving = Serving::start(&stage);
        serving.says("what came was refused", 1).await;
        serving.stop().await;
        let serving = Serving::start(&stage);
        serving.says("delivering to this target", 1).await;
        let log = serving.stop().await;
        assert!(!log.contains("refused"), "{log}");
        let runs = stage.runs().await;
        assert_eq!(runs.len(), 1 + day, "{runs:?}");
        assert_eq!(runs[day]["status"], "failed");
    }
}

/// Invariants 1 and 2 over deaths at any instant: each time becomes a run, once.
#[tokio::test(flavor = "multi_thread")]
async fn killed_at_any_instant_it_loses_no_time_and_doubles_none() {
    let stage = begun(DAILY, &[]).await;
    let mut rng = Rng::with_seed(7);
    for version in 2..6 {
        stage.write("daily.csv", &workers(PEOPLE, version));
        to_hour(&stage, 1, 6).await;
        for _ in 0..3 {
            let serving = Serving::start(&stage);
            tokio::time::sleep(Duration::from_millis(rng.u64(100..1_200))).await;
            serving.kill().await;
        }
        let serving = Serving::start(&stage);
        has_runs(&stage, usize::try_from(version).unwrap(), &serving).await;
        serving.stop().await;
        stage.assert_directory_is(PEOPLE, version).await;
        let last = stage.runs().await.pop().unwrap();
        assert_eq!(count(&last, "provisioned") + count(&last, "skipped"), PEOPLE as u64, "{last}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_hr_system_is_asked_for_everybody_when_the_time_comes() {
    let server = MockServer::start().await;
    let rules = format!(
        "time_zone = \"UTC\"\nschedule = {{ cron = \"0 5 * * *\", hydrate = {{ \
         url = \"{}/report?format=csv\", auth = {{ bearer = {{ env = \"HR_TOKEN\" }} }} }} }}",
        server.uri()
    );
    let env = [("HR_TOKEN", "s3cret")];
    let stage = begun(&rules, &env).await;
    let checked = stage.run_with(&["check"], &[]).await;
    checked.assert_code(2).assert_says("environment variable `HR_TOKEN` is not set");
    stage.run_with(&["check"], &env).await.assert_code(0);
    assert_eq!(server.received_requests().await.unwrap().len(), 0);
    // busy once, then there
    Mock::given(any())
        .respond_with(ResponseTemplate::new(503))
        .up_to_n_times(1)
        .mount(&server)
        .await;
    let report = ResponseTemplate::new(200).set_body_string(workers(PEOPLE, 2));
    Mock::given(header("authorization", "Bearer s3cret")).respond_with(report).mount(&server).await;
    to_hour(&stage, 1, 6).await;
    let serving = Serving::start_with(&stage, &env);
    has_runs(&stage, 2, &serving).await;
    serving.stop().await;
    stage.assert_directory_is(PEOPLE, 2).await;
    let file = stage.runs().await[1]["file"].as_str().unwrap().to_owned();
    assert!(file.starts_with("hr-") && file.ends_with("T0500"), "{file}");
    // the same answer is no run, and nothing to be told about
    to_hour(&stage, 1, 8).await;
    let serving = Serving::start_with(&stage, &env);
    serving.says("nothing has changed since this run", 1).await;
    let log = serving.stop().await;
    assert!(!log.contains("is overdue"), "{log}");
    assert_eq!(stage.runs().await.len(), 2);
    // a credential that does not work is told, and nothing of it is shown
    server.reset().await;
    Mock::given(any()).respond_with(ResponseTemplate::new(401)).mount(&server).await;
    to_hour(&stage, 1, 8).await;
    let serving = Serving::start_with(&stage, &env);
    serving.says("does not accept this bridge's credential (401)", 1).await;
    serving.says("is overdue", 1).await;
    let log = serving.stop().await;
    assert!(!log.contains("s3cret") && !log.contains("/report"), "{log}");
    assert_eq!(server.received_requests().await.unwrap().len(), 1, "not again and again");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watched_folder_tells_when_a_file_that_always_comes_does_not() {
    let folder = QUICK.trim_end_matches(" }");
    let rules = format!(
        "time_zone = \"UTC\"\n{folder}, expected = {{ cron = \"0 5 * * *\", within = \"2h\" }} }}"
    );
    let stage = stage_with(&format!("{rules}\n{UNGUARDED}"), PEOPLE).await;
    to_hour(&stage, 1, 12).await;
    let mut version = 1;
    let mut comes = async |stage: &Stage, serving: &mut Serving| {
        version += 1;
        drop_file(stage, "workers.csv", &workers(PEOPLE, version));
        let done = serving.has(stage, "done", usize::try_from(version - 1).unwrap()).await;
        answered(done.last().unwrap(), "Status: completed").await;
    };
    let mut serving = Serving::start(&stage);
    comes(&stage, &mut serving).await;
    serving.stop().await;
    // what came at noon did not come for the next morning
    to_hour(&stage, 1, 8).await;
    let serving = Serving::start(&stage);
    serving.says("is overdue", 1).await;
    let log = serving.stop().await;
    assert_eq!(log.matches("is overdue").count(), 1, "{log}");
    let mut serving = Serving::start(&stage);
    comes(&stage, &mut serving).await;
    serving.says("was overdue and has come after all", 1).await;
    let log = serving.stop().await;
    assert!(!log.contains(" is overdue"), "{log}");
    // one that comes early enough has come
    to_hour(&stage, 1, 4).await;
    let mut serving = Serving::start(&stage);
    comes(&stage, &mut serving).await;
    serving.stop().await;
    to_hour(&stage, 0, 8).await;
    let mut serving = Serving::start(&stage);
    comes(&stage, &mut serving).await;
    let log = serving.stop().await;
    assert!(!log.contains("overdue"), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_daemon_takes_each_time_and_one_of_two_does() {
    let rules = "time_zone = \"UTC\"\n\
        schedule = { cron = \"* * * * *\", file = \"daily.csv\", settle = \"200ms\" }";
    let stage = stage_with(&format!("{rules}\n{UNGUARDED}"), PEOPLE).await;
    stage.write("daily.csv", &workers(PEOPLE, 2));
    // not long before the next minute; where that is missed, the one after it comes as well
    let second = stage.now().to_zoned(TimeZone::UTC).second();
    if second < 45 {
        stage.pass(u64::try_from(45 - second).unwrap()).await;
    }
    let first = Serving::start(&stage);
    first.says(FOLLOWED, 1).await;
    let second = Serving::start(&stage);
    second.says("another process follows the schedules of this source", 1).await;
    first.says("a time of the schedule has come", 1).await;
    has_runs(&stage, 2, &first).await;
    first.stop().await;
    second.says("this process follows its schedules now", 1).await;
    second.stop().await;
    assert_eq!(stage.runs().await.len(), 2);
    stage.assert_directory_is(PEOPLE, 2).await;
}
