//! `leavers` and `complete` of a source: who is missing, and whether a file may say so.

use crate::config::section::{Field, Section};
use crate::config::source::Export;
use crate::plan::{CompleteConfig, LeaversConfig, Percent, WhenMissing};
use crate::source::TrailerConfig;

pub(super) const KEYS: &[&str] = &["when_missing", "after", "grace"];
pub(super) const COMPLETE_KEYS: &[&str] = &["min_share", "trailer"];
pub(super) const TRAILER_KEYS: &[&str] = &["starts_with", "count", "total"];
pub(super) const TOTAL_KEYS: &[&str] = &["field", "of"];

/// Reads `leavers`, which has to go with what a file of the source names, where that can be told.
pub(super) fn read(field: &Field<'_>, export: Option<Export>) -> Option<LeaversConfig> {
    let section = field.part()?;
    section.check_keys(KEYS);
    let words = [("ignore", WhenMissing::Ignore), ("deactivate", WhenMissing::Deactivate)];
    let when_missing = section.get("when_missing");
    let default = LeaversConfig::default();
    let config = LeaversConfig {
        when_missing: when_missing
            .as_ref()
            .and_then(|field| field.word(&words))
            .unwrap_or(default.when_missing),
        after: section.get("after").and_then(|field| field.positive()).unwrap_or(default.after),
        grace: section.duration_or("grace", default.grace),
    };
    if let Some(field) = when_missing
        && config.when_missing == WhenMissing::Deactivate
        && export == Some(Export::Changes)
    {
        let message = "`when_missing` cannot deactivate anybody, because a file names only changes";
        let hint = "set `export = \"full\"` if each file names everybody, else take this out";
        field.refuse(message.to_owned(), Some(hint.to_owned()));
    }
    Some(config)
}

/// Reads `complete`: the trailer for the reader of files, the share for planning.
pub(super) fn complete(field: &Field<'_>) -> Option<(CompleteConfig, Option<TrailerConfig>)> {
    let section = field.part()?;
    section.check_keys(COMPLETE_KEYS);
    let min_share = section.get("min_share").and_then(|field| share(&field));
    let trailer = section.get("trailer").and_then(|field| trailer(&field));
    let default = CompleteConfig::default();
    Some((CompleteConfig { min_share: min_share.unwrap_or(default.min_share) }, trailer))
}

/// A percentage of at most the whole.
fn share(field: &Field<'_>) -> Option<Percent> {
    let share = Percent::parse(field.text()?).filter(|share| !share.is_over_whole());
    if share.is_none() {
        let message = format!("`{}` is no percentage up to 100 %", field.key);
        field.refuse(message, Some("write it like `\"90%\"`".to_owned()));
    }
    share
}

fn trailer(field: &Field<'_>) -> Option<TrailerConfig> {
    let section = field.part()?;
    section.check_keys(TRAILER_KEYS);
    let starts_with = section.require_text("starts_with");
    let count = section.get("count").and_then(|field| field.positive());
    let total = section.get("total").and_then(|field| total(&field));
    Some(TrailerConfig { starts_with: starts_with?, count, total })
}

fn total(field: &Field<'_>) -> Option<(u32, String)> {
    let section: Section<'_> = field.part()?;
    section.check_keys(TOTAL_KEYS);
    let at = section.require("field").and_then(|field| field.positive());
    let of = section.require_text("of");
    Some((at?, of?))
}
