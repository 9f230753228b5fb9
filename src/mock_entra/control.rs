//! The control plane under `/_mock/`: what a test asks of the stand-in, or tells it.
//!
//! The routes stand in the module's own page. They need no token; a wrong body is refused with 400
//! and a text.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use serde::Deserialize;
use serde_json::{Value, json};

use super::certificate::Certificate;
use super::clock::{SECOND, instant_text, micros};
use super::engine::{Engine, JobCode};
use super::fault::{Fault, FaultPlan};
use super::limits::most_within;
use super::schema::Schema;
use super::shared::{Counts, Settings, Shared, World};
use super::{schema, settings, state};

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
            .route("/settings", web::get().to(show_settings))
            .route("/settings", web::post().to(set_settings))
            .route("/certificates", web::post().to(set_certificates))
            .route("/faults", web::get().to(faults))
            .route("/faults", web::post().to(set_faults))
            .route("/schema", web::get().to(schema::shown))
            .route("/schema", web::post().to(schema::set))
            .route("/schema/puts", web::get().to(schema::puts))
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
    let window = micros(world.settings.burst_window);
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

async fn show_settings(shared: web::Data<Shared>) -> HttpResponse {
    HttpResponse::Ok().json(settings::shown(&shared.world().settings))
}

async fn set_settings(body: web::Bytes, shared: web::Data<Shared>) -> HttpResponse {
    let mut world = shared.world();
    let secrets = world.settings.client_secrets.clone();
    let change: Result<settings::Change, _> = serde_json::from_slice(&body);
    let outcome = change
        .map_err(|error| error.to_string())
        .and_then(|change| change.apply(&mut world.settings))
        .map(|()| settings::shown(&world.settings));
    if !secrets.iter().all(|secret| world.settings.client_secrets.contains(secret)) {
        world.tokens.clear();
    }
    shared.wake.notify_all();
    told(outcome)
}

/// Registers other certificates in the place of those before; tokens of those taken away are over.
async fn set_certificates(body: web::Bytes, shared: web::Data<Shared>) -> HttpResponse {
    let texts: Result<Vec<String>, _> = serde_json::from_slice(&body);
    let read = texts.map_err(|error| error.to_string()).and_then(|texts| {
        let read = texts.iter().map(|text| Certificate::read(text.as_bytes()));
        read.collect::<Option<Vec<_>>>()
            .ok_or_else(|| "there is one that is no RSA certificate".to_owned())
    });
    told(read.map(|certificates| {
        let mut world = shared.world();
        let is_kept = |old: &Certificate| certificates.iter().any(|new| new.sha256 == old.sha256);
        if !world.certificates.iter().all(is_kept) {
            world.tokens.clear();
        }
        let count = certificates.len();
        world.certificates = certificates;
        json!({ "registered": count })
    }))
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
        let World { engine, settings, .. } = &mut *world;
        let ran = engine.run_cycle(settings, shared.clock.now(), told_to.escrows);
        json!({ "ran": ran, "events": engine.log().len() })
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
        // What falls due on the way happens at its instant, before anybody sees the new time.
        let mut world = shared.world();
        let World { engine, settings, .. } = &mut *world;
        let now = shared.clock.now();
        engine.run_until(settings, now, now.saturating_add(i64::from(step.seconds) * SECOND));
        shared.clock.advance(step.seconds);
        drop(world);
        state::keep(&shared);
        json!({ "now": instant_text(shared.clock.now()) })
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
    world.schema = Schema::default();
    let World { engine, settings, .. } = &mut *world;
    engine.run(settings, shared.clock.now());
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
