//! `GET /{version}/auditLogs/provisioning`: the provisioning log, with filter, order and pages.
//!
//! Follows "List provisioningObjectSummary". What the page does not list is refused. Pages go by
//! position, so an event that becomes visible late may be missed by a reader that has passed it, as
//! with the service; [`filter`] has the grammar.

mod filter;
mod query;

use std::sync::Arc;
use std::time::Duration;

use actix_web::rt::time::sleep;
use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::{Map, Value, json};

pub(super) use self::filter::Property;
use self::query::Query;
use super::clock::micros;
use super::engine::Event;
use super::fault::{Endpoint, FaultKind};
use super::graph::{Ids, Refusal, bearer};
use super::shared::Shared;

/// The permissions of which one is needed.
const PERMISSIONS: [&str; 2] = ["ProvisioningLog.Read.All", "AuditLog.Read.All"];
/// How long the fault `slow-log` holds a page.
const SLOW: Duration = Duration::from_secs(2);

/// Handles a request for a page.
pub(super) async fn list(
    request: HttpRequest,
    version: web::Path<String>,
    shared: web::Data<Shared>,
) -> HttpResponse {
    let ids = Ids::of(&request);
    let (fault, turn) = {
        let mut world = shared.world();
        let now = shared.clock.now();
        world.counts.log_requests += 1;
        world.log_calls.note(now);
        let fault = world.faults.strike(Endpoint::Log);
        world.counts.log_errors += u64::from(fault == Some(FaultKind::LogError));
        (fault, world.counts.log_errors)
    };
    let refusal = match fault {
        Some(FaultKind::LogError) if turn % 2 == 1 => Some(Refusal::server()),
        Some(FaultKind::LogError) => Some(Refusal::throttled()),
        Some(FaultKind::SlowLog) => {
            sleep(SLOW).await;
            None
        }
        _ => None,
    };
    let now = shared.clock.now();
    let outcome = match refusal {
        Some(refusal) => Err(refusal),
        None => page(&request, &version, &shared, now),
    };
    match outcome {
        Err(refusal) => refusal.answer(&ids, now),
        Ok(page) => match web::block(move || page.text()).await {
            Ok(text) => ids.answer(200, now).content_type("application/json").body(text),
            Err(_) => Refusal::server().answer(&ids, now),
        },
    }
}

/// A page of the log. Written out on a thread of its own: a full one takes its time, and uploads
/// must be answered meanwhile.
struct Page {
    head: Map<String, Value>,
    events: Vec<Arc<Event>>,
    is_beta: bool,
}

impl Page {
    fn text(self) -> String {
        let Self { mut head, events, is_beta } = self;
        head.insert("value".to_owned(), events.iter().map(|event| event.json(is_beta)).collect());
        Value::Object(head).to_string()
    }
}

/// The answer to any other verb.
pub(super) async fn other_verb(request: HttpRequest, shared: web::Data<Shared>) -> HttpResponse {
    Refusal::verb().answer(&Ids::of(&request), shared.clock.now())
}

fn page(request: &HttpRequest, version: &str, shared: &Shared, now: i64) -> Result<Page, Refusal> {
    let mut world = shared.world();
    let token = bearer(request);
    world.tokens.roles(token, now)?;
    world.tokens.allow(token, &PERMISSIONS, now).map_err(|_| {
        let message = "The principal does not have required Microsoft Graph permission(s): \
                       ProvisioningLog.Read.All to call this API.";
        Refusal::new(403, "Authentication_MSGraphPermissionMissing", message)
    })?;
    if !world.settings.premium {
        let message = "Neither tenant is B2C or tenant doesn't have premium license";
        let code = "Authentication_RequestFromNonPremiumTenantOrB2CTenant";
        return Err(Refusal::new(403, code, message));
    }
    let window = micros(world.settings.log_window);
    if world.log_calls.within(now, window) > world.settings.log_calls as usize {
        world.counts.log_throttled += 1;
        return Err(Refusal::throttled());
    }
    let query = Query::read(request.query_string()).map_err(Refusal::bad_request)?;
    let (found, next) = query.run(world.engine.log(), now);
    drop(world);
    let mut head = Map::new();
    head.insert(
        "@odata.context".to_owned(),
        json!(format!("{}/{version}/$metadata#auditLogs/provisioning", shared.url)),
    );
    if let Some(next) = next {
        // On the origin that was asked, by whichever name.
        let origin = request.connection_info();
        let link = format!(
            "{}://{}/{version}/auditLogs/provisioning?{}",
            origin.scheme(),
            origin.host(),
            query.continued(next)
        );
        head.insert("@odata.nextLink".to_owned(), json!(link));
    }
    Ok(Page { head, events: found, is_beta: version == "beta" })
}
