//! What the client proves its identity with, and where that comes from.

use std::error::Error;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use secrecy::SecretString;

use crate::entra::IdentityHost;

/// A credential of the API client (Microsoft identity platform, "OAuth 2.0 client credentials
/// flow"). `Debug` names the kind and shows nothing of it.
#[derive(Clone)]
pub enum Credential {
    /// A client secret: the value, not its id.
    ClientSecret(SecretString),
    /// A certificate that is registered with the app.
    Certificate {
        /// PEM text with the certificate and its RSA key (PKCS#8, or PKCS#1), in any order. A
        /// chain may stand beside it. [`pem_of_pfx`](crate::entra::pem_of_pfx) makes it of a PFX file.
        certificate_and_key: SecretString,
        /// How assertions are signed with it.
        signature: AssertionSignature,
    },
    /// A token of another identity provider that the app trusts (workload identity federation).
    FederatedToken {
        /// The file that holds it; read for every token request.
        file: PathBuf,
    },
    /// The managed identity of the machine.
    ManagedIdentity {
        /// Which of several, by its client id; absent for the system-assigned one.
        client_id: Option<String>,
        /// Who gives out its tokens.
        host: IdentityHost,
    },
}

/// How a client assertion is signed, and how its header names the certificate (Microsoft identity
/// platform, "Microsoft identity platform application authentication certificate credentials").
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AssertionSignature {
    /// RSA-PSS with SHA-256, and the certificate's SHA-256 thumbprint (`x5t#S256`): what the page asks
    /// for today.
    #[default]
    Ps256,
    /// RSA PKCS#1 v1.5 with SHA-256, and the SHA-1 thumbprint (`x5t`): the older form, still taken.
    Rs256,
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ClientSecret(_) => "ClientSecret(…)",
            Self::Certificate { .. } => "Certificate(…)",
            Self::FederatedToken { .. } => "FederatedToken(…)",
            Self::ManagedIdentity { .. } => "ManagedIdentity(…)",
        })
    }
}

/// Why a credential cannot be had at the moment. Shared, because everybody who waits for the same
/// token is told of the same failure.
#[derive(Debug, Clone)]
pub struct CredentialMissing(Arc<dyn Error + Send + Sync>);

impl CredentialMissing {
    /// It is for that reason, in whose words nothing secret stands.
    pub fn new(reason: impl Error + Send + Sync + 'static) -> Self {
        Self(Arc::new(reason))
    }
}

impl fmt::Display for CredentialMissing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Error for CredentialMissing {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.source()
    }
}

type Fetch = dyn Fn() -> Result<Credential, CredentialMissing> + Send + Sync;

/// Where a credential comes from. It is asked for each token, so that a credential that was replaced is
/// used without a restart, and so that none stays in memory for longer than a token request takes.
#[derive(Clone)]
pub struct CredentialSource(Arc<Fetch>);

impl CredentialSource {
    /// What `fetch` gives, each time anew. It may wait for a disk or a program.
    pub fn new(
        fetch: impl Fn() -> Result<Credential, CredentialMissing> + Send + Sync + 'static,
    ) -> Self {
        Self(Arc::new(fetch))
    }

    pub(super) fn fetch(&self) -> Result<Credential, CredentialMissing> {
        (self.0)()
    }
}

impl From<Credential> for CredentialSource {
    /// Always the same.
    fn from(credential: Credential) -> Self {
        Self::new(move || Ok(credential.clone()))
    }
}

impl fmt::Debug for CredentialSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CredentialSource(…)")
    }
}
