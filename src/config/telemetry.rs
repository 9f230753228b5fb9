//! `[telemetry]`: where traces go, beside the log.

use std::path::Path;

use url::{Host, Url};

use crate::config::secrets::{self, SecretRef};
use crate::config::section::{Field, Section};

pub(super) const KEYS: &[&str] = &["otlp"];
pub(super) const OTLP_KEYS: &[&str] = &["endpoint", "headers"];

/// `[telemetry]`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TelemetryConfig {
    /// The collector of traces; none are made without one.
    pub otlp: Option<OtlpConfig>,
}

/// `otlp = { … }`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OtlpConfig {
    /// The collector's address, `/v1/traces` left out; https, or this machine alone.
    pub endpoint: Url,
    /// What a collector wants to be told with each request, such as `authorization`.
    pub headers: Vec<(String, SecretRef)>,
}

pub(super) fn read(section: Option<&Section<'_>>, folder: &Path) -> TelemetryConfig {
    let Some(section) = section else { return TelemetryConfig::default() };
    section.check_keys(KEYS);
    let otlp = section.get("otlp").and_then(|field| field.part());
    TelemetryConfig { otlp: otlp.and_then(|otlp| read_otlp(&otlp, folder)) }
}

fn read_otlp(section: &Section<'_>, folder: &Path) -> Option<OtlpConfig> {
    section.check_keys(OTLP_KEYS);
    let headers = section.get("headers").and_then(|field| field.part());
    let headers = headers.map(|headers| {
        let read = |field: Field<'_>| {
            let is_name =
                field.key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
            if !is_name {
                field.refuse_key("this is no name of a header".to_owned(), None);
            }
            Some((field.key.to_ascii_lowercase(), secrets::read(&field, folder)?))
        };
        headers.fields().filter_map(read).collect()
    });
    let endpoint = endpoint(&section.require("endpoint")?)?;
    Some(OtlpConfig { endpoint, headers: headers.unwrap_or_default() })
}

/// The value is never shown: it may hold credentials.
fn endpoint(field: &Field<'_>) -> Option<Url> {
    let example =
        Some("write it like `http://127.0.0.1:4318` or `https://otlp.example`".to_owned());
    let url = Url::parse(field.text()?).ok().filter(Url::has_host);
    let Some(url) = url.filter(|url| matches!(url.scheme(), "http" | "https")) else {
        field.refuse_key("`endpoint` is no http or https URL".to_owned(), example);
        return None;
    };
    let problem = if !url.username().is_empty() || url.password().is_some() {
        "credentials do not stand in `endpoint`; a collector is told them in `headers`"
    } else if url.scheme() == "http" && !is_here(&url) {
        "`endpoint` has to be https, but for a collector on this machine (a literal loopback address)"
    } else if url.query().is_some() || url.fragment().is_some() {
        "`endpoint` ends before `/v1/traces`, without `?` and `#`"
    } else {
        return Some(url);
    };
    field.refuse_key(problem.to_owned(), example);
    None
}

fn is_here(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        _ => false,
    }
}

impl OtlpConfig {
    /// Whether the collector is on this machine; then no proxy is in between.
    #[must_use]
    pub fn is_here(&self) -> bool {
        is_here(&self.endpoint)
    }
}

#[cfg(test)]
mod tests {
    use crate::config::Config;

    fn parse(otlp: &str) -> Result<Config, crate::config::ConfigErrors> {
        Config::parse(&format!("[telemetry]\notlp = {otlp}\n"), std::path::Path::new("/c"), [])
    }

    #[test]
    fn a_collector_is_here_or_speaks_tls() {
        let config = parse(
            "{ endpoint = \"https://otlp.example/a\", headers = { Api-Key = { file = \"k\" } } }",
        );
        let otlp = config.unwrap().telemetry.otlp.unwrap();
        assert!(!otlp.is_here());
        assert_eq!(otlp.headers[0].0, "api-key");
        assert_eq!(otlp.headers[0].1.to_string(), "file `/c/k`");
        assert!(parse("{ endpoint = \"http://127.0.0.1:4318\" }").is_ok());
        for (wrong, words) in [
            ("{ endpoint = \"http://localhost:4318\" }", "has to be https"),
            ("{ endpoint = \"https://zq:zqsecret@a.example\" }", "credentials do not stand"),
            ("{ endpoint = \"ftp://a.example\" }", "no http or https URL"),
            ("{ headers = {} }", "endpoint"),
            ("{ endpoint = \"https://a\", headers = { k = \"zqsecret\" } }", "where the secret is"),
            ("{ endpoint = \"https://a\", headers = { \"a b\" = { env = \"K\" } } }", "no name"),
        ] {
            let errors = parse(wrong).unwrap_err().to_string();
            assert!(errors.contains(words) && !errors.contains("zqsecret"), "{wrong}: {errors}");
        }
    }
}
