//! `POST /{tenant}/oauth2/v2.0/token`: the client credentials grant with a secret or an assertion,
//! the app's own or a federated token.
//!
//! Follows "Microsoft identity platform and the OAuth 2.0 client credentials flow"; refusals carry
//! the AADSTS codes of "Microsoft Entra authentication and authorization error codes".

use std::collections::HashMap;

use actix_web::{HttpRequest, HttpResponse, web};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use url::form_urlencoded;

use super::assertion;
use super::clock::http_date;
use super::config::{CLIENT_ID, TENANT_ID};
use super::denied::Denied;
use super::fault::Endpoint;
use super::federation;
use super::graph::header;
use super::shared::{Settings, Shared};

/// Resources the tenant knows, beside the stand-in itself: Microsoft Graph of each cloud.
pub(super) const GRAPH_HOSTS: [&str; 4] = [
    "https://graph.microsoft.com",
    "https://graph.microsoft.us",
    "https://dod-graph.microsoft.us",
    "https://microsoftgraph.chinacloudapi.cn",
];

/// The public cloud's authority.
pub(super) const AUTHORITY: &str = "https://login.microsoftonline.com";

/// Handles a token request.
pub(super) async fn token(
    request: HttpRequest,
    tenant: web::Path<String>,
    body: web::Bytes,
    shared: web::Data<Shared>,
) -> HttpResponse {
    let now = shared.clock.now();
    let struck = {
        let mut world = shared.world();
        world.counts.token_requests += 1;
        world.faults.strike(Endpoint::Token)
    };
    if struck.is_some() {
        return Denied::TRANSIENT.answer(now);
    }
    match grant(&request, &tenant, &body, &shared, now) {
        Ok((token, lifetime)) => HttpResponse::Ok()
            .insert_header(("Date", http_date(now)))
            .insert_header(("Cache-Control", "no-store, no-cache"))
            .json(json!({
                "token_type": "Bearer",
                "expires_in": lifetime,
                "ext_expires_in": lifetime,
                "access_token": token,
            })),
        Err(denied) => denied.answer(now),
    }
}

/// The answer to any other verb.
pub(super) async fn other_verb(shared: web::Data<Shared>) -> HttpResponse {
    let message = "Endpoint only accepts POST requests.";
    Denied::new(405, "invalid_request", 900_561, message).answer(shared.clock.now())
}

fn grant(
    request: &HttpRequest,
    tenant: &str,
    body: &[u8],
    shared: &Shared,
    now: i64,
) -> Result<(String, u64), Denied> {
    let mut world = shared.world();
    let world = &mut *world;
    if let Some(denied) = world.settings.refuse_tokens.and_then(Denied::by_code) {
        return Err(denied);
    }
    check_tenant(tenant, &world.settings)?;
    let form = read_form(request, body)?;
    let field = |name: &str| form.get(name).map(String::as_str).filter(|text| !text.is_empty());
    let missing = |name: &str| {
        let message = format!("The request body must contain the following parameter: '{name}'.");
        Denied::new(400, "invalid_request", 900_144, message)
    };

    let grant_type = field("grant_type").ok_or_else(|| missing("grant_type"))?;
    if grant_type != "client_credentials" {
        let message = "The app requested an unsupported grant type.";
        return Err(Denied::new(400, "unsupported_grant_type", 70_003, message));
    }
    let basic = basic_credentials(request);
    let client = basic.as_ref().map(|(client, _)| client.as_str()).or(field("client_id"));
    if client.ok_or_else(|| missing("client_id"))? != CLIENT_ID {
        return Err(Denied::NO_APP);
    }
    check_scope(field("scope").ok_or_else(|| missing("scope"))?, shared)?;

    let secret = basic.as_ref().map(|(_, secret)| secret.as_str()).or(field("client_secret"));
    if let Some(secret) = secret {
        check_secret(secret, &world.settings)?;
    } else if let Some(given) = field("client_assertion") {
        if field("client_assertion_type") != Some(assertion::TYPE) {
            let message = "The client assertion type is missing or not supported.";
            return Err(Denied::new(400, "invalid_request", 50_027, message));
        }
        if federation::is_foreign(given, CLIENT_ID) {
            federation::judge(given, shared.config.federation.as_ref(), now)?;
            let token = world.tokens.issue(&world.settings, now);
            return Ok((token, world.settings.token_lifetime.as_secs()));
        }
        let audiences =
            [&shared.url, AUTHORITY].map(|root| format!("{root}/{tenant}/oauth2/v2.0/token"));
        assertion::judge(given, &world.certificates, &audiences, &mut world.tokens, now)?;
    } else {
        let message = "The request body must contain the following parameter: \
                       'client_assertion' or 'client_secret'.";
        return Err(Denied::invalid_client(7_000_218, message));
    }
    let token = world.tokens.issue(&world.settings, now);
    Ok((token, world.settings.token_lifetime.as_secs()))
}

fn check_tenant(tenant: &str, settings: &Settings) -> Result<(), Denied> {
    if tenant.eq_ignore_ascii_case(TENANT_ID) || settings.is_verified(tenant) {
        return Ok(());
    }
    Err(Denied::NO_TENANT)
}

fn read_form(request: &HttpRequest, body: &[u8]) -> Result<HashMap<String, String>, Denied> {
    let media_type = header(request, "Content-Type").unwrap_or("");
    let media_type = media_type.split(';').next().unwrap_or("").trim();
    if !media_type.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        let message = "The request body must be application/x-www-form-urlencoded.";
        return Err(Denied::new(400, "invalid_request", 900_144, message));
    }
    let mut form = HashMap::new();
    for (name, value) in form_urlencoded::parse(body) {
        if form.insert(name.clone().into_owned(), value.into_owned()).is_some() {
            let message = format!("The parameter '{name}' is given twice.");
            return Err(Denied::new(400, "invalid_request", 9_000_410, message));
        }
    }
    Ok(form)
}

/// Client id and secret from HTTP Basic (RFC 6749 section 2.3.1: both are form-encoded first).
fn basic_credentials(request: &HttpRequest) -> Option<(String, String)> {
    let (scheme, encoded) = header(request, "Authorization")?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("basic").then_some(())?;
    let text = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (client, secret) = text.split_once(':')?;
    let decoded = |text: &str| {
        form_urlencoded::parse(text.as_bytes()).next().map(|(name, _)| name.into_owned())
    };
    // A secret may end in `=`, which the form reader takes for the end of a name.
    let secret = decoded(&secret.replace('=', "%3D"))?;
    Some((decoded(client)?, secret))
}

fn check_scope(scope: &str, shared: &Shared) -> Result<(), Denied> {
    let Some(resource) = scope.strip_suffix("/.default") else {
        let message = format!("The provided value for scope {scope} is not valid.");
        return Err(Denied::new(400, "invalid_scope", 1_002_012, message));
    };
    if resource.contains(' ') {
        let message = "Only one resource can be requested.";
        return Err(Denied::new(400, "invalid_scope", 70_011, message));
    }
    if GRAPH_HOSTS.contains(&resource) || resource == shared.url {
        return Ok(());
    }
    let message = format!("The resource principal named {resource} was not found in the tenant.");
    Err(Denied::new(400, "invalid_resource", 500_011, message))
}

fn check_secret(secret: &str, settings: &Settings) -> Result<(), Denied> {
    if !settings.client_secrets.iter().any(|known| known == secret) {
        let message = "Invalid client secret provided. Ensure the secret being sent in the \
                       request is the client secret value, not the client secret ID.";
        return Err(Denied::invalid_client(7_000_215, message));
    }
    if settings.secret_expired {
        return Err(Denied::SECRET_EXPIRED);
    }
    Ok(())
}
