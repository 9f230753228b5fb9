//! Why there is no token, and what to do about it.
//!
//! Follows the Microsoft Entra page "Microsoft Entra authentication and authorization error codes".
//! `error_description` is never shown: it may hold anything. What is shown is the code, the ids
//! that Microsoft's support asks for, and our own words.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use serde_json::Value;

use crate::entra::error_body::word;
use crate::entra::http;
use crate::entra::token_advice::{ADVICE, FEDERATED_ADVICE, IDENTITY_ADVICE};
use crate::entra::{CertificateProblem, CredentialMissing, Disposition, FederatedProblem};
use crate::transport::TransportFailure;

/// The token endpoint gave no token.
#[derive(Clone)]
pub struct TokenFailure(Box<Details>);

#[derive(Debug, Clone)]
struct Details {
    asked: Asked,
    cause: Cause,
    status: Option<u16>,
    error: Option<String>,
    aadsts: Option<u32>,
    trace_id: Option<String>,
    correlation_id: Option<String>,
    retry_after: Option<Duration>,
}

#[derive(Debug, Clone)]
enum Cause {
    /// The endpoint said no.
    Refused,
    /// There was no answer.
    Transport(TransportFailure),
    /// The answer was a success, but no token.
    NoToken,
    /// The assertion could not be signed.
    Sign,
    /// There was no federated token to send.
    Federated(FederatedProblem),
    /// The credential cannot be had at the moment.
    Missing(CredentialMissing),
    /// What is in its place is no credential.
    Unusable(CredentialMissing),
}

/// Who was asked, and with what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked {
    /// The authority's token endpoint.
    WithSecret,
    /// The same.
    WithCertificate,
    /// The same, with another identity provider's token.
    WithFederatedToken,
    /// The instance metadata service, for a managed identity.
    Imds,
    /// App Service's or Container Apps' `IDENTITY_ENDPOINT`.
    Endpoint,
}

impl Asked {
    const fn is_identity(self) -> bool {
        matches!(self, Self::Imds | Self::Endpoint)
    }

    /// As messages call it.
    const fn whom(self) -> &'static str {
        match self {
            Self::WithSecret | Self::WithCertificate | Self::WithFederatedToken => {
                "the token endpoint"
            }
            Self::Imds => "the instance metadata service (IMDS)",
            Self::Endpoint => "the identity endpoint of this app",
        }
    }
}

/// Codes of the token service that pass by themselves.
const TRANSIENT_CODES: [u32; 3] = [90_033, 50_196, 90_055];

/// What to do about a credential that is not there.
const PUT_IT_THERE: &str = "put it where `credential` of the target refers to; it is read again for every \
     token, and `scimport check` tries it";

/// Codes of a refused credential that come without `invalid_client`.
const CREDENTIAL_CODES: [u32; 5] = [50_027, 70_021, 700_211, 700_212, 700_213];

impl TokenFailure {
    /// Reads a refusal.
    pub(super) fn refused(status: u16, body: &[u8], retry_after: Option<Duration>) -> Self {
        let body: Value = serde_json::from_slice(body).unwrap_or(Value::Null);
        let text = |key| body.get(key).and_then(Value::as_str);
        let first = body.get("error_codes").and_then(|codes| codes.get(0)).and_then(Value::as_u64);
        Self(Box::new(Details {
            asked: Asked::WithSecret,
            cause: Cause::Refused,
            status: Some(status),
            error: text("error").and_then(word),
            aadsts: first
                .and_then(|code| u32::try_from(code).ok())
                .or_else(|| text("error_description").and_then(leading_code)),
            trace_id: text("trace_id").and_then(word),
            correlation_id: text("correlation_id").and_then(word),
            retry_after,
        }))
    }

    /// No answer, or half of one.
    pub(super) fn transport(failure: TransportFailure) -> Self {
        Self::because(Cause::Transport(failure), None)
    }

    /// A success without a usable token.
    pub(super) fn no_token() -> Self {
        Self::because(Cause::NoToken, Some(200))
    }

    /// The key could not sign.
    pub(super) fn sign() -> Self {
        Self::because(Cause::Sign, None)
    }

    /// There is no federated token at the moment.
    pub(super) fn federated(problem: FederatedProblem) -> Self {
        Self::because(Cause::Federated(problem), None)
    }

    /// The credential cannot be had at the moment.
    pub(super) fn no_credential(missing: CredentialMissing) -> Self {
        Self::because(Cause::Missing(missing), None)
    }

    /// What is in the credential's place is none.
    pub(super) fn unusable(why: CredentialMissing) -> Self {
        Self::because(Cause::Unusable(why), None)
    }

    /// The same, of a request to that service.
    pub(super) fn of(mut self, asked: Asked) -> Self {
        self.0.asked = asked;
        self
    }

    fn because(cause: Cause, status: Option<u16>) -> Self {
        Self(Box::new(Details {
            asked: Asked::WithSecret,
            cause,
            status,
            error: None,
            aadsts: None,
            trace_id: None,
            correlation_id: None,
            retry_after: None,
        }))
    }

    /// The HTTP status, where there was an answer.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        self.0.status
    }

    /// OAuth's `error`, such as `invalid_client`.
    #[must_use]
    pub fn error(&self) -> Option<&str> {
        self.0.error.as_deref()
    }

    /// The number of the AADSTS code.
    #[must_use]
    pub fn aadsts(&self) -> Option<u32> {
        self.0.aadsts
    }

    /// The trace id, for Microsoft's support.
    #[must_use]
    pub fn trace_id(&self) -> Option<&str> {
        self.0.trace_id.as_deref()
    }

    /// The correlation id, for Microsoft's support.
    #[must_use]
    pub fn correlation_id(&self) -> Option<&str> {
        self.0.correlation_id.as_deref()
    }

    /// What to do: [`Disposition::Transient`], to be tried again after 1 s, 2 s, 4 s, 8 s; else
    /// [`Disposition::Halt`].
    ///
    /// Throttling of tokens is transient too: it says nothing about the quota of the job.
    #[must_use]
    pub fn disposition(&self) -> Disposition {
        let details = &*self.0;
        let is_transient = match &details.cause {
            // a file that has been there is on its way again
            Cause::Transport(_)
            | Cause::Federated(FederatedProblem::Read(_))
            | Cause::Missing(_) => true,
            Cause::NoToken | Cause::Sign | Cause::Federated(_) | Cause::Unusable(_) => false,
            // IMDS says 404 while it is being updated, and 410 for up to 70 seconds
            Cause::Refused if details.asked.is_identity() => {
                matches!(details.status, Some(404 | 408 | 410 | 429 | 500..=599))
            }
            Cause::Refused => {
                matches!(details.status, Some(408 | 429 | 500..=599))
                    || details.error.as_deref() == Some("temporarily_unavailable")
                    || details.aadsts.is_some_and(|code| TRANSIENT_CODES.contains(&code))
            }
        };
        if is_transient {
            Disposition::Transient { retry_after: details.retry_after }
        } else {
            Disposition::Halt
        }
    }

    /// Whether it is the credential itself that was refused for good: another may be taken.
    pub(super) fn is_of_the_credential(&self) -> bool {
        let details = &*self.0;
        // without the one the other can still do
        if matches!(details.cause, Cause::Missing(_)) {
            return true;
        }
        if details.asked.is_identity() || self.disposition() != Disposition::Halt {
            return false;
        }
        match details.cause {
            Cause::Refused => {
                details.error.as_deref() == Some("invalid_client")
                    || details.aadsts.is_some_and(|code| CREDENTIAL_CODES.contains(&code))
            }
            Cause::Sign | Cause::Federated(_) | Cause::Missing(_) | Cause::Unusable(_) => true,
            Cause::Transport(_) | Cause::NoToken => false,
        }
    }

    /// Whether the other side said no for good: asking again with the same is of no use, and does harm.
    pub(super) fn is_refusal(&self) -> bool {
        matches!(self.0.cause, Cause::Refused) && self.disposition() == Disposition::Halt
    }

    /// What an administrator does about it.
    #[must_use]
    pub fn advice(&self) -> &'static str {
        let details = &*self.0;
        match &details.cause {
            Cause::Transport(_) if details.asked == Asked::Imds => {
                "a managed identity works on Azure's own machines: on one, check that nothing keeps \
                 this program from 169.254.169.254; elsewhere give `credential` a certificate"
            }
            Cause::Transport(failure) => http::advice(failure),
            Cause::NoToken if details.asked.is_identity() => {
                "something else answers in place of the identity service: check what listens there"
            }
            Cause::NoToken => {
                "something on the way answers in place of the token endpoint: check the proxy, and \
                 `authority_url` where it is set"
            }
            Cause::Sign => "the private key cannot sign: check `credential` of the target",
            Cause::Federated(_) => {
                "check `federated_token` of the target, and what writes the file; it is read again \
                 for every token"
            }
            Cause::Missing(why) | Cause::Unusable(why) => {
                let of_certificate = CertificateProblem::among_causes(why);
                of_certificate.map_or(PUT_IT_THERE, CertificateProblem::advice)
            }
            Cause::Refused if self.disposition() != Disposition::Halt => {
                if details.asked.is_identity() {
                    "nothing: it is tried again by itself; if it goes on, this may be no machine \
                     of Azure, or one without a managed identity"
                } else {
                    "nothing: it is tried again by itself"
                }
            }
            Cause::Refused => details.advice(),
        }
    }
}

impl Details {
    /// What to do about a refusal for good.
    fn advice(&self) -> &'static str {
        let federated = match self.asked {
            Asked::WithFederatedToken => FEDERATED_ADVICE,
            _ => &[],
        };
        let of_code = |code| {
            let all = federated.iter().chain(ADVICE);
            all.into_iter().find(|(codes, _)| codes.contains(&code)).map(|(_, advice)| *advice)
        };
        if let Some(advice) = self.aadsts.and_then(of_code) {
            return advice;
        }
        let error = self.error.as_deref();
        if self.asked.is_identity() {
            let known = IDENTITY_ADVICE.iter().find(|(known, _)| Some(*known) == error);
            return known.map_or(
                "the identity service gives this program no token: check the managed identity of \
                 this machine or app, and `managed_identity` of the target",
                |(_, advice)| advice,
            );
        }
        match error {
            Some("invalid_client") => {
                "the credential was not accepted: check `credential` and `client_id` of the target"
            }
            Some(_) => "look the AADSTS code up on Microsoft's page of authentication error codes",
            None => {
                "the answer is not the token endpoint's: check the proxy, `tenant_id` and `cloud`"
            }
        }
    }
}

/// The code at the start of `AADSTS70011: …`.
fn leading_code(description: &str) -> Option<u32> {
    let digits = description.strip_prefix("AADSTS")?;
    let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
    digits.get(..end)?.parse().ok()
}

impl fmt::Display for TokenFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let details = &*self.0;
        let whom = details.asked.whom();
        match &details.cause {
            Cause::Transport(_) => return write!(f, "{whom} gave no answer"),
            Cause::NoToken => return write!(f, "the answer of {whom} holds no token"),
            Cause::Sign => return f.write_str("the client assertion could not be signed"),
            Cause::Federated(_) => return f.write_str("there is no federated token to send"),
            Cause::Missing(_) => {
                return f.write_str("there is no credential to ask for a token with");
            }
            Cause::Unusable(_) => return f.write_str("what is in the credential's place is none"),
            Cause::Refused => write!(f, "{whom} refused to give a token")?,
        }
        let code = details.aadsts.map(|code| format!("AADSTS{code}"));
        let status = details.status.map(|status| status.to_string());
        let known: Vec<_> = [status, details.error.clone(), code].into_iter().flatten().collect();
        write!(f, " ({})", known.join(", "))?;
        if let Some(id) = &details.trace_id {
            write!(f, ", trace id `{id}`")?;
        }
        if let Some(id) = &details.correlation_id {
            write!(f, ", correlation id `{id}`")?;
        }
        Ok(())
    }
}

impl fmt::Debug for TokenFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Error for TokenFailure {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.0.cause {
            Cause::Transport(failure) => Some(failure),
            Cause::Federated(problem) => Some(problem),
            Cause::Missing(why) | Cause::Unusable(why) => Some(why),
            Cause::Refused | Cause::NoToken | Cause::Sign => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(status: u16, error: &str, code: u32) -> TokenFailure {
        let body = format!(
            r#"{{"error":"{error}","error_description":"AADSTS{code}: Jane Doe's secret hunter2",
                "error_codes":[{code}],"trace_id":"7b7b-1","correlation_id":"8c8c-2"}}"#
        );
        TokenFailure::refused(status, body.as_bytes(), None)
    }

    #[test]
    fn permanent_codes_halt_with_their_own_advice() {
        for (codes, advice) in ADVICE {
            for &code in *codes {
                let failure = refusal(400, "invalid_client", code);
                assert_eq!(failure.disposition(), Disposition::Halt, "{code}");
                assert_eq!(failure.advice(), *advice, "{code}");
            }
        }
        let unknown = refusal(400, "invalid_request", 123);
        assert_eq!(unknown.disposition(), Disposition::Halt);
    }

    #[test]
    fn what_passes_by_itself_is_transient() {
        let transient = Disposition::Transient { retry_after: None };
        assert_eq!(refusal(400, "temporarily_unavailable", 1).disposition(), transient);
        assert_eq!(refusal(429, "x", 1).disposition(), transient);
        assert_eq!(refusal(503, "x", 1).disposition(), transient);
        for code in TRANSIENT_CODES {
            assert_eq!(refusal(400, "x", code).disposition(), transient, "{code}");
        }
        let page = TokenFailure::refused(502, b"<html>", Some(Duration::from_secs(3)));
        let expected = Disposition::Transient { retry_after: Some(Duration::from_secs(3)) };
        assert_eq!(page.disposition(), expected);
    }

    #[test]
    fn the_words_hold_code_and_ids_and_nothing_of_the_description() {
        let failure = refusal(401, "invalid_client", 7_000_215);
        assert_eq!(
            failure.to_string(),
            "the token endpoint refused to give a token (401, invalid_client, AADSTS7000215), \
             trace id `7b7b-1`, correlation id `8c8c-2`"
        );
        assert!(!format!("{failure:?}").contains("hunter2"));
    }

    #[test]
    fn the_code_is_found_in_the_description_where_it_stands_nowhere_else() {
        let body = br#"{"error":"invalid_scope","error_description":"AADSTS70011: The scope"}"#;
        assert_eq!(TokenFailure::refused(400, body, None).aadsts(), Some(70_011));
        for body in [&b""[..], b"<html>", b"{\"error_codes\":[]}", b"[1]", b"{\"error\":1}"] {
            assert_eq!(TokenFailure::refused(400, body, None).aadsts(), None);
        }
    }
}
