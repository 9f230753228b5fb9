//! `POST /{version}/servicePrincipals/{id}/synchronization/jobs/{id}/bulkUpload`.
//!
//! Follows the reference page "synchronizationJob: bulkUpload". A request's records are staged
//! before its answer waits for the set latency, so that a client that dies meanwhile is left in
//! doubt, as with the service.

use std::sync::Arc;
use std::time::Duration;

use actix_web::rt::time::sleep;
use actix_web::{HttpRequest, HttpResponse, web};

use super::body::{self, Body};
use super::clock::micros;
use super::config::{Check, JOB_ID, SERVICE_PRINCIPAL_ID};
use super::fault::{Endpoint, FaultKind};
use super::flight::{End, InFlight};
use super::graph::{Ids, Refusal, bearer, header};
use super::shared::{DAY, Shared, World};
use super::wire::Wire;

/// Largest body read. The service's limit is not documented.
const MAX_BODY: usize = 8 * 1024 * 1024;
/// How long a request hangs at most.
const HANG_CAP: Duration = Duration::from_mins(2);
/// The permissions of which one is needed.
const PERMISSIONS: [&str; 2] =
    ["SynchronizationData-User.Upload", "SynchronizationData-User.Upload.OwnedBy"];

/// What stands in a request's path: version, service principal, job.
pub(super) type JobPath = web::Path<(String, String, String)>;

/// Handles a bulk request.
pub(super) async fn bulk_upload(
    request: HttpRequest,
    path: JobPath,
    payload: web::Payload,
    shared: web::Data<Shared>,
) -> HttpResponse {
    let shared = shared.into_inner();
    let ids = Ids::of(&request);
    let (flight, fault) = arrive(&shared, &ids);
    if fault == Some(FaultKind::Reset) {
        return cut(&request, flight).await;
    }
    let body = match payload.to_bytes_limited(MAX_BODY).await {
        Ok(Ok(bytes)) => Some(body::read(&bytes)),
        Ok(Err(_)) => return HttpResponse::BadRequest().finish(),
        Err(_) => None,
    };
    if let Some(body) = &body {
        shared.world().flights.carry(flight.number, body.external_ids.clone());
    }
    if fault == Some(FaultKind::Hang) {
        sleep(HANG_CAP).await;
        return cut(&request, flight).await;
    }

    let call = Call { request: &request, path: &path, body };
    let (answer, latency) = answer(&shared, call, &ids, fault, flight.number);
    match fault {
        Some(FaultKind::HangAfter) => sleep(HANG_CAP).await,
        Some(FaultKind::ResetAfter) => {}
        _ => {
            sleep(latency).await;
            flight.finish(End::Answered(answer.status().as_u16()));
            return answer;
        }
    }
    cut(&request, flight).await
}

/// The answer to any other verb.
pub(super) async fn other_verb(
    request: HttpRequest,
    path: JobPath,
    shared: web::Data<Shared>,
) -> HttpResponse {
    let now = shared.clock.now();
    let call = Call { request: &request, path: &path, body: None };
    let mut world = shared.world();
    let refusal = [Check::Token, Check::Path, Check::Permission]
        .into_iter()
        .find_map(|check| call.refuse(check, &mut world, now))
        .unwrap_or_else(Refusal::verb);
    refusal.answer(&Ids::of(&request), now)
}

fn arrive(shared: &Arc<Shared>, ids: &Ids) -> (InFlight, Option<FaultKind>) {
    let mut world = shared.world();
    let now = shared.clock.now();
    world.calls.note(now);
    let fault = world.faults.strike(Endpoint::Upload);
    let number = world.flights.arrive(now, &ids.request, ids.client.as_deref(), fault);
    drop(world);
    (InFlight::new(Arc::clone(shared), number), fault)
}

/// Closes the line without an answer.
async fn cut(request: &HttpRequest, flight: InFlight) -> HttpResponse {
    // Ended first: a client may be back before we are.
    flight.finish(End::Cut);
    if let Some(wire) = request.conn_data::<Wire>() {
        wire.close();
    }
    // The server drops this handler when it sees the closed line; nothing is ever answered.
    sleep(Duration::from_secs(1)).await;
    HttpResponse::InternalServerError().finish()
}

struct Call<'a> {
    request: &'a HttpRequest,
    path: &'a JobPath,
    /// `None` where it was too long.
    body: Option<Body>,
}

/// Checks, stages, and words the answer; also tells how long it is to wait.
fn answer(
    shared: &Shared,
    call: Call<'_>,
    ids: &Ids,
    fault: Option<FaultKind>,
    number: usize,
) -> (HttpResponse, Duration) {
    let mut world = shared.world();
    let world = &mut *world;
    let now = shared.clock.now();
    let latency = world.settings.latency;
    let refusal = match fault.and_then(|fault| call.struck(fault, world, now)) {
        Some(Struck::Refused(refusal)) => Some(refusal),
        Some(Struck::Proxy(answer)) => return (answer, latency),
        None => {
            let checks = world.settings.checks.clone();
            checks.into_iter().find_map(|check| call.refuse(check, world, now))
        }
    };
    if let Some(refusal) = refusal {
        return (refusal.answer(ids, now), latency);
    }
    if let Some(Ok(records)) = call.body.map(|body| body.records) {
        world.engine.stage(records, now, world.settings.cycle);
        world.flights.mark_staged(number);
        shared.wake.notify_all();
    }
    let version = &call.path.0;
    let location =
        format!("{}/{version}/auditLogs/provisioning/?$filter=jobid%20eq%20'{JOB_ID}'", shared.url);
    let accepted = ids.answer(202, now).insert_header(("Location", location)).finish();
    (accepted, latency)
}

/// What a fault makes of a request.
enum Struck {
    Refused(Refusal),
    /// As a proxy before Graph would answer.
    Proxy(HttpResponse),
}

impl Call<'_> {
    fn struck(&self, fault: FaultKind, world: &mut World, now: i64) -> Option<Struck> {
        let refusal = match fault {
            FaultKind::TokenExpired => {
                let revoked =
                    bearer(self.request).is_some_and(|token| world.tokens.revoke(token, now));
                if !revoked {
                    return None;
                }
                Refusal::token()
            }
            FaultKind::Throttle => Refusal::throttled(),
            FaultKind::ThrottleAfter => Refusal::throttled().retry_after(1),
            FaultKind::BucketFull => Refusal::bucket_full(),
            FaultKind::Error500 => Refusal::server(),
            FaultKind::Error503 => Refusal::unavailable(),
            FaultKind::Error502Html => {
                let page = "<html><head><title>502 Bad Gateway</title></head>\
                            <body><h1>502 Bad Gateway</h1></body></html>";
                let answer = HttpResponse::BadGateway().content_type("text/html").body(page);
                return Some(Struck::Proxy(answer));
            }
            FaultKind::Error504Empty => {
                return Some(Struck::Proxy(HttpResponse::GatewayTimeout().finish()));
            }
            _ => return None,
        };
        Some(Struck::Refused(refusal))
    }

    fn refuse(&self, check: Check, world: &mut World, now: i64) -> Option<Refusal> {
        match check {
            Check::Token => world.tokens.roles(bearer(self.request), now).err(),
            Check::Path => self.check_path(),
            Check::Permission => world.tokens.allow(bearer(self.request), &PERMISSIONS, now).err(),
            // Other verbs have their own handler.
            Check::Verb => None,
            Check::MediaType => {
                let media_type = header(self.request, "Content-Type").unwrap_or("");
                let media_type = media_type.split(';').next().unwrap_or("").trim();
                (!media_type.eq_ignore_ascii_case("application/scim+json"))
                    .then(|| Refusal::bad_request("Invalid Data Format"))
            }
            Check::Quota => {
                let settings = &world.settings;
                let burst = world.calls.within(now, micros(settings.burst_window));
                let over = burst > settings.burst as usize
                    || world.calls.within(now, DAY) > settings.daily_calls as usize;
                over.then(Refusal::throttled)
            }
            Check::Body => match &self.body {
                None => Some(Refusal::new(413, "RequestEntityTooLarge", "Request body too large.")),
                Some(Body { records: Err(what), .. }) => {
                    Some(Refusal::bad_request(format!("Invalid Data Format: {what}")))
                }
                Some(_) => None,
            },
            Check::Bucket => {
                let room = world.settings.bucket.saturating_sub(world.engine.in_bucket());
                let records = self.body.as_ref().and_then(|body| body.records.as_ref().ok());
                records.is_some_and(|records| records.len() > room).then(Refusal::bucket_full)
            }
        }
    }

    fn check_path(&self) -> Option<Refusal> {
        let (_, principal, job) = &**self.path;
        known_job(principal, job).err()
    }
}

/// Refuses a service principal or job that is not ours.
pub(super) fn known_job(principal: &str, job: &str) -> Result<(), Refusal> {
    if !principal.eq_ignore_ascii_case(SERVICE_PRINCIPAL_ID) {
        return Err(Refusal::not_found(principal));
    }
    if job != JOB_ID {
        return Err(Refusal::not_found(job));
    }
    Ok(())
}
