//! Runs and their operations.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::bridge::documents::{OperationDocument, RunDocument};
use crate::domain::{OperationId, OperationStatus, RunId};
use crate::server::access::{Role, require};
use crate::server::api::{page_size, part, query, run};
use crate::server::problem::{Kind, Problem, ProblemDocument};
use crate::server::shared::Shared;

/// Runs in a page.
const RUNS: usize = 50;
/// Most runs in a page: each counts its operations.
const MOST_RUNS: usize = 200;
/// Operations in a page.
const OPERATIONS: usize = 200;
/// Most operations in a page.
const MOST_OPERATIONS: usize = 1_000;

/// Which runs.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in crate::server) struct RunsQuery {
    /// `next` of the page before.
    after: Option<String>,
    /// Most runs in the page.
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<usize>,
}

/// A page of runs, newest first.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::server) struct RunPage {
    /// The runs.
    runs: Vec<RunDocument>,
    /// Where the next page begins, for `after`; null on the last one.
    #[schema(required = true)]
    next: Option<String>,
}

/// Which operations.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in crate::server) struct OperationsQuery {
    /// Only those with this status; several stand with commas between.
    #[param(
        pattern = "^(?:(?:rejected|out_of_scope|unchanged|held|queued|sending|accepted|provisioned|skipped|failed|unconfirmed|superseded|cancelled)(?:,(?!$)|$))+$"
    )]
    status: Option<String>,
    /// `next` of the page before.
    #[param(pattern = "^[0-9]{1,18}$")]
    after: Option<String>,
    /// Most operations in the page.
    #[param(minimum = 1, maximum = 1000, default = 200)]
    limit: Option<usize>,
}

/// A page of operations and rejected rows, in the order of the file.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::server) struct OperationPage {
    /// The operations.
    operations: Vec<OperationDocument>,
    /// Where the next page begins, for `after`; null on the last one.
    #[schema(required = true)]
    next: Option<String>,
}

/// All runs, newest first.
#[utoipa::path(
    get,
    path = "/api/v1/runs",
    operation_id = "list_runs",
    tag = "Runs",
    params(RunsQuery),
    security(("reader" = [])),
    responses(
        (status = 200, body = RunPage),
        (status = 400, body = ProblemDocument, content_type = "application/problem+json"),
    )
)]
pub(in crate::server) async fn list(
    request: HttpRequest,
    shared: web::Data<Shared>,
) -> Result<HttpResponse, Problem> {
    require(&request, &shared, Role::Reader).await?;
    let query: RunsQuery = query(&request)?;
    let limit = page_size(query.limit, RUNS, MOST_RUNS)?;
    let before = query.after.map(RunId::new);
    let bridge = shared.bridge();
    // one more tells whether there is a next page
    let mut runs = shared.look(bridge.store.runs_before(before.as_ref(), limit + 1)).await?;
    let has_more = runs.len() > limit;
    runs.truncate(limit);
    let next = runs.last().filter(|_| has_more).map(|run| run.id.to_string());
    let runs = runs.iter().map(RunDocument::of).collect();
    Ok(HttpResponse::Ok().json(RunPage { runs, next }))
}

/// One run.
#[utoipa::path(
    get,
    path = "/api/v1/runs/{id}",
    operation_id = "show_run",
    tag = "Runs",
    params(("id" = String, Path, description = "The run's whole id.")),
    security(("reader" = [])),
    responses(
        (status = 200, body = RunDocument),
        (status = 404, body = ProblemDocument, content_type = "application/problem+json"),
    )
)]
pub(in crate::server) async fn show(
    request: HttpRequest,
    shared: web::Data<Shared>,
) -> Result<HttpResponse, Problem> {
    require(&request, &shared, Role::Reader).await?;
    let run = run(&shared, &shared.bridge(), &part(&request)?).await?;
    Ok(HttpResponse::Ok().json(RunDocument::of(&run)))
}

/// The operations and rejected rows of a run.
#[utoipa::path(
    get,
    path = "/api/v1/runs/{id}/operations",
    operation_id = "list_operations",
    tag = "Runs",
    params(("id" = String, Path, description = "The run's whole id."), OperationsQuery),
    security(("reader" = [])),
    responses(
        (status = 200, body = OperationPage),
        (status = 400, body = ProblemDocument, content_type = "application/problem+json"),
        (status = 404, body = ProblemDocument, content_type = "application/problem+json"),
    )
)]
pub(in crate::server) async fn operations(
    request: HttpRequest,
    shared: web::Data<Shared>,
) -> Result<HttpResponse, Problem> {
    require(&request, &shared, Role::Reader).await?;
    let query: OperationsQuery = query(&request)?;
    let limit = page_size(query.limit, OPERATIONS, MOST_OPERATIONS)?;
    let after = query.after.as_deref().map(cursor).transpose()?;
    let statuses = query.status.as_deref().map(statuses).transpose()?;
    let bridge = shared.bridge();
    let run = run(&shared, &bridge, &part(&request)?).await?;
    let mut found = match statuses {
        None => shared.look(bridge.store.operations(&run.id, after, limit + 1)).await?,
        Some(statuses) => {
            let read = bridge.store.operations_with(&run.id, &statuses, after, limit + 1);
            shared.look(read).await?
        }
    };
    let has_more = found.len() > limit;
    found.truncate(limit);
    let next = found.last().filter(|_| has_more).map(|operation| operation.id.to_string());
    let operations = found.iter().map(OperationDocument::of).collect();
    Ok(HttpResponse::Ok().json(OperationPage { operations, next }))
}

fn cursor(text: &str) -> Result<OperationId, Problem> {
    text.parse().map(OperationId).map_err(|_| {
        Problem::new(Kind::BadRequest).detail("`after` is not the `next` of a page of operations")
    })
}

fn statuses(text: &str) -> Result<Vec<OperationStatus>, Problem> {
    text.split(',').map(OperationStatus::parse).collect::<Option<Vec<_>>>().ok_or_else(|| {
        let all = OperationStatus::ALL.map(OperationStatus::as_str).join(", ");
        Problem::new(Kind::BadRequest)
            .detail("`status` has a word that is no status of an operation")
            .hint(format!("there are {all}"))
    })
}
