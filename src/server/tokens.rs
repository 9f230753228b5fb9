//! The tokens of `[server]`: who presents one is a reader or an admin.

use async_trait::async_trait;
use aws_lc_rs::constant_time::verify_slices_are_equal;
use secrecy::{ExposeSecret, SecretString};

use crate::config::{SecretError, SecretRef, Secrets, ServerConfig};
use crate::domain::secret_digest;
use crate::server::access::{Caller, Credentials, Role};

/// A token of fewer characters can be guessed.
const SHORTEST: usize = 16;

/// Why a token of the config cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// It cannot be had.
    #[error("`server.{key}` cannot be read")]
    Read {
        /// `admin_token` or `reader_token`.
        key: &'static str,
        /// Why.
        #[source]
        source: SecretError,
    },
    /// It can be guessed.
    #[error("`server.{key}` has fewer than {SHORTEST} characters")]
    Short {
        /// `admin_token` or `reader_token`.
        key: &'static str,
    },
    /// It cannot stand in a header.
    #[error("`server.{key}` has characters other than letters, digits and ASCII punctuation")]
    Unfit {
        /// `admin_token` or `reader_token`.
        key: &'static str,
    },
    /// A reader would be an admin.
    #[error("`server.reader_token` and `server.admin_token` are the same")]
    Same,
}

impl TokenError {
    /// What to do about it.
    #[must_use]
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::Read { .. } => "put it there, then `scimport check` looks again",
            Self::Short { .. } | Self::Unfit { .. } | Self::Same => {
                "make another one, such as by `openssl rand -hex 32`"
            }
        }
    }
}

/// The tokens of `[server]`, as digests.
pub struct ServerTokens {
    known: Vec<Known>,
}

struct Known {
    key: &'static str,
    role: Role,
    digest: [u8; 32],
}

impl ServerTokens {
    /// Fetches the tokens that the config names.
    ///
    /// # Errors
    ///
    /// When one cannot be had, or is too weak to be used.
    pub fn read(config: &ServerConfig, secrets: &Secrets) -> Result<Self, TokenError> {
        let tokens = [
            ("admin_token", Role::Admin, &config.admin_token),
            ("reader_token", Role::Reader, &config.reader_token),
        ];
        let mut known: Vec<Known> = Vec::new();
        for (key, role, reference) in tokens {
            let Some(reference) = reference else { continue };
            let token = read(key, reference, secrets)?;
            let digest = digest(token.expose_secret());
            if known.iter().any(|other| other.digest == digest) {
                return Err(TokenError::Same);
            }
            known.push(Known { key, role, digest });
        }
        Ok(Self { known })
    }

    /// Whether somebody may decide.
    #[must_use]
    pub fn has_admin(&self) -> bool {
        self.known.iter().any(|known| known.role == Role::Admin)
    }
}

#[async_trait]
impl Credentials for ServerTokens {
    async fn caller(&self, presented: &str) -> Option<Caller> {
        let presented = digest(presented);
        // all of them, whichever is right
        self.known.iter().fold(None, |found, known| {
            let is_it = verify_slices_are_equal(&known.digest, &presented).is_ok();
            if is_it {
                Some(Caller { name: known.key.to_owned(), role: known.role })
            } else {
                found
            }
        })
    }
}

fn read(
    key: &'static str,
    reference: &SecretRef,
    secrets: &Secrets,
) -> Result<SecretString, TokenError> {
    let token = reference.resolve(secrets).map_err(|source| TokenError::Read { key, source })?;
    if !token.expose_secret().bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(TokenError::Unfit { key });
    }
    if token.expose_secret().len() < SHORTEST {
        return Err(TokenError::Short { key });
    }
    Ok(token)
}

fn digest(text: &str) -> [u8; 32] {
    secret_digest(&[text.as_bytes()])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(admin: &str, reader: &str) -> Result<ServerTokens, TokenError> {
        let config = ServerConfig {
            admin_token: Some(SecretRef::Env("A".into())),
            reader_token: Some(SecretRef::Env("R".into())),
            ..ServerConfig::default()
        };
        let env = [("A", admin), ("R", reader)];
        let env = env.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        ServerTokens::read(&config, &Secrets::new(env))
    }

    #[tokio::test]
    async fn a_token_gives_its_role_and_its_name() {
        let tokens = tokens("admin-0123456789", "reader-0123456789").unwrap();
        let caller = tokens.caller("admin-0123456789").await.unwrap();
        assert_eq!((caller.name.as_str(), caller.role), ("admin_token", Role::Admin));
        let caller = tokens.caller("reader-0123456789").await.unwrap();
        assert_eq!((caller.name.as_str(), caller.role), ("reader_token", Role::Reader));
        for other in ["", "admin-012345678", "ADMIN-0123456789", "admin-0123456789 "] {
            assert_eq!(tokens.caller(other).await, None, "{other}");
        }
        assert!(tokens.has_admin());
        let none = ServerTokens::read(&ServerConfig::default(), &Secrets::default()).unwrap();
        assert!(!none.has_admin());
        assert_eq!(none.caller("").await, None);
    }

    #[test]
    fn weak_tokens_are_refused_without_being_shown() {
        let good = "reader-0123456789";
        for (admin, words) in [
            ("hunter2", "fewer than 16"),
            ("hunter2 hunter2 hunter2", "other than"),
            ("hunter2-hunter2-ü", "other than"),
            (good, "are the same"),
        ] {
            let error = tokens(admin, good).err().unwrap();
            assert!(error.to_string().contains(words), "{admin}: {error}");
            assert!(!format!("{error} {error:?} {}", error.hint()).contains("hunter2"));
        }
        let config = ServerConfig {
            admin_token: Some(SecretRef::Env("NOWHERE".into())),
            ..ServerConfig::default()
        };
        let error = ServerTokens::read(&config, &Secrets::default()).err().unwrap();
        assert_eq!(error.to_string(), "`server.admin_token` cannot be read");
    }
}
