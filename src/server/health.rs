//! Is it alive, and is it ready?

use std::io::Write as _;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Serialize;
use utoipa::ToSchema;

use crate::bridge::Bridge;
use crate::bridge::documents::instant;
use crate::domain::TargetName;
use crate::server::access::{Role, require_here_or};
use crate::server::problem::{Problem, ProblemDocument};
use crate::server::shared::Shared;
use crate::store::StoreTrouble;

/// The disk is written to at most this often, however often it is asked.
const PROBE_EVERY: Duration = Duration::from_secs(5);
/// Less room than this is too little to plan a large file.
const LEAST_ROOM: u64 = 64 * 1024 * 1024;
/// Bytes written to see whether the disk takes them.
const PROBE: [u8; 4_096] = [0; 4_096];

/// The last look at the disk.
#[derive(Default)]
pub(super) struct LastProbe(Mutex<Option<(Instant, Check)>>);

/// It answers.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Alive {
    /// Always `alive`.
    status: &'static str,
}

/// Whether it can do its work.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Readiness {
    /// `ready` or `not_ready`.
    status: &'static str,
    /// What was looked at; left out for callers elsewhere without a credential.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    checks: Option<Vec<Check>>,
}

/// One thing that was looked at.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(super) struct Check {
    /// `store`, `disk`, or `token`, `poll` and `job` of a target.
    name: &'static str,
    /// The target, where it is about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    target: Option<String>,
    /// Whether it is as it should be. Only the store and the disk make it not ready.
    ok: bool,
    /// When it was last as it should be, or seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, format = DateTime)]
    at: Option<String>,
    /// In words.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    detail: Option<String>,
}

impl Check {
    const fn new(name: &'static str, ok: bool) -> Self {
        Self { name, target: None, ok, at: None, detail: None }
    }

    fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }
}

/// Whether the process answers.
#[utoipa::path(
    get,
    path = "/healthz",
    operation_id = "show_liveness",
    tag = "Operation",
    responses((status = 200, body = Alive))
)]
pub(super) async fn healthz() -> HttpResponse {
    HttpResponse::Ok().json(Alive { status: "alive" })
}

/// Whether it can do its work: the store answers and the disk takes files. Callers on this machine, and
/// readers, see each check.
#[utoipa::path(
    get,
    path = "/readyz",
    operation_id = "show_readiness",
    tag = "Operation",
    security((), ("reader" = [])),
    responses(
        (status = 200, body = Readiness, description = "Ready."),
        (status = 503, body = Readiness, description = "Not ready."),
        (status = 401, body = ProblemDocument, content_type = "application/problem+json"),
    )
)]
pub(super) async fn readyz(
    request: HttpRequest,
    shared: web::Data<Shared>,
) -> Result<HttpResponse, Problem> {
    // a wrong credential is told so; none at all sees the gist
    let shows = match require_here_or(&request, &shared, Role::Reader).await {
        Ok(()) => true,
        Err(problem) if request.headers().contains_key("authorization") => return Err(problem),
        Err(_) => false,
    };
    let bridge = shared.bridge();
    let store = store(&shared, &bridge).await;
    let disk = disk(&shared, &bridge).await;
    let is_ready = store.ok && disk.ok;
    let mut checks = vec![store, disk];
    if shows {
        for target in bridge.targets() {
            checks.extend(other_side(&shared, &bridge, &target).await);
        }
    }
    let status = if is_ready { "ready" } else { "not_ready" };
    let mut answer = if is_ready { HttpResponse::Ok() } else { HttpResponse::ServiceUnavailable() };
    Ok(answer.json(Readiness { status, checks: shows.then_some(checks) }))
}

async fn store(shared: &Shared, bridge: &Bridge) -> Check {
    match tokio::time::timeout(shared.settings.timeout, bridge.store.runs_before(None, 1)).await {
        Ok(Ok(_)) => Check::new("store", true),
        Ok(Err(error)) => {
            let trouble = StoreTrouble::among_causes(&error).map(ToString::to_string);
            Check::new("store", false).detail(trouble.unwrap_or_else(|| error.to_string()))
        }
        Err(_) => Check::new("store", false).detail("it did not answer in time"),
    }
}

async fn disk(shared: &Shared, bridge: &Bridge) -> Check {
    let last = shared.last_probe.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
    if let Some((at, check)) = last
        && at.elapsed() < PROBE_EVERY
    {
        return check;
    }
    let store = bridge.setup.config().store.path.clone();
    let probed = tokio::task::spawn_blocking(move || {
        let folder = store.parent().filter(|folder| !folder.as_os_str().is_empty());
        probe(folder.unwrap_or(Path::new(".")))
    });
    let check = probed.await.unwrap_or_else(|_| Check::new("disk", false));
    let mut last = shared.last_probe.0.lock().unwrap_or_else(PoisonError::into_inner);
    *last = Some((Instant::now(), check.clone()));
    check
}

/// Whether the disk of the store takes a file, and has room for more.
fn probe(folder: &Path) -> Check {
    let written = tempfile::tempfile_in(folder).and_then(|mut file| file.write_all(&PROBE));
    if let Err(error) = written {
        return Check::new("disk", false)
            .detail(format!("the folder of the store takes no file: {}", error.kind()));
    }
    match room(folder) {
        Some(room) if room < LEAST_ROOM => {
            Check::new("disk", false).detail(format!("{} MiB are left", room >> 20))
        }
        Some(room) => Check::new("disk", true).detail(format!("{} MiB are left", room >> 20)),
        None => Check::new("disk", true),
    }
}

/// Bytes that are left for us.
#[cfg(unix)]
fn room(folder: &Path) -> Option<u64> {
    let disk = rustix::fs::statvfs(folder).ok()?;
    Some(disk.f_bavail.saturating_mul(disk.f_frsize))
}

#[cfg(not(unix))]
fn room(_folder: &Path) -> Option<u64> {
    None
}

/// Token, log and job of a target, as far as this process knows them.
async fn other_side(shared: &Shared, bridge: &Bridge, target: &TargetName) -> Vec<Check> {
    let contact = bridge.contact(target);
    let heard = |name, ok, at: Option<jiff::Timestamp>| {
        let check = Check { at: at.map(instant), ..Check::new(name, ok) };
        if contact.is_none() {
            return check.detail("nothing was sent by this process yet");
        }
        if ok { check } else { check.detail("the last try failed; the log says why") }
    };
    let known = contact.unwrap_or_default();
    let mut checks = vec![
        heard("token", known.has_token(), known.token_at),
        heard("poll", known.has_log(), known.poll_at),
    ];
    if let Ok(Some(job)) = shared.look(bridge.store.job_seen(target)).await {
        let is_well = job.quarantine.is_none() && job.code != "Paused";
        let mut check = Check::new("job", is_well).detail(job.code);
        check.at = Some(instant(job.at));
        checks.push(check);
    }
    for check in &mut checks {
        check.target = Some(target.as_str().to_owned());
    }
    checks
}
