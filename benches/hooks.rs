//! Webhook deliveries a second that are durable before their 202, and how long somebody who leaves
//! waits behind a backlog.
//!
//! `cargo bench --bench hooks -- [--rounds 3] [--seconds 5] [--backlog 50000] [--check]`
//!
//! A round serves the API over loopback with a store on the disk of the temporary folder, and 64
//! connections that deliver one worker each, one after the other, with a key: once with deliveries
//! stored together, once with a transaction for each. The backlog is so many people who change, delivered
//! while a stand-in takes 40 calls in 5 seconds, and then somebody who leaves: the clock runs from the 202
//! to when the stand-in has accepted it.

#![expect(clippy::expect_used, reason = "a benchmark that cannot be set up ends there")]
#![expect(clippy::print_stdout, reason = "a benchmark prints its table")]

use std::fmt::Write as _;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use jiff::SignedDuration;
use scimport::bridge::{Answer, Answers, Applied, Applying, Bridge, Daemon, Goal, Setup};
use scimport::domain::{Change, ExternalId, KeyScope, OperationStatus, SystemClock};
use scimport::mock_entra::{CLIENT_SECRET, MockConfig, MockEntra, target_config};
use scimport::server::{self, Credentials, ProvisioningKeys, Running};
use secrecy::ExposeSecret as _;
use tokio_util::sync::CancellationToken;

const CONNECTIONS: usize = 64;
/// Least gain of storing deliveries together.
const LEAST_GAIN: f64 = 1.5;
/// Longest wait of somebody who leaves.
const LONGEST_WAIT: Duration = Duration::from_mins(1);

struct Asked {
    rounds: usize,
    seconds: u64,
    backlog: usize,
    check: bool,
}

impl Asked {
    fn read() -> Self {
        let words: Vec<String> = std::env::args().skip(1).collect();
        let number = |name: &str, default: usize| {
            let at = words.iter().position(|word| word == name);
            let word = at.and_then(|at| words.get(at + 1));
            word.map_or(default, |word| word.parse().expect("a number"))
        };
        Self {
            rounds: number("--rounds", 3),
            seconds: number("--seconds", 5) as u64,
            backlog: number("--backlog", 50_000),
            check: words.iter().any(|word| word == "--check"),
        }
    }
}

fn main() -> ExitCode {
    let asked = Asked::read();
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let is_good = runtime.block_on(async {
        let gain = throughput(&asked).await;
        let wait = if asked.backlog == 0 { None } else { Some(backlog(asked.backlog).await) };
        gain >= LEAST_GAIN && wait.is_none_or(|wait| wait <= LONGEST_WAIT)
    });
    if is_good || !asked.check { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn config(folder: &Path, mock: &str, burst: &str) -> std::path::PathBuf {
    let target: String = target_config(mock)
        .lines()
        .filter(|line| !["burst", "tracking", "retry"].iter().any(|key| line.starts_with(key)))
        .fold(String::new(), |text, line| text + line + "\n");
    let text = format!(
        r#"{target}burst = "{burst}"
daily_calls = 1000000
tracking = {{ first_poll = "1s", poll = "5s", unconfirmed_after = "90m", reads = "1000/1s" }}
[server]
listen = "127.0.0.1:0"
[source.hr]
target = "entra"
guard = {{ max_leavers = false, max_joiners = false, max_changes = false, max_rejects = false }}
webhook = {{ verify = "bearer", rate = "1000000/1s" }}
[source.hr.mapping]
externalId = "Id"
userName = "Login"
active = {{ from = "Status", map = {{ Active = true, Left = false }} }}
displayName = "Name"
"enterprise:department" = "Department"
"#
    );
    let path = folder.join("scimport.toml");
    std::fs::write(&path, text).expect("a config");
    path
}

fn open(config: &Path) -> Bridge {
    let env = vec![("SCIMPORT_CLIENT_SECRET".to_owned(), CLIENT_SECRET.to_owned())];
    let setup = Setup::load(config, &env).expect("a good config");
    Bridge::open(setup, Arc::new(SystemClock), env).expect("a store")
}

async fn key(bridge: &Bridge) -> String {
    let scope = KeyScope::Webhook("hr".into());
    let lifetime = SignedDuration::from_hours(24);
    let made = bridge.create_key(scope, lifetime, &bridge.who).await.expect("a key");
    made.key.expose_secret().to_owned()
}

fn serve(bridge: &Arc<Bridge>, cancel: &CancellationToken) -> Running {
    let keys: Arc<dyn Credentials> = Arc::new(ProvisioningKeys::new(Arc::clone(bridge)));
    let settings = bridge.setup.config().server.clone();
    server::start(Arc::clone(bridge), vec![keys], &settings, cancel.clone()).expect("a server")
}

fn worker(number: usize, department: &str, status: &str) -> String {
    format!(
        r#"{{"Id":"E{number:06}","Login":"e{number:06}@contoso.example","Status":"{status}","Name":"Worker {number}","Department":"{department}"}}"#
    )
}

/// Delivers until the work is out; gives how long each took.
async fn deliver(
    url: &str,
    key: &str,
    next: &(dyn Fn() -> Option<String> + Send + Sync),
) -> Vec<Duration> {
    let client = reqwest::Client::builder().no_proxy().build().expect("a client");
    let mut took = Vec::new();
    while let Some(body) = next() {
        let began = Instant::now();
        let answer = client.post(url).bearer_auth(key).body(body).send().await.expect("an answer");
        assert_eq!(answer.status().as_u16(), 202);
        answer.bytes().await.expect("a body");
        took.push(began.elapsed());
    }
    took
}

async fn deliver_all(
    url: String,
    key: &str,
    next: Arc<dyn Fn() -> Option<String> + Send + Sync>,
) -> Vec<Duration> {
    let senders: Vec<_> = (0..CONNECTIONS)
        .map(|_| {
            let (url, key, next) = (url.clone(), key.to_owned(), Arc::clone(&next));
            tokio::spawn(async move { deliver(&url, &key, &*next).await })
        })
        .collect();
    let mut took = Vec::new();
    for sender in senders {
        took.extend(sender.await.expect("a sender"));
    }
    took.sort_unstable();
    took
}

fn quantile(sorted: &[Duration], share: f64) -> f64 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "a place in a list"
    )]
    let at = (sorted.len() as f64 * share) as usize;
    sorted.get(at).or(sorted.last()).map_or(0.0, |took| took.as_secs_f64() * 1_000.0)
}

/// How much faster deliveries are stored together; prints the table.
async fn throughput(asked: &Asked) -> f64 {
    println!("deliveries durable before 202, {CONNECTIONS} connections, {} s", asked.seconds);
    println!("{:<28} {:>10} {:>9} {:>9}", "", "a second", "p50 ms", "p99 ms");
    let mut rates = [Vec::new(), Vec::new()];
    for _ in 0..asked.rounds {
        for (way, rates) in rates.iter_mut().enumerate() {
            let folder = tempfile::tempdir().expect("a folder");
            let mut bridge = open(&config(folder.path(), "http://127.0.0.1:9", "40/5s"));
            if way == 1 {
                bridge = bridge.storing_one_by_one();
            }
            let bridge = Arc::new(bridge);
            let key = key(&bridge).await;
            let cancel = CancellationToken::new();
            let running = serve(&bridge, &cancel);
            let url = format!("http://{}/hooks/hr", running.address());
            let (began, limit) = (Instant::now(), Duration::from_secs(asked.seconds));
            let count = AtomicUsize::new(0);
            let next = move || {
                let number = count.fetch_add(1, Ordering::Relaxed);
                (began.elapsed() < limit).then(|| worker(number, "Any", "Active"))
            };
            let took = deliver_all(url, &key, Arc::new(next)).await;
            #[expect(clippy::cast_precision_loss, reason = "a number of deliveries")]
            let rate = took.len() as f64 / began.elapsed().as_secs_f64();
            let name = ["stored together", "a transaction for each"].get(way).unwrap_or(&"");
            let (p50, p99) = (quantile(&took, 0.5), quantile(&took, 0.99));
            println!("{name:<28} {rate:>10.0} {p50:>9.1} {p99:>9.1}");
            rates.push(rate);
            cancel.cancel();
            running.stopped().await;
        }
    }
    let [together, each] = rates.map(|mut rates| {
        rates.sort_by(f64::total_cmp);
        rates.get(rates.len() / 2).copied().unwrap_or(0.0)
    });
    println!("{:<28} {:>10.2} times", "gain (medians)", together / each);
    together / each
}

struct NoAnswers;

#[async_trait::async_trait]
impl Answers for NoAnswers {
    async fn write(&self, _: &Bridge, _: Answer<'_>) -> std::io::Result<()> {
        Ok(())
    }
}

/// How long somebody who leaves waits behind so many who change.
async fn backlog(people: usize) -> Duration {
    let mock = MockConfig {
        listen: "127.0.0.1:0".parse().expect("an address"),
        burst: 1_000_000,
        daily_calls: 1_000_000,
        log_calls: 1_000_000,
        cycle: Duration::from_secs(1),
        log_delay: (Duration::ZERO, Duration::from_millis(100)),
        ..MockConfig::default()
    };
    let mock = MockEntra::start(mock).await.expect("a stand-in");
    let folder = tempfile::tempdir().expect("a folder");
    let first = open(&config(folder.path(), &mock.url(), "100000/1s"));
    let mut text = String::from("Id,Login,Status,Name,Department\n");
    for number in 0..people {
        let login = format!("e{number:06}@contoso.example");
        writeln!(text, "E{number:06},{login},Active,Worker {number},Old").expect("text");
    }
    let file = folder.path().join("workers.csv");
    std::fs::write(&file, text).expect("a file");
    let applied = first.apply("hr", &file, Applying::default(), &mut |_| true).await;
    let Ok(Applied::Committed(run)) = applied else { panic!("the first file is not applied") };
    let (goal, never) = (Goal::Accepted(run), CancellationToken::new());
    first.drive(&"entra".into(), &goal, None, &never, &mut |_| {}).await.expect("a first day");
    let key = key(&first).await;
    drop(first);

    let bridge = Arc::new(open(&config(folder.path(), &mock.url(), "40/5s")));
    let cancel = CancellationToken::new();
    let running = serve(&bridge, &cancel);
    let url = format!("http://{}/hooks/hr", running.address());
    let daemon = Daemon::new(Arc::clone(&bridge), Arc::new(NoAnswers));
    let token = cancel.clone();
    let serving = tokio::spawn(async move { daemon.run(&token, &token).await });
    let count = AtomicUsize::new(0);
    let next = move || {
        let number = count.fetch_add(1, Ordering::Relaxed);
        (number < people).then(|| worker(number, "New", "Active"))
    };
    let began = Instant::now();
    deliver_all(url.clone(), &key, Arc::new(next)).await;
    let delivered = began.elapsed();
    let leaver = people / 2;
    let body = std::sync::Mutex::new(Some(worker(leaver, "New", "Left")));
    deliver(&url, &key, &|| body.lock().ok()?.take()).await;
    let told = Instant::now();
    let id = ExternalId::new(format!("E{leaver:06}"));
    let waited = loop {
        let records = bridge.store.record(&id).await.expect("a record");
        let is_out = records.iter().flat_map(|record| &record.history).any(|entry| {
            entry.change == Some(Change::Leaver)
                && !matches!(entry.status, OperationStatus::Queued | OperationStatus::Sending)
        });
        if is_out {
            break told.elapsed();
        }
        assert!(told.elapsed() < Duration::from_mins(20), "it is never sent");
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    println!(
        "{people} people change within {:.1} s of deliveries; who leaves then is accepted after {:.1} s",
        delivered.as_secs_f64(),
        waited.as_secs_f64()
    );
    cancel.cancel();
    serving.await.expect("the daemon");
    running.stopped().await;
    mock.stop().await;
    waited
}
