//! How a request proves who we are: the secret is fetched anew for each, so that a new one is used at
//! once, and marked as sensitive, so that nothing shows it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::header::{AUTHORIZATION, HeaderName, HeaderValue};
use secrecy::ExposeSecret;

use crate::config::{AuthConfig, SecretError, Secrets, UserConfig};

/// Why a request cannot prove who we are.
#[derive(Debug, thiserror::Error)]
pub(super) enum AuthError {
    /// The secret cannot be had.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// It cannot stand in a header.
    #[error("the secret has a character in it that no header takes, such as a line break")]
    Characters,
}

/// The header that proves it.
pub(super) fn header(
    auth: &AuthConfig,
    secrets: &Secrets,
) -> Result<(HeaderName, HeaderValue), AuthError> {
    match auth {
        AuthConfig::Bearer(secret) => {
            let secret = secret.resolve(secrets)?;
            Ok((AUTHORIZATION, sensitive(&format!("Bearer {}", secret.expose_secret()))?))
        }
        AuthConfig::Basic { user, password } => {
            let user = match user {
                UserConfig::Text(text) => text.clone(),
                UserConfig::Secret(secret) => secret.resolve(secrets)?.expose_secret().to_owned(),
            };
            let password = password.resolve(secrets)?;
            let both = STANDARD.encode(format!("{user}:{}", password.expose_secret()));
            Ok((AUTHORIZATION, sensitive(&format!("Basic {both}"))?))
        }
        AuthConfig::Header { name, value } => {
            let name = HeaderName::try_from(name.as_str()).map_err(|_| AuthError::Characters)?;
            Ok((name, sensitive(value.resolve(secrets)?.expose_secret())?))
        }
    }
}

fn sensitive(text: &str) -> Result<HeaderValue, AuthError> {
    let mut value = HeaderValue::try_from(text).map_err(|_| AuthError::Characters)?;
    value.set_sensitive(true);
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::SecretRef;

    fn env() -> Secrets {
        let env = [("A", "s3cret"), ("U", "aladdin"), ("X", "a\nb")];
        Secrets::new(env.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec())
    }

    fn from(name: &str) -> SecretRef {
        SecretRef::Env(name.to_owned())
    }

    #[test]
    fn each_way_has_its_header_and_shows_no_secret() {
        let basic = AuthConfig::Basic { user: UserConfig::Secret(from("U")), password: from("A") };
        let own = AuthConfig::Header { name: "x-api-key".to_owned(), value: from("A") };
        for (auth, expected) in [
            (AuthConfig::Bearer(from("A")), ("authorization", "Bearer s3cret")),
            (basic, ("authorization", "Basic YWxhZGRpbjpzM2NyZXQ=")),
            (own, ("x-api-key", "s3cret")),
        ] {
            let (name, value) = header(&auth, &env()).unwrap();
            assert_eq!((name.as_str(), value.to_str().unwrap()), expected);
            assert!(!format!("{value:?} {auth:?}").contains("s3cret"));
        }
    }

    #[test]
    fn a_secret_that_no_header_takes_is_not_shown() {
        let error = header(&AuthConfig::Bearer(from("X")), &env()).unwrap_err();
        assert!(matches!(error, AuthError::Characters));
        let error = header(&AuthConfig::Bearer(from("none")), &env()).unwrap_err();
        assert_eq!(error.to_string(), "environment variable `none` is not set");
    }
}
