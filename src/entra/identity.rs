//! Tokens of a managed identity: asked for on the machine itself, with no secret of ours.
//!
//! Follows the Microsoft page "How to use managed identities for Azure resources on an Azure VM to
//! acquire an access token" (IMDS), and what App Service and Container Apps say of `IDENTITY_ENDPOINT`.
//! IMDS has one fixed link-local address. `IDENTITY_ENDPOINT` comes out of the environment, so it is
//! believed only where it leads to this machine: a loopback or IPv4 link-local address, or `localhost`,
//! which is never looked up. Neither is reached through a proxy, and no redirect is followed.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use reqwest::Client;
use reqwest::header::{ACCEPT, HeaderName, HeaderValue};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;
use url::{Host, Url};

use crate::entra::base_url::BaseUrl;
use crate::entra::http::{self, MAX_ERROR_BYTES};
use crate::entra::token_failure::Asked;
use crate::entra::{EntraError, HttpSettings, TokenFailure};
use crate::transport::{TransportFailure, read_at_most, retry_after};

/// Where IMDS answers on every virtual machine of Azure.
const IMDS: &str = "http://169.254.169.254/metadata/identity/oauth2/token";
/// The path of IMDS at a stand-in.
const IMDS_PATH: [&str; 4] = ["metadata", "identity", "oauth2", "token"];
const IMDS_VERSION: &str = "2018-02-01";
const ENDPOINT_VERSION: &str = "2019-08-01";
/// How long IMDS may take to be reached, on the machine itself.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// Who gives out the tokens of this machine's managed identity.
#[derive(Clone)]
pub enum IdentityHost {
    /// The instance metadata service of a virtual machine or an AKS node.
    Imds,
    /// What `IDENTITY_ENDPOINT` and `IDENTITY_HEADER` name in App Service, Functions and Container Apps.
    Endpoint {
        /// The address.
        url: Url,
        /// The value of `X-IDENTITY-HEADER`.
        header: SecretString,
    },
}

/// Why what the environment says of the managed identity cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IdentityProblem {
    /// One of the two variables is missing.
    #[error("`{given}` is set without `{missing}`, and a machine of Azure Arc is not supported")]
    Half {
        /// The one that is there.
        given: &'static str,
        /// The one that is not.
        missing: &'static str,
    },
    /// The address is none, or not on this machine.
    #[error(
        "`IDENTITY_ENDPOINT` is no `http` address on this machine, expected one with a loopback or \
         link-local address as App Service and Container Apps set it"
    )]
    Elsewhere,
    /// The header's value cannot stand in a header.
    #[error("`IDENTITY_HEADER` has a character in it that no header takes")]
    Header,
}

impl IdentityHost {
    /// Who it is, as the environment says.
    ///
    /// # Errors
    ///
    /// When only half is said, or the address is not on this machine.
    pub fn detect(env: &dyn Fn(&str) -> Option<String>) -> Result<Self, IdentityProblem> {
        let variable = |name| env(name).filter(|value| !value.is_empty());
        let half = |given, missing| Err(IdentityProblem::Half { given, missing });
        match (variable("IDENTITY_ENDPOINT"), variable("IDENTITY_HEADER")) {
            (None, None) => Ok(Self::Imds),
            (Some(_), None) => half("IDENTITY_ENDPOINT", "IDENTITY_HEADER"),
            (None, Some(_)) => half("IDENTITY_HEADER", "IDENTITY_ENDPOINT"),
            (Some(url), Some(header)) => {
                let url = Url::parse(&url).map_err(|_| IdentityProblem::Elsewhere)?;
                check(&url)?;
                if HeaderValue::try_from(header.as_str()).is_err() {
                    return Err(IdentityProblem::Header);
                }
                Ok(Self::Endpoint { url, header: header.into() })
            }
        }
    }
}

impl fmt::Debug for IdentityHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Imds => "Imds",
            Self::Endpoint { .. } => "Endpoint(…)",
        })
    }
}

/// Whether an address is on this machine, whatever a resolver says.
fn check(url: &Url) -> Result<(), IdentityProblem> {
    let is_here = match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback() || address.is_link_local(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    };
    let is_bare = url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none();
    if is_here && is_bare && url.scheme() == "http" {
        Ok(())
    } else {
        Err(IdentityProblem::Elsewhere)
    }
}

/// One managed identity, ready to be asked for.
pub(super) struct Identity {
    client: Client,
    url: Url,
    header: (HeaderName, HeaderValue),
    asked: Asked,
}

impl Identity {
    /// `resource` is the root of Graph. An authority on loopback is a stand-in, and is asked in the place
    /// of IMDS, so that a rehearsal on a machine of Azure gets no real token.
    pub(super) fn new(
        host: IdentityHost,
        client_id: Option<&str>,
        resource: &Url,
        authority: &BaseUrl,
        settings: &HttpSettings,
    ) -> Result<Self, EntraError> {
        let (mut url, version, name, mut value, asked) = match host {
            IdentityHost::Imds => {
                let url = if authority.is_loopback() {
                    authority.join(&IMDS_PATH)
                } else {
                    Url::parse(IMDS)
                        .map_err(|_| EntraError::Identity(IdentityProblem::Elsewhere))?
                };
                let name = HeaderName::from_static("metadata");
                (url, IMDS_VERSION, name, HeaderValue::from_static("true"), Asked::Imds)
            }
            IdentityHost::Endpoint { url, header } => {
                check(&url).map_err(EntraError::Identity)?;
                let name = HeaderName::from_static("x-identity-header");
                let value = HeaderValue::try_from(header.expose_secret())
                    .map_err(|_| EntraError::Identity(IdentityProblem::Header))?;
                (url, ENDPOINT_VERSION, name, value, Asked::Endpoint)
            }
        };
        value.set_sensitive(true);
        url.query_pairs_mut()
            .append_pair("api-version", version)
            .append_pair("resource", resource.as_str());
        if let Some(client_id) = client_id {
            url.query_pairs_mut().append_pair("client_id", client_id);
        }
        let client = http::builder(settings)
            .no_proxy()
            .tls_certs_only([])
            .connect_timeout(CONNECT_TIMEOUT.min(settings.connect_timeout))
            .resolve_to_addrs("localhost", &localhost())
            .build()
            .map_err(|source| EntraError::BuildClient(source.without_url()))?;
        Ok(Self { client, url, header: (name, value), asked })
    }

    /// Who is asked.
    pub(super) const fn asked(&self) -> Asked {
        self.asked
    }

    /// Asks once: the header for Graph, and how long the token lives where the answer says.
    pub(super) async fn request(
        &self,
        now: Timestamp,
    ) -> Result<(HeaderValue, Option<Duration>), TokenFailure> {
        let failed = |error: reqwest::Error| TokenFailure::transport(TransportFailure::from(error));
        let (name, value) = self.header.clone();
        let request = self.client.get(self.url.clone()).header(ACCEPT, "application/json");
        let mut response = request.header(name, value).send().await.map_err(failed)?;
        let body = read_at_most(&mut response, MAX_ERROR_BYTES).await;
        let status = response.status().as_u16();
        if status != 200 {
            let wait = retry_after(response.headers(), now);
            return Err(TokenFailure::refused(status, &body.bytes, wait));
        }
        if let Some(cut) = body.cut {
            return Err(TokenFailure::transport(cut));
        }
        read(&body.bytes, now).ok_or_else(TokenFailure::no_token)
    }
}

fn localhost() -> [SocketAddr; 2] {
    [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)]
        .map(|address| SocketAddr::new(address, 0))
}

/// The token of an answer, in which numbers are texts.
fn read(body: &[u8], now: Timestamp) -> Option<(HeaderValue, Option<Duration>)> {
    let answer: Value = serde_json::from_slice(body).ok()?;
    let token_type = answer.get("token_type").and_then(Value::as_str);
    if token_type.is_some_and(|kind| !kind.eq_ignore_ascii_case("bearer")) {
        return None;
    }
    let token = answer.get("access_token")?.as_str().filter(|token| !token.is_empty())?;
    let mut header = HeaderValue::try_from(format!("Bearer {token}")).ok()?;
    header.set_sensitive(true);
    let number = |name: &str| match answer.get(name)? {
        Value::String(text) => text.trim().parse::<i64>().ok(),
        value => value.as_i64(),
    };
    let life = number("expires_in").map(SignedDuration::from_secs).or_else(|| {
        let end = Timestamp::from_second(number("expires_on")?).ok()?;
        Some(end.duration_since(now))
    });
    Some((header, life.map(|life| life.max(SignedDuration::ZERO).unsigned_abs())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entra::Cloud;
    use crate::entra::base_url::Service;

    fn detect(pairs: &[(&str, &str)]) -> Result<IdentityHost, IdentityProblem> {
        IdentityHost::detect(&|name| {
            pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn the_environment_says_who_is_asked() {
        assert!(matches!(detect(&[]), Ok(IdentityHost::Imds)));
        let empty = [("IDENTITY_ENDPOINT", ""), ("IDENTITY_HEADER", "")];
        assert!(matches!(detect(&empty), Ok(IdentityHost::Imds)));
        let both = [
            ("IDENTITY_ENDPOINT", "http://127.0.0.1:41/msi/token"),
            ("IDENTITY_HEADER", "hunter2"),
        ];
        let host = detect(&both).unwrap();
        assert_eq!(format!("{host:?}"), "Endpoint(…)");
        for half in both {
            assert!(matches!(detect(&[half]), Err(IdentityProblem::Half { .. })), "{half:?}");
        }
        let broken = [both[0], ("IDENTITY_HEADER", "a\nb")];
        assert!(matches!(detect(&broken), Err(IdentityProblem::Header)));
    }

    #[test]
    fn only_an_address_on_this_machine_is_believed() {
        let at = |url| detect(&[("IDENTITY_ENDPOINT", url), ("IDENTITY_HEADER", "h")]);
        for here in [
            "http://127.0.0.1:41056/msi/token",
            "http://localhost:42356/msi/token",
            "http://169.254.130.4:8081/msi/token",
            "http://[::1]:9/msi/token",
        ] {
            assert!(at(here).is_ok(), "{here}");
        }
        for elsewhere in [
            "http://169.253.0.1/msi/token",
            "http://10.0.0.1/msi/token",
            "http://0.0.0.0/msi/token",
            "http://localhost.evil.example/msi/token",
            "http://localhost./msi/token",
            "http://127.0.0.1.nip.io/msi/token",
            "http://u:p@127.0.0.1/msi/token",
            "http://127.0.0.1@evil.example/msi/token",
            "http://127.0.0.1/msi/token?to=x",
            "http://127.0.0.1/msi/token#x",
            "http://[::ffff:127.0.0.1]/msi/token",
            "https://identity.example/msi/token",
            "https://127.0.0.1/msi/token",
            "file:///msi/token",
            "msi/token",
        ] {
            assert_eq!(at(elsewhere).err(), Some(IdentityProblem::Elsewhere), "{elsewhere}");
        }
    }

    #[test]
    fn imds_has_one_address_and_a_stand_in_is_asked_itself() {
        let at = |authority: &str| {
            let authority = Url::parse(authority).unwrap();
            let authority = BaseUrl::check(&authority, Service::Authority, Cloud::Public).unwrap();
            let resource = Cloud::Public.graph();
            let settings = HttpSettings::default();
            Identity::new(IdentityHost::Imds, Some("a&b"), &resource, &authority, &settings)
                .unwrap()
                .url
                .to_string()
        };
        let rest = "/metadata/identity/oauth2/token?api-version=2018-02-01\
                    &resource=https%3A%2F%2Fgraph.microsoft.com%2F&client_id=a%26b";
        let real = at("https://login.microsoftonline.com");
        assert_eq!(real, format!("http://169.254.169.254{rest}"));
        assert_eq!(at("http://127.0.0.1:4711"), format!("http://127.0.0.1:4711{rest}"));
    }

    #[test]
    fn numbers_are_texts_and_the_end_is_enough() {
        let now = Timestamp::from_second(1_000).unwrap();
        let life = |fields: &str| {
            let body = format!(r#"{{"access_token":"t","token_type":"Bearer"{fields}}}"#);
            read(body.as_bytes(), now).unwrap().1.map(|life| life.as_secs())
        };
        assert_eq!(life(r#","expires_in":"3599","expires_on":"9""#), Some(3599));
        assert_eq!(life(r#","expires_in":86399"#), Some(86_399));
        assert_eq!(life(r#","expires_on":"1600""#), Some(600));
        assert_eq!(life(r#","expires_on":"900""#), Some(0));
        assert_eq!(life(r#","expires_on":"09/14/2017 00:00:00 PM +00:00""#), None);
        assert_eq!(life(""), None);
        for body in [
            r#"{"token_type":"Bearer"}"#,
            r#"{"access_token":""}"#,
            r#"{"access_token":5}"#,
            r#"{"access_token":"a\nb"}"#,
            r#"{"access_token":"t","token_type":"mac"}"#,
            "<html>",
        ] {
            assert!(read(body.as_bytes(), now).is_none(), "{body}");
        }
    }
}
