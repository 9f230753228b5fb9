//! The adapter between the `oauth2` crate and our HTTP client.
//!
//! `oauth2` 5 knows an older reqwest only; both speak `http` 1, so the adapter is small. A refusal
//! never reaches `oauth2`: its error type drops the status and all that Entra says beyond RFC 6749,
//! so the adapter makes a [`TokenFailure`] of it first.

use std::future::Future;
use std::pin::Pin;

use jiff::Timestamp;
use oauth2::{AsyncHttpClient, HttpRequest, HttpResponse};
use reqwest::{Client, Request};

use crate::entra::TokenFailure;
use crate::entra::http::MAX_ERROR_BYTES;
use crate::transport::{TransportFailure, read_at_most, retry_after};

/// Most bytes of a token answer. Tokens have a few thousand bytes.
const MAX_TOKEN_BYTES: usize = MAX_ERROR_BYTES;

/// Our client, as `oauth2` wants it.
pub(super) struct TokenHttp<'a> {
    pub(super) client: &'a Client,
    pub(super) now: Timestamp,
}

type Answer<'c> = Pin<Box<dyn Future<Output = Result<HttpResponse, TokenFailure>> + Send + 'c>>;

impl<'c> AsyncHttpClient<'c> for TokenHttp<'_> {
    type Error = TokenFailure;
    type Future = Answer<'c>;

    fn call(&'c self, request: HttpRequest) -> Answer<'c> {
        Box::pin(async move {
            let failed = |error| TokenFailure::transport(TransportFailure::from(error));
            let request = Request::try_from(request).map_err(failed)?;
            let mut response = self.client.execute(request).await.map_err(failed)?;
            let body = read_at_most(&mut response, MAX_TOKEN_BYTES).await;
            let status = response.status();
            if status.is_success()
                && let Some(cut) = body.cut
            {
                return Err(TokenFailure::transport(cut));
            }
            if status.as_u16() != 200 {
                let wait = retry_after(response.headers(), self.now);
                return Err(TokenFailure::refused(status.as_u16(), &body.bytes, wait));
            }
            let mut answer = HttpResponse::new(body.bytes);
            *answer.headers_mut() = response.headers().clone();
            Ok(answer)
        })
    }
}
