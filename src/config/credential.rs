//! `credential = …` of a target: how we prove to Entra who we are.

use std::path::{Path, PathBuf};

use jiff::civil::Date;

use crate::config::secrets::{self, SecretRef};
use crate::config::section::{Field, Section};

pub(super) const KEYS: &[&str] = &[
    "client_secret",
    "expires",
    "certificate",
    "key",
    "password",
    "signature",
    "federated_token",
    "managed_identity",
];
/// What may stand beside a kind, and beside no other.
const BESIDE: [(&str, &str); 4] = [
    ("expires", "client_secret"),
    ("key", "certificate"),
    ("password", "certificate"),
    ("signature", "certificate"),
];
/// The kinds, of which a credential is one.
const KINDS: [&str; 4] = ["client_secret", "certificate", "federated_token", "managed_identity"];
const MANAGED_IDENTITY: &str = "managed_identity";

/// How we prove to Entra who we are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CredentialConfig {
    /// With a secret that Entra made.
    ClientSecret {
        /// Where it is.
        secret: SecretRef,
        /// The day on which it ends, as Entra shows it; nobody can read it off the secret.
        expires: Option<Date>,
    },
    /// With a certificate that is registered with the application.
    Certificate {
        /// PEM with the certificate, and with the private key too where `key` is absent; or a PFX file,
        /// as it is or in base64.
        certificate: SecretRef,
        /// PEM with the private key (PKCS#8).
        key: Option<SecretRef>,
        /// What opens the PFX file; none is an empty one.
        password: Option<SecretRef>,
        /// How assertions are signed.
        signature: AssertionConfig,
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

/// How assertions are signed with a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AssertionConfig {
    /// With RSA-PSS, naming the SHA-256 thumbprint.
    #[default]
    Ps256,
    /// With RSA PKCS#1 v1.5, naming the SHA-1 thumbprint.
    Rs256,
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
    section.check_keys(KEYS);
    let kinds: Vec<_> = KINDS.into_iter().filter(|kind| section.has(kind)).collect();
    let problem = match kinds.as_slice() {
        [kind] => {
            let foreign = BESIDE.into_iter().find(|(key, of)| section.has(key) && of != kind);
            let Some((key, of)) = foreign else {
                return match *kind {
                    "client_secret" => client_secret(&section, folder),
                    "certificate" => certificate(&section, folder),
                    "federated_token" => federated_token(&section, folder),
                    _ => managed_identity(&section),
                };
            };
            format!("takes `{key}` beside `{of}` only")
        }
        [] => match BESIDE.into_iter().find(|(key, _)| section.has(key)) {
            Some((key, of)) => format!("has `{key}` without `{of}`"),
            None => "needs `client_secret`, `certificate`, `federated_token` or `managed_identity`"
                .to_owned(),
        },
        ["client_secret", "certificate"] => {
            "takes `client_secret` or `certificate`, not both".to_owned()
        }
        _ => {
            "takes one of `client_secret`, `certificate`, `federated_token` and `managed_identity`"
                .to_owned()
        }
    };
    section.refuse(format!("{} {problem}", section.title()), None);
    None
}

fn client_secret(section: &Section<'_>, folder: &Path) -> Option<CredentialConfig> {
    // both are looked at before either ends this
    let secret = secrets::read(&section.get("client_secret")?, folder);
    let expires = match section.get("expires") {
        None => Some(None),
        Some(field) => day(&field).map(Some),
    };
    Some(CredentialConfig::ClientSecret { secret: secret?, expires: expires? })
}

fn certificate(section: &Section<'_>, folder: &Path) -> Option<CredentialConfig> {
    let optional = |key: &str| match section.get(key) {
        None => Some(None),
        Some(field) => secrets::read(&field, folder).map(Some),
    };
    let certificate = secrets::read(&section.get("certificate")?, folder);
    let (key, password) = (optional("key"), optional("password"));
    let signature = match section.get("signature") {
        None => Some(AssertionConfig::default()),
        Some(field) => signature(&field),
    };
    Some(CredentialConfig::Certificate {
        certificate: certificate?,
        key: key?,
        password: password?,
        signature: signature?,
    })
}

/// A day of the calendar, as `expires` has it.
fn day(field: &Field<'_>) -> Option<Date> {
    let text = field.text()?;
    let day = Date::strptime("%Y-%m-%d", text).ok();
    if day.is_none() {
        let hint = "write the day that Entra shows like `expires = \"2027-03-31\"`".to_owned();
        field.refuse_key("`expires` is no day".to_owned(), Some(hint));
    }
    day
}

fn signature(field: &Field<'_>) -> Option<AssertionConfig> {
    match field.text()? {
        "PS256" => Some(AssertionConfig::Ps256),
        "RS256" => Some(AssertionConfig::Rs256),
        _ => {
            let hint = "RS256 is the older form, for what does not take PS256".to_owned();
            field.refuse_key("`signature` is neither `PS256` nor `RS256`".to_owned(), Some(hint));
            None
        }
    }
}

/// Whether the credential is a managed identity, right or not: then no application is named.
pub(super) fn is_managed_identity(field: &Field<'_>) -> bool {
    field.is_text(MANAGED_IDENTITY)
        || (field.is_table() && field.part().is_some_and(|section| section.has(MANAGED_IDENTITY)))
}

fn federated_token(section: &Section<'_>, folder: &Path) -> Option<CredentialConfig> {
    let section = section.get("federated_token")?.part()?;
    section.check_keys(&["file"]);
    let file = section.require("file")?;
    Some(CredentialConfig::FederatedToken { file: folder.join(file.text()?) })
}

fn managed_identity(section: &Section<'_>) -> Option<CredentialConfig> {
    let section = section.get(MANAGED_IDENTITY)?.part()?;
    section.check_keys(&["client_id"]);
    let client_id = match section.get("client_id") {
        None => None,
        Some(field) => Some(field.text()?.to_owned()),
    };
    Some(CredentialConfig::ManagedIdentity { client_id })
}
