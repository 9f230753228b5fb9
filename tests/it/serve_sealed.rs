//! A daemon whose store is encrypted, rekeyed and given another key while it works.

use serde_json::json;

use crate::sealed_support::{KEYS, holds, in_the_clear, stored};
use crate::serve_support::{QUICK, Serving, answered, drop_file, stage};
use crate::support::{Stage, worker_id, workers};

const PEOPLE: usize = 20;
const ONE: &str = "key = { file = \"one.key\" }";
const BOTH: &str = "key = { file = \"two.key\" }\nold_keys = [{ file = \"one.key\" }]";
const TWO: &str = "key = { file = \"two.key\" }";

/// Runs `store rekey` beside the daemon; gives how many values it rewrote.
async fn rekey(stage: &Stage) -> u64 {
    let ran = stage.run(&["store", "rekey", "--json"]).await;
    let done = ran.assert_code(0).json();
    assert_eq!((&done["left"], &done["nothing_left_behind"]), (&json!(0), &json!(true)), "{done}");
    done["rewritten"].as_u64().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_takes_a_key_and_another_one_without_a_pause() {
    let stage = stage(QUICK, PEOPLE).await;
    for (name, key) in ["one.key", "two.key"].into_iter().zip(KEYS) {
        stage.write(name, key);
    }
    let config = std::fs::read_to_string(stage.path("scimport.toml")).unwrap();
    let says = |lines: &str| {
        stage.write("scimport.toml", &format!("{config}\n[store]\n{lines}\n"));
    };
    let mut serving = Serving::start(&stage);
    drop_file(&stage, "workers.csv", &workers(PEOPLE, 2));
    let done = serving.has(&stage, "done", 1).await;
    answered(&done[0], "Status: completed").await;
    let plain = stored(&stage, &worker_id(12));
    assert!(plain.len() > 60 && holds(&stage, &plain));

    says(ONE);
    serving.reload(1).await;
    drop_file(&stage, "workers.csv", &workers(PEOPLE, 3));
    let done = serving.has(&stage, "done", 2).await;
    answered(&done[1], "Status: completed").await;
    // everybody has been sent since, under the key: nothing is left but what was there before
    assert_eq!(rekey(&stage).await, 0);
    assert!(!holds(&stage, &plain) && in_the_clear(&stage) == 0);

    // a key that opens nothing is not taken
    says(TWO);
    serving.hang_up().await;
    serving.says("the old config stays in force", 1).await;
    serving.says("the store is encrypted with key", 1).await;
    says(BOTH);
    serving.reload(2).await;
    assert_eq!(rekey(&stage).await, PEOPLE as u64);
    drop_file(&stage, "workers.csv", &workers(PEOPLE, 4));
    let done = serving.has(&stage, "done", 3).await;
    answered(&done[2], "Status: completed").await;
    says(TWO);
    serving.reload(3).await;
    drop_file(&stage, "workers.csv", &workers(PEOPLE, 5));
    let done = serving.has(&stage, "done", 4).await;
    answered(&done[3], "Status: completed").await;
    assert_eq!(rekey(&stage).await, 0);
    let log = serving.stop().await;
    assert!(!KEYS.iter().any(|key| log.contains(&key[..10])), "{log}");
    stage.assert_directory_is(PEOPLE, 5).await;
    assert!(!holds(&stage, &plain) && in_the_clear(&stage) == 0);
}
