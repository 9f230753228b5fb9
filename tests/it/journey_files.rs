//! Files one after the other, and beside each other: only changes are sent, the newest wins, and two
//! processes do not get in each other's way.

use serde_json::{Value, json};

use crate::support::{Stage, count, counts, ended, worker, workers};

async fn calls(stage: &Stage) -> u64 {
    stage.mock.ask("stats").await["calls"].as_u64().unwrap()
}

/// Invariant 2: the bytes of the latest run are no new run; what is equal is not sent.
#[tokio::test(flavor = "multi_thread")]
async fn only_what_changed_is_sent() {
    let stage = Stage::new().await;
    let text = workers(120, 1);
    stage.write("workers.csv", &text);
    let first = stage.apply("workers.csv", &["--wait", "outcome"]).await.assert_code(0).json();
    assert_eq!((calls(&stage).await, first["bulk_requests"].as_u64()), (3, Some(3)));

    for _ in 0..2 {
        let again = stage.apply("workers.csv", &["--wait", "outcome"]).await;
        let words = format!("already applied as {}", first["run"].as_str().unwrap());
        // what was found out about the file was told when it was applied
        let mut again = again.assert_code(0).assert_says(&words).json();
        again["findings"] = first["findings"].clone();
        assert_eq!(again, first);
    }
    // under another name it is the same file still
    stage.write("other.csv", &text);
    assert_eq!(stage.apply("other.csv", &[]).await.assert_code(0).json()["run"], first["run"]);
    assert_eq!((stage.runs().await.len(), calls(&stage).await), (1, 3));

    // columns in another order, everything quoted, a BOM, semicolons, rows backwards
    let cells = |line: &str| line.split(',').map(str::to_owned).collect::<Vec<_>>();
    let lines: Vec<_> = text.lines().map(cells).collect();
    let write = |separator: &str, quote: &str, reverse: bool| {
        let line = |cells: &Vec<String>| {
            let mut cells: Vec<_> =
                cells.iter().map(|cell| format!("{quote}{cell}{quote}")).collect();
            if reverse {
                cells.reverse();
            }
            cells.join(separator) + "\n"
        };
        lines.iter().map(line).collect::<String>()
    };
    let mut backwards: Vec<_> = text.lines().skip(1).collect();
    backwards.reverse();
    let backwards = [&[text.lines().next().unwrap()], &backwards[..]].concat().join("\n");
    let same = [
        write(",", "", true),
        write(",", "\"", false),
        write(";", "", false),
        format!("\u{feff}{text}"),
        text.replace('\n', "\r\n"),
        backwards,
    ];
    for (at, text) in same.iter().enumerate() {
        stage.write("workers.csv", text);
        let run = stage.apply("workers.csv", &["--wait", "outcome"]).await.assert_code(0).json();
        assert_eq!(counts(&run), [("unchanged".into(), 120)].into(), "{at}");
        assert_eq!((&run["status"], &run["bulk_requests"]), (&json!("completed"), &json!(0)));
        assert_eq!(stage.runs().await.len(), at + 2);
    }
    assert_eq!(calls(&stage).await, 3);

    stage.write("workers.csv", &text.replace("First7,", "Changed7,"));
    let run = stage.apply("workers.csv", &["--wait", "outcome"]).await.assert_code(0).json();
    assert_eq!(counts(&run), [("provisioned".into(), 1), ("unchanged".into(), 119)].into());
    assert_eq!((&run["changes"]["mover"], calls(&stage).await), (&json!(1), 4));
    assert_eq!(stage.directory().await["E0007"]["displayName"], "Changed7 Last7");
}

/// Invariant 2: the latest version wins, and what it replaced is never sent.
#[tokio::test(flavor = "multi_thread")]
async fn a_newer_file_takes_the_place_of_what_is_still_queued() {
    let stage = Stage::new().await;
    stage.mock.tell("job", &json!({"code": "Paused"})).await;
    for version in 1..=3 {
        // each file has ten people more
        stage.write("workers.csv", &workers(90 + 10 * version as usize, version));
        stage.apply("workers.csv", &["--wait", "outcome"]).await.assert_code(6);
    }
    let runs = stage.runs().await;
    let expected: [(_, _, Value); 2] =
        [(100, "superseded", json!("completed")), (110, "superseded", json!("completed"))];
    for (run, (rows, status, state)) in runs.iter().zip(expected) {
        assert_eq!((count(run, status), &run["status"]), (rows, &state), "{run}");
        assert_eq!(run["bulk_requests"], 0);
    }
    assert_eq!(counts(&runs[2]), [("queued".into(), 120)].into());
    stage.mock.tell("job", &json!({"code": "Active"})).await;
    stage.run(&["work", "--until", "settled"]).await.assert_code(0);
    stage.assert_directory_is(120, 3).await;
    let stats = stage.assert_limits_are_kept().await;
    assert_eq!((&stats["calls"], &stats["records_staged_again"]), (&json!(3), &json!(0)));
    let reason = &stage.operations(runs[0]["run"].as_str().unwrap()).await[0]["reason"];
    assert!(reason.as_str().unwrap().contains(runs[1]["run"].as_str().unwrap()), "{reason}");
}

/// A newer file while the older one is being sent: whoever is in flight is followed by the newer
/// version, never joined by it.
#[tokio::test(flavor = "multi_thread")]
async fn a_newer_file_while_the_older_one_is_on_its_way_never_overtakes() {
    let stage = Stage::new().await;
    stage.mock.tell("settings", &json!({"latency_ms": 400})).await;
    stage.mock.tell("faults", &json!(["reset-after:3", "error-503:5"])).await;
    let mut older = Vec::new();
    for version in 1..=4 {
        let name = format!("workers-{version}.csv");
        stage.write(&name, &workers(310, version));
        let words = ["apply", &name, "--source", "hr", "--wait", "outcome"];
        if version < 4 {
            older.push(stage.start(&words));
            while stage.runs_now().await < version as usize {
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            }
        } else {
            stage.run(&words).await.assert_code(0);
        }
    }
    for child in older {
        ended(child, "apply").await.assert_code(0);
    }
    stage.run(&["work", "--until", "settled"]).await.assert_code(0);
    stage.assert_directory_is(310, 4).await;
    stage.assert_limits_are_kept().await;
    for run in stage.runs().await {
        assert_eq!((count(&run, "queued"), &run["status"]), (0, &json!("completed")), "{run}");
    }
}

/// One process delivers, the other waits and ends well; nothing is doubled.
#[tokio::test(flavor = "multi_thread")]
async fn two_sources_beside_each_other_share_a_target() {
    let stage = Stage::new().await;
    stage.mock.tell("settings", &json!({"latency_ms": 100})).await;
    let text = workers(310, 1);
    let header = text.lines().next().unwrap();
    let part = |from: usize, to: usize| {
        let lines: Vec<_> = (from..to).map(|number| worker(number, 1)).collect();
        format!("{header}\n{}\n", lines.join("\n"))
    };
    stage.write("hr.csv", &part(0, 200));
    stage.write("payroll.csv", &part(200, 310));
    for wait in ["accepted", "outcome"] {
        let start = |file, source| {
            stage.start(&["apply", file, "--source", source, "--json", "--wait", wait])
        };
        let (hr, payroll) = (start("hr.csv", "hr"), start("payroll.csv", "payroll"));
        let (hr, payroll) = tokio::join!(ended(hr, "apply hr"), ended(payroll, "apply payroll"));
        for (ran, rows) in [(hr, 200), (payroll, 110)] {
            let run = ran.assert_code(0).json();
            assert_eq!(run["rows"], rows);
            assert_eq!(count(&run, "accepted") + count(&run, "provisioned"), rows, "{run}");
        }
    }
    stage.run(&["work", "--until", "settled"]).await.assert_code(0);
    stage.assert_directory_is(310, 1).await;
    let stats = stage.assert_limits_are_kept().await;
    // whose manager was not known yet when the other source was quicker goes once more, and nobody else
    let runs = stage.runs().await;
    let again: u64 = runs
        .iter()
        .filter(|run| run["kind"] == "due")
        .map(|run| run["without_row"].as_u64().unwrap())
        .sum();
    assert!(again <= 11, "{runs:?}");
    assert_eq!(stats["records_staged_again"], again);
    assert_eq!(Some(stage.calls_noted().await), stats["calls"].as_u64());
    assert_eq!(runs.iter().filter(|run| run["kind"] == "file").count(), 2);
    // another source's people are not taken
    stage.write("payroll.csv", &part(100, 210));
    let ran = stage.run(&["apply", "payroll.csv", "--source", "payroll", "--json"]).await;
    let run = ran.assert_code(3).json();
    assert_eq!((count(&run, "rejected"), count(&run, "unchanged")), (100, 10));
}

/// The same file by several processes at once is one run.
#[tokio::test(flavor = "multi_thread")]
async fn the_same_file_by_several_processes_at_once_is_one_run() {
    let stage = Stage::new().await;
    stage.write("workers.csv", &workers(310, 1));
    let words = ["apply", "workers.csv", "--source", "hr", "--json", "--wait", "outcome"];
    let children: Vec<_> = (0..4).map(|_| stage.start(&words)).collect();
    let mut runs = std::collections::BTreeSet::new();
    for child in children {
        let run = ended(child, "apply").await.assert_code(0).json();
        runs.insert(run["run"].as_str().unwrap().to_owned());
    }
    assert_eq!((runs.len(), stage.runs().await.len()), (1, 1));
    stage.assert_directory_is(310, 1).await;
    let stats = stage.assert_limits_are_kept().await;
    assert_eq!((&stats["calls"], &stats["records_staged_again"]), (&json!(7), &json!(0)));
}
