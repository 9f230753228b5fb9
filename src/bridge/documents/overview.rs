//! All targets and the newest runs, as JSON.

use serde_json::{Value, json};

use crate::bridge::documents::{instant, run};
use crate::bridge::{Blocked, Forecast, Overview};
use crate::store::{JobSeen, Resent};

fn job(job: &JobSeen) -> Value {
    json!({
        "code": job.code,
        "quarantine": job.quarantine,
        "delete_threshold": job.delete_threshold,
        "seen_at": instant(job.at),
    })
}

fn forecast(forecast: &Forecast) -> Value {
    json!({
        "calls_used": forecast.calls,
        "daily_calls": forecast.daily_calls,
        "operations_left": forecast.operations,
        "requests_left": forecast.requests,
        "done_at": forecast.done_at.map(instant),
    })
}

fn blocked(blocked: &Blocked) -> Value {
    json!({ "what": blocked.what, "advice": blocked.advice, "since": instant(blocked.since) })
}

/// The last time that what had no outcome was sent again.
fn resent(resent: &Resent) -> Value {
    json!({
        "at": instant(resent.at),
        "operations": resent.operations,
        "why": resent.why.as_str(),
    })
}

/// All targets and the newest runs: `status --json`.
#[must_use]
pub fn overview(overview: &Overview) -> Value {
    let targets = overview.targets.iter().map(|target| {
        json!({
            "target": target.target.as_str(),
            "calls_24h": target.calls,
            "daily_calls": target.daily_calls,
            "queued": target.outbox.queued,
            "sending": target.outbox.sending,
            "accepted": target.accepted,
            "job": target.job.as_ref().map(job),
            "resent": target.resent.as_ref().map(resent),
            "forecast": target.forecast.as_ref().map(forecast),
            "blocked": target.blocked.as_ref().map(blocked),
        })
    });
    json!({
        "targets": targets.collect::<Vec<_>>(),
        "runs": overview.runs.iter().map(run).collect::<Vec<_>>(),
    })
}
