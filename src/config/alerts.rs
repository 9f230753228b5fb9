//! `[alerts]`: who is told when somebody has to look, and of what.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use crate::config::node::Value;
use crate::config::secrets::{self, SecretRef};
use crate::config::section::{Field, Section, or};
use crate::config::{AlertEmail, duration, mail, suggest};
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

pub(super) fn read(section: &Section<'_>, folder: &Path) -> AlertsConfig {
    section.check_keys(KEYS);
    let webhooks = section.get("webhook").map(|field| webhooks(&field, folder));
    let share = section.get("reject_share").and_then(|field| share(&field));
    AlertsConfig {
        webhooks: webhooks.unwrap_or_default(),
        email: section.get("email").and_then(|field| mail::read(&field, folder)),
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
    section.check_keys(WEBHOOK_KEYS);
    let url = section.require("url").map(|field| secrets::read(&field, folder));
    let formats = [AlertFormat::Json, AlertFormat::Teams, AlertFormat::Slack]
        .map(|each| (each.as_str(), each));
    let format = match section.get("format") {
        Some(field) => field.word(&formats)?,
        None => AlertFormat::default(),
    };
    Some(AlertWebhook { url: url??, format })
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
