//! `[http]`: how this machine reaches the internet.

use std::path::{Path, PathBuf};
use std::time::Duration;

use url::Url;

use crate::config::section::{Field, Section};

pub(super) const KEYS: &[&str] = &["proxy", "ca_file", "timeout"];
/// How long one call may take: a bulk request of 50 is answered in seconds, so a minute without an
/// answer means that none will come.
const DEFAULT_TIMEOUT: Duration = Duration::from_mins(1);

/// `[http]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpConfig {
    /// The proxy for everything but loopback; without credentials.
    pub proxy: Option<String>,
    /// A PEM file with further certificate authorities to trust.
    pub ca_file: Option<PathBuf>,
    /// The longest a call may take.
    pub timeout: Duration,
}

pub(super) fn read(section: Option<&Section<'_>>, folder: &Path) -> HttpConfig {
    let Some(section) = section else {
        return HttpConfig { proxy: None, ca_file: None, timeout: DEFAULT_TIMEOUT };
    };
    section.check_keys(KEYS);
    let ca_file = section.get("ca_file").and_then(|field| field.text());
    HttpConfig {
        proxy: section.get("proxy").and_then(|field| proxy(&field)),
        ca_file: ca_file.map(|path| folder.join(path)),
        timeout: section.positive_duration_or("timeout", DEFAULT_TIMEOUT),
    }
}

/// The value is never shown: people put credentials into proxy URLs.
fn proxy(field: &Field<'_>) -> Option<String> {
    let text = field.text()?;
    let url = Url::parse(text).ok();
    let Some(url) = url.filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
    else {
        let hint = "write it like `http://proxy.example:8080`".to_owned();
        field.refuse_key("`proxy` is no http or https URL".to_owned(), Some(hint));
        return None;
    };
    if !url.username().is_empty() || url.password().is_some() {
        let hint = "leave `proxy` out and set `HTTPS_PROXY` in the environment".to_owned();
        field
            .refuse_key("credentials of a proxy do not stand in the config".to_owned(), Some(hint));
        return None;
    }
    Some(text.to_owned())
}
