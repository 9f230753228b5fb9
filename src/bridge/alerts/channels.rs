//! The ways on which people are told. Addresses and passwords are fetched for each message, so that a
//! new one counts at once; none of them stands in a name, an error or the log.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use crate::bridge::Setup;
use crate::config::{
    AlertEmail, AlertFormat, AlertWebhook, HttpConfig, SecretError, Secrets, SmtpLogin, aside,
};
use crate::telemetry::alerts::{Notice, document, mail, slack, teams};
use crate::web::{MailError, PostError, post, send_mail};

/// A way on which people are told.
#[async_trait]
pub trait Channel: Send + Sync {
    /// What it is called in the store and in the log: stable over restarts, and no secret.
    fn name(&self) -> &str;

    /// Tells it; gives what it answered.
    async fn tell(&self, notice: &Notice) -> Result<String, ChannelError>;
}

/// Why a channel was not told.
#[derive(Debug, thiserror::Error)]
pub enum ChannelError {
    /// The address or the password cannot be had.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// The webhook did not take it.
    #[error(transparent)]
    Post(#[from] PostError),
    /// The mail server did not take it.
    #[error(transparent)]
    Mail(#[from] MailError),
}

impl ChannelError {
    /// What to do about it.
    #[must_use]
    pub const fn advice(&self) -> &'static str {
        match self {
            Self::Secret(_) => "put it there, then `scimport alerts test` tries it",
            Self::Post(error) => error.advice(),
            Self::Mail(error) => error.advice(),
        }
    }

    /// How long the other side asked to wait.
    #[must_use]
    pub const fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Post(error) => error.retry_after(),
            Self::Secret(_) | Self::Mail(_) => None,
        }
    }
}

/// The channels of a config.
#[must_use]
pub fn alert_channels(setup: &Setup, secrets: &Secrets) -> Vec<Arc<dyn Channel>> {
    let Some(config) = &setup.config().alerts else { return Vec::new() };
    let http = &setup.config().http;
    let mut channels: Vec<Arc<dyn Channel>> = Vec::new();
    for webhook in &config.webhooks {
        let name = format!("{} webhook, {}", webhook.format.as_str(), webhook.url);
        let (config, http, secrets) = (webhook.clone(), http.clone(), secrets.clone());
        channels.push(Arc::new(Webhook { name, config, http, secrets }));
    }
    if let Some(email) = &config.email {
        let (config, http, secrets) = (email.clone(), http.clone(), secrets.clone());
        channels.push(Arc::new(Email { config, http, secrets }));
    }
    channels
}

/// Looks whether the secrets of all channels can be had; gives those that cannot.
pub(in crate::bridge) fn missing_secrets(setup: &Setup) -> Vec<SecretError> {
    let Some(config) = &setup.config().alerts else { return Vec::new() };
    let login = config.email.as_ref().and_then(|email| email.smtp.login.as_ref());
    let secrets = config.webhooks.iter().map(|webhook| &webhook.url);
    let secrets = secrets.chain(login.map(|login| &login.password));
    secrets.filter_map(|secret| secret.resolve(setup.secrets()).err()).collect()
}

struct Webhook {
    name: String,
    config: AlertWebhook,
    http: HttpConfig,
    secrets: Secrets,
}

#[async_trait]
impl Channel for Webhook {
    fn name(&self) -> &str {
        &self.name
    }

    async fn tell(&self, notice: &Notice) -> Result<String, ChannelError> {
        let (url, secrets) = (self.config.url.clone(), self.secrets.clone());
        let address = aside(move || url.resolve(&secrets)).await?;
        let body = match self.config.format {
            AlertFormat::Json => document(notice),
            AlertFormat::Teams => teams(notice),
            AlertFormat::Slack => slack(notice),
        };
        let status = post(&address, body.to_string().into_bytes(), &self.http, notice.at()).await?;
        Ok(format!("taken ({status})"))
    }
}

struct Email {
    config: AlertEmail,
    http: HttpConfig,
    secrets: Secrets,
}

#[async_trait]
impl Channel for Email {
    fn name(&self) -> &'static str {
        "email"
    }

    async fn tell(&self, notice: &Notice) -> Result<String, ChannelError> {
        let password = match self.config.smtp.login.clone() {
            None => None,
            Some(SmtpLogin { password, .. }) => {
                let secrets = self.secrets.clone();
                Some(aside(move || password.resolve(&secrets)).await?)
            }
        };
        let mail = mail(notice);
        let words = (mail.subject.as_str(), mail.text.as_str());
        let code =
            send_mail(&self.config, password.as_ref(), words, &self.http, notice.at()).await?;
        Ok(format!("taken by the mail server ({code})"))
    }
}
