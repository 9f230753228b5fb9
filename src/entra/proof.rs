//! A credential made ready for one token request.

use std::sync::Arc;

use secrecy::{ExposeSecret as _, SecretString};

use crate::domain::secret_digest;
use crate::entra::assertion::Signer;
use crate::entra::base_url::BaseUrl;
use crate::entra::federated;
use crate::entra::identity::Identity;
use crate::entra::settings::is_guid;
use crate::entra::token_failure::Asked;
use crate::entra::{
    Credential, CredentialMissing, CredentialSource, EntraError, FederatedProblem, SettingProblem,
    TargetSettings, TokenFailure,
};

/// What proves who we are in one request.
pub(super) enum Proof {
    Secret(SecretString),
    Certificate(Signer),
    FederatedToken(SecretString),
    ManagedIdentity(Arc<Identity>),
}

impl Proof {
    /// Who is asked with it, and as what.
    pub(super) fn asked(&self) -> Asked {
        match self {
            Self::Secret(_) => Asked::WithSecret,
            Self::Certificate(_) => Asked::WithCertificate,
            Self::FederatedToken(_) => Asked::WithFederatedToken,
            Self::ManagedIdentity(identity) => identity.asked(),
        }
    }

    /// Tells one credential from another, and nothing of either: `salt` never leaves this process.
    pub(super) fn print(&self, salt: [u8; 16]) -> Print {
        let digest = |kind: u8, bytes: &[u8]| Print(secret_digest(&[&salt, &[kind], bytes]));
        match self {
            Self::Secret(secret) => digest(0, secret.expose_secret().as_bytes()),
            Self::Certificate(signer) => digest(1, signer.thumbprint().as_bytes()),
            Self::FederatedToken(token) => digest(2, token.expose_secret().as_bytes()),
            Self::ManagedIdentity(_) => digest(3, &[]),
        }
    }
}

/// See [`Proof::print`].
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Print([u8; 32]);

#[cfg(test)]
impl Print {
    /// One of a credential that is none.
    pub(super) const fn of_test(byte: u8) -> Self {
        Self([byte; 32])
    }
}

/// Why there is no proof.
#[derive(Debug, Clone)]
pub(super) enum NoProof {
    /// The credential cannot be had.
    Missing(CredentialMissing),
    /// What is there is no credential; the [`EntraError`] says why.
    Unusable(CredentialMissing),
    /// There is no federated token.
    Federated(FederatedProblem),
}

/// One credential of a target.
#[derive(Clone)]
pub(super) enum Slot {
    /// Read anew for each token.
    Read(CredentialSource),
    /// It has no secret of ours.
    Identity(Arc<Identity>),
}

impl Slot {
    /// Sees whether there is a credential, and whether it is one: both are told early.
    pub(super) fn new(
        source: CredentialSource,
        settings: &TargetSettings,
        authority: &BaseUrl,
    ) -> Result<Self, EntraError> {
        let credential = source.fetch().map_err(EntraError::Credential)?;
        if settings.client_id.is_none() && !matches!(credential, Credential::ManagedIdentity { .. })
        {
            let hint = "copy the application (client) id of the API client's app registration";
            return Err(EntraError::Settings(vec![SettingProblem {
                key: "client_id",
                message: "is missing, and the credential is that of an app".to_owned(),
                hint: Some(hint),
            }]));
        }
        match credential {
            Credential::ManagedIdentity { client_id: Some(id), .. } if !is_guid(&id) => {
                Err(EntraError::Settings(vec![SettingProblem {
                    key: "credential.managed_identity.client_id",
                    message: "is no GUID".to_owned(),
                    hint: Some("copy the client id of the managed identity from its overview page"),
                }]))
            }
            Credential::ManagedIdentity { client_id, host } => {
                let resource = settings.cloud.graph();
                Identity::new(host, client_id.as_deref(), &resource, authority, &settings.http)
                    .map(|identity| Self::Identity(Arc::new(identity)))
            }
            Credential::FederatedToken { file } => match federated::read(&file) {
                Ok(_) => Ok(Self::Read(source)),
                Err(source) => Err(EntraError::FederatedToken { path: file, source }),
            },
            other => app_proof(other).map(|_| Self::Read(source)),
        }
    }

    /// Makes the proof of one request; waits for a disk or a program.
    pub(super) fn proof(&self) -> Result<Proof, NoProof> {
        let source = match self {
            Self::Identity(identity) => return Ok(Proof::ManagedIdentity(Arc::clone(identity))),
            Self::Read(source) => source,
        };
        match source.fetch().map_err(NoProof::Missing)? {
            Credential::FederatedToken { file } => {
                federated::read(&file).map(Proof::FederatedToken).map_err(NoProof::Federated)
            }
            other => {
                app_proof(other).map_err(|error| NoProof::Unusable(CredentialMissing::new(error)))
            }
        }
    }
}

/// The proof of a credential that is all there.
fn app_proof(credential: Credential) -> Result<Proof, EntraError> {
    match credential {
        Credential::ClientSecret(secret) if secret.expose_secret().is_empty() => {
            Err(EntraError::EmptySecret)
        }
        Credential::ClientSecret(secret) => Ok(Proof::Secret(secret)),
        Credential::Certificate { certificate_and_key, signature } => {
            Signer::from_pem(certificate_and_key.expose_secret(), signature)
                .map(Proof::Certificate)
                .map_err(EntraError::Certificate)
        }
        // a target's credential does not become another kind while it is in use
        Credential::FederatedToken { .. } | Credential::ManagedIdentity { .. } => {
            Err(EntraError::OtherKind)
        }
    }
}

impl From<NoProof> for TokenFailure {
    fn from(why: NoProof) -> Self {
        match why {
            NoProof::Missing(missing) => Self::no_credential(missing),
            NoProof::Unusable(unusable) => Self::unusable(unusable),
            NoProof::Federated(problem) => Self::federated(problem).of(Asked::WithFederatedToken),
        }
    }
}
