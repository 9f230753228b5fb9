//! `credential = …` of a target: how we prove to Entra who we are.

use std::path::{Path, PathBuf};

use crate::config::secrets::{self, SecretRef};
use crate::config::section::{Field, Section};

pub(super) const KEYS: &[&str] =
    &["client_secret", "certificate", "key", "federated_token", "managed_identity"];
/// The kinds, of which a credential is one.
const KINDS: [&str; 4] = ["client_secret", "certificate", "federated_token", "managed_identity"];
const MANAGED_IDENTITY: &str = "managed_identity";

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
    /// With a token of another identity provider that the application trusts.
    FederatedToken {
        /// The file that holds it.
        file: PathBuf,
    },
    /// As the managed identity of this machine.
    ManagedIdentity {
        /// Which of several, by its client id.
        client_id: Option<String>,
    },
}

/// The credential of a target, and the one that takes its place when it is refused.
pub(super) struct Credentials {
    pub(super) first: CredentialConfig,
    pub(super) second: Option<CredentialConfig>,
}

/// Reads one credential, or a list of two. Nothing that stands here is ever shown.
pub(super) fn read(field: &Field<'_>, folder: &Path) -> Option<Credentials> {
    if !field.is_list() {
        return Some(Credentials { first: read_one(field, folder)?, second: None });
    }
    let items = field.items()?;
    let read: Vec<_> = items.iter().map(|item| in_list(item, folder)).collect();
    let [first, second] = <[_; 2]>::try_from(read).ok().or_else(|| {
        let hint = "the second takes the place of the first when that is refused".to_owned();
        field.refuse_key("`credential` lists one or more than two".to_owned(), Some(hint));
        None
    })?;
    Some(Credentials { first: first?, second: Some(second?) })
}

/// One of two. A managed identity is no application's, so that it has no second.
fn in_list(field: &Field<'_>, folder: &Path) -> Option<CredentialConfig> {
    if is_managed_identity(field) {
        let message = "a managed identity stands alone in `credential`".to_owned();
        field.refuse_key(message, None);
        return None;
    }
    read_one(field, folder)
}

fn read_one(field: &Field<'_>, folder: &Path) -> Option<CredentialConfig> {
    if field.is_text(MANAGED_IDENTITY) {
        return Some(CredentialConfig::ManagedIdentity { client_id: None });
    }
    if !field.is_table() {
        let message = format!("`{}` has to say where the secret is, not what it is", field.key);
        let hint = "write it like `credential = { client_secret = { env = \"NAME\" } }`".to_owned();
        field.refuse_key(message, Some(hint));
        return None;
    }
    let section = field.part()?;
    section.check_keys(KEYS, &[]);
    let (client_secret, certificate, key) =
        (section.get("client_secret"), section.get("certificate"), section.get("key"));
    let secret = |field: &Field<'_>| secrets::read(field, folder);
    let kinds: Vec<_> = KINDS.into_iter().filter(|kind| section.has(kind)).collect();
    let problem = match (kinds.as_slice(), &key) {
        (["certificate"], _) => {
            // both are looked at before either ends this
            let (certificate, key) =
                (certificate.and_then(|field| secret(&field)), key.map(|field| secret(&field)));
            let (certificate, key) = (certificate?, key.map_or(Some(None), |key| key.map(Some))?);
            return Some(CredentialConfig::Certificate { certificate, key });
        }
        ([], Some(_)) => "has a `key` without `certificate`",
        ([], None) => {
            "needs `client_secret`, `certificate`, `federated_token` or `managed_identity`"
        }
        ([_], Some(_)) => "takes a `key` beside `certificate` only",
        (["client_secret"], None) => {
            return client_secret
                .and_then(|field| secret(&field))
                .map(CredentialConfig::ClientSecret);
        }
        (["federated_token"], None) => return federated_token(&section, folder),
        ([_], None) => return managed_identity(&section),
        (["client_secret", "certificate"], _) => "takes `client_secret` or `certificate`, not both",
        _ => {
            "takes one of `client_secret`, `certificate`, `federated_token` and `managed_identity`"
        }
    };
    section.refuse(format!("{} {problem}", section.title()), None);
    None
}

/// Whether the credential is a managed identity, right or not: then no application is named.
pub(super) fn is_managed_identity(field: &Field<'_>) -> bool {
    field.is_text(MANAGED_IDENTITY)
        || (field.is_table() && field.part().is_some_and(|section| section.has(MANAGED_IDENTITY)))
}

fn federated_token(section: &Section<'_>, folder: &Path) -> Option<CredentialConfig> {
    let section = section.get("federated_token")?.part()?;
    section.check_keys(&["file"], &[]);
    let file = section.require("file")?;
    Some(CredentialConfig::FederatedToken { file: folder.join(file.text()?) })
}

fn managed_identity(section: &Section<'_>) -> Option<CredentialConfig> {
    let section = section.get(MANAGED_IDENTITY)?.part()?;
    section.check_keys(&["client_id"], &[]);
    let client_id = match section.get("client_id") {
        None => None,
        Some(field) => Some(field.text()?.to_owned()),
    };
    Some(CredentialConfig::ManagedIdentity { client_id })
}
