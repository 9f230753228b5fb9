//! Refused token requests: the AADSTS codes, and the answer that carries one.
//!
//! Follows "Microsoft Entra authentication and authorization error codes".

use std::borrow::Cow;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use serde_json::json;

use super::clock::{http_date, instant_text};
use super::graph::guid;
use super::token::AUTHORITY;

/// A refused token request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Denied {
    status: u16,
    error: &'static str,
    code: u32,
    message: Cow<'static, str>,
}

/// The refusals of the page of error codes, in its words: each can be asked for by its code.
const PAGE: [Denied; 27] = [
    Denied::page(401, "invalid_client", 7_000_215, "Invalid client secret provided."),
    Denied::SECRET_EXPIRED,
    Denied::page(
        401,
        "invalid_client",
        7_000_216,
        "'client_assertion', 'client_secret' or 'request' is required.",
    ),
    Denied::page(
        401,
        "invalid_client",
        7_000_218,
        "The request body must contain 'client_assertion' or 'client_secret'.",
    ),
    Denied::NO_APP,
    Denied::page(400, "unauthorized_client", 7_000_112, "Application is disabled."),
    Denied::NO_TENANT,
    Denied::page(
        400,
        "invalid_request",
        900_023,
        "Specified tenant identifier is neither a valid DNS name, nor a valid external domain.",
    ),
    Denied::page(
        400,
        "invalid_scope",
        70_011,
        "The provided value for the input parameter 'scope' is not valid.",
    ),
    Denied::page(
        400,
        "invalid_scope",
        1_002_012,
        "The provided value for scope is not valid. Client credential flows must have a scope value with /.default.",
    ),
    Denied::page(
        400,
        "invalid_resource",
        500_011,
        "The resource principal was not found in the tenant.",
    ),
    Denied::page(400, "invalid_resource", 50_001, "The application was not found or is disabled."),
    Denied::page(400, "invalid_request", 50_027, "JWT token is invalid or malformed."),
    Denied::page(401, "invalid_client", 700_027, "Client assertion failed signature validation."),
    Denied::NOT_ITS_TIME,
    Denied::page(401, "invalid_client", 7_000_214, "Certificate has been revoked."),
    Denied::page(401, "invalid_client", 7_000_274, "The certificate's signature is invalid."),
    Denied::page(401, "invalid_client", 7_000_277, "The certificate cannot be used."),
    Denied::page(
        401,
        "invalid_client",
        1_000_502,
        "The provided certificate is not within its specified validity window.",
    ),
    Denied::NO_FEDERATION,
    Denied::page(
        400,
        "invalid_request",
        700_211,
        "No matching federated identity record found for presented assertion issuer.",
    ),
    Denied::page(
        400,
        "invalid_request",
        700_212,
        "No matching federated identity record found for presented assertion audience.",
    ),
    Denied::page(
        401,
        "invalid_client",
        700_213,
        "No matching federated identity record found for presented assertion subject.",
    ),
    Denied::page(
        400,
        "access_denied",
        53_003,
        "Access has been blocked by Conditional Access policies.",
    ),
    Denied::page(
        400,
        "invalid_grant",
        50_196,
        "The server terminated an operation because it encountered a client request loop.",
    ),
    Denied::page(429, "temporarily_unavailable", 90_055, "TenantThrottlingError."),
    Denied::TRANSIENT,
];

impl Denied {
    /// See [`PAGE`].
    pub(super) const SECRET_EXPIRED: Self = Self::page(
        401,
        "invalid_client",
        7_000_222,
        "The provided client secret keys are expired.",
    );
    /// See [`PAGE`].
    pub(super) const NO_APP: Self = Self::page(
        400,
        "unauthorized_client",
        700_016,
        "Application was not found in the directory.",
    );
    /// See [`PAGE`].
    pub(super) const NO_TENANT: Self =
        Self::page(400, "invalid_request", 90_002, "Tenant not found.");
    /// See [`PAGE`].
    pub(super) const NOT_ITS_TIME: Self = Self::page(
        401,
        "invalid_client",
        700_024,
        "Client assertion is not within its valid time range.",
    );
    /// See [`PAGE`].
    pub(super) const NO_FEDERATION: Self = Self::page(
        400,
        "invalid_request",
        70_021,
        "No matching federated identity record found for presented assertion.",
    );
    /// See [`PAGE`].
    pub(super) const TRANSIENT: Self = Self::page(
        503,
        "temporarily_unavailable",
        90_033,
        "A transient error has occurred. Please try again.",
    );

    const fn page(status: u16, error: &'static str, code: u32, message: &'static str) -> Self {
        Self { status, error, code, message: Cow::Borrowed(message) }
    }

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
        PAGE.into_iter().find(|denied| denied.code == code)
    }

    /// The refusal as an answer.
    pub(super) fn answer(&self, now: i64) -> HttpResponse {
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
