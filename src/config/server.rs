//! `[server]`: where `serve` listens, and who may call.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use crate::config::secrets::{self, SecretRef};
use crate::config::section::{Field, Section};
use crate::config::size;

pub(super) const KEYS: &[&str] = &[
    "listen",
    "admin_token",
    "reader_token",
    "tls",
    "max_body",
    "max_connections",
    "timeout",
    "upload_timeout",
];
pub(super) const TLS_KEYS: &[&str] = &["certificate", "key"];
/// This machine alone.
const DEFAULT_LISTEN: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 8080);
/// A file of a million workers has about 200 MB; most have less than 10.
const DEFAULT_MAX_BODY: u64 = 256 * 1024 * 1024;
/// Open connections; each holds a few buffers.
const DEFAULT_MAX_CONNECTIONS: u32 = 256;
/// A client on a slow line sends the head of a request within this, and never pauses longer in a body.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30);
/// A full-size file on a line of 4 Mbit/s takes nine minutes.
const DEFAULT_UPLOAD_TIMEOUT: Duration = Duration::from_mins(15);

/// `[server]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerConfig {
    /// The address and port to listen on; 127.0.0.1:8080 unless told otherwise.
    pub listen: SocketAddr,
    /// What callers present who may decide and upload.
    pub admin_token: Option<SecretRef>,
    /// What callers present who may look.
    pub reader_token: Option<SecretRef>,
    /// The certificate, where it speaks TLS itself.
    pub tls: Option<ServerTls>,
    /// The most bytes in a body.
    pub max_body: u64,
    /// The most connections open at once.
    pub max_connections: u32,
    /// The longest the head of a request, a pause in its body, or a look may take.
    pub timeout: Duration,
    /// The longest an upload may take until its last byte.
    pub upload_timeout: Duration,
}

/// `tls = { … }`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerTls {
    /// PEM with the certificate and those between it and its root, and with the key where `key` is
    /// absent.
    pub certificate: SecretRef,
    /// PEM with the private key.
    pub key: Option<SecretRef>,
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self {
            listen: DEFAULT_LISTEN,
            admin_token: None,
            reader_token: None,
            tls: None,
            max_body: DEFAULT_MAX_BODY,
            max_connections: DEFAULT_MAX_CONNECTIONS,
            timeout: DEFAULT_TIMEOUT,
            upload_timeout: DEFAULT_UPLOAD_TIMEOUT,
        }
    }
}

pub(super) fn read(section: Option<&Section<'_>>, folder: &Path) -> ServerConfig {
    let default = ServerConfig::default();
    let Some(section) = section else { return default };
    section.check_keys(KEYS);
    let secret = |key: &str| section.get(key).and_then(|field| secrets::read(&field, folder));
    let config = ServerConfig {
        listen: section.get("listen").and_then(|field| listen(&field)).unwrap_or(default.listen),
        admin_token: secret("admin_token"),
        reader_token: secret("reader_token"),
        tls: section.get("tls").and_then(|field| tls(&field, folder)),
        max_body: section
            .get("max_body")
            .and_then(|field| max_body(&field))
            .unwrap_or(default.max_body),
        max_connections: section
            .get("max_connections")
            .and_then(|field| field.positive())
            .unwrap_or(default.max_connections),
        timeout: section.positive_duration_or("timeout", default.timeout),
        upload_timeout: section.positive_duration_or("upload_timeout", default.upload_timeout),
    };
    if !config.listen.ip().is_loopback()
        && !section.has("admin_token")
        && let Some(field) = section.get("listen")
    {
        let hint = "add `admin_token = { env = \"NAME\" }`, or listen on `127.0.0.1:8080` alone";
        let message = "`listen` reaches beyond this machine, and there is no `admin_token`";
        field.refuse(message.to_owned(), Some(hint.to_owned()));
    }
    config
}

fn listen(field: &Field<'_>) -> Option<SocketAddr> {
    let address = field.text()?.parse().ok();
    if address.is_none() {
        let hint = "write it like `127.0.0.1:8080`, `0.0.0.0:8080` or `[::1]:8080`".to_owned();
        field.refuse("`listen` is no IP address with a port".to_owned(), Some(hint));
    }
    address
}

fn tls(field: &Field<'_>, folder: &Path) -> Option<ServerTls> {
    let section = field.part()?;
    section.check_keys(TLS_KEYS);
    let certificate = section.require("certificate");
    let key = section.get("key").map(|field| secrets::read(&field, folder));
    let certificate = secrets::read(&certificate?, folder)?;
    Some(ServerTls { certificate, key: key.map_or(Some(None), |key| key.map(Some))? })
}

fn max_body(field: &Field<'_>) -> Option<u64> {
    let size = size::parse(field.text()?);
    if size.is_none() {
        let message = format!("`{}` is no size", field.key);
        field.refuse(message, Some(format!("write it like {}", size::EXAMPLES)));
    }
    size
}
