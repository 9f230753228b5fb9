//! From a file and an environment to a config, or to everything that is wrong with it.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sha2::{Digest as _, Sha256};
use toml::de::DeTable;

use crate::config::changes::{Digests, digests, key_digests};
use crate::config::document::{Document, Part};
use crate::config::environment::overlay;
use crate::config::node::{Origin, Table};
use crate::config::problem::{ConfigErrors, ConfigPlace, ConfigProblem};
use crate::config::section::{Report, Section};
use crate::config::{
    AlertsConfig, HttpConfig, RetentionConfig, ServerConfig, SourceConfig, StoreConfig,
    TargetConfig, TelemetryConfig, VaultConfig, VaultUse, alerts, azure, http, retention, server,
    source, store, syntax, target, telemetry, vault,
};

/// Largest config read, in bytes: a mapping of thousands of lines fits.
const MAX_FILE_BYTES: usize = 1024 * 1024;
/// What a config is called where it has no file.
const NAMELESS: &str = "scimport.toml";
pub(super) const SECTIONS: &[&str] =
    &["store", "target", "http", "source", "server", "telemetry", "alerts", "vault", "retention"];

/// A config that reads without a problem.
#[derive(Debug, Clone)]
pub struct Config {
    /// The file.
    pub path: PathBuf,
    /// The folder that relative paths in it start from.
    pub folder: PathBuf,
    /// `[store]`.
    pub store: StoreConfig,
    /// `[retention]`.
    pub retention: RetentionConfig,
    /// `[target.NAME]`, in the order of the file.
    pub targets: Vec<TargetConfig>,
    /// `[source.NAME]`, in the order of the file.
    pub sources: Vec<SourceConfig>,
    /// `[http]`.
    pub http: HttpConfig,
    /// `[server]`.
    pub server: ServerConfig,
    /// `[telemetry]`.
    pub telemetry: TelemetryConfig,
    /// `[alerts]`, where it is there.
    pub alerts: Option<AlertsConfig>,
    /// `[vault]`.
    pub vault: VaultConfig,
    pub(super) vault_uses: Vec<VaultUse>,
    /// What [`Config::changed_sections`] compares.
    pub(super) sections: Digests,
    /// SHA-256 of the file.
    pub digest: [u8; 32],
    /// What [`Config::key_digests`] gives.
    pub(super) keys: Digests,
    document: Arc<Document>,
}

impl Config {
    /// Reads a config file, with the environment laid over it (see [`environment`]).
    ///
    /// # Errors
    ///
    /// When the file cannot be read, is larger than 1 MiB, or has mistakes: all of them.
    pub fn load(
        path: &Path,
        env: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, ConfigErrors> {
        let text = read(path).map_err(|(message, hint)| {
            let place = ConfigPlace::File { name: file_name(path) };
            let path = String::new();
            ConfigErrors::new(vec![ConfigProblem { place, path, message, hint, snippet: None }])
        })?;
        // The parent of a bare file name is an empty path, which some calls refuse.
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        Self::read(&text, path, folder.unwrap_or(Path::new(".")), env)
    }

    /// Reads a config from its text, as if it stood in `folder`.
    ///
    /// # Errors
    ///
    /// When it has mistakes: all of them.
    pub fn parse(
        text: &str,
        folder: &Path,
        env: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, ConfigErrors> {
        Self::read(text, &folder.join(NAMELESS), folder, env)
    }

    fn read(
        text: &str,
        path: &Path,
        folder: &Path,
        env: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, ConfigErrors> {
        let mut document = Document::new(&file_name(path), text);
        let (parsed, errors) = DeTable::parse_recoverable(text);
        if !errors.is_empty() {
            return Err(ConfigErrors::new(syntax::problems(&document, &errors)));
        }
        let mut root = Table::from_file(parsed.into_inner());
        document.note_scalars(&root);
        let env: Vec<_> = env.into_iter().collect();
        let problems = overlay(&mut root, env.iter().cloned());
        azure::complete(&mut root, &env);
        document.note_places(&root);

        let report = Report::new(&document, problems);
        let parts = Parts::read(&Section::root(&report, &root), folder);
        let (problems, vault_uses) = report.into_found();
        if !problems.is_empty() {
            return Err(ConfigErrors::new(problems));
        }
        let Parts { store, targets, sources, http, server, telemetry, alerts, vault, retention } =
            parts;
        let (path, folder) = (path.to_owned(), folder.to_owned());
        let (document, sections) = (Arc::new(document), digests(&root));
        let (digest, keys) = (Sha256::digest(text).into(), key_digests(&root));
        Ok(Self {
            path,
            folder,
            store,
            retention,
            targets,
            sources,
            http,
            server,
            telemetry,
            alerts,
            vault,
            vault_uses,
            sections,
            digest,
            keys,
            document,
        })
    }

    /// The source of this name.
    #[must_use]
    pub fn source(&self, name: &str) -> Option<&SourceConfig> {
        self.sources.iter().find(|source| source.name.as_str() == name)
    }

    /// The target of this name.
    #[must_use]
    pub fn target(&self, name: &str) -> Option<&TargetConfig> {
        self.targets.iter().find(|target| target.name.as_str() == name)
    }

    /// A problem that another room found, with the line of the key it concerns.
    ///
    /// `path` is the key with its sections, such as `target.entra.graph_url` or
    /// `source.hr.mapping.name.givenName.max` (a mapping's quoted keys without their quotes). Where
    /// the key is not in the file, the nearest section around it is shown. The message must hold no
    /// secret.
    #[must_use]
    pub fn problem_at(
        &self,
        path: &str,
        message: impl Into<String>,
        hint: Option<String>,
    ) -> ConfigProblem {
        self.document.problem_at(path, message.into(), hint)
    }
}

impl Config {
    /// A problem with a value whose place is known.
    pub(super) fn problem_of(
        &self,
        origin: &Origin,
        path: &str,
        message: String,
        hint: Option<String>,
    ) -> ConfigProblem {
        self.document.problem(origin, Part::Value, path, message, hint)
    }
}

/// The sections, as far as they could be read.
struct Parts {
    store: StoreConfig,
    retention: RetentionConfig,
    targets: Vec<TargetConfig>,
    sources: Vec<SourceConfig>,
    http: HttpConfig,
    server: ServerConfig,
    telemetry: TelemetryConfig,
    alerts: Option<AlertsConfig>,
    vault: VaultConfig,
}

impl Parts {
    fn read(root: &Section<'_>, folder: &Path) -> Self {
        root.check_keys(SECTIONS);
        let section = |key: &str| root.get(key).and_then(|field| field.header());
        let targets = section("target");
        // Sources may name a target that has mistakes of its own.
        let names: Vec<String> = targets
            .iter()
            .flat_map(|targets| targets.fields().map(|field| field.key.to_owned()))
            .collect();
        Self {
            store: store::read(section("store").as_ref(), folder),
            retention: retention::read(section("retention").as_ref()),
            targets: targets.map(|targets| target::read(&targets, folder)).unwrap_or_default(),
            sources: section("source")
                .map(|sources| source::read(&sources, &names, folder))
                .unwrap_or_default(),
            http: http::read(section("http").as_ref(), folder),
            server: server::read(section("server").as_ref(), folder),
            telemetry: telemetry::read(section("telemetry").as_ref(), folder),
            alerts: section("alerts").map(|section| alerts::read(&section, folder)),
            vault: vault::read(section("vault").as_ref(), folder),
        }
    }
}

/// The environment of this process, for [`Config::load`]. What is no Unicode is made so, with
/// replacement characters.
#[must_use]
pub fn environment() -> Vec<(String, String)> {
    let lossy = |text: std::ffi::OsString| text.to_string_lossy().into_owned();
    std::env::vars_os().map(|(name, value)| (lossy(name), lossy(value))).collect()
}

fn file_name(path: &Path) -> String {
    path.file_name()
        .map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into_owned())
}

/// The text of the file, or what is wrong with it and the way out.
fn read(path: &Path) -> Result<String, (String, Option<String>)> {
    let failed = |error: std::io::Error| {
        let hint = format!("the config was looked for at `{}`", path.display());
        (format!("cannot be read: {}", error.kind()), Some(hint))
    };
    let mut bytes = Vec::new();
    let limit = MAX_FILE_BYTES as u64 + 1;
    File::open(path).map_err(failed)?.take(limit).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() > MAX_FILE_BYTES {
        return Err((format!("is larger than {MAX_FILE_BYTES} bytes"), None));
    }
    String::from_utf8(bytes)
        .map_err(|_| ("is not UTF-8 text".to_owned(), Some("save it as UTF-8".to_owned())))
}
