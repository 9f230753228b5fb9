//! Why no client could be made.

use std::error::Error;
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
    /// The PFX file asks for more work than a password is given here, or does not say for how much.
    #[error(
        "the PFX file wants its password hashed more often than is done here (1,000,000 times), or does \
         not say how often"
    )]
    PfxRounds,
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

impl CertificateProblem {
    /// The problem among the causes of an error, if there is one.
    #[must_use]
    pub fn among_causes<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a Self> {
        std::iter::successors(Some(error), |&error| error.source())
            .find_map(|cause| cause.downcast_ref())
    }

    /// What to do about it.
    #[must_use]
    pub const fn advice(&self) -> &'static str {
        match self {
            Self::PfxPassword => {
                "the password is wrong: `password` beside `certificate` in the target's `credential` has to \
                 lead to the one that the file was exported with (without `password` the file is opened \
                 with an empty one)"
            }
            Self::PfxRounds => {
                "export it anew with fewer rounds: `openssl pkcs12 -export` takes `-iter 100000`, and \
                 Windows and Azure Key Vault take some thousands by themselves"
            }
            Self::PfxEncryption => {
                "export it anew: the certificate export of Windows offers `AES256-SHA256`, and `openssl \
                 pkcs12 -export` takes it by itself"
            }
            Self::NotPfx | Self::NotPem => {
                "let `certificate` in the target's `credential` refer to PEM text, or to a PFX file as it \
                 is or in base64; a PFX file that is cut or damaged is none"
            }
            Self::NoCertificate | Self::NoKey | Self::NoKeyInPfx => {
                "certificate and private key are both needed: in one PEM, in one PFX file, or the key \
                 where `key` beside `certificate` refers to"
            }
            Self::SeveralKeys | Self::Mismatch => {
                "leave the certificate and the one private key that it was made with"
            }
            Self::EncryptedKey => "write the key without a passphrase, or both as a PFX file",
            Self::NotRsa => "make a new certificate with an RSA key: Entra takes no other",
            Self::KeyBesidePfx => "take `key` out of the target's `credential`",
        }
    }
}

fn list(problems: &[SettingProblem]) -> String {
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}
