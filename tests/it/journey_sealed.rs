//! Encryption under load: files go on being applied while the store is rekeyed, and whoever rekeys
//! is killed in the middle. And what happens to what is kept when its time is over.

use std::time::Duration;

use fastrand::Rng;
use serde_json::json;

use crate::sealed_support::{KEYS, holds, in_the_clear, stored};
use crate::support::{Stage, UNGUARDED, count, counts, ended, killed_after, worker_id, workers};

const PEOPLE: usize = 1_500;

fn words(line: &str) -> Vec<&str> {
    line.split(' ').collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn rekeyed_and_killed_under_load_everybody_arrives_and_nothing_lies_open() {
    let stage = Stage::with_rules(UNGUARDED).await;
    let config = std::fs::read_to_string(stage.path("scimport.toml")).unwrap();
    for (name, key) in ["one.key", "two.key"].into_iter().zip(KEYS) {
        stage.write(name, key);
    }
    stage.write("workers.csv", &workers(PEOPLE, 1));
    stage.apply("workers.csv", &["--wait", "outcome"]).await.assert_code(0);
    let plain = stored(&stage, &worker_id(12));
    assert!(plain.len() > 60 && holds(&stage, &plain));
    let nights = [
        "[store]\nkey = { file = \"one.key\" }\n",
        "[store]\nkey = { file = \"two.key\" }\nold_keys = [{ file = \"one.key\" }]\n",
    ];
    let mut rng = Rng::with_seed(11);
    let (mut kills, mut version) = (0, 1);
    for store in nights {
        version += 1;
        stage.write("scimport.toml", &format!("{config}\n{store}"));
        stage.write("workers.csv", &workers(PEOPLE, version));
        let apply = stage.start(&words("apply workers.csv --source hr --json --wait outcome"));
        for _ in 0..6 {
            let child = stage.start(&words("store rekey --json"));
            let ran = killed_after(child, Duration::from_millis(rng.u64(20..400))).await;
            kills += u32::from(ran.code == -1);
        }
        let done = stage.run(&words("store rekey --json")).await;
        done.assert_code(0);
        let done = done.json();
        assert_eq!((&done["left"], &done["finished"]), (&json!(0), &json!(true)), "{done}");
        let run = ended(apply, "apply").await;
        run.assert_code(0);
        assert_eq!(counts(&run.json()), [("provisioned".into(), PEOPLE as u64)].into());
        stage.assert_directory_is(PEOPLE, version).await;
        assert!(!holds(&stage, &plain), "version {version}");
        assert_eq!(in_the_clear(&stage), 0);
        let again = stage.run(&words("store rekey --json")).await.json();
        assert_eq!(again["rewritten"], 0, "{again}");
    }
    assert!(kills > 2, "only {kills} kills hit");
    // the first key is not needed any more
    stage.write("scimport.toml", &format!("{config}\n[store]\nkey = {{ file = \"two.key\" }}\n"));
    let run = stage.apply("workers.csv", &["--wait", "outcome"]).await;
    run.assert_code(0).assert_says("already applied as");
    stage.assert_limits_are_kept().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_kept_long_enough_is_let_go_and_the_books_stay_right() {
    const FEW: usize = 30;
    const DAY: u64 = 86_400;
    let stage = Stage::with_rules(UNGUARDED).await;
    let config = std::fs::read_to_string(stage.path("scimport.toml")).unwrap();
    stage.write(
        "scimport.toml",
        &format!("{config}\n[retention]\nruns = \"400d\"\nleft = \"90d\"\n"),
    );
    stage.write("workers.csv", &workers(FEW, 1));
    stage.apply("workers.csv", &["--wait", "outcome"]).await.assert_code(0);
    stage.pass(DAY).await;
    let leaving = worker_id(FEW - 1);
    let gone = workers(FEW, 2).replace(&format!("{leaving},Active"), &format!("{leaving},Left"));
    stage.write("workers.csv", &gone);
    stage.apply("workers.csv", &["--wait", "outcome"]).await.assert_code(0);
    let before = stage.runs().await;
    let whole = stored(&stage, &leaving).len();

    stage.pass(91 * DAY).await;
    let ran = stage.run(&["work"]).await;
    ran.assert_code(0).assert_says("of 1 people who left, no more is kept than who they were");
    assert!(stored(&stage, &leaving).len() < whole && in_the_clear(&stage) == 30);
    stage.pass(310 * DAY).await;
    let ran = stage.run(&["work"]).await;
    ran.assert_code(0).assert_says("30 old operations were let go; their runs go on counting them");
    assert_eq!(stage.runs().await, before);
    let oldest = before[0]["run"].as_str().unwrap();
    assert_eq!(count(&stage.status(oldest).await, "provisioned"), FEW as u64);
    assert!(stage.operations(oldest).await.is_empty());
    // the last operation of each is kept, and so the same people are nothing new
    stage.write("workers.csv", &format!("{gone}\n"));
    let run = stage.apply("workers.csv", &["--wait", "outcome"]).await.json();
    assert_eq!(counts(&run), [("unchanged".into(), FEW as u64)].into());
    // whoever comes back is whole again
    stage.write("workers.csv", &workers(FEW, 2));
    let run = stage.apply("workers.csv", &["--wait", "outcome"]).await.json();
    assert_eq!((count(&run, "provisioned"), &run["changes"]["rehire"]), (1, &json!(1)));
    stage.assert_directory_is(FEW, 2).await;
}
