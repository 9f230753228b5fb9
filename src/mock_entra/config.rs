//! What the stand-in is told before it starts, and the fixed ids a client needs to reach it.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use super::fault::Fault;
use super::federation::Federation;
use super::scope::ScopeFilter;

/// The tenant's id.
pub const TENANT_ID: &str = "11111111-2222-4333-8444-555555555555";
/// The client id of the one registered app.
pub const CLIENT_ID: &str = "22222222-3333-4444-8555-666666666666";
/// The app's secret. Opens nothing but the stand-in; has characters that must be URL-encoded.
pub const CLIENT_SECRET: &str = "Mock8Q~stand-in.secret+opens/nothing=";
/// The object id of the provisioning app's service principal.
pub const SERVICE_PRINCIPAL_ID: &str = "33333333-4444-4555-8666-777777777777";
/// The provisioning job's id.
pub const JOB_ID: &str =
    "API2AAD.11111111222243338444555555555555.9a9a9a9a-0000-4000-8000-00000000000a";

/// What `IDENTITY_HEADER` has to be where `IDENTITY_ENDPOINT` is the stand-in's `/msi/token`.
pub const IDENTITY_HEADER: &str = "5d5d5d5d-mock-identity-header";

/// Everything the stand-in can be told before it starts. Most of it can be changed later through
/// `POST /_mock/settings`.
#[derive(Debug, Clone)]
pub struct MockConfig {
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// The tenant's verified domains; the first is the default domain.
    pub domains: Vec<String>,
    /// How long each bulk request waits for its answer. Its records are staged before that.
    pub latency: Duration,
    /// How to misbehave.
    pub faults: Vec<Fault>,
    /// Most bulk requests in one `burst_window`.
    pub burst: u32,
    /// The burst window.
    pub burst_window: Duration,
    /// Most bulk requests in any 24 hours.
    pub daily_calls: u32,
    /// Most records that may be staged or in escrow.
    pub bucket: usize,
    /// The job's scoping filter.
    pub scope: Option<ScopeFilter>,
    /// Whether a person who falls out of scope stays as they are (the job's setting
    /// `SkipOutOfScopeDeletions`); otherwise the account is disabled.
    pub skip_out_of_scope_deletions: bool,
    /// What the log says of a record that changes nothing.
    pub unchanged_event: UnchangedEvent,
    /// A file that keeps the directory over restarts, as JSON.
    pub state: Option<PathBuf>,
    /// The certificate registered for client assertions, PEM or DER.
    pub certificate: Option<Vec<u8>>,
    /// The app's federated credential.
    pub federation: Option<Federation>,
    /// Whether this machine has a managed identity.
    pub managed_identity: bool,
    /// The permissions in every token.
    pub roles: Vec<String>,
    /// How long a token lasts.
    pub token_lifetime: Duration,
    /// Most requests to the provisioning log in one `log_window`.
    pub log_calls: u32,
    /// The log's window.
    pub log_window: Duration,
    /// How long after data arrives a cycle starts.
    pub cycle: Duration,
    /// The shortest and the longest time between an event and its being visible in the log.
    pub log_delay: (Duration, Duration),
    /// Scales how many failures lead to quarantine (5,000, 40,000 and 60,000); greater than 0.
    pub quarantine_factor: f64,
    /// Whether somebody is told of a quarantine; a job that is started without comes into one.
    pub notification_email: bool,
    /// Most disables of one cycle (the job's setting `QuarantineTooManyDeletesThreshold`).
    pub delete_threshold: Option<u32>,
    /// The order in which a bulk request is checked.
    pub checks: Vec<Check>,
}

impl MockConfig {
    /// The defaults of a profile.
    #[must_use]
    pub fn of(profile: Profile) -> Self {
        match profile {
            Profile::Fast => Self::default(),
            // <https://learn.microsoft.com/entra/identity/app-provisioning/inbound-provisioning-api-issues>
            Profile::Real => Self {
                cycle: Duration::from_mins(40),
                log_delay: (Duration::from_mins(5), Duration::from_mins(10)),
                log_calls: 5,
                log_window: Duration::from_secs(10),
                ..Self::default()
            },
        }
    }
}

impl Default for MockConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            domains: vec!["contoso.example".to_owned()],
            latency: Duration::ZERO,
            faults: Vec::new(),
            // 40 calls in 5 seconds and 2,000 a day (Entra ID P1 and P2):
            // <https://learn.microsoft.com/entra/identity/app-provisioning/inbound-provisioning-api-concepts>
            burst: 40,
            burst_window: Duration::from_secs(5),
            daily_calls: 2_000,
            // The real depth is not documented.
            bucket: 20_000,
            scope: None,
            skip_out_of_scope_deletions: false,
            unchanged_event: UnchangedEvent::default(),
            state: None,
            certificate: None,
            federation: None,
            managed_identity: true,
            // What a least-privileged bridge asks for.
            roles: [
                "SynchronizationData-User.Upload",
                "ProvisioningLog.Read.All",
                "Synchronization.Read.All",
            ]
            .map(str::to_owned)
            .to_vec(),
            token_lifetime: Duration::from_secs(3_599),
            // The service allows 5 in 10 seconds; the fast profile polls faster.
            log_calls: 50,
            log_window: Duration::from_secs(10),
            cycle: Duration::from_millis(200),
            log_delay: (Duration::ZERO, Duration::from_millis(300)),
            quarantine_factor: 1.0,
            notification_email: true,
            delete_threshold: None,
            checks: Check::ORDER.to_vec(),
        }
    }
}

/// The pace of cycles and log. Quarantine and escrows have the service's pace in both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Profile {
    /// A cycle 200 ms after data arrives, the log up to 300 ms later.
    #[default]
    Fast,
    /// The service's own pace: a cycle 40 minutes after data arrives, the log 5 to 10 minutes
    /// later and read 5 times in 10 seconds at most.
    Real,
}

/// The text names none of the choices.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{given}` is not one of {choices}")]
pub struct UnknownChoice {
    given: String,
    choices: &'static str,
}

impl FromStr for Profile {
    type Err = UnknownChoice;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "fast" => Ok(Self::Fast),
            "real" => Ok(Self::Real),
            _ => Err(UnknownChoice { given: text.to_owned(), choices: "`fast`, `real`" }),
        }
    }
}

/// What the log says of a record that changes nothing; the service's way is not documented.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum UnchangedEvent {
    /// No event at all.
    None,
    /// Action `other`, status `success`.
    Other,
    /// Action `other`, status `skipped`.
    #[default]
    Skipped,
}

impl UnchangedEvent {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Other => "other",
            Self::Skipped => "skipped",
        }
    }
}

impl FromStr for UnchangedEvent {
    type Err = UnknownChoice;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        [Self::None, Self::Other, Self::Skipped]
            .into_iter()
            .find(|choice| choice.as_str() == text)
            .ok_or_else(|| UnknownChoice {
                given: text.to_owned(),
                choices: "`none`, `other`, `skipped`",
            })
    }
}

/// One check of a bulk request. The service's order is not documented.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Check {
    /// 401: the token is there, known and not expired.
    Token,
    /// 404: service principal and job exist.
    Path,
    /// 403: the token has the permission.
    Permission,
    /// 405: the verb is POST.
    Verb,
    /// 400: the media type is `application/scim+json`.
    MediaType,
    /// 429: burst and daily quota.
    Quota,
    /// 400 or 413: the body.
    Body,
    /// 500: the bucket has room.
    Bucket,
}

impl Check {
    /// The order used unless told otherwise.
    pub const ORDER: [Self; 8] = [
        Self::Token,
        Self::Path,
        Self::Permission,
        Self::Verb,
        Self::MediaType,
        Self::Quota,
        Self::Body,
        Self::Bucket,
    ];
}

/// The `[target.entra]` that fits a stand-in at `url`, as TOML, paced for the fast profile.
#[must_use]
pub fn target_config(url: &str) -> String {
    paced_target_config(url, Profile::Fast)
}

/// The `[target.entra]` that fits a stand-in at `url`, as TOML. For the real profile it has the
/// pace that is usual with the service.
#[must_use]
pub fn paced_target_config(url: &str, profile: Profile) -> String {
    let pace = match profile {
        Profile::Fast => {
            r#"tracking = { first_poll = "500ms", poll = "500ms", unconfirmed_after = "60s" }
retry = { base = "500ms", cap = "5s", bucket_pause = "2s" }
"#
        }
        Profile::Real => "",
    };
    format!(
        r#"# A target that fits the stand-in Entra at {url}. Its secret is fixed and opens nothing else:
#   export SCIMPORT_CLIENT_SECRET='{CLIENT_SECRET}'      (sh)
#   $env:SCIMPORT_CLIENT_SECRET = '{CLIENT_SECRET}'      (PowerShell)
[target.entra]
tenant_id = "{TENANT_ID}"
client_id = "{CLIENT_ID}"
service_principal_id = "{SERVICE_PRINCIPAL_ID}"
job_id = "{JOB_ID}"
authority_url = "{url}"
graph_url = "{url}"
credential = {{ client_secret = {{ env = "SCIMPORT_CLIENT_SECRET" }} }}
burst = "40/5s"
{pace}"#
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_target_that_fits_is_toml() {
        let text = target_config("http://127.0.0.1:4711");
        let table: toml::Table = text.parse().unwrap();
        let target = &table["target"]["entra"];
        assert_eq!(target["graph_url"].as_str(), Some("http://127.0.0.1:4711"));
        assert_eq!(target["job_id"].as_str(), Some(JOB_ID));
        assert_eq!(
            target["credential"]["client_secret"]["env"].as_str(),
            Some("SCIMPORT_CLIENT_SECRET")
        );
        assert!(text.contains(CLIENT_SECRET));
    }

    #[test]
    fn the_real_pace_is_that_of_the_service() {
        let real = MockConfig::of(Profile::Real);
        assert_eq!(real.cycle, Duration::from_mins(40));
        assert_eq!(real.log_delay, (Duration::from_mins(5), Duration::from_mins(10)));
        assert_eq!((real.log_calls, real.log_window), (5, Duration::from_secs(10)));
        let text = paced_target_config("http://127.0.0.1:4711", Profile::Real);
        let table: toml::Table = text.parse().unwrap();
        let target = table["target"]["entra"].as_table().unwrap();
        assert!(target.contains_key("burst") && !target.contains_key("tracking"));
    }

    #[test]
    fn choices_are_read_by_their_words() {
        assert_eq!("fast".parse(), Ok(Profile::Fast));
        assert_eq!("real".parse(), Ok(Profile::Real));
        assert_eq!("none".parse(), Ok(UnchangedEvent::None));
        assert_eq!(
            "slow".parse::<Profile>().unwrap_err().to_string(),
            "`slow` is not one of `fast`, `real`"
        );
    }
}
