//! What `/_mock/settings` shows, and what it may be told.

use std::time::Duration;

use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};

use super::denied::Denied;
use super::shared::Settings;

/// All settings, as `GET` shows them.
pub(super) fn shown(settings: &Settings) -> Value {
    let ms = |duration: Duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    json!({
        "domains": settings.domains,
        "latency_ms": ms(settings.latency),
        "burst": settings.burst,
        "burst_window_ms": ms(settings.burst_window),
        "daily_calls": settings.daily_calls,
        "bucket": settings.bucket,
        "scope": settings.scope.as_ref().map(ToString::to_string),
        "skip_out_of_scope_deletions": settings.skip_out_of_scope_deletions,
        "unchanged_event": settings.unchanged_event.as_str(),
        "roles": settings.roles,
        "secret_expired": settings.secret_expired,
        "refuse_tokens": settings.refuse_tokens,
        "managed_identity": settings.managed_identity,
        "opaque_tokens": settings.opaque_tokens,
        "token_lifetime_s": settings.token_lifetime.as_secs(),
        "log_calls": settings.log_calls,
        "log_window_ms": ms(settings.log_window),
        "log_delay_ms": [ms(settings.log_delay.0), ms(settings.log_delay.1)],
        "cycle_ms": ms(settings.cycle),
        "quarantine_factor": settings.quarantine_factor,
        "notification_email": settings.notification_email,
        "delete_threshold": settings.delete_threshold,
        "job_template": settings.job_template,
        "agent_active": settings.agent_active,
        "premium": settings.premium,
        "date_offset_s": settings.date_offset_s,
    })
}

/// What `POST /_mock/settings` may change; what is absent stays.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Change {
    domains: Option<Vec<String>>,
    latency_ms: Option<u64>,
    burst: Option<u32>,
    burst_window_ms: Option<u64>,
    daily_calls: Option<u32>,
    bucket: Option<usize>,
    /// Null takes the filter away.
    #[serde(default, deserialize_with = "given")]
    scope: Option<Nullable<String>>,
    skip_out_of_scope_deletions: Option<bool>,
    unchanged_event: Option<String>,
    roles: Option<Vec<String>>,
    /// Never shown; the tokens that the old one got are over with it.
    client_secret: Option<String>,
    /// Several that are good at once.
    client_secrets: Option<Vec<String>>,
    /// Null takes it away.
    #[serde(default, deserialize_with = "given")]
    refuse_tokens: Option<Nullable<u32>>,
    secret_expired: Option<bool>,
    managed_identity: Option<bool>,
    /// Tokens that say nothing to a client: none it can look into.
    opaque_tokens: Option<bool>,
    token_lifetime_s: Option<u64>,
    log_calls: Option<u32>,
    log_window_ms: Option<u64>,
    log_delay_ms: Option<(u64, u64)>,
    cycle_ms: Option<u64>,
    quarantine_factor: Option<f64>,
    notification_email: Option<bool>,
    /// Null takes the threshold away.
    #[serde(default, deserialize_with = "given")]
    delete_threshold: Option<Nullable<u32>>,
    job_template: Option<String>,
    agent_active: Option<bool>,
    premium: Option<bool>,
    date_offset_s: Option<i64>,
}

/// A value that may be null, which is not the same as absent.
struct Nullable<T>(Option<T>);

fn given<'de, D, T>(from: D) -> Result<Option<Nullable<T>>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    Ok(Some(Nullable(Option::deserialize(from)?)))
}

impl Change {
    /// Changes what is named; a mistake changes nothing.
    pub(super) fn apply(self, settings: &mut Settings) -> Result<(), String> {
        let words = |error: &dyn std::error::Error| error.to_string();
        // Read first: a wrong word must not leave half a change.
        let read_scope = |Nullable(text)| text.map(|text: String| text.parse()).transpose();
        let scope = self.scope.map(read_scope).transpose().map_err(|error| words(&error))?;
        let unchanged = self.unchanged_event.map(|text| text.parse()).transpose();
        let unchanged = unchanged.map_err(|error| words(&error))?;
        if self.domains.as_ref().is_some_and(Vec::is_empty) {
            return Err("`domains` is empty, but there is always a default domain".to_owned());
        }
        self.quarantine_factor.map_or(Ok(()), check_factor)?;
        if let Some(Nullable(Some(code))) = self.refuse_tokens
            && Denied::by_code(code).is_none()
        {
            return Err(format!("`refuse_tokens` knows no AADSTS{code}"));
        }
        set(&mut settings.scope, scope);
        set(&mut settings.unchanged_event, unchanged);
        set(&mut settings.domains, self.domains);
        set(&mut settings.latency, self.latency_ms.map(Duration::from_millis));
        set(&mut settings.burst, self.burst);
        set(&mut settings.burst_window, self.burst_window_ms.map(Duration::from_millis));
        set(&mut settings.daily_calls, self.daily_calls);
        set(&mut settings.bucket, self.bucket);
        set(&mut settings.skip_out_of_scope_deletions, self.skip_out_of_scope_deletions);
        set(&mut settings.roles, self.roles);
        set(&mut settings.client_secrets, self.client_secret.map(|secret| vec![secret]));
        set(&mut settings.client_secrets, self.client_secrets);
        set(&mut settings.refuse_tokens, self.refuse_tokens.map(|code| code.0));
        set(&mut settings.secret_expired, self.secret_expired);
        set(&mut settings.managed_identity, self.managed_identity);
        set(&mut settings.opaque_tokens, self.opaque_tokens);
        set(&mut settings.token_lifetime, self.token_lifetime_s.map(Duration::from_secs));
        set(&mut settings.log_calls, self.log_calls);
        set(&mut settings.log_window, self.log_window_ms.map(Duration::from_millis));
        set(&mut settings.cycle, self.cycle_ms.map(Duration::from_millis));
        set(&mut settings.quarantine_factor, self.quarantine_factor);
        set(&mut settings.notification_email, self.notification_email);
        set(&mut settings.delete_threshold, self.delete_threshold.map(|most| most.0));
        set(&mut settings.job_template, self.job_template);
        set(&mut settings.agent_active, self.agent_active);
        set(&mut settings.premium, self.premium);
        set(&mut settings.date_offset_s, self.date_offset_s);
        let delay = self.log_delay_ms;
        let delay =
            delay.map(|(from, to)| (Duration::from_millis(from), Duration::from_millis(to)));
        set(&mut settings.log_delay, delay);
        Ok(())
    }
}

fn set<T>(setting: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *setting = value;
    }
}

/// The factor of the quarantine's thresholds is greater than 0.
pub(super) fn check_factor(factor: f64) -> Result<(), &'static str> {
    let good = factor.is_finite() && factor > 0.0;
    if good { Ok(()) } else { Err("`quarantine_factor` is not a number greater than 0") }
}
