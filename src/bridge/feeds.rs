//! Sources of the config, ready to read: their files, and their webhooks.

use jiff::tz::TimeZone;

use crate::bridge::setup::provisioning_job;
use crate::config::{Config, Export, SecretRef, Secrets, SourceConfig};
use crate::intake::{Feed, Password};
use crate::mapping::{Mapping, MappingConfig};
use crate::plan::{AsOf, SourceRules};
use crate::source::{Format, FormatConfig, JsonConfig, Limits, Pick, RowsConfig};

/// More than a delivery, or an answer about a worker, has at most.
const MOST_BYTES: usize = 2 * 1024 * 1024;

/// A source, ready to read.
pub(super) fn feed(
    config: &Config,
    source: &SourceConfig,
    mapping: Mapping,
    secrets: &Secrets,
) -> Feed {
    let zone = source.time_zone.as_ref().map(|zone| &zone.zone);
    Feed {
        name: source.name.clone(),
        target: source.target.clone(),
        job: config.target(source.target.as_str()).map(provisioning_job).unwrap_or_default(),
        format: source.format.clone(),
        rows: source.rows.clone(),
        takes_over: source.takes_over.clone(),
        rules: rules(source),
        mapping,
        limits: Limits::default(),
        time_zone: zone.cloned().unwrap_or(TimeZone::UTC),
        password: source.workbook_password.clone().map(|secret| password(secret, secrets)),
    }
}

/// The mapping of a source's webhook: a delivery is as old as its arrival.
pub(super) fn hook_mapping(source: &SourceConfig) -> MappingConfig {
    MappingConfig { as_of: None, ..source.mapping.clone() }
}

/// The same source as its webhook is read. A worker is whole, or is rejected: what is not in a delivery
/// is not known, and must not be taken for empty.
pub(super) fn hook_feed(feed: Feed) -> Feed {
    let json = JsonConfig { records: None, has_all_members: true };
    // the body has its ceiling already: what nobody maps, such as a picture, refuses no worker
    let limits = Limits { record_bytes: MOST_BYTES, field_bytes: MOST_BYTES, ..feed.limits };
    Feed {
        limits,
        format: FormatConfig { format: Some(Format::Json), json, ..FormatConfig::default() },
        rows: RowsConfig { pick: Pick::Last, ..feed.rows },
        rules: SourceRules { is_full: false, as_of: AsOf::Arrival, ..feed.rules },
        ..feed
    }
}

/// The password of a source's workbooks, fetched when a file asks for it.
fn password(secret: SecretRef, secrets: &Secrets) -> Password {
    let secrets = secrets.clone();
    Password::new(move || secret.resolve(&secrets).map_err(|error| error.to_string()))
}

/// What a source says about whole runs.
fn rules(source: &SourceConfig) -> SourceRules {
    SourceRules {
        is_full: source.export == Export::Full,
        guards: source.guards.clone(),
        leavers: source.leavers,
        complete: source.complete,
        as_of: source.as_of.clone(),
    }
}
