//! A target's credential, as the config says where it is, for whoever asks for a token.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use secrecy::{ExposeSecret as _, SecretString};
use zeroize::Zeroizing;

use crate::config::{AssertionConfig, CredentialConfig, SecretError, SecretRef, Secrets};
use crate::entra::{
    AssertionSignature, CertificateProblem, Credential, CredentialMissing, CredentialSource,
    EntraError, IdentityHost, is_pfx, pem_of_pfx,
};

/// Reads the credential each time it is asked for; that may wait for a program.
pub(super) fn credential_source(config: &CredentialConfig, secrets: &Secrets) -> CredentialSource {
    let (config, secrets) = (config.clone(), secrets.clone());
    CredentialSource::new(move || credential(&config, &secrets))
}

fn credential(
    config: &CredentialConfig,
    secrets: &Secrets,
) -> Result<Credential, CredentialMissing> {
    match config {
        CredentialConfig::FederatedToken { file } => {
            Ok(Credential::FederatedToken { file: file.clone() })
        }
        CredentialConfig::ManagedIdentity { client_id } => {
            let host =
                IdentityHost::detect(&|name| secrets.variable(name)).map_err(EntraError::Identity);
            let host = host.map_err(CredentialMissing::new)?;
            Ok(Credential::ManagedIdentity { client_id: client_id.clone(), host })
        }
        CredentialConfig::ClientSecret { secret, .. } => {
            let secret = secret.resolve(secrets).map_err(CredentialMissing::new)?;
            Ok(Credential::ClientSecret(secret))
        }
        CredentialConfig::Certificate { certificate, key, password, signature } => {
            Ok(Credential::Certificate {
                certificate_and_key: pem(certificate, key.as_ref(), password.as_ref(), secrets)
                    .map_err(CredentialMissing::new)?,
                signature: match signature {
                    AssertionConfig::Ps256 => AssertionSignature::Ps256,
                    AssertionConfig::Rs256 => AssertionSignature::Rs256,
                },
            })
        }
    }
}

/// Why there is no certificate.
#[derive(Debug, thiserror::Error)]
pub(super) enum NoCertificate {
    /// It, its key or its password cannot be had.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// What is there is none.
    #[error("the certificate of the target cannot be used")]
    Unusable(#[from] CertificateProblem),
}

/// A certificate, with its key where one is beside it, as PEM.
pub(super) fn pem(
    certificate: &SecretRef,
    key: Option<&SecretRef>,
    password: Option<&SecretRef>,
    secrets: &Secrets,
) -> Result<SecretString, NoCertificate> {
    let bytes = certificate.resolve_bytes(secrets)?;
    let from_pfx = |bytes: &[u8]| -> Result<SecretString, NoCertificate> {
        // it would be passed over in silence, and a new one with it
        if key.is_some() {
            return Err(CertificateProblem::KeyBesidePfx.into());
        }
        let password = match password {
            None => SecretString::default(),
            Some(password) => password.resolve(secrets)?,
        };
        Ok(pem_of_pfx(bytes, password.expose_secret())?)
    };
    if is_pfx(&bytes) {
        return from_pfx(&bytes);
    }
    if let Some(bytes) = in_base64(&bytes) {
        return from_pfx(&bytes);
    }
    let text = std::str::from_utf8(&bytes).map_err(|_| CertificateProblem::NotPfx)?;
    let Some(key) = key else { return Ok(SecretString::from(text)) };
    let key = key.resolve(secrets)?;
    let both = Zeroizing::new(format!("{text}\n{}", key.expose_secret()));
    Ok(SecretString::from(both.as_str()))
}

/// A PFX file in base64, as Azure Key Vault gives a certificate's secret.
fn in_base64(text: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let text: Zeroizing<Vec<u8>> =
        Zeroizing::new(text.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect());
    let bytes = Zeroizing::new(BASE64_STANDARD.decode(text.as_slice()).ok()?);
    is_pfx(&bytes).then_some(bytes)
}
