//! `hydrate`: an address of the HR system's that is asked for a worker, or for everybody, and how we
//! prove to it who we are.

use std::path::Path;

use url::{Host, Url};

use crate::config::format::pointer;
use crate::config::node::Value;
use crate::config::secrets::{self, SecretRef};
use crate::config::section::{Field, Section};
use crate::config::webhook::header;

pub(super) const KEYS: &[&str] = &["url", "id", "auth", "record", "per_second"];
pub(super) const FETCH_KEYS: &[&str] = &["url", "auth", "per_second"];
pub(super) const AUTH_KEYS: &[&str] = &["bearer", "basic", "header"];
/// Where the worker's id goes in the address.
pub(super) const ID: &str = "{id}";
/// What HR systems that say how much they bear allow at least.
const PER_SECOND: u32 = 5;
/// More is no rate that any of them bears.
const MOST_PER_SECOND: u32 = 1000;
const AUTH_EXAMPLE: &str = "write it like `auth = { bearer = { env = \"NAME\" } }`";

/// `hydrate` of a webhook: what is fetched when an event carries only an id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HydrateConfig {
    /// From where; `{id}` stands in the address.
    pub fetch: FetchConfig,
    /// JSON Pointer to the worker's id, in each element that the webhook's `records` finds.
    pub id: String,
    /// JSON Pointer to the worker in the answer; empty for the answer itself.
    pub record: String,
}

/// An address that is asked, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchConfig {
    /// https, or http to a literal loopback address. Where it is asked for one worker, `{id}` stands
    /// in its path or query, once.
    pub url: String,
    /// How we prove who we are; `None` where everybody may ask.
    pub auth: Option<AuthConfig>,
    /// Most requests in a second.
    pub per_second: u32,
}

/// How we prove to an HR system who we are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AuthConfig {
    /// `Authorization: Bearer …`.
    Bearer(SecretRef),
    /// `Authorization: Basic …`.
    Basic {
        /// The user's name; some systems take a secret there and nothing as the password.
        user: UserConfig,
        /// Where the password is.
        password: SecretRef,
    },
    /// A header of the system's own.
    Header {
        /// Its name, in lower case.
        name: String,
        /// Where its value is.
        value: SecretRef,
    },
}

/// A user's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UserConfig {
    /// As it stands in the config.
    Text(String),
    /// Kept where secrets are.
    Secret(SecretRef),
}

/// Reads `hydrate` of a webhook.
pub(super) fn read(field: &Field<'_>, folder: &Path) -> Option<HydrateConfig> {
    let section = field.part()?;
    section.check_keys(KEYS);
    let fetch = fetch(&section, folder, true);
    let id = section.require("id").and_then(|field| id_pointer(&field));
    let record = section.get("record").map_or(Some(String::new()), |field| pointer(&field));
    Some(HydrateConfig { fetch: fetch?, id: id?, record: record? })
}

/// Reads `hydrate` of a schedule: everybody at once.
pub(super) fn read_all(field: &Field<'_>, folder: &Path) -> Option<FetchConfig> {
    let section = field.part()?;
    section.check_keys(FETCH_KEYS);
    fetch(&section, folder, false)
}

fn fetch(section: &Section<'_>, folder: &Path, has_id: bool) -> Option<FetchConfig> {
    let url = section.require("url").and_then(|field| address(&field, has_id));
    let auth = section.get("auth").map(|field| auth(&field, folder));
    let per_second = section.get("per_second").map(|field| rate(&field));
    Some(FetchConfig {
        url: url?,
        auth: auth.map_or(Some(None), |auth| auth.map(Some))?,
        per_second: per_second.unwrap_or(Some(PER_SECOND))?,
    })
}

fn id_pointer(field: &Field<'_>) -> Option<String> {
    let id = pointer(field)?;
    if id.is_empty() {
        let hint = "write it like `id = \"/data/employeeId\"`".to_owned();
        field.refuse(format!("`{}` has to lead to a member", field.key), Some(hint));
        return None;
    }
    Some(id)
}

fn rate(field: &Field<'_>) -> Option<u32> {
    let rate = field.positive()?;
    if rate > MOST_PER_SECOND {
        field.refuse(format!("`{}` has to be from 1 to {MOST_PER_SECOND}", field.key), None);
        return None;
    }
    Some(rate)
}

/// The address. It is never shown: people put keys into addresses.
fn address(field: &Field<'_>, has_id: bool) -> Option<String> {
    let text = field.text()?.trim();
    let refuse = |message: &str, hint: &str| {
        field.refuse_key(format!("`{}` {message}", field.key), Some(hint.to_owned()));
        None
    };
    let ids = text.matches(ID).count();
    if has_id && ids != 1 {
        let hint = "write it like `https://hr.example/employees/{id}`";
        return refuse("needs `{id}` once, where the worker's id goes", hint);
    }
    if !has_id && ids > 0 {
        let hint = "name the address of a report that has them all";
        return refuse("has `{id}` in it, but a schedule asks for everybody", hint);
    }
    if text.replace(ID, "").contains(['{', '}']) {
        return refuse("has a brace in it", "write `{` as `%7B`, and `}` as `%7D`");
    }
    let Ok(url) = Url::parse(&text.replace(ID, "0")) else {
        return refuse("is no URL", "write it like `https://hr.example/employees`");
    };
    let is_loopback = match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(_)) | None => false,
    };
    if url.scheme() != "https" && !(url.scheme() == "http" && is_loopback) {
        let hint = "only a literal loopback address, such as `127.0.0.1`, may be plain http";
        return refuse("has to begin with `https://`", hint);
    }
    if !url.username().is_empty() || url.password().is_some() {
        return refuse("has a user name or password in it", AUTH_EXAMPLE);
    }
    if url.fragment().is_some() {
        return refuse("has a `#` in it, and what follows that is never sent", "take it out");
    }
    if has_id && !is_in_path_or_query(text) {
        let hint = "write it like `https://hr.example/employees/{id}`";
        return refuse("has `{id}` in the name of its host", hint);
    }
    Some(text.to_owned())
}

/// Whether the id stands behind the host, whatever it is.
fn is_in_path_or_query(text: &str) -> bool {
    let before = text.split_once(ID).map_or(text, |(before, _)| before);
    before.split_once("://").is_some_and(|(_, rest)| rest.contains(['/', '?']))
}

fn auth(field: &Field<'_>, folder: &Path) -> Option<AuthConfig> {
    if !field.is_table() {
        // what stands there instead may be the secret
        let message = format!("`{}` has to say where the secret is, not what it is", field.key);
        field.refuse_key(message, Some(AUTH_EXAMPLE.to_owned()));
        return None;
    }
    let section = field.part()?;
    section.check_keys(AUTH_KEYS);
    match (section.get("bearer"), section.get("basic"), section.get("header")) {
        (Some(bearer), None, None) => secrets::read(&bearer, folder).map(AuthConfig::Bearer),
        (None, Some(field), None) => basic(&field, folder),
        (None, None, Some(field)) => own_header(&field, folder),
        _ => {
            let message = format!("{} takes one of `bearer`, `basic`, `header`", section.title());
            section.refuse(message, Some(AUTH_EXAMPLE.to_owned()));
            None
        }
    }
}

fn basic(field: &Field<'_>, folder: &Path) -> Option<AuthConfig> {
    let section = table(field, "basic = { user = \"…\", password = { env = \"NAME\" } }")?;
    section.check_keys(&["user", "password"]);
    let user = section.require("user").and_then(|field| user(&field, folder));
    let password = section.require("password").and_then(|field| secrets::read(&field, folder));
    Some(AuthConfig::Basic { user: user?, password: password? })
}

fn user(field: &Field<'_>, folder: &Path) -> Option<UserConfig> {
    if matches!(field.node.value, Value::Table(_)) {
        return secrets::read(field, folder).map(UserConfig::Secret);
    }
    let user = field.text()?;
    if user.contains(':') {
        let message = format!("`{}` has a `:` in it, which ends a user's name", field.key);
        field.refuse_key(message, None);
        return None;
    }
    Some(UserConfig::Text(user.to_owned()))
}

fn own_header(field: &Field<'_>, folder: &Path) -> Option<AuthConfig> {
    let section = table(field, "header = { name = \"X-API-Key\", value = { env = \"NAME\" } }")?;
    section.check_keys(&["name", "value"]);
    let name = section.require("name").and_then(|field| header(&field));
    let value = section.require("value").and_then(|field| secrets::read(&field, folder));
    Some(AuthConfig::Header { name: name?, value: value? })
}

/// A table; what stands there instead may be the secret.
fn table<'d>(field: &Field<'d>, example: &str) -> Option<Section<'d>> {
    if field.is_table() {
        return field.part();
    }
    field.refuse_key(
        format!("`{}` has to be a table", field.key),
        Some(format!("write it like `{example}`")),
    );
    None
}

#[cfg(test)]
mod tests;
