//! A failed call of Graph: what was called, what came back, and what to do.
//!
//! No body, no message of Graph's and no token is kept. What to do is decided in
//! [`Disposition`]'s module.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use crate::entra::disposition::{Answer, decide};
use crate::entra::error_body::{ErrorBody, Said};
use crate::entra::http;
use crate::entra::{Disposition, SchemaProblem, TokenFailure};
use crate::transport::{TransportFailure, TransportKind};

/// A call of Graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Call {
    /// bulkUpload.
    Upload,
    /// The provisioning job.
    Job,
    /// The provisioning log.
    Log,
    /// The service principal of the provisioning app.
    Principal,
    /// The list of its provisioning jobs.
    Jobs,
    /// The job's secrets, for its notification settings.
    Secrets,
    /// validateCredentials.
    Validation,
    /// The job's schema, to read.
    Schema,
    /// The job's schema, to replace.
    SchemaUpdate,
}

impl Call {
    /// The word used in logs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Upload => "upload",
            Self::Job => "job",
            Self::Log => "log",
            Self::Principal => "principal",
            Self::Jobs => "jobs",
            Self::Secrets => "secrets",
            Self::Validation => "validation",
            Self::Schema => "schema",
            Self::SchemaUpdate => "schema_update",
        }
    }

    /// The status that says it went well.
    pub(super) const fn expected(self) -> u16 {
        match self {
            Self::Upload => 202,
            Self::Validation | Self::SchemaUpdate => 204,
            Self::Job | Self::Log | Self::Principal | Self::Jobs | Self::Secrets | Self::Schema => {
                200
            }
        }
    }

    /// Whether nothing of a person is sent, so that nothing of one can come back in a message.
    const fn sends_nobody(self) -> bool {
        matches!(self, Self::SchemaUpdate)
    }

    const fn words(self) -> &'static str {
        match self {
            Self::Upload => "the upload",
            Self::Job => "the look at the provisioning job",
            Self::Log => "the reading of the provisioning log",
            Self::Principal => "the look at the provisioning app",
            Self::Jobs => "the look at the app's provisioning jobs",
            Self::Secrets => "the look at the job's notification settings",
            Self::Validation => "the job's own test of its connection",
            Self::Schema => "the reading of the job's schema",
            Self::SchemaUpdate => "the update of the job's schema",
        }
    }
}

/// What is answered to a text that is not as it should be.
const REFUSED_TEXT: [u16; 4] = [400, 409, 415, 422];

/// A call that failed.
#[derive(Debug)]
pub struct CallFailure {
    call: Call,
    request_id: Option<String>,
    cause: Cause,
}

#[derive(Debug)]
enum Cause {
    /// There was no token to call with.
    Token(TokenFailure),
    /// There was no answer.
    Transport(TransportFailure),
    /// Graph said no, or something else answered.
    Answered(Box<Answered>),
    /// The answer was a success, but not what Graph documents.
    Unreadable { status: u16 },
    /// The answer was a success, but no schema to work with.
    NoSchema(SchemaProblem),
    /// The answer was longer than anything that is expected.
    TooLong { limit_bytes: usize },
    /// The next page lies somewhere else.
    ForeignPage,
    /// The pages do not end.
    TooManyPages,
}

#[derive(Debug)]
struct Answered {
    status: u16,
    code: Option<String>,
    is_bucket_full: bool,
    retry_after: Option<Duration>,
    is_fresh_token: bool,
    /// Why Graph does not take a schema, in its own words.
    said: Option<Said>,
}

impl CallFailure {
    pub(super) fn token(call: Call, failure: TokenFailure) -> Self {
        Self { call, request_id: None, cause: Cause::Token(failure) }
    }

    pub(super) fn transport(call: Call, failure: TransportFailure) -> Self {
        Self { call, request_id: None, cause: Cause::Transport(failure) }
    }

    pub(super) fn answered(
        call: Call,
        status: u16,
        body: ErrorBody,
        retry_after: Option<Duration>,
        is_fresh_token: bool,
    ) -> Self {
        let ErrorBody { code, request_id, is_bucket_full, said } = body;
        let said = said.filter(|_| call.sends_nobody() && REFUSED_TEXT.contains(&status));
        let answered = Answered { status, code, is_bucket_full, retry_after, is_fresh_token, said };
        Self { call, request_id, cause: Cause::Answered(Box::new(answered)) }
    }

    pub(super) fn unreadable(call: Call, status: u16) -> Self {
        Self { call, request_id: None, cause: Cause::Unreadable { status } }
    }

    pub(super) fn no_schema(problem: SchemaProblem) -> Self {
        Self { call: Call::Schema, request_id: None, cause: Cause::NoSchema(problem) }
    }

    pub(super) fn too_long(call: Call, limit_bytes: usize) -> Self {
        Self { call, request_id: None, cause: Cause::TooLong { limit_bytes } }
    }

    pub(super) fn foreign_page() -> Self {
        Self { call: Call::Log, request_id: None, cause: Cause::ForeignPage }
    }

    pub(super) fn too_many_pages() -> Self {
        Self { call: Call::Log, request_id: None, cause: Cause::TooManyPages }
    }

    /// The same failure, with the id the other side gave the request.
    pub(super) fn with_request_id(mut self, request_id: Option<String>) -> Self {
        self.request_id = request_id.or(self.request_id);
        self
    }

    /// What was called.
    #[must_use]
    pub fn call(&self) -> Call {
        self.call
    }

    /// Graph's HTTP status; `None` where Graph did not answer (also when the token endpoint did).
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        match &self.cause {
            Cause::Answered(answered) => Some(answered.status),
            Cause::Unreadable { status } => Some(*status),
            Cause::NoSchema(_) => Some(Call::Schema.expected()),
            _ => None,
        }
    }

    /// Graph's `error.code`; for a token `AADSTS…` or OAuth's `error`.
    #[must_use]
    pub fn code(&self) -> Option<String> {
        match &self.cause {
            Cause::Answered(answered) => answered.code.clone(),
            Cause::Token(failure) => failure
                .aadsts()
                .map(|code| format!("AADSTS{code}"))
                .or_else(|| failure.error().map(str::to_owned)),
            _ => None,
        }
    }

    /// Graph's id of the request, for Microsoft's support.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        self.request_id.as_deref()
    }

    /// The failure of the token, where there was no token to call with.
    #[must_use]
    pub fn token_failure(&self) -> Option<&TokenFailure> {
        match &self.cause {
            Cause::Token(failure) => Some(failure),
            _ => None,
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn disposition(&self) -> Disposition {
        match &self.cause {
            Cause::Token(failure) => failure.disposition(),
            Cause::Answered(answered) => decide(&Answer {
                status: answered.status,
                code: answered.code.as_deref(),
                is_bucket_full: answered.is_bucket_full,
                retry_after: answered.retry_after,
                is_fresh_token: answered.is_fresh_token,
            }),
            Cause::Transport(_)
            | Cause::Unreadable { .. }
            | Cause::NoSchema(_)
            | Cause::TooLong { .. }
            | Cause::TooManyPages => Disposition::Transient { retry_after: None },
            Cause::ForeignPage => Disposition::Halt,
        }
    }

    /// Whether the other side may have taken the request all the same. Sending it again is
    /// harmless: Entra compares and writes only what differs.
    #[must_use]
    pub fn may_have_arrived(&self) -> bool {
        match &self.cause {
            Cause::Transport(failure) => {
                matches!(failure.kind, TransportKind::Timeout | TransportKind::Cut)
            }
            Cause::Answered(answered) => {
                answered.status < 400 || (answered.status >= 500 && !answered.is_bucket_full)
            }
            Cause::Unreadable { .. } | Cause::NoSchema(_) | Cause::TooLong { .. } => true,
            Cause::Token(_) | Cause::ForeignPage | Cause::TooManyPages => false,
        }
    }

    /// What an administrator does about it.
    #[must_use]
    pub fn advice(&self) -> &'static str {
        match &self.cause {
            Cause::Token(failure) => failure.advice(),
            Cause::Transport(failure) => http::advice(failure),
            Cause::Answered(answered) => self.advice_on(answered),
            Cause::NoSchema(SchemaProblem::Repeated(_)) => {
                "nobody can say which of both counts, so nothing is done with it: try again; if it stays \
                 so, tell Microsoft's support, with the request-id"
            }
            Cause::Unreadable { .. } | Cause::NoSchema(_) => {
                "nothing: it is tried again; if it goes on, something on the way answers in place \
                 of Graph: check the proxy"
            }
            Cause::TooLong { .. } => {
                "something on the way may answer in place of Graph: check the proxy; if the answer is \
                 Graph's own, tell us how large it is"
            }
            Cause::ForeignPage => {
                "the token was not sent; check the proxy, and `graph_url` where it is set"
            }
            Cause::TooManyPages => "nothing: reading goes on from the last event",
        }
    }

    fn advice_on(&self, answered: &Answered) -> &'static str {
        let code = answered.code.as_deref().unwrap_or("");
        match (answered.status, self.call) {
            (..400, _) => {
                "something on the way answers in place of Graph: check the proxy, and `graph_url` \
                 where it is set"
            }
            (400 | 415, Call::Upload) if self.disposition() == Disposition::Reject => {
                "Graph did not understand the request: check the file with `scimport convert \
                 --strict`, and the custom attributes against the job's schema"
            }
            (401, _) => {
                "check this machine's clock, and that `tenant_id` and `cloud` are those of the job"
            }
            (403, Call::Log) if code.contains("NonPremiumTenant") => {
                "the provisioning log needs a licence for Microsoft Entra ID P1 in the tenant"
            }
            (403, Call::Upload) => {
                "grant the client `SynchronizationData-User.Upload` of Microsoft Graph with admin \
                 consent; a token from before the consent does not carry it"
            }
            (403, Call::Job | Call::Jobs) => {
                "grant the client `Synchronization.Read.All` of Microsoft Graph with admin consent"
            }
            (403, Call::Log) => {
                "grant the client `ProvisioningLog.Read.All` of Microsoft Graph with admin consent"
            }
            (403, Call::Secrets | Call::Validation) => {
                "nothing has to be done: the permission for it is `Synchronization.ReadWrite.All`, and \
                 a bridge should not have it"
            }
            (403, Call::Principal) => {
                "nothing has to be done: the permission for it is `Application.Read.All`, and a bridge \
                 needs no such look"
            }
            (403, Call::Schema) => {
                "grant the client `Synchronization.Read.All` of Microsoft Graph: Entra admin center, \
                 App registrations, the client's app, API permissions, Add a permission, Microsoft \
                 Graph, Application permissions; then Grant admin consent"
            }
            (403, Call::SchemaUpdate) => {
                "grant the client `Synchronization.ReadWrite.All` of Microsoft Graph (or \
                 `Application.ReadWrite.OwnedBy`, where it owns the provisioning app): Entra admin \
                 center, App registrations, the client's app, API permissions, Add a permission, \
                 Microsoft Graph, Application permissions; then Grant admin consent; it can be taken \
                 away again afterwards, for uploads need neither"
            }
            (400 | 413 | 415, Call::SchemaUpdate) => {
                "nothing was changed: correct what Graph names, in the mapping or in the backup; where it \
                 names nothing, make the change in the Entra admin center"
            }
            (407, _) => "the proxy wants a user name: check `proxy` under `[http]`",
            (413, _) => "nothing: the request is sent in two",
            (429, _) => {
                "nothing: it is tried again; if it goes on, the daily calls of the tenant are used \
                 up, perhaps by another client"
            }
            (500, _) if answered.is_bucket_full => {
                "the job's queue is full: check that the job runs and is not in quarantine; \
                 sending goes on by itself once there is room"
            }
            (408 | 500.., _) => {
                "nothing: it is tried again; if it goes on, look at Microsoft's service health"
            }
            _ => {
                "check `service_principal_id` (the object id of the provisioning app), `job_id` \
                 and `tenant_id`: all three belong to one tenant"
            }
        }
    }
}

impl fmt::Display for CallFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let call = self.call.words();
        match &self.cause {
            Cause::Token(_) => write!(f, "there is no token for {call}")?,
            Cause::Transport(_) => write!(f, "{call} got no answer")?,
            Cause::Answered(answered) => {
                write!(f, "{call} was answered with {}", answered.status)?;
                if let Some(code) = &answered.code {
                    write!(f, " ({code})")?;
                }
                if answered.status < 400 {
                    write!(f, ", expected {}", self.call.expected())?;
                }
            }
            Cause::Unreadable { .. } | Cause::NoSchema(_) => {
                write!(f, "the answer to {call} is not what is expected")?;
            }
            Cause::TooLong { limit_bytes } => {
                write!(f, "the answer to {call} is longer than {limit_bytes} bytes")?;
            }
            Cause::ForeignPage => write!(f, "{call} was to go on at another host")?,
            Cause::TooManyPages => write!(f, "{call} came to no end")?,
        }
        match &self.request_id {
            Some(id) => write!(f, ", request-id `{id}`"),
            None => Ok(()),
        }
    }
}

impl Error for CallFailure {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.cause {
            Cause::Token(failure) => Some(failure),
            Cause::Transport(failure) => Some(failure),
            Cause::NoSchema(problem) => Some(problem),
            Cause::Answered(answered) => answered.said.as_ref().map(|said| said as _),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(call: Call, status: u16, body: &str) -> CallFailure {
        CallFailure::answered(call, status, ErrorBody::read(body.as_bytes()), None, false)
    }

    #[test]
    fn the_words_name_the_call_the_status_and_the_code() {
        let body = r#"{"error":{"code":"Authorization_RequestDenied","message":"Jane Doe"}}"#;
        let failure = answered(Call::Upload, 403, body).with_request_id(Some("7b7b-1".to_owned()));
        assert_eq!(
            failure.to_string(),
            "the upload was answered with 403 (Authorization_RequestDenied), request-id `7b7b-1`"
        );
        assert!(!format!("{failure:?}").contains("Jane"));
        assert!(failure.advice().contains("SynchronizationData-User.Upload"));
    }

    #[test]
    fn a_success_that_is_not_the_expected_one_says_so() {
        let failure = answered(Call::Upload, 200, "");
        assert_eq!(failure.to_string(), "the upload was answered with 200, expected 202");
        assert_eq!(failure.disposition(), Disposition::Halt);
        assert!(failure.may_have_arrived());
    }

    #[test]
    fn a_refusal_has_not_arrived_and_a_fault_may_have() {
        for (status, expected) in
            [(400, false), (401, false), (429, false), (500, true), (504, true)]
        {
            assert_eq!(answered(Call::Upload, status, "").may_have_arrived(), expected, "{status}");
        }
        let full = "The bucket that stores the ingested data is full";
        assert!(!answered(Call::Upload, 500, full).may_have_arrived());
    }

    #[test]
    fn every_status_has_advice_for_every_call() {
        use Call::{Job, Jobs, Log, Principal, Schema, SchemaUpdate, Secrets, Upload, Validation};
        for call in [Upload, Job, Log, Principal, Jobs, Secrets, Validation, Schema, SchemaUpdate] {
            for status in [200, 302, 400, 401, 403, 404, 405, 407, 413, 415, 418, 429, 500, 503] {
                assert!(!answered(call, status, "").advice().is_empty());
            }
        }
    }
}
