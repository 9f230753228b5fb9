//! How far a service is reached, from outside in: name, connection, proxy, TLS, an answer, its clock.
//!
//! One request without a token, as every other call would go: the same client, the same proxy, the same
//! authorities. Where it gets an answer, all is well. Where it does not, the cause is looked for in what
//! the client says, and else by looking the name up and connecting by hand.

use std::error::Error;
use std::io::ErrorKind;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;
use reqwest::Client;
use rustls::CertificateError;
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;
use url::{Host, Url};

use crate::domain::Clock;
use crate::entra::base_url::BaseUrl;
use crate::entra::http;
use crate::entra::{EntraError, HttpSettings, TargetSettings, Way, witness};
use crate::transport::{self, tls_fault};

/// The longest that one look may take: whoever looks, waits.
const PATIENCE: Duration = Duration::from_secs(15);
/// The longest that looking up a name may take.
const LOOK_UP: Duration = Duration::from_secs(10);

/// How every error of a proxy's tunnel begins (hyper-util, which gives them no type of its own).
const TUNNEL: &str = "tunnel error: ";
/// What it says of a 407.
const TUNNEL_PASSWORD: &str = "proxy authorization required";
/// What it says where the proxy itself is not reached.
const TUNNEL_CONNECT: &str = "failed to create underlying connection";

/// The services of a target, to be tried.
pub struct Probe {
    services: Vec<Service>,
    http: HttpSettings,
    clock: Arc<dyn Clock>,
}

struct Service {
    base: BaseUrl,
    client: Client,
    url: Url,
    host: String,
    port: u16,
    way: Way,
    is_authority: bool,
    is_graph: bool,
}

/// How far one service was reached.
#[derive(Debug, Clone)]
pub struct Reach {
    /// Its host, as the address has it.
    pub host: String,
    /// Whether it gives out tokens.
    pub is_authority: bool,
    /// Whether it is Graph.
    pub is_graph: bool,
    /// Whether it is called over https.
    pub is_https: bool,
    /// The way to it.
    pub way: Way,
    /// The name that was looked up, the proxy's where there is one; `None` for a literal address.
    pub name: Option<String>,
    /// What the name means; empty where nothing was found.
    pub addresses: Vec<IpAddr>,
    /// What is connected to, as `host:port`.
    pub door: String,
    /// How far this machine's clock is ahead of the service's, where its answer says; behind where it
    /// is negative.
    pub ahead: Option<SignedDuration>,
    /// What keeps us from it.
    pub obstacle: Option<Obstacle>,
}

/// What keeps us from a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Obstacle {
    /// The name cannot be looked up, in the system's words.
    Name(String),
    /// Nobody listens there.
    Refused,
    /// No connection in time.
    NoConnection,
    /// No connection, for this reason of the system's.
    Unreachable(ErrorKind),
    /// The proxy wants a user name (407).
    ProxyPassword,
    /// The proxy lets nobody through to the service.
    ProxyRefuses,
    /// The server's certificate is not trusted.
    Certificate {
        /// Why.
        fault: CertificateFault,
        /// The authority above all that the server shows.
        issuer: Option<String>,
    },
    /// What listens there does not speak TLS as we do.
    Tls,
    /// The connection stands, and no answer came.
    NoAnswer,
}

/// What is wrong with a server's certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CertificateFault {
    /// No authority that this machine trusts has issued it.
    UnknownIssuer,
    /// It has expired, as this machine's clock has it.
    Expired,
    /// It is not valid yet, as this machine's clock has it.
    NotYetValid,
    /// It is for another name.
    OtherName,
    /// Something else.
    Other,
}

/// The layer at which an obstacle stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Layer {
    /// Looking up the name.
    Name,
    /// Connecting.
    Connection,
    /// The proxy.
    Proxy,
    /// TLS, and the answer over it.
    Tls,
}

impl Obstacle {
    /// Where it stands.
    #[must_use]
    pub const fn layer(&self) -> Layer {
        match self {
            Self::Name(_) => Layer::Name,
            Self::Refused | Self::NoConnection | Self::Unreachable(_) => Layer::Connection,
            Self::ProxyPassword | Self::ProxyRefuses => Layer::Proxy,
            Self::Certificate { .. } | Self::Tls | Self::NoAnswer => Layer::Tls,
        }
    }
}

impl Probe {
    /// Makes ready to try what a target needs; nothing is sent yet. The authority is left out where a
    /// managed identity proves who we are: nobody asks it then.
    ///
    /// # Errors
    ///
    /// When the settings have mistakes, or `ca_file` cannot be read.
    pub fn new(
        settings: &TargetSettings,
        asks_authority: bool,
        env: &dyn Fn(&str) -> Option<String>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, EntraError> {
        let addresses = settings.addresses().map_err(EntraError::Settings)?;
        let http =
            HttpSettings { timeout: settings.http.timeout.min(PATIENCE), ..settings.http.clone() };
        let is_one = addresses.authority == addresses.graph;
        let mut services = Vec::new();
        if asks_authority {
            services.push(Service::new(addresses.authority, &http, env, (true, is_one))?);
        }
        if !(asks_authority && is_one) {
            services.push(Service::new(addresses.graph, &http, env, (false, true))?);
        }
        Ok(Self { services, http, clock })
    }

    /// Tries each service.
    pub async fn reach(&self) -> Vec<Reach> {
        let mut found = Vec::with_capacity(self.services.len());
        for service in &self.services {
            found.push(service.reach(&self.http, &*self.clock).await);
        }
        found
    }
}

impl Service {
    fn new(
        base: BaseUrl,
        http: &HttpSettings,
        env: &dyn Fn(&str) -> Option<String>,
        (is_authority, is_graph): (bool, bool),
    ) -> Result<Self, EntraError> {
        let url = base.join(&[]);
        let host = bare_host(&url);
        let port = url.port_or_known_default().unwrap_or(443);
        let way = Way::to(&base, &host, http, env);
        let client = http::client(&base, http)?;
        Ok(Self { base, client, url, host, port, way, is_authority, is_graph })
    }

    async fn reach(&self, http: &HttpSettings, clock: &dyn Clock) -> Reach {
        let (door, port) = match &self.way {
            Way::Proxy { host, port, .. } => (host.as_str(), *port),
            Way::Loopback | Way::Direct | Way::Excepted(_) => (self.host.as_str(), self.port),
        };
        let looked_up = look_up(door, port).await;
        let before = clock.now();
        let answer = self.client.get(self.url.clone()).send().await;
        let after = clock.now();
        let mut reach = Reach {
            host: self.host.clone(),
            is_authority: self.is_authority,
            is_graph: self.is_graph,
            is_https: self.base.is_https(),
            way: self.way.clone(),
            name: door.parse::<IpAddr>().is_err().then(|| door.to_owned()),
            addresses: looked_up.clone().unwrap_or_default(),
            door: if door.contains(':') {
                format!("[{door}]:{port}")
            } else {
                format!("{door}:{port}")
            },
            ahead: None,
            obstacle: None,
        };
        match answer {
            Ok(answer) => {
                // half a second: the header's seconds are cut off
                reach.ahead = transport::date(answer.headers()).map(|theirs| {
                    let middle = before.duration_since(theirs) + after.duration_since(theirs);
                    middle / 2 - SignedDuration::from_millis(500)
                });
            }
            Err(error) => {
                let obstacle = self.obstacle(&error, looked_up, port, http).await;
                reach.obstacle = Some(obstacle);
            }
        }
        reach
    }

    /// What the client ran into.
    async fn obstacle(
        &self,
        error: &reqwest::Error,
        looked_up: Result<Vec<IpAddr>, String>,
        port: u16,
        http: &HttpSettings,
    ) -> Obstacle {
        // what got further says more: behind a proxy of the system's, no name has to mean anything here
        if let Some(fault) = tls_fault(error) {
            let rustls::Error::InvalidCertificate(fault) = fault else { return Obstacle::Tls };
            let issuer = witness::issuer(&self.url, &self.base, http).await;
            return Obstacle::Certificate { fault: CertificateFault::of(&fault), issuer };
        }
        match tunnel_fault(error).as_deref() {
            Some(TUNNEL_PASSWORD) => return Obstacle::ProxyPassword,
            Some(words) if words != TUNNEL_CONNECT => return Obstacle::ProxyRefuses,
            _ => {}
        }
        match looked_up {
            Err(words) => Obstacle::Name(words),
            Ok(addresses) => {
                let obstacle = connect(&addresses, port, http.connect_timeout).await;
                obstacle.unwrap_or(Obstacle::NoAnswer)
            }
        }
    }
}

/// A host as a resolver takes it: an IPv6 address without brackets.
fn bare_host(url: &Url) -> String {
    match url.host() {
        Some(Host::Ipv6(address)) => address.to_string(),
        Some(host) => host.to_string(),
        None => String::new(),
    }
}

/// What a name means, or the system's words why that cannot be told.
async fn look_up(host: &str, port: u16) -> Result<Vec<IpAddr>, String> {
    let found = match timeout(LOOK_UP, lookup_host((host, port))).await {
        Ok(found) => found.map_err(|error| error.to_string())?,
        Err(_) => return Err("no answer in time".to_owned()),
    };
    let mut addresses: Vec<_> = found.map(|address| address.ip()).collect();
    addresses.dedup();
    if addresses.is_empty() { Err("no address".to_owned()) } else { Ok(addresses) }
}

/// Connects to any of the addresses; what keeps us from it, if anything does.
async fn connect(addresses: &[IpAddr], port: u16, patience: Duration) -> Option<Obstacle> {
    let mut obstacle = None;
    for address in addresses {
        obstacle = Some(match timeout(patience, TcpStream::connect((*address, port))).await {
            Ok(Ok(_)) => return None,
            Ok(Err(error)) if error.kind() == ErrorKind::ConnectionRefused => Obstacle::Refused,
            Ok(Err(error)) if error.kind() == ErrorKind::TimedOut => Obstacle::NoConnection,
            Ok(Err(error)) => Obstacle::Unreachable(error.kind()),
            Err(_) => Obstacle::NoConnection,
        });
    }
    obstacle
}

/// What the proxy's tunnel failed with.
fn tunnel_fault(error: &reqwest::Error) -> Option<String> {
    let mut cause = error.source();
    while let Some(error) = cause {
        if let Some(words) = error.to_string().strip_prefix(TUNNEL) {
            return Some(words.to_owned());
        }
        cause = error.source();
    }
    None
}

impl CertificateFault {
    fn of(error: &CertificateError) -> Self {
        match error {
            // a bad signature: an authority of that name is known, and it is another one
            CertificateError::UnknownIssuer | CertificateError::BadSignature => Self::UnknownIssuer,
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => Self::Expired,
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                Self::NotYetValid
            }
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                Self::OtherName
            }
            _ => Self::Other,
        }
    }
}
