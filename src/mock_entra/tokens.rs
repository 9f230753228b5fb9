//! Access tokens the stand-in has handed out. To a client they are opaque; they look like JWTs.

use std::collections::HashMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;

use super::clock::SECOND;
use super::config::{CLIENT_ID, SERVICE_PRINCIPAL_ID, TENANT_ID};
use super::graph::{Refusal, guid};
use super::shared::Settings;

/// The audience of a token for Microsoft Graph.
const GRAPH: &str = "https://graph.microsoft.com";

/// Handed-out tokens, and the assertions already used.
#[derive(Debug, Default)]
pub(super) struct Tokens {
    valid: HashMap<String, Token>,
    /// The `jti` of used assertions, with the instant from which they are of no use anyway.
    used: HashMap<String, i64>,
}

#[derive(Debug)]
struct Token {
    expires_at: i64,
    roles: Vec<String>,
}

impl Tokens {
    /// Hands out a token.
    pub(super) fn issue(&mut self, settings: &Settings, now: i64) -> String {
        self.valid.retain(|_, token| token.expires_at > now);
        let lifetime = super::clock::micros(settings.token_lifetime);
        let expires_at = now.saturating_add(lifetime);
        let header = json!({ "typ": "JWT", "alg": "RS256", "kid": "mock" });
        let claims = json!({
            "aud": GRAPH,
            "iss": format!("https://sts.windows.net/{TENANT_ID}/"),
            "iat": now / SECOND,
            "nbf": now / SECOND,
            "exp": expires_at / SECOND,
            "appid": CLIENT_ID,
            "idtyp": "app",
            "oid": SERVICE_PRINCIPAL_ID,
            "roles": settings.roles,
            "tid": TENANT_ID,
            "uti": guid(),
        });
        // A client must get along with a token that it cannot look into, too.
        if settings.opaque_tokens {
            let token = format!("{}{}", guid(), guid());
            self.valid.insert(token.clone(), Token { expires_at, roles: settings.roles.clone() });
            return token;
        }
        // Nobody but us reads the signature, and we know our tokens by heart.
        let parts = [header.to_string(), claims.to_string(), format!("{}{}", guid(), guid())];
        let token = parts.map(|part| URL_SAFE_NO_PAD.encode(part)).join(".");
        self.valid.insert(token.clone(), Token { expires_at, roles: settings.roles.clone() });
        token
    }

    /// The roles of a valid token.
    pub(super) fn roles(&self, token: Option<&str>, now: i64) -> Result<&[String], Refusal> {
        token
            .and_then(|token| self.valid.get(token))
            .filter(|token| token.expires_at > now)
            .map(|token| token.roles.as_slice())
            .ok_or_else(Refusal::token)
    }

    /// Checks a token for any one of the permissions.
    pub(super) fn allow(
        &self,
        token: Option<&str>,
        any_of: &[&str],
        now: i64,
    ) -> Result<(), Refusal> {
        let roles = self.roles(token, now)?;
        let allowed = roles.iter().any(|role| any_of.contains(&role.as_str()));
        if allowed { Ok(()) } else { Err(Refusal::permission()) }
    }

    /// Makes a token invalid; tells whether it was valid.
    pub(super) fn revoke(&mut self, token: &str, now: i64) -> bool {
        self.valid.remove(token).is_some_and(|token| token.expires_at > now)
    }

    /// Notes an assertion's `jti`; tells whether it is the first time.
    pub(super) fn first_use(&mut self, jti: &str, expires_at: i64, now: i64) -> bool {
        self.used.retain(|_, expires_at| *expires_at > now);
        self.used.insert(jti.to_owned(), expires_at).is_none()
    }

    pub(super) fn clear(&mut self) {
        self.valid.clear();
        self.used.clear();
    }
}
