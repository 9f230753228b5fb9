//! Who is missing from a complete file, and what broken files do to nobody.
//!
//! Invariant 3: nothing dangerous unasked. An empty, header-only or visibly cut file never
//! deactivates anybody; a well-formed one only when it is complete.

use serde_json::{Value, json};

use crate::support::{HEADER, Stage, counts, worker, worker_id, workers};

const FULL: &str = r#"export = "full"
leavers = { when_missing = "deactivate" }"#;

/// The file of so many people without some of them.
fn without(count: usize, missing: &[usize]) -> String {
    let rows = (0..count).filter(|number| !missing.contains(number));
    let lines = std::iter::once(HEADER.to_owned()).chain(rows.map(|number| worker(number, 1)));
    lines.collect::<Vec<_>>().join("\n") + "\n"
}

async fn day(stage: &Stage, text: &str, code: i32) -> Value {
    stage.write("workers.csv", text);
    stage.apply("workers.csv", &["--wait", "outcome"]).await.assert_code(code).json()
}

async fn enabled(stage: &Stage) -> usize {
    let directory = stage.directory().await;
    directory.values().filter(|user| user["accountEnabled"] == true).count()
}

async fn assert_all_enabled(stage: &Stage, count: usize) {
    assert_eq!(enabled(stage).await, count, "somebody was disabled");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_missing_from_a_complete_file_leaves_with_the_last_resource() {
    let stage = Stage::with_rules(FULL).await;
    day(&stage, &workers(100, 1), 0).await;
    let run = day(&stage, &without(100, &[7, 42]), 0).await;
    assert_eq!(counts(&run), [("provisioned".into(), 2), ("unchanged".into(), 98)].into());
    assert_eq!((&run["rows"], &run["without_row"]), (&json!(98), &json!(2)));
    assert_eq!((&run["changes"]["leaver"], &run["changes"]["missing"]), (&json!(2), &json!(2)));
    let directory = stage.directory().await;
    for number in [7, 42] {
        let user = &directory[&worker_id(number)];
        assert_eq!(user["accountEnabled"], false, "{user}");
        // the full last resource, not a stub
        assert_eq!(user["displayName"], format!("First{number} Last{number}"));
        assert_eq!(user["department"], "Department 1");
    }
    assert_eq!(enabled(&stage).await, 98);
    let operations = stage.operations(run["run"].as_str().unwrap()).await;
    assert_eq!((&operations[0]["row"], &operations[0]["line"]), (&Value::Null, &Value::Null));

    // still missing: nothing more happens to them; back again: enabled
    let run = day(&stage, &without(100, &[7, 42, 43]), 0).await;
    assert_eq!(run["changes"]["missing"], 1);
    let run = day(&stage, &workers(100, 1), 4).await;
    assert_eq!(run["held_by"][0]["guard"], "older_file", "the bytes of the first day: {run}");
    let run = day(&stage, &without(100, &[42]), 0).await;
    assert_eq!(run["changes"]["rehire"], 2, "{run}");
    assert_eq!(enabled(&stage).await, 99);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_after_so_many_complete_files_in_a_row_and_reappearing_begins_anew() {
    let rules = r#"export = "full"
leavers = { when_missing = "deactivate", after = 2 }"#;
    let stage = Stage::with_rules(rules).await;
    day(&stage, &workers(100, 1), 0).await;
    let run = day(&stage, &without(100, &[7]), 0).await;
    assert_eq!((&run["changes"]["missing"], &run["without_row"]), (&json!(1), &json!(0)));
    // there again, with another file, and missing anew: it is the first time once more
    day(&stage, &without(100, &[8]), 0).await;
    let run = day(&stage, &without(100, &[7, 9]), 0).await;
    assert_eq!((&run["changes"]["missing"], &run["without_row"]), (&json!(2), &json!(0)));
    assert_all_enabled(&stage, 100).await;
    let run = day(&stage, &without(100, &[7, 10]), 0).await;
    assert_eq!((&run["changes"]["missing"], &run["without_row"]), (&json!(2), &json!(1)));
    assert_eq!(stage.directory().await[&worker_id(7)]["accountEnabled"], false);
    assert_eq!(enabled(&stage).await, 99);
}

#[tokio::test(flavor = "multi_thread")]
async fn grace_has_to_be_over() {
    let rules = r#"export = "full"
leavers = { when_missing = "deactivate", grace = "3d" }"#;
    let stage = Stage::with_rules(rules).await;
    day(&stage, &workers(100, 1), 0).await;
    let run = day(&stage, &without(100, &[7]), 0).await;
    assert_eq!((&run["changes"]["missing"], &run["without_row"]), (&json!(1), &json!(0)));
    stage.pass(2 * 86_400).await;
    assert_eq!(day(&stage, &(without(100, &[7]) + "\n"), 0).await["without_row"], 0);
    stage.pass(86_400).await;
    assert_eq!(day(&stage, &(without(100, &[7]) + "\n\n"), 0).await["without_row"], 1);
}

/// By default the missing are listed, and nobody is deactivated.
#[tokio::test(flavor = "multi_thread")]
async fn missing_people_are_only_listed_unless_the_source_says_so() {
    let stage = Stage::with_rules("export = \"full\"").await;
    day(&stage, &workers(100, 1), 0).await;
    stage.write("workers.csv", &without(100, &[7]));
    let plan = stage.run(&["plan", "workers.csv", "--source", "hr", "--json"]).await;
    assert_eq!(plan.assert_code(0).json()["missing"], json!(["E0007"]));
    let words = stage.run(&["plan", "workers.csv", "--source", "hr"]).await;
    assert!(words.out.contains("E0007"), "{}", words.out);
    let run = day(&stage, &without(100, &[7]), 0).await;
    assert_eq!((&run["changes"]["missing"], &run["changes"]["leaver"]), (&json!(1), &json!(0)));
    assert_all_enabled(&stage, 100).await;
}

/// A file of changes names some people; absence says nothing.
#[tokio::test(flavor = "multi_thread")]
async fn a_file_of_changes_misses_nobody() {
    let stage = Stage::with_rules("export = \"changes\"").await;
    day(&stage, &workers(100, 1), 0).await;
    let run = day(&stage, &workers(3, 2), 0).await;
    assert_eq!((&run["changes"]["missing"], &run["complete"]), (&json!(0), &Value::Null));
    assert_all_enabled(&stage, 100).await;
}

/// What is rejected, out of scope or passed over names its person; a rejected row that names nobody
/// could be anybody's.
#[tokio::test(flavor = "multi_thread")]
async fn rows_that_come_to_nothing_name_their_people_all_the_same() {
    let rules = format!("{FULL}\nscope = 'Department != \"Secret\"'\nrows = {{ pick = \"last\" }}");
    let stage = Stage::with_rules(&rules).await;
    day(&stage, &workers(100, 1), 0).await;
    // rejected with an id; out of scope; two rows of one worker
    let text = workers(100, 1)
        .replace("E0007,Active", "E0007,Unheard")
        .replace("First8,Last8,Department 1", "First8,Last8,Secret")
        .replace(&worker(9, 1), &format!("{}\n{}", worker(9, 1), worker(9, 1)));
    let run = day(&stage, &text, 3).await;
    assert_eq!(run["changes"]["missing"], 0, "{run}");
    // a row without an id: nobody is taken for missing, and it is said
    let text = without(100, &[7]).replace("E0042,Active", ",Active");
    stage.write("workers.csv", &text);
    let ran = stage.apply("workers.csv", &["--wait", "outcome"]).await;
    let run = ran.assert_code(3).assert_says("without a readable externalId").json();
    assert_eq!((&run["changes"]["missing"], &run["without_row"]), (&json!(0), &json!(0)));
    assert_all_enabled(&stage, 100).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn broken_and_half_files_after_a_good_day_deactivate_nobody_and_say_why() {
    let stage = Stage::with_rules(FULL).await;
    let whole = workers(100, 1);
    day(&stage, &whole, 0).await;
    let cut = &whole[..whole.len() - 30];
    let zeros = "\0".repeat(4_096);
    for (text, code) in [
        ("", "source.empty"),
        (HEADER, "source.no-rows"),
        (cut, "source."),
        (zeros.as_str(), "source."),
        ("Nr;Name\n1;Ann\n", "source.missing-columns"),
    ] {
        stage.write("workers.csv", text);
        let ran = stage.apply("workers.csv", &["--wait", "outcome"]).await;
        let run = ran.assert_code(1).assert_says("hint: ").json();
        assert_eq!(run["status"], "failed");
        assert!(run["problem"]["code"].as_str().unwrap().starts_with(code), "{run}");
        assert_all_enabled(&stage, 100).await;
    }
    // well-formed and half: held; approved, it applies its rows and derives no absence
    let half = without(100, &(50..100).collect::<Vec<_>>()).replace("First7,", "Anew7,");
    stage.write("workers.csv", &half);
    let ran = stage.apply("workers.csv", &["--wait", "outcome"]).await;
    let run = ran.assert_code(4).assert_says("incomplete_file").assert_says("not complete").json();
    assert_eq!(run["status"], "held");
    let expected = json!([{"guard": "incomplete_file", "limit": "90%", "value": 50, "of": 100}]);
    assert_eq!(run["held_by"], expected);
    stage.run(&["approve", "latest"]).await.assert_code(0);
    stage.run(&["work", "--until", "settled"]).await.assert_code(0);
    assert_eq!(stage.directory().await[&worker_id(7)]["displayName"], "Anew7 Last7");
    assert_all_enabled(&stage, 100).await;
    // the last complete file is still the first one
    stage.write("workers.csv", &half.replace("Anew7,", "Anew8,"));
    stage.apply("workers.csv", &[]).await.assert_code(4).assert_says("incomplete_file");
    // the first day's bytes, days later
    let run = day(&stage, &whole, 4).await;
    assert_eq!(run["held_by"][0]["guard"], "older_file");
    assert_all_enabled(&stage, 100).await;
}

/// 91 of 100 rows are enough, and a proven trailer is enough whatever the number.
#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_complete_by_its_share_or_by_its_trailer() {
    let rules = r#"export = "full"
leavers = { when_missing = "deactivate" }
complete = { min_share = "80%", trailer = { starts_with = "TRL", count = 2 } }
guard = { max_leavers = "80%", max_changes = false }"#;
    let stage = Stage::with_rules(rules).await;
    day(&stage, &(workers(50, 1) + "TRL,50\n"), 0).await;
    let forty = without(50, &(40..50).collect::<Vec<_>>());
    let run = day(&stage, &forty, 0).await;
    assert_eq!((&run["complete"], &run["without_row"]), (&json!(true), &json!(10)));
    let few = without(20, &[]);
    let run = day(&stage, &few, 4).await;
    assert_eq!((&run["complete"], &run["held_by"][0]["limit"]), (&json!(false), &json!("80%")));
    let run = day(&stage, &(few + "TRL,20\n"), 0).await;
    assert_eq!((&run["complete"], &run["without_row"]), (&json!(true), &json!(20)));
    assert_eq!(enabled(&stage).await, 20);
}

/// Absence touches the records that the source owns; another source's row for one of them is
/// rejected unless it may take over.
#[tokio::test(flavor = "multi_thread")]
async fn records_are_owned_by_the_source_that_last_sent_them() {
    const MAPPING: &str = r#"
externalId = "Id"
userName = "Login"
active = { from = "Status", map = { Active = true, Left = false } }
"enterprise:department" = "Department"
"#;
    let feeds = ["hr", "payroll", "heir"].map(|name| {
        let more = if name == "heir" { "takes_over = [\"hr\"]" } else { "" };
        format!(
            "[source.{name}]\ntarget = \"entra\"\n{FULL}\nguard = {{ max_rejects = false }}\n{more}\n\n[source.{name}.mapping]{MAPPING}\n"
        )
    });
    let stage = Stage::with_feeds(crate::support::quick(), &feeds.concat()).await;
    stage.write("workers.csv", &workers(60, 1));
    stage.apply("workers.csv", &["--wait", "outcome"]).await.assert_code(0);
    let other = [HEADER.to_owned(), worker(0, 2), worker(1_000, 2)].join("\n");
    stage.write("other.csv", &other);
    let apply = |source| ["apply", "other.csv", "--source", source, "--wait", "outcome", "--json"];
    let run = stage.run(&apply("payroll")).await.assert_code(3).json();
    // nobody of the other source is missing
    assert_eq!(counts(&run), [("provisioned".into(), 1), ("rejected".into(), 1)].into());
    assert_eq!(run["changes"]["missing"], 0);
    let run = stage.run(&apply("heir")).await.json();
    assert_eq!(counts(&run), [("provisioned".into(), 1), ("rejected".into(), 1)].into());
    let directory = stage.directory().await;
    assert_eq!(directory["E0000"]["department"], "Department 2");
    // whom the heir took over is not missing from the first source's next file
    let run = day(&stage, &without(60, &[0]), 0).await;
    assert_eq!(run["changes"]["missing"], 0, "{run}");
    assert_eq!(enabled(&stage).await, 61);
}
