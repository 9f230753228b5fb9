//! `email = { … }` of the alerts: who gets mail, and through which server.

use std::net::IpAddr;
use std::path::Path;

use crate::config::node::Value;
use crate::config::secrets::{self, SecretRef};
use crate::config::section::Field;

pub(super) const KEYS: &[&str] = &["to", "from", "smtp"];
pub(super) const SMTP_KEYS: &[&str] = &["host", "port", "tls", "user", "password"];
/// Most characters of a host's name (RFC 1035 section 2.3.4).
const MAX_HOST: usize = 255;

/// `email = { … }`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlertEmail {
    /// To whom, at least one.
    pub to: Vec<String>,
    /// From whom.
    pub from: String,
    /// Through which server.
    pub smtp: SmtpConfig,
}

/// `smtp = { … }`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SmtpConfig {
    /// Its name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the line is kept secret.
    pub tls: SmtpTls,
    /// Who we are, where it asks.
    pub login: Option<SmtpLogin>,
}

/// Who we are for a mail server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SmtpLogin {
    /// The name.
    pub user: String,
    /// Where the password is.
    pub password: SecretRef,
}

/// How the line to a mail server is kept secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SmtpTls {
    /// Begun in the open, then switched; port 587.
    StartTls,
    /// From the first byte; port 465.
    Implicit,
    /// Not at all: to this machine only; port 25.
    None,
}

impl SmtpTls {
    const fn port(self) -> u16 {
        match self {
            Self::StartTls => 587,
            Self::Implicit => 465,
            Self::None => 25,
        }
    }
}

pub(super) fn read(field: &Field<'_>, folder: &Path) -> Option<AlertEmail> {
    let section = field.part()?;
    section.check_keys(KEYS);
    let to = section.require("to").and_then(|field| addresses(&field));
    let from = section.require("from").and_then(|field| address(&field));
    let smtp = section.require("smtp").and_then(|field| smtp(&field, folder));
    Some(AlertEmail { to: to?, from: from?, smtp: smtp? })
}

fn addresses(field: &Field<'_>) -> Option<Vec<String>> {
    let Value::Array(_) = &field.node.value else {
        return address(field).map(|one| vec![one]);
    };
    let all = field.texts()?;
    if all.is_empty() {
        field.refuse_key(format!("`{}` lists nobody", field.key), None);
        return None;
    }
    if !all.iter().all(|text| is_address(text)) {
        refuse_no_address(field);
        return None;
    }
    Some(all.into_iter().map(str::to_owned).collect())
}

fn address(field: &Field<'_>) -> Option<String> {
    let text = field.text()?;
    if !is_address(text) {
        refuse_no_address(field);
        return None;
    }
    Some(text.to_owned())
}

fn refuse_no_address(field: &Field<'_>) {
    let hint = "write the address alone, like `ops@contoso.example`".to_owned();
    field.refuse_key(format!("`{}` has what is no mail address", field.key), Some(hint));
}

/// Whether it is an address without a name, such as `ops@contoso.example`.
fn is_address(text: &str) -> bool {
    let is_plain = |text: &str| {
        let is_plain =
            |letter: char| letter.is_ascii_graphic() && !"<>()[],;:\\\"".contains(letter);
        !text.is_empty() && text.chars().all(is_plain)
    };
    text.split_once('@').is_some_and(|(user, host)| {
        is_plain(user) && is_plain(host) && !host.contains('@') && host.len() <= MAX_HOST
    })
}

fn smtp(field: &Field<'_>, folder: &Path) -> Option<SmtpConfig> {
    let section = field.part()?;
    section.check_keys(SMTP_KEYS);
    let host = section.require("host").and_then(|field| host(&field));
    let words =
        [("starttls", SmtpTls::StartTls), ("implicit", SmtpTls::Implicit), ("none", SmtpTls::None)];
    let tls = match section.get("tls") {
        Some(field) => field.word(&words),
        None => Some(SmtpTls::StartTls),
    };
    let port = match section.get("port") {
        Some(field) => port(&field),
        None => tls.map(SmtpTls::port),
    };
    let user = section.get("user").map(|field| field.text().map(str::to_owned));
    let password = section.get("password").map(|field| secrets::read(&field, folder));
    let login = match (user, password) {
        (None, None) => Some(None),
        (Some(user), Some(password)) => {
            user.zip(password).map(|(user, password)| Some(SmtpLogin { user, password }))
        }
        (Some(_), None) | (None, Some(_)) => {
            let message = format!("{} needs `user` and `password`, or neither", section.title());
            section.refuse(message, None);
            None
        }
    };
    let (host, tls) = (host?, tls?);
    let is_here = host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
    if tls == SmtpTls::None
        && !is_here
        && let Some(field) = section.get("tls")
    {
        let hint = "use `starttls` or `implicit`; `none` is for `host = \"127.0.0.1\"`".to_owned();
        field.refuse("mail leaves this machine in the open".to_owned(), Some(hint));
        return None;
    }
    Some(SmtpConfig { host, port: port?, tls, login: login? })
}

/// The name of a host, or an address: nothing of a URL.
fn host(field: &Field<'_>) -> Option<String> {
    let text = field.text()?;
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || ".-:".contains(letter);
    let is_host = text.chars().all(is_plain)
        && (!text.contains(':') || text.parse::<IpAddr>().is_ok())
        && text.starts_with(|first: char| first.is_ascii_alphanumeric() || first == ':');
    if !is_host {
        let hint = "write it like `smtp.contoso.example`; the port stands beside it".to_owned();
        field.refuse_key(format!("`{}` is no name of a host", field.key), Some(hint));
        return None;
    }
    Some(text.to_owned())
}

fn port(field: &Field<'_>) -> Option<u16> {
    let number = field.positive()?;
    let port = u16::try_from(number).ok();
    if port.is_none() {
        field.refuse(format!("`{}` has to be from 1 to {}", field.key, u16::MAX), None);
    }
    port
}
