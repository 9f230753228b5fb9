//! Every credential is replaced while ten thousand operations are under way: no operation fails, no delivery
//! is refused, and the daemon is not started again.

#![cfg(unix)]

use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rcgen::{CertificateParams, KeyPair, PKCS_RSA_SHA256};
use scimport::mock_entra::CLIENT_SECRET;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;

use crate::hook_support::{KEYED, SECRET, Sender, Signed, worker};
use crate::serve_support::{QUICK, Serving};
use crate::support::{MAPPING, Stage, UNGUARDED, count, quick, workers};

/// Under way while everything is replaced.
const PEOPLE: usize = 10_000;
/// Their numbers begin behind those of the people of the webhooks.
const HOOK_PEOPLE: usize = 40;
const SIGNED: &str = "webhook = { verify = \"standard-webhooks\", secrets = [{ vault = \"hook\" }, { vault = \"hook-next\" }], records = \"/data\", coalesce = \"200ms\", rate = \"100000/1s\" }";

/// A secret put into the vault by the command, while whoever reads it goes on.
async fn secret(stage: &Stage, words: &[&str], value: &str) {
    let mut child =
        stage.command(&[&["secret"], words].concat(), &[]).stdin(Stdio::piped()).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    input.write_all(value.as_bytes()).await.unwrap();
    drop(input);
    let ended = child.wait_with_output().await.unwrap();
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
}

/// A certificate with its key, and alone.
fn certificate() -> (String, String) {
    let key = KeyPair::generate_for(&PKCS_RSA_SHA256).unwrap();
    let params = CertificateParams::new(vec!["scimport.example".to_owned()]).unwrap();
    let certificate = params.self_signed(&key).unwrap().pem();
    (format!("{certificate}{}", key.serialize_pem()), certificate)
}

/// A stage with a vault, two credentials of which the second is a certificate, a folder and two webhooks.
async fn stage() -> Stage {
    // without managers, everybody may go out at any time
    let mapping = MAPPING.replace("\"enterprise:manager\" = \"Manager\"\n", "");
    let feed = |name: &str, rules: &str| {
        format!(
            "[source.{name}]\ntarget = \"entra\"\n{rules}\n{UNGUARDED}\n\n[source.{name}.mapping]{mapping}\n"
        )
    };
    let feeds = [feed("hr", KEYED), feed("payroll", SIGNED), feed("files", QUICK)].concat();
    let stage = Stage::with_feeds(quick(), &feeds).await;
    let config = std::fs::read_to_string(stage.path("scimport.toml")).unwrap();
    let config = config.replace(
        "{ client_secret = { env = \"SCIMPORT_CLIENT_SECRET\" } }",
        "[{ client_secret = { vault = \"app\" } }, { certificate = { file = \"app.pem\" } }]",
    );
    let vault = "[vault]\npath = \"scimport.vault\"\nkey = { file = \"vault.key\" }\n";
    stage.write("scimport.toml", &format!("{vault}{config}"));
    std::fs::create_dir(stage.path("inbox")).unwrap();
    stage
}

/// Delivers until told to end, with what is right at the moment; counts what was taken.
async fn deliver(
    sender: Sender,
    key: Arc<std::sync::Mutex<String>>,
    signs: bool,
    over: Arc<AtomicBool>,
) -> u32 {
    let mut taken = 0;
    while !over.load(Ordering::Relaxed) {
        let person = PEOPLE
            + usize::try_from(taken).unwrap() % HOOK_PEOPLE
            + HOOK_PEOPLE * usize::from(signs);
        let body = worker(person, &format!("V{taken}"));
        let answer = if signs {
            let signed = Signed::now(&format!("d-{taken}"), &json!({ "data": body }));
            let request = sender.http.post(format!("{}/hooks/payroll", sender.url));
            let request = request
                .header("webhook-id", &signed.id)
                .header("webhook-timestamp", signed.timestamp)
                .header("webhook-signature", &signed.signature);
            request.body(signed.body).send().await.unwrap()
        } else {
            let sender = Sender { key: key.lock().unwrap().clone(), ..sender.clone() };
            sender.deliver(&body).await
        };
        assert_eq!(answer.status(), 202, "delivery {taken}, signed: {signs}");
        taken += 1;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    taken
}

/// Until so many token requests have been made since: then what was replaced has been used.
async fn tokens(stage: &Stage, more: u64) {
    let (before, began) = (stage.mock.count("token_requests").await, Instant::now());
    while stage.mock.count("token_requests").await < before + more {
        assert!(began.elapsed() < Duration::from_mins(2), "no token is asked for");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_credential_is_replaced_under_load_without_a_failure_or_a_restart() {
    let stage = stage().await;
    let (first_pem, first) = certificate();
    stage.write("app.pem", &first_pem);
    secret(&stage, &["set", "app"], CLIENT_SECRET).await;
    secret(&stage, &["set", "hook"], SECRET).await;
    secret(&stage, &["set", "hook-next"], SECRET).await;
    stage.mock.tell("certificates", &json!([first])).await;
    // a token every second: each is asked for with what is there at the moment
    stage.mock.tell("settings", &json!({ "token_lifetime_s": 1 })).await;
    let keys = Sender::keys(&stage).await;
    let serving = Serving::start(&stage);
    let pid = serving.pid();
    let sender = Sender::of(&serving, keys.clone()).await;
    let (key, over) = (Arc::new(std::sync::Mutex::new(keys.0.clone())), Arc::default());
    let keyed = tokio::spawn(deliver(sender.clone(), Arc::clone(&key), false, Arc::clone(&over)));
    let signed = tokio::spawn(deliver(sender.clone(), Arc::clone(&key), true, Arc::clone(&over)));
    stage.write("inbox/people.csv", &workers(PEOPLE, 1));
    let run = loop {
        // a first file of a folder is held
        let runs = stage.runs().await;
        if let Some(run) = runs.iter().find(|run| run["file"] == "people.csv") {
            break run["run"].as_str().unwrap().to_owned();
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    };
    stage.run(&["approve", &run]).await.assert_code(0);
    tokens(&stage, 2).await;

    // the client secret: both are good, then the new one alone
    stage
        .mock
        .tell("settings", &json!({ "client_secrets": [CLIENT_SECRET, "second-secret"] }))
        .await;
    secret(&stage, &["rotate", "app"], "second-secret").await;
    stage.mock.tell("settings", &json!({ "client_secrets": ["second-secret"] })).await;
    tokens(&stage, 2).await;

    // the vault's key, while tokens are asked for and deliveries are judged with what is in it
    secret(&stage, &["rotate", "--key"], "").await;
    tokens(&stage, 2).await;

    // the secret is taken away: the certificate takes its place, and is replaced in its turn
    stage.mock.tell("settings", &json!({ "client_secrets": [] })).await;
    tokens(&stage, 3).await;
    let (second_pem, second) = certificate();
    stage.mock.tell("certificates", &json!([first, second])).await;
    let beside = stage.write("app.pem.new", &second_pem);
    std::fs::rename(beside, stage.path("app.pem")).unwrap();
    tokens(&stage, 2).await;
    stage.mock.tell("certificates", &json!([second])).await;
    tokens(&stage, 2).await;

    // what senders call with: the key, and the secret that they sign with
    let id = stage.run(&["key", "list", "--json"]).await.json();
    let hook_key = id.as_array().unwrap().iter().find(|key| key["source"] == "hr").unwrap();
    let id = hook_key["id"].as_str().unwrap();
    let rotated = stage.run(&["key", "rotate", id, "--overlap", "1h", "--json"]).await;
    rotated.json()["key"].as_str().unwrap().clone_into(&mut key.lock().unwrap());
    tokio::time::sleep(Duration::from_millis(300)).await;
    stage.run(&["key", "revoke", id]).await.assert_code(0);
    secret(&stage, &["rotate", "hook"], "whsec_bm9ib2R5LXNpZ25zLXdpdGgtdGhpcy1vbmU=").await;
    tokio::time::sleep(Duration::from_millis(300)).await;

    // all of that while there was something to send
    let at_the_end = stage.status(&run).await;
    assert!(count(&at_the_end, "queued") > 0, "everything had gone out before: {at_the_end}");
    let began = Instant::now();
    let ended: Value = loop {
        let now = stage.status(&run).await;
        if now["status"] == "completed" {
            break now;
        }
        assert!(began.elapsed() < Duration::from_mins(5), "{now}\n{}", serving.log());
        tokio::time::sleep(Duration::from_millis(500)).await;
    };
    over.store(true, Ordering::Relaxed);
    let (keyed, signed) = (keyed.await.unwrap(), signed.await.unwrap());
    assert!(keyed > 20 && signed > 20, "{keyed} and {signed} deliveries");
    sender.until_processed().await;
    assert_eq!(count(&ended, "provisioned"), u64::try_from(PEOPLE).unwrap(), "{ended}");
    assert_eq!(serving.pid(), pid);
    let log = serving.stop().await;
    assert!(log.contains("the other one is used from now on"), "{log}");
    assert!(!log.contains("nothing is sent until this is mended"), "{log}");
    for secret in [CLIENT_SECRET, "second-secret", "BEGIN PRIVATE KEY", SECRET] {
        assert!(!log.contains(secret), "{log}");
    }
    for run in stage.runs().await {
        assert_eq!(count(&run, "failed") + count(&run, "unconfirmed"), 0, "{run}");
    }
    // how many calls fit a window is for the tests of limits: beside all this, calls arrive late
    let stats = stage.mock.ask("stats").await;
    assert_eq!(stats["overlapping_records"], json!([]), "nobody is in two requests at once");
}
