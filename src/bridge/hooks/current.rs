//! A webhook whose secrets are in the vault: what is set there counts from the next delivery on.

use std::sync::{Arc, PoisonError, RwLock};

use secrecy::{ExposeSecret as _, SecretString};

use crate::bridge::hooks::{HookFault, open};
use crate::config::{SecretError, SecretRef, Secrets, WebhookConfig, aside};
use crate::domain::SourceName;
use crate::intake::webhook::Hook;
use crate::telemetry::Causes;

/// A webhook as it is now. Only what is in the vault is looked at for each delivery: to start a program
/// for each would be a way to wear the machine out.
pub(super) struct CurrentHook {
    made: RwLock<Made>,
    remade: Option<Arc<Remade>>,
}

struct Made {
    hook: Arc<Hook>,
    /// What the vault held then.
    from: Vec<SecretString>,
}

/// What it is made of.
struct Remade {
    source: SourceName,
    config: WebhookConfig,
    secrets: Secrets,
}

impl Remade {
    /// What the vault holds now of what the webhook needs.
    fn in_vault(&self) -> Result<Vec<SecretString>, SecretError> {
        let in_vault = |secret: &&SecretRef| matches!(secret, SecretRef::Vault(_));
        let secrets = self.config.secrets.iter().filter(in_vault);
        secrets.map(|secret| secret.resolve(&self.secrets)).collect()
    }
}

impl CurrentHook {
    /// Opens a webhook; its secrets are fetched now.
    pub(super) fn open(
        source: &SourceName,
        config: &WebhookConfig,
        secrets: &Secrets,
    ) -> Result<Self, HookFault> {
        let remade =
            Remade { source: source.clone(), config: config.clone(), secrets: secrets.clone() };
        let from = remade.in_vault()?;
        let made = Made { hook: Arc::new(open(source, config, secrets)?), from };
        let remade = (!made.from.is_empty()).then(|| Arc::new(remade));
        Ok(Self { made: RwLock::new(made), remade })
    }

    /// As it was when it was looked at last.
    pub(super) fn last(&self) -> Arc<Hook> {
        Arc::clone(&self.made.read().unwrap_or_else(PoisonError::into_inner).hook)
    }

    /// With the secrets that are in the vault now. Where they cannot be had it stays what it was.
    pub(super) async fn now(&self) -> Arc<Hook> {
        let Some(remade) = &self.remade else { return self.last() };
        let looking = Arc::clone(remade);
        let from = match aside(move || looking.in_vault()).await {
            Ok(from) => from,
            Err(error) => {
                self.tell(&error);
                return self.last();
            }
        };
        if self.made.read().unwrap_or_else(PoisonError::into_inner).is_from(&from) {
            return self.last();
        }
        let making = Arc::clone(remade);
        let made = aside(move || open(&making.source, &making.config, &making.secrets)).await;
        match made {
            Ok(hook) => {
                let hook = Arc::new(hook);
                let made = Made { hook: Arc::clone(&hook), from };
                *self.made.write().unwrap_or_else(PoisonError::into_inner) = made;
                tracing::info!(source = %remade.source, "the webhook takes another secret from now on");
                hook
            }
            Err(error) => {
                self.tell(&error);
                self.last()
            }
        }
    }

    fn tell(&self, error: &(dyn std::error::Error + 'static)) {
        if let Some(remade) = &self.remade {
            tracing::error!(
                source = %remade.source,
                error = %Causes(error),
                "the secret of a webhook cannot be had; the one before stays"
            );
        }
    }
}

impl Made {
    fn is_from(&self, others: &[SecretString]) -> bool {
        let pairs = self.from.iter().zip(others);
        self.from.len() == others.len()
            && pairs.into_iter().all(|(own, other)| own.expose_secret() == other.expose_secret())
    }
}
