//! What the client proves its identity with.

use std::fmt;

use secrecy::SecretString;

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
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ClientSecret(_) => "ClientSecret(…)",
            Self::Certificate { .. } => "Certificate(…)",
        })
    }
}
