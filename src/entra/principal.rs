//! The provisioning app and what belongs to it: its name, its jobs, who is told of a quarantine.
//!
//! Follows the Microsoft Graph pages "Get servicePrincipal", "List synchronizationJob", "Add
//! synchronization secrets" and "synchronizationJob: validateCredentials". Of the secrets only the
//! notification settings are looked at, and of those only how many people they name.

use reqwest::Client;
use reqwest::header::CONTENT_TYPE;
use serde_json::{Value, json};
use url::Url;
use uuid::Uuid;

use crate::entra::error_body::word;
use crate::entra::shown::shown;
use crate::entra::{Attempt, Call, CallFailure, EntraClient};

/// Most bytes of an answer.
const MAX_BYTES: usize = 1024 * 1024;
/// The longest name that is shown.
const MAX_NAME: usize = 256;
/// Among the secrets: JSON in a text.
const NOTIFICATION: &str = "SyncNotificationSettings";

/// The service principal of the provisioning app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    /// Its name in the Entra admin center.
    pub name: Option<String>,
    /// Whether people have left it switched on.
    pub is_enabled: bool,
}

/// One provisioning job of an app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedJob {
    /// Its id.
    pub id: String,
    /// What it is made from: `API2AAD`, `API2AD`, or another connector's word.
    pub template: Option<String>,
}

/// Who is told when a job comes into quarantine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Notification {
    /// So many addresses.
    Told(usize),
    /// It is switched on, and nobody is named.
    Nobody,
    /// It is switched off, or was never set.
    Off,
}

impl EntraClient {
    /// Asks for the provisioning app.
    ///
    /// # Errors
    ///
    /// When Graph cannot be asked, answers with an error or with something that is no app.
    pub async fn principal(&self) -> Result<Principal, CallFailure> {
        let url = self.principal_url(&[]);
        let found = self.get(Call::Principal, &url, MAX_BYTES).await?;
        if !found.is_object() {
            return Err(CallFailure::unreadable(Call::Principal, 200));
        }
        let name =
            found.get("displayName").and_then(Value::as_str).map(|name| shown(name, MAX_NAME));
        let is_enabled = found.get("accountEnabled").and_then(Value::as_bool).unwrap_or(true);
        Ok(Principal { name, is_enabled })
    }

    /// Lists the jobs of the provisioning app.
    ///
    /// # Errors
    ///
    /// When Graph cannot be asked, answers with an error or with something that is no list.
    pub async fn jobs(&self) -> Result<Vec<ListedJob>, CallFailure> {
        let url = self.principal_url(&["synchronization", "jobs"]);
        let found = self.get(Call::Jobs, &url, MAX_BYTES).await?;
        let jobs = found.get("value").and_then(Value::as_array);
        let jobs = jobs.ok_or_else(|| CallFailure::unreadable(Call::Jobs, 200))?;
        let text = |job: &Value, key| job.get(key).and_then(Value::as_str).and_then(word);
        let read =
            |job| Some(ListedJob { id: text(job, "id")?, template: text(job, "templateId") });
        Ok(jobs.iter().filter_map(read).collect())
    }

    /// Asks who is told of a quarantine.
    ///
    /// # Errors
    ///
    /// When Graph cannot be asked, answers with an error or with something that is no list.
    pub async fn notification(&self) -> Result<Notification, CallFailure> {
        let url = self.principal_url(&["synchronization", "secrets"]);
        let found = self.get(Call::Secrets, &url, MAX_BYTES).await?;
        let pairs = found.get("value").and_then(Value::as_array);
        let pairs = pairs.ok_or_else(|| CallFailure::unreadable(Call::Secrets, 200))?;
        let settings =
            pairs.iter().find(|pair| pair.get("key").and_then(Value::as_str) == Some(NOTIFICATION));
        let settings = settings.and_then(|pair| pair.get("value")).and_then(Value::as_str);
        Ok(settings.map_or(Notification::Off, Notification::read))
    }

    /// Lets the job try whether it reaches its directory, with the credentials it has. Changes nothing.
    ///
    /// # Errors
    ///
    /// When Graph cannot be asked, or says that the directory is not reached.
    pub async fn validate_credentials(&self) -> Result<(), CallFailure> {
        let url = self.job_url(Some("validateCredentials"));
        let body = json!({ "useSavedCredentials": true }).to_string();
        let id = Uuid::new_v4().to_string();
        let request =
            |http: &Client| http.post(url).header(CONTENT_TYPE, "application/json").body(body);
        self.send(Call::Validation, &id, Attempt::First, request).await.map(drop)
    }

    fn principal_url(&self, rest: &[&str]) -> Url {
        let principal = self.settings().service_principal_id.as_str();
        let path = ["v1.0", "servicePrincipals", principal];
        let segments: Vec<&str> = path.into_iter().chain(rest.iter().copied()).collect();
        self.graph().join(&segments)
    }
}

impl Notification {
    fn read(settings: &str) -> Self {
        let settings: Value = serde_json::from_str(settings).unwrap_or(Value::Null);
        if settings.get("Enabled").and_then(Value::as_bool) != Some(true) {
            return Self::Off;
        }
        let recipients = settings.get("Recipients").and_then(Value::as_str).unwrap_or("");
        match recipients.split([',', ';']).filter(|address| !address.trim().is_empty()).count() {
            0 => Self::Nobody,
            people => Self::Told(people),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_who_are_told_are_counted() {
        let read = |text: &str| Notification::read(text);
        let both = r#"{"Enabled":true,"Recipients":"a@x.example, b@x.example"}"#;
        assert_eq!(read(both), Notification::Told(2));
        assert_eq!(read(r#"{"Enabled":true,"Recipients":" "}"#), Notification::Nobody);
        assert_eq!(read(r#"{"Enabled":true}"#), Notification::Nobody);
        for text in [r#"{"Enabled":false,"Recipients":"a@x.example"}"#, "{}", "", "<html>"] {
            assert_eq!(read(text), Notification::Off, "{text}");
        }
    }
}
