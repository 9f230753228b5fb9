//! `[target.NAME]`: one Entra provisioning job, its credential and its limits.
//!
//! Shapes only. Whether ids and hosts are ones that a token may go to is for `entra` to say.

use std::path::Path;
use std::time::Duration;

use crate::config::credential::{self, CredentialConfig, Credentials};
use crate::config::duration;
use crate::config::section::{Field, Section};
use crate::config::tenant;
use crate::domain::TargetName;

pub(super) const KEYS: &[&str] = &[
    "tenant_id",
    "client_id",
    "service_principal_id",
    "job_id",
    "cloud",
    "authority_url",
    "graph_url",
    "credential",
    "daily_calls",
    "burst",
    "tracking",
    "retry",
    "job_check",
    "verified_domains",
];
pub(super) const TRACKING_KEYS: &[&str] = &["first_poll", "poll", "unconfirmed_after", "reads"];
pub(super) const RETRY_KEYS: &[&str] = &["base", "cap", "bucket_pause"];

/// Calls a tenant has in 24 hours without an Entra ID Governance licence (Microsoft Entra docs,
/// "API-driven inbound provisioning concepts", read 2026-11-22).
pub(super) const DEFAULT_DAILY_CALLS: u32 = 2000;
/// Calls a tenant may make in any 5 seconds (same page).
pub(super) const DEFAULT_BURST: Burst = Burst { calls: 40, window: Duration::from_secs(5) };
/// How often a job's health is asked for while operations wait.
const DEFAULT_JOB_CHECK: Duration = Duration::from_mins(5);
const CLOUDS: [(&str, &str); 4] =
    [("public", "public"), ("usgov", "usgov"), ("dod", "dod"), ("china", "china")];

/// `[target.NAME]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetConfig {
    /// Its name.
    pub name: TargetName,
    /// The tenant, by id or domain.
    pub tenant_id: String,
    /// The application that gets the token. Absent where a managed identity does.
    pub client_id: Option<String>,
    /// The object id of the provisioning app.
    pub service_principal_id: String,
    /// The synchronization job.
    pub job_id: String,
    /// `public`, `usgov`, `dod` or `china`.
    pub cloud: String,
    /// Where tokens come from, when not from the cloud's authority.
    pub authority_url: Option<String>,
    /// Where Graph is, when not at the cloud's host.
    pub graph_url: Option<String>,
    /// How we prove who we are.
    pub credential: CredentialConfig,
    /// How we prove it when the first way is refused for good.
    pub second_credential: Option<CredentialConfig>,
    /// Calls in any 24 hours, for all targets of the tenant together.
    pub daily_calls: u32,
    /// Calls in a short time, for all targets of the tenant together.
    pub burst: Burst,
    /// When the provisioning log is read.
    pub tracking: TrackingConfig,
    /// How long we wait before we try again.
    pub retry: RetryConfig,
    /// How often the job's health is asked for.
    pub job_check: Duration,
    /// The tenant's verified domains, in lower case; empty where the config does not say.
    pub verified_domains: Vec<String>,
}

/// So many calls in any window of this length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Burst {
    /// The calls; at least 1.
    pub calls: u32,
    /// The length of the window; never zero.
    pub window: Duration,
}

/// `tracking = { … }`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TrackingConfig {
    /// From a 202 to the first look at the log.
    pub first_poll: Duration,
    /// From one look to the next; never zero.
    pub poll: Duration,
    /// From a 202 to `unconfirmed`; never zero.
    pub unconfirmed_after: Duration,
    /// Reads of the log in a short time; Graph allows an app 5 in 10 seconds.
    pub reads: Burst,
}

impl Default for TrackingConfig {
    /// A cycle takes up to 40 minutes and the log lags; half a minute is what the log's own limit
    /// of reads leaves room for.
    fn default() -> Self {
        Self {
            first_poll: Duration::from_mins(5),
            poll: Duration::from_secs(30),
            unconfirmed_after: Duration::from_mins(90),
            reads: Burst { calls: 5, window: Duration::from_secs(10) },
        }
    }
}

/// `retry = { … }`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryConfig {
    /// The first wait after a 429 without `Retry-After`; doubles each time. Never zero.
    pub base: Duration,
    /// The longest wait; not shorter than `base`.
    pub cap: Duration,
    /// The wait when the job's queue is full.
    pub bucket_pause: Duration,
}

impl Default for RetryConfig {
    /// 5 s, 10 s, 20 s … 5 min.
    fn default() -> Self {
        Self {
            base: Duration::from_secs(5),
            cap: Duration::from_mins(5),
            bucket_pause: Duration::from_mins(5),
        }
    }
}

pub(super) fn read(targets: &Section<'_>, folder: &Path) -> Vec<TargetConfig> {
    let sections = targets.named("target");
    let mut read: Vec<_> =
        sections.iter().filter_map(|(name, section)| target(name, section, folder)).collect();
    tenant::share_limits(&mut read, &sections);
    read
}

/// A managed identity is an application by itself; here one would seem to be chosen.
fn refuse_client_id(section: &Section<'_>) {
    let Some(field) = section.get("client_id") else { return };
    let message = "`client_id` says nothing beside a managed identity".to_owned();
    let hint = "take it out; one of several identities is named as \
                `credential = { managed_identity = { client_id = \"…\" } }`";
    field.refuse_key(message, Some(hint.to_owned()));
}

fn target(name: &str, section: &Section<'_>, folder: &Path) -> Option<TargetConfig> {
    section.check_keys(KEYS);
    let text = |key| section.get(key).and_then(|field| field.text()).map(str::to_owned);
    // All are read before the first that is missing ends this.
    let tenant_id = section.require_text("tenant_id");
    let is_managed =
        section.get("credential").is_some_and(|field| credential::is_managed_identity(&field));
    let client_id = if is_managed {
        refuse_client_id(section);
        None
    } else {
        section.require_text("client_id")
    };
    let service_principal_id = section.require_text("service_principal_id");
    let job_id = section.require_text("job_id");
    let cloud = section.get("cloud").and_then(|field| field.word(&CLOUDS)).unwrap_or("public");
    let (authority_url, graph_url) = (text("authority_url"), text("graph_url"));
    let credential =
        section.require("credential").and_then(|field| credential::read(&field, folder));
    let daily_calls = section.get("daily_calls").and_then(|field| field.positive());
    let burst = section.get("burst").and_then(|field| burst(&field));
    let tracking = section.get("tracking").and_then(|field| tracking(&field)).unwrap_or_default();
    let retry = section.get("retry").and_then(|field| retry(&field)).unwrap_or_default();
    let verified_domains = section.get("verified_domains").and_then(|field| domains(&field));
    let job_check = section.positive_duration_or("job_check", DEFAULT_JOB_CHECK);
    let Credentials { first, second } = credential?;
    Some(TargetConfig {
        name: TargetName::new(name),
        tenant_id: tenant_id?,
        client_id: if is_managed { None } else { Some(client_id?) },
        service_principal_id: service_principal_id?,
        job_id: job_id?,
        cloud: cloud.to_owned(),
        authority_url,
        graph_url,
        credential: first,
        second_credential: second,
        daily_calls: daily_calls.unwrap_or(DEFAULT_DAILY_CALLS),
        burst: burst.unwrap_or(DEFAULT_BURST),
        tracking,
        retry,
        job_check,
        verified_domains: verified_domains.unwrap_or_default(),
    })
}

/// Domains without `@`; letter case means nothing in them.
fn domains(field: &Field<'_>) -> Option<Vec<String>> {
    let texts = field.texts()?;
    if texts.is_empty() {
        field.refuse_key(format!("`{}` lists nothing", field.key), None);
    }
    if texts.iter().any(|text| !is_domain(text)) {
        let message = format!("`{}` lists what is no domain", field.key);
        field.refuse_key(message, Some("write it like [\"contoso.com\"]".to_owned()));
    }
    Some(texts.into_iter().map(str::to_lowercase).collect())
}

/// Labels with dots between them.
fn is_domain(text: &str) -> bool {
    let is_label = |label: &str| {
        let is_odd = |letter: char| letter.is_whitespace() || "@/\\:,;".contains(letter);
        !label.is_empty() && !label.contains(is_odd)
    };
    text.contains('.') && text.split('.').all(is_label)
}

/// `40/5s`, for `burst`, `reads` and a webhook's `rate`.
pub(super) fn burst(field: &Field<'_>) -> Option<Burst> {
    let burst = parse_burst(field.text()?);
    if burst.is_none() {
        let hint = "write it like `40/5s`: so many calls in so long a time".to_owned();
        field.refuse(
            format!("`{}` is no number of calls and length of time", field.key),
            Some(hint),
        );
    }
    burst
}

fn parse_burst(text: &str) -> Option<Burst> {
    let (calls, window) = text.split_once('/')?;
    let has_digits_only = calls.bytes().all(|byte| byte.is_ascii_digit());
    let calls = calls.parse().ok().filter(|calls| has_digits_only && *calls > 0)?;
    let window = duration::parse(window).filter(|window| !window.is_zero())?;
    Some(Burst { calls, window })
}

fn tracking(field: &Field<'_>) -> Option<TrackingConfig> {
    let section = field.part()?;
    section.check_keys(TRACKING_KEYS);
    let default = TrackingConfig::default();
    Some(TrackingConfig {
        first_poll: section.duration_or("first_poll", default.first_poll),
        poll: section.positive_duration_or("poll", default.poll),
        unconfirmed_after: section
            .positive_duration_or("unconfirmed_after", default.unconfirmed_after),
        reads: section.get("reads").and_then(|field| burst(&field)).unwrap_or(default.reads),
    })
}

fn retry(field: &Field<'_>) -> Option<RetryConfig> {
    let section = field.part()?;
    section.check_keys(RETRY_KEYS);
    let default = RetryConfig::default();
    let retry = RetryConfig {
        base: section.positive_duration_or("base", default.base),
        cap: section.positive_duration_or("cap", default.cap),
        bucket_pause: section.duration_or("bucket_pause", default.bucket_pause),
    };
    if retry.cap < retry.base {
        section.refuse(format!("`cap` is shorter than `base` in {}", section.title()), None);
    }
    Some(retry)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_is_calls_in_a_window() {
        let burst = Burst { calls: 40, window: Duration::from_secs(5) };
        assert_eq!(parse_burst("40/5s"), Some(burst));
        for text in ["", "40", "40/", "/5s", "0/5s", "40/0s", "+40/5s", "-1/5s", "40/5", "40 / 5s"]
        {
            assert_eq!(parse_burst(text), None, "`{text}`");
        }
    }
}
