//! What holds now: as the store has it, and as this process has noticed.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::bridge::alerts::expiry::{
    CredentialEnds, credentials, credentials_expiring, keys_expiring,
};
use crate::bridge::alerts::refused::refused_credentials;
use crate::bridge::{Bridge, BridgeError, schedule};
use crate::config::{AlertsConfig, SourceConfig, TargetConfig, aside};
use crate::delivery::{JobAdvice, job_advice};
use crate::domain::{AlertKind, HeldBy};
use crate::entra::Cloud;
use crate::plan::Percent;
use crate::store::{HeldRun, JobSeen, StoreTrouble, TroubledRun};
use crate::telemetry::Causes;
use crate::telemetry::alerts::{Book, Condition, Facts, GuardFacts, RunFacts, Word};
use crate::tracking::LOG_RETENTION;

/// Most runs of a look.
const MOST_RUNS: usize = 1_000;
/// Runs are looked at again for so long: intake may have begun long before it committed.
const OVERLAP: SignedDuration = SignedDuration::from_hours(1);
/// After a longer pause than this, what happened in it is old news.
const LONGEST_GAP: SignedDuration = SignedDuration::from_hours(24);
/// How often it is read when the credentials end.
const READ_CREDENTIALS: SignedDuration = SignedDuration::from_hours(1);
/// As with the guards, a share counts from so many rows on.
const LEAST_REJECTED: u64 = 3;
/// The guard that says the same as [`AlertKind::RejectsShare`].
const REJECTS_GUARD: &str = "max_rejects";
/// What only the store knows.
const FROM_STORE: [AlertKind; 9] = [
    AlertKind::RunHeld,
    AlertKind::RunFailed,
    AlertKind::RejectsShare,
    AlertKind::JobPaused,
    AlertKind::JobQuarantined,
    AlertKind::QuotaShort,
    AlertKind::KeyExpiring,
    AlertKind::NothingSettled,
    AlertKind::FileOverdue,
];

/// What a look has found.
pub(super) struct Seen {
    /// What holds.
    pub(super) conditions: Vec<Condition>,
    /// The kinds of which nothing could be learnt.
    pub(super) unknown: BTreeSet<AlertKind>,
}

/// Finds out what holds.
pub(super) struct Lookout {
    config: AlertsConfig,
    credentials: CredentialEnds,
    read_at: Option<Timestamp>,
    has_failed: bool,
}

impl Lookout {
    pub(super) const fn new(config: AlertsConfig) -> Self {
        Self { config, credentials: Vec::new(), read_at: None, has_failed: false }
    }

    /// Looks once.
    pub(super) async fn look(&mut self, bridge: &Bridge, book: &Book, now: Timestamp) -> Seen {
        let mut seen = Seen { conditions: Vec::new(), unknown: BTreeSet::new() };
        match self.in_store(bridge, book, now).await {
            Ok(found) => {
                self.has_failed = false;
                seen.conditions.extend(found);
            }
            Err(error) => {
                seen.unknown.extend(FROM_STORE);
                if StoreTrouble::among_causes(&error).is_some() {
                    bridge.note_trouble(&error);
                } else if !std::mem::replace(&mut self.has_failed, true) {
                    tracing::error!(error = %Causes(&error), "whether anybody has to be told is not known");
                }
            }
        }
        if self.read_at.is_none_or(|at| now < at || now.duration_since(at) >= READ_CREDENTIALS) {
            self.read_at = Some(now);
            let (setup, secrets) = (Arc::clone(&bridge.setup), bridge.secrets.clone());
            self.credentials = aside(move || credentials(&setup, &secrets)).await;
        }
        seen.conditions.extend(credentials_expiring(&self.credentials, &self.config.expires, now));
        let noticed = bridge.conditions.all(now);
        seen.conditions.extend(refused_credentials(bridge.credentials(), &noticed));
        seen.conditions.extend(noticed);
        seen
    }

    async fn in_store(
        &self,
        bridge: &Bridge,
        book: &Book,
        now: Timestamp,
    ) -> Result<Vec<Condition>, BridgeError> {
        let store = &bridge.store;
        let mut found: Vec<Condition> =
            store.held_runs(MOST_RUNS).await?.into_iter().map(held).collect();
        let since = runs_since(book, now);
        for run in store.troubled_runs(since, MOST_RUNS).await? {
            found.extend(happened(&run, book.since(), self.config.reject_share));
        }
        for target in &bridge.setup.config().targets {
            if let Some(job) = store.job_seen(&target.name).await? {
                found.extend(job_condition(target, &job));
            }
            found.extend(self.quota(bridge, target, now).await?);
            found.extend(self.unsettled(bridge, target, now).await?);
        }
        for source in &bridge.setup.config().sources {
            found.extend(overdue(bridge, source).await?);
        }
        found.extend(keys_expiring(&store.keys().await?, &self.config.expires, now));
        Ok(found)
    }

    /// Whether what waits is more than the day's calls carry.
    async fn quota(
        &self,
        bridge: &Bridge,
        target: &TargetConfig,
        now: Timestamp,
    ) -> Result<Option<Condition>, BridgeError> {
        let Some(forecast) = bridge.forecast(&target.name).await? else { return Ok(None) };
        let daily_calls = u64::from(forecast.daily_calls);
        let facts = Facts::QuotaShort {
            target: target.name.as_str().to_owned(),
            operations: forecast.operations,
            calls: forecast.calls,
            daily_calls,
            done_at: forecast.done_at,
        };
        let is_short = forecast.calls + forecast.requests > daily_calls;
        Ok(is_short.then(|| Condition::new(facts, now)))
    }

    /// Whether something was sent long ago, and of nothing sent since then an outcome is known.
    async fn unsettled(
        &self,
        bridge: &Bridge,
        target: &TargetConfig,
        now: Timestamp,
    ) -> Result<Option<Condition>, BridgeError> {
        if !Cloud::parse(&target.cloud).is_none_or(Cloud::has_provisioning_log) {
            return Ok(None);
        }
        let store = &bridge.store;
        let settled = store.settled_until(&target.name).await?;
        let from = settled.unwrap_or(Timestamp::MIN).max(now - LOG_RETENTION);
        let accepted = store.open_window(&target.name).await?;
        let accepted = accepted.filter(|open| open.newest_sent_at > from);
        let given_up = store.unconfirmed_window(&target.name, from).await?;
        let given_up = given_up.filter(|open| open.newest_sent_at > from);
        let open: Vec<_> = [accepted, given_up].into_iter().flatten().collect();
        let Some(oldest) = open.iter().map(|open| open.oldest_sent_at.max(from)).min() else {
            return Ok(None);
        };
        if !has_passed(oldest, self.config.nothing_settled_after, now) {
            return Ok(None);
        }
        let facts = Facts::NothingSettled {
            target: target.name.as_str().to_owned(),
            operations: open.iter().map(|open| open.accepted).sum(),
            waiting_since: oldest,
        };
        Ok(Some(Condition::new(facts, oldest)))
    }
}

/// What always comes by the clock, and did not: the first of a source.
async fn overdue(bridge: &Bridge, source: &SourceConfig) -> Result<Option<Condition>, BridgeError> {
    let mut first: Option<Timestamp> = None;
    for name in schedule::names(source) {
        let note = bridge.store.schedule(&source.name, &name).await?;
        if let Some(at) = note.and_then(|note| note.alarmed) {
            first = Some(first.map_or(at, |first| first.min(at)));
        }
    }
    Ok(first.map(|expected_at| {
        let source = source.name.as_str().to_owned();
        Condition::new(Facts::FileOverdue { source, expected_at }, expected_at)
    }))
}

/// From when on runs are looked at.
fn runs_since(book: &Book, now: Timestamp) -> Timestamp {
    let back = |from: Timestamp, by: SignedDuration| from.checked_sub(by).unwrap_or(Timestamp::MIN);
    let from = back(book.looked_until().min(now), OVERLAP);
    from.max(book.since()).max(back(now, LONGEST_GAP))
}

fn has_passed(since: Timestamp, wait: Duration, now: Timestamp) -> bool {
    now.duration_since(since) >= SignedDuration::try_from(wait).unwrap_or(SignedDuration::MAX)
}

fn held(run: HeldRun) -> Condition {
    let guard = |held: HeldBy| GuardFacts {
        guard: held.guard,
        limit: held.limit,
        value: held.value,
        of: held.of,
    };
    let facts = Facts::RunHeld {
        run: RunFacts::new(&run.id, &run.source, &run.target),
        guards: run.held_by.into_iter().map(guard).collect(),
    };
    Condition::new(facts, run.started_at)
}

/// What happened in a run since alerts were switched on.
fn happened(run: &TroubledRun, switched_on: Timestamp, share: Percent) -> Vec<Condition> {
    let facts = || RunFacts::new(&run.id, &run.source, &run.target);
    let ended_at = run.ended_at.filter(|at| *at >= switched_on);
    let mut happened = Vec::new();
    match (&run.refused, ended_at) {
        (Some(code), Some(at)) => {
            let facts = Facts::FileRefused { run: facts(), code: Word::new(code) };
            happened.push(Condition::new(facts, at));
        }
        (None, Some(at)) if run.failed > 0 => {
            let (failed, of) = (run.failed, run.rows);
            let facts = Facts::OperationsFailed { run: facts(), failed, of };
            // a retry ends once more
            happened.push(Condition { facts, since: at, level: at.as_microsecond() });
        }
        _ => {}
    }
    let is_held_for_it = run.held_by.iter().any(|held| held.guard == REJECTS_GUARD);
    let of = run.rows.saturating_sub(run.out_of_scope);
    if run.started_at >= switched_on
        && !is_held_for_it
        && run.rejected >= LEAST_REJECTED
        && share.is_reached(run.rejected, of)
    {
        let facts = Facts::RowsRejected { run: facts(), rejected: run.rejected, of };
        happened.push(Condition::new(facts, run.started_at));
    }
    happened
}

/// What the state in which a job was last seen says.
fn job_condition(target: &TargetConfig, job: &JobSeen) -> Option<Condition> {
    let JobAdvice { means, advice } = job_advice(&job.code, job.quarantine.as_deref());
    let (target, means, advice) =
        (target.name.as_str().to_owned(), means.to_owned(), advice.to_owned());
    let facts = if !job.is_ill() {
        return None;
    } else if job.code == "Quarantine" {
        let reason = job.quarantine.as_deref().map(Word::new);
        Facts::JobQuarantined { target, reason, means, advice }
    } else {
        Facts::JobPaused { target, code: Word::new(&job.code), means, advice }
    };
    Some(Condition::new(facts, job.at))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn run() -> TroubledRun {
        TroubledRun {
            id: "R1".into(),
            source: "hr".into(),
            target: "entra".into(),
            refused: None,
            held_by: Vec::new(),
            rows: 100,
            out_of_scope: 0,
            rejected: 0,
            failed: 0,
            started_at: at(1_000),
            ended_at: None,
        }
    }

    fn kinds(run: &TroubledRun) -> Vec<AlertKind> {
        let found = happened(run, at(1_000), Percent::whole(10));
        found.into_iter().map(|condition| condition.facts.kind()).collect()
    }

    #[test]
    fn what_happened_before_alerts_were_switched_on_is_not_told() {
        let refused = TroubledRun { refused: Some("source.empty".into()), ..run() };
        for (ended_at, expected) in
            [(Some(at(999)), vec![]), (Some(at(1_000)), vec![AlertKind::RunFailed])]
        {
            assert_eq!(kinds(&TroubledRun { ended_at, ..refused.clone() }), expected);
            let failed = TroubledRun { failed: 1, ended_at, ..run() };
            assert_eq!(kinds(&failed), expected);
        }
        let rejected = TroubledRun { rejected: 50, started_at: at(999), ..run() };
        assert_eq!(kinds(&rejected), []);
    }

    #[test]
    fn failures_are_told_once_the_run_has_ended() {
        let failed = TroubledRun { failed: 7, ..run() };
        assert_eq!(kinds(&failed), []);
        assert_eq!(
            kinds(&TroubledRun { ended_at: Some(at(2_000)), ..failed }),
            [AlertKind::RunFailed]
        );
    }

    #[test]
    fn rejects_are_told_from_the_share_on_unless_a_guard_has_said_so() {
        for (rejected, rows, out_of_scope, is_told) in [
            (9, 100, 0, false),
            (10, 100, 0, true),
            (9, 100, 10, true),
            (2, 2, 0, false),
            (3, 3, 0, true),
        ] {
            let run = TroubledRun { rows, out_of_scope, rejected, ..run() };
            assert_eq!(!kinds(&run).is_empty(), is_told, "{rejected} of {rows}");
            let guard = REJECTS_GUARD.to_owned();
            let held = HeldBy { guard, limit: "10%".into(), value: rejected, of: rows };
            assert_eq!(kinds(&TroubledRun { held_by: vec![held], ..run }), []);
        }
    }

    #[test]
    fn runs_are_looked_at_again_for_some_time_and_not_for_ever() {
        let rules = crate::telemetry::alerts::Rules {
            on: BTreeSet::new(),
            repeat: SignedDuration::ZERO,
            channels: Vec::new(),
        };
        let day = 86_400;
        let mut book = Book::open(None, rules, at(10 * day));
        assert_eq!(runs_since(&book, at(10 * day + 5)), at(10 * day), "since they are on");
        book.note_looked(at(12 * day));
        assert_eq!(runs_since(&book, at(12 * day + 5)), at(12 * day - 3_600));
        assert_eq!(
            runs_since(&book, at(12 * day - 60)),
            at(12 * day - 3_660),
            "the clock went back"
        );
        assert_eq!(runs_since(&book, at(20 * day)), at(19 * day), "it was off for long");
    }
}
