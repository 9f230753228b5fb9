//! `serve` under a service manager: what systemd hears of it.

use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use crate::serve_support::{QUICK, Serving, drop_file, stage, stage_with};
use crate::support::{Stage, workers};

const STUCK: Duration = Duration::from_mins(1);

/// A service manager that listens.
struct Manager {
    socket: UnixDatagram,
    path: PathBuf,
}

impl Manager {
    fn on(stage: &Stage) -> Self {
        let path = stage.path("notify");
        let socket = UnixDatagram::bind(&path).unwrap();
        socket.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
        Self { socket, path }
    }

    fn start(&self, stage: &Stage, env: &[(&str, &str)]) -> Serving {
        let path = self.path.to_str().unwrap();
        Serving::start_with(stage, &[&[("NOTIFY_SOCKET", path)], env].concat())
    }

    /// The next message; nothing for a moment.
    fn next(&self) -> Option<String> {
        let mut buffer = [0; 4_096];
        let count = self.socket.recv(&mut buffer).ok()?;
        Some(String::from_utf8(buffer[..count].to_vec()).unwrap())
    }

    /// Waits for a message with these words; gives all until then.
    async fn hears(&self, words: &str) -> Vec<String> {
        let began = Instant::now();
        let mut heard = Vec::new();
        loop {
            if let Some(message) = self.next() {
                let is_it = message.contains(words);
                heard.push(message);
                if is_it {
                    return heard;
                }
            }
            assert!(began.elapsed() < STUCK, "`{words}` is not in {heard:?}");
            tokio::task::yield_now().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn it_hears_that_it_is_ready_reloads_and_stops() {
    let stage = stage_with(&format!("{QUICK}\nguard = {{ max_changes = \"30%\" }}"), 20).await;
    let manager = Manager::on(&stage);
    let mut serving = manager.start(&stage, &[]);
    let heard = manager.hears("READY=1").await;
    assert_eq!(heard, ["READY=1\n"]);
    // the API listens by then
    serving.says("the API listens", 1).await;
    let heard = manager.hears("STATUS=").await.pop().unwrap();
    assert!(
        heard.starts_with("STATUS=serving; entra: 0 queued, 0 await an outcome, job "),
        "{heard}"
    );
    assert!(heard.ends_with("; 0 runs held\n"), "{heard}");

    // everybody changes, which the guard holds; a reload says it at once
    drop_file(&stage, "workers.csv", &workers(20, 2));
    serving.has(&stage, "held", 1).await;
    serving.reload(1).await;
    let heard = manager.hears("READY=1").await;
    let reloading = &heard[heard.len() - 2];
    let (said, at) = reloading.split_once("MONOTONIC_USEC=").unwrap();
    assert_eq!(said, "RELOADING=1\n");
    let uptime = std::fs::read_to_string("/proc/uptime").unwrap();
    let uptime: f64 = uptime.split(' ').next().unwrap().parse().unwrap();
    let at: f64 = at.trim().parse().unwrap();
    assert!((uptime - at / 1e6).abs() < 60.0, "{at} at {uptime}");
    manager.hears("1 run held").await;

    // what is wrong is ready as well, with the old config
    let right = std::fs::read_to_string(stage.path("scimport.toml")).unwrap();
    stage.write("scimport.toml", &format!("{right}\nburts = 1\n"));
    serving.hang_up().await;
    manager.hears("RELOADING=1").await;
    manager.hears("READY=1").await;
    manager.hears("STATUS=the last reload was refused, the log says why; serving").await;
    serving.stop().await;
    manager.hears("STOPPING=1\nSTATUS=").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn signs_of_life_come_only_while_the_store_answers() {
    let stage = stage(QUICK, 5).await;
    let manager = Manager::on(&stage);
    // another process's watchdog is none of ours
    let other = [("WATCHDOG_USEC", "200000"), ("WATCHDOG_PID", "1")];
    let serving = manager.start(&stage, &other);
    manager.hears("STATUS=").await;
    std::thread::sleep(Duration::from_secs(1));
    while let Some(message) = manager.next() {
        assert!(!message.contains("WATCHDOG"), "{message}");
    }
    serving.stop().await;

    let serving = manager.start(&stage, &[("WATCHDOG_USEC", "400000")]);
    for _ in 0..3 {
        manager.hears("WATCHDOG=1").await;
    }
    // nobody can read a store whose table is locked for good
    let store = rusqlite::Connection::open(stage.path("scimport.db")).unwrap();
    store.execute_batch("ALTER TABLE keys RENAME TO keys_away").unwrap();
    serving.says("no sign of life is given", 1).await;
    while manager.next().is_some() {}
    let heard = manager.next();
    assert_eq!(heard, None);
    store.execute_batch("ALTER TABLE keys_away RENAME TO keys").unwrap();
    manager.hears("WATCHDOG=1").await;
    serving.stop().await;
}
