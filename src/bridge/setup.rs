//! From a config to feeds, settings and an open store.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use url::Url;

use crate::bridge::BridgeError;
use crate::bridge::alerts::missing_secrets;
use crate::bridge::credential::credential_source;
use crate::bridge::feeds::{feed, hook_feed, hook_mapping};
use crate::config::{
    Config, ConfigErrors, ConfigProblem, SecretError, Secrets, TargetConfig, WebhookConfig, aside,
};
use crate::domain::{SourceName, SystemClock, TargetName};
use crate::entra::{self, Cloud, EntraClient, EntraError, HttpSettings, TargetSettings};
use crate::intake::Feed;
use crate::mapping::Mapping;
use crate::vault::Vault;

/// A config that was checked as a whole: every mapping compiled, every target's settings valid.
pub struct Setup {
    pub(super) config: Config,
    feeds: BTreeMap<SourceName, Arc<Feed>>,
    /// The same sources as their webhooks are read.
    hook_feeds: BTreeMap<SourceName, Arc<Feed>>,
    settings: BTreeMap<TargetName, TargetSettings>,
    secrets: Secrets,
    vault: Arc<Vault>,
    warnings: Vec<ConfigProblem>,
}

impl Setup {
    /// Loads and checks a config; the environment is handed in.
    ///
    /// # Errors
    ///
    /// When anything is wrong with it; everything that is wrong is told at once.
    pub fn load(path: &Path, env: &[(String, String)]) -> Result<Self, ConfigErrors> {
        Self::with_env(Config::load(path, env.iter().cloned())?, env)
    }

    /// Checks a parsed config whose files need no secret.
    ///
    /// # Errors
    ///
    /// When anything is wrong with it.
    pub fn new(config: Config) -> Result<Self, ConfigErrors> {
        Self::with_env(config, &[])
    }

    fn with_env(config: Config, env: &[(String, String)]) -> Result<Self, ConfigErrors> {
        let vault = Arc::new(Vault::new(&config.vault));
        let secrets = Secrets::new(env.to_vec()).with_vault(Arc::clone(&vault) as _);
        let mut problems = Vec::new();
        let mut warnings = Vec::new();
        let mut settings = BTreeMap::new();
        for target in &config.targets {
            match target_settings(&config, target) {
                Ok(valid) => drop(settings.insert(target.name.clone(), valid)),
                Err(mut found) => problems.append(&mut found),
            }
        }
        let mut feeds = BTreeMap::new();
        let mut hook_feeds = BTreeMap::new();
        for source in &config.sources {
            let zone = source.time_zone.as_ref().map(|zone| &zone.zone);
            let at = |path: &str| format!("source.{}.mapping.{path}", source.name);
            let target = config.target(source.target.as_str());
            let domains = target.map(|target| target.verified_domains.clone());
            let lints = entra::lints(domains.unwrap_or_default());
            match Mapping::compile_with(&source.mapping, zone, &lints) {
                Ok(mapping) => {
                    for warning in mapping.warnings() {
                        let (path, hint) = (at(&warning.path), warning.hint.clone());
                        warnings.push(config.problem_at(&path, warning.to_string(), hint));
                    }
                    feeds.insert(
                        source.name.clone(),
                        Arc::new(feed(&config, source, mapping, &secrets)),
                    );
                }
                Err(found) => problems.extend(found.into_iter().map(|problem| {
                    let path = format!("source.{}.{}", source.name, problem.place());
                    config.problem_at(&path, problem.to_string(), problem.hint)
                })),
            }
            if source.webhook.as_ref().is_some_and(WebhookConfig::can_be_replayed) {
                let path = format!("source.{}.webhook", source.name);
                let message =
                    "the sender signs neither the time nor an id: whoever has recorded a \
                               delivery can send it again"
                        .to_owned();
                let hint =
                    "let it only say who changed, and fetch the worker with `hydrate`".to_owned();
                warnings.push(config.problem_at(&path, message, Some(hint)));
            }
            // its mistakes have been told
            if source.webhook.is_some()
                && let Ok(mapping) = Mapping::compile_with(&hook_mapping(source), zone, &lints)
            {
                let feed = hook_feed(feed(&config, source, mapping, &secrets));
                hook_feeds.insert(source.name.clone(), Arc::new(feed));
            }
        }
        warnings.extend(vault_warnings(&config, &vault));
        if problems.is_empty() {
            Ok(Self { config, feeds, hook_feeds, settings, secrets, vault, warnings })
        } else {
            Err(ConfigErrors::new(problems))
        }
    }

    /// The config itself.
    #[must_use]
    pub const fn config(&self) -> &Config {
        &self.config
    }

    /// What is not wrong but worth a look.
    #[must_use]
    pub fn warnings(&self) -> &[ConfigProblem] {
        &self.warnings
    }

    /// Those of them that are about the vault.
    #[must_use]
    pub fn vault_warnings(&self) -> Vec<ConfigProblem> {
        vault_warnings(&self.config, &self.vault)
    }

    /// The sources, ready to read.
    pub fn feeds(&self) -> impl Iterator<Item = &Arc<Feed>> {
        self.feeds.values()
    }

    /// A source by name.
    ///
    /// # Errors
    ///
    /// When there is none.
    pub fn feed(&self, name: &str) -> Result<Arc<Feed>, BridgeError> {
        let name = SourceName::new(name);
        self.feeds.get(&name).cloned().ok_or_else(|| BridgeError::NoSuchSource {
            name,
            known: self.feeds.keys().map(|name| format!("`{name}`")).collect(),
        })
    }

    /// A source as its webhook is read: every delivery names some people, in JSON.
    ///
    /// # Errors
    ///
    /// When there is no source of that name with a webhook.
    pub fn hook_feed(&self, name: &SourceName) -> Result<Arc<Feed>, BridgeError> {
        self.hook_feeds.get(name).cloned().ok_or_else(|| BridgeError::NoSuchSource {
            name: name.clone(),
            known: self.hook_feeds.keys().map(|name| format!("`{name}`")).collect(),
        })
    }

    /// A target's config by name.
    ///
    /// # Errors
    ///
    /// When there is none.
    pub fn target(&self, name: &TargetName) -> Result<&TargetConfig, BridgeError> {
        self.config.target(name.as_str()).ok_or_else(|| BridgeError::NoSuchTarget(name.clone()))
    }

    /// What `entra` is told of a target.
    pub(super) fn settings(&self, name: &TargetName) -> Result<&TargetSettings, BridgeError> {
        self.settings.get(name).ok_or_else(|| BridgeError::NoSuchTarget(name.clone()))
    }

    /// Whether every target is a stand-in on this machine, so that nobody can come to harm.
    #[must_use]
    pub fn is_rehearsal(&self) -> bool {
        let is_here = |target: &TargetConfig| {
            let url = target.graph_url.as_deref().and_then(|url| Url::parse(url).ok());
            url.is_some_and(|url| match url.host() {
                Some(url::Host::Ipv4(address)) => address.is_loopback(),
                Some(url::Host::Ipv6(address)) => address.is_loopback(),
                _ => false,
            })
        };
        self.config.targets.iter().all(is_here)
    }

    /// What leads to the secrets that the config refers to.
    #[must_use]
    pub const fn secrets(&self) -> &Secrets {
        &self.secrets
    }

    /// The vault of the config, whether it exists or not.
    #[must_use]
    pub const fn vault(&self) -> &Arc<Vault> {
        &self.vault
    }

    /// The secrets of the alerts' channels that cannot be had.
    #[must_use]
    pub fn missing_alert_secrets(&self) -> Vec<SecretError> {
        missing_secrets(self)
    }

    /// A client for a target, with its secret looked at now and read again for each token; that may wait
    /// for a program, so in async code use [`Setup::client_aside`].
    ///
    /// # Errors
    ///
    /// When the secret cannot be had or is no credential.
    pub fn client(&self, name: &TargetName, secrets: &Secrets) -> Result<EntraClient, BridgeError> {
        let target = self.target(name)?;
        let first = credential_source(&target.credential, secrets);
        let second =
            target.second_credential.as_ref().map(|second| credential_source(second, secrets));
        let settings =
            self.settings.get(name).ok_or_else(|| BridgeError::NoSuchTarget(name.clone()))?;
        EntraClient::with_second(settings.clone(), first, second, Arc::new(SystemClock))
            .map_err(|source| no_client(name, source))
    }
}

/// Who can write the vault can put another in its place, and who can write its key file can add a key.
fn vault_warnings(config: &Config, vault: &Vault) -> Vec<ConfigProblem> {
    let warning = |path: &Path| {
        let message = format!("`{}` can be written by other users of this machine", path.display());
        let hint = "make it writable by its owner only: `chmod go-w`".to_owned();
        config.problem_at("vault", message, Some(hint))
    };
    vault.written_by_others().into_iter().map(warning).collect()
}

impl Setup {
    /// Like [`Setup::client`], and holds up nobody meanwhile.
    ///
    /// # Errors
    ///
    /// When the secret cannot be had or is no credential.
    pub async fn client_aside(
        self: &Arc<Self>,
        name: &TargetName,
        secrets: &Secrets,
    ) -> Result<EntraClient, BridgeError> {
        let (setup, name, secrets) = (Arc::clone(self), name.clone(), secrets.clone());
        aside(move || setup.client(&name, &secrets)).await
    }
}

/// What a target stands for, whatever it is called: the ledger is bound to it.
pub(super) fn provisioning_job(target: &TargetConfig) -> String {
    format!("{}/{}/{}", target.tenant_id, target.service_principal_id, target.job_id)
}

fn no_client(target: &TargetName, source: EntraError) -> BridgeError {
    let target = target.clone();
    match source {
        EntraError::Credential(source) => BridgeError::Secret { target, source },
        other => BridgeError::Client { target, source: Box::new(other) },
    }
}

fn target_settings(
    config: &Config,
    target: &TargetConfig,
) -> Result<TargetSettings, Vec<ConfigProblem>> {
    let mut problems = Vec::new();
    let at = |key: &str| format!("target.{}.{key}", target.name);
    let mut url = |path: String, text: &Option<String>| {
        let text = text.as_ref()?;
        match Url::parse(text) {
            Ok(url) => Some(url),
            Err(error) => {
                let message = format!("is no URL: {error}");
                problems.push(config.problem_at(&path, message, None));
                None
            }
        }
    };
    let authority_url = url(at("authority_url"), &target.authority_url);
    let graph_url = url(at("graph_url"), &target.graph_url);
    let proxy = url("http.proxy".to_owned(), &config.http.proxy);
    let settings = TargetSettings {
        name: target.name.clone(),
        tenant_id: target.tenant_id.clone(),
        client_id: target.client_id.clone(),
        service_principal_id: target.service_principal_id.clone(),
        job_id: target.job_id.clone(),
        cloud: Cloud::parse(&target.cloud).unwrap_or(Cloud::Public),
        authority_url,
        graph_url,
        http: HttpSettings {
            proxy,
            ca_file: config.http.ca_file.clone(),
            timeout: config.http.timeout,
            ..HttpSettings::default()
        },
    };
    if problems.is_empty() {
        problems.extend(settings.validate().into_iter().map(|problem| {
            let path = match problem.key.strip_prefix("http.") {
                Some(_) => problem.key.to_owned(),
                None => at(problem.key),
            };
            config.problem_at(&path, problem.message, problem.hint.map(str::to_owned))
        }));
    }
    if problems.is_empty() { Ok(settings) } else { Err(problems) }
}
