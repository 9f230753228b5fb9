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
/// How long nothing more is said of a refusal that stays the same.
const SAY_AGAIN: SignedDuration = SignedDuration::from_hours(1);

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
        word_of(self.number)
    }
}

/// The word for which credential it is.
pub(super) const fn word_of(number: usize) -> &'static str {
    if number == 0 { "first" } else { "second" }
}

/// See the module.
#[derive(Default)]
pub(super) struct Refusals {
    in_use: Option<usize>,
    refused: Vec<(Refused, Option<Print>)>,
    count: u64,
    held: Option<Held>,
    said: Option<Said>,
}

/// The last refusal of all credentials that was said.
struct Said {
    prints: Vec<Option<Print>>,
    code: (Option<u32>, Option<u16>),
    at: Timestamp,
}

/// What it changes that a credential got a token.
#[derive(Debug)]
pub(super) enum Taken {
    /// Nothing.
    AsBefore,
    /// It is used instead of another, which was refused.
    InsteadOf(Refused),
    /// It had been refused, or could not be had; `is_back` where another was used meanwhile.
    Again {
        /// See there.
        is_back: bool,
    },
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

    /// Whether a refusal of all these credentials is news: it was not said yet, or of others, or with
    /// another code, or long ago. It counts as said from then on.
    pub(super) fn is_news(
        &mut self,
        prints: &[Option<Print>],
        failure: &TokenFailure,
        now: Timestamp,
    ) -> bool {
        let code = (failure.aadsts(), failure.status());
        let is_known = self.said.as_ref().is_some_and(|said| {
            let is_recent = said.at <= now && now.duration_since(said.at) < SAY_AGAIN;
            is_recent && said.code == code && said.prints == prints
        });
        if !is_known {
            self.said = Some(Said { prints: prints.to_vec(), code, at: now });
        }
        !is_known
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

    /// Notes that one got a token; gives what that changes.
    pub(super) fn taken(&mut self, number: usize) -> Taken {
        (self.held, self.said) = (None, None);
        let known = self.refused.len();
        self.refused.retain(|(refused, _)| refused.number != number);
        let was_refused = self.refused.len() < known;
        let before = self.in_use.replace(number);
        let is_other = before.unwrap_or(0) != number;
        let other = self.refused.iter().map(|(refused, _)| refused);
        match other.into_iter().find(|_| is_other) {
            Some(other) => Taken::InsteadOf(other.clone()),
            None if is_other || was_refused => Taken::Again { is_back: is_other },
            None => Taken::AsBefore,
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_second(minute * 60).unwrap()
    }

    fn refusal(code: u32) -> TokenFailure {
        let body = format!(r#"{{"error":"invalid_client","error_codes":[{code}]}}"#);
        TokenFailure::refused(401, body.as_bytes(), None)
    }

    fn refused(number: usize) -> Refused {
        Refused { number, failure: refusal(7_000_215), at: at(0) }
    }

    #[test]
    fn a_refusal_is_said_once_an_hour_and_at_once_when_something_changes() {
        let mut refusals = Refusals::default();
        let (old, new) = ([Some(Print::of_test(1))], [Some(Print::of_test(2))]);
        let mut is_news = |prints: &[Option<Print>], code, minute| {
            refusals.is_news(prints, &refusal(code), at(minute))
        };
        assert!(is_news(&old, 7_000_215, 0));
        assert!(!is_news(&old, 7_000_215, 1) && !is_news(&old, 7_000_215, 59));
        assert!(is_news(&old, 7_000_215, 60), "an hour later");
        assert!(!is_news(&old, 7_000_215, 61));
        assert!(is_news(&old, 7_000_222, 62), "another code");
        assert!(is_news(&new, 7_000_222, 63), "another credential");
        assert!(!is_news(&new, 7_000_222, 64));
        assert!(is_news(&new, 7_000_222, 3), "a clock that went back keeps nothing quiet");
        refusals.taken(0);
        assert!(refusals.is_news(&new, &refusal(7_000_222), at(4)), "it was mended in between");
    }

    #[test]
    fn it_is_told_which_credential_is_used_and_that_one_is_used_again() {
        let mut refusals = Refusals::default();
        assert!(matches!(refusals.taken(0), Taken::AsBefore), "the first from the beginning");
        refusals.note(refused(0), None, true);
        assert!(matches!(refusals.taken(1), Taken::InsteadOf(first) if first.number == 0));
        assert!(matches!(refusals.taken(1), Taken::AsBefore));
        assert!(matches!(refusals.taken(0), Taken::Again { is_back: true }));
        assert!(matches!(refusals.taken(0), Taken::AsBefore));
        refusals.note(refused(0), None, true);
        assert!(matches!(refusals.taken(0), Taken::Again { is_back: false }), "there was one only");
        assert!(matches!(refusals.taken(0), Taken::AsBefore));
    }

    #[test]
    fn the_second_of_a_start_is_told_of_and_so_is_the_first_after_both() {
        let mut refusals = Refusals::default();
        refusals.note(refused(0), None, true);
        refusals.note(refused(1), None, true);
        refusals.hold_back(vec![None, None], refusal(7_000_215), at(0));
        assert!(matches!(refusals.taken(1), Taken::InsteadOf(first) if first.number == 0));
        assert!(refusals.seen().again_at.is_none());
        refusals.note(refused(1), None, true);
        assert!(matches!(refusals.taken(0), Taken::InsteadOf(second) if second.number == 1));
    }
}
