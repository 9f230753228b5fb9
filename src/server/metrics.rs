//! Numbers for Prometheus, as its text format. No label has a value of a person.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use actix_web::{HttpRequest, HttpResponse, web};
use jiff::Timestamp;

use crate::bridge::{Bridge, BridgeError, Hooks, Overview};
use crate::domain::{AlertKind, RunStatus, SourceName};
use crate::server::access::{Role, require_here_or};
use crate::server::problem::{Problem, ProblemDocument};
use crate::server::shared::Shared;
use crate::store::{Backlog, Key, Tally};

/// Text format 0.0.4.
const MEDIA_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";
/// Everything is counted at most this often, however often it is asked.
const COUNT_EVERY: Duration = Duration::from_secs(10);

/// How often each route was answered how.
#[derive(Default)]
pub(super) struct Answered(Mutex<BTreeMap<(String, &'static str, u16), u64>>);

impl Answered {
    /// Counts an answer. Routes, methods and statuses come from lists, so this stays small.
    pub(super) fn count(&self, method: &'static str, route: &str, status: u16) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *counts.entry((route.to_owned(), method, status)).or_default() += 1;
    }
}

/// The last time that everything was counted.
#[derive(Default)]
pub(super) struct LastTally(Mutex<Option<(Instant, Arc<Counted>)>>);

struct Counted {
    overview: Overview,
    tally: Tally,
    /// What waits of each source with a webhook.
    backlogs: Vec<(SourceName, Backlog)>,
    keys: Vec<Key>,
    now: Timestamp,
}

/// Numbers for Prometheus.
#[utoipa::path(
    get,
    path = "/metrics",
    operation_id = "show_metrics",
    tag = "Operation",
    security((), ("reader" = [])),
    responses(
        (status = 200, body = String, content_type = "text/plain"),
        (status = 401, body = ProblemDocument, content_type = "application/problem+json"),
    )
)]
pub(super) async fn metrics(
    request: HttpRequest,
    shared: web::Data<Shared>,
) -> Result<HttpResponse, Problem> {
    require_here_or(&request, &shared, Role::Reader).await?;
    let counted = counted(&shared).await?;
    let answered = shared.answered.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let mut page = text(&counted, &answered);
    noticed(&mut page, &shared.bridge(), &counted);
    webhooks(&mut page, &counted, &shared.bridge_and_hooks().1);
    Ok(HttpResponse::Ok().content_type(MEDIA_TYPE).body(page.text))
}

async fn counted(shared: &Shared) -> Result<Arc<Counted>, Problem> {
    let last = shared.last_tally.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
    if let Some((at, counted)) = last
        && at.elapsed() < COUNT_EVERY
    {
        return Ok(counted);
    }
    let bridge = shared.bridge();
    let counted = Arc::new(shared.look(count(&bridge)).await?);
    let mut last = shared.last_tally.0.lock().unwrap_or_else(PoisonError::into_inner);
    *last = Some((Instant::now(), Arc::clone(&counted)));
    Ok(counted)
}

async fn count(bridge: &Bridge) -> Result<Counted, BridgeError> {
    let mut backlogs = Vec::new();
    for source in bridge.setup.config().sources.iter().filter(|source| source.webhook.is_some()) {
        backlogs.push((source.name.clone(), bridge.store.backlog(&source.name).await?));
    }
    Ok(Counted {
        overview: bridge.overview().await?,
        tally: bridge.store.tally().await?,
        keys: bridge.store.keys().await?,
        backlogs,
        now: bridge.clock.now(),
    })
}

/// Alerts and keys.
fn noticed(page: &mut Page, bridge: &Bridge, counted: &Counted) {
    let active = bridge.conditions.active();
    page.metric("scimport_alerts_active", "gauge", "Alerts that hold, by kind.");
    for kind in AlertKind::ALL {
        page.sample(&[("kind", kind.as_str())], active.get(&kind).copied().unwrap_or(0));
    }
    page.metric(
        "scimport_provisioning_key_expires_in_seconds",
        "gauge",
        "How long each valid key is valid.",
    );
    for key in counted.keys.iter().filter(|key| key.is_valid(counted.now)) {
        let left = key.expires_at.duration_since(counted.now).unsigned_abs();
        page.sample(&[("key", key.id.as_str())], left.as_secs());
    }
    let help = "Token requests that Entra refused for good, by target.";
    page.metric("scimport_token_refusals_total", "counter", help);
    for (target, seen) in bridge.credentials() {
        page.sample(&[("target", target.as_str())], seen.refusals);
    }
    page.metric("scimport_keys_refused_total", "counter", "Keys that were refused, by reason.");
    for (reason, count) in bridge.conditions.refused_keys() {
        page.sample(&[("reason", reason)], count);
    }
}

fn text(counted: &Counted, answered: &BTreeMap<(String, &'static str, u16), u64>) -> Page {
    let mut page = Page::default();
    page.metric("scimport_build_info", "gauge", "The version that answers.");
    page.sample(&[("version", env!("CARGO_PKG_VERSION"))], 1);
    page.metric("scimport_runs", "gauge", "Runs by target and status.");
    let targets: Vec<&str> =
        counted.overview.targets.iter().map(|target| target.target.as_str()).collect();
    for target in &targets {
        for status in RunStatus::ALL {
            let own = counted
                .tally
                .runs
                .iter()
                .find(|((name, each), _)| name.as_str() == *target && *each == status);
            let labels = [("target", *target), ("status", status.as_str())];
            page.sample(&labels, own.map_or(0, |(_, count)| *count));
        }
    }
    page.metric("scimport_operations", "gauge", "Operations and rows by target and status.");
    for target in &targets {
        let own = counted.tally.operations.iter().find(|(name, _)| name.as_str() == *target);
        for (status, count) in own.map(|(_, counts)| *counts).unwrap_or_default().iter() {
            page.sample(&[("target", target), ("status", status.as_str())], count);
        }
    }
    page.metric(
        "scimport_quota_calls_used",
        "gauge",
        "Calls of the last 24 hours, over the tenant.",
    );
    for target in &counted.overview.targets {
        page.sample(&[("target", target.target.as_str())], target.calls);
    }
    page.metric("scimport_quota_calls_limit", "gauge", "Calls allowed in 24 hours.");
    for target in &counted.overview.targets {
        page.sample(&[("target", target.target.as_str())], u64::from(target.daily_calls));
    }
    page.metric("scimport_job_state", "gauge", "1 for the state in which the job was last seen.");
    for target in &counted.overview.targets {
        if let Some(job) = &target.job {
            let quarantine = if job.quarantine.is_some() { "true" } else { "false" };
            let labels = [
                ("target", target.target.as_str()),
                ("state", &job.code),
                ("quarantine", quarantine),
            ];
            page.sample(&labels, 1);
        }
    }
    page.metric("scimport_http_requests_total", "counter", "Answers by route, method and status.");
    for ((route, method, status), count) in answered {
        let status = status.to_string();
        page.sample(&[("route", route), ("method", method), ("status", &status)], *count);
    }
    page
}

/// Webhooks, where there are any.
fn webhooks(page: &mut Page, counted: &Counted, hooks: &Hooks) {
    if counted.backlogs.is_empty() {
        return;
    }
    let help = "Webhook deliveries by source and answer.";
    page.metric("scimport_webhook_deliveries_total", "counter", help);
    for ((source, outcome), count) in hooks.answered() {
        page.sample(&[("source", source.as_str()), ("outcome", outcome)], count);
    }
    page.metric(
        "scimport_webhook_waiting",
        "gauge",
        "Webhook deliveries that wait to be processed.",
    );
    for (source, backlog) in &counted.backlogs {
        page.sample(&[("source", source.as_str())], backlog.waiting);
    }
}

/// A page in the text format.
#[derive(Default)]
struct Page {
    text: String,
    name: &'static str,
}

impl Page {
    fn metric(&mut self, name: &'static str, kind: &str, help: &str) {
        self.name = name;
        // writing to text cannot fail
        let _ = writeln!(self.text, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    fn sample(&mut self, labels: &[(&str, &str)], value: u64) {
        let labels: Vec<String> =
            labels.iter().map(|(name, value)| format!("{name}=\"{}\"", Label(value))).collect();
        let _ = writeln!(self.text, "{}{{{}}} {value}", self.name, labels.join(","));
    }
}

/// A label's value, escaped.
struct Label<'a>(&'a str);

impl fmt::Display for Label<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|letter| match letter {
            '\\' => f.write_str("\\\\"),
            '"' => f.write_str("\\\""),
            '\n' => f.write_str("\\n"),
            letter => f.write_char(letter),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_escaped() {
        let mut page = Page::default();
        page.metric("x", "gauge", "An x.");
        page.sample(&[("a", "q\"b\\c\nd"), ("b", "ü")], 7);
        let expected = "# HELP x An x.\n# TYPE x gauge\nx{a=\"q\\\"b\\\\c\\nd\",b=\"ü\"} 7\n";
        assert_eq!(page.text, expected);
    }
}
