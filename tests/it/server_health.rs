//! Is it alive, is it ready, and what do its numbers and its contract say?

use std::collections::BTreeMap;
use std::fmt::Write as _;

use reqwest::Method;
use serde_json::{Value, json};

use crate::server_support::{ADMIN, READER, Served, assert_problem, json_of};
use crate::support::{Stage, workers};

/// As a proxy on this machine passes a caller on.
const FORWARDED: (&str, &str) = ("X-Forwarded-For", "192.0.2.9");

fn checks(readiness: &Value) -> BTreeMap<String, Value> {
    let all = readiness["checks"].as_array().unwrap_or_else(|| panic!("{readiness}"));
    all.iter().map(|check| (check["name"].as_str().unwrap().to_owned(), check.clone())).collect()
}

#[tokio::test]
async fn it_is_ready_while_store_and_disk_are_and_tells_how_the_other_side_is() {
    let served = Served::new().await;
    let answer = served.ask(Method::GET, "/readyz", "").send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let readiness = json_of(answer).await;
    assert_eq!(readiness["status"], "ready");
    let found = checks(&readiness);
    assert_eq!(found.keys().collect::<Vec<_>>(), ["disk", "poll", "store", "token"]);
    assert_eq!((&found["store"]["ok"], &found["disk"]["ok"]), (&json!(true), &json!(true)));
    assert_eq!(found["token"]["target"], "entra");
    assert_eq!(found["token"]["detail"], "nothing was sent by this process yet");

    // callers that a proxy passes on see the gist, and with a credential the rest
    let ask = async |path: &str, credential: &str| {
        let request = served.ask(Method::GET, path, credential);
        request.header(FORWARDED.0, FORWARDED.1).send().await.unwrap()
    };
    assert_eq!(json_of(ask("/readyz", "").await).await, json!({"status": "ready"}));
    assert!(json_of(ask("/readyz", READER).await).await["checks"].is_array());
    assert_problem(ask("/readyz", "nobody").await, 401, "unauthorized").await;
    assert_eq!(ask("/healthz", "").await.status(), 200);
    for path in ["/metrics", "/openapi.json"] {
        assert_problem(ask(path, "").await, 401, "unauthorized").await;
        assert_eq!(ask(path, READER).await.status(), 200, "{path}");
        // a page of another host whose name was made to lead here
        let request = served.ask(Method::GET, path, "").header("Host", "evil.example");
        assert_problem(request.send().await.unwrap(), 401, "unauthorized").await;
    }
}

#[tokio::test]
async fn what_this_process_delivers_shows_in_its_readiness() {
    use scimport::bridge::Goal;
    use scimport::domain::TargetName;

    let stage = Stage::new().await;
    stage.write("w.csv", &workers(3, 1));
    stage.apply("w.csv", &["--wait", "none"]).await.assert_code(0);
    let served = Served::on(stage, "").await;
    let bridge = crate::server_support::bridge(&served.stage.path("scimport.toml"));
    let settings = bridge.setup.config().server.clone();
    served.running.replace(bridge.clone(), Vec::new(), &settings).unwrap();
    let target = TargetName::new("entra");
    bridge.drive(&target, &Goal::Settled, None, &served.cancel, &mut |_| {}).await.unwrap();
    let found =
        checks(&json_of(served.ask(Method::GET, "/readyz", "").send().await.unwrap()).await);
    for name in ["token", "poll"] {
        assert_eq!(found[name]["ok"], true, "{found:?}");
        assert!(found[name]["at"].as_str().unwrap().ends_with('Z'), "{found:?}");
        assert_eq!(found[name].get("detail"), None, "{found:?}");
    }
    // a driver after it begins without having heard of anybody, and what was heard is kept
    bridge.drive(&target, &Goal::Settled, None, &served.cancel, &mut |_| {}).await.unwrap();
    assert!(bridge.contact(&target).unwrap().poll_at.is_some());
}

#[cfg(unix)]
#[tokio::test]
async fn it_is_not_ready_where_the_store_is_gone() {
    let served = Served::new().await;
    served.stage.write("scimport.db", "this is no store any more, and much longer than a header");
    for name in ["scimport.db-wal", "scimport.db-shm"] {
        drop(std::fs::remove_file(served.stage.path(name)));
    }
    let answer = served.ask(Method::GET, "/readyz", "").send().await.unwrap();
    if answer.status() == 200 {
        // a connection that is open may still see what it had read
        return;
    }
    assert_eq!(answer.status(), 503);
    let readiness = json_of(answer).await;
    assert_eq!(readiness["status"], "not_ready");
    assert_eq!(checks(&readiness)["store"]["ok"], false);
    let answer = served.ask(Method::GET, "/api/v1/runs", READER).send().await.unwrap();
    let problem = assert_problem(answer, 503, "unavailable").await;
    assert!(problem["hint"].is_string(), "{problem}");
}

#[tokio::test]
async fn the_numbers_are_those_of_the_store() {
    let served = Served::new().await;
    served.stage.write("w.csv", &format!("{}E9999,Maybe,,,,,\n", workers(4, 1)));
    served.stage.apply("w.csv", &["--wait", "outcome"]).await.assert_code(3);
    let answer = served.upload("payroll", "p.csv", workers(2, 1)).await;
    assert_eq!(answer.status(), 201);
    served.ask(Method::GET, "/zq-secret-path?zq=1", "").send().await.unwrap();
    served.ask(Method::GET, "/api/v1/records/zq-person", READER).send().await.unwrap();

    let answer = served.ask(Method::GET, "/metrics", "").send().await.unwrap();
    assert_eq!(answer.headers()["content-type"], "text/plain; version=0.0.4; charset=utf-8");
    let text = answer.text().await.unwrap();
    for line in [
        "scimport_runs{target=\"entra\",status=\"completed\"} 1",
        "scimport_runs{target=\"entra\",status=\"held\"} 1",
        "scimport_runs{target=\"entra\",status=\"failed\"} 0",
        "scimport_operations{target=\"entra\",status=\"provisioned\"} 4",
        "scimport_operations{target=\"entra\",status=\"rejected\"} 3",
        "scimport_quota_calls_limit{target=\"entra\"} 2000",
        "scimport_http_requests_total{route=\"/api/v1/sources/{source}/files\",method=\"POST\",status=\"201\"} 1",
        "scimport_http_requests_total{route=\"/api/v1/records/{externalId}\",method=\"GET\",status=\"404\"} 1",
        "scimport_http_requests_total{route=\"other\",method=\"GET\",status=\"404\"} 1",
        "# TYPE scimport_http_requests_total counter",
    ] {
        assert!(text.lines().any(|own| own == line), "no `{line}` in\n{text}");
    }
    assert!(text.contains("scimport_job_state{target=\"entra\",state=\"Active\""), "{text}");
    assert!(!text.contains("zq"), "{text}");
    // every line is a comment or a sample of a metric that was announced
    let mut announced = String::new();
    for line in text.lines() {
        match line.strip_prefix("# TYPE ") {
            Some(line) => line.split(' ').next().unwrap().clone_into(&mut announced),
            None if line.starts_with("# HELP ") => {}
            None => {
                let (name, rest) = line.split_once('{').unwrap();
                assert_eq!(name, announced);
                assert!(rest.rsplit_once("} ").unwrap().1.parse::<u64>().is_ok(), "{line}");
            }
        }
    }
}

#[test]
fn the_contract_is_what_was_promised() {
    let document = serde_json::to_value(scimport::server::openapi_document()).unwrap();
    let (mut routes, mut ids) = (String::new(), std::collections::BTreeSet::new());
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let statuses: Vec<_> = operation["responses"].as_object().unwrap().keys().collect();
            let id = operation["operationId"].as_str().unwrap();
            assert!(ids.insert(id.to_owned()), "two operations are called {id}");
            writeln!(
                routes,
                "{method} {path}: {}",
                statuses.iter().map(|s| s.as_str()).collect::<Vec<_>>().join(" ")
            )
            .unwrap();
        }
    }
    insta::assert_snapshot!(routes, @r"
    get /api/v1/deliveries/{id}: 200 400 401 403 404 405 413 429 500 503
    get /api/v1/records/{externalId}: 200 400 401 403 404 405 413 429 500 503
    get /api/v1/runs: 200 400 401 403 405 413 429 500 503
    get /api/v1/runs/{id}: 200 400 401 403 404 405 413 429 500 503
    post /api/v1/runs/{id}/approve: 200 400 401 403 404 405 409 413 429 500 503
    post /api/v1/runs/{id}/cancel: 200 400 401 403 404 405 409 413 429 500 503
    get /api/v1/runs/{id}/operations: 200 400 401 403 404 405 413 429 500 503
    post /api/v1/runs/{id}/retry: 200 400 401 403 404 405 409 413 429 500 503
    post /api/v1/sources/{source}/files: 200 201 400 401 403 405 408 413 415 422 429 500 503
    get /api/v1/sources/{source}/webhook: 200 400 401 403 405 413 429 500 503
    get /healthz: 200 400 405 413 500
    post /hooks/{source}: 200 202 400 401 403 405 408 413 415 429 500 503
    get /metrics: 200 400 401 403 405 413 429 500 503
    get /openapi.json: 200 400 401 403 405 413 429 500 503
    get /readyz: 200 400 401 403 405 413 429 500 503
    ");
    insta::assert_json_snapshot!("openapi", document, { ".info.version" => "[version]" });
}

/// The schema of an answer, with everything it refers to.
fn schema_of(document: &Value, path: &str, method: &str, status: &str) -> Value {
    let content = &document["paths"][path][method]["responses"][status]["content"];
    let schema = content.as_object().unwrap().values().next().unwrap()["schema"].clone();
    json!({"allOf": [schema], "components": document["components"]})
}

#[tokio::test]
async fn answers_are_as_the_contract_says() {
    let served = Served::new().await;
    let document = served.get("/openapi.json").await;
    assert_eq!(document, serde_json::to_value(scimport::server::openapi_document()).unwrap());
    assert_eq!(document["openapi"], "3.1.0");
    let check = |path: &str, method: &str, status: &str, answer: &Value| {
        let schema = schema_of(&document, path, method, status);
        let validator = jsonschema::validator_for(&schema).unwrap();
        let errors: Vec<_> = validator.iter_errors(answer).map(|e| e.to_string()).collect();
        assert!(errors.is_empty(), "{method} {path} {status}: {errors:?} in {answer}");
    };
    served.stage.write("w.csv", &format!("{}E9999,Maybe,,,,,\n", workers(4, 1)));
    let ran = served.stage.apply("w.csv", &["--wait", "outcome"]).await.json();
    let id = ran["run"].as_str().unwrap();
    let run = served.get(&format!("/api/v1/runs/{id}")).await;
    check("/api/v1/runs/{id}", "get", "200", &run);
    check("/api/v1/runs", "get", "200", &served.get("/api/v1/runs").await);
    let operations = served.get(&format!("/api/v1/runs/{id}/operations")).await;
    check("/api/v1/runs/{id}/operations", "get", "200", &operations);
    check("/api/v1/records/{externalId}", "get", "200", &served.get("/api/v1/records/E0000").await);
    check("/healthz", "get", "200", &served.get("/healthz").await);
    check("/readyz", "get", "200", &served.get("/readyz").await);
    let upload = "/api/v1/sources/{source}/files";
    let held = json_of(served.upload("payroll", "p.csv", workers(2, 1)).await).await;
    check(upload, "post", "201", &held);
    let approve = format!("/api/v1/runs/{}/approve", held["run"].as_str().unwrap());
    check("/api/v1/runs/{id}/approve", "post", "200", &json_of(served.post(&approve).await).await);
    check("/api/v1/runs/{id}/approve", "post", "409", &json_of(served.post(&approve).await).await);
    check(upload, "post", "422", &json_of(served.upload("hr", "x.csv", "Id\n\"").await).await);
    let answer = served.ask(Method::GET, "/api/v1/runs", "").send().await.unwrap();
    check("/api/v1/runs", "get", "401", &json_of(answer).await);
    // the members of a document are all in the contract, and required
    for (schema, answer) in [("Run", &run), ("Operation", &operations["operations"][0])] {
        let schema = &document["components"]["schemas"][schema];
        let mut members: Vec<_> = answer.as_object().unwrap().keys().collect();
        members.sort();
        assert_eq!(schema["properties"].as_object().unwrap().keys().collect::<Vec<_>>(), members);
        assert_eq!(schema["required"].as_array().unwrap().len(), members.len());
    }
    assert_eq!(served.ask(Method::GET, "/openapi.json", ADMIN).send().await.unwrap().status(), 200);
}
