//! `GET /{version}/servicePrincipals/{id}`: the provisioning app.
//!
//! Follows "Get servicePrincipal"; of its many properties those that tell one app from another.

use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::json;

use super::config::SERVICE_PRINCIPAL_ID;
use super::jobs::look;
use super::shared::Shared;

/// Permissions of which one is needed.
const READ: [&str; 1] = ["Application.Read.All"];
/// The app id of the provisioning app, which is not that of the API client.
const APP_ID: &str = "44444444-5555-4666-8777-888888888888";
/// Its name in the Entra admin center.
const NAME: &str = "API-driven provisioning to Microsoft Entra ID";

/// Shows the app.
pub(super) async fn get(
    request: HttpRequest,
    path: web::Path<(String, String)>,
    shared: web::Data<Shared>,
) -> HttpResponse {
    look(&request, path, &shared, &READ, |_, version, _, _| {
        json!({
            "@odata.context":
                format!("{}/{version}/$metadata#servicePrincipals/$entity", shared.url),
            "id": SERVICE_PRINCIPAL_ID,
            "accountEnabled": true,
            "appDisplayName": NAME,
            "appId": APP_ID,
            "displayName": NAME,
            "servicePrincipalType": "Application",
        })
    })
}
