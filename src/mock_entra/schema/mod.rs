//! The job's schema: shown, replaced as a whole, and set back.
//!
//! Follows the reference pages "synchronizationSchema: get", "Update synchronizationSchema" and
//! "synchronizationSchema resource type". What is put is kept as it came, but for the order of the
//! outermost members and for `version`, which the service counts up by itself.

mod check;
mod default;

use std::collections::BTreeMap;

use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Value, json};

use super::clock::instant_text;
use super::fault::{Endpoint, FaultKind};
use super::graph::{Ids, Refusal, answer_nothing, header};
use super::jobs::{ACT, READ, act, guard};
use super::shared::{Shared, World};
use super::upload::JobPath;

/// Largest schema taken. The service's limit is not documented.
const MAX_BODY: usize = 16 * 1024 * 1024;

/// The schema as text, and what was put.
#[derive(Debug)]
pub(super) struct Schema {
    text: String,
    puts: Vec<(u16, String)>,
}

impl Default for Schema {
    fn default() -> Self {
        Self { text: default::schema().to_string(), puts: Vec::new() }
    }
}

impl Schema {
    /// Takes the place of the one before, with a version of its own.
    fn replace(&mut self, text: &str, now: i64) {
        let version = to_raw_value(&format!("Date:{}, Major:1, Minor:0", instant_text(now)));
        let members: Result<BTreeMap<String, Box<RawValue>>, _> = serde_json::from_str(text);
        // a text that was checked is an object
        let (Ok(mut members), Ok(version)) = (members, version) else { return };
        members.insert("version".to_owned(), version);
        self.text = serde_json::to_string(&members).unwrap_or_default();
    }

    /// Somebody else adds an attribute, in the portal.
    fn change(&mut self, now: i64) {
        let Ok(mut schema) = serde_json::from_str::<Value>(&self.text) else { return };
        let attributes = schema.pointer_mut("/directories/0/objects/0/attributes");
        if let Some(attributes) = attributes.and_then(Value::as_array_mut) {
            let name = format!("urn:contoso:portal:1.0:User:extra{}", attributes.len());
            attributes.push(default::attribute(&name, "String"));
        }
        self.replace(&schema.to_string(), now);
    }
}

/// Shows the schema.
pub(super) async fn get(
    request: HttpRequest,
    path: JobPath,
    shared: web::Data<Shared>,
) -> HttpResponse {
    let (ids, now) = (Ids::of(&request), shared.clock.now());
    let mut world = shared.world();
    let (_, principal, job) = &*path;
    if let Err(refusal) = guard(&request, &world, (principal, job), &READ, now) {
        return refusal.answer(&ids, now);
    }
    let fault = world.faults.strike(Endpoint::Schema);
    if fault == Some(FaultKind::SchemaChange) {
        world.schema.change(now);
    }
    let mut text = world.schema.text.clone().into_bytes();
    if fault == Some(FaultKind::SchemaBroken) {
        text.truncate(text.len() / 2);
    }
    ids.answer(200, now).content_type("application/json").body(text)
}

/// Replaces the schema.
pub(super) async fn put(
    request: HttpRequest,
    path: JobPath,
    payload: web::Payload,
    shared: web::Data<Shared>,
) -> HttpResponse {
    let (ids, now) = (Ids::of(&request), shared.clock.now());
    let body = payload.to_bytes_limited(MAX_BODY).await;
    let mut world = shared.world();
    let (_, principal, job) = &*path;
    if let Err(refusal) = guard(&request, &world, (principal, job), &ACT, now) {
        return refusal.answer(&ids, now);
    }
    let body = match body {
        Ok(Ok(bytes)) => bytes,
        Ok(Err(_)) => return HttpResponse::BadRequest().finish(),
        Err(_) => {
            let refusal = Refusal::new(413, "RequestEntityTooLarge", "The request is too large.");
            return refusal.answer(&ids, now);
        }
    };
    let outcome = judge(&request, &body, &mut world, now);
    let status = outcome.as_ref().map_or_else(|refusal| refusal.status, |()| 204);
    world.schema.puts.push((status, String::from_utf8_lossy(&body).into_owned()));
    answer_nothing(outcome, &ids, now)
}

fn judge(request: &HttpRequest, body: &[u8], world: &mut World, now: i64) -> Result<(), Refusal> {
    let media = header(request, "Content-Type").unwrap_or_default();
    let media = media.split(';').next().unwrap_or_default().trim();
    if !media.eq_ignore_ascii_case("application/json") {
        let what = "The content type is not application/json.";
        return Err(Refusal::new(415, "UnsupportedMediaType", what));
    }
    let text =
        std::str::from_utf8(body).map_err(|_| Refusal::bad_request("The body is no text."))?;
    check::check(text).map_err(Refusal::bad_request)?;
    match world.faults.strike(Endpoint::SchemaUpdate) {
        Some(FaultKind::SchemaRefused) => Err(Refusal::bad_request("The schema is invalid.")),
        Some(FaultKind::SchemaError) => Err(Refusal::server()),
        Some(FaultKind::SchemaIgnored) => Ok(()),
        fault => {
            world.schema.replace(text, now);
            match fault {
                Some(FaultKind::SchemaLate) => {
                    Err(Refusal::new(504, "GatewayTimeout", "The service did not answer in time."))
                }
                _ => Ok(()),
            }
        }
    }
}

/// Sets the schema back.
pub(super) async fn delete(
    request: HttpRequest,
    path: JobPath,
    shared: web::Data<Shared>,
) -> HttpResponse {
    act(&request, &path, &shared, |world, _| {
        world.schema.text = default::schema().to_string();
    })
}

/// The schema, for the control plane.
pub(super) async fn shown(shared: web::Data<Shared>) -> HttpResponse {
    let text = shared.world().schema.text.clone();
    HttpResponse::Ok().content_type("application/json").body(text)
}

/// Sets the schema, for the control plane: whatever it is told.
pub(super) async fn set(body: web::Bytes, shared: web::Data<Shared>) -> HttpResponse {
    shared.world().schema.text = String::from_utf8_lossy(&body).into_owned();
    HttpResponse::Ok().json(json!({ "bytes": body.len() }))
}

/// What was put, for the control plane.
pub(super) async fn puts(shared: web::Data<Shared>) -> HttpResponse {
    let world = shared.world();
    let one = |(status, body): &(u16, String)| json!({ "status": status, "body": body });
    HttpResponse::Ok().json(world.schema.puts.iter().map(one).collect::<Vec<_>>())
}
