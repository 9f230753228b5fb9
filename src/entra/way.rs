//! Which way a service is reached: straight, or through a proxy, and who says so.
//!
//! The client takes the system's proxy by itself where the config names none. What it takes cannot be
//! asked of it, so the same variables are read here in the same order: `HTTPS_PROXY`, then `ALL_PROXY`,
//! unless `NO_PROXY` names the host. A proxy of the settings of Windows or macOS is not seen here.

use url::{Host, Url};

use crate::entra::HttpSettings;
use crate::entra::base_url::BaseUrl;

/// The way to a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Way {
    /// A literal loopback address: never through a proxy.
    Loopback,
    /// Straight.
    Direct,
    /// Straight, though there is a proxy: this variable takes the host out.
    Excepted(&'static str),
    /// Through a proxy.
    Proxy {
        /// Its host.
        host: String,
        /// Its port.
        port: u16,
        /// Who names it, as people would look it up.
        named_by: &'static str,
    },
}

const HTTPS: [&str; 2] = ["HTTPS_PROXY", "https_proxy"];
const ALL: [&str; 2] = ["ALL_PROXY", "all_proxy"];
const EXCEPT: [&str; 2] = ["NO_PROXY", "no_proxy"];
/// Who names the proxy of the config.
const CONFIG: &str = "`proxy` under `[http]`";

impl Way {
    /// The way to an address.
    pub(super) fn to(
        base: &BaseUrl,
        host: &str,
        http: &HttpSettings,
        env: &dyn Fn(&str) -> Option<String>,
    ) -> Self {
        if base.is_loopback() {
            return Self::Loopback;
        }
        if let Some(proxy) = &http.proxy {
            return Self::through(proxy, CONFIG).unwrap_or(Self::Direct);
        }
        let Some(proxy) = [HTTPS, ALL].into_iter().find_map(|names| {
            let (name, text) = first(names, env)?;
            Self::through(&address(&text)?, name)
        }) else {
            return Self::Direct;
        };
        match first(EXCEPT, env) {
            Some((name, hosts)) if excepts(&hosts, host) => Self::Excepted(name),
            _ => proxy,
        }
    }

    fn through(proxy: &Url, named_by: &'static str) -> Option<Self> {
        let host = match proxy.host()? {
            Host::Ipv6(address) => address.to_string(),
            other => other.to_string(),
        };
        Some(Self::Proxy { host, port: proxy.port_or_known_default()?, named_by })
    }
}

/// The first of the variables that is set, empty or not.
fn first(
    names: [&'static str; 2],
    env: &dyn Fn(&str) -> Option<String>,
) -> Option<(&'static str, String)> {
    names.into_iter().find_map(|name| Some((name, env(name)?)))
}

/// A proxy as the environment has it, where the scheme may be missing.
fn address(text: &str) -> Option<Url> {
    let url =
        if text.contains("://") { Url::parse(text) } else { Url::parse(&format!("http://{text}")) };
    url.ok().filter(Url::has_host)
}

/// Whether a list of hosts to be reached straight has this one, or a domain above it.
fn excepts(list: &str, host: &str) -> bool {
    list.split(',').map(str::trim).any(|entry| {
        let domain = entry.strip_prefix('.').unwrap_or(entry).to_ascii_lowercase();
        entry == "*"
            || (!domain.is_empty()
                && host
                    .strip_suffix(&domain)
                    .is_some_and(|rest| rest.is_empty() || rest.ends_with('.')))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entra::Cloud;
    use crate::entra::base_url::Service;

    fn way(proxy: Option<&str>, env: &[(&str, &str)]) -> Way {
        let base = BaseUrl::check(&Cloud::Public.graph(), Service::Graph, Cloud::Public).unwrap();
        let http = HttpSettings {
            proxy: proxy.map(|text| Url::parse(text).unwrap()),
            ..HttpSettings::default()
        };
        let variable = |name: &str| {
            env.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        };
        Way::to(&base, "graph.microsoft.com", &http, &variable)
    }

    fn through(host: &str, port: u16, named_by: &'static str) -> Way {
        Way::Proxy { host: host.to_owned(), port, named_by }
    }

    #[test]
    fn the_config_names_the_proxy_before_the_environment_does() {
        let env = [("HTTPS_PROXY", "http://env.example:1"), ("NO_PROXY", "*")];
        let found = way(Some("http://config.example:8080"), &env);
        assert_eq!(found, through("config.example", 8080, CONFIG));
    }

    #[test]
    fn the_environment_is_read_as_the_client_reads_it() {
        assert_eq!(way(None, &[]), Way::Direct);
        let found = way(None, &[("all_proxy", "me:hunter2@all.example:3128")]);
        assert_eq!(found, through("all.example", 3128, "all_proxy"));
        let both = [("ALL_PROXY", "http://all.example"), ("https_proxy", "https://own.example")];
        assert_eq!(way(None, &both), through("own.example", 443, "https_proxy"));
        assert_eq!(
            way(None, &[("HTTPS_PROXY", ""), ("https_proxy", "http://x.example")]),
            Way::Direct
        );
        assert_eq!(way(None, &[("HTTP_PROXY", "http://plain.example")]), Way::Direct);
    }

    #[test]
    fn hosts_are_taken_out_by_name_and_by_domain() {
        let with = |list| {
            way(None, &[("HTTPS_PROXY", "http://p.example:1"), ("NO_PROXY", list)])
                == Way::Excepted("NO_PROXY")
        };
        for list in ["*", "microsoft.com", "a.example, .Microsoft.com", "graph.microsoft.com"] {
            assert!(with(list), "{list}");
        }
        for list in ["", "soft.com", "xgraph.microsoft.com", "10.0.0.0/8,", "com.example"] {
            assert!(!with(list), "{list}");
        }
    }

    #[test]
    fn a_loopback_address_is_never_reached_through_a_proxy() {
        let url = Url::parse("https://127.0.0.1:1").unwrap();
        let base = BaseUrl::check(&url, Service::Graph, Cloud::Public).unwrap();
        let http =
            HttpSettings { proxy: Url::parse("http://p.example").ok(), ..HttpSettings::default() };
        assert_eq!(Way::to(&base, "127.0.0.1", &http, &|_| None), Way::Loopback);
    }
}
