//! Where secrets are looked up: the environment, and the vault where there is one.
//!
//! The vault is a room of its own that knows the config, so it comes in by a trait.

use std::fmt;
use std::sync::Arc;

use secrecy::SecretString;

/// Variables with their values; of two with one name the later counts.
type Environment = Vec<(String, String)>;

/// Secrets kept under names.
pub trait SecretVault: Send + Sync {
    /// The secret of this name as it is now; `env` leads to the vault's own key, and has no vault.
    ///
    /// # Errors
    ///
    /// When there is no such secret, or the vault cannot be opened.
    fn secret(&self, name: &str, env: &Secrets) -> Result<SecretString, VaultFault>;
}

/// Why a vault gives no secret. Names it, never what it is.
#[derive(Debug, thiserror::Error)]
pub enum VaultFault {
    /// It holds none of that name.
    #[error("there is no secret of that name in it")]
    Unknown {
        /// The name that may have been meant.
        nearest: Option<String>,
    },
    /// It cannot be opened.
    #[error(transparent)]
    Closed(#[from] Arc<dyn std::error::Error + Send + Sync>),
}

/// All that is needed to follow references to secrets; cheap to clone. Shows none of it.
#[derive(Clone, Default)]
pub struct Secrets {
    env: Arc<Environment>,
    vault: Option<Arc<dyn SecretVault>>,
}

impl Secrets {
    /// Those of an environment, of files and of programs.
    #[must_use]
    pub fn new(env: impl Into<Arc<Environment>>) -> Self {
        Self { env: env.into(), vault: None }
    }

    /// Those of a vault too.
    #[must_use]
    pub fn with_vault(self, vault: Arc<dyn SecretVault>) -> Self {
        Self { vault: Some(vault), ..self }
    }

    /// The same with another environment.
    #[must_use]
    pub fn with_env(&self, env: impl Into<Arc<Environment>>) -> Self {
        Self { env: env.into(), vault: self.vault.clone() }
    }

    /// The same with the environment of others.
    #[must_use]
    pub fn with_env_of(&self, others: &Self) -> Self {
        self.with_env(Arc::clone(&others.env))
    }

    /// A variable of the environment.
    #[must_use]
    pub fn variable(&self, name: &str) -> Option<String> {
        lookup(&self.env)(name)
    }

    /// A secret of the vault; none where there is no vault.
    pub(super) fn in_vault(&self, name: &str) -> Option<Result<SecretString, VaultFault>> {
        let vault = self.vault.as_ref()?;
        Some(vault.secret(name, &Self { env: Arc::clone(&self.env), vault: None }))
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secrets").field("vault", &self.vault.is_some()).finish_non_exhaustive()
    }
}

/// Looks up variables of an environment; of two with one name the later counts.
pub fn lookup(env: &[(String, String)]) -> impl Fn(&str) -> Option<String> + '_ {
    |name| env.iter().rev().find(|(key, _)| key == name).map(|(_, value)| value.clone())
}
