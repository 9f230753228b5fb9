//! `[alerts]`: who is told when somebody has to look, and of what.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::path::Path;
use std::time::Duration;

use crate::config::node::Value;
use crate::config::secrets::{self, SecretRef};
use crate::config::section::{Field, Section, or};
use crate::config::{duration, suggest};
use crate::domain::AlertKind;
use crate::plan::Percent;

pub(super) const KEYS: &[&str] = &[
    "webhook",
    "email",
    "on",
    "reject_share",
    "nothing_settled_after",
    "credential_expires",
    "repeat",
];
pub(super) const WEBHOOK_KEYS: &[&str] = &["url", "format"];
pub(super) const EMAIL_KEYS: &[&str] = &["to", "from", "smtp"];
pub(super) const SMTP_KEYS: &[&str] = &["host", "port", "tls", "user", "password"];
/// As many as the guard lets through.
const DEFAULT_REJECT_SHARE: Percent = Percent::whole(10);
/// Entra takes 40 minutes for a cycle, and its log some more.
const DEFAULT_NOTHING_SETTLED: Duration = Duration::from_hours(4);
/// Every so often, what still holds is said again.
const DEFAULT_REPEAT: Duration = Duration::from_hours(24);
/// A new certificate takes people who have to be found.
const DEFAULT_EXPIRES: [Duration; 4] = [
    Duration::from_hours(30 * 24),
    Duration::from_hours(14 * 24),
    Duration::from_hours(7 * 24),
    Duration::from_hours(24),
];

/// Most characters of a host's name (RFC 1035 section 2.3.4).
const MAX_HOST: usize = 255;

/// `[alerts]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlertsConfig {
    /// The webhooks that are told.
    pub webhooks: Vec<AlertWebhook>,
    /// The people who get mail.
    pub email: Option<AlertEmail>,
    /// What they are told of.
    pub on: BTreeSet<AlertKind>,
    /// From which share of rejected rows on.
    pub reject_share: Percent,
    /// After how long without any outcome.
    pub nothing_settled_after: Duration,
    /// How long before a certificate or key ends; longest first.
    pub expires: Vec<Duration>,
    /// How long until what still holds is said again.
    pub repeat: Duration,
}

/// One webhook. Its address is a secret: whoever has it can post.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlertWebhook {
    /// Where its address is.
    pub url: SecretRef,
    /// What it takes.
    pub format: AlertFormat,
}

/// What a webhook takes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum AlertFormat {
    /// Our own document.
    #[default]
    Json,
    /// An Adaptive Card, for a workflow of Microsoft Teams.
    Teams,
    /// Blocks, for Slack.
    Slack,
}

impl AlertFormat {
    /// The word in the config.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Teams => "teams",
            Self::Slack => "slack",
        }
    }
}

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

pub(super) fn read(section: &Section<'_>, folder: &Path) -> AlertsConfig {
    section.check_keys(KEYS, &[]);
    let webhooks = section.get("webhook").map(|field| webhooks(&field, folder));
    let share = section.get("reject_share").and_then(|field| share(&field));
    AlertsConfig {
        webhooks: webhooks.unwrap_or_default(),
        email: section.get("email").and_then(|field| email(&field, folder)),
        on: section
            .get("on")
            .and_then(|field| kinds(&field))
            .unwrap_or_else(|| AlertKind::ALL.into_iter().collect()),
        reject_share: share.unwrap_or(DEFAULT_REJECT_SHARE),
        nothing_settled_after: section
            .positive_duration_or("nothing_settled_after", DEFAULT_NOTHING_SETTLED),
        expires: section
            .get("credential_expires")
            .and_then(|field| thresholds(&field))
            .unwrap_or_else(|| DEFAULT_EXPIRES.to_vec()),
        repeat: section.positive_duration_or("repeat", DEFAULT_REPEAT),
    }
}

/// One webhook, or a list of them. What stands there instead may be an address, and so a secret.
fn webhooks(field: &Field<'_>, folder: &Path) -> Vec<AlertWebhook> {
    let items = match &field.node.value {
        Value::Table(_) => return webhook(field, folder).into_iter().collect(),
        Value::Array(_) => field.items().unwrap_or_default(),
        _ => {
            refuse_address(field);
            return Vec::new();
        }
    };
    if items.is_empty() {
        field.refuse_key(format!("`{}` lists no webhook", field.key), None);
    }
    // an entry of a list would be shown: it may be the address itself
    if !items.iter().all(Field::is_table) {
        refuse_address(field);
    }
    items.iter().filter(|item| item.is_table()).filter_map(|item| webhook(item, folder)).collect()
}

fn refuse_address(field: &Field<'_>) {
    let message = format!("`{}` has to be a table", field.key);
    let hint = "write `webhook = { url = { env = \"NAME\" }, format = \"teams\" }`: the address is a secret";
    field.refuse_key(message, Some(hint.to_owned()));
}

fn webhook(field: &Field<'_>, folder: &Path) -> Option<AlertWebhook> {
    let section = field.part()?;
    section.check_keys(WEBHOOK_KEYS, &[]);
    let url = section.require("url").map(|field| secrets::read(&field, folder));
    let formats = [AlertFormat::Json, AlertFormat::Teams, AlertFormat::Slack]
        .map(|each| (each.as_str(), each));
    let format = match section.get("format") {
        Some(field) => field.word(&formats)?,
        None => AlertFormat::default(),
    };
    Some(AlertWebhook { url: url??, format })
}

fn email(field: &Field<'_>, folder: &Path) -> Option<AlertEmail> {
    let section = field.part()?;
    section.check_keys(EMAIL_KEYS, &[]);
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
    section.check_keys(SMTP_KEYS, &[]);
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

fn kinds(field: &Field<'_>) -> Option<BTreeSet<AlertKind>> {
    let mut kinds = BTreeSet::new();
    let mut is_right = true;
    for item in field.items()? {
        let text = item.text()?;
        if let Some(kind) = AlertKind::parse(text) {
            kinds.insert(kind);
            continue;
        }
        is_right = false;
        let words: Vec<String> = AlertKind::ALL.iter().map(|kind| format!("`{kind}`")).collect();
        let known = AlertKind::ALL.iter().map(|kind| kind.as_str());
        let hint = suggest::nearest(text, known).map(suggest::did_you_mean);
        let message = format!("`{}` lists what is no kind of alert", field.key);
        item.refuse(message, hint.or_else(|| Some(format!("there are {}", or(&words)))));
    }
    if field.is_empty_list() {
        let hint = "leave it out to be told of everything".to_owned();
        field.refuse_key(format!("`{}` lists nothing", field.key), Some(hint));
        return None;
    }
    is_right.then_some(kinds)
}

fn thresholds(field: &Field<'_>) -> Option<Vec<Duration>> {
    let mut all = Vec::new();
    for item in field.items()? {
        let length = item.duration()?;
        if length.is_zero() {
            let hint = Some(format!("write it like {}", duration::EXAMPLES));
            item.refuse(format!("`{}` has to be longer than nothing", field.key), hint);
            return None;
        }
        all.push(length);
    }
    if all.is_empty() {
        field.refuse_key(format!("`{}` lists nothing", field.key), None);
        return None;
    }
    all.sort_unstable_by(|left, right| right.cmp(left));
    all.dedup();
    Some(all)
}

fn share(field: &Field<'_>) -> Option<Percent> {
    let share = Percent::parse(field.text()?).filter(|share| !share.is_over_whole());
    if share.is_none() {
        let message = format!("`{}` is no percentage up to 100 %", field.key);
        field.refuse(message, Some("write it like `\"10%\"`".to_owned()));
    }
    share
}
