//! Tokens for Graph: asked for once, kept until shortly before they expire, dropped when refused.
//!
//! Follows the Microsoft identity platform page "OAuth 2.0 client credentials flow". The life of a
//! token is what `expires_in` says; the token itself is never parsed.

use std::io::ErrorKind;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use oauth2::basic::{BasicClient, BasicTokenType};
use oauth2::{
    AuthType, ClientId, ClientSecret, RequestTokenError, Scope, TokenResponse as _, TokenUrl,
};
use reqwest::Client;
use reqwest::header::HeaderValue;
use secrecy::{ExposeSecret as _, SecretString};
use url::Url;

use crate::domain::{Clock, TargetName};
use crate::entra::assertion::Signer;
use crate::entra::base_url::BaseUrl;
use crate::entra::federated;
use crate::entra::identity::Identity;
use crate::entra::oauth::TokenHttp;
use crate::entra::settings::is_guid;
use crate::entra::token_failure::Asked;
use crate::entra::{
    Credential, Disposition, EntraError, FederatedProblem, SettingProblem, TargetSettings,
    TokenFailure,
};

/// How long before its end a token is replaced; a tenth of its life where that is less.
const REFRESH_BEFORE: Duration = Duration::from_mins(5);

/// How long a token is taken to live when the answer does not say.
const UNSTATED_LIFE: Duration = Duration::from_mins(5);

/// The longest life that is believed: what continuous access evaluation gives (28 h).
const LONGEST_LIFE: Duration = Duration::from_hours(28);

/// How long a token that could not be replaced early is used before the next try.
const EARLY_RETRY: SignedDuration = SignedDuration::from_secs(30);

/// RFC 7523 section 2.2.
const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// A token as a header that does not show itself.
#[derive(Clone)]
pub(super) struct Token {
    pub(super) header: HeaderValue,
    number: u64,
}

/// What proves who we are.
pub(super) enum Proof {
    Secret(SecretString),
    Certificate(Signer),
    FederatedToken(PathBuf),
    ManagedIdentity(Identity),
}

impl Proof {
    /// Makes a credential ready for use. A federated token is looked at, so that it is told early
    /// when there is none.
    pub(super) fn new(
        credential: Credential,
        settings: &TargetSettings,
        authority: &BaseUrl,
    ) -> Result<Self, EntraError> {
        if settings.client_id.is_none() && !matches!(credential, Credential::ManagedIdentity { .. })
        {
            let hint = "copy the application (client) id of the API client's app registration";
            return Err(EntraError::Settings(vec![SettingProblem {
                key: "client_id",
                message: "is missing, and the credential is that of an app".to_owned(),
                hint: Some(hint),
            }]));
        }
        match credential {
            Credential::ClientSecret(secret) if secret.expose_secret().is_empty() => {
                Err(EntraError::EmptySecret)
            }
            Credential::ClientSecret(secret) => Ok(Self::Secret(secret)),
            Credential::Certificate { certificate_and_key } => {
                Signer::from_pem(certificate_and_key.expose_secret())
                    .map(Self::Certificate)
                    .map_err(EntraError::Certificate)
            }
            Credential::FederatedToken { file } => match federated::read(&file) {
                Ok(_) => Ok(Self::FederatedToken(file)),
                Err(source) => Err(EntraError::FederatedToken { path: file, source }),
            },
            Credential::ManagedIdentity { client_id: Some(id), .. } if !is_guid(&id) => {
                Err(EntraError::Settings(vec![SettingProblem {
                    key: "credential.managed_identity.client_id",
                    message: "is no GUID".to_owned(),
                    hint: Some("copy the client id of the managed identity from its overview page"),
                }]))
            }
            Credential::ManagedIdentity { client_id, host } => {
                let resource = settings.cloud.graph();
                Identity::new(host, client_id.as_deref(), &resource, authority, &settings.http)
                    .map(Self::ManagedIdentity)
            }
        }
    }
}

impl Proof {
    /// Who is asked with it, and as what.
    const fn asked(&self) -> Asked {
        match self {
            Self::Secret(_) => Asked::WithSecret,
            Self::Certificate(_) => Asked::WithCertificate,
            Self::FederatedToken(_) => Asked::WithFederatedToken,
            Self::ManagedIdentity(identity) => identity.asked(),
        }
    }
}

/// Gets tokens, one request at a time.
pub(super) struct Tokens {
    pub(super) client: Client,
    pub(super) token_url: Url,
    pub(super) client_id: String,
    pub(super) scope: String,
    pub(super) proof: Proof,
    /// What takes its place when it is refused for good.
    pub(super) second: Option<Proof>,
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
}

#[derive(Default)]
struct State {
    kept: Option<Kept>,
    /// Whether the second proof has got the last token.
    uses_second: bool,
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

    fn state(&self) -> MutexGuard<'_, State> {
        self.cache.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks with the proof that got the last token, and where that is refused for good with the other.
    /// Where both are, that is told of the one that was asked with first.
    async fn request(&self, now: Timestamp) -> Result<(HeaderValue, Duration), TokenFailure> {
        let Some(second) = &self.second else { return self.request_with(&self.proof, now).await };
        let used_second = self.state().uses_second;
        let (own, other) = if used_second { (second, &self.proof) } else { (&self.proof, second) };
        let refusal = match self.request_with(own, now).await {
            Err(failure) if failure.is_of_the_credential() => failure,
            answer => return answer,
        };
        match self.request_with(other, now).await {
            Ok(token) => {
                self.state().uses_second = !used_second;
                tracing::warn!(
                    target.name = %self.target,
                    refused = if used_second { "second" } else { "first" },
                    error = %refusal,
                    advice = refusal.advice(),
                    "a credential of this target was refused; the other one is used from now on"
                );
                Ok(token)
            }
            // what passes by itself is no answer to whether it would be taken
            Err(failure) if failure.disposition() != Disposition::Halt => Err(failure),
            Err(_) => Err(refusal),
        }
    }

    async fn request_with(
        &self,
        proof: &Proof,
        now: Timestamp,
    ) -> Result<(HeaderValue, Duration), TokenFailure> {
        let asked = proof.asked();
        let answer = match proof {
            Proof::ManagedIdentity(identity) => identity.request(now).await,
            Proof::Secret(_) | Proof::Certificate(_) | Proof::FederatedToken(_) => {
                self.request_as_app(proof, now).await
            }
        };
        let (header, life) = answer.map_err(|failure| failure.of(asked))?;
        Ok((header, life.unwrap_or(UNSTATED_LIFE)))
    }

    async fn request_as_app(
        &self,
        proof: &Proof,
        now: Timestamp,
    ) -> Result<(HeaderValue, Option<Duration>), TokenFailure> {
        let token_url = TokenUrl::from_url(self.token_url.clone());
        let mut client = BasicClient::new(ClientId::new(self.client_id.clone()))
            .set_auth_type(AuthType::RequestBody)
            .set_token_uri(token_url);
        let mut assertion = None;
        match proof {
            Proof::Secret(secret) => {
                client =
                    client.set_client_secret(ClientSecret::new(secret.expose_secret().to_owned()));
            }
            Proof::Certificate(signer) => {
                let jwt = signer.assertion(&self.client_id, self.token_url.as_str(), now);
                assertion = Some(jwt.ok_or_else(TokenFailure::sign)?);
            }
            Proof::FederatedToken(path) => {
                let file = path.clone();
                let read = tokio::task::spawn_blocking(move || federated::read(&file)).await;
                let token = read.unwrap_or(Err(FederatedProblem::Read(ErrorKind::Interrupted)));
                assertion = Some(token.map_err(TokenFailure::federated)?);
            }
            // it is asked elsewhere, and has nothing to say here
            Proof::ManagedIdentity(_) => return Err(TokenFailure::no_token()),
        }
        let mut request =
            client.exchange_client_credentials().add_scope(Scope::new(self.scope.clone()));
        if let Some(assertion) = &assertion {
            request = request
                .add_extra_param("client_assertion_type", ASSERTION_TYPE)
                .add_extra_param("client_assertion", assertion.expose_secret());
        }
        let http = TokenHttp { client: &self.client, now };
        let answer = request.request_async(&http).await.map_err(|error| match error {
            RequestTokenError::Request(failure) => failure,
            // The others hold the body, and the body may hold a token.
            _ => TokenFailure::no_token(),
        })?;
        if *answer.token_type() != BasicTokenType::Bearer {
            return Err(TokenFailure::no_token());
        }
        let text = format!("Bearer {}", answer.access_token().secret());
        let mut header = HeaderValue::try_from(text).map_err(|_| TokenFailure::no_token())?;
        header.set_sensitive(true);
        Ok((header, answer.expires_in()))
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
        answer: Result<(HeaderValue, Duration), TokenFailure>,
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
                if let Some(kept) = &mut self.kept
                    && asked_at < kept.expires_at
                    && failure.disposition() != Disposition::Halt
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
    fn a_lasting_failure_is_told_at_once() {
        let mut state = with_token(3599);
        assert!(state.end(Err(TokenFailure::refused(401, b"", None)), at(3300)).is_err());
    }

    #[test]
    fn a_life_beyond_belief_is_cut() {
        let state = with_token(u64::MAX);
        assert!(state.fresh(at(29 * 3600)).is_none());
    }
}
