//! One request for a token: the client credentials grant, with whatever proves who we are.

use std::time::Duration;

use jiff::Timestamp;
use oauth2::basic::{BasicClient, BasicTokenType};
use oauth2::{
    AuthType, ClientId, ClientSecret, RequestTokenError, Scope, TokenResponse as _, TokenUrl,
};
use reqwest::Client;
use reqwest::header::HeaderValue;
use secrecy::ExposeSecret as _;
use url::Url;

use crate::entra::TokenFailure;
use crate::entra::oauth::TokenHttp;
use crate::entra::proof::Proof;

/// How long a token is taken to live when the answer does not say.
const UNSTATED_LIFE: Duration = Duration::from_mins(5);

/// RFC 7523 section 2.2.
const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// A token as a header for Graph, and how long it lives.
pub(super) type Granted = (HeaderValue, Duration);

/// Where tokens are asked for, and for what.
pub(super) struct Grant {
    pub(super) client: Client,
    pub(super) token_url: Url,
    pub(super) client_id: String,
    pub(super) scope: String,
}

impl Grant {
    /// Asks once.
    pub(super) async fn ask(&self, proof: &Proof, now: Timestamp) -> Result<Granted, TokenFailure> {
        let asked = proof.asked();
        let answer = match proof {
            Proof::ManagedIdentity(identity) => identity.request(now).await,
            // no other has anything to say to the authority
            Proof::Secret(_) | Proof::Certificate(_) | Proof::FederatedToken(_) => {
                self.ask_as_app(proof, now).await
            }
        };
        let (header, life) = answer.map_err(|failure| failure.of(asked))?;
        Ok((header, life.unwrap_or(UNSTATED_LIFE)))
    }

    async fn ask_as_app(
        &self,
        proof: &Proof,
        now: Timestamp,
    ) -> Result<(HeaderValue, Option<Duration>), TokenFailure> {
        let token_url = TokenUrl::from_url(self.token_url.clone());
        let mut client = BasicClient::new(ClientId::new(self.client_id.clone()))
            .set_auth_type(AuthType::RequestBody)
            .set_token_uri(token_url);
        if let Proof::Secret(secret) = proof {
            client = client.set_client_secret(ClientSecret::new(secret.expose_secret().to_owned()));
        }
        let signed = match proof {
            Proof::Certificate(signer) => {
                let jwt = signer.assertion(&self.client_id, self.token_url.as_str(), now);
                Some(jwt.ok_or_else(TokenFailure::sign)?)
            }
            _ => None,
        };
        let assertion = match proof {
            Proof::FederatedToken(token) => Some(token),
            _ => signed.as_ref(),
        };
        let mut request =
            client.exchange_client_credentials().add_scope(Scope::new(self.scope.clone()));
        if let Some(assertion) = assertion {
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
