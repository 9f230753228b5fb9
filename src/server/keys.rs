//! Provisioning keys as credentials: a reader's looks, an admin's decides. A source's key opens its
//! webhook and nothing else.

use std::sync::Arc;

use async_trait::async_trait;
use secrecy::SecretString;

use crate::bridge::Bridge;
use crate::domain::KeyRole;
use crate::server::access::{Caller, Credentials, Role};
use crate::telemetry::Causes;

/// Who presents a key that `scimport key create` made.
pub struct ProvisioningKeys(Arc<Bridge>);

impl ProvisioningKeys {
    /// The keys in a bridge's store.
    #[must_use]
    pub const fn new(bridge: Arc<Bridge>) -> Self {
        Self(bridge)
    }
}

#[async_trait]
impl Credentials for ProvisioningKeys {
    async fn caller(&self, presented: &str) -> Option<Caller> {
        let presented = SecretString::from(presented);
        let judged = match self.0.validate_key(&presented).await {
            Ok(judged) => judged,
            Err(error) => {
                tracing::error!(error = %Causes(&error), "keys cannot be looked up");
                return None;
            }
        };
        let known = judged.ok()?;
        let role = match known.scope.role() {
            KeyRole::Reader => Role::Reader,
            KeyRole::Admin => Role::Admin,
            KeyRole::Webhook => return None,
        };
        Some(Caller { name: format!("key {}", known.key), role })
    }
}
