//! What all handlers and the engine's thread share: one world behind one lock.
//!
//! The lock is held for moments and never across an await.

use std::path::PathBuf;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::certificate::Certificate;
use super::clock::{MockClock, SECOND};
use super::config::{CLIENT_SECRET, Check, MockConfig, UnchangedEvent};
use super::engine::{Engine, TO_ENTRA};
use super::fault::FaultPlan;
use super::flight::Flights;
use super::limits::Calls;
use super::schema::Schema;
use super::scope::ScopeFilter;
use super::tokens::Tokens;

/// Microseconds of 24 hours; the daily quota is taken to roll.
pub(super) const DAY: i64 = 86_400 * SECOND;

/// What can be changed while the stand-in runs.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is a setting by itself, set by its name")]
pub(super) struct Settings {
    pub(super) domains: Vec<String>,
    pub(super) latency: Duration,
    pub(super) burst: u32,
    pub(super) burst_window: Duration,
    pub(super) daily_calls: u32,
    pub(super) bucket: usize,
    pub(super) scope: Option<ScopeFilter>,
    pub(super) skip_out_of_scope_deletions: bool,
    pub(super) unchanged_event: UnchangedEvent,
    pub(super) roles: Vec<String>,
    /// All are good: an app may have several at once.
    pub(super) client_secrets: Vec<String>,
    pub(super) secret_expired: bool,
    /// Every token request is refused with this AADSTS code.
    pub(super) refuse_tokens: Option<u32>,
    pub(super) managed_identity: bool,
    pub(super) opaque_tokens: bool,
    pub(super) token_lifetime: Duration,
    pub(super) log_calls: u32,
    pub(super) log_window: Duration,
    pub(super) cycle: Duration,
    pub(super) log_delay: (Duration, Duration),
    pub(super) quarantine_factor: f64,
    pub(super) notification_email: bool,
    pub(super) delete_threshold: Option<u32>,
    /// What else is kept beside the notification settings, as key and value.
    pub(super) secrets: Vec<(String, String)>,
    pub(super) job_template: String,
    pub(super) agent_active: bool,
    pub(super) premium: bool,
    /// Seconds that every `Date` is ahead; behind where it is negative.
    pub(super) date_offset_s: i64,
    pub(super) checks: Vec<Check>,
}

impl Settings {
    pub(super) fn of(config: &MockConfig) -> Self {
        Self {
            domains: config.domains.clone(),
            latency: config.latency,
            burst: config.burst,
            burst_window: config.burst_window,
            daily_calls: config.daily_calls,
            bucket: config.bucket,
            scope: config.scope.clone(),
            skip_out_of_scope_deletions: config.skip_out_of_scope_deletions,
            unchanged_event: config.unchanged_event,
            roles: config.roles.clone(),
            client_secrets: vec![CLIENT_SECRET.to_owned()],
            secret_expired: false,
            refuse_tokens: None,
            managed_identity: config.managed_identity,
            opaque_tokens: false,
            token_lifetime: config.token_lifetime,
            log_calls: config.log_calls,
            log_window: config.log_window,
            cycle: config.cycle,
            log_delay: config.log_delay,
            quarantine_factor: config.quarantine_factor,
            notification_email: config.notification_email,
            delete_threshold: config.delete_threshold,
            secrets: Vec::new(),
            job_template: TO_ENTRA.to_owned(),
            agent_active: true,
            premium: true,
            date_offset_s: 0,
            checks: config.checks.clone(),
        }
    }

    /// The tenant's default domain.
    pub(super) fn default_domain(&self) -> &str {
        self.domains.first().map_or("", String::as_str)
    }

    /// Whether a domain is verified; case does not matter.
    pub(super) fn is_verified(&self, domain: &str) -> bool {
        self.domains.iter().any(|known| known.eq_ignore_ascii_case(domain))
    }
}

/// Everything that changes.
#[derive(Debug)]
pub(super) struct World {
    pub(super) settings: Settings,
    pub(super) faults: FaultPlan,
    pub(super) tokens: Tokens,
    /// Those registered for client assertions: an app may have several at once.
    pub(super) certificates: Vec<Certificate>,
    pub(super) calls: Calls,
    pub(super) log_calls: Calls,
    pub(super) flights: Flights,
    pub(super) engine: Engine,
    pub(super) schema: Schema,
    pub(super) counts: Counts,
    pub(super) stopping: bool,
}

/// Counts for `GET /_mock/stats` that nothing else needs.
#[derive(Debug, Default)]
pub(super) struct Counts {
    pub(super) token_requests: u64,
    pub(super) log_requests: u64,
    pub(super) log_throttled: u64,
    pub(super) log_errors: u64,
}

impl World {
    pub(super) fn new(settings: Settings, faults: FaultPlan, engine: Engine) -> Self {
        Self {
            settings,
            faults,
            tokens: Tokens::default(),
            certificates: Vec::new(),
            calls: Calls::new(DAY),
            log_calls: Calls::new(DAY),
            flights: Flights::default(),
            engine,
            schema: Schema::default(),
            counts: Counts::default(),
            stopping: false,
        }
    }
}

/// What does not change, and the world.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) clock: MockClock,
    /// `http://ADDRESS`, without a slash at the end.
    pub(super) url: String,
    pub(super) state: Option<PathBuf>,
    pub(super) config: MockConfig,
    pub(super) world: Mutex<World>,
    /// Rung when the engine may have something to do.
    pub(super) wake: Condvar,
}

impl Shared {
    /// The world, for a moment. A panic elsewhere does not end the stand-in.
    pub(super) fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
