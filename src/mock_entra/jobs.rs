//! The provisioning job's own routes: list, get, start, pause, restart and validateCredentials.
//!
//! Follows the reference pages "synchronizationJob: get", "start", "pause", "restart" and
//! "validateCredentials".

use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::{Value, json};

use super::config::{JOB_ID, SERVICE_PRINCIPAL_ID};
use super::engine::{Reset, TO_ACTIVE_DIRECTORY};
use super::graph::{Ids, Refusal, answer_json, answer_nothing, bearer};
use super::shared::{Shared, World};
use super::upload::{JobPath, known_job};

/// Permissions of which one is needed to read.
pub(super) const READ: [&str; 3] =
    ["Application.ReadWrite.OwnedBy", "Synchronization.Read.All", "Synchronization.ReadWrite.All"];
/// Permissions of which one is needed to act.
pub(super) const ACT: [&str; 2] =
    ["Application.ReadWrite.OwnedBy", "Synchronization.ReadWrite.All"];

/// Lists the jobs of the service principal.
pub(super) async fn list(
    request: HttpRequest,
    path: web::Path<(String, String)>,
    shared: web::Data<Shared>,
) -> HttpResponse {
    look(&request, path, &shared, &READ, |world, version, principal, now| {
        json!({
            "@odata.context": format!(
                "{}/{version}/$metadata#servicePrincipals('{principal}')/synchronization/jobs",
                shared.url
            ),
            "value": [world.engine.job_json(&world.settings, now)],
        })
    })
}

/// Shows the job.
pub(super) async fn get(
    request: HttpRequest,
    path: JobPath,
    shared: web::Data<Shared>,
) -> HttpResponse {
    let now = shared.clock.now();
    let (version, principal, job) = path.into_inner();
    let world = shared.world();
    let outcome = guard(&request, &world, (&principal, &job), &READ, now).map(|()| {
        let mut shown = json!({
            "@odata.context": format!(
                "{}/{version}/$metadata#servicePrincipals('{SERVICE_PRINCIPAL_ID}')\
                 /synchronization/jobs/$entity",
                shared.url
            ),
        });
        if let (Some(shown), Value::Object(members)) =
            (shown.as_object_mut(), world.engine.job_json(&world.settings, now))
        {
            shown.extend(members);
        }
        shown
    });
    answer_json(outcome, &Ids::of(&request), now)
}

/// Starts the job: it goes on where it stopped, and a quarantine is lifted.
pub(super) async fn start(
    request: HttpRequest,
    path: JobPath,
    shared: web::Data<Shared>,
) -> HttpResponse {
    act(&request, &path, &shared, |world, now| {
        let World { engine, settings, .. } = world;
        engine.start(settings, now);
    })
}

/// Pauses the job: uploads are still taken, nothing is processed.
pub(super) async fn pause(
    request: HttpRequest,
    path: JobPath,
    shared: web::Data<Shared>,
) -> HttpResponse {
    act(&request, &path, &shared, |world, now| {
        world.engine.pause(now);
    })
}

/// Restarts the job.
pub(super) async fn restart(
    request: HttpRequest,
    path: JobPath,
    body: web::Bytes,
    shared: web::Data<Shared>,
) -> HttpResponse {
    let reset = match reset_scope(&body) {
        Ok(reset) => reset,
        Err(refusal) => return refusal.answer(&Ids::of(&request), shared.clock.now()),
    };
    act(&request, &path, &shared, |world, now| {
        let World { engine, settings, .. } = world;
        engine.restart(reset, settings, now);
    })
}

/// Tries whether the job reaches its directory. A job that provisions to Entra ID has no credentials
/// to try; one for on-premises Active Directory has its provisioning agent.
pub(super) async fn validate_credentials(
    request: HttpRequest,
    path: JobPath,
    body: web::Bytes,
    shared: web::Data<Shared>,
) -> HttpResponse {
    let ids = Ids::of(&request);
    let now = shared.clock.now();
    let world = shared.world();
    let (_, principal, job) = &*path;
    let outcome = guard(&request, &world, (principal, job), &ACT, now)
        .and_then(|()| check_validation(&body))
        .and_then(|()| {
            let settings = &world.settings;
            if settings.job_template == TO_ACTIVE_DIRECTORY && !settings.agent_active {
                let message = "We received no response from the on-premises provisioning agent.";
                return Err(Refusal::new(400, "CredentialsInvalid", message));
            }
            Ok(())
        });
    answer_nothing(outcome, &ids, now)
}

/// Reads `{"useSavedCredentials": true}` or `{"credentials": [{"key", "value"}]}`.
fn check_validation(body: &[u8]) -> Result<(), Refusal> {
    let body: Value = serde_json::from_slice(body).unwrap_or(Value::Null);
    let saved = body.get("useSavedCredentials").and_then(Value::as_bool) == Some(true);
    let given = body.get("credentials").and_then(Value::as_array).is_some();
    if saved || given {
        Ok(())
    } else {
        Err(Refusal::bad_request("Neither saved credentials nor others are to be validated."))
    }
}

/// Shows something of the service principal, to whoever has one of the permissions: as it is in that
/// world, asked for in that version and under that id, at that instant.
pub(super) fn look(
    request: &HttpRequest,
    path: web::Path<(String, String)>,
    shared: &Shared,
    any_of: &[&str],
    shown: impl FnOnce(&World, &str, &str, i64) -> Value,
) -> HttpResponse {
    let now = shared.clock.now();
    let (version, principal) = path.into_inner();
    let world = shared.world();
    let outcome = guard(request, &world, (&principal, JOB_ID), any_of, now)
        .map(|()| shown(&world, &version, &principal, now));
    answer_json(outcome, &Ids::of(request), now)
}

/// Does something to the job.
pub(super) fn act(
    request: &HttpRequest,
    path: &JobPath,
    shared: &Shared,
    action: impl FnOnce(&mut World, i64),
) -> HttpResponse {
    let ids = Ids::of(request);
    let now = shared.clock.now();
    let mut world = shared.world();
    let (_, principal, job) = &**path;
    if let Err(refusal) = guard(request, &world, (principal, job), &ACT, now) {
        return refusal.answer(&ids, now);
    }
    action(&mut world, now);
    shared.wake.notify_all();
    ids.answer(204, now).finish()
}

/// Checks the token, the ids in the path, and the permission.
pub(super) fn guard(
    request: &HttpRequest,
    world: &World,
    (principal, job): (&str, &str),
    any_of: &[&str],
    now: i64,
) -> Result<(), Refusal> {
    let token = bearer(request);
    world.tokens.roles(token, now)?;
    known_job(principal, job)?;
    world.tokens.allow(token, any_of, now)
}

/// Reads `{"criteria": {"resetScope": "A, B"}}`; an empty body means all that is usual.
fn reset_scope(body: &[u8]) -> Result<Reset, Refusal> {
    if body.is_empty() {
        return Ok(Reset::default());
    }
    let wrong = || Refusal::bad_request("The restart criteria are invalid.");
    let body: Value = serde_json::from_slice(body).map_err(|_| wrong())?;
    match body.pointer("/criteria/resetScope") {
        None | Some(Value::Null) => Ok(Reset::default()),
        Some(scope) => scope.as_str().and_then(Reset::read).ok_or_else(wrong),
    }
}
