//! `credential = { … }` of a target: how we prove to Entra who we are.

use std::path::Path;

use crate::config::secrets::{self, SecretRef};
use crate::config::section::Field;

pub(super) const KEYS: &[&str] = &["client_secret", "certificate", "key"];
pub(super) const LATER: &[&str] = &["federated_token", "managed_identity"];

/// How we prove to Entra who we are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CredentialConfig {
    /// With a secret that Entra made.
    ClientSecret(SecretRef),
    /// With a certificate that is registered with the application.
    Certificate {
        /// PEM with the certificate, and with the private key too where `key` is absent.
        certificate: SecretRef,
        /// PEM with the private key (PKCS#8).
        key: Option<SecretRef>,
    },
}

/// Reads the credential. Nothing that stands here is ever shown.
pub(super) fn read(field: &Field<'_>, folder: &Path) -> Option<CredentialConfig> {
    if !field.is_table() {
        refuse_other(field);
        return None;
    }
    let section = field.part()?;
    section.check_keys(KEYS, LATER);
    let secret = |key: &str| section.get(key).map(|field| secrets::read(&field, folder));
    let (client_secret, certificate, key) =
        (secret("client_secret"), secret("certificate"), secret("key"));
    let problem = match (client_secret, certificate, key) {
        (Some(secret), None, None) => return secret.map(CredentialConfig::ClientSecret),
        (None, Some(certificate), None) => {
            return Some(CredentialConfig::Certificate { certificate: certificate?, key: None });
        }
        (None, Some(certificate), Some(key)) => {
            return Some(CredentialConfig::Certificate {
                certificate: certificate?,
                key: Some(key?),
            });
        }
        (None, None, Some(_)) => "has a `key` without `certificate`",
        (Some(_), Some(_), _) => "takes `client_secret` or `certificate`, not both",
        (Some(_), None, Some(_)) => "takes a `key` beside `certificate` only",
        (None, None, None) if LATER.iter().any(|key| section.has(key)) => return None,
        (None, None, None) => "needs `client_secret` or `certificate`",
    };
    section.refuse(format!("{} {problem}", section.title()), None);
    None
}

fn refuse_other(field: &Field<'_>) {
    if let Some(word) = LATER.iter().find(|word| field.is_text(word)) {
        let hint = "it comes with a later version; use `client_secret` or `certificate`".to_owned();
        field.refuse_key(format!("`{word}` is not supported by this version"), Some(hint));
        return;
    }
    let message = format!("`{}` has to say where the secret is, not what it is", field.key);
    let hint = "write it like `credential = { client_secret = { env = \"NAME\" } }`".to_owned();
    field.refuse_key(message, Some(hint));
}
