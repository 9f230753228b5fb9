//! The story of one store: days, kills, faults and decisions, and the rest after them.

use std::collections::BTreeMap;
use std::time::Duration;

use fastrand::Rng;
use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use crate::soak_model::{Broken, Company};
use crate::soak_tally::Tally;
use crate::support::{Ran, Stage, killed_after, quick};

/// Where the dates of `temps` begin and end.
const ZONE: &str = "Pacific/Auckland";
/// Nobody waits longer for a command that is not to be worked off.
const LONGEST: u64 = 2_500;
/// A small quota: it is used up again and again.
const SMALL_QUOTA: u32 = 25;
/// More rounds than anything takes to be worked off.
const ROUNDS: u32 = 12;
/// Complete files in a row without somebody who leaves by it.
const AFTER: u32 = 2;

const FEEDS: &str = r#"
[source.hr]
target = "entra"
export = "full"
leavers = { when_missing = "deactivate", after = 2 }
complete = { min_share = "75%" }
guard = { max_leavers = "8%", max_changes = "40%" }

[source.hr.mapping]
externalId = "Id"
userName = "Login"
active = { from = "Status", map = { Active = true, Left = false } }
displayName = "Name"
"enterprise:department" = "Department"
"enterprise:manager" = "Manager"

[source.temps]
target = "entra"
export = "full"
time_zone = "Pacific/Auckland"

[source.temps.mapping]
externalId = "Id"
userName = "Login"
active = { between = ["From", "Until"] }
"enterprise:department" = "Department"
"enterprise:manager" = "Manager"
"#;

/// Faults of the stand-in, each striking every so many requests.
const FAULTS: [&str; 17] = [
    "reset:3",
    "reset-after:2",
    "reset-after:5",
    "hang:4",
    "hang-after:3",
    "token-expired:3",
    "throttle:3",
    "throttle-after:4",
    "bucket-full:4",
    "error-500:2",
    "error-502-html:3",
    "error-503:4",
    "error-504-empty:3",
    "token-error:2",
    "slow-log:3",
    "log-error:2",
    "log-error:1",
];

/// A store, its stand-in, and the company whose people are in them.
pub struct Story {
    pub rng: Rng,
    pub stage: Stage,
    pub company: Company,
    pub tally: Tally,
    pub daily_calls: u32,
    are_faults_on: bool,
    /// The payrolls that were written, by file name.
    payrolls: BTreeMap<String, String>,
}

impl Story {
    /// The first day: nothing is in the store yet.
    pub async fn begin(seed: u64) -> Self {
        let mut rng = Rng::with_seed(seed);
        let stage = Stage::with_feeds(quick(), FEEDS).await;
        let daily_calls = if rng.u8(..4) == 0 { SMALL_QUOTA } else { 2_000 };
        let latency = rng.u32(..250);
        let settings = json!({"latency_ms": latency, "daily_calls": daily_calls});
        stage.mock.tell("settings", &settings).await;
        let config = std::fs::read_to_string(stage.path("scimport.toml")).unwrap();
        let quota = format!("daily_calls = {daily_calls}\nburst");
        stage.write("scimport.toml", &config.replacen("burst", &quota, 1));
        let size = rng.usize(40..130);
        let mut story = Self {
            company: Company::new(seed, size, Date::ZERO),
            rng,
            stage,
            tally: Tally::default(),
            daily_calls,
            are_faults_on: false,
            payrolls: BTreeMap::new(),
        };
        story.next_day().await;
        story.company = Company::new(seed, size, story.today());
        story
    }

    pub fn today(&self) -> Date {
        self.stage.now().to_zoned(TimeZone::get(ZONE).unwrap()).date()
    }

    /// Some hour of the next day, far from midnight.
    async fn next_day(&mut self) {
        let hour = Time::constant(self.rng.i8(2..21), self.rng.i8(0..60), 0, 0);
        let next = self.today().tomorrow().unwrap().to_datetime(hour);
        let zone = TimeZone::get(ZONE).unwrap();
        self.stage.pass_to(next.to_zoned(zone).unwrap().timestamp()).await;
        self.company.note_dates(self.today());
        self.tally.days += 1;
    }

    /// Two to five days, each with files, faults and kills.
    pub async fn live_through_some_days(&mut self) {
        for _ in 0..self.rng.u32(2..5) {
            self.company.live(self.today());
            self.change_the_weather().await;
            if self.rng.u8(..3) == 0 {
                self.break_a_file().await;
            }
            let payroll = self.write_payroll();
            self.apply("hr", &payroll).await;
            if self.rng.bool() {
                let contracts = self.write_contracts();
                self.apply("temps", &contracts).await;
            }
            for _ in 0..self.rng.u32(2..8) {
                self.do_something(&payroll).await;
            }
            if self.rng.u8(..4) == 0 {
                self.give_an_old_file_again().await;
            }
            let directory = self.stage.directory().await;
            self.company.assert_nobody_is_disabled_unasked(&directory);
            if self.rng.u8(..4) > 0 {
                self.next_day().await;
            }
        }
    }

    fn write_payroll(&mut self) -> String {
        let name = format!("payroll-{:03}.csv", self.payrolls.len());
        let text = self.company.payroll();
        self.stage.write(&name, &text);
        self.payrolls.insert(name.clone(), text);
        name
    }

    fn write_contracts(&mut self) -> String {
        let text = self.company.contracts();
        self.stage.write("contracts.csv", &text);
        "contracts.csv".to_owned()
    }

    /// Other faults than yesterday, or none.
    async fn change_the_weather(&mut self) {
        let count = self.rng.usize(..3);
        let faults = self.rng.choose_multiple(FAULTS, count);
        self.are_faults_on = !faults.is_empty();
        self.tally.faults += faults.len() as u64;
        self.stage.mock.tell("faults", &json!(faults)).await;
        let is_paused = self.rng.u8(..12) == 0;
        let code = if is_paused { "Paused" } else { "Active" };
        self.are_faults_on |= is_paused;
        self.stage.mock.tell("job", &json!({"code": code})).await;
    }

    /// How long a command has to live.
    fn life(&mut self) -> Duration {
        Duration::from_millis(match self.rng.u8(..10) {
            0..8 => self.rng.u64(..450),
            8 => self.rng.u64(450..1_200),
            _ => LONGEST,
        })
    }

    /// Runs a command until it ends or is killed.
    async fn strike(&mut self, words: &[&str]) -> Option<Ran> {
        let life = self.life();
        let child = self.stage.start(words);
        let ran = killed_after(child, life).await;
        assert!(!ran.log.contains("another process"), "a dead process is in the way: {}", ran.log);
        self.judge(ran, words)
    }

    fn judge(&mut self, ran: Ran, words: &[&str]) -> Option<Ran> {
        self.tally.commands += 1;
        assert!(!ran.log.contains("panicked"), "`{}`: {}", words.join(" "), ran.log);
        if ran.code == -1 {
            self.tally.kills += 1;
            return None;
        }
        let may_fail = self.are_faults_on || words[0] != "work";
        let is_known = matches!(ran.code, 0 | 4 | 5 | 6) || (ran.code == 1 && may_fail);
        assert!(is_known, "`{}` exits {}: {}", words.join(" "), ran.code, ran.log);
        Some(ran)
    }

    async fn apply(&mut self, source: &str, file: &str) {
        let wait = ["none", "accepted", "outcome"][self.rng.usize(..3)];
        let mut words = vec!["apply", file, "--source", source, "--wait", wait];
        if self.rng.u8(..12) == 0 {
            words.extend(["--limit", "3"]);
        }
        self.strike(&words).await;
    }

    async fn do_something(&mut self, payroll: &str) {
        match self.rng.u8(..10) {
            0 => self.apply("hr", payroll).await,
            1 => self.two_at_once(payroll).await,
            2 => self.decide().await,
            3 => {
                if let Some(run) = self.some_run(|run| run["status"] != "held").await {
                    self.strike(&["retry", &run]).await;
                    self.tally.retried += 1;
                }
            }
            _ => {
                let until = *self.rng.choice(["idle", "settled"].iter()).unwrap();
                self.strike(&["work", "--until", until]).await;
            }
        }
    }

    async fn two_at_once(&mut self, payroll: &str) {
        let (one, other) = (self.life(), self.life());
        let work = ["work", "--until", "settled"];
        let apply = ["apply", payroll, "--source", "hr", "--wait", "outcome"];
        let (first, second) = (self.stage.start(&work), self.stage.start(&apply));
        let (first, second) = tokio::join!(killed_after(first, one), killed_after(second, other));
        self.judge(first, &work);
        self.judge(second, &apply);
    }

    async fn some_run(&mut self, fits: impl Fn(&Value) -> bool) -> Option<String> {
        let runs = self.stage.runs().await;
        let fitting: Vec<_> = runs.iter().filter(|run| fits(run)).collect();
        let run = self.rng.choice(fitting)?;
        run["run"].as_str().map(str::to_owned)
    }

    /// Approves or cancels what is held, or cancels what is on its way.
    async fn decide(&mut self) {
        let is_held = |run: &Value| run["status"] == "held";
        let is_open = |run: &Value| matches!(run["status"].as_str(), Some("delivering" | "held"));
        let (word, run) = if self.rng.bool() {
            ("approve", self.some_run(is_held).await)
        } else {
            ("cancel", self.some_run(is_open).await)
        };
        if let Some(run) = run {
            self.strike(&[word, &run]).await;
        }
    }

    /// Applies a file and lets the command end; nothing of it may go out.
    async fn assert_changes_nobody(&mut self, file: &str, code: i32) -> Value {
        let ran = self.stage.apply(file, &["--wait", "none"]).await;
        let run = ran.assert_code(code).json();
        let counts = &run["counts"];
        assert_eq!((&counts["queued"], &counts["accepted"]), (&json!(0), &json!(0)), "{run}");
        run
    }

    async fn break_a_file(&mut self) {
        let how = Broken::ALL[self.rng.usize(..Broken::ALL.len())];
        let runs = self.stage.runs().await;
        let has_complete = runs.iter().any(|run| {
            let is_applied = matches!(run["status"].as_str(), Some("completed" | "tracking"));
            run["source"] == "hr" && run["complete"] == true && is_applied
        });
        if how == Broken::Half && !has_complete {
            return;
        }
        let text = self.company.broken(how);
        self.stage.write("broken.csv", &text);
        if how != Broken::Half {
            let run = self.assert_changes_nobody("broken.csv", 1).await;
            assert_eq!(run["status"], "failed", "{how:?}: {run}");
            self.tally.refused += 1;
            return;
        }
        let run = self.assert_changes_nobody("broken.csv", 4).await;
        let guards = run["held_by"].as_array().unwrap();
        assert!(guards.iter().any(|held| held["guard"] == "incomplete_file"), "{run}");
        match self.rng.u8(..3) {
            // approved, its rows are applied, and nobody is missing
            0 => drop(self.strike(&["approve", run["run"].as_str().unwrap()]).await),
            1 => drop(self.strike(&["cancel", run["run"].as_str().unwrap()]).await),
            _ => {}
        }
    }

    /// A payroll of an earlier day lies in the folder again.
    async fn give_an_old_file_again(&mut self) {
        let runs = self.stage.runs().await;
        let counts = |run: &&Value| {
            let is_ended = matches!(run["status"].as_str(), Some("cancelled" | "failed"));
            run["source"] == "hr" && run["kind"] == "file" && !is_ended
        };
        let files = runs.iter().filter(counts).map(|run| run["file"].as_str().unwrap());
        let mut files: Vec<_> = files.map(str::to_owned).collect();
        let Some(latest) = files.pop() else { return };
        files.retain(|file| *file != latest && self.payrolls.contains_key(file));
        let Some(file) = self.rng.choice(files) else { return };
        let run = self.assert_changes_nobody(&file, 4).await;
        assert_eq!(run["held_by"][0]["guard"], "older_file", "{run}");
        self.tally.stale += 1;
        if self.rng.bool() {
            self.strike(&["cancel", run["run"].as_str().unwrap()]).await;
        }
    }

    /// Fine weather: everything is worked off, and what is held is what the company wants.
    pub async fn come_to_rest(&mut self) {
        self.stage.mock.tell("faults", &json!([])).await;
        self.stage.mock.tell("job", &json!({"code": "Active"})).await;
        self.are_faults_on = false;
        for _ in 0..AFTER {
            let contracts = self.write_contracts();
            let payroll = self.write_payroll();
            for (source, file) in [("temps", contracts), ("hr", payroll)] {
                let words = ["apply", &file, "--source", source, "--wait", "none", "--json"];
                let run = self.undisturbed(&words, &[0, 4]).await.json();
                if run["status"] == "held" {
                    self.approve(&run).await;
                }
            }
        }
        self.work_off().await;
        self.prove().await;
        self.tally.rests += 1;
    }

    async fn undisturbed(&mut self, words: &[&str], codes: &[i32]) -> Ran {
        let ran = self.stage.run(words).await;
        assert!(!ran.log.contains("another process"), "a dead process is in the way: {}", ran.log);
        let what = words.join(" ");
        assert!(codes.contains(&ran.code), "`{what}` exits {}: {}{}", ran.code, ran.log, ran.out);
        self.tally.commands += 1;
        ran
    }

    async fn approve(&mut self, run: &Value) {
        let id = run["run"].as_str().unwrap();
        self.undisturbed(&["approve", id], &[0]).await;
    }

    async fn work_off(&mut self) {
        for _ in 0..ROUNDS {
            let ran = self.undisturbed(&["work", "--until", "settled"], &[0, 4, 5, 6]).await;
            if ran.code == 6 {
                ran.assert_says("are used up");
                self.next_day().await;
                continue;
            }
            let mut is_done = true;
            for run in self.stage.runs().await {
                let id = run["run"].as_str().unwrap();
                if run["status"] == "held" {
                    // it is due by a date, or older than a file that was held and approved: what
                    // is outdated in it must not go out then, or the directory tells
                    let id = run["run"].as_str().unwrap();
                    let ran = self.undisturbed(&["approve", id], &[0, 1]).await;
                    if ran.code == 1 {
                        self.undisturbed(&["cancel", id], &[0, 1]).await;
                    }
                    is_done = false;
                } else if ["failed", "unconfirmed"].iter().any(|one| run["counts"][one] != 0) {
                    let ran = self.undisturbed(&["retry", id], &[0, 1]).await;
                    is_done &= ran.code == 1 || ran.log.contains("nothing of this run");
                }
            }
            if is_done {
                return;
            }
        }
        panic!("never done: {:#?}", self.stage.runs().await);
    }
}
