//! The permissions in a token, for whoever tells people about them.
//!
//! A token for Graph is Graph's business: it may be opaque, and nothing is ever decided by what stands
//! in it. `doctor` looks into it all the same, because that is the only place where a missing consent
//! shows before a call is refused.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use reqwest::header::HeaderValue;
use serde_json::Value;

use crate::entra::error_body::word;
use crate::entra::{EntraClient, TokenFailure};

impl EntraClient {
    /// The permissions (`roles`) of a token, sorted; `None` where it cannot be looked into.
    ///
    /// # Errors
    ///
    /// When the token endpoint gives none.
    pub async fn roles(&self) -> Result<Option<Vec<String>>, TokenFailure> {
        Ok(read(&self.token_at_hand().await?.header))
    }
}

/// Reads them out of an `Authorization` header. A token without any has no `roles` at all.
fn read(header: &HeaderValue) -> Option<Vec<String>> {
    let token = header.to_str().ok()?.strip_prefix("Bearer ")?;
    let mut parts = token.split('.');
    let (_, claims, _) = (parts.next()?, parts.next()?, parts.next()?);
    let claims = BASE64_URL_SAFE_NO_PAD.decode(claims).ok()?;
    let claims: Value = serde_json::from_slice(&claims).ok()?;
    let roles = match claims.as_object()?.get("roles") {
        None => Vec::new(),
        Some(roles) => roles.as_array()?.iter().filter_map(|role| word(role.as_str()?)).collect(),
    };
    let mut roles: Vec<String> = roles;
    roles.sort();
    Some(roles)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn roles(claims: &str) -> Option<Vec<String>> {
        let token = format!("x.{}.y", BASE64_URL_SAFE_NO_PAD.encode(claims));
        read(&HeaderValue::try_from(format!("Bearer {token}")).unwrap())
    }

    #[test]
    fn roles_are_read_sorted_and_only_words() {
        let claims = r#"{"roles":["ProvisioningLog.Read.All","B \u001b[31m","A.b",7]}"#;
        assert_eq!(roles(claims).unwrap(), ["A.b", "ProvisioningLog.Read.All"]);
        assert_eq!(roles(r#"{"aud":"x"}"#), Some(Vec::new()));
    }

    #[test]
    fn an_opaque_token_says_nothing() {
        assert_eq!(roles("no claims"), None);
        assert_eq!(roles(r#"{"roles":"all"}"#), None);
        for token in ["", "opaque", "a.b", "a.%.c"] {
            assert_eq!(read(&HeaderValue::try_from(format!("Bearer {token}")).unwrap()), None);
        }
    }
}
