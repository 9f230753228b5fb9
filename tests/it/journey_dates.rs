//! Dates that come: the bridge knows each record's next one, in the source's time zone, and sends by
//! itself, also after a machine was off over it.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use serde_json::{Value, json};

use crate::support::{Stage, UNGUARDED, counts, quick};

const HEADER: &str = "Id,Login,From,Until";

fn feed(name: &str, zone: &str, more: &str) -> String {
    format!(
        r#"
[source.{name}]
target = "entra"
time_zone = "{zone}"
{more}

[source.{name}.mapping]
externalId = "Id"
userName = "Login"
active = {{ between = ["From", "Until"] }}
"#
    )
}

fn row(id: &str, from: Date, until: Option<Date>) -> String {
    let until = until.map_or_else(String::new, |date| date.to_string());
    format!("{id},{}@contoso.example,{from},{until}\n", id.to_lowercase())
}

fn start(date: Date, zone: &str) -> Timestamp {
    date.to_zoned(TimeZone::get(zone).unwrap()).unwrap().timestamp()
}

async fn is_enabled(stage: &Stage, id: &str) -> Value {
    stage.directory().await.get(id).map_or(Value::Null, |user| user["accountEnabled"].clone())
}

async fn work(stage: &Stage) -> Value {
    stage.run(&["work", "--until", "settled", "--json"]).await.assert_code(0).json()
}

const AUCKLAND: &str = "Pacific/Auckland";
const LOS_ANGELES: &str = "America/Los_Angeles";

#[tokio::test(flavor = "multi_thread")]
async fn a_hire_and_a_leaver_change_at_midnight_of_their_own_time_zones() {
    let feeds = feed("nz", AUCKLAND, UNGUARDED) + &feed("us", LOS_ANGELES, UNGUARDED);
    let stage = Stage::with_feeds(quick(), &feeds).await;
    // noon UTC, so that nothing depends on when this test runs
    let noon = |date: Date| date.at(12, 0, 0, 0).to_zoned(TimeZone::UTC).unwrap().timestamp();
    let day = stage.now().to_zoned(TimeZone::UTC).date().tomorrow().unwrap();
    stage.pass_to(noon(day)).await;
    let mut instants = Vec::new();
    for (source, zone) in [("nz", AUCKLAND), ("us", LOS_ANGELES)] {
        let today = stage.now().to_zoned(TimeZone::get(zone).unwrap()).date();
        let tomorrow = today.tomorrow().unwrap();
        let rows = row(&format!("{source}-hire"), tomorrow, None)
            + &row(&format!("{source}-left"), today.yesterday().unwrap(), Some(today));
        stage.write("workers.csv", &format!("{HEADER}\n{rows}"));
        let apply = ["apply", "workers.csv", "--source", source, "--wait", "outcome", "--json"];
        let run = stage.run(&apply).await.assert_code(0).json();
        assert_eq!(run["changes"]["joiner_inactive"], 1, "{run}");
        instants.push((start(tomorrow, zone), source));
        let record = stage.run(&["record", &format!("{source}-hire"), "--json"]).await.json();
        let next = start(tomorrow, zone).to_string();
        assert_eq!(record["next_effective_at"].as_str(), Some(next.as_str()), "{record}");
    }
    instants.sort();
    assert_ne!(instants[0].0, instants[1].0);
    for (at, source) in instants {
        let (hire, left) = (format!("{source}-hire"), format!("{source}-left"));
        stage.pass_to(at - 90.seconds()).await;
        work(&stage).await;
        assert_eq!(is_enabled(&stage, &hire).await, false, "{hire}, a minute early");
        assert_eq!(is_enabled(&stage, &left).await, true, "{left}, a minute early");
        stage.pass_to(at).await;
        let runs = work(&stage).await;
        assert_eq!(is_enabled(&stage, &hire).await, true, "{hire}");
        assert_eq!(is_enabled(&stage, &left).await, false, "{left}");
        let run = &runs[0];
        assert_eq!((&run["kind"], &run["file"]), (&json!("due"), &Value::Null), "{run}");
        assert_eq!((&run["rows"], &run["without_row"]), (&json!(0), &json!(2)));
        assert_eq!(counts(run), [("provisioned".into(), 2)].into());
        let changes = &run["changes"];
        assert_eq!((&changes["rehire"], &changes["leaver"]), (&json!(1), &json!(1)));
        // nothing is due twice
        assert_eq!(work(&stage).await, json!([]));
    }
}

/// The next day's file says what the bridge has done by itself already.
#[tokio::test(flavor = "multi_thread")]
async fn the_next_file_after_a_date_changes_nothing_and_a_machine_that_was_off_catches_up() {
    let stage = Stage::with_feeds(quick(), &feed("hr", "UTC", UNGUARDED)).await;
    let today = stage.now().to_zoned(TimeZone::UTC).date();
    let day = |days: i64| today.checked_add(days.days()).unwrap();
    let text = format!(
        "{HEADER}\n{}{}{}",
        row("hire", day(2), None),
        row("short", day(3), Some(day(3))),
        row("stays", day(-9), None)
    );
    stage.write("workers.csv", &text);
    stage.apply("workers.csv", &["--wait", "outcome"]).await.assert_code(0);
    // off for a week: what began and ended meanwhile stays as it was, what began has begun
    stage.pass(7 * 86_400).await;
    let runs = work(&stage).await;
    assert_eq!(counts(&runs[0]), [("provisioned".into(), 1)].into(), "{runs}");
    assert_eq!(is_enabled(&stage, "hire").await, true);
    assert_eq!(is_enabled(&stage, "short").await, false);
    stage.write("workers.csv", &(text + "\n"));
    let run = stage.apply("workers.csv", &["--wait", "outcome"]).await.assert_code(0).json();
    assert_eq!(counts(&run), [("unchanged".into(), 3)].into());
    assert_eq!(work(&stage).await, json!([]));
}

/// A file read after the date does what the date would have done, once.
#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_is_the_same_is_mapped_again_once_its_date_has_come() {
    let stage = Stage::with_feeds(quick(), &feed("hr", "UTC", UNGUARDED)).await;
    let today = stage.now().to_zoned(TimeZone::UTC).date();
    let text = format!("{HEADER}\n{}", row("hire", today.tomorrow().unwrap(), None));
    stage.write("workers.csv", &text);
    stage.apply("workers.csv", &["--wait", "outcome"]).await.assert_code(0);
    stage.pass(2 * 86_400).await;
    stage.write("workers.csv", &(text + "\n"));
    let run = stage.apply("workers.csv", &["--wait", "outcome"]).await.assert_code(0).json();
    assert_eq!(run["changes"]["rehire"], 1, "{run}");
    assert_eq!(is_enabled(&stage, "hire").await, true);
    assert_eq!(work(&stage).await, json!([]));
}

/// A row that applies from a later day on is kept, and sent when the day comes; until then the row
/// of today counts. A newer file that no longer has it takes it back.
#[tokio::test(flavor = "multi_thread")]
async fn a_future_row_is_scheduled_and_a_newer_file_may_take_it_back() {
    let feed = format!(
        r#"
[source.hr]
target = "entra"
export = "full"
time_zone = "UTC"
rows = {{ by = "From" }}
{UNGUARDED}

[source.hr.mapping]
externalId = "Id"
userName = "Login"
active = {{ const = true }}
title = "Job"
"#
    );
    let stage = Stage::with_feeds(quick(), &feed).await;
    let today = stage.now().to_zoned(TimeZone::UTC).date();
    let day = |days: i64| today.checked_add(days.days()).unwrap();
    let row = |id: &str, from: Date, job: &str| format!("{id},{id}@contoso.example,{from},{job}\n");
    let now = row("a", day(-100), "Clerk") + &row("b", day(-100), "Clerk");
    let later = row("a", day(2), "Chief") + &row("b", day(2), "Chief") + &row("c", day(2), "New");
    let header = "Id,Login,From,Job\n";
    stage.write("workers.csv", &format!("{header}{now}{later}"));
    let run = stage.apply("workers.csv", &["--wait", "outcome"]).await.assert_code(0).json();
    let expected =
        [("out_of_scope".into(), 1), ("provisioned".into(), 2), ("superseded".into(), 2)];
    assert_eq!(counts(&run), expected.into());
    let record = stage.run(&["record", "a", "--json"]).await.json();
    let next = start(day(2), "UTC").to_string();
    assert_eq!(record["next_effective_at"].as_str(), Some(next.as_str()), "{record}");
    // the next file knows nothing of b's new job
    let later = row("a", day(2), "Chief") + &row("c", day(2), "New");
    stage.write("workers.csv", &format!("{header}{now}{later}"));
    stage.apply("workers.csv", &["--wait", "outcome"]).await.assert_code(0);
    work(&stage).await;
    assert_eq!(stage.directory().await["a"]["jobTitle"], "Clerk");
    stage.pass(2 * 86_400).await;
    let runs = work(&stage).await;
    let changes = &runs[0]["changes"];
    assert_eq!((&changes["mover"], &changes["joiner"]), (&json!(1), &json!(1)), "{runs}");
    let directory = stage.directory().await;
    let titles = ["a", "b", "c"].map(|id| directory[id]["jobTitle"].clone());
    assert_eq!(titles, [json!("Chief"), json!("Clerk"), json!("New")]);
    assert_eq!(work(&stage).await, json!([]));
}

/// Dates are small runs: a day of them is judged together, and held whole.
#[tokio::test(flavor = "multi_thread")]
async fn due_dates_are_counted_together_over_a_day_and_held_by_guards() {
    let stage =
        Stage::with_feeds(quick(), &feed("hr", "UTC", "guard = { max_leavers = \"10\" }")).await;
    let today = stage.now().to_zoned(TimeZone::UTC).date();
    let day = |days: i64| today.checked_add(days.days()).unwrap();
    let mut text = format!("{HEADER}\n");
    for number in 0..40 {
        let until = match number {
            0..6 => Some(day(1)),
            6..12 => Some(day(2)),
            _ => None,
        };
        text += &row(&format!("w{number:02}"), day(-50), until);
    }
    stage.write("workers.csv", &text);
    stage.apply("workers.csv", &["--wait", "outcome"]).await.assert_code(0);
    stage.pass_to(start(day(2), "UTC") + 23.hours()).await;
    let runs = work(&stage).await;
    assert_eq!(runs[0]["changes"]["leaver"], 6);
    // two hours later the next six: twelve in a day
    stage.pass(2 * 3_600).await;
    let ran = stage.run(&["work", "--until", "settled", "--json"]).await;
    let runs = ran.assert_code(4).assert_says("max_leavers").json();
    assert_eq!((&runs[0]["status"], &runs[0]["held_by"][0]["value"]), (&json!("held"), &json!(12)));
    // what is held is not planned again
    stage.run(&["work", "--until", "settled"]).await.assert_code(0);
    assert_eq!(stage.runs().await.len(), 3);
    assert_eq!(is_enabled(&stage, "w06").await, true);
    stage.run(&["approve", runs[0]["run"].as_str().unwrap()]).await.assert_code(0);
    work(&stage).await;
    assert_eq!(is_enabled(&stage, "w06").await, false);
}

/// The clock of a rehearsal is for rehearsals.
#[tokio::test(flavor = "multi_thread")]
async fn the_rehearsal_clock_is_refused_where_a_target_is_no_stand_in() {
    let stage = Stage::new().await;
    stage.pass(60).await;
    let config = std::fs::read_to_string(stage.path("scimport.toml")).unwrap();
    let real: Vec<_> = config.lines().filter(|line| !line.contains("_url")).collect();
    stage.write("scimport.toml", &real.join("\n"));
    let ran = stage.run(&["status"]).await;
    ran.assert_code(2).assert_says("SCIMPORT_REHEARSAL_CLOCK").assert_says("hint: ");
}
