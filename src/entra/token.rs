//! Tokens for Graph: asked for once, kept until shortly before they expire, dropped when refused.
//!
//! Follows the Microsoft identity platform page "OAuth 2.0 client credentials flow". The life of a
//! token is what `expires_in` says; the token itself is never parsed.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use reqwest::header::HeaderValue;

use crate::domain::{Clock, TargetName};
use crate::entra::grant::{Grant, Granted};
use crate::entra::proof::{NoProof, Print, Proof, Slot};
use crate::entra::refusals::{Refusals, Refused, Taken, word_of};
use crate::entra::{CredentialsSeen, Disposition, TokenFailure};

/// How long before its end a token is replaced; a tenth of its life where that is less.
const REFRESH_BEFORE: Duration = Duration::from_mins(5);

/// The longest life that is believed: what continuous access evaluation gives (28 h).
const LONGEST_LIFE: Duration = Duration::from_hours(28);

/// How long a token that could not be replaced early is used before the next try.
const EARLY_RETRY: SignedDuration = SignedDuration::from_secs(30);

/// A token as a header that does not show itself.
#[derive(Clone)]
pub(super) struct Token {
    pub(super) header: HeaderValue,
    number: u64,
}

/// Gets tokens, one request at a time.
pub(super) struct Tokens {
    pub(super) grant: Grant,
    /// The credentials, in the order of the config; there are one or two.
    pub(super) slots: Vec<Slot>,
    /// See [`Proof::print`].
    pub(super) salt: [u8; 16],
    /// For the log.
    pub(super) target: TargetName,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) cache: Cache,
}

/// What is known of earlier requests.
#[derive(Default)]
pub(super) struct Cache {
    state: Mutex<State>,
    turn: tokio::sync::Mutex<()>,
    /// Whether whoever asks tells what comes of it, and nothing is to be logged beside.
    is_quiet: AtomicBool,
}

#[derive(Default)]
struct State {
    kept: Option<Kept>,
    refusals: Refusals,
    /// Requests that have ended, well or not.
    ended: u64,
    /// How the last one failed, if it did.
    failure: Option<TokenFailure>,
}

struct Kept {
    token: Token,
    refresh_at: Timestamp,
    expires_at: Timestamp,
}

/// The proofs of one moment, in the order of the config, and how to tell them from later ones.
struct Proofs {
    each: Vec<Result<Proof, NoProof>>,
    prints: Vec<Option<Print>>,
}

impl Tokens {
    /// A token that is good for some more minutes.
    pub(super) async fn get(&self) -> Result<Token, TokenFailure> {
        let ended_before = {
            let state = self.state();
            if let Some(token) = state.fresh(self.clock.now()) {
                return Ok(token);
            }
            state.ended
        };
        // Held over the request on purpose: it is what makes one request of twenty callers. It
        // guards nothing else, and a caller that goes away passes it on.
        let _turn = self.cache.turn.lock().await;
        {
            let state = self.state();
            if let Some(token) = state.fresh(self.clock.now()) {
                return Ok(token);
            }
            if state.ended != ended_before
                && let Some(failure) = &state.failure
            {
                return Err(failure.clone());
            }
        }
        let asked_at = self.clock.now();
        let answer = self.request(asked_at).await;
        self.state().end(answer, asked_at)
    }

    /// Drops a token that Graph refused, unless it has been replaced already.
    pub(super) fn drop_refused(&self, token: &Token) {
        let mut state = self.state();
        if state.kept.as_ref().is_some_and(|kept| kept.token.number == token.number) {
            state.kept = None;
        }
    }

    /// How the credentials stand.
    pub(super) fn credentials(&self) -> CredentialsSeen {
        self.state().refusals.seen()
    }

    /// Logs nothing from now on: whoever asks tells what comes of it.
    pub(super) fn keep_quiet(&self) {
        self.cache.is_quiet.store(true, Ordering::Relaxed);
    }

    fn is_quiet(&self) -> bool {
        self.cache.is_quiet.load(Ordering::Relaxed)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.cache.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks with the credentials as they are now. What was refused for good is asked with again once it
    /// has changed, or after a pause that grows: refusals in a row end in a lock-out.
    async fn request(&self, now: Timestamp) -> Result<Granted, TokenFailure> {
        let proofs = self.proofs().await;
        if let Some(failure) = self.state().refusals.held_back(&proofs.prints, now) {
            return Err(failure);
        }
        let failure = match self.ask_with(&proofs, now).await {
            Err(failure) if failure.is_refusal() => failure,
            answer => return answer,
        };
        // one may have been replaced, and the old one revoked, between the reading and the asking
        let later = self.proofs().await;
        let (failure, prints) = if later.prints == proofs.prints {
            (failure, proofs.prints)
        } else {
            match self.ask_with(&later, now).await {
                Err(failure) if failure.is_refusal() => (failure, later.prints),
                answer => return answer,
            }
        };
        let (is_news, again_at) = {
            let refusals = &mut self.state().refusals;
            let is_news = refusals.is_news(&prints, &failure, now);
            (is_news, refusals.hold_back(prints, failure.clone(), now))
        };
        if is_news && !self.is_quiet() {
            tracing::error!(
                target.name = %self.target,
                error = %failure,
                advice = failure.advice(),
                again_at = %again_at,
                "Entra refuses the credentials of this target; as long as this process runs, it shows them \
                 again once one has changed, and else not before `again_at` and then ever more seldom"
            );
        }
        Err(failure)
    }

    /// Asks with one after the other while they are refused for good; those that were before come last.
    /// Where all are, that is told of the one that was asked with first.
    async fn ask_with(&self, proofs: &Proofs, now: Timestamp) -> Result<Granted, TokenFailure> {
        let order = self.state().refusals.order(&proofs.prints);
        let mut first: Option<TokenFailure> = None;
        for number in order {
            let Some(proof) = proofs.each.get(number) else { continue };
            let print = proofs.prints.get(number).copied().flatten();
            let answer = match proof {
                Ok(proof) => self.grant.ask(proof, now).await,
                Err(missing) => Err(missing.clone().into()),
            };
            match answer {
                Ok(granted) => {
                    self.note_taken(number);
                    return Ok(granted);
                }
                Err(failure) if failure.is_of_the_credential() => {
                    let refused = Refused { number, failure: failure.clone(), at: now };
                    self.state().refusals.note(refused, print, failure.is_refusal());
                    first.get_or_insert(failure);
                }
                // what passes by itself is no answer to whether it would be taken
                Err(failure) if failure.disposition() != Disposition::Halt => return Err(failure),
                Err(failure) => return Err(first.unwrap_or(failure)),
            }
        }
        Err(first.unwrap_or_else(TokenFailure::no_token))
    }

    fn note_taken(&self, number: usize) {
        let taken = self.state().refusals.taken(number);
        if self.is_quiet() {
            return;
        }
        let target = &self.target;
        match taken {
            Taken::AsBefore => {}
            Taken::InsteadOf(refusal) => tracing::warn!(
                target.name = %target,
                refused = refusal.word(),
                error = %refusal.failure,
                advice = refusal.failure.advice(),
                "a credential of this target was refused; the other one is used from now on"
            ),
            Taken::Again { is_back: true } => tracing::info!(
                target.name = %target,
                used = word_of(number),
                "a credential of this target that was not used is taken again, and used from now on"
            ),
            Taken::Again { is_back: false } => tracing::info!(
                target.name = %target,
                used = word_of(number),
                "there are tokens for this target again"
            ),
        }
    }

    /// Reads the credentials, where that holds up nobody.
    async fn proofs(&self) -> Proofs {
        let (slots, salt) = (self.slots.clone(), self.salt);
        let read = tokio::task::spawn_blocking(move || {
            let each: Vec<_> = slots.iter().map(Slot::proof).collect();
            let prints =
                each.iter().map(|proof| proof.as_ref().ok().map(|proof| proof.print(salt)));
            let prints = prints.collect();
            Proofs { each, prints }
        });
        // that fails when the runtime is shut down: then nobody waits for a token any more
        read.await.unwrap_or(Proofs { each: Vec::new(), prints: Vec::new() })
    }
}

impl State {
    fn fresh(&self, now: Timestamp) -> Option<Token> {
        let kept = self.kept.as_ref()?;
        (now < kept.refresh_at).then(|| kept.token.clone())
    }

    /// Notes how a request ended. An old token that still lives is better than none.
    fn end(
        &mut self,
        answer: Result<Granted, TokenFailure>,
        asked_at: Timestamp,
    ) -> Result<Token, TokenFailure> {
        self.ended += 1;
        match answer {
            Ok((header, life)) => {
                let token = Token { header, number: self.ended };
                let life = life.min(LONGEST_LIFE);
                let margin = REFRESH_BEFORE.min(life / 10);
                self.failure = None;
                self.kept = Some(Kept {
                    token: token.clone(),
                    refresh_at: after(asked_at, life.saturating_sub(margin)),
                    expires_at: after(asked_at, life),
                });
                Ok(token)
            }
            Err(failure) => {
                // A refusal for good is told by the log and by an alert; what waits need not fail for it
                // while there is time to mend it.
                if let Some(kept) = &mut self.kept
                    && asked_at < kept.expires_at
                {
                    kept.refresh_at = kept
                        .expires_at
                        .min(asked_at.saturating_add(EARLY_RETRY).unwrap_or(kept.expires_at));
                    return Ok(kept.token.clone());
                }
                self.failure = Some(failure.clone());
                Err(failure)
            }
        }
    }
}

fn after(start: Timestamp, life: Duration) -> Timestamp {
    let life = SignedDuration::try_from(life).unwrap_or(SignedDuration::ZERO);
    start.checked_add(life).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).unwrap()
    }

    fn with_token(life: u64) -> State {
        let mut state = State::default();
        let header = HeaderValue::from_static("Bearer x");
        assert!(state.end(Ok((header, Duration::from_secs(life))), NOW).is_ok());
        state
    }

    #[test]
    fn a_token_is_replaced_five_minutes_early() {
        let state = with_token(3599);
        assert!(state.fresh(at(3298)).is_some());
        assert!(state.fresh(at(3299)).is_none());
    }

    #[test]
    fn a_short_token_is_replaced_a_tenth_early() {
        let state = with_token(100);
        assert!(state.fresh(at(89)).is_some());
        assert!(state.fresh(at(90)).is_none());
        assert!(with_token(0).fresh(NOW).is_none());
    }

    #[test]
    fn a_token_that_still_lives_outlasts_a_passing_failure() {
        let mut state = with_token(3599);
        let passing = || Err(TokenFailure::refused(503, b"", None));
        assert!(state.end(passing(), at(3300)).is_ok());
        assert!(state.fresh(at(3329)).is_some());
        assert!(state.fresh(at(3330)).is_none());
        assert!(state.end(passing(), at(3599)).is_err());
    }

    #[test]
    fn a_token_that_still_lives_outlasts_a_refusal_too() {
        let mut state = with_token(3599);
        let refusal = || Err(TokenFailure::refused(401, b"", None));
        assert!(state.end(refusal(), at(3300)).is_ok());
        assert!(state.end(refusal(), at(3598)).is_ok());
        assert!(state.end(refusal(), at(3599)).is_err());
    }

    #[test]
    fn a_life_beyond_belief_is_cut() {
        let state = with_token(u64::MAX);
        assert!(state.fresh(at(29 * 3600)).is_none());
    }
}
