//! Webhook deliveries: received, judged, stored, answered; and looked at afterwards.

use std::time::Duration;

use actix_web::http::header::CONTENT_ENCODING;
use actix_web::{HttpMessage as _, HttpRequest, HttpResponse, web};
use futures_util::StreamExt as _;
use secrecy::ExposeSecret as _;
use serde::Serialize;
use utoipa::ToSchema;

use crate::bridge::documents::{DeliveryDocument, instant};
use crate::bridge::{NotTaken, Taken};
use crate::domain::{DeliveryId, SourceName};
use crate::intake::webhook::{BodyReason, Delivery, Refused};
use crate::server::access::{Role, refuse, require};
use crate::server::api::part;
use crate::server::gate::over;
use crate::server::problem::{Kind, Problem, ProblemDocument};
use crate::server::shared::{CalledBy, Shared};

/// How long a body may take: senders give up after 3 to 30 seconds.
const LONGEST_BODY: Duration = Duration::from_secs(15);
/// When to try again while something large is being stored.
const BUSY: Duration = Duration::from_secs(5);
/// When to try again after the store has failed.
const STORE_PAUSE: Duration = Duration::from_secs(30);

/// A delivery that is stored.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::server) struct StoredDelivery {
    /// Its id. The same delivery again has the id of the first.
    id: String,
    /// How many workers are in it.
    workers: u64,
    /// Whether it came before.
    duplicate: bool,
}

/// A source's webhook.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::server) struct WebhookDocument {
    /// The source.
    source: String,
    /// Deliveries that wait to be processed.
    waiting: u64,
    /// When the oldest of them came.
    #[schema(required = true, format = DateTime)]
    oldest_waiting_at: Option<String>,
    /// When the last delivery came.
    #[schema(required = true, format = DateTime)]
    last_received_at: Option<String>,
    /// What Gusto hands over to be given back, in this process. Anybody can post one: it is proven when
    /// Gusto takes it.
    #[schema(required = true)]
    verification: Option<VerificationDocument>,
}

/// A token that was handed over.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::server) struct VerificationDocument {
    /// The token; the webhook's secret once Gusto has taken it back.
    token: String,
    /// Gusto's id of the subscription.
    #[schema(required = true)]
    subscription: Option<String>,
    /// When it came.
    #[schema(format = DateTime)]
    received_at: String,
}

/// Takes a webhook delivery: a JSON object or array, or a form. It is on the disk before the answer; what
/// comes of it is to be seen at `/api/v1/deliveries/{id}`.
///
/// What proves whom it is from: a key of the source as a bearer credential, or the signature that the
/// source's `webhook` describes.
#[utoipa::path(
    post,
    path = "/hooks/{source}",
    operation_id = "receive_delivery",
    tag = "Webhooks",
    params(("source" = String, Path, description = "The source's name in the config.")),
    security(("webhook" = []), ()),
    request_body(content((Object = "application/json"), (Object = "application/x-www-form-urlencoded"))),
    responses(
        (status = 200, description = "A vendor's test of the connection: nothing is stored."),
        (status = 202, body = StoredDelivery, description = "Stored; processed afterwards."),
        (status = 408, body = ProblemDocument, content_type = "application/problem+json"),
        (status = 415, body = ProblemDocument, content_type = "application/problem+json"),
    )
)]
pub(in crate::server) async fn receive(
    request: HttpRequest,
    shared: web::Data<Shared>,
    body: web::Payload,
) -> Result<HttpResponse, Problem> {
    let source = part(&request)?;
    let (bridge, hooks) = shared.bridge_and_hooks();
    let from = request.peer_addr().map(|peer| peer.ip());
    let body = collect(&request, &shared, body, hooks.most_bytes()).await?;
    let headers: Vec<(String, Vec<u8>)> = request
        .headers()
        .iter()
        .map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_vec()))
        .collect();
    // goes on when the caller hangs up: deliveries are stored together
    let receiving = async move {
        let headers: Vec<(&str, &[u8])> =
            headers.iter().map(|(name, value)| (name.as_str(), value.as_slice())).collect();
        let delivery = Delivery { headers: &headers, body: &body };
        bridge.receive(&hooks, &source, &delivery, from).await
    };
    let received = shared.tasks.spawn_on(receiving, &shared.runtime);
    let Ok(received) = tokio::time::timeout(shared.settings.timeout, received).await else {
        // it may be stored all the same, and is known when it comes again
        return Err(Problem::new(Kind::Unavailable)
            .detail("the delivery could not be stored in time")
            .retry_after(BUSY));
    };
    match received.map_err(|_| Problem::new(Kind::Internal))? {
        Ok(Taken::Handshake) => Ok(HttpResponse::Ok().finish()),
        Ok(Taken::Kept { kept, workers, by }) => {
            request.extensions_mut().insert(CalledBy(by));
            if kept.is_new {
                shared.changed.notify_one();
            }
            let duplicate = !kept.is_new;
            let id = kept.id.to_string();
            Ok(HttpResponse::Accepted().json(StoredDelivery { id, workers, duplicate }))
        }
        Err(not_taken) => Err(problem(&request, &shared, not_taken).await),
    }
}

/// The body, as long as it keeps coming and is not over the limit.
async fn collect(
    request: &HttpRequest,
    shared: &Shared,
    mut body: web::Payload,
    most: usize,
) -> Result<Vec<u8>, Problem> {
    let packed = request.headers().get(CONTENT_ENCODING);
    if packed.is_some_and(|encoding| !encoding.as_bytes().eq_ignore_ascii_case(b"identity")) {
        return Err(Problem::new(Kind::UnsupportedMediaType)
            .detail("the body is packed")
            .hint("send it without `Content-Encoding`"));
    }
    let mut bytes = Vec::new();
    let reading = async {
        while let Some(chunk) = body.next().await {
            let chunk = chunk.map_err(|_| {
                Problem::new(Kind::BadRequest).detail("the body broke off before its end")
            })?;
            if bytes.len() + chunk.len() > most {
                return Err(over(u64::try_from(most).unwrap_or(u64::MAX)));
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(())
    };
    match tokio::time::timeout(shared.settings.timeout.min(LONGEST_BODY), reading).await {
        Ok(read) => read.map(|()| bytes),
        Err(_) => Err(Problem::new(Kind::Timeout).detail("the body took too long")),
    }
}

/// What a sender hears. That a webhook is not there, a key is wrong and a signature is wrong sound the
/// same.
async fn problem(request: &HttpRequest, shared: &Shared, not_taken: NotTaken) -> Problem {
    let words = not_taken.to_string();
    match not_taken {
        NotTaken::Refused(Refused::Body(fault)) => {
            let kind = match fault.reason {
                BodyReason::TooLarge => Kind::TooLarge,
                BodyReason::UnsupportedType => Kind::UnsupportedMediaType,
                _ => Kind::BadRequest,
            };
            let place = format!("line {}, column {}", fault.line, fault.column);
            Problem::new(kind).detail(words).at(fault.reason.as_str(), place)
        }
        NotTaken::Refused(Refused::Records(fault)) => {
            Problem::new(Kind::BadRequest).detail(words).at("no_records", fault.pointer)
        }
        NotTaken::Refused(Refused::Schema(fault)) => {
            Problem::new(Kind::BadRequest).detail(words).at("schema", fault.pointer)
        }
        NotTaken::Refused(refused) if refused.may_be_told() => {
            Problem::new(Kind::Unauthorized).detail(words)
        }
        NotTaken::NoSuchHook | NotTaken::Refused(_) => refuse(request, shared).await,
        NotTaken::TooMany(wait) => {
            Problem::new(Kind::TooManyRequests).detail(words).retry_after(wait)
        }
        NotTaken::Backlog(wait) => Problem::new(Kind::Unavailable).detail(words).retry_after(wait),
        NotTaken::Store(error) => Problem::of_error(&error).retry_after(STORE_PAUSE),
        NotTaken::Bridge(error) => error.into(),
    }
}

/// One delivery, and what came of it.
#[utoipa::path(
    get,
    path = "/api/v1/deliveries/{id}",
    operation_id = "show_delivery",
    tag = "Webhooks",
    params(("id" = String, Path, description = "The id that its 202 told.")),
    security(("reader" = [])),
    responses(
        (status = 200, body = DeliveryDocument),
        (status = 404, body = ProblemDocument, content_type = "application/problem+json"),
    )
)]
pub(in crate::server) async fn show(
    request: HttpRequest,
    shared: web::Data<Shared>,
) -> Result<HttpResponse, Problem> {
    require(&request, &shared, Role::Reader).await?;
    let id = DeliveryId::new(part(&request)?);
    let bridge = shared.bridge();
    let delivery = shared.look(bridge.store.delivery(&id)).await?;
    let delivery = delivery.ok_or_else(|| {
        Problem::new(Kind::NotFound)
            .detail("there is no such delivery")
            .hint("deliveries are forgotten 30 days after they were processed")
    })?;
    Ok(HttpResponse::Ok().json(DeliveryDocument::of(&delivery)))
}

/// A source's webhook: what waits, and what a vendor handed over to be given back.
#[utoipa::path(
    get,
    path = "/api/v1/sources/{source}/webhook",
    operation_id = "show_webhook",
    tag = "Webhooks",
    params(("source" = String, Path, description = "The source's name in the config.")),
    security(("admin" = [])),
    responses((status = 200, body = WebhookDocument))
)]
pub(in crate::server) async fn look(
    request: HttpRequest,
    shared: web::Data<Shared>,
) -> Result<HttpResponse, Problem> {
    require(&request, &shared, Role::Admin).await?;
    let source = SourceName::new(part(&request)?);
    let (bridge, hooks) = shared.bridge_and_hooks();
    if !hooks.has(&source) {
        return Err(Problem::new(Kind::Unauthorized)
            .detail("there is no such webhook, or this credential is not for it"));
    }
    let backlog = shared.look(bridge.store.backlog(&source)).await?;
    let verification = hooks.verification(&source).map(|verification| VerificationDocument {
        token: verification.token.expose_secret().to_owned(),
        subscription: verification.subscription,
        received_at: instant(verification.received_at),
    });
    Ok(HttpResponse::Ok().json(WebhookDocument {
        source: source.to_string(),
        waiting: backlog.waiting,
        oldest_waiting_at: backlog.oldest_at.map(instant),
        last_received_at: backlog.newest_at.map(instant),
        verification,
    }))
}
