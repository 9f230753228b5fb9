//! What happened to one person.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Serialize;
use utoipa::ToSchema;

use crate::bridge::documents::RecordDocument;
use crate::domain::ExternalId;
use crate::server::access::{Role, require};
use crate::server::api::part;
use crate::server::problem::{Kind, Problem, ProblemDocument};
use crate::server::shared::Shared;

/// A person in the one target that knows them, or in each of several.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
pub(in crate::server) enum RecordAnswer {
    /// One target is the rule.
    One(RecordDocument),
    /// Several make an array.
    Several(Vec<RecordDocument>),
}

/// One person's history.
#[utoipa::path(
    get,
    path = "/api/v1/records/{externalId}",
    operation_id = "show_record",
    tag = "Records",
    params(("externalId" = String, Path, description = "The person's id, percent-encoded.")),
    security(("reader" = [])),
    responses(
        (status = 200, body = RecordAnswer),
        (status = 404, body = ProblemDocument, content_type = "application/problem+json"),
    )
)]
pub(in crate::server) async fn show(
    request: HttpRequest,
    shared: web::Data<Shared>,
) -> Result<HttpResponse, Problem> {
    require(&request, &shared, Role::Reader).await?;
    let id = ExternalId::new(part(&request)?);
    let bridge = shared.bridge();
    let records = shared.look(bridge.store.record(&id)).await?;
    let mut documents: Vec<_> = records.iter().map(RecordDocument::of).collect();
    let answer = match documents.len() {
        0 => {
            return Err(Problem::new(Kind::NotFound)
                .detail("no such record: it was never sent, or every row of it was rejected"));
        }
        1 => RecordAnswer::One(documents.remove(0)),
        _ => RecordAnswer::Several(documents),
    };
    Ok(HttpResponse::Ok().json(answer))
}
