//! The control plane under `/_mock/`: what a test asks of the stand-in, or tells it.
//!
//! The routes stand in the module's own page. They need no token; a wrong body is refused with 400
//! and a text.

use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};

use super::engine::{Engine, JobCode};
use super::fault::{Fault, FaultPlan};
use super::limits::most_within;
use super::shared::{Counts, Settings, Shared, World};

/// Largest body of a control call: room for a hundred thousand seeds.
const MAX_BODY: usize = 256 * 1024 * 1024;

/// Adds the routes.
pub(super) fn routes(config: &mut web::ServiceConfig) {
    config.service(
        web::scope("/_mock")
            .app_data(web::PayloadConfig::new(MAX_BODY))
            .route("/directory", web::get().to(directory))
            .route("/requests", web::get().to(requests))
            .route("/stats", web::get().to(stats))
            .route("/settings", web::get().to(settings))
            .route("/settings", web::post().to(set_settings))
            .route("/faults", web::get().to(faults))
            .route("/faults", web::post().to(set_faults))
            .route("/seed", web::post().to(seed))
            .route("/cycle", web::post().to(cycle))
            .route("/job", web::post().to(job))
            .route("/advance", web::post().to(advance))
            .route("/reset", web::post().to(reset)),
    );
}

async fn directory(shared: web::Data<Shared>) -> HttpResponse {
    HttpResponse::Ok().json(shared.world().engine.directory.json())
}

async fn requests(shared: web::Data<Shared>) -> HttpResponse {
    HttpResponse::Ok().json(shared.world().flights.json())
}

async fn stats(shared: web::Data<Shared>) -> HttpResponse {
    let world = shared.world();
    let (accepted, refused, open, unanswered) = world.flights.counts();
    let arrivals = world.flights.arrivals();
    let window = super::clock::micros(world.settings.burst_window);
    let mut shown = json!({
        "calls": arrivals.len(),
        "accepted": accepted,
        "refused": refused,
        "in_flight": open,
        "unanswered": unanswered,
        "most_calls_in_window": most_within(&arrivals, window),
        "overlapping_records": world.flights.overlapping(),
        "token_requests": world.counts.token_requests,
        "log_requests": world.counts.log_requests,
        "log_throttled": world.counts.log_throttled,
    });
    if let (Some(shown), Value::Object(engine)) = (shown.as_object_mut(), world.engine.stats()) {
        shown.extend(engine);
    }
    HttpResponse::Ok().json(shown)
}

async fn settings(shared: web::Data<Shared>) -> HttpResponse {
    HttpResponse::Ok().json(shown(&shared.world()))
}

fn shown(world: &World) -> Value {
    let settings = &world.settings;
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
        "token_lifetime_s": settings.token_lifetime.as_secs(),
        "log_calls": settings.log_calls,
        "log_window_ms": ms(settings.log_window),
        "log_delay_ms": [ms(settings.log_delay.0), ms(settings.log_delay.1)],
        "cycle_ms": ms(settings.cycle),
    })
}

/// What `POST /_mock/settings` may change; what is absent stays.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    domains: Option<Vec<String>>,
    latency_ms: Option<u64>,
    burst: Option<u32>,
    burst_window_ms: Option<u64>,
    daily_calls: Option<u32>,
    bucket: Option<usize>,
    /// Null takes the filter away.
    #[serde(default, deserialize_with = "given")]
    scope: Option<Value>,
    skip_out_of_scope_deletions: Option<bool>,
    unchanged_event: Option<String>,
    roles: Option<Vec<String>>,
    secret_expired: Option<bool>,
    token_lifetime_s: Option<u64>,
    log_calls: Option<u32>,
    log_window_ms: Option<u64>,
    log_delay_ms: Option<(u64, u64)>,
    cycle_ms: Option<u64>,
}

/// Tells a null from what is absent.
fn given<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(from).map(Some)
}

impl Change {
    fn apply(self, settings: &mut Settings) -> Result<(), String> {
        let words = |error: &dyn std::error::Error| error.to_string();
        // Read first: a wrong word must not leave half a change.
        let scope = match &self.scope {
            None => None,
            Some(Value::Null) => Some(None),
            Some(Value::String(text)) => Some(Some(text.parse().map_err(|error| words(&error))?)),
            Some(_) => return Err("`scope` is neither a filter nor null".to_owned()),
        };
        let unchanged = self.unchanged_event.map(|text| text.parse()).transpose();
        let unchanged = unchanged.map_err(|error| words(&error))?;
        if self.domains.as_ref().is_some_and(Vec::is_empty) {
            return Err("`domains` is empty, but there is always a default domain".to_owned());
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
        set(&mut settings.secret_expired, self.secret_expired);
        set(&mut settings.token_lifetime, self.token_lifetime_s.map(Duration::from_secs));
        set(&mut settings.log_calls, self.log_calls);
        set(&mut settings.log_window, self.log_window_ms.map(Duration::from_millis));
        set(&mut settings.cycle, self.cycle_ms.map(Duration::from_millis));
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

async fn set_settings(body: web::Bytes, shared: web::Data<Shared>) -> HttpResponse {
    let mut world = shared.world();
    let change: Result<Change, _> = serde_json::from_slice(&body);
    let outcome = change
        .map_err(|error| error.to_string())
        .and_then(|change| change.apply(&mut world.settings))
        .map(|()| shown(&world));
    shared.wake.notify_all();
    told(outcome)
}

async fn faults(shared: web::Data<Shared>) -> HttpResponse {
    HttpResponse::Ok().json(shared.world().faults.list())
}

async fn set_faults(body: web::Bytes, shared: web::Data<Shared>) -> HttpResponse {
    let faults = serde_json::from_slice(&body).map_err(|error| error.to_string()).and_then(
        |texts: Vec<String>| {
            let read = |text: &String| text.parse::<Fault>().map_err(|error| error.to_string());
            texts.iter().map(read).collect::<Result<Vec<_>, _>>()
        },
    );
    told(faults.map(|faults| {
        let plan = FaultPlan::new(&faults);
        let list = json!(plan.list());
        shared.world().faults = plan;
        list
    }))
}

async fn seed(body: web::Bytes, shared: web::Data<Shared>) -> HttpResponse {
    let users: Result<Vec<Value>, _> = serde_json::from_slice(&body);
    let outcome = users.map_err(|error| error.to_string()).and_then(|users| {
        shared.world().engine.directory.seed(&users).map(|()| json!({ "seeded": users.len() }))
    });
    told(outcome)
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct RunCycle {
    #[serde(default)]
    escrows: bool,
}

async fn cycle(body: web::Bytes, shared: web::Data<Shared>) -> HttpResponse {
    let told_to = if body.is_empty() {
        Ok(RunCycle::default())
    } else {
        serde_json::from_slice(&body).map_err(|error| error.to_string())
    };
    told(told_to.map(|told_to: RunCycle| {
        let mut world = shared.world();
        let world = &mut *world;
        let now = shared.clock.now();
        let ran = world.engine.run_cycle(&world.settings, now, told_to.escrows);
        json!({ "ran": ran, "events": world.engine.log().len() })
    }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SetJob {
    code: String,
    /// Of a quarantine.
    reason: Option<String>,
}

async fn job(body: web::Bytes, shared: web::Data<Shared>) -> HttpResponse {
    let wanted: Result<SetJob, _> = serde_json::from_slice(&body);
    let outcome = wanted.map_err(|error| error.to_string()).and_then(|wanted| {
        let code: JobCode = wanted.code.parse()?;
        let reason = wanted.reason.as_deref().unwrap_or("EncounteredEscrowProportionThreshold");
        shared.world().engine.set_job(code, reason, shared.clock.now());
        Ok(json!({ "code": code.as_str() }))
    });
    shared.wake.notify_all();
    told(outcome)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Advance {
    seconds: u32,
}

async fn advance(body: web::Bytes, shared: web::Data<Shared>) -> HttpResponse {
    let step: Result<Advance, _> = serde_json::from_slice(&body);
    let outcome = step.map_err(|error| error.to_string()).map(|step| {
        shared.clock.advance(step.seconds);
        json!({ "now": super::clock::instant_text(shared.clock.now()) })
    });
    shared.wake.notify_all();
    told(outcome)
}

/// Back to how it started, with an empty directory. The clock stays where it is.
async fn reset(shared: web::Data<Shared>) -> HttpResponse {
    let mut world = shared.world();
    world.settings = Settings::of(&shared.config);
    world.faults = FaultPlan::new(&shared.config.faults);
    world.engine = Engine::default();
    world.counts = Counts::default();
    world.tokens.clear();
    world.calls.clear();
    world.log_calls.clear();
    world.flights.clear();
    HttpResponse::NoContent().finish()
}

fn told(outcome: Result<Value, String>) -> HttpResponse {
    match outcome {
        Ok(value) => HttpResponse::Ok().json(value),
        Err(what) => HttpResponse::build(StatusCode::BAD_REQUEST).json(json!({ "error": what })),
    }
}
