//! What a machine collects of `serve`: the log as JSON, and traces.

use serde_json::Value;
use wiremock::matchers::{header, method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::serve_support::{QUICK, Serving, answered, drop_file, stage};
use crate::support::workers;

/// From the first line to the last, with a reload, a refused one and a refused file between.
#[tokio::test(flavor = "multi_thread")]
async fn every_line_of_a_json_log_is_an_object() {
    let stage = stage(QUICK, 20).await;
    let mut serving = Serving::start_with_words(&stage, &["--log-format", "json", "serve"], &[]);
    let url = serving.url().await;
    drop_file(&stage, "workers.csv", &workers(20, 2));
    let done = serving.has(&stage, "done", 1).await;
    answered(&done[0], "Status: completed").await;
    drop_file(&stage, "cut.csv", "Id,Status\n");
    serving.has(&stage, "failed", 1).await;
    serving.reload(1).await;
    let right = std::fs::read_to_string(stage.path("scimport.toml")).unwrap();
    stage.write("scimport.toml", &format!("{right}\nburts = 1\n"));
    serving.hang_up().await;
    serving.says("the old config stays in force", 1).await;
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    http.get(format!("{url}/api/v1/runs")).send().await.unwrap();
    let log = serving.stop().await;
    let lines: Vec<Value> = log
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect();
    for line in &lines {
        assert!(line["timestamp"].as_str().unwrap().parse::<jiff::Timestamp>().is_ok(), "{line}");
        assert!(["ERROR", "WARN", "INFO"].contains(&line["level"].as_str().unwrap()), "{line}");
        assert!(line["message"].is_string(), "{line}");
    }
    for words in ["serving; the API is at", "the file is answered", "stopped; what is queued"] {
        assert!(
            lines.iter().any(|line| line["message"].as_str().unwrap().contains(words)),
            "{log}"
        );
    }
}

/// A config that cannot work is told as JSON too.
#[tokio::test(flavor = "multi_thread")]
async fn a_mistake_in_the_config_is_one_object_as_well() {
    let stage = stage(QUICK, 5).await;
    stage.write("scimport.toml", "burts = 1\n");
    let ran = stage.run(&["--log-format", "json", "serve"]).await;
    ran.assert_code(2);
    for line in ran.log.lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        assert!(line["message"].is_string(), "{line}");
    }
    assert!(ran.log.contains("burts"), "{}", ran.log);
}

#[tokio::test(flavor = "multi_thread")]
async fn spans_go_to_the_collector_without_names_or_secrets() {
    let collector = MockServer::start().await;
    Mock::given(method("POST"))
        .and(path("/base/v1/traces"))
        .and(header("content-type", "application/x-protobuf"))
        .and(header("x-api-key", "zq%20collector"))
        .respond_with(ResponseTemplate::new(200))
        .mount(&collector)
        .await;
    let stage = stage(QUICK, 20).await;
    let config = std::fs::read_to_string(stage.path("scimport.toml")).unwrap();
    let otlp = format!(
        "[telemetry]\notlp = {{ endpoint = \"{}/base/\", headers = {{ X-Api-Key = {{ env = \"ZQ_KEY\" }} }} }}",
        collector.uri()
    );
    stage.write("scimport.toml", &format!("{config}\n{otlp}\n"));
    let key = [("ZQ_KEY", "zq%20collector")];
    stage.run_with(&["check"], &key).await.assert_code(0);
    stage.run(&["serve"]).await.assert_code(2).assert_says("ZQ_KEY");
    let mut serving = Serving::start_with(&stage, &key);
    drop_file(&stage, "workers.csv", &workers(20, 2));
    let done = serving.has(&stage, "done", 1).await;
    answered(&done[0], "Status: completed").await;
    // what was not sent yet is sent at the end
    let log = serving.stop().await;
    assert!(!log.contains("collector") && !log.contains("run.plan"), "{log}");
    let requests = collector.received_requests().await.unwrap();
    let sent: Vec<u8> = requests.iter().flat_map(|request| request.body.clone()).collect();
    let sent = String::from_utf8_lossy(&sent);
    let run = stage.runs().await[1]["run"].as_str().unwrap().to_owned();
    for words in ["run.plan", "delivery.send", "tracking.poll", "graph.status", "scimport", &run] {
        assert!(sent.contains(words), "`{words}` was not sent");
    }
    for secret in ["First1", "Last1", "contoso.example", "zq%20", "Department", "workers.csv"] {
        assert!(!sent.contains(secret), "`{secret}` was sent");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_that_is_away_is_told_once_and_holds_nothing_up() {
    let stage = stage(QUICK, 5).await;
    let config = std::fs::read_to_string(stage.path("scimport.toml")).unwrap();
    let otlp = "[telemetry]\notlp = { endpoint = \"http://127.0.0.1:9\" }";
    stage.write("scimport.toml", &format!("{config}\n{otlp}\n"));
    let mut serving = Serving::start(&stage);
    drop_file(&stage, "workers.csv", &workers(5, 2));
    let done = serving.has(&stage, "done", 1).await;
    answered(&done[0], "Status: completed").await;
    serving.says("the collector does not take traces", 1).await;
    drop_file(&stage, "workers.csv", &workers(5, 3));
    serving.has(&stage, "done", 2).await;
    let log = serving.stop().await;
    assert_eq!(log.matches("the collector does not take traces").count(), 1, "{log}");
}
