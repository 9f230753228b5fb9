//! What has to be known of a target before Graph can be called, and every mistake in it at once.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use url::Url;
use uuid::Uuid;

use crate::domain::TargetName;
use crate::entra::Cloud;
use crate::entra::base_url::{BaseUrl, Service};

/// Time-out of a whole request unless told otherwise. Graph answers a full bulk request within
/// seconds; a minute leaves room for a slow line.
const DEFAULT_TIMEOUT: Duration = Duration::from_mins(1);

/// Time-out of connecting unless told otherwise.
const DEFAULT_CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Tenant words that stand for "any tenant"; the client credentials grant needs a real one.
const SHARED_TENANTS: [&str; 3] = ["common", "organizations", "consumers"];

/// One Entra provisioning job and how to reach it. The credential is handed in beside it.
#[derive(Clone)]
pub struct TargetSettings {
    /// The target's name in the config.
    pub name: TargetName,
    /// The tenant: its id, or a verified domain.
    pub tenant_id: String,
    /// The application id of the API client. Absent where a managed identity proves who we are.
    pub client_id: Option<String>,
    /// The object id of the provisioning app (its enterprise application).
    pub service_principal_id: String,
    /// The provisioning job.
    pub job_id: String,
    /// The cloud.
    pub cloud: Cloud,
    /// Another place to get tokens from: a literal loopback address, or a documented alias.
    pub authority_url: Option<Url>,
    /// Another place for Graph: a literal loopback address.
    pub graph_url: Option<Url>,
    /// Proxy, certificates, time-outs.
    pub http: HttpSettings,
}

/// How HTTP is spoken.
#[derive(Clone)]
pub struct HttpSettings {
    /// The proxy; the system's when absent. Loopback never goes through one.
    pub proxy: Option<Url>,
    /// More certificate authorities to trust, as PEM.
    pub ca_file: Option<PathBuf>,
    /// The longest a whole request may take.
    pub timeout: Duration,
    /// The longest connecting may take.
    pub connect_timeout: Duration,
}

impl Default for HttpSettings {
    fn default() -> Self {
        Self {
            proxy: None,
            ca_file: None,
            timeout: DEFAULT_TIMEOUT,
            connect_timeout: DEFAULT_CONNECT_TIMEOUT,
        }
    }
}

/// What is wrong with one key of a target.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{key}`: {message}")]
pub struct SettingProblem {
    /// The key, as it stands in `[target.NAME]` (or `http.…`).
    pub key: &'static str,
    /// What was found, and what was expected.
    pub message: String,
    /// The way out.
    pub hint: Option<&'static str>,
}

/// The two addresses, once all settings are well.
pub(super) struct Addresses {
    pub(super) graph: BaseUrl,
    pub(super) authority: BaseUrl,
}

impl TargetSettings {
    /// Finds every mistake that shows without a network; empty when all is well.
    #[must_use]
    pub fn validate(&self) -> Vec<SettingProblem> {
        match self.addresses() {
            Ok(_) => Vec::new(),
            Err(problems) => problems,
        }
    }

    /// The checked addresses, or every mistake there is.
    pub(super) fn addresses(&self) -> Result<Addresses, Vec<SettingProblem>> {
        let mut problems = Vec::new();
        self.check_ids(&mut problems);
        self.http.check(&mut problems);
        let graph = self.base_url(Service::Graph, &mut problems);
        let authority = self.base_url(Service::Authority, &mut problems);
        match (graph, authority) {
            (Some(graph), Some(authority)) if problems.is_empty() => {
                Ok(Addresses { graph, authority })
            }
            _ => Err(problems),
        }
    }

    fn base_url(&self, service: Service, problems: &mut Vec<SettingProblem>) -> Option<BaseUrl> {
        let (key, url) = match service {
            Service::Graph => {
                ("graph_url", self.graph_url.clone().unwrap_or_else(|| self.cloud.graph()))
            }
            Service::Authority => (
                "authority_url",
                self.authority_url.clone().unwrap_or_else(|| self.cloud.authority()),
            ),
        };
        BaseUrl::check(&url, service, self.cloud)
            .map_err(|problem| {
                let hint = "leave the key out for Microsoft's own address; the stand-in Entra is \
                            reached as `http://127.0.0.1:PORT`";
                problems.push(SettingProblem {
                    key,
                    message: problem.to_string(),
                    hint: Some(hint),
                });
            })
            .ok()
    }

    fn check_ids(&self, problems: &mut Vec<SettingProblem>) {
        let mut add = |key, message: &str, hint| {
            problems.push(SettingProblem { key, message: message.to_owned(), hint: Some(hint) });
        };
        if SHARED_TENANTS.contains(&self.tenant_id.to_ascii_lowercase().as_str()) {
            let hint = "copy the tenant id from the overview page of the Entra admin center";
            add("tenant_id", "stands for any tenant, expected one tenant", hint);
        } else if !is_guid(&self.tenant_id) && !is_domain(&self.tenant_id) {
            let hint = "copy the tenant id from the overview page of the Entra admin center";
            add("tenant_id", "is neither a GUID nor a domain", hint);
        }
        if self.client_id.as_deref().is_some_and(|id| !is_guid(id)) {
            let hint = "copy the application (client) id of the API client's app registration";
            add("client_id", "is no GUID", hint);
        }
        let hint = "copy the object id of the provisioning app from its page under enterprise \
                    applications";
        if !is_guid(&self.service_principal_id) {
            add("service_principal_id", "is no GUID", hint);
        } else if self
            .client_id
            .as_deref()
            .is_some_and(|id| self.service_principal_id.eq_ignore_ascii_case(id))
        {
            add(
                "service_principal_id",
                "is the same as `client_id`, expected an object id, not an application id",
                hint,
            );
        }
        if !is_job_id(&self.job_id) {
            let hint = "copy the job id from the provisioning app: Provisioning, View technical \
                        information";
            add("job_id", "has not three parts such as `API2AAD.….…`", hint);
        }
    }
}

impl HttpSettings {
    fn check(&self, problems: &mut Vec<SettingProblem>) {
        if let Some(proxy) = &self.proxy
            && (!matches!(proxy.scheme(), "http" | "https") || !proxy.has_host())
        {
            problems.push(SettingProblem {
                key: "http.proxy",
                message: format!(
                    "the scheme is `{}`, expected `http` or `https` and a host",
                    proxy.scheme()
                ),
                hint: Some("write it as `http://proxy.example:8080`"),
            });
        }
        for (key, time) in
            [("http.timeout", self.timeout), ("http.connect_timeout", self.connect_timeout)]
        {
            if time.is_zero() {
                problems.push(SettingProblem {
                    key,
                    message: "is zero, so no request could ever be answered".to_owned(),
                    hint: Some("leave it out, or write a time such as `60s`"),
                });
            }
        }
    }
}

/// A URL without what may be secret in it.
fn bare(url: Option<&Url>) -> Option<String> {
    url.map(|url| url.origin().ascii_serialization())
}

impl fmt::Debug for TargetSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TargetSettings")
            .field("name", &self.name)
            .field("tenant_id", &self.tenant_id)
            .field("client_id", &self.client_id)
            .field("service_principal_id", &self.service_principal_id)
            .field("job_id", &self.job_id)
            .field("cloud", &self.cloud)
            .field("authority_url", &bare(self.authority_url.as_ref()))
            .field("graph_url", &bare(self.graph_url.as_ref()))
            .field("http", &self.http)
            .finish()
    }
}

impl fmt::Debug for HttpSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpSettings")
            .field("proxy", &bare(self.proxy.as_ref()))
            .field("ca_file", &self.ca_file)
            .field("timeout", &self.timeout)
            .field("connect_timeout", &self.connect_timeout)
            .finish()
    }
}

pub(super) fn is_guid(text: &str) -> bool {
    // 36 characters: with hyphens, without braces and without `urn:uuid:`.
    text.len() == 36 && Uuid::try_parse(text).is_ok()
}

fn is_domain(text: &str) -> bool {
    let is_label = |label: &str| {
        !label.is_empty() && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
    };
    text.contains('.') && text.len() <= 253 && text.split('.').all(is_label)
}

/// Template, tenant and id, by dots. It goes into a path and a literal of the log's filter, so nothing that
/// means something there may pass.
fn is_job_id(text: &str) -> bool {
    let is_part = |part: &str| {
        !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
    };
    text.split('.').count() == 3 && text.split('.').all(is_part)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn good() -> TargetSettings {
        TargetSettings {
            name: "entra".into(),
            tenant_id: "11111111-2222-4333-8444-555555555555".into(),
            client_id: Some("22222222-2222-4333-8444-555555555555".into()),
            service_principal_id: "33333333-2222-4333-8444-555555555555".into(),
            job_id: "API2AAD.11111111222243338444555555555555.9a9a9a9a-0000-4000-8000-00000000000a"
                .into(),
            cloud: Cloud::Public,
            authority_url: None,
            graph_url: None,
            http: HttpSettings::default(),
        }
    }

    fn keys(settings: &TargetSettings) -> Vec<&'static str> {
        settings.validate().into_iter().map(|problem| problem.key).collect()
    }

    #[test]
    fn good_settings_have_no_problem() {
        assert!(good().validate().is_empty());
        let by_domain = TargetSettings { tenant_id: "contoso.onmicrosoft.com".into(), ..good() };
        assert!(by_domain.validate().is_empty());
    }

    #[test]
    fn every_mistake_is_found_at_once() {
        let settings = TargetSettings {
            tenant_id: "Common".into(),
            client_id: Some("{22222222-2222-4333-8444-555555555555}".into()),
            service_principal_id: "x".into(),
            job_id: "API2AAD.x' or 'a' eq 'a.y".into(),
            authority_url: Url::parse("https://login.example").ok(),
            graph_url: Url::parse("http://localhost:1").ok(),
            http: HttpSettings {
                proxy: Url::parse("socks5://proxy:1").ok(),
                timeout: Duration::ZERO,
                ..HttpSettings::default()
            },
            ..good()
        };
        assert_eq!(
            keys(&settings),
            [
                "tenant_id",
                "client_id",
                "service_principal_id",
                "job_id",
                "http.proxy",
                "http.timeout",
                "graph_url",
                "authority_url"
            ]
        );
    }

    #[test]
    fn the_app_id_in_place_of_the_object_id_is_noticed() {
        let settings =
            TargetSettings { service_principal_id: good().client_id.unwrap_or_default(), ..good() };
        assert_eq!(keys(&settings), ["service_principal_id"]);
    }

    #[test]
    fn a_tenant_that_would_change_the_path_is_refused() {
        for tenant_id in ["", ".", "a/b.example", "a..example", "contoso"] {
            let settings = TargetSettings { tenant_id: tenant_id.into(), ..good() };
            assert_eq!(keys(&settings), ["tenant_id"], "{tenant_id}");
        }
    }

    #[test]
    fn debug_and_messages_show_no_password() {
        let settings = TargetSettings {
            graph_url: Url::parse("https://me:hunter2@graph.microsoft.com").ok(),
            http: HttpSettings {
                proxy: Url::parse("ftp://me:hunter2@proxy").ok(),
                ..HttpSettings::default()
            },
            ..good()
        };
        let shown = format!("{settings:?} {:?}", settings.validate());
        assert!(!shown.contains("hunter2"), "{shown}");
    }
}
