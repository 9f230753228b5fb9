//! Who calls, and what they may do.

use std::net::IpAddr;
use std::time::Duration;

use actix_web::HttpRequest;
use actix_web::http::header::{AUTHORIZATION, HOST};
use async_trait::async_trait;
use jiff::SignedDuration;

use crate::domain::{Origin, Who};
use crate::server::problem::{Kind, Problem};
use crate::server::shared::Shared;
use crate::telemetry::alerts::Facts;

/// No credential of ours is longer; what is longer is none.
const LONGEST_CREDENTIAL: usize = 4 * 1024;
/// How long an answer to a caller waits who keeps guessing.
const SLOW_ANSWER: Duration = Duration::from_secs(1);
/// An alert about guessing is over this long after the last guess.
const TOLD_FOR: SignedDuration = SignedDuration::from_mins(10);
/// What a proxy adds: whoever is behind it is not on this machine.
const FORWARDED: [&str; 3] = ["forwarded", "x-forwarded-for", "x-real-ip"];

/// What a caller may do. Each may do what those before it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Looks.
    Reader,
    /// Uploads and decides.
    Admin,
}

/// Who calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The name of the credential, never the credential; kept with decisions.
    pub name: String,
    /// What it allows.
    pub role: Role,
}

impl Caller {
    /// Who they are in the audit trail. Behind a proxy the address is the proxy's.
    pub(super) fn who(&self, request: &HttpRequest) -> Who {
        Who::new(&self.name, Origin::Api(request.peer_addr().map(|peer| peer.ip())))
    }
}

/// Where presented credentials are known.
#[async_trait]
pub trait Credentials: Send + Sync {
    /// Who presents this bearer credential; `None` when nobody is known by it. Compares in constant
    /// time, and writes what it was given nowhere.
    async fn caller(&self, presented: &str) -> Option<Caller>;
}

/// The caller, who has to be allowed at least so much.
///
/// # Errors
///
/// A problem document with status 401, 403 or 429.
pub(super) async fn require(
    request: &HttpRequest,
    shared: &Shared,
    role: Role,
) -> Result<Caller, Problem> {
    let Some(presented) = presented(request) else {
        return Err(Problem::new(Kind::Unauthorized)
            .detail("this needs `Authorization: Bearer` and a credential"));
    };
    let caller = match presented {
        Presented::Bearer(credential) => shared.known(credential).await,
        Presented::Unfit => None,
    };
    let Some(caller) = caller else {
        return Err(refuse(request, shared).await);
    };
    shared.note_caller(request, &caller);
    if caller.role < role {
        return Err(Problem::new(Kind::Forbidden)
            .detail("this credential allows looking only")
            .hint("present the `admin_token` of `[server]`"));
    }
    Ok(caller)
}

/// Lets callers on this machine look without a credential, and others with one.
///
/// # Errors
///
/// A problem document with status 401 or 429.
pub(super) async fn require_here_or(
    request: &HttpRequest,
    shared: &Shared,
    role: Role,
) -> Result<(), Problem> {
    if is_here(request) && presented(request).is_none() {
        return Ok(());
    }
    require(request, shared, role).await.map(drop)
}

/// Whether the caller is a program on this machine, and nobody whom it speaks for: no proxy's client,
/// and no page of another host whose name was made to lead here.
pub(super) fn is_here(request: &HttpRequest) -> bool {
    let is_loopback = |ip: IpAddr| ip.to_canonical().is_loopback();
    let is_forwarded = FORWARDED.iter().any(|name| request.headers().contains_key(*name));
    let host = request.headers().get(HOST).and_then(|host| host.to_str().ok());
    request.peer_addr().is_some_and(|peer| is_loopback(peer.ip()))
        && !is_forwarded
        && host.is_some_and(is_this_machine)
}

/// Whether a `Host` header, with its port or without, names this machine by no name of the network.
fn is_this_machine(host: &str) -> bool {
    let (name, port) = host.rsplit_once(':').unwrap_or((host, ""));
    let name = if port.ends_with(']') { host } else { name };
    let address = name.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    name.eq_ignore_ascii_case("localhost") || address.is_ok_and(|address| address.is_loopback())
}

/// A wrong credential; an address that keeps presenting such ones waits for its answers.
pub(super) async fn refuse(request: &HttpRequest, shared: &Shared) -> Problem {
    let peer = request.peer_addr().map(|peer| peer.ip());
    let Some(wait) = peer.and_then(|peer| shared.attempts.note(peer)) else {
        return Problem::new(Kind::Unauthorized).detail("this credential is not known here");
    };
    let bridge = shared.bridge();
    let now = bridge.clock.now();
    bridge.conditions.raise_until(Facts::KeysRefused {}, now, now.checked_add(TOLD_FOR).ok());
    if let Ok(_slow) = shared.slow_answers.try_acquire() {
        tokio::time::sleep(SLOW_ANSWER).await;
    }
    Problem::new(Kind::TooManyAttempts)
        .detail("too many unknown credentials came from this address")
        .retry_after(wait)
}

enum Presented<'a> {
    Bearer(&'a str),
    /// Something that is no bearer credential.
    Unfit,
}

fn presented(request: &HttpRequest) -> Option<Presented<'_>> {
    let mut headers = request.headers().get_all(AUTHORIZATION);
    let header = headers.next()?;
    if headers.next().is_some() {
        return Some(Presented::Unfit);
    }
    let bearer = header.to_str().ok().and_then(|text| {
        let (scheme, credential) = text.split_once(' ')?;
        let credential = credential.trim();
        let is_fit = scheme.eq_ignore_ascii_case("bearer")
            && !credential.is_empty()
            && credential.len() <= LONGEST_CREDENTIAL;
        is_fit.then_some(credential)
    });
    Some(bearer.map_or(Presented::Unfit, Presented::Bearer))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_is_named_by_loopback_alone() {
        for host in
            ["localhost", "LocalHost:8080", "127.0.0.1", "127.9.9.9:80", "[::1]", "[::1]:80"]
        {
            assert!(is_this_machine(host), "{host}");
        }
        for host in
            ["", ":80", "evil.example", "localhost.evil.example:80", "192.0.2.1", "[::2]:80"]
        {
            assert!(!is_this_machine(host), "{host}");
        }
    }
}
