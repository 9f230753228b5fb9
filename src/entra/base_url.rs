//! The allow-list: which addresses may see a token, a secret or an assertion.
//!
//! A documented host of the target's cloud over https at the usual port, or a literal loopback
//! address (127.0.0.0/8 or `[::1]`) at any port. `localhost` is not literal: what it means is for
//! the resolver to say. What is checked is the parsed URL, the very value that is connected to, so
//! that no spelling can mean one host here and another one there.

use url::{Host, Url};

use crate::entra::Cloud;

/// The two services that get something secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Service {
    /// Gets the token.
    Graph,
    /// Gets the secret or the assertion.
    Authority,
}

/// Why an address is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum BaseUrlProblem {
    #[error("the address has a user name or password in it")]
    UserInfo,
    #[error("the address has a path, query or fragment, expected scheme, host and port alone")]
    NotBare,
    #[error("the scheme is `{0}`, expected `https` (`http` only with a literal loopback address)")]
    Scheme(String),
    #[error("the port is {0}, expected the usual port of https")]
    Port(u16),
    #[error("`{0}` is a name, not a literal loopback address")]
    Name(String),
    #[error("the host `{host}` is no documented {service} host of the cloud `{cloud}`")]
    Host { host: String, service: &'static str, cloud: Cloud },
}

/// An address that has passed the allow-list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct BaseUrl {
    url: Url,
    loopback: bool,
}

impl BaseUrl {
    /// Checks an address.
    pub(super) fn check(url: &Url, service: Service, cloud: Cloud) -> Result<Self, BaseUrlProblem> {
        if !url.username().is_empty() || url.password().is_some() {
            return Err(BaseUrlProblem::UserInfo);
        }
        if !matches!(url.path(), "" | "/") || url.query().is_some() || url.fragment().is_some() {
            return Err(BaseUrlProblem::NotBare);
        }
        let loopback = match url.host() {
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            Some(Host::Domain(_)) | None => false,
        };
        if !loopback {
            check_documented(url, service, cloud)?;
        } else if !matches!(url.scheme(), "http" | "https") {
            return Err(BaseUrlProblem::Scheme(url.scheme().to_owned()));
        }
        Ok(Self { url: url.clone(), loopback })
    }

    /// Whether it is a literal loopback address.
    pub(super) const fn is_loopback(&self) -> bool {
        self.loopback
    }

    /// Whether it is to be called over https.
    pub(super) fn is_https(&self) -> bool {
        self.url.scheme() == "https"
    }

    /// The address of a resource; every segment is escaped.
    pub(super) fn join(&self, segments: &[&str]) -> Url {
        let mut url = self.url.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.clear().extend(segments);
        }
        url
    }

    /// Whether a URL leads to the same scheme, host and port, without a user name.
    pub(super) fn is_origin_of(&self, url: &Url) -> bool {
        self.url.origin() == url.origin() && url.username().is_empty() && url.password().is_none()
    }
}

fn check_documented(url: &Url, service: Service, cloud: Cloud) -> Result<(), BaseUrlProblem> {
    if url.scheme() != "https" {
        return Err(BaseUrlProblem::Scheme(url.scheme().to_owned()));
    }
    let host = url.host_str().unwrap_or("");
    let (documented, service) = match service {
        Service::Graph => (host == cloud.graph_host(), "Microsoft Graph"),
        Service::Authority => (cloud.authority_hosts().contains(&host), "authority"),
    };
    if host == "localhost" {
        return Err(BaseUrlProblem::Name(host.to_owned()));
    }
    if !documented {
        return Err(BaseUrlProblem::Host { host: host.to_owned(), service, cloud });
    }
    match url.port() {
        Some(port) => Err(BaseUrlProblem::Port(port)),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(text: &str, service: Service, cloud: Cloud) -> Result<BaseUrl, BaseUrlProblem> {
        BaseUrl::check(&Url::parse(text).unwrap(), service, cloud)
    }

    #[test]
    fn the_documented_hosts_are_accepted_in_their_own_cloud_only() {
        for cloud in Cloud::ALL {
            assert!(BaseUrl::check(&cloud.graph(), Service::Graph, cloud).is_ok());
            assert!(BaseUrl::check(&cloud.authority(), Service::Authority, cloud).is_ok());
            assert!(BaseUrl::check(&cloud.graph(), Service::Authority, cloud).is_err());
            assert!(BaseUrl::check(&cloud.authority(), Service::Graph, cloud).is_err());
        }
        assert!(check("https://login.chinacloudapi.cn", Service::Authority, Cloud::China).is_ok());
        assert!(check("https://graph.microsoft.us", Service::Graph, Cloud::Public).is_err());
        assert!(check("HTTPS://Graph.Microsoft.COM:443", Service::Graph, Cloud::Public).is_ok());
    }

    #[test]
    fn a_literal_loopback_address_is_accepted() {
        for text in
            ["http://127.0.0.1:8080", "https://127.8.9.10", "http://[::1]:9000", "https://[::1]/"]
        {
            let base = check(text, Service::Graph, Cloud::Public).unwrap();
            assert!(base.is_loopback(), "{text}");
        }
    }

    #[test]
    fn look_alikes_are_refused() {
        for text in [
            "http://graph.microsoft.com",
            "https://graph.microsoft.com.",
            "https://graph.microsoft.com.evil.example",
            "https://graph.microsoft.com@evil.example",
            "https://user@graph.microsoft.com",
            "https://:secret@graph.microsoft.com",
            "https://graph.microsoft.com:8443",
            "https://evil.example/graph.microsoft.com",
            "https://evil.example#graph.microsoft.com",
            "https://graph.microsoft.com/v1.0",
            "https://graph.microsoft.com?x",
            "https://graph.microsоft.com", // a Cyrillic letter
            "http://localhost:8080",
            "http://localhost.",
            "http://127.0.0.1.nip.io",
            "http://user@127.0.0.1",
            "http://128.0.0.1",
            "http://2164260865", // 129.0.0.1
            "http://0.0.0.0",
            "http://[::]",
            "http://[::ffff:127.0.0.1]",
            "ftp://127.0.0.1",
        ] {
            assert!(check(text, Service::Graph, Cloud::Public).is_err(), "{text}");
        }
    }

    #[test]
    fn another_origin_is_told_apart() {
        let base = check("http://127.0.0.1:8080", Service::Graph, Cloud::Public).unwrap();
        let is_own = |text| base.is_origin_of(&Url::parse(text).unwrap());
        assert!(is_own("http://127.0.0.1:8080/v1.0/x?y"));
        for text in [
            "https://127.0.0.1:8080/x",
            "http://127.0.0.1:8081/x",
            "http://127.0.0.2:8080/x",
            "http://a@127.0.0.1:8080/x",
            "http://127.0.0.1/x",
        ] {
            assert!(!is_own(text), "{text}");
        }
    }

    /// Pieces that URLs are forged of.
    fn piece() -> impl Strategy<Value = String> {
        prop_oneof![
            prop::sample::select(vec![
                "graph.microsoft.com",
                "GRAPH.microsoft.com",
                "ｇraph.microsoft.com",
                "login.microsoftonline.com",
                "localhost",
                "127.0.0.1",
                "127.1",
                "2130706433",
                "0x7f000001",
                "[::1]",
                "[::ffff:7f00:1]",
                "evil.example",
                ".",
                "@",
                ":",
                ":443",
                ":8080",
                "/",
                "\\",
                "?",
                "#",
                "%2e",
                "%00",
                "\t",
            ])
            .prop_map(str::to_owned),
            "[a-z0-9.@:/\\\\%-]{0,6}",
        ]
    }

    proptest! {
        /// Judged by the text that is connected to, not by the parts the check looks at.
        #[test]
        fn nothing_outside_the_list_is_ever_accepted(
            scheme in prop::sample::select(vec!["https://", "http://", "ftp://", "https:", "HTTPS:///"]),
            pieces in prop::collection::vec(piece(), 1..5),
        ) {
            let Ok(url) = Url::parse(&format!("{scheme}{}", pieces.concat())) else { return Ok(()) };
            if BaseUrl::check(&url, Service::Graph, Cloud::Public).is_ok() {
                let text = url.as_str();
                let literal = ["http://127.", "https://127."].iter().find_map(|head| text.strip_prefix(head));
                let six = ["http://[::1]", "https://[::1]"].iter().find_map(|head| text.strip_prefix(head));
                let bare = |rest: &str| rest.strip_suffix('/').is_some_and(|rest| {
                    rest.chars().all(|c| c.is_ascii_digit() || c == '.' || c == ':')
                });
                prop_assert!(
                    text == "https://graph.microsoft.com/" || literal.is_some_and(bare) || six.is_some_and(bare),
                    "accepted {text}"
                );
            }
        }
    }
}
