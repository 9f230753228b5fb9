//! How the stand-in misbehaves when asked to: one kind of fault, every so many requests.

use std::fmt;
use std::str::FromStr;

/// A fault and how often it strikes, written `KIND:EVERY` (`throttle:5`: every fifth request).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fault {
    /// What happens.
    pub kind: FaultKind,
    /// Every how many requests to its endpoint; 1 is each.
    pub every: u32,
}

/// What can go wrong. Where several strike the same request, the first in this order wins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum FaultKind {
    /// Upload: the line is closed before the body is read; nothing is staged.
    Reset,
    /// Upload: all is staged, then the line is closed without an answer.
    ResetAfter,
    /// Upload: the request is read, nothing is staged, no answer comes.
    Hang,
    /// Upload: all is staged, then no answer comes.
    HangAfter,
    /// Upload: a valid token is refused with 401, and is invalid from then on.
    TokenExpired,
    /// Upload: 429 without `Retry-After`.
    Throttle,
    /// Upload: 429 with `Retry-After: 1`.
    ThrottleAfter,
    /// Upload: 500, the bucket is full.
    BucketFull,
    /// Upload: 500, an ordinary server fault.
    Error500,
    /// Upload: 502 with an HTML body, as a proxy would answer.
    Error502Html,
    /// Upload: 503 with `Retry-After: 1`.
    Error503,
    /// Upload: 504 with an empty body.
    Error504Empty,
    /// Token endpoint: 503.
    TokenError,
    /// Log: the page is held for two seconds.
    SlowLog,
    /// Log: 500 and 429 in turns.
    LogError,
    /// Managed identity: 404, as IMDS says while it is being updated.
    Identity404,
    /// Managed identity: 410, as IMDS says for up to 70 seconds.
    Identity410,
    /// Managed identity: 429.
    Identity429,
    /// Managed identity: 500.
    Identity500,
    /// Schema, read: somebody else adds an attribute right before the answer.
    SchemaChange,
    /// Schema, read: the answer ends half-way.
    SchemaBroken,
    /// Schema, replaced: 400, and nothing changes.
    SchemaRefused,
    /// Schema, replaced: 500, and nothing changes.
    SchemaError,
    /// Schema, replaced: 204, and nothing changes.
    SchemaIgnored,
    /// Schema, replaced: it is taken, and answered with 504.
    SchemaLate,
}

/// Whose requests a fault counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Endpoint {
    Upload,
    Token,
    Identity,
    Log,
    /// The job's schema, read.
    Schema,
    /// The job's schema, replaced.
    SchemaUpdate,
}

impl FaultKind {
    /// All kinds, in the order in which they win.
    pub const ALL: [Self; 25] = [
        Self::Reset,
        Self::ResetAfter,
        Self::Hang,
        Self::HangAfter,
        Self::TokenExpired,
        Self::Throttle,
        Self::ThrottleAfter,
        Self::BucketFull,
        Self::Error500,
        Self::Error502Html,
        Self::Error503,
        Self::Error504Empty,
        Self::TokenError,
        Self::SlowLog,
        Self::LogError,
        Self::Identity404,
        Self::Identity410,
        Self::Identity429,
        Self::Identity500,
        Self::SchemaChange,
        Self::SchemaBroken,
        Self::SchemaRefused,
        Self::SchemaError,
        Self::SchemaIgnored,
        Self::SchemaLate,
    ];

    /// The word used on the command line and in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Reset => "reset",
            Self::ResetAfter => "reset-after",
            Self::Hang => "hang",
            Self::HangAfter => "hang-after",
            Self::TokenExpired => "token-expired",
            Self::Throttle => "throttle",
            Self::ThrottleAfter => "throttle-after",
            Self::BucketFull => "bucket-full",
            Self::Error500 => "error-500",
            Self::Error502Html => "error-502-html",
            Self::Error503 => "error-503",
            Self::Error504Empty => "error-504-empty",
            Self::TokenError => "token-error",
            Self::Identity404 => "identity-404",
            Self::Identity410 => "identity-410",
            Self::Identity429 => "identity-429",
            Self::Identity500 => "identity-500",
            Self::SlowLog => "slow-log",
            Self::LogError => "log-error",
            Self::SchemaChange => "schema-change",
            Self::SchemaBroken => "schema-broken",
            Self::SchemaRefused => "schema-refused",
            Self::SchemaError => "schema-error",
            Self::SchemaIgnored => "schema-ignored",
            Self::SchemaLate => "schema-late",
        }
    }

    pub(super) const fn endpoint(self) -> Endpoint {
        match self {
            Self::TokenError => Endpoint::Token,
            Self::Identity404 | Self::Identity410 | Self::Identity429 | Self::Identity500 => {
                Endpoint::Identity
            }
            Self::SlowLog | Self::LogError => Endpoint::Log,
            Self::SchemaChange | Self::SchemaBroken => Endpoint::Schema,
            Self::SchemaRefused | Self::SchemaError | Self::SchemaIgnored | Self::SchemaLate => {
                Endpoint::SchemaUpdate
            }
            _ => Endpoint::Upload,
        }
    }
}

impl fmt::Display for FaultKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.kind, self.every)
    }
}

/// The text is no `KIND:EVERY`.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum FaultError {
    /// No colon.
    #[error("`{0}` has no `:EVERY`, as in `throttle:5`")]
    NoEvery(String),
    /// The kind is not known.
    #[error("`{given}` is no kind of fault; there are {kinds}", kinds = kinds())]
    UnknownKind {
        /// What was given.
        given: String,
    },
    /// The number is none, or 0.
    #[error("`{0}` is not a number from 1")]
    NoNumber(String),
}

fn kinds() -> String {
    FaultKind::ALL.map(FaultKind::as_str).join(", ")
}

impl FromStr for Fault {
    type Err = FaultError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (kind, every) =
            text.split_once(':').ok_or_else(|| FaultError::NoEvery(text.to_owned()))?;
        let kind = FaultKind::ALL
            .into_iter()
            .find(|known| known.as_str() == kind)
            .ok_or_else(|| FaultError::UnknownKind { given: kind.to_owned() })?;
        match every.parse() {
            Ok(every) if every > 0 => Ok(Self { kind, every }),
            _ => Err(FaultError::NoNumber(every.to_owned())),
        }
    }
}

/// The faults in force, each with its own count of requests.
#[derive(Debug, Default)]
pub(super) struct FaultPlan {
    faults: Vec<(Fault, u32)>,
}

impl FaultPlan {
    pub(super) fn new(faults: &[Fault]) -> Self {
        let mut faults: Vec<_> = faults.iter().map(|fault| (*fault, 0)).collect();
        faults.sort_by_key(|(fault, _)| fault.kind);
        Self { faults }
    }

    /// Counts a request, and tells the fault that strikes it.
    pub(super) fn strike(&mut self, endpoint: Endpoint) -> Option<FaultKind> {
        let mut struck = None;
        for (fault, seen) in &mut self.faults {
            if fault.kind.endpoint() == endpoint {
                *seen = (*seen + 1) % fault.every;
                if *seen == 0 && struck.is_none() {
                    struck = Some(fault.kind);
                }
            }
        }
        struck
    }

    /// The faults in force, as they are written.
    pub(super) fn list(&self) -> Vec<String> {
        self.faults.iter().map(|(fault, _)| fault.to_string()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_reads_back_as_itself() {
        for kind in FaultKind::ALL {
            let text = format!("{kind}:3");
            assert_eq!(text.parse(), Ok(Fault { kind, every: 3 }));
        }
    }

    #[test]
    fn what_is_no_fault_is_said() {
        assert_eq!("throttle".parse::<Fault>(), Err(FaultError::NoEvery("throttle".to_owned())));
        assert_eq!("hang:0".parse::<Fault>(), Err(FaultError::NoNumber("0".to_owned())));
        let unknown = "boom:1".parse::<Fault>().unwrap_err().to_string();
        assert!(unknown.starts_with("`boom` is no kind of fault; there are reset, "), "{unknown}");
    }

    #[test]
    fn each_fault_counts_its_own_endpoint_and_the_first_kind_wins() {
        let faults = ["throttle:2", "reset:4", "token-error:1"].map(|text| text.parse().unwrap());
        let mut plan = FaultPlan::new(&faults);
        let struck: Vec<_> = (0..4).map(|_| plan.strike(Endpoint::Upload)).collect();
        assert_eq!(
            struck,
            [None, Some(FaultKind::Throttle), None, Some(FaultKind::Reset)],
            "the fourth request is hit by both"
        );
        assert_eq!(plan.strike(Endpoint::Token), Some(FaultKind::TokenError));
        assert_eq!(plan.strike(Endpoint::Log), None);
    }
}
