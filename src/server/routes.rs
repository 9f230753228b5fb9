//! All routes: a path, its methods, and who answers.

use actix_web::{HttpResponse, Resource, ResponseError as _, Route, web};

use crate::server::api::{decisions, files, hooks, records, runs};
use crate::server::problem::{Kind, Problem};
use crate::server::{health, metrics, openapi};

pub(super) const HEALTH: &str = "/healthz";
pub(super) const READY: &str = "/readyz";
pub(super) const METRICS: &str = "/metrics";
pub(super) const CONTRACT: &str = "/openapi.json";
pub(super) const RUNS: &str = "/api/v1/runs";
pub(super) const RUN: &str = "/api/v1/runs/{id}";
pub(super) const OPERATIONS: &str = "/api/v1/runs/{id}/operations";
pub(super) const APPROVE: &str = "/api/v1/runs/{id}/approve";
pub(super) const CANCEL: &str = "/api/v1/runs/{id}/cancel";
pub(super) const RETRY: &str = "/api/v1/runs/{id}/retry";
pub(super) const RECORD: &str = "/api/v1/records/{externalId}";
pub(super) const HOOK: &str = "/hooks/{source}";
pub(super) const DELIVERY: &str = "/api/v1/deliveries/{id}";
pub(super) const WEBHOOK: &str = "/api/v1/sources/{source}/webhook";
pub(super) const UPLOAD: &str = "/api/v1/sources/{source}/files";

/// Says which path is answered by whom.
pub(super) fn routes(config: &mut web::ServiceConfig) {
    config
        .service(look(HEALTH, || web::route().to(health::healthz)))
        .service(look(READY, || web::route().to(health::readyz)))
        .service(look(METRICS, || web::route().to(metrics::metrics)))
        .service(look(CONTRACT, || web::route().to(openapi::contract)))
        .service(look(RUNS, || web::route().to(runs::list)))
        .service(look(RUN, || web::route().to(runs::show)))
        .service(look(OPERATIONS, || web::route().to(runs::operations)))
        .service(look(RECORD, || web::route().to(records::show)))
        .service(look(DELIVERY, || web::route().to(hooks::show)))
        .service(look(WEBHOOK, || web::route().to(hooks::look)))
        .service(order(HOOK, web::post().to(hooks::receive)))
        .service(order(APPROVE, web::post().to(decisions::approve)))
        .service(order(CANCEL, web::post().to(decisions::cancel)))
        .service(order(RETRY, web::post().to(decisions::retry)))
        .service(order(UPLOAD, web::post().to(files::upload)))
        .default_service(web::route().to(nowhere));
}

/// A path that is looked at.
fn look(path: &str, route: impl Fn() -> Route) -> Resource {
    web::resource(path)
        .route(route().guard(actix_web::guard::Get()))
        .route(route().guard(actix_web::guard::Head()))
        .default_service(web::route().to(look_alone))
}

/// A path that is told something.
fn order(path: &str, route: Route) -> Resource {
    web::resource(path).route(route).default_service(web::route().to(order_alone))
}

async fn look_alone() -> HttpResponse {
    wrong_method("GET, HEAD")
}

async fn order_alone() -> HttpResponse {
    wrong_method("POST")
}

fn wrong_method(methods: &'static str) -> HttpResponse {
    Problem::new(Kind::MethodNotAllowed)
        .detail(format!("this path takes {methods}"))
        .allow(methods)
        .error_response()
}

async fn nowhere() -> HttpResponse {
    Problem::new(Kind::NotFound)
        .detail("there is nothing at this path")
        .hint("`/openapi.json` says what there is")
        .error_response()
}
