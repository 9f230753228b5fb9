//! What a running `serve` has in its memory once a token is there: not what it was asked for with.
//!
//! To read the memory of another process takes a right that not every machine gives; without it these
//! tests say so.

#![cfg(target_os = "linux")]

use std::fs::File;
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::process::Stdio;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::json;
use tokio::io::AsyncWriteExt as _;

use crate::entra_certificates::{PASSWORD, Pair, pair};
use crate::serve_support::{QUICK, Serving, drop_file};
use crate::support::{Stage, UNGUARDED, workers};

/// What is kept of a vault is wiped 10 s after its last use; a thread's stack is used again some time.
const PATIENCE: Duration = Duration::from_secs(90);
/// Bytes that are read at once.
const CHUNK: usize = 1 << 20;
const SECRET: &str = "q7Vx~Zk3+Rj9/Unlikely.Ws5=Td2Lm8";
/// What is in the memory of every `serve` of a stage: if it were not found, the search would be worth
/// nothing.
const CONTROL: &str = "22222222-3333-4444-8555-666666666666";

/// Whether this process may look into another one: `CAP_SYS_PTRACE`.
fn may_look() -> bool {
    const SYS_PTRACE: u32 = 19;
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let rights = status.lines().find_map(|line| line.strip_prefix("CapEff:")).unwrap().trim();
    u64::from_str_radix(rights, 16).unwrap() >> SYS_PTRACE & 1 == 1
}

/// How often each of the texts stands in what the process may write to.
fn find(pid: u32, wanted: &[Vec<u8>]) -> Vec<usize> {
    let longest = wanted.iter().map(Vec::len).max().unwrap();
    let maps = std::fs::read_to_string(format!("/proc/{pid}/maps")).unwrap();
    let memory = File::open(format!("/proc/{pid}/mem")).unwrap();
    let mut found = vec![0; wanted.len()];
    let mut chunk = vec![0; CHUNK + longest - 1];
    for line in maps.lines().filter(|line| line.split(' ').nth(1).unwrap().starts_with("rw")) {
        let (from, to) = line.split(' ').next().unwrap().split_once('-').unwrap();
        let end = u64::from_str_radix(to, 16).unwrap();
        let mut at = u64::from_str_radix(from, 16).unwrap();
        while at < end {
            let length = usize::try_from(end - at).unwrap().min(chunk.len());
            // what was mapped when the list was made may be gone
            let Ok(read) = memory.read_at(&mut chunk[..length], at) else { break };
            for (text, found) in wanted.iter().zip(&mut found) {
                let last = read.min(CHUNK + text.len() - 1);
                *found += memchr::memmem::find_iter(&chunk[..last], text).count();
            }
            at += CHUNK as u64;
        }
    }
    found
}

/// Puts a value into the vault.
async fn keep(stage: &Stage, name: &str, value: &[u8]) {
    let mut child =
        stage.command(&["secret", "set", name], &[]).stdin(Stdio::piped()).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    input.write_all(value).await.unwrap();
    drop(input);
    let ended = child.wait_with_output().await.unwrap();
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
}

/// A stage that holds this credential in a vault.
async fn stage(credential: &str) -> Stage {
    let stage = Stage::with_rules(&format!("{QUICK}\n{UNGUARDED}")).await;
    let config = std::fs::read_to_string(stage.path("scimport.toml")).unwrap();
    let usual = "{ client_secret = { env = \"SCIMPORT_CLIENT_SECRET\" } }";
    assert!(config.contains(usual));
    let config = config.replace(usual, credential);
    let vault = "[vault]\npath = \"scimport.vault\"\nkey = { file = \"vault.key\" }\n";
    stage.write("scimport.toml", &format!("{vault}{config}"));
    std::fs::create_dir(stage.path("inbox")).unwrap();
    stage
}

/// Sends something, then waits until nothing of these is in memory any more.
async fn assert_nothing_is_left(stage: &Stage, secrets: &[(&str, Vec<u8>)]) {
    let serving = Serving::start(stage);
    serving.url().await;
    drop_file(stage, "a.csv", &workers(5, 1));
    serving.says("the run is held", 1).await;
    stage.run(&["approve", "latest"]).await.assert_code(0);
    let sent = Instant::now();
    while stage.directory().await.len() < 5 {
        assert!(sent.elapsed() < PATIENCE, "nothing was sent:\n{}", serving.log());
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    let mut wanted: Vec<_> = secrets.iter().map(|(_, bytes)| bytes.clone()).collect();
    wanted.push(CONTROL.into());
    let pid = serving.pid();
    let began = Instant::now();
    loop {
        let mut found = {
            let wanted = wanted.clone();
            tokio::task::spawn_blocking(move || find(pid, &wanted)).await.unwrap()
        };
        assert_ne!(found.pop(), Some(0), "the search finds nothing at all");
        if found.iter().all(|copies| *copies == 0) {
            break;
        }
        let names = secrets.iter().map(|(name, _)| name).zip(&found);
        assert!(began.elapsed() < PATIENCE, "in memory: {:?}", names.collect::<Vec<_>>());
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    serving.stop().await;
}

#[tokio::test]
async fn neither_a_client_secret_nor_the_vaults_key_stays_in_memory() {
    if !may_look() {
        eprintln!("skipped: this process may not read the memory of another one");
        return;
    }
    let stage = stage("{ client_secret = { vault = \"app\" } }").await;
    stage.mock.tell("settings", &json!({ "client_secret": SECRET })).await;
    keep(&stage, "app", SECRET.as_bytes()).await;
    let key = std::fs::read_to_string(stage.path("vault.key")).unwrap();
    let key = key.lines().find(|line| line.starts_with("AGE-SECRET-KEY-")).unwrap();
    let encoded = BASE64_STANDARD.encode(SECRET);
    let secrets = [
        ("the client secret", SECRET.into()),
        ("the client secret, encoded for a form", b"q7Vx~Zk3%2BRj9%2FUnlikely.Ws5%3DTd2Lm8".into()),
        ("the client secret in Base64", encoded.trim_end_matches('=').into()),
        ("the vault's key", key.into()),
    ];
    assert_nothing_is_left(&stage, &secrets).await;
}

#[tokio::test]
async fn neither_a_certificates_key_nor_its_password_stays_in_memory() {
    if !may_look() {
        eprintln!("skipped: this process may not read the memory of another one");
        return;
    }
    let credential =
        "{ certificate = { vault = \"app\" }, password = { vault = \"app-password\" } }";
    let stage = stage(credential).await;
    let Pair { certificate, key, pfx } = pair();
    keep(&stage, "app", BASE64_STANDARD.encode(pfx).as_bytes()).await;
    keep(&stage, "app-password", PASSWORD.as_bytes()).await;
    stage.mock.tell("certificates", &json!([certificate])).await;
    // past the middle of it are the primes; a library may hold numbers from their other end
    let der = pem::parse(&key).unwrap().into_contents();
    let part = der[der.len() * 2 / 3..][..24].to_vec();
    let reversed: Vec<u8> = part.iter().rev().copied().collect();
    let line = key.lines().nth(18).unwrap();
    let secrets = [
        ("the private key in PEM", line.into()),
        ("the private key in DER", part),
        ("the private key as numbers", reversed),
        ("the password", PASSWORD.into()),
    ];
    assert_nothing_is_left(&stage, &secrets).await;
}

#[tokio::test]
async fn no_core_dump_is_written_and_other_users_may_not_look() {
    let stage = stage("{ client_secret = { env = \"SCIMPORT_CLIENT_SECRET\" } }").await;
    let serving = Serving::start(&stage);
    serving.url().await;
    let process = format!("/proc/{}", serving.pid());
    let limits = std::fs::read_to_string(format!("{process}/limits")).unwrap();
    let line = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
    assert_eq!(line.split_whitespace().collect::<Vec<_>>()[4..6], ["0", "0"], "{line}");
    // what is in there of a process that cannot be dumped belongs to root
    assert_eq!(std::fs::metadata(format!("{process}/environ")).unwrap().uid(), 0);
    serving.stop().await;
}
