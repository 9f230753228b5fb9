//! The contract of the API, made from what stands at its handlers.

use actix_web::{HttpRequest, HttpResponse, web};
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::openapi::{OpenApi as Document, RefOr, ResponseBuilder};
use utoipa::{Modify, OpenApi};

use crate::server::access::{Role, require_here_or};
use crate::server::api::{decisions, files, hooks, records, runs};
use crate::server::problem::{Problem, ProblemDocument};
use crate::server::shared::Shared;
use crate::server::{health, metrics};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "scimport",
        description = "HR exports in, Entra accounts out. Errors are problem documents (RFC 9457).",
        license(name = "MIT")
    ),
    paths(
        health::healthz,
        health::readyz,
        metrics::metrics,
        contract,
        runs::list,
        runs::show,
        runs::operations,
        records::show,
        files::upload,
        hooks::receive,
        hooks::show,
        hooks::look,
        decisions::approve,
        decisions::cancel,
        decisions::retry,
    ),
    components(schemas(files::FoundInFile)),
    modifiers(&Common)
)]
struct Contract;

/// What holds for all routes.
struct Common;

impl Modify for Common {
    fn modify(&self, document: &mut Document) {
        let components = document.components.get_or_insert_default();
        for (name, words) in [
            ("reader", "the `reader_token` or `admin_token` of `[server]`, or such a key"),
            ("admin", "the `admin_token` of `[server]`, or an admin's key"),
            ("webhook", "a key of the source"),
        ] {
            let mut scheme = Http::new(HttpAuthScheme::Bearer);
            scheme.description = Some(format!("A bearer credential: {words}."));
            components.add_security_scheme(name, SecurityScheme::Http(scheme));
        }
        let answers = [
            ("400", "The request is not understood."),
            ("401", "No known credential."),
            ("403", "The credential does not allow it."),
            ("405", "The path does not take the method."),
            ("413", "The body is over the limit."),
            (
                "429",
                "Too many unknown credentials came from this address, or more than is allowed.",
            ),
            ("500", "Something is wrong on this side."),
            ("503", "Not possible at the moment."),
        ];
        for (path, item) in &mut document.paths.paths {
            let is_open = path == "/healthz";
            let operations = [&mut item.get, &mut item.post];
            for operation in operations.into_iter().flatten() {
                for (status, words) in answers {
                    if is_open && !matches!(status, "400" | "405" | "413" | "500") {
                        continue;
                    }
                    let answer = ResponseBuilder::new()
                        .description(words)
                        .content(
                            "application/problem+json",
                            utoipa::openapi::ContentBuilder::new()
                                .schema(Some(utoipa::openapi::Ref::from_schema_name("Problem")))
                                .build(),
                        )
                        .build();
                    let answers = &mut operation.responses.responses;
                    answers.entry(status.to_owned()).or_insert(RefOr::T(answer));
                }
                for (status, answer) in &mut operation.responses.responses {
                    if let RefOr::T(answer) = answer
                        && answer.description.is_empty()
                    {
                        let words = match status.as_str() {
                            "200" => "What was asked for.",
                            "400" => "The request is not understood.",
                            "404" => "There is none.",
                            "408" => "The body took too long.",
                            "409" => "The run is not in a state for that.",
                            "415" => "The body is a form, or packed.",
                            _ => "Not possible.",
                        };
                        words.clone_into(&mut answer.description);
                    }
                }
            }
        }
    }
}

/// The contract, as a document of `OpenAPI` 3.1.
#[must_use]
pub fn document() -> Document {
    Contract::openapi()
}

/// This document. Callers on this machine need no credential.
#[utoipa::path(
    get,
    path = "/openapi.json",
    operation_id = "show_contract",
    tag = "Operation",
    security((), ("reader" = [])),
    responses(
        (status = 200, body = Object, content_type = "application/json"),
        (status = 401, body = ProblemDocument, content_type = "application/problem+json"),
    )
)]
pub(super) async fn contract(
    request: HttpRequest,
    shared: web::Data<Shared>,
) -> Result<HttpResponse, Problem> {
    require_here_or(&request, &shared, Role::Reader).await?;
    Ok(HttpResponse::Ok().json(document()))
}
