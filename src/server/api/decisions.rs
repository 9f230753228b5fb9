//! Decisions about runs, kept with the name of the credential and when.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::bridge::documents::RunDocument;
use crate::domain::{OperationStatus, RunId};
use crate::server::access::{Role, require};
use crate::server::api::{part, query, run};
use crate::server::problem::{Kind, Problem, ProblemDocument};
use crate::server::shared::Shared;

/// No parameters.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

/// What is sent again.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in crate::server) struct RetryQuery {
    /// `failed`, `unconfirmed`, or both with a comma between; both where it is absent.
    #[param(pattern = "^(?:(?:failed|unconfirmed)(?:,(?!$)|$))+$")]
    status: Option<String>,
}

/// Lets a held run go.
#[utoipa::path(
    post,
    path = "/api/v1/runs/{id}/approve",
    operation_id = "approve_run",
    tag = "Decisions",
    params(("id" = String, Path, description = "The run's whole id.")),
    security(("admin" = [])),
    responses(
        (status = 200, body = RunDocument, description = "The run as it stands now."),
        (status = 404, body = ProblemDocument, content_type = "application/problem+json"),
        (status = 409, body = ProblemDocument, content_type = "application/problem+json"),
    )
)]
pub(in crate::server) async fn approve(
    request: HttpRequest,
    shared: web::Data<Shared>,
) -> Result<HttpResponse, Problem> {
    let caller = require(&request, &shared, Role::Admin).await?;
    let Nothing {} = query(&request)?;
    let id = RunId::new(part(&request)?);
    shared.bridge().approve(&id, &caller.who(&request)).await?;
    shared.changed.notify_one();
    decided(&shared, &id).await
}

/// Stops a run: what was not sent yet is not sent.
#[utoipa::path(
    post,
    path = "/api/v1/runs/{id}/cancel",
    operation_id = "cancel_run",
    tag = "Decisions",
    params(("id" = String, Path, description = "The run's whole id.")),
    security(("admin" = [])),
    responses(
        (status = 200, body = RunDocument, description = "The run as it stands now."),
        (status = 404, body = ProblemDocument, content_type = "application/problem+json"),
        (status = 409, body = ProblemDocument, content_type = "application/problem+json"),
    )
)]
pub(in crate::server) async fn cancel(
    request: HttpRequest,
    shared: web::Data<Shared>,
) -> Result<HttpResponse, Problem> {
    let caller = require(&request, &shared, Role::Admin).await?;
    let Nothing {} = query(&request)?;
    let id = RunId::new(part(&request)?);
    shared.bridge().cancel(&id, &caller.who(&request)).await?;
    decided(&shared, &id).await
}

/// Makes new attempts of a run's operations.
#[utoipa::path(
    post,
    path = "/api/v1/runs/{id}/retry",
    operation_id = "retry_run",
    tag = "Decisions",
    params(("id" = String, Path, description = "The run's whole id."), RetryQuery),
    security(("admin" = [])),
    responses(
        (status = 200, body = RunDocument, description = "The run as it stands now."),
        (status = 400, body = ProblemDocument, content_type = "application/problem+json"),
        (status = 404, body = ProblemDocument, content_type = "application/problem+json"),
        (status = 409, body = ProblemDocument, content_type = "application/problem+json"),
    )
)]
pub(in crate::server) async fn retry(
    request: HttpRequest,
    shared: web::Data<Shared>,
) -> Result<HttpResponse, Problem> {
    let caller = require(&request, &shared, Role::Admin).await?;
    let query: RetryQuery = query(&request)?;
    let statuses = query.status.as_deref().unwrap_or("failed,unconfirmed");
    let statuses = statuses.split(',').map(status).collect::<Result<Vec<_>, _>>()?;
    let id = RunId::new(part(&request)?);
    shared.bridge().retry(&id, &statuses, &caller.who(&request)).await?;
    shared.changed.notify_one();
    decided(&shared, &id).await
}

fn status(word: &str) -> Result<OperationStatus, Problem> {
    match OperationStatus::parse(word) {
        Some(status @ (OperationStatus::Failed | OperationStatus::Unconfirmed)) => Ok(status),
        _ => Err(Problem::new(Kind::BadRequest).detail("`status` is `failed` or `unconfirmed`")),
    }
}

async fn decided(shared: &Shared, id: &RunId) -> Result<HttpResponse, Problem> {
    let run = run(shared, &shared.bridge(), id.as_str()).await?;
    Ok(HttpResponse::Ok().json(RunDocument::of(&run)))
}
