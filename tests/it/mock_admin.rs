//! What an administrator sees at the stand-in: the provisioning app, its secrets, the test of the
//! connection, and the settings that let `doctor` find something.

#![expect(clippy::unwrap_used, reason = "helpers of tests may panic as tests may")]

use reqwest::Method;
use scimport::domain::{Clock as _, SystemClock};
use scimport::mock_entra::SERVICE_PRINCIPAL_ID;
use serde_json::{Value, json};

use crate::mock_client::{Mock, json_of, operated};

fn principal(rest: &str) -> String {
    format!("/v1.0/servicePrincipals/{SERVICE_PRINCIPAL_ID}{rest}")
}

async fn get(mock: &Mock, path: &str) -> (u16, Value) {
    let answer = mock.graph(Method::GET, path).send().await.unwrap();
    (answer.status().as_u16(), json_of(answer).await)
}

async fn set(mock: &Mock, settings: Value) {
    let url = format!("{}/_mock/settings", mock.server.url());
    let answer = mock.http.post(url).body(settings.to_string()).send().await.unwrap();
    assert_eq!(answer.status(), 200);
}

#[tokio::test]
async fn the_secrets_say_who_is_told_and_a_put_replaces_all() {
    let mock = Mock::with(operated()).await;
    let path = principal("/synchronization/secrets");
    let value = |found: &Value, key: &str| {
        let pairs = found["value"].as_array().unwrap();
        let pair = pairs.iter().find(|pair| pair["key"] == key);
        pair.map(|pair| pair["value"].as_str().unwrap().to_owned())
    };
    let (status, found) = get(&mock, &path).await;
    assert_eq!(status, 200);
    assert!(value(&found, "SyncNotificationSettings").unwrap().contains("\"Enabled\":true"));

    let put = |body: Value| mock.graph(Method::PUT, &path).body(body.to_string());
    let nobody = r#"{"Enabled":true,"Recipients":" "}"#;
    let pairs = json!({"value": [{"key": "SyncNotificationSettings", "value": nobody},
        {"key": "SkipOutOfScopeDeletions", "value": "True"}, {"key": "SyncAll", "value": "false"}]});
    assert_eq!(put(pairs.clone()).send().await.unwrap().status(), 204);
    let (_, found) = get(&mock, &path).await;
    assert_eq!(found["value"], pairs["value"]);
    let settings = mock.ask("settings").await;
    assert_eq!(settings["notification_email"], false, "nobody is named");
    assert_eq!(settings["skip_out_of_scope_deletions"], true);

    assert_eq!(put(json!({"value": []})).send().await.unwrap().status(), 204);
    let (_, found) = get(&mock, &path).await;
    assert_eq!(value(&found, "SyncAll"), None);
    assert_eq!(mock.ask("settings").await["skip_out_of_scope_deletions"], false);
    for wrong in [json!([]), json!({"value": [{"key": "SyncAll"}]}), json!({"value": "x"})] {
        assert_eq!(put(wrong).send().await.unwrap().status(), 400);
    }
}

#[tokio::test]
async fn the_connection_is_tested_at_the_agent_where_there_is_one() {
    let mock = Mock::with(operated()).await;
    let test = async |body: Value| {
        let request = mock.job(Method::POST, "/validateCredentials").body(body.to_string());
        request.send().await.unwrap().status().as_u16()
    };
    let saved = json!({"useSavedCredentials": true});
    assert_eq!(test(saved.clone()).await, 204);
    assert_eq!(test(json!({"credentials": [{"key": "Server", "value": "x"}]})).await, 204);
    assert_eq!(test(json!({"useSavedCredentials": false})).await, 400);
    set(&mock, json!({"agent_active": false})).await;
    assert_eq!(test(saved.clone()).await, 204, "a job to Entra ID has no agent");
    set(&mock, json!({"job_template": "API2AD"})).await;
    assert_eq!(test(saved).await, 400);
    let (_, job) = get(&mock, &principal("/synchronization/jobs")).await;
    assert_eq!(job["value"][0]["templateId"], "API2AD");
}

#[tokio::test]
async fn the_least_permissions_show_neither_app_nor_secrets() {
    let mock = Mock::new().await;
    for path in [principal(""), principal("/synchronization/secrets")] {
        assert_eq!(get(&mock, &path).await.0, 403, "{path}");
    }
    let validate = mock.job(Method::POST, "/validateCredentials").send().await.unwrap();
    assert_eq!(validate.status(), 403);

    let mut mock = mock;
    set(&mock, json!({"roles": ["Application.Read.All"]})).await;
    mock.sign_in().await;
    let (status, app) = get(&mock, &principal("")).await;
    assert_eq!((status, &app["accountEnabled"]), (200, &json!(true)));
    let other = "/v1.0/servicePrincipals/99999999-4444-4555-8666-777777777777";
    assert_eq!(get(&mock, other).await.0, 404);
}

#[tokio::test]
async fn a_date_an_opaque_token_and_a_missing_licence_can_be_had() {
    let mut mock = Mock::new().await;
    set(&mock, json!({"date_offset_s": -3600, "opaque_tokens": true, "premium": false})).await;
    mock.sign_in().await;
    assert!(!mock.token.contains('.'), "no JWT");
    let answer = mock.job(Method::GET, "").send().await.unwrap();
    assert_eq!(answer.status(), 200, "an opaque token opens what another one does");
    let date = answer.headers()["date"].to_str().unwrap();
    let date = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(date).unwrap();
    let behind = SystemClock.now().duration_since(date).as_secs();
    assert!((3_590..3_700).contains(&behind), "{behind}");
    let (status, body) = get(&mock, "/v1.0/auditLogs/provisioning").await;
    assert_eq!(status, 403);
    let code = "Authentication_RequestFromNonPremiumTenantOrB2CTenant";
    assert_eq!(body["error"]["code"], code);
}
