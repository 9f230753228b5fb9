//! The stand-in's schema routes, asked by hand.

use reqwest::Method;
use scimport::mock_entra::MockConfig;
use serde_json::{Value, json};

use crate::mock_client::{Mock, json_of};
use crate::schema_support::writable;

async fn put(mock: &Mock, schema: &str) -> (u16, Value) {
    let request = mock.job(Method::PUT, "/schema").header("Content-Type", "application/json");
    let answer = request.body(schema.to_owned()).send().await.unwrap();
    let status = answer.status().as_u16();
    (status, if status == 204 { Value::Null } else { json_of(answer).await })
}

async fn get(mock: &Mock) -> Value {
    let answer = mock.job(Method::GET, "/schema").send().await.unwrap();
    assert_eq!(answer.status(), 200);
    json_of(answer).await
}

#[tokio::test]
async fn a_put_replaces_the_whole_schema_and_counts_its_version_up() {
    let mock = Mock::with(writable()).await;
    let first = get(&mock).await;
    assert_eq!(first["synchronizationRules"][0]["sourceDirectoryName"], "API");
    let mut schema = first.clone();
    schema.as_object_mut().unwrap().remove("@odata.context");
    schema["directories"][0]["objects"][0]["unknown"] = json!({"kept": 1});
    assert_eq!(put(&mock, &schema.to_string()).await.0, 204);
    let mut found = get(&mock).await;
    assert_ne!(found["version"], schema["version"]);
    found["version"] = schema["version"].clone();
    assert_eq!(found, schema, "what was left out is gone, what is unknown is kept");
    let answer = mock.job(Method::DELETE, "/schema").send().await.unwrap();
    assert_eq!(answer.status(), 204);
    assert_eq!(get(&mock).await, first);
}

#[tokio::test]
async fn what_is_no_schema_is_refused_and_changes_nothing() {
    let mock = Mock::with(writable()).await;
    let first = get(&mock).await;
    for body in ["", "{", "[]", "{}", r#"{"directories":[]}"#] {
        let (status, told) = put(&mock, body).await;
        assert_eq!((status, &told["error"]["code"]), (400, &json!("BadRequest")), "{body}");
    }
    let no_type = mock.job(Method::PUT, "/schema").body(first.to_string()).send().await.unwrap();
    assert_eq!(no_type.status(), 415);
    let post = mock.job(Method::POST, "/schema").send().await.unwrap();
    assert_eq!(post.status(), 405);
    assert_eq!(get(&mock).await, first);
    let puts = mock.ask("schema/puts").await;
    assert_eq!(puts.as_array().unwrap().len(), 6, "refused ones are captured too");
}

#[tokio::test]
async fn reading_and_replacing_need_permissions_of_their_own() {
    let mock = Mock::new().await;
    let schema = get(&mock).await.to_string();
    assert_eq!(put(&mock, &schema).await.0, 403, "`Synchronization.Read.All` does not write");
    let roles = vec!["SynchronizationData-User.Upload".to_owned()];
    let upload_only = Mock::with(MockConfig { roles, ..writable() }).await;
    let answer = upload_only.job(Method::GET, "/schema").send().await.unwrap();
    assert_eq!(answer.status(), 403);
    let elsewhere = "/v1.0/servicePrincipals/nobody/synchronization/jobs/none/schema";
    assert_eq!(mock.graph(Method::GET, elsewhere).send().await.unwrap().status(), 404);
}

#[tokio::test]
async fn faults_strike_reading_and_replacing_apart() {
    let mock = Mock::with(writable()).await;
    let schema = get(&mock).await;
    mock.tell("faults", &json!(["schema-broken:2", "schema-refused:2"])).await;
    assert_eq!(put(&mock, &schema.to_string()).await.0, 204);
    get(&mock).await;
    let broken = mock.job(Method::GET, "/schema").send().await.unwrap().text().await.unwrap();
    assert!(serde_json::from_str::<Value>(&broken).is_err());
    assert_eq!(put(&mock, &schema.to_string()).await.0, 400);
    mock.tell("reset", &json!({})).await;
    assert_eq!(mock.ask("schema/puts").await, json!([]));
}
