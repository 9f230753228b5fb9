//! The schema of a job, read and replaced: odd answers and refusals of Graph's.

use scimport::entra::{Call, Disposition, JobSchema, MAX_SCHEMA_BYTES};
use wiremock::matchers::{body_string, header, method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::entra_support::{chain, client, give_tokens, give_two_tokens, graph_error, job_path};

const SCHEMA: &str = r#"{ "directories" : [], "n": 1.50 }"#;

async fn server(verb: &str, answer: ResponseTemplate) -> MockServer {
    let server = MockServer::start().await;
    give_tokens(&server).await;
    let route = Mock::given(method(verb)).and(path(job_path() + "/schema"));
    route.respond_with(answer).mount(&server).await;
    server
}

fn ok(body: impl Into<Vec<u8>>) -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_raw(body.into(), "application/json")
}

#[tokio::test]
async fn a_schema_is_kept_to_the_letter_and_replaced_to_the_letter() {
    let server = server("GET", ok(SCHEMA)).await;
    let schema = client(&server).schema().await.unwrap();
    assert_eq!(schema.text(), SCHEMA);
    let put = Mock::given(method("PUT")).and(path(job_path() + "/schema"));
    put.and(body_string(SCHEMA))
        .and(header("content-type", "application/json"))
        .respond_with(ResponseTemplate::new(204))
        .expect(1)
        .mount(&server)
        .await;
    client(&server).replace_schema(schema.text()).await.unwrap();
    assert!(!format!("{schema:?}").contains("1.50"), "no document in a debug line");
}

#[tokio::test]
async fn what_is_no_schema_is_told_without_a_word_of_it() {
    for body in
        [&b""[..], b"<html>Jane Doe</html>", b"{\"directories\":[", b"[]", b"{\"a\":\"\xff\"}"]
    {
        let server = server("GET", ok(body)).await;
        let failure = client(&server).schema().await.unwrap_err();
        assert_eq!((failure.call(), failure.status()), (Call::Schema, Some(200)));
        assert_eq!(
            failure.to_string(),
            "the answer to the reading of the job's schema is not what is expected"
        );
        assert!(!chain(&failure).contains("Jane"));
    }
}

#[tokio::test]
async fn a_schema_beyond_the_ceiling_is_not_read_on() {
    let blanks = " ".repeat(MAX_SCHEMA_BYTES - SCHEMA.len());
    let largest = server("GET", ok(format!("{SCHEMA}{blanks}"))).await;
    assert_eq!(client(&largest).schema().await.unwrap().text().len(), MAX_SCHEMA_BYTES);
    let larger = server("GET", ok(format!("{SCHEMA}{blanks} "))).await;
    let failure = client(&larger).schema().await.unwrap_err();
    assert_eq!(
        failure.to_string(),
        "the answer to the reading of the job's schema is longer than 8388608 bytes"
    );
    assert!(failure.advice().contains("proxy"));
}

#[tokio::test]
async fn a_refusal_names_the_permission_that_is_missing_and_where_it_is_given() {
    let refusal = ResponseTemplate::new(403)
        .set_body_json(graph_error("Authorization_RequestDenied", "Jane Doe may not"));
    let server = server("GET", refusal.clone()).await;
    let put = Mock::given(method("PUT")).and(path(job_path() + "/schema"));
    put.respond_with(refusal).mount(&server).await;
    let read = client(&server).schema().await.unwrap_err();
    let replaced = client(&server).replace_schema(SCHEMA).await.unwrap_err();
    for (failure, permission) in
        [(read, "`Synchronization.Read.All`"), (replaced, "`Synchronization.ReadWrite.All`")]
    {
        assert_eq!(failure.disposition(), Disposition::Halt);
        assert!(!failure.may_have_arrived());
        let advice = failure.advice();
        assert!(advice.contains(permission) && advice.contains("API permissions"), "{advice}");
        assert!(!chain(&failure).contains("Jane"));
    }
}

#[tokio::test]
async fn a_token_that_is_refused_is_replaced_once() {
    let server = MockServer::start().await;
    give_two_tokens(&server).await;
    let schema = job_path() + "/schema";
    for verb in ["GET", "PUT"] {
        Mock::given(method(verb))
            .and(path(&schema))
            .and(header("authorization", "Bearer token-1"))
            .respond_with(ResponseTemplate::new(401))
            .expect(u64::from(verb == "GET"))
            .mount(&server)
            .await;
    }
    let good = |verb: &str, answer| {
        let route = Mock::given(method(verb)).and(path(&schema));
        route.and(header("authorization", "Bearer token-2")).respond_with(answer).expect(1)
    };
    good("GET", ok(SCHEMA)).mount(&server).await;
    good("PUT", ResponseTemplate::new(204)).mount(&server).await;
    let client = client(&server);
    client.schema().await.unwrap();
    client.replace_schema(SCHEMA).await.unwrap();
}

#[tokio::test]
async fn a_put_that_is_answered_with_anything_but_204_is_not_done() {
    for (status, may_have_arrived) in [(200, true), (400, false), (413, false), (503, true)] {
        let server = server("PUT", ResponseTemplate::new(status)).await;
        let failure = client(&server).replace_schema(SCHEMA).await.unwrap_err();
        assert_eq!(failure.status(), Some(status));
        assert_eq!(failure.may_have_arrived(), may_have_arrived, "{status}");
    }
    assert!(JobSchema::read(SCHEMA.to_owned()).is_ok());
}
