//! Tokens of a managed identity: IMDS at `GET /metadata/identity/oauth2/token`, and what App Service
//! and Container Apps put at `IDENTITY_ENDPOINT`, here `GET /msi/token`.
//!
//! Follows "How to use managed identities for Azure resources on an Azure VM to acquire an access
//! token" and "How to use managed identities for App Service and Azure Functions". Numbers in the
//! answers are texts, as there. The one identity is both: system-assigned (asked for without a
//! `client_id`) and user-assigned with the app's client id.

use std::collections::HashMap;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::{Value, json};
use url::form_urlencoded;

use super::clock::{SECOND, http_date};
use super::config::{CLIENT_ID, IDENTITY_HEADER};
use super::fault::{Endpoint, FaultKind};
use super::graph::header;
use super::shared::Shared;
use super::token::GRAPH_HOSTS;

const IMDS_VERSION: &str = "2018-02-01";
const APP_VERSION: &str = "2019-08-01";

/// A request without a token for it.
struct Denied(u16, &'static str, &'static str);

/// `GET /metadata/identity/oauth2/token`.
pub(super) async fn imds(request: HttpRequest, shared: web::Data<Shared>) -> HttpResponse {
    answer(&shared, || {
        if header(&request, "Metadata") != Some("true") {
            let message = "Required metadata header not specified";
            return Err(Denied(400, "bad_request_102", message));
        }
        // a proxy has passed it on: the service answers this machine alone
        if request.headers().contains_key("X-Forwarded-For") {
            return Err(Denied(401, "unknown_source", "Unknown Source"));
        }
        let (query, resource) = asked(&request, IMDS_VERSION)?;
        check_identity(&query, &shared)?;
        let (token, now, life) = issue(&shared);
        Ok(json!({
            "access_token": token,
            "refresh_token": "",
            "expires_in": life.to_string(),
            "expires_on": (now + life).to_string(),
            "not_before": now.to_string(),
            "resource": resource,
            "token_type": "Bearer",
        }))
    })
}

/// `GET /msi/token`.
pub(super) async fn endpoint(request: HttpRequest, shared: web::Data<Shared>) -> HttpResponse {
    answer(&shared, || {
        if header(&request, "X-IDENTITY-HEADER") != Some(IDENTITY_HEADER) {
            return Err(Denied(401, "unauthorized", "The identity header is missing or wrong."));
        }
        let (query, resource) = asked(&request, APP_VERSION)?;
        check_identity(&query, &shared)?;
        let (token, now, life) = issue(&shared);
        Ok(json!({
            "access_token": token,
            "expires_on": (now + life).to_string(),
            "resource": resource,
            "token_type": "Bearer",
            "client_id": CLIENT_ID,
        }))
    })
}

/// The answer to any other verb.
pub(super) async fn other_verb() -> HttpResponse {
    HttpResponse::MethodNotAllowed()
        .json(json!({ "error": "invalid_request", "error_description": "Only GET is answered." }))
}

fn answer(shared: &Shared, judge: impl FnOnce() -> Result<Value, Denied>) -> HttpResponse {
    let struck = {
        let mut world = shared.world();
        world.counts.token_requests += 1;
        world.faults.strike(Endpoint::Identity)
    };
    let fault = match struck {
        Some(FaultKind::Identity404) => Some(404),
        Some(FaultKind::Identity410) => Some(410),
        Some(FaultKind::Identity429) => Some(429),
        Some(_) => Some(500),
        None => None,
    };
    let outcome = match fault {
        Some(status) => Err(Denied(status, "temporarily_unavailable", "Try again later.")),
        None => judge(),
    };
    let date = ("Date", http_date(shared.clock.now()));
    match outcome {
        Ok(token) => HttpResponse::Ok().insert_header(date).json(token),
        Err(Denied(status, error, message)) => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
            let body = json!({ "error": error, "error_description": message });
            HttpResponse::build(status).insert_header(date).json(body)
        }
    }
}

/// What was asked, and for which resource.
fn asked(
    request: &HttpRequest,
    version: &str,
) -> Result<(HashMap<String, String>, String), Denied> {
    let query: HashMap<_, _> =
        form_urlencoded::parse(request.query_string().as_bytes()).into_owned().collect();
    if query.get("api-version").map(String::as_str) != Some(version) {
        return Err(Denied(400, "invalid_request", "The api-version is missing or not supported."));
    }
    let Some(resource) = query.get("resource") else {
        return Err(Denied(400, "invalid_request", "Missing query variable 'resource'"));
    };
    let bare = resource.strip_suffix('/').unwrap_or(resource);
    if !GRAPH_HOSTS.contains(&bare) {
        let message = "The resource principal was not found in the tenant.";
        return Err(Denied(400, "invalid_resource", message));
    }
    let resource = resource.clone();
    Ok((query, resource))
}

fn check_identity(query: &HashMap<String, String>, shared: &Shared) -> Result<(), Denied> {
    let is_known = query.get("client_id").is_none_or(|client| client == CLIENT_ID);
    let names_it_otherwise = query.contains_key("object_id") || query.contains_key("msi_res_id");
    if shared.world().settings.managed_identity && is_known && !names_it_otherwise {
        return Ok(());
    }
    Err(Denied(400, "invalid_request", "Identity not found"))
}

/// A token, the unix second of now and its life in seconds.
fn issue(shared: &Shared) -> (String, i64, i64) {
    let now = shared.clock.now();
    let mut world = shared.world();
    let world = &mut *world;
    let token = world.tokens.issue(&world.settings, now);
    let life = i64::try_from(world.settings.token_lifetime.as_secs()).unwrap_or(i64::MAX / SECOND);
    (token, now / SECOND, life)
}
