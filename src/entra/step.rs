//! One step of an event of the provisioning log, and how steps and events end.
//!
//! Follows the Microsoft Graph page "provisioningStep resource type". Words that are not known are
//! `Other`: new ones are no reason to lose an event.

use std::fmt;

use serde_json::Value;

/// How an event or a step ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventStatus {
    /// Well.
    Success,
    /// Well, but for something.
    Warning,
    /// It did not happen.
    Failure,
    /// There was nothing to do, or it was out of scope.
    Skipped,
    /// A word that is not documented.
    Other,
}

/// One step of an event.
#[derive(Clone, PartialEq, Eq)]
pub struct LogStep {
    /// Entra's name of it, such as `EntryExportAdd`.
    pub name: String,
    /// What kind of step it is.
    pub kind: StepKind,
    /// How it ended.
    pub status: EventStatus,
    /// Why something was left out: `SkipReason`, or else `errorCode`, of its details.
    pub skip_reason: Option<String>,
    /// The attribute concerned: `PropertyName` of its details.
    pub property: Option<String>,
    /// Entra's words; may quote names.
    pub description: Option<String>,
}

/// The kind of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StepKind {
    /// Reading the request.
    Import,
    /// Holding the person against the scoping filter.
    Scoping,
    /// Looking for the account.
    Matching,
    /// Evaluating the mapping.
    Processing,
    /// Resolving a manager.
    ReferenceResolution,
    /// Writing the account.
    Export,
    /// A word that is not documented.
    Other,
}

impl LogStep {
    pub(super) fn read(step: &Value) -> Self {
        let detail = |wanted: &str| {
            let details = step.get("details")?.as_object()?;
            let (_, value) = details.iter().find(|(key, _)| key.eq_ignore_ascii_case(wanted))?;
            value.as_str().filter(|text| !text.is_empty()).map(str::to_owned)
        };
        Self {
            name: text(step, "name").unwrap_or_default(),
            kind: StepKind::read(step.get("provisioningStepType")),
            status: step
                .get("status")
                .and_then(Value::as_str)
                .map_or(EventStatus::Other, EventStatus::read),
            skip_reason: detail("SkipReason").or_else(|| detail("errorCode")),
            property: detail("PropertyName"),
            description: text(step, "description"),
        }
    }
}

impl EventStatus {
    pub(super) fn read(word: &str) -> Self {
        match word.to_ascii_lowercase().as_str() {
            "success" => Self::Success,
            "warning" => Self::Warning,
            "failure" => Self::Failure,
            "skipped" => Self::Skipped,
            _ => Self::Other,
        }
    }
}

impl StepKind {
    fn read(word: Option<&Value>) -> Self {
        match word.and_then(Value::as_str).unwrap_or("").to_ascii_lowercase().as_str() {
            "import" => Self::Import,
            "scoping" => Self::Scoping,
            "matching" => Self::Matching,
            "processing" => Self::Processing,
            "referenceresolution" => Self::ReferenceResolution,
            "export" => Self::Export,
            _ => Self::Other,
        }
    }
}

/// A member's text; empty text is none.
pub(super) fn text(value: &Value, key: &str) -> Option<String> {
    value.get(key)?.as_str().filter(|text| !text.is_empty()).map(str::to_owned)
}

impl fmt::Debug for LogStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogStep")
            .field("name", &self.name)
            .field("kind", &self.kind)
            .field("status", &self.status)
            .field("skip_reason", &self.skip_reason)
            .field("property", &self.property)
            .finish_non_exhaustive()
    }
}
