//! What is remembered of refused credentials: which one is used instead, and when a refused one may be
//! shown again.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::entra::TokenFailure;
use crate::entra::proof::Print;

/// How long the credentials are not shown again after the first refusal; twice as long after each next.
const FIRST_PAUSE: Duration = Duration::from_mins(1);
/// The longest such pause.
const LONGEST_PAUSE: Duration = Duration::from_hours(1);

/// How the credentials of a target stand, as far as this process has asked with them.
#[derive(Debug, Clone, Default)]
pub struct CredentialsSeen {
    /// Which one got the last token: 0 is the first of the config.
    pub in_use: Option<usize>,
    /// Those that were refused when they were last asked with, or could not be had.
    pub refused: Vec<Refused>,
    /// How often Entra refused one.
    pub refusals: u64,
    /// When they are shown again by themselves, where all were refused.
    pub again_at: Option<Timestamp>,
}

/// A credential that was refused.
#[derive(Debug, Clone)]
pub struct Refused {
    /// Which one: 0 is the first of the config.
    pub number: usize,
    /// Why.
    pub failure: TokenFailure,
    /// When.
    pub at: Timestamp,
}

impl Refused {
    /// The word for which one it is.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        if self.number == 0 { "first" } else { "second" }
    }
}

/// See the module.
#[derive(Default)]
pub(super) struct Refusals {
    in_use: Option<usize>,
    refused: Vec<(Refused, Option<Print>)>,
    count: u64,
    held: Option<Held>,
}

/// All credentials were refused as they were then.
struct Held {
    prints: Vec<Option<Print>>,
    failure: TokenFailure,
    since: Timestamp,
    until: Timestamp,
    times: u32,
}

impl Refusals {
    /// The refusal of these very credentials, while it is too early to show them again.
    pub(super) fn held_back(
        &self,
        prints: &[Option<Print>],
        now: Timestamp,
    ) -> Option<TokenFailure> {
        let held = self.held.as_ref()?;
        // a clock that went back must not hold them back for longer
        let is_early = held.since <= now && now < held.until;
        (is_early && held.prints == prints).then(|| held.failure.clone())
    }

    /// Notes that all were refused; gives when they may be shown again.
    pub(super) fn hold_back(
        &mut self,
        prints: Vec<Option<Print>>,
        failure: TokenFailure,
        now: Timestamp,
    ) -> Timestamp {
        let before = self.held.take().filter(|held| held.prints == prints);
        let times = before.map_or(0, |held| held.times.saturating_add(1));
        let pause = FIRST_PAUSE.saturating_mul(1 << times.min(16)).min(LONGEST_PAUSE);
        let until =
            SignedDuration::try_from(pause).ok().and_then(|pause| now.checked_add(pause).ok());
        let until = until.unwrap_or(now);
        self.held = Some(Held { prints, failure, since: now, until, times });
        until
    }

    /// In which order to ask: those that were refused as they are now come last.
    pub(super) fn order(&self, prints: &[Option<Print>]) -> Vec<usize> {
        let was_refused = |number: &usize| {
            let print = prints.get(*number).copied().flatten();
            self.refused
                .iter()
                .any(|(refused, as_was)| refused.number == *number && *as_was == print)
        };
        let (last, mut order): (Vec<_>, Vec<_>) = (0..prints.len()).partition(was_refused);
        order.extend(last);
        order
    }

    /// Notes that one was refused by Entra, or could not be had.
    pub(super) fn note(&mut self, refused: Refused, print: Option<Print>, is_by_entra: bool) {
        self.count += u64::from(is_by_entra);
        self.refused.retain(|(before, _)| before.number != refused.number);
        self.refused.push((refused, print));
    }

    /// Notes that one got a token. Gives the refusal of the one that was used before, where that changes.
    pub(super) fn taken(&mut self, number: usize) -> Option<Refused> {
        self.held = None;
        self.refused.retain(|(refused, _)| refused.number != number);
        let before = self.in_use.replace(number);
        if before == Some(number) || (before.is_none() && number == 0) {
            return None;
        }
        self.refused
            .iter()
            .map(|(refused, _)| refused)
            .find(|refused| refused.number != number)
            .cloned()
    }

    pub(super) fn seen(&self) -> CredentialsSeen {
        CredentialsSeen {
            in_use: self.in_use,
            refused: self.refused.iter().map(|(refused, _)| refused.clone()).collect(),
            refusals: self.count,
            again_at: self.held.as_ref().map(|held| held.until),
        }
    }
}
