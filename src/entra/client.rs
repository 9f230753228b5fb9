//! The client of one target: token, upload, job, log.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use jiff::Timestamp;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap};
use reqwest::{Client, RequestBuilder, Response};
use serde_json::Value;
use url::Url;
use uuid::Uuid;

use crate::domain::{Clock, ExternalId, SystemClock};
use crate::entra::base_url::BaseUrl;
use crate::entra::error_body::{ErrorBody, word};
use crate::entra::grant::Grant;
use crate::entra::http::{self, MAX_ERROR_BYTES};
use crate::entra::proof::Slot;
use crate::entra::token::{Cache, Token, Tokens};
use crate::entra::{
    Accepted, Attempt, Call, CallFailure, Contact, CredentialSource, CredentialsSeen, Disposition,
    EntraError, EventPages, JobHealth, JobSchema, MAX_SCHEMA_BYTES, SchemaProblem, TargetSettings,
    TokenFailure, log,
};
use crate::transport::{self, read_at_most};

/// The media type of a bulk request (RFC 7644 section 8.1); any other is answered with 400.
const SCIM_JSON: &str = "application/scim+json";

/// Most bytes of a provisioning job's answer.
const MAX_JOB_BYTES: usize = 1024 * 1024;

/// The client of one target. Cheap to clone; clones share their token.
#[derive(Clone)]
pub struct EntraClient(Arc<Inner>);

struct Inner {
    settings: TargetSettings,
    graph: BaseUrl,
    http: Client,
    tokens: Tokens,
    clock: Arc<dyn Clock>,
    contact: Mutex<Contact>,
}

impl EntraClient {
    /// Makes a client; nothing is sent yet.
    ///
    /// # Errors
    ///
    /// When the settings have mistakes, the credential cannot be had or used, or `ca_file` cannot be read.
    pub fn new(
        settings: TargetSettings,
        credential: impl Into<CredentialSource>,
    ) -> Result<Self, EntraError> {
        Self::with_clock(settings, credential, Arc::new(SystemClock))
    }

    /// The same, with a clock that tests can move.
    ///
    /// # Errors
    ///
    /// As [`EntraClient::new`].
    pub fn with_clock(
        settings: TargetSettings,
        credential: impl Into<CredentialSource>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, EntraError> {
        Self::with_second(settings, credential.into(), None, clock)
    }

    /// The same, with a credential that takes the place of the first when Entra refuses that for good.
    ///
    /// # Errors
    ///
    /// As [`EntraClient::new`], for either.
    pub fn with_second(
        settings: TargetSettings,
        credential: CredentialSource,
        second: Option<CredentialSource>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, EntraError> {
        let addresses = settings.addresses().map_err(EntraError::Settings)?;
        let slots = [Some(credential), second].into_iter().flatten();
        let slots = slots.map(|source| Slot::new(source, &settings, &addresses.authority));
        let tokens = Tokens {
            slots: slots.collect::<Result<_, _>>()?,
            grant: Grant {
                client: http::client(&addresses.authority, &settings.http)?,
                token_url: addresses.authority.join(&[
                    &settings.tenant_id,
                    "oauth2",
                    "v2.0",
                    "token",
                ]),
                client_id: settings.client_id.clone().unwrap_or_default(),
                // The scope names the cloud's Graph, wherever Graph is really called.
                scope: format!("{}.default", settings.cloud.graph()),
            },
            salt: *Uuid::new_v4().as_bytes(),
            target: settings.name.clone(),
            clock: Arc::clone(&clock),
            cache: Cache::default(),
        };
        let http = http::client(&addresses.graph, &settings.http)?;
        let (graph, contact) = (addresses.graph, Mutex::default());
        Ok(Self(Arc::new(Inner { settings, graph, http, tokens, clock, contact })))
    }

    /// Logs no refusal of credentials from now on: whoever asks for tokens tells of it.
    pub fn keep_quiet(&self) {
        self.0.tokens.keep_quiet();
    }

    /// The settings of the target.
    #[must_use]
    pub fn settings(&self) -> &TargetSettings {
        &self.0.settings
    }

    /// Gets a token, unless there is one that is good for some more minutes. For checks, and for
    /// whoever wants to know before a call is counted.
    ///
    /// # Errors
    ///
    /// When the token endpoint gives none.
    pub async fn token(&self) -> Result<(), TokenFailure> {
        self.token_at_hand().await.map(drop)
    }

    /// How the credentials stand, as far as this client, or a clone of it, has asked with them.
    #[must_use]
    pub fn credentials(&self) -> CredentialsSeen {
        self.0.tokens.credentials()
    }

    /// When this client, or a clone of it, last heard of the other side.
    #[must_use]
    pub fn contact(&self) -> Contact {
        *self.0.contact.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sees to it that there is a token to upload with, so that a failure of the token endpoint does
    /// not cost a call that has been counted.
    ///
    /// # Errors
    ///
    /// When the token endpoint gives none.
    pub async fn ready(&self) -> Result<(), CallFailure> {
        self.token().await.map_err(|failure| CallFailure::token(Call::Upload, failure))
    }

    /// Uploads the bytes of a bulk request.
    ///
    /// A 401 is answered with a new token and one more try, so this may be two calls in Entra's
    /// count; [`EntraClient::upload_once`] is for whoever counts each.
    ///
    /// # Errors
    ///
    /// When the request was not accepted, or nobody knows; ask the failure what to do.
    pub async fn upload(
        &self,
        body: impl Into<Vec<u8>>,
        client_request_id: &str,
    ) -> Result<Accepted, CallFailure> {
        let body = body.into();
        match self.post(body.clone(), client_request_id, Attempt::First).await {
            Err(failure) if failure.disposition() == Disposition::RefreshToken => {
                self.post(body, client_request_id, Attempt::AfterRefresh).await
            }
            answer => answer,
        }
    }

    /// Uploads the bytes of a bulk request, with one POST at most. After
    /// [`Disposition::RefreshToken`] the refused token is gone, and the next try is
    /// [`Attempt::AfterRefresh`].
    ///
    /// # Errors
    ///
    /// As [`EntraClient::upload`].
    pub async fn upload_once(
        &self,
        body: impl Into<Vec<u8>>,
        client_request_id: &str,
        attempt: Attempt,
    ) -> Result<Accepted, CallFailure> {
        self.post(body.into(), client_request_id, attempt).await
    }

    /// Asks how the provisioning job stands.
    ///
    /// # Errors
    ///
    /// When Graph cannot be asked, answers with an error or with something that is no job.
    pub async fn job(&self) -> Result<JobHealth, CallFailure> {
        let job = self.get(Call::Job, &self.job_url(None), MAX_JOB_BYTES).await?;
        JobHealth::read(&job).ok_or_else(|| CallFailure::unreadable(Call::Job, 200))
    }

    /// Gets the schema of the provisioning job.
    ///
    /// # Errors
    ///
    /// When Graph cannot be asked, answers with an error, with something that is no schema, or with
    /// more than [`MAX_SCHEMA_BYTES`].
    pub async fn schema(&self) -> Result<JobSchema, CallFailure> {
        let url = self.job_url(Some("schema"));
        let (bytes, request_id) = self.bytes(Call::Schema, &url, MAX_SCHEMA_BYTES).await?;
        let failure = match String::from_utf8(bytes).map(JobSchema::read) {
            Ok(Ok(schema)) => return Ok(schema),
            Err(_) | Ok(Err(SchemaProblem::NoSchema)) => CallFailure::unreadable(Call::Schema, 200),
            Ok(Err(problem)) => CallFailure::no_schema(problem),
        };
        Err(failure.with_request_id(request_id))
    }

    /// Replaces the whole schema of the provisioning job by a text.
    ///
    /// # Errors
    ///
    /// When Graph cannot be asked or does not take it; ask the failure whether it may have arrived.
    pub async fn replace_schema(&self, text: &str) -> Result<(), CallFailure> {
        let (id, url) = (Uuid::new_v4().to_string(), self.job_url(Some("schema")));
        let request = |http: &Client| {
            http.put(url.clone()).header(CONTENT_TYPE, "application/json").body(text.to_owned())
        };
        match self.send(Call::SchemaUpdate, &id, Attempt::First, request).await {
            Err(failure) if failure.disposition() == Disposition::RefreshToken => {
                self.send(Call::SchemaUpdate, &id, Attempt::AfterRefresh, request).await
            }
            answer => answer,
        }
        .map(drop)
    }

    /// The job's events since an instant, page by page. No page at all in a cloud without a log
    /// ([`Cloud::has_provisioning_log`](crate::entra::Cloud::has_provisioning_log)).
    #[must_use]
    pub fn events_since(&self, since: Timestamp) -> EventPages {
        let settings = self.settings();
        let first = settings.cloud.has_provisioning_log().then(|| {
            let mut url = self.0.graph.join(&["v1.0", "auditLogs", "provisioning"]);
            url.set_query(Some(&log::query(&settings.job_id, since)));
            url
        });
        EventPages::new(self.clone(), first)
    }

    /// Everything the log has of one person, page by page, oldest event first. No page at all in a
    /// cloud without a log.
    #[must_use]
    pub fn events_of(&self, person: &ExternalId) -> EventPages {
        let settings = self.settings();
        let first = settings.cloud.has_provisioning_log().then(|| {
            let mut url = self.0.graph.join(&["v1.0", "auditLogs", "provisioning"]);
            url.set_query(Some(&log::query_of(&settings.job_id, person.as_str())));
            url
        });
        EventPages::new(self.clone(), first)
    }

    /// Where Graph is.
    pub(super) fn graph(&self) -> &BaseUrl {
        &self.0.graph
    }

    /// The address of the next page, if it lies where the token may go.
    pub(super) fn own_page(&self, current: &Url, link: &str) -> Result<Url, CallFailure> {
        let url = current.join(link).map_err(|_| CallFailure::foreign_page())?;
        if self.0.graph.is_origin_of(&url) { Ok(url) } else { Err(CallFailure::foreign_page()) }
    }

    /// Gets a JSON document.
    pub(super) async fn get(
        &self,
        call: Call,
        url: &Url,
        limit: usize,
    ) -> Result<Value, CallFailure> {
        let (bytes, request_id) = self.bytes(call, url, limit).await?;
        serde_json::from_slice(&bytes)
            .map_err(|_| CallFailure::unreadable(call, call.expected()).with_request_id(request_id))
    }

    /// Gets the bytes of a document, and the id that Graph gave the request.
    async fn bytes(
        &self,
        call: Call,
        url: &Url,
        limit: usize,
    ) -> Result<(Vec<u8>, Option<String>), CallFailure> {
        let id = Uuid::new_v4().to_string();
        let request = |http: &Client| http.get(url.clone()).header(ACCEPT, "application/json");
        let first = self.send(call, &id, Attempt::First, request).await;
        let mut response = match first {
            Err(failure) if failure.disposition() == Disposition::RefreshToken => {
                self.send(call, &id, Attempt::AfterRefresh, request).await?
            }
            answer => answer?,
        };
        let request_id = request_id(response.headers());
        let body = read_at_most(&mut response, limit).await;
        if let Some(cut) = body.cut {
            return Err(CallFailure::transport(call, cut).with_request_id(request_id));
        }
        if body.is_too_long {
            return Err(CallFailure::too_long(call, limit).with_request_id(request_id));
        }
        Ok((body.bytes, request_id))
    }

    async fn post(
        &self,
        body: Vec<u8>,
        client_request_id: &str,
        attempt: Attempt,
    ) -> Result<Accepted, CallFailure> {
        let url = self.job_url(Some("bulkUpload"));
        let request = |http: &Client| http.post(url).header(CONTENT_TYPE, SCIM_JSON).body(body);
        let response = self.send(Call::Upload, client_request_id, attempt, request).await?;
        // The body of a 202 says nothing, whatever is in it.
        let headers = response.headers();
        Ok(Accepted {
            request_id: request_id(headers),
            sent_at: transport::date(headers).unwrap_or_else(|| self.0.clock.now()),
        })
    }

    /// Sends one request with a token, and makes a failure of every answer but the expected one.
    pub(super) async fn send(
        &self,
        call: Call,
        client_request_id: &str,
        attempt: Attempt,
        request: impl FnOnce(&Client) -> RequestBuilder,
    ) -> Result<Response, CallFailure> {
        let inner = &*self.0;
        let token = self
            .token_at_hand()
            .await
            .map_err(|failure| self.log(call, CallFailure::token(call, failure)))?;
        let request = request(&inner.http)
            .header(AUTHORIZATION, token.header.clone())
            .header("client-request-id", client_request_id)
            .header("return-client-request-id", "true");
        let started = Instant::now();
        let response = request.send().await.map_err(|error| {
            self.note_call(call, false);
            self.log(call, CallFailure::transport(call, error.into()))
        })?;
        let status = response.status().as_u16();
        tracing::debug!(
            target.name = %inner.settings.name,
            graph.call = call.as_str(),
            graph.status = status,
            request.id = request_id(response.headers()),
            client_request.id = client_request_id,
            duration_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
            "Graph answered"
        );
        self.note_call(call, status == call.expected());
        if status == call.expected() {
            return Ok(response);
        }
        Err(self.refused(call, response, &token, attempt).await)
    }

    pub(super) async fn token_at_hand(&self) -> Result<Token, TokenFailure> {
        let token = self.0.tokens.get().await;
        let now = Some(self.0.clock.now());
        self.note(match token {
            Ok(_) => Contact { token_at: now, ..Contact::default() },
            Err(_) => Contact { token_failed_at: now, ..Contact::default() },
        });
        token
    }

    fn note_call(&self, call: Call, is_answered: bool) {
        let now = Some(self.0.clock.now());
        match (call, is_answered) {
            (Call::Log, true) => self.note(Contact { poll_at: now, ..Contact::default() }),
            (Call::Log, false) => self.note(Contact { poll_failed_at: now, ..Contact::default() }),
            _ => {}
        }
    }

    fn note(&self, heard: Contact) {
        let mut contact = self.0.contact.lock().unwrap_or_else(PoisonError::into_inner);
        *contact = contact.and(heard);
    }

    async fn refused(
        &self,
        call: Call,
        mut response: Response,
        token: &Token,
        attempt: Attempt,
    ) -> CallFailure {
        let status = response.status().as_u16();
        if status == 401 {
            self.0.tokens.drop_refused(token);
        }
        let body = read_at_most(&mut response, MAX_ERROR_BYTES).await;
        let headers = response.headers();
        let wait = transport::retry_after(headers, self.0.clock.now());
        let is_fresh = attempt == Attempt::AfterRefresh;
        CallFailure::answered(call, status, ErrorBody::read(&body.bytes), wait, is_fresh)
            .with_request_id(request_id(headers))
    }

    /// Notes a call without an answer, for whoever follows along; handling it is the caller's.
    fn log(&self, call: Call, failure: CallFailure) -> CallFailure {
        tracing::debug!(
            target.name = %self.0.settings.name,
            graph.call = call.as_str(),
            error = %failure,
            "Graph was not reached"
        );
        failure
    }

    pub(super) fn job_url(&self, action: Option<&str>) -> Url {
        let settings = &self.0.settings;
        let principal = settings.service_principal_id.as_str();
        let job = settings.job_id.as_str();
        let path = ["v1.0", "servicePrincipals", principal, "synchronization", "jobs", job];
        let segments: Vec<&str> = path.into_iter().chain(action).collect();
        self.0.graph.join(&segments)
    }
}

fn request_id(headers: &HeaderMap) -> Option<String> {
    headers.get("request-id")?.to_str().ok().and_then(word)
}
