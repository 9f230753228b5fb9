//! What every request passes: the ceiling of its body, security headers, counts, the access log.

use std::time::Instant;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{
    CACHE_CONTROL, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, HeaderValue,
    REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage, ResponseError, web};

use crate::server::problem::{Kind, Problem};
use crate::server::routes::{HEALTH, METRICS, READY};
use crate::server::shared::{CalledBy, Shared};

/// Most bytes of a body where none is asked for.
const MAX_OTHER_BODY: u64 = 64 * 1024;

/// What every answer says to a browser: nothing here is for one.
const SECURITY: [(HeaderName, &str); 5] = [
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (X_FRAME_OPTIONS, "DENY"),
    (CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
    (CACHE_CONTROL, "no-store"),
    (REFERRER_POLICY, "no-referrer"),
];

/// Lets a request through, and sees to its answer.
///
/// # Errors
///
/// None of its own.
pub(super) async fn pass(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let began = Instant::now();
    let shared = request.app_data::<web::Data<Shared>>().cloned();
    let limit = shared.as_ref().map_or(MAX_OTHER_BODY, |shared| most_bytes(&request, shared));
    let mut response = if declared(&request).is_some_and(|length| length > limit) {
        let problem = over(limit);
        request.into_response(problem.error_response())
    } else {
        as_problem(next.call(request).await?.map_into_boxed_body())
    };
    for (name, value) in SECURITY {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    if let Some(shared) = shared {
        note(&response, &shared, began);
    }
    Ok(response)
}

/// The problem of a body over the limit.
pub(super) fn over(limit: u64) -> Problem {
    Problem::new(Kind::TooLarge).detail(format!("a body here has at most {limit} bytes"))
}

/// How many bytes a body of this request may have. Routes are not known yet.
fn most_bytes(request: &ServiceRequest, shared: &Shared) -> u64 {
    let most = shared.settings.max_body;
    if request.method() != Method::POST {
        MAX_OTHER_BODY.min(most)
    } else if request.path().ends_with("/files") {
        most
    } else if request.path().starts_with("/hooks/") {
        let (_, hooks) = shared.bridge_and_hooks();
        u64::try_from(hooks.most_bytes()).unwrap_or(most).max(MAX_OTHER_BODY).min(most)
    } else {
        MAX_OTHER_BODY.min(most)
    }
}

fn declared(request: &ServiceRequest) -> Option<u64> {
    request.headers().get(CONTENT_LENGTH)?.to_str().ok()?.trim().parse().ok()
}

/// What the library refuses by itself becomes a problem document too.
fn as_problem(response: ServiceResponse<BoxBody>) -> ServiceResponse<BoxBody> {
    let status = response.status();
    let is_ours = response.headers().get(CONTENT_TYPE).is_some();
    if is_ours || !(status.is_client_error() || status.is_server_error()) {
        return response;
    }
    let kind = match status {
        StatusCode::NOT_FOUND => Kind::NotFound,
        StatusCode::PAYLOAD_TOO_LARGE => Kind::TooLarge,
        StatusCode::REQUEST_TIMEOUT => Kind::Timeout,
        _ if status.is_server_error() => Kind::Internal,
        _ => Kind::BadRequest,
    };
    response.into_response(Problem::new(kind).error_response())
}

/// Counts the answer and writes a line about it: the route, never the path, a query or a header.
fn note(response: &ServiceResponse<BoxBody>, shared: &Shared, began: Instant) {
    let request = response.request();
    let route = request.match_pattern().unwrap_or_else(|| "other".to_owned());
    let method = method(request.method());
    let status = response.status().as_u16();
    shared.answered.count(method, &route, status);
    let caller = request.extensions().get::<CalledBy>().map(|CalledBy(name)| name.clone());
    let duration_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    let caller = caller.as_deref().unwrap_or("-");
    // asked for every few seconds by machines
    if [HEALTH, READY, METRICS].contains(&route.as_str()) && status < 400 {
        tracing::debug!(method, route, status, duration_ms, caller, "answered");
    } else {
        tracing::info!(method, route, status, duration_ms, caller, "answered");
    }
}

/// The method, from a list: a caller may make up others.
fn method(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PUT" => "PUT",
        "PATCH" => "PATCH",
        "DELETE" => "DELETE",
        "OPTIONS" => "OPTIONS",
        _ => "other",
    }
}
