//! A file, uploaded as a run.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use actix_web::http::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderName, LOCATION};
use actix_web::{HttpRequest, HttpResponse, web};
use futures_util::StreamExt as _;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncWriteExt as _, BufWriter};
use tokio::time::Instant;
use utoipa::{IntoParams, ToSchema};

use crate::bridge::documents::{RunDocument, findings};
use crate::bridge::{Applied, Applying, Bridge, BridgeError, Preview};
use crate::domain::Who;
use crate::intake::Asked;
use crate::server::access::{Role, require};
use crate::server::api::{part, query};
use crate::server::file_name;
use crate::server::gate::over;
use crate::server::problem::{Kind, Problem, ProblemDocument};
use crate::server::shared::Shared;

/// Bytes gathered before they are written to the disk.
const BUFFER: usize = 256 * 1024;
/// When to try again while others upload.
const BUSY: Duration = Duration::from_secs(5);
/// Newest runs looked through for the one that a refused file became.
const NEWEST: usize = 20;

/// How the file is called.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in crate::server) struct UploadQuery {
    /// The file's name, without folders; else `Content-Disposition` says it.
    name: Option<String>,
}

/// A run, with what was found out about its file.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::server) struct AppliedRun {
    /// The run.
    #[serde(flatten)]
    run: RunDocument,
    /// What is odd about the file and does not refuse it, or was decided about it.
    #[schema(value_type = Vec<FoundInFile>)]
    findings: Value,
}

/// What was found out about a file.
#[derive(ToSchema)]
#[schema(as = Finding)]
#[expect(dead_code, reason = "says what `bridge::documents::findings` writes")]
pub(in crate::server) struct FoundInFile {
    /// Stable and dotted.
    code: String,
    /// Where.
    #[schema(required = true)]
    place: Option<String>,
    /// What.
    message: String,
}

/// Applies a file to a source. The body is the file itself.
#[utoipa::path(
    post,
    path = "/api/v1/sources/{source}/files",
    operation_id = "upload_file",
    tag = "Files",
    params(("source" = String, Path, description = "The source's name in the config."), UploadQuery),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    security(("admin" = [])),
    responses(
        (status = 200, body = AppliedRun, description = "The file is the source's latest run already."),
        (status = 201, body = AppliedRun, description = "A new run; it may be held.",
            headers(("Location" = String, description = "Where the run is."))),
        (status = 400, body = ProblemDocument, content_type = "application/problem+json"),
        (status = 408, body = ProblemDocument, content_type = "application/problem+json"),
        (status = 413, body = ProblemDocument, content_type = "application/problem+json"),
        (status = 415, body = ProblemDocument, content_type = "application/problem+json"),
        (status = 422, body = ProblemDocument, content_type = "application/problem+json",
            description = "The file was refused; `run` is the run that it became."),
        (status = 503, body = ProblemDocument, content_type = "application/problem+json"),
    )
)]
pub(in crate::server) async fn upload(
    request: HttpRequest,
    shared: web::Data<Shared>,
    body: web::Payload,
) -> Result<HttpResponse, Problem> {
    let who = require(&request, &shared, Role::Admin).await?.who(&request);
    let (bridge, source) = (shared.bridge(), part(&request)?);
    if bridge.feed(&source).is_err() {
        return Err(Problem::new(Kind::Unauthorized)
            .detail("there is no such source, or this credential is not for it"));
    }
    check_form(&request)?;
    let query: UploadQuery = query(&request)?;
    let name = file_name::of(&request, query.name.as_deref())?;
    let Ok(permit) = Arc::clone(&shared.uploads).try_acquire_owned() else {
        return Err(Problem::new(Kind::Unavailable)
            .detail("other files are being received")
            .retry_after(BUSY));
    };
    let spool = Spool::new(&name).map_err(|error| cannot_keep(&error))?;
    receive(&shared, body, &spool.file).await?;
    let (changed, runtime) = (Arc::clone(&shared.changed), shared.runtime.clone());
    // on a thread of its own, so that planning holds up no answer, and goes on when the caller hangs up
    let planning = move || {
        let applied = runtime.block_on(apply(&bridge, &source, &spool.file, &who));
        drop((spool, permit));
        changed.notify_one();
        applied
    };
    let applying = shared.tasks.spawn_blocking_on(planning, &shared.runtime);
    let (document, is_new) =
        applying.await.unwrap_or_else(|_| Err(Problem::new(Kind::Internal)))?;
    let mut answer = if is_new { HttpResponse::Created() } else { HttpResponse::Ok() };
    let place = format!("/api/v1/runs/{}", document.run.run);
    Ok(answer.insert_header((LOCATION, place)).json(document))
}

/// The body has to be the file and nothing around it.
fn check_form(request: &HttpRequest) -> Result<(), Problem> {
    let header = |name: HeaderName| {
        let value = request.headers().get(name).and_then(|value| value.to_str().ok());
        value.unwrap_or_default().trim().to_ascii_lowercase()
    };
    let is_form = ["multipart/", "application/x-www-form-urlencoded"];
    let media_type = header(CONTENT_TYPE);
    if media_type.starts_with(is_form[0]) {
        return Err(Problem::new(Kind::UnsupportedMediaType)
            .detail("the body is a form")
            .hint("send the file itself: `curl --data-binary @FILE` or `curl -T FILE -X POST`"));
    }
    if !matches!(header(CONTENT_ENCODING).as_str(), "" | "identity") {
        return Err(Problem::new(Kind::UnsupportedMediaType)
            .detail("the body is packed")
            .hint("send it without `Content-Encoding`"));
    }
    Ok(())
}

/// A private folder with the file in it, gone when it is dropped.
struct Spool {
    file: PathBuf,
    _folder: TempDir,
}

impl Spool {
    fn new(name: &str) -> io::Result<Self> {
        let mut builder = tempfile::Builder::new();
        builder.prefix("scimport-upload-");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            builder.permissions(std::fs::Permissions::from_mode(0o700));
        }
        let folder = builder.tempdir()?;
        Ok(Self { file: folder.path().join(name), _folder: folder })
    }
}

/// Writes the body to a file, as long as it keeps coming and is not over the limit.
async fn receive(shared: &Shared, mut body: web::Payload, path: &Path) -> Result<(), Problem> {
    let settings = &shared.settings;
    let mut options = tokio::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    options.mode(0o600);
    let file = options.open(path).await.map_err(|error| cannot_keep(&error))?;
    let mut file = BufWriter::with_capacity(BUFFER, file);
    let deadline = Instant::now() + settings.upload_timeout;
    let mut received: u64 = 0;
    loop {
        let pause = (Instant::now() + settings.timeout).min(deadline);
        let Ok(chunk) = tokio::time::timeout_at(pause, body.next()).await else {
            return Err(
                Problem::new(Kind::Timeout).detail("the body stopped coming, or took too long")
            );
        };
        let Some(chunk) = chunk else { break };
        let chunk = chunk.map_err(|_| {
            Problem::new(Kind::BadRequest).detail("the body broke off before its end")
        })?;
        received = received.saturating_add(u64::try_from(chunk.len()).unwrap_or(u64::MAX));
        if received > settings.max_body {
            return Err(over(settings.max_body));
        }
        file.write_all(&chunk).await.map_err(|error| cannot_keep(&error))?;
    }
    file.flush().await.map_err(|error| cannot_keep(&error))
}

fn cannot_keep(error: &io::Error) -> Problem {
    tracing::error!(error = %error.kind(), "an uploaded file cannot be kept");
    Problem::new(Kind::Unavailable)
        .detail(format!("the file cannot be kept here: {}", error.kind()))
        .hint("make room on the disk of the temporary folder; nothing was stored")
        .retry_after(Duration::from_mins(1))
}

/// Plans and commits the file; whether it is a new run.
async fn apply(
    bridge: &Bridge,
    source: &str,
    file: &Path,
    who: &Who,
) -> Result<(AppliedRun, bool), Problem> {
    let mut found = None;
    let mut agree = |preview: Preview<'_>| {
        found = Some(findings(&preview.planned.findings, &preview.planned.remarks));
        true
    };
    let applying = Applying { asked: Asked::Automatic, who: Some(who), ..Applying::default() };
    let began = bridge.clock.now();
    let applied = match bridge.apply(source, file, applying, &mut agree).await {
        Ok(applied) => applied,
        Err(BridgeError::Refused(problem)) => {
            let runs = bridge.store.runs(NEWEST).await?;
            let name = file.file_name().and_then(|name| name.to_str());
            let run = runs.iter().find(|run| {
                run.source.as_str() == source
                    && run.file.as_deref() == name
                    && run.started_at >= began
                    && run.problem.as_ref().is_some_and(|stored| stored.code == problem.code)
            });
            return Err(Problem::refused(&problem, run.map(RunDocument::of)));
        }
        Err(error) => return Err(error.into()),
    };
    let (id, is_new) = match applied {
        Applied::Committed(id) => (id, true),
        Applied::Already(run) => (run.id, false),
        // nobody says no above
        Applied::Declined => return Err(Problem::new(Kind::Internal)),
    };
    let run = bridge.store.run(&id).await?.ok_or_else(|| Problem::new(Kind::Internal))?;
    let findings = found.unwrap_or_else(|| findings(&[], &[]));
    Ok((AppliedRun { run: RunDocument::of(&run), findings }, is_new))
}
