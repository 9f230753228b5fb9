//! `POST /{tenant}/oauth2/v2.0/token`: the client credentials grant with a secret or an assertion,
//! the app's own or a federated token.
//!
//! Follows "Microsoft identity platform and the OAuth 2.0 client credentials flow"; refusals carry
//! the AADSTS codes of "Microsoft Entra authentication and authorization error codes".

use std::borrow::Cow;
use std::collections::HashMap;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use url::form_urlencoded;

use super::assertion;
use super::clock::{http_date, instant_text};
use super::config::{CLIENT_ID, TENANT_ID};
use super::fault::Endpoint;
use super::federation;
use super::graph::{guid, header};
use super::shared::{Settings, Shared};

/// Resources the tenant knows, beside the stand-in itself: Microsoft Graph of each cloud.
pub(super) const GRAPH_HOSTS: [&str; 4] = [
    "https://graph.microsoft.com",
    "https://graph.microsoft.us",
    "https://dod-graph.microsoft.us",
    "https://microsoftgraph.chinacloudapi.cn",
];

/// The public cloud's authority.
const AUTHORITY: &str = "https://login.microsoftonline.com";

/// A refused token request.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Denied {
    status: u16,
    error: &'static str,
    code: u32,
    message: Cow<'static, str>,
}

impl Denied {
    pub(super) fn new(
        status: u16,
        error: &'static str,
        code: u32,
        message: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self { status, error, code, message: message.into() }
    }

    pub(super) fn invalid_client(code: u32, message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(401, "invalid_client", code, message)
    }

    /// The refusal with that AADSTS code, as the page of error codes describes it.
    pub(super) fn by_code(code: u32) -> Option<Self> {
        let (status, error, message) = match code {
            7_000_215 => (401, "invalid_client", "Invalid client secret provided."),
            7_000_222 => (401, "invalid_client", "The provided client secret keys are expired."),
            7_000_216 => (
                401,
                "invalid_client",
                "'client_assertion', 'client_secret' or 'request' is required.",
            ),
            7_000_218 => (
                401,
                "invalid_client",
                "The request body must contain 'client_assertion' or 'client_secret'.",
            ),
            700_016 => (400, "unauthorized_client", "Application was not found in the directory."),
            7_000_112 => (400, "unauthorized_client", "Application is disabled."),
            90_002 => (400, "invalid_request", "Tenant not found."),
            900_023 => (
                400,
                "invalid_request",
                "Specified tenant identifier is neither a valid DNS name, nor a valid external domain.",
            ),
            70_011 => (
                400,
                "invalid_scope",
                "The provided value for the input parameter 'scope' is not valid.",
            ),
            1_002_012 => (
                400,
                "invalid_scope",
                "The provided value for scope is not valid. Client credential flows must have a scope value with /.default.",
            ),
            500_011 => {
                (400, "invalid_resource", "The resource principal was not found in the tenant.")
            }
            50_001 => (400, "invalid_resource", "The application was not found or is disabled."),
            50_027 => (400, "invalid_request", "JWT token is invalid or malformed."),
            700_027 => (401, "invalid_client", "Client assertion failed signature validation."),
            700_024 => {
                (401, "invalid_client", "Client assertion is not within its valid time range.")
            }
            7_000_214 => (401, "invalid_client", "Certificate has been revoked."),
            7_000_274 => (401, "invalid_client", "The certificate's signature is invalid."),
            7_000_277 => (401, "invalid_client", "The certificate cannot be used."),
            1_000_502 => (
                401,
                "invalid_client",
                "The provided certificate is not within its specified validity window.",
            ),
            70_021 => (
                400,
                "invalid_request",
                "No matching federated identity record found for presented assertion.",
            ),
            700_211 => (
                400,
                "invalid_request",
                "No matching federated identity record found for presented assertion issuer.",
            ),
            700_212 => (
                400,
                "invalid_request",
                "No matching federated identity record found for presented assertion audience.",
            ),
            700_213 => (
                401,
                "invalid_client",
                "No matching federated identity record found for presented assertion subject.",
            ),
            53_003 => {
                (400, "access_denied", "Access has been blocked by Conditional Access policies.")
            }
            50_196 => (
                400,
                "invalid_grant",
                "The server terminated an operation because it encountered a client request loop.",
            ),
            90_055 => (429, "temporarily_unavailable", "TenantThrottlingError."),
            90_033 => (
                503,
                "temporarily_unavailable",
                "A transient error has occurred. Please try again.",
            ),
            _ => return None,
        };
        Some(Self::new(status, error, code, message))
    }

    fn answer(&self, now: i64) -> HttpResponse {
        let (trace, correlation) = (guid(), guid());
        let timestamp = instant_text(now).replace('T', " ");
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::BAD_REQUEST);
        HttpResponse::build(status).insert_header(("Date", http_date(now))).json(json!({
            "error": self.error,
            "error_description": format!(
                "AADSTS{}: {} Trace ID: {trace} Correlation ID: {correlation} Timestamp: {timestamp}",
                self.code, self.message
            ),
            "error_codes": [self.code],
            "timestamp": timestamp,
            "trace_id": trace,
            "correlation_id": correlation,
            "error_uri": format!("{AUTHORITY}/error?code={}", self.code),
        }))
    }
}

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
        let message = "A transient error has occurred. Please try again.";
        return Denied::new(503, "temporarily_unavailable", 90_033, message).answer(now);
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
        let message = "Application was not found in the directory.";
        return Err(Denied::new(400, "unauthorized_client", 700_016, message));
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
    Err(Denied::new(400, "invalid_request", 90_002, "Tenant not found."))
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
        return Err(Denied::invalid_client(
            7_000_222,
            "The provided client secret keys are expired.",
        ));
    }
    Ok(())
}
