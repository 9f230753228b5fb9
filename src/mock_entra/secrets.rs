//! `GET` and `PUT /{version}/servicePrincipals/{id}/synchronization/secrets`: what the job is set to
//! beside its schema, above all who is told of a quarantine.
//!
//! Follows "Add synchronization secrets" and the cloud sync page on the configuration with Microsoft
//! Graph: a list of keys and text values, and a `PUT` replaces all of them. The value of
//! `SyncNotificationSettings` is JSON in a text, with `Enabled` and `Recipients`.

use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::{Value, json};

use super::config::JOB_ID;
use super::graph::{Ids, Refusal, answer_nothing};
use super::jobs::{guard, look};
use super::shared::{Settings, Shared};

/// Permissions of which one is needed, to read too.
const PERMISSIONS: [&str; 1] = ["Synchronization.ReadWrite.All"];
const NOTIFICATION: &str = "SyncNotificationSettings";
const SKIP_OUT_OF_SCOPE: &str = "SkipOutOfScopeDeletions";
/// Who is told, where nobody has set anybody.
const RECIPIENT: &str = "operator@contoso.example";

/// Lists the pairs.
pub(super) async fn get(
    request: HttpRequest,
    path: web::Path<(String, String)>,
    shared: web::Data<Shared>,
) -> HttpResponse {
    look(&request, path, &shared, &PERMISSIONS, |world, version, _, _| {
        json!({
            "@odata.context":
                format!("{}/{version}/$metadata#servicePrincipals/synchronization/secrets", shared.url),
            "value": pairs(&world.settings),
        })
    })
}

/// Replaces the pairs.
pub(super) async fn put(
    request: HttpRequest,
    path: web::Path<(String, String)>,
    body: web::Bytes,
    shared: web::Data<Shared>,
) -> HttpResponse {
    let ids = Ids::of(&request);
    let now = shared.clock.now();
    let (_, principal) = path.into_inner();
    let mut world = shared.world();
    let outcome = guard(&request, &world, (&principal, JOB_ID), &PERMISSIONS, now).and_then(|()| {
        let pairs = read(&body)?;
        let find = |name: &str| pairs.iter().find(|(key, _)| key == name);
        let is_set = find(NOTIFICATION).is_some_and(|(_, value)| notifies(value));
        let skips = find(SKIP_OUT_OF_SCOPE).is_some_and(|(_, value)| value == "True");
        world.settings.notification_email = is_set;
        world.settings.skip_out_of_scope_deletions = skips;
        world.settings.secrets = pairs;
        Ok(())
    });
    answer_nothing(outcome, &ids, now)
}

/// The pairs as they were set; those that are settings of the stand-in as they stand now.
fn pairs(settings: &Settings) -> Vec<Value> {
    let pair = |key: &str, value: &str| json!({ "key": key, "value": value });
    let kept = |name: &str| {
        let found = settings.secrets.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    };
    let notification = match kept(NOTIFICATION) {
        Some(value) if notifies(value) == settings.notification_email => value.to_owned(),
        _ => json!({
            "Enabled": settings.notification_email,
            "Recipients": if settings.notification_email { RECIPIENT } else { "" },
            "DeleteThresholdEnabled": false,
        })
        .to_string(),
    };
    let skips = if settings.skip_out_of_scope_deletions { "True" } else { "False" };
    let others = settings.secrets.iter().filter(|(key, _)| key != NOTIFICATION);
    let others = others.filter(|(key, _)| key != SKIP_OUT_OF_SCOPE);
    [pair(NOTIFICATION, &notification), pair(SKIP_OUT_OF_SCOPE, skips)]
        .into_iter()
        .chain(others.map(|(key, value)| pair(key, value)))
        .collect()
}

/// Whether somebody is told.
fn notifies(value: &str) -> bool {
    let value: Value = serde_json::from_str(value).unwrap_or(Value::Null);
    let recipients = value.get("Recipients").and_then(Value::as_str).unwrap_or("");
    value.get("Enabled").and_then(Value::as_bool) == Some(true) && !recipients.trim().is_empty()
}

/// Reads `{"value": [{"key", "value"}]}`.
fn read(body: &[u8]) -> Result<Vec<(String, String)>, Refusal> {
    let wrong = || Refusal::bad_request("The secrets are invalid.");
    let body: Value = serde_json::from_slice(body).map_err(|_| wrong())?;
    let list = body.get("value").and_then(Value::as_array).ok_or_else(wrong)?;
    let text = |pair: &Value, name: &str| pair.get(name)?.as_str().map(str::to_owned);
    let pair = |pair: &Value| Some((text(pair, "key")?, text(pair, "value")?));
    list.iter().map(pair).collect::<Option<Vec<_>>>().ok_or_else(wrong)
}
