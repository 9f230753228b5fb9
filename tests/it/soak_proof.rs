//! What must hold of a story whenever it has come to rest.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::soak_story::Story;
use crate::support::counts;

/// What stands for the end of an operation. One without an event may have to stay `unconfirmed`
/// when its worker was sent anew since.
const ENDS: [&str; 10] = [
    "rejected",
    "out_of_scope",
    "unchanged",
    "provisioned",
    "skipped",
    "failed",
    "superseded",
    "cancelled",
    "unconfirmed",
    "",
];

/// Microseconds.
const DAY: i64 = 86_400_000_000;

impl Story {
    /// The directory is the company, no limit was passed, nobody was in two requests at once.
    pub async fn prove(&mut self) {
        let directory = self.stage.directory().await;
        let today = self.today();
        self.company.assert_nobody_is_disabled_unasked(&directory);
        if let Some((id, words)) = self.company.differences(&directory, today).first() {
            let record = self.stage.run(&["record", id, "--json"]).await.out;
            for run in self.stage.runs().await {
                println!("{} {} {}", run["run"], run["file"], run["status"]);
                println!("  {} {}", run["held_by"], run["decisions"]);
            }
            panic!("{words}\n{record}");
        }
        let stats = self.stage.assert_limits_are_kept().await;
        let requests = self.stage.mock.ask("requests").await;
        let arrived = |request: &Value| request["arrived_us"].as_i64().unwrap();
        let arrivals: Vec<i64> = requests.as_array().unwrap().iter().map(arrived).collect();
        assert_eq!(arrivals.len() as u64, stats["calls"].as_u64().unwrap());
        let in_the_day_to =
            |last: i64| arrivals.iter().filter(|&&at| at > last - DAY && at <= last).count() as u64;
        let most = arrivals.iter().map(|&last| in_the_day_to(last)).max().unwrap_or(0);
        assert!(most <= u64::from(self.daily_calls), "{most} calls in a day");
        // noted before it is posted: a kill in between costs a call, and never hides one
        let now = self.stage.now().as_microsecond();
        let (noted, posted) = (self.stage.calls_noted().await, in_the_day_to(now));
        assert!(noted >= posted, "{noted} calls noted, {posted} posted");
        self.assert_database_is_whole();
    }

    fn assert_database_is_whole(&self) {
        let db = rusqlite::Connection::open(self.stage.path("scimport.db")).unwrap();
        let of = |check: &str| db.query_row(check, [], |row| row.get::<_, String>(0)).ok();
        assert_eq!(of("PRAGMA integrity_check").as_deref(), Some("ok"));
        assert_eq!(of("PRAGMA foreign_key_check"), None);
    }

    /// Every run has ended, and every row of it in exactly one status.
    pub async fn prove_every_run(&mut self) {
        for run in self.stage.runs().await {
            self.tally.runs += 1;
            self.tally.held += u64::from(run["held_by"] != serde_json::json!([]));
            let decisions = run["decisions"].as_array().unwrap();
            let is = |what: &str| decisions.iter().filter(|one| one["decision"] == what).count();
            self.tally.approved += is("approved") as u64;
            self.tally.cancelled += is("cancelled") as u64;
            let status = run["status"].as_str().unwrap();
            assert!(matches!(status, "completed" | "cancelled" | "failed"), "{run}");
            assert!(run["ended_at"].is_string(), "{run}");
            let by_status = counts(&run);
            let id = run["run"].as_str().unwrap();
            for status in by_status.keys() {
                assert!(ENDS.contains(&status.as_str()), "{run}");
            }
            let operations = self.stage.operations(id).await;
            let listed = operations.len() as u64;
            let count = |status: &str| by_status.get(status).copied().unwrap_or(0);
            let all: u64 = by_status.values().sum();
            assert_eq!(listed + count("unchanged") + count("out_of_scope"), all, "{run}");
            for (status, count) in &by_status {
                let is = |one: &&Value| one["status"] == status.as_str();
                let listed = operations.iter().filter(is).count() as u64;
                let is_stored = !matches!(status.as_str(), "unchanged" | "out_of_scope");
                assert!(!is_stored || listed == *count, "{status}: {run}");
            }
            let rows: Vec<_> = operations.iter().filter_map(|one| one["row"].as_u64()).collect();
            let distinct: BTreeSet<_> = rows.iter().collect();
            assert_eq!(rows.len(), distinct.len(), "a row twice in {run}");
        }
        self.tally.people = self.company.size() as u64;
        let requests = self.stage.mock.ask("requests").await;
        let requests = requests.as_array().unwrap();
        self.tally.calls = requests.len() as u64;
        let is_cut_off = |request: &&Value| request["end"] == "client-gone";
        self.tally.cut_off = requests.iter().filter(is_cut_off).count() as u64;
    }
}
