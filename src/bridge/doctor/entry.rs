//! The steps of each credential: is it here, does it get a token, and what may the token do?
//!
//! Where a target has two, each is tried by itself: that the second works is found out now, and not in
//! the night in which the first is refused.

use std::sync::Arc;

use crate::bridge::doctor::permissions::{self, Holder};
use crate::bridge::doctor::step::{Blame, PASSES, Step, names};
use crate::bridge::{BridgeError, Setup};
use crate::config::{CredentialConfig, Secrets};
use crate::domain::TargetName;
use crate::entra::{CertificateProblem, Disposition, EntraClient};
use crate::telemetry::causes;

/// The names of one credential's steps.
pub(super) struct StepNames {
    pub(super) credential: &'static str,
    pub(super) token: &'static str,
    pub(super) permissions: &'static str,
}

pub(super) const FIRST: StepNames = StepNames {
    credential: names::CREDENTIAL,
    token: names::TOKEN,
    permissions: names::PERMISSIONS,
};
pub(super) const SECOND: StepNames = StepNames {
    credential: names::SECOND_CREDENTIAL,
    token: names::SECOND_TOKEN,
    permissions: names::SECOND_PERMISSIONS,
};

/// One credential of a target, by itself.
pub(super) struct Entry {
    pub(super) config: CredentialConfig,
    pub(super) names: StepNames,
    /// Absent where the credential cannot be had.
    pub(super) client: Option<EntraClient>,
    /// The permissions of its token, where there was one that shows them.
    pub(super) roles: Option<Vec<String>>,
    pub(super) has_token: bool,
}

impl Entry {
    pub(super) fn new(config: CredentialConfig, names: StepNames) -> Self {
        Self { config, names, client: None, roles: None, has_token: false }
    }

    /// Whether a managed identity proves who we are, and the authority is not asked.
    pub(super) const fn is_managed_identity(&self) -> bool {
        matches!(self.config, CredentialConfig::ManagedIdentity { .. })
    }

    /// Looks whether this machine has what the credential refers to.
    pub(super) async fn look(
        &mut self,
        setup: &Setup,
        target: &TargetName,
        secrets: &Secrets,
    ) -> Step {
        match self.client(setup, target, secrets).await {
            Ok(client) => {
                // the step of the token says it
                client.keep_quiet();
                self.client = Some(client);
                Step::ok(self.names.credential, described(&self.config))
            }
            Err(error) => {
                // the target is known; what counts is why
                let found = match &error {
                    BridgeError::Secret { source, .. } => causes(source),
                    BridgeError::Client { source, .. } => causes(&**source),
                    other => causes(other),
                };
                let found = found.join(": ");
                let advice = CertificateProblem::among_causes(&error).map_or(
                    "put it there, or correct `credential` of the target; then `scimport check` looks again",
                    CertificateProblem::advice,
                );
                Step::failed(self.names.credential, found, Blame::Config).advise(advice)
            }
        }
    }

    /// A client that has this credential and no other.
    async fn client(
        &self,
        setup: &Setup,
        target: &TargetName,
        secrets: &Secrets,
    ) -> Result<EntraClient, BridgeError> {
        let mut config = setup.config.clone();
        for known in config.targets.iter_mut().filter(|known| known.name == *target) {
            known.credential = self.config.clone();
            known.second_credential = None;
        }
        Arc::new(Setup::new(config)?).client_aside(target, secrets).await
    }

    /// Gets a token; `blocked` names the step at which the authority was not reached.
    pub(super) async fn token(&mut self, blocked: Option<&'static str>) -> Step {
        let name = self.names.token;
        let Some(client) = &self.client else {
            return Step::not_tried(name, self.names.credential);
        };
        if let Some(because) = blocked.filter(|_| !self.is_managed_identity()) {
            return Step::not_tried(name, because);
        }
        match client.roles().await {
            Ok(roles) => {
                self.roles = roles;
                self.has_token = true;
                Step::ok(name, "a token for Microsoft Graph was given")
            }
            Err(failure) => {
                let found = causes(&failure).join(": ");
                let is_passing = failure.disposition() != Disposition::Halt;
                if is_passing && failure.status().is_some() && !self.is_managed_identity() {
                    return Step::failed(name, found, Blame::OtherSide).advise(PASSES);
                }
                Step::failed(name, found, Blame::Somebody).advise(failure.advice())
            }
        }
    }

    /// Judges the permissions of the token.
    pub(super) fn permissions(&self, client_id: Option<&str>, has_log: bool) -> Step {
        let name = self.names.permissions;
        if !self.has_token {
            return Step::not_tried(name, self.because());
        }
        let holder = match client_id {
            Some(client_id) if !self.is_managed_identity() => Holder::App(client_id),
            _ => Holder::ManagedIdentity,
        };
        permissions::judge(name, self.roles.as_deref(), has_log, holder)
    }

    /// The step because of which there is no token.
    pub(super) const fn because(&self) -> &'static str {
        if self.client.is_some() { self.names.token } else { self.names.credential }
    }
}

/// What a credential is and where it comes from; never the credential.
fn described(config: &CredentialConfig) -> String {
    match config {
        CredentialConfig::ClientSecret { secret, .. } => format!("a client secret, from {secret}"),
        CredentialConfig::Certificate { certificate, .. } => {
            format!("a certificate, from {certificate}")
        }
        CredentialConfig::FederatedToken { file } => {
            format!("a federated token, from file `{}`", file.display())
        }
        CredentialConfig::ManagedIdentity { .. } => "this machine's managed identity".to_owned(),
    }
}
