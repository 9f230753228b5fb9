//! Why an HR system gave no worker and no report: never with an address, an id or a secret.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use crate::config::SecretError;
use crate::domain::SourceName;
use crate::transport::{TransportFailure, TransportKind};
use crate::web::client::advice;

/// Nothing was had of an HR system.
#[derive(Debug)]
pub struct HydrateFailure {
    /// The source that it was for.
    pub source_name: SourceName,
    /// What went wrong.
    pub trouble: HydrateTrouble,
}

impl fmt::Display for HydrateFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "source `{}`: {}", self.source_name, self.trouble)
    }
}

impl Error for HydrateFailure {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.trouble.source()
    }
}

/// What went wrong.
#[derive(Debug, thiserror::Error)]
pub enum HydrateTrouble {
    /// The HR system knows no such worker (404 or 410).
    #[error("the HR system knows no such worker ({status})")]
    NoSuchWorker {
        /// The answer's status.
        status: u16,
    },
    /// An empty id, or one with steps such as `..` or control characters; nothing was asked.
    #[error("the event's id can stand in no address")]
    BadId,
    /// The address asks for one worker where everybody was wanted, or the other way round.
    #[error("the address does not fit: with `{{id}}` it asks for one worker, without it for all")]
    WrongAddress,
    /// The HR system does not take who we are (401 or 403).
    #[error("the HR system does not accept this bridge's credential ({status})")]
    Auth {
        /// The answer's status.
        status: u16,
    },
    /// The secret cannot be had; nothing was asked.
    #[error("the secret of `hydrate.auth` cannot be read")]
    Secret(#[source] SecretError),
    /// The secret cannot stand in a header; nothing was asked.
    #[error("the secret of `hydrate.auth` has a character in it that no header takes")]
    SecretCharacters,
    /// It leads elsewhere.
    #[error(transparent)]
    Redirect(#[from] RedirectTrouble),
    /// The HR system has no time now, or is broken (408, 429, 5xx; 202 while it prepares a report).
    #[error("the HR system has no answer now ({status})")]
    Busy {
        /// The answer's status.
        status: u16,
        /// How long it asks us to wait.
        retry_after: Option<Duration>,
    },
    /// Any other status.
    #[error("the HR system refuses the request ({status})")]
    Refused {
        /// The answer's status.
        status: u16,
    },
    /// There was no answer, or half of one.
    #[error(transparent)]
    Transport(TransportFailure),
    /// The answer goes on beyond the limit.
    #[error("the answer has more than {limit_bytes} bytes")]
    TooLarge {
        /// The limit.
        limit_bytes: u64,
    },
    /// The answer is no JSON.
    #[error("the answer is no JSON")]
    NotJson,
    /// The answer could not be written to the disk.
    #[error("the answer cannot be written to this machine's disk")]
    Write(#[source] std::io::Error),
    /// This program is being stopped.
    #[error("it was given up, because this program is being stopped")]
    Cancelled,
}

/// A redirect that is not followed. The secret would go with it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RedirectTrouble {
    /// To another scheme, host or port.
    #[error("the HR system sends us on to `{0}`, which is not the origin of `hydrate.url`")]
    Elsewhere(String),
    /// Again and again.
    #[error("the HR system sends us on again and again")]
    TooMany,
    /// To nowhere.
    #[error("the HR system sends us on without saying where to")]
    Nowhere,
}

impl HydrateFailure {
    /// Whether the very same request may be answered later, without anybody doing anything.
    #[must_use]
    pub const fn is_temporary(&self) -> bool {
        self.trouble.is_temporary()
    }

    /// Whether it is about this worker alone; else the next one fares no better, and nothing that came
    /// with this event is lost by trying again once somebody has mended it.
    #[must_use]
    pub const fn is_of_this_worker(&self) -> bool {
        matches!(
            self.trouble,
            HydrateTrouble::NoSuchWorker { .. }
                | HydrateTrouble::BadId
                | HydrateTrouble::Refused { .. }
                | HydrateTrouble::TooLarge { .. }
                | HydrateTrouble::NotJson
        )
    }

    /// How long the HR system asked us to wait.
    #[must_use]
    pub const fn retry_after(&self) -> Option<Duration> {
        self.trouble.retry_after()
    }

    /// What to do about it.
    #[must_use]
    pub const fn advice(&self) -> &'static str {
        use HydrateTrouble as T;
        match &self.trouble {
            T::NoSuchWorker { .. } => {
                "nothing, if the worker was removed there; else check `url`, `id` and what the \
                 credential may see"
            }
            T::BadId => "check where `id` of `hydrate` leads to in the event",
            T::WrongAddress => "check `url` of `hydrate`",
            T::Auth { .. } => {
                "check that the credential is still valid there and may read workers; put a new \
                 one where `auth` of `hydrate` says, no restart is needed"
            }
            T::Secret(_) | T::SecretCharacters => {
                "put the secret where `auth` of `hydrate` says, alone on one line"
            }
            T::Redirect(_) => {
                "write the address that it leads to into `url` of `hydrate`, if it is the HR \
                 system's; an answer to a missing login is a redirect too: check `auth`"
            }
            T::Busy { status: 429, .. } => {
                "nothing: it is tried again; if it goes on, lower `per_second` of `hydrate`"
            }
            T::Busy { .. } => {
                "nothing: it is tried again; if it goes on, ask the HR system's makers"
            }
            T::Refused { .. } => "check `url` of `hydrate` against the HR system's documentation",
            T::Transport(failure) => advice(failure),
            T::TooLarge { .. } => "check that `url` of `hydrate` leads to what was meant",
            T::NotJson => {
                "check that `url` of `hydrate` leads to the HR system's API and to no web page, \
                 such as one for logging in"
            }
            T::Write(_) => "free some space, or mend the permissions of the temporary folder",
            T::Cancelled => "nothing: it is tried again after the start",
        }
    }
}

impl HydrateTrouble {
    pub(super) const fn is_temporary(&self) -> bool {
        match self {
            Self::Busy { .. } | Self::Write(_) | Self::Cancelled => true,
            Self::Transport(failure) => !matches!(failure.kind, TransportKind::Certificate),
            _ => false,
        }
    }

    pub(super) const fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Busy { retry_after, .. } => *retry_after,
            _ => None,
        }
    }
}
