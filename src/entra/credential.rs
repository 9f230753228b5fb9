//! What the client proves its identity with.

use std::fmt;
use std::path::PathBuf;

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
        /// chain may stand beside it.
        certificate_and_key: SecretString,
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
