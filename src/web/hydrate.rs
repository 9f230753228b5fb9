//! Asking an HR system for one worker, or for everybody.
//!
//! The secret is fetched for each request and goes to the origin of `url` and nowhere else: a
//! redirect to another scheme, host or port is refused, one on the same origin is followed a few
//! times. Answers have a ceiling, whatever they claim to be. What may pass by itself is tried again
//! with pauses, as the other side asks for or doubling; both are bounded, and cancelling ends them.

use std::fmt;
use std::path::Path;
use std::time::Duration;

use reqwest::header::{ACCEPT, LOCATION};
use reqwest::{Client, Response, StatusCode};
use serde::de::IgnoredAny;
use tokio::fs::OpenOptions;
use tokio::io::{AsyncWriteExt as _, BufWriter};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::config::{AuthConfig, FetchConfig, HttpConfig, Secrets, aside};
use crate::domain::{Clock as _, SourceName, SystemClock};
use crate::source::Limits;
use crate::transport::{TransportFailure, read_at_most, retry_after};
use crate::web::address::Address;
use crate::web::auth::{self, AuthError};
use crate::web::pace::Pace;
use crate::web::{HydrateFailure, HydrateTrouble, RedirectTrouble, WebError, client};

/// The largest answer that is one worker, in bytes: a worker with a picture in it passes.
const MAX_WORKER_BYTES: usize = 1024 * 1024;
/// Redirects on the same origin that are followed: `/v1` to `/v1/`, and to a region of it.
const MAX_REDIRECTS: usize = 3;
/// How long an HR system may take to prepare a report of everybody.
const DOCUMENT_WAIT: Duration = Duration::from_mins(10);
/// How long it may take to send one.
const DOCUMENT_TIMEOUT: Duration = Duration::from_hours(2);
/// Bytes gathered before they are written to the disk.
const BUFFER: usize = 256 * 1024;

/// How long it is tried again what may pass by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// Most requests for one answer, redirects apart.
    pub attempts: u32,
    /// The first pause; each is twice as long as the one before, and spread a little.
    pub base: Duration,
    /// The longest of these pauses.
    pub cap: Duration,
    /// The longest pause that the other side may ask for; a longer one is for the caller.
    pub longest_wait: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            attempts: 5,
            base: Duration::from_secs(1),
            cap: Duration::from_secs(30),
            longest_wait: Duration::from_mins(1),
        }
    }
}

/// Asks one HR system. Made once for a source: it keeps connections, and the pace.
pub struct Hydrator {
    source: SourceName,
    address: Address,
    auth: Option<AuthConfig>,
    secrets: Secrets,
    client: Client,
    pace: Pace,
    patience: Patience,
    timeout: Duration,
}

impl fmt::Debug for Hydrator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hydrator").field("source", &self.source).finish_non_exhaustive()
    }
}

impl Hydrator {
    /// One that asks at an address; `secrets` follows the references of the config.
    ///
    /// # Errors
    ///
    /// When the address may not be called, or `http.ca_file` cannot be used.
    pub fn new(
        source: &SourceName,
        config: &FetchConfig,
        http: &HttpConfig,
        secrets: Secrets,
    ) -> Result<Self, WebError> {
        let address = Address::parse(&config.url).ok_or(WebError::NoHost)?;
        Ok(Self {
            source: source.clone(),
            client: client(address.sample(), http)?,
            address,
            auth: config.auth.clone(),
            secrets,
            pace: Pace::new(config.per_second),
            patience: Patience::default(),
            timeout: http.timeout,
        })
    }

    /// The same, with another patience.
    #[must_use]
    pub const fn with_patience(mut self, patience: Patience) -> Self {
        self.patience = patience;
        self
    }

    /// Looks whether the secret can be had, and asks nobody.
    ///
    /// # Errors
    ///
    /// When it cannot.
    pub fn check(&self) -> Result<(), HydrateFailure> {
        let header = self.auth.as_ref().map(|auth| auth::header(auth, &self.secrets));
        header.transpose().map(drop).map_err(|error| self.failure(error.into()))
    }

    /// The answer about one worker: JSON, as it came.
    ///
    /// # Errors
    ///
    /// When there is none; the failure says whether it is worth trying later.
    pub async fn worker(
        &self,
        id: &str,
        cancel: &CancellationToken,
    ) -> Result<Vec<u8>, HydrateFailure> {
        let Some(url) = self.address.of(id) else {
            let is_for_all = self.address.everybody().is_some();
            let trouble =
                if is_for_all { HydrateTrouble::WrongAddress } else { HydrateTrouble::BadId };
            return Err(self.failure(trouble));
        };
        self.persist(&url, None, cancel).await
    }

    /// Writes the answer about everybody into a file, which only this user may read. When there is
    /// none, what was written of it is removed.
    ///
    /// # Errors
    ///
    /// When there is none; the failure says whether it is worth trying later.
    pub async fn document(
        &self,
        into: &Path,
        cancel: &CancellationToken,
    ) -> Result<(), HydrateFailure> {
        let Some(url) = self.address.everybody() else {
            return Err(self.failure(HydrateTrouble::WrongAddress));
        };
        let had = self.persist(&url, Some(into), cancel).await;
        if had.is_err() {
            drop(tokio::fs::remove_file(into).await);
        }
        had.map(drop)
    }

    /// Asks until there is an answer, or no more use in asking.
    async fn persist(
        &self,
        url: &Url,
        into: Option<&Path>,
        cancel: &CancellationToken,
    ) -> Result<Vec<u8>, HydrateFailure> {
        let asking = async {
            let mut pause = self.patience.base;
            for attempt in 1_u32.. {
                let trouble = match self.attempt(url, into).await {
                    Ok(had) => return Ok(had),
                    Err(trouble) => trouble,
                };
                let asked = trouble.retry_after();
                if let Some(wait) = asked {
                    // it is meant for everybody who asks
                    self.pace.hold(wait.min(self.patience.longest_wait));
                }
                if !trouble.is_temporary()
                    || attempt >= self.patience.attempts
                    || asked.is_some_and(|wait| wait > self.patience.longest_wait)
                {
                    return Err(trouble);
                }
                let jittered = pause / 2 + (pause / 2).mul_f64(fastrand::f64());
                let wait = asked.unwrap_or(jittered);
                pause = pause.saturating_mul(2).min(self.patience.cap);
                tracing::debug!(
                    source = %self.source,
                    attempt,
                    reason = %trouble,
                    wait_ms = wait.as_millis(),
                    "the HR system is asked again"
                );
                tokio::time::sleep(wait).await;
            }
            Err(HydrateTrouble::Cancelled)
        };
        let had = tokio::select! {
            biased;
            () = cancel.cancelled() => Err(HydrateTrouble::Cancelled),
            had = asking => had,
        };
        had.map_err(|trouble| self.failure(trouble))
    }

    async fn attempt(&self, url: &Url, into: Option<&Path>) -> Result<Vec<u8>, HydrateTrouble> {
        let mut response = self.ask(url, into.is_some()).await?;
        let Some(path) = into else {
            let body = read_at_most(&mut response, MAX_WORKER_BYTES).await;
            if body.is_too_long {
                return Err(HydrateTrouble::TooLarge { limit_bytes: MAX_WORKER_BYTES as u64 });
            }
            if let Some(cut) = body.cut {
                return Err(HydrateTrouble::Transport(cut));
            }
            return match serde_json::from_slice::<IgnoredAny>(&body.bytes) {
                Ok(_) => Ok(body.bytes),
                Err(_) => Err(HydrateTrouble::NotJson),
            };
        };
        self.receive(response, path).await?;
        Ok(Vec::new())
    }

    /// Sends the request, follows what leads on, and judges the status.
    async fn ask(&self, url: &Url, is_document: bool) -> Result<Response, HydrateTrouble> {
        let mut url = url.clone();
        for _ in 0..=MAX_REDIRECTS {
            self.pace.turn().await;
            let accept = if is_document { "*/*" } else { "application/json" };
            let mut request = self.client.get(url.clone()).header(ACCEPT, accept);
            if let Some(auth) = &self.auth {
                let (auth, secrets) = (auth.clone(), self.secrets.clone());
                let (name, value) = aside(move || auth::header(&auth, &secrets)).await?;
                request = request.header(name, value);
            }
            let sent = if is_document {
                let request = request.timeout(DOCUMENT_TIMEOUT);
                match timeout(DOCUMENT_WAIT.max(self.timeout), request.send()).await {
                    Ok(sent) => sent.map_err(TransportFailure::from),
                    Err(_) => Err(TransportFailure::too_slow()),
                }
            } else {
                request.send().await.map_err(TransportFailure::from)
            };
            let response = sent.map_err(HydrateTrouble::Transport)?;
            match response.status() {
                StatusCode::MOVED_PERMANENTLY
                | StatusCode::FOUND
                | StatusCode::SEE_OTHER
                | StatusCode::TEMPORARY_REDIRECT
                | StatusCode::PERMANENT_REDIRECT => url = led_on(&url, &response)?,
                _ => return judge(response, is_document),
            }
        }
        Err(RedirectTrouble::TooMany.into())
    }

    async fn receive(&self, mut response: Response, path: &Path) -> Result<(), HydrateTrouble> {
        let limit_bytes = Limits::default().file_bytes;
        let mut options = OpenOptions::new();
        options.create(true).truncate(true).write(true);
        #[cfg(unix)]
        options.mode(0o600);
        let file = options.open(path).await.map_err(HydrateTrouble::Write)?;
        let mut file = BufWriter::with_capacity(BUFFER, file);
        let mut bytes = 0_u64;
        loop {
            let chunk = match timeout(self.timeout, response.chunk()).await {
                Ok(Ok(chunk)) => chunk,
                Ok(Err(error)) => return Err(HydrateTrouble::Transport(error.into())),
                Err(_) => return Err(HydrateTrouble::Transport(TransportFailure::too_slow())),
            };
            let Some(chunk) = chunk else { break };
            bytes = bytes.saturating_add(chunk.len() as u64);
            if bytes > limit_bytes {
                return Err(HydrateTrouble::TooLarge { limit_bytes });
            }
            file.write_all(&chunk).await.map_err(HydrateTrouble::Write)?;
        }
        file.flush().await.map_err(HydrateTrouble::Write)
    }

    fn failure(&self, trouble: HydrateTrouble) -> HydrateFailure {
        HydrateFailure { source_name: self.source.clone(), trouble }
    }
}

impl From<AuthError> for HydrateTrouble {
    fn from(error: AuthError) -> Self {
        match error {
            AuthError::Secret(error) => Self::Secret(error),
            AuthError::Characters => Self::SecretCharacters,
        }
    }
}

/// Where a redirect leads, if that is the same scheme, host and port.
fn led_on(from: &Url, response: &Response) -> Result<Url, RedirectTrouble> {
    let location = response.headers().get(LOCATION).and_then(|location| location.to_str().ok());
    let to = location.and_then(|location| from.join(location).ok());
    let to = to.ok_or(RedirectTrouble::Nowhere)?;
    if to.origin() != from.origin() || !to.username().is_empty() || to.password().is_some() {
        return Err(RedirectTrouble::Elsewhere(to.origin().ascii_serialization()));
    }
    Ok(to)
}

fn judge(response: Response, is_document: bool) -> Result<Response, HydrateTrouble> {
    let status = response.status().as_u16();
    match status {
        200 | 203 => Ok(response),
        404 | 410 if !is_document => Err(HydrateTrouble::NoSuchWorker { status }),
        401 | 403 => Err(HydrateTrouble::Auth { status }),
        202 | 408 | 429 | 500..=599 => {
            let retry_after = retry_after(response.headers(), SystemClock.now());
            Err(HydrateTrouble::Busy { status, retry_after })
        }
        _ => Err(HydrateTrouble::Refused { status }),
    }
}
