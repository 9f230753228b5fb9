//! Why no client could be made.

use std::path::PathBuf;

use crate::entra::{CredentialMissing, FederatedProblem, IdentityProblem, SettingProblem};

/// A target's settings or credential make no client.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EntraError {
    /// Settings are wrong; all of them are listed.
    #[error("the settings of the target have {} mistakes: {}", .0.len(), list(.0))]
    Settings(Vec<SettingProblem>),
    /// The credential cannot be had.
    #[error(transparent)]
    Credential(CredentialMissing),
    /// The credential has become one of another kind.
    #[error("the credential is of another kind than it was")]
    OtherKind,
    /// The client secret is empty.
    #[error("the client secret is empty")]
    EmptySecret,
    /// The certificate or its key cannot be used.
    #[error("the certificate of the target cannot be used")]
    Certificate(#[source] CertificateProblem),
    /// There is no federated token.
    #[error("the federated token cannot be had from `{}`", path.display())]
    FederatedToken {
        /// Where it should be.
        path: PathBuf,
        /// Why.
        #[source]
        source: FederatedProblem,
    },
    /// What the environment says of the managed identity cannot be used.
    #[error("the managed identity of this machine cannot be used")]
    Identity(#[source] IdentityProblem),
    /// The file of certificate authorities cannot be read.
    #[error("`http.ca_file` cannot be read: `{}`", path.display())]
    ReadCaFile {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The file of certificate authorities holds no usable certificate.
    #[error("`http.ca_file` holds no certificate in PEM: `{}`", path.display())]
    CaFile {
        /// The file.
        path: PathBuf,
    },
    /// The HTTP client cannot be made, as when the system has no certificate authorities.
    #[error("the HTTP client cannot be made")]
    BuildClient(#[source] reqwest::Error),
}

/// Why a certificate or its key cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CertificateProblem {
    /// The text is no PEM.
    #[error("the text is no PEM")]
    NotPem,
    /// No certificate stands in it.
    #[error("there is no `CERTIFICATE` in the PEM")]
    NoCertificate,
    /// No private key stands in it.
    #[error("there is no `PRIVATE KEY` in the PEM")]
    NoKey,
    /// More than one private key stands in it.
    #[error("there is more than one private key in the PEM")]
    SeveralKeys,
    /// The key is encrypted with a passphrase.
    #[error("the private key is encrypted; `openssl pkey` writes it without a passphrase")]
    EncryptedKey,
    /// The key is no RSA key that can sign.
    #[error("the private key is no RSA key, and the assertion is signed with PS256")]
    NotRsa,
    /// The bytes are no PFX file.
    #[error("the file is neither PEM nor PFX (PKCS#12)")]
    NotPfx,
    /// The password does not open the PFX file.
    #[error("the password does not open the PFX file")]
    PfxPassword,
    /// The PFX file is encrypted in a way that is not read here.
    #[error("the PFX file is encrypted in a way that is not known here; export it with AES-256")]
    PfxEncryption,
    /// There is a key beside a PFX file, which has its own.
    #[error("a PFX file has its own private key, and there is a `key` beside it; take that out")]
    KeyBesidePfx,
    /// The PFX file holds no private key.
    #[error("there is no private key in the PFX file; export it with its private key")]
    NoKeyInPfx,
    /// No certificate belongs to the key.
    #[error("no certificate in the PEM belongs to the private key")]
    Mismatch,
}

fn list(problems: &[SettingProblem]) -> String {
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}
