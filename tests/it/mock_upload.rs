//! The stand-in's bulkUpload: what it takes, everything it refuses, quotas and faults.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests may panic as tests may"
)]

use std::time::Duration;

use reqwest::Method;
use scimport::mock_entra::{JOB_ID, MockConfig, SERVICE_PRINCIPAL_ID};
use serde_json::{Value, json};

use crate::mock_client::{CORE, ENTERPRISE, Mock, bulk, by_hand, json_of, user};

#[tokio::test]
async fn an_upload_is_answered_with_202_and_nothing_else() {
    let mock = Mock::new().await;
    let answer = mock
        .upload(&bulk(&[user("1")]))
        .header("Content-Type", "application/scim+json; charset=utf-8")
        .header("client-request-id", "my-id")
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 202);
    let header = |name: &str| answer.headers()[name].to_str().unwrap().to_owned();
    assert_eq!(
        header("Location"),
        format!(
            "{}/v1.0/auditLogs/provisioning/?$filter=jobid%20eq%20'{JOB_ID}'",
            mock.server.url()
        )
    );
    assert_eq!(header("client-request-id"), "my-id");
    assert_eq!(header("request-id").len(), 36);
    assert_eq!(header("Content-Length"), "0");
    assert!(header("Date").ends_with(" GMT"));
    let location = header("Location");
    assert_eq!(answer.text().await.unwrap(), "");

    let read = mock.http.get(location).header("Authorization", format!("Bearer {}", mock.token));
    assert_eq!(read.send().await.unwrap().status(), 200, "the Location can be followed");
}

#[tokio::test]
async fn the_documented_examples_are_taken() {
    let mock = Mock::new().await;
    let examples = [
        json!({
            "schemas": [CORE, ENTERPRISE],
            "externalId": "7172023", "active": false,
            ENTERPRISE: { "department": "Tour Ops" },
        }),
        json!({
            "schemas": [CORE, ENTERPRISE, "urn:contoso:employee"],
            "externalId": "701984", "userName": "bjensen@example.com",
            "name": { "familyName": "Jensen", "givenName": "Barbara", "honorificPrefix": "Ms." },
            "emails": [{ "value": "bjensen@example.com", "type": "work", "primary": true }],
            "active": true,
            ENTERPRISE: { "manager": { "value": "89607", "displayName": "John Smith" } },
            "urn:contoso:employee": { "HireDate": "2021-05-01T00:00:00-05:00", "Level": 7 },
        }),
        json!({ "schemas": [CORE, ENTERPRISE], "externalId": "1", "id": "x", "title": null }),
    ];
    mock.stage(&examples).await;
    let mut body = bulk(&[user("1"), user("1")]);
    body["Operations"][1]["path"] = json!("/users");
    body.as_object_mut().unwrap().remove("failOnErrors");
    let answer = mock.upload(&body).send().await.unwrap();
    assert_eq!(answer.status(), 202, "a repeated bulkId and a lower-case path are tolerated");
}

async fn refused(mock: &Mock, body: &Value) -> String {
    let answer = mock.upload(body).send().await.unwrap();
    assert_eq!(answer.status(), 400, "{body}");
    let error = json_of(answer).await;
    assert_eq!(error["error"]["code"], "BadRequest");
    error["error"]["message"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn every_breach_of_the_bulk_schema_is_refused() {
    let mock = Mock::with(MockConfig { burst: 1_000, ..by_hand() }).await;
    let with = |pointer: &str, value: Option<Value>| {
        let mut body = bulk(&[user("1")]);
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        let parent = body.pointer_mut(parent).unwrap().as_object_mut().unwrap();
        match value {
            Some(value) => parent.insert(name.to_owned(), value),
            None => parent.remove(name),
        };
        body
    };
    let operation = |name: &str, value| with(&format!("/Operations/0/{name}"), value);
    let data = |name: &str, value| with(&format!("/Operations/0/data/{name}"), value);
    let bulk_urn = "urn:ietf:params:scim:api:messages:2.0:BulkRequest";
    for (body, expected) in [
        (with("/schemas", None), "schemas is no array of strings"),
        (with("/schemas", Some(json!(bulk_urn))), "schemas is no array of strings"),
        (with("/schemas", Some(json!([bulk_urn, CORE]))), "schemas does not hold exactly"),
        (with("/schemas", Some(json!([]))), "schemas does not hold exactly"),
        (with("/Operations", None), "Operations is no array"),
        (with("/Operations", Some(json!([]))), "Operations has 0 entries"),
        (with("/operations", Some(json!([]))), "unknown member operations"),
        (with("/failOnErrors", Some(json!("no"))), "failOnErrors"),
        (with("/Operations", Some(json!([1]))), "Operations[0] is no object"),
        (operation("method", Some(json!("PUT"))), "Operations[0].method"),
        (operation("method", Some(json!("post"))), "Operations[0].method"),
        (operation("method", None), "Operations[0].method"),
        (operation("path", Some(json!("/Groups"))), "Operations[0].path"),
        (operation("path", Some(json!("/Users/1"))), "Operations[0].path"),
        (operation("bulkId", None), "Operations[0].bulkId"),
        (operation("bulkId", Some(json!(""))), "Operations[0].bulkId"),
        (operation("bulkId", Some(json!(1))), "Operations[0].bulkId"),
        (operation("version", Some(json!("1"))), "unknown member version"),
        (operation("data", None), "Operations[0].data is no object"),
        (data("schemas", Some(json!([CORE]))), "does not list urn:ietf:params:scim:schemas:ext"),
        (
            data("schemas", Some(json!([ENTERPRISE]))),
            "does not list urn:ietf:params:scim:schemas:c",
        ),
        (data("urn:contoso:employee", Some(json!({}))), "does not list urn:contoso:employee"),
        (data(ENTERPRISE, Some(json!("x"))), "is no object"),
        (data("externalId", None), "externalId is missing"),
        (data("externalId", Some(json!(""))), "externalId is missing"),
        (data("externalId", Some(json!(1))), "externalId is missing"),
        (data("active", Some(json!("true"))), "active is no boolean"),
        (data("active", Some(json!(null))), "active is no boolean"),
        (data("title", Some(json!(7))), "title is no string"),
        (data("name", Some(json!("Ada"))), "name is no object"),
        (data("name", Some(json!({ "givenName": 1 }))), "name.givenName is no string"),
        (data("emails", Some(json!({ "value": "a" }))), "emails is no array of objects"),
        (data(ENTERPRISE, Some(json!({ "manager": "7" }))), "manager is no object"),
        (data(ENTERPRISE, Some(json!({ "manager": { "value": 7 } }))), "value is no string"),
        (json!([]), "the body is no object"),
    ] {
        let message = refused(&mock, &body).await;
        assert!(message.starts_with("Invalid Data Format: "), "{message}");
        assert!(message.contains(expected), "{message} for {body}");
    }
    let users: Vec<_> = (0..51).map(|id| user(&id.to_string())).collect();
    assert!(refused(&mock, &bulk(&users)).await.contains("51 entries"));
    mock.stage(&users[..50]).await;

    let answer = mock.upload(&json!(null)).body("{\"schemas\":").send().await.unwrap();
    assert_eq!(answer.status(), 400);
    assert_eq!(mock.ask("stats").await["records_staged"], 50, "a refused request stages nothing");
}

#[tokio::test]
async fn the_wrong_media_type_is_the_classic_400() {
    let mock = Mock::new().await;
    let body = bulk(&[user("1")]).to_string();
    for media_type in [Some("application/json"), Some("application/scim+jsonx"), None] {
        let mut request = mock.job(Method::POST, "/bulkUpload").body(body.clone());
        if let Some(media_type) = media_type {
            request = request.header("Content-Type", media_type);
        }
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 400, "{media_type:?}");
        assert_eq!(json_of(answer).await["error"]["message"], "Invalid Data Format");
    }
}

#[tokio::test]
async fn a_refusal_has_the_shape_of_graphs_errors() {
    let mock = Mock::new().await;
    let url = format!("{}/v1.0/nothing", mock.server.url());
    let answer = mock.http.get(url).header("client-request-id", "mine").send().await.unwrap();
    assert_eq!(answer.status(), 404);
    let request_id = answer.headers()["request-id"].to_str().unwrap().to_owned();
    let error = json_of(answer).await;
    let inner = &error["error"]["innerError"];
    assert_eq!(inner["request-id"], json!(request_id));
    assert_eq!(inner["client-request-id"], "mine");
    assert_eq!(inner["date"].as_str().unwrap().len(), 19);
}

#[tokio::test]
async fn token_path_and_permission_are_checked_in_that_order() {
    let mock = Mock::new().await;
    let status = |principal: String, job: String, token: String, verb: Method| {
        let path =
            format!("/beta/servicePrincipals/{principal}/synchronization/jobs/{job}/bulkUpload");
        let request = mock.http.request(verb, format!("{}{path}", mock.server.url()));
        let request = request.header("Authorization", token).body("{}").send();
        async move {
            let answer = request.await.unwrap();
            let status = answer.status().as_u16();
            (status, json_of(answer).await["error"]["code"].as_str().unwrap().to_owned())
        }
    };
    let good = format!("Bearer {}", mock.token);
    let (principal, job) = (SERVICE_PRINCIPAL_ID.to_owned(), JOB_ID.to_owned());
    let call =
        |token: &str, verb: Method| status(principal.clone(), job.clone(), token.to_owned(), verb);

    let denied = (401, "InvalidAuthenticationToken".to_owned());
    for token in ["", "Bearer x", "Basic x", &good.replace("Bearer", "Token")] {
        assert_eq!(call(token, Method::POST).await, denied, "{token}");
        assert_eq!(call(token, Method::PUT).await, denied, "{token}");
    }
    let missing = (404, "Request_ResourceNotFound".to_owned());
    let other = "99999999-0000-4000-8000-000000000000".to_owned();
    let post = Method::POST;
    assert_eq!(status(other, job.clone(), good.clone(), post.clone()).await, missing);
    let other = "API2AAD.1.2".to_owned();
    assert_eq!(status(principal.clone(), other, good.clone(), post.clone()).await, missing);
    for verb in [Method::GET, Method::PUT, Method::PATCH, Method::DELETE] {
        assert_eq!(call(&good, verb).await.0, 405);
    }
    assert_eq!(call(&good, post.clone()).await, (400, "BadRequest".to_owned()));

    mock.tell("settings", &json!({ "roles": ["ProvisioningLog.Read.All"] })).await;
    let mut poor = Mock { server: mock.server, http: mock.http, token: mock.token };
    assert_eq!(poor.upload(&bulk(&[user("1")])).send().await.unwrap().status(), 202);
    poor.sign_in().await;
    let answer = poor.upload(&bulk(&[user("1")])).send().await.unwrap();
    assert_eq!(answer.status(), 403, "roles are baked into the token");
    assert_eq!(json_of(answer).await["error"]["code"], "Authorization_RequestDenied");
}

#[tokio::test]
async fn the_burst_window_slides_and_refused_calls_count() {
    let mock = Mock::with(MockConfig { burst: 3, ..by_hand() }).await;
    let mut seen = Vec::new();
    for body in [bulk(&[user("1")]), json!({}), bulk(&[user("1")]), bulk(&[user("1")])] {
        seen.push(mock.upload(&body).send().await.unwrap().status().as_u16());
    }
    assert_eq!(seen, [202, 400, 202, 429]);
    let throttled = mock.upload(&bulk(&[user("1")])).send().await.unwrap();
    assert!(throttled.headers().get("Retry-After").is_none());
    assert_eq!(json_of(throttled).await["error"]["code"], "TooManyRequests");
    mock.tell("advance", &json!({ "seconds": 5 })).await;
    mock.stage(&[user("1")]).await;
    let stats = mock.ask("stats").await;
    assert_eq!(stats["most_calls_in_window"], 5);
    assert_eq!((&stats["accepted"], &stats["refused"]), (&json!(3), &json!(3)));
}

#[tokio::test]
async fn the_daily_quota_rolls() {
    let mut mock = Mock::with(MockConfig { daily_calls: 2, ..by_hand() }).await;
    mock.stage(&[user("1")]).await;
    mock.stage(&[user("1")]).await;
    let refused = mock.upload(&bulk(&[user("1")])).send().await.unwrap();
    assert_eq!(refused.status(), 429);
    mock.tell("advance", &json!({ "seconds": 86_400 })).await;
    mock.sign_in().await;
    mock.stage(&[user("1")]).await;
    assert_eq!(mock.ask("stats").await["duplicates"], 2);
}

#[tokio::test]
async fn a_full_bucket_is_a_500_until_a_cycle_empties_it() {
    let mock = Mock::with(MockConfig { bucket: 3, ..by_hand() }).await;
    mock.stage(&[user("1"), user("2")]).await;
    let full = mock.upload(&bulk(&[user("3"), user("4")])).send().await.unwrap();
    assert_eq!(full.status(), 500);
    let message = json_of(full).await["error"]["message"].as_str().unwrap().to_owned();
    assert!(message.contains("The bucket that stores the ingested data is full"), "{message}");
    mock.stage(&[user("3")]).await;
    mock.cycle().await;
    mock.stage(&[user("4"), user("5"), user("6")]).await;
}

#[tokio::test]
async fn a_body_beyond_the_limit_is_a_413() {
    let mock = Mock::new().await;
    let mut fat = user("1");
    fat["title"] = json!("x".repeat(9 * 1024 * 1024));
    // The line may be closed before the whole body is sent, so the answer may be lost.
    if let Ok(answer) = mock.upload(&bulk(&[fat])).send().await {
        assert_eq!(answer.status(), 413);
    }
    mock.until(|stats| stats["refused"] == 1).await;
    assert_eq!(mock.ask("requests").await[0]["status"], 413);
}

#[tokio::test]
async fn faults_that_answer_answer_as_they_say_and_stage_nothing() {
    let mock = Mock::new().await;
    for (fault, status, retry_after, text) in [
        ("throttle", 429, None, "TooManyRequests"),
        ("throttle-after", 429, Some("1"), "TooManyRequests"),
        ("bucket-full", 500, None, "The bucket that stores the ingested data is full"),
        ("error-500", 500, None, "InternalServerError"),
        ("error-502-html", 502, None, "<html>"),
        ("error-503", 503, Some("1"), "ServiceUnavailable"),
        ("error-504-empty", 504, None, ""),
        ("token-expired", 401, None, "InvalidAuthenticationToken"),
    ] {
        mock.tell("faults", &json!([format!("{fault}:1")])).await;
        let answer = mock.upload(&bulk(&[user("1")])).send().await.unwrap();
        assert_eq!(answer.status(), status, "{fault}");
        let header = answer.headers().get("Retry-After").map(|value| value.to_str().unwrap());
        assert_eq!(header, retry_after, "{fault}");
        let body = answer.text().await.unwrap();
        assert!(body.contains(text) && (text.is_empty() == body.is_empty()), "{fault}: {body}");
    }
    mock.tell("faults", &json!([])).await;
    let answer = mock.upload(&bulk(&[user("1")])).send().await.unwrap();
    assert_eq!(answer.status(), 401, "the token stays invalid");
    assert_eq!(mock.ask("stats").await["records_staged"], 0);
    assert_eq!(mock.ask("requests").await[0]["fault"], "throttle");
}

#[tokio::test]
async fn a_fault_strikes_every_so_many_requests() {
    let mock = Mock::with(MockConfig {
        faults: ["error-500:3", "throttle:2"].map(|text| text.parse().unwrap()).to_vec(),
        ..by_hand()
    })
    .await;
    let mut seen = Vec::new();
    for _ in 0..6 {
        seen.push(mock.upload(&bulk(&[user("1")])).send().await.unwrap().status().as_u16());
    }
    assert_eq!(seen, [202, 429, 500, 429, 202, 429]);
}

#[tokio::test]
async fn a_cut_line_gives_no_answer_and_stages_only_after() {
    let mock = Mock::new().await;
    for (fault, staged) in [("reset", 0), ("reset-after", 1)] {
        mock.tell("faults", &json!([format!("{fault}:1")])).await;
        let failed = mock.upload(&bulk(&[user(fault)])).send().await.unwrap_err();
        assert!(!failed.is_timeout() && failed.status().is_none(), "{fault}: {failed:?}");
        let stats = mock.ask("stats").await;
        assert_eq!(stats["records_staged"], staged, "{fault}");
    }
    let requests = mock.ask("requests").await;
    let requests = requests.as_array().unwrap();
    assert!(requests.iter().all(|one| one["end"] == "cut" && one["status"].is_null()));
    assert!(requests.iter().all(|one| one["answered_us"].is_null()));
    assert_eq!(requests.last().unwrap()["staged"], true);
}

#[tokio::test]
async fn a_hanging_request_ends_when_the_client_gives_up() {
    let mock = Mock::new().await;
    for (fault, staged) in [("hang", 0), ("hang-after", 1)] {
        mock.tell("faults", &json!([format!("{fault}:1")])).await;
        let request = mock.upload(&bulk(&[user(fault)])).timeout(Duration::from_millis(150));
        assert!(request.send().await.unwrap_err().is_timeout(), "{fault}");
        // The very same person again at once, as a client would: the first line is closed by then.
        mock.tell("faults", &json!([])).await;
        mock.stage(&[user(fault)]).await;
        let requests = mock.ask("requests").await;
        let hung = requests.as_array().unwrap().iter().rev().nth(1).unwrap().clone();
        assert_eq!(hung["end"], "client-gone", "{fault}");
        assert_eq!(hung["staged"], staged == 1, "{fault}");
        assert_eq!(hung["externalIds"], json!([fault]));
    }
    let stats = mock.ask("stats").await;
    assert_eq!(stats["overlapping_records"], json!([]));
    assert_eq!((&stats["records_staged"], &stats["unanswered"]), (&json!(3), &json!(2)));
}

#[tokio::test]
async fn people_in_two_requests_at_once_are_found() {
    let mock = Mock::with(MockConfig { latency: Duration::from_millis(400), ..by_hand() }).await;
    let (first, second) = (bulk(&[user("1"), user("2")]), bulk(&[user("2"), user("3")]));
    let (first, second) = tokio::join!(mock.upload(&first).send(), mock.upload(&second).send());
    assert!(first.unwrap().status() == 202 && second.unwrap().status() == 202);
    mock.stage(&[user("1"), user("3")]).await;
    let stats = mock.ask("stats").await;
    assert_eq!(stats["overlapping_records"], json!(["2"]));
    let requests = mock.ask("requests").await;
    let took =
        requests[0]["answered_us"].as_i64().unwrap() - requests[0]["arrived_us"].as_i64().unwrap();
    assert!(took >= 400_000, "the latency is kept: {took}");
    assert_eq!(requests[2]["externalIds"], json!(["1", "3"]));
}

#[tokio::test]
async fn each_request_tells_when_it_began_and_when_it_ended() {
    let mock = Mock::with(MockConfig { latency: Duration::from_millis(50), ..by_hand() }).await;
    mock.stage(&[user("1")]).await;
    let (second, third) = ([user("2")], [user("3")]);
    tokio::join!(mock.stage(&second), mock.stage(&third));
    mock.tell("faults", &json!(["reset:1"])).await;
    assert!(mock.upload(&bulk(&[user("4")])).send().await.is_err());

    let requests = mock.ask("requests").await;
    let at = |number: usize, what: &str| requests[number][what].as_i64().unwrap();
    assert_eq!(requests[0]["externalIds"], json!(["1"]));
    for number in 0..3 {
        let took = at(number, "ended_us") - at(number, "arrived_us");
        assert!(took >= 50_000, "{took} microseconds are less than the latency");
        assert_eq!(at(number, "answered_us"), at(number, "ended_us"));
    }
    assert!(at(1, "arrived_us") >= at(0, "ended_us"), "sent after the first was answered");
    assert!(at(2, "arrived_us") < at(1, "ended_us"), "in flight together");
    assert!(requests[3]["answered_us"].is_null() && at(3, "ended_us") >= at(3, "arrived_us"));
}
