//! Who may do what, what is refused how, and what no caller can do to the server.

use std::time::{Duration, Instant};

use reqwest::Method;
use scimport::config::ServerConfig;
use scimport::server::{StartError, start};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

use crate::server_support::{
    ADMIN, READER, Served, assert_is_guarded, assert_problem, bridge, json_of,
};
use crate::support::{Stage, workers};

const LOOKS: [&str; 4] =
    ["/api/v1/runs", "/api/v1/runs/X", "/api/v1/runs/X/operations", "/api/v1/records/E1"];
const ORDERS: [&str; 5] = [
    "/api/v1/runs/X/approve",
    "/api/v1/runs/X/cancel",
    "/api/v1/runs/X/retry",
    "/api/v1/sources/hr/files",
    "/api/v1/sources/nowhere/files",
];

#[tokio::test]
async fn nobody_gets_in_without_a_credential_and_readers_only_look() {
    let served = Served::new().await;
    for path in LOOKS {
        let answer = served.ask(Method::GET, path, "").send().await.unwrap();
        assert_eq!(answer.headers()["www-authenticate"], "Bearer realm=\"scimport\"");
        assert_problem(answer, 401, "unauthorized").await;
        for credential in [READER, ADMIN] {
            let status = served.ask(Method::GET, path, credential).send().await.unwrap().status();
            assert!(matches!(status.as_u16(), 200 | 404), "{path}: {status}");
        }
    }
    for path in ORDERS {
        let answer = served.ask(Method::POST, path, "").send().await.unwrap();
        assert_problem(answer, 401, "unauthorized").await;
        let answer = served.ask(Method::POST, path, READER).send().await.unwrap();
        assert_problem(answer, 403, "forbidden").await;
    }
    for authorization in [ADMIN, "Basic YTpi", "Bearer", "Bearer  ", "Bearer\t", "bearer nobody"] {
        let answer = served
            .ask(Method::GET, "/api/v1/runs", "")
            .header("Authorization", authorization)
            .send()
            .await
            .unwrap();
        assert_problem(answer, 401, "unauthorized").await;
    }
    // the scheme is one whatever its letters
    let answer = served
        .ask(Method::GET, "/api/v1/runs", "")
        .header("Authorization", format!("bEARER {READER}"))
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(served.stage.runs().await.len(), 0);
}

#[tokio::test]
async fn an_unknown_source_and_an_unknown_key_look_the_same() {
    let served = Served::new().await;
    let ask = async |source: &str, key: &str| {
        let path = format!("/api/v1/sources/{source}/files");
        let answer = served.ask(Method::POST, &path, key).body("x").send().await.unwrap();
        assert_problem(answer, 401, "unauthorized").await
    };
    assert_eq!(ask("hr", "nobody").await, ask("nowhere", "nobody").await);
    assert_eq!(ask("nowhere", ADMIN).await["title"], "No known credential");
}

#[tokio::test]
async fn what_is_not_there_and_what_is_not_taken_is_told_as_a_problem() {
    let served = Served::new().await;
    for path in [
        "/",
        "/api",
        "/api/v1",
        "/api/v2/runs",
        "/api/v1/runs/",
        "/favicon.ico",
        "/hooks",
        "/hooks/hr/x",
    ] {
        let answer = served.ask(Method::GET, path, READER).send().await.unwrap();
        assert_problem(answer, 404, "not-found").await;
    }
    for path in LOOKS.into_iter().skip(1) {
        let answer = served.ask(Method::GET, path, READER).send().await.unwrap();
        assert_problem(answer, 404, "not-found").await;
    }
    for path in ORDERS.into_iter().take(3) {
        assert_problem(served.post(path).await, 404, "not-found").await;
    }
    for (path, allow) in [(LOOKS[0], "GET, HEAD"), (ORDERS[0], "POST"), ("/healthz", "GET, HEAD")] {
        for method in ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "BREW"] {
            let method = Method::from_bytes(method.as_bytes()).unwrap();
            let answer = served.ask(method, path, ADMIN).send().await.unwrap();
            assert_eq!(answer.headers()["allow"], allow);
            assert_problem(answer, 405, "method-not-allowed").await;
        }
    }
    let answer = served.ask(Method::HEAD, "/api/v1/runs", READER).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    for query in ["?limit=0", "?limit=201", "?limit=x", "?limit=-1", "?lmit=1", "?limit=1&limit=2"]
    {
        let path = format!("/api/v1/runs{query}");
        let answer = served.ask(Method::GET, &path, READER).send().await.unwrap();
        assert_problem(answer, 400, "bad-request").await;
    }
    for query in ["?limit=1001", "?after=x", "?status=done", "?status=", "?status=failed,"] {
        let path = format!("/api/v1/runs/X/operations{query}");
        let answer = served.ask(Method::GET, &path, READER).send().await.unwrap();
        assert_problem(answer, 400, "bad-request").await;
    }
}

#[tokio::test]
async fn a_body_over_the_limit_leaves_nothing_behind() {
    let stage = Stage::new().await;
    let served = Served::on(stage, "max_body = \"100KB\"").await;
    let large = vec![b'x'; 300_000];
    let problem =
        assert_problem(served.upload("hr", "l.csv", large.clone()).await, 413, "too-large").await;
    assert!(problem["detail"].as_str().unwrap().contains("100000"), "{problem}");
    // of no stated length, in chunks
    let head = format!(
        "POST /api/v1/sources/hr/files HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {ADMIN}\r\n\
         Transfer-Encoding: chunked\r\n\r\n"
    );
    let mut chunked = head.into_bytes();
    for _ in 0..12 {
        chunked.extend(b"2710\r\n");
        chunked.extend(vec![b'x'; 10_000]);
        chunked.extend(b"\r\n");
    }
    chunked.extend(b"0\r\n\r\n");
    let answer = served.raw(&chunked).await;
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
    // where no body is asked for, less is too much
    let answer =
        served.ask(Method::POST, ORDERS[0], ADMIN).body(vec![b'x'; 70_000]).send().await.unwrap();
    assert_problem(answer, 413, "too-large").await;
    assert_eq!(served.stage.runs().await.len(), 0);
    let answer = served.upload("hr", "fits.csv", workers(3, 1)).await;
    assert_eq!(answer.status(), 201);
}

#[tokio::test]
async fn who_sends_slowly_or_not_at_all_is_sent_away() {
    let served = Served::on(Stage::new().await, "timeout = \"1s\"\nupload_timeout = \"3s\"").await;
    // a head that never ends
    let began = Instant::now();
    let mut slow = TcpStream::connect(served.running.address()).await.unwrap();
    slow.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-A: ").await.unwrap();
    let mut answer = String::new();
    let read =
        tokio::time::timeout(Duration::from_secs(10), slow.read_to_string(&mut answer)).await;
    assert!(read.is_ok(), "the connection stays open");
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 408"), "{answer}");
    assert!(began.elapsed() < Duration::from_secs(9));
    // a body that stops coming
    let head = format!(
        "POST /api/v1/sources/hr/files HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {ADMIN}\r\n\
         Content-Length: 1000\r\n\r\n"
    );
    let mut stuck = TcpStream::connect(served.running.address()).await.unwrap();
    stuck.write_all(format!("{head}Id,").as_bytes()).await.unwrap();
    let answer = first_line(&mut stuck).await;
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
    // a body that comes byte by byte, for longer than an upload may take
    let mut dripping = TcpStream::connect(served.running.address()).await.unwrap();
    dripping.write_all(head.as_bytes()).await.unwrap();
    let (mut reader, mut writer) = dripping.split();
    let drip = async {
        while writer.write_all(b"x").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        std::future::pending::<()>().await;
    };
    let mut line = [0; 12];
    let began = Instant::now();
    tokio::select! {
        read = reader.read_exact(&mut line) => drop(read.unwrap()),
        () = drip => unreachable!("it only ends with the answer"),
        () = tokio::time::sleep(Duration::from_secs(20)) => panic!("it is let drip"),
    }
    assert_eq!(&line, b"HTTP/1.1 408");
    assert!(began.elapsed() > Duration::from_secs(2));
    // others were served meanwhile and are now
    assert_eq!(served.get("/healthz").await["status"], "alive");
    assert_eq!(served.stage.runs().await.len(), 0);
}

#[tokio::test]
async fn a_few_files_are_received_at_a_time_and_who_hangs_up_makes_room() {
    let served = Served::new().await;
    let head = format!(
        "POST /api/v1/sources/hr/files HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {ADMIN}\r\n\
         Content-Length: 1000\r\n\r\nId,"
    );
    let half = async || {
        let mut stream = TcpStream::connect(served.running.address()).await.unwrap();
        stream.write_all(head.as_bytes()).await.unwrap();
        stream
    };
    let mut half_sent = Vec::new();
    for _ in 0..4 {
        half_sent.push(half().await);
    }
    // tried until they have all arrived, and then until they are known to be gone
    for expected in [503, 422] {
        let began = Instant::now();
        loop {
            let answer = served.upload("hr", "broken.csv", "Id\n\"").await;
            if answer.status() == expected {
                if expected == 503 {
                    assert_eq!(answer.headers()["retry-after"], "5");
                    assert_problem(answer, 503, "unavailable").await;
                }
                break;
            }
            assert!(began.elapsed() < Duration::from_secs(20), "{answer:?}");
            tokio::time::sleep(Duration::from_millis(50)).await;
            if expected == 503 {
                // the file just received may have been in the way of one of them
                half_sent.push(half().await);
            }
        }
        half_sent.clear();
    }
    let runs = served.stage.runs().await;
    assert!(runs.iter().all(|run| run["status"] == "failed"), "half a file was planned");
}

async fn first_line(stream: &mut TcpStream) -> String {
    let mut buffer = [0; 64];
    let read = tokio::time::timeout(Duration::from_secs(20), stream.read(&mut buffer)).await;
    String::from_utf8_lossy(&buffer[..read.unwrap().unwrap()]).into_owned()
}

#[tokio::test]
async fn a_burst_of_unknown_credentials_is_slowed_down_and_the_known_one_gets_through() {
    let served = Served::new().await;
    let mut refused = 0;
    let problem = loop {
        let answer = served.ask(Method::GET, "/api/v1/runs", "guess").send().await.unwrap();
        if answer.status() == 429 {
            let wait: u64 = answer.headers()["retry-after"].to_str().unwrap().parse().unwrap();
            assert!((1..=60).contains(&wait));
            break assert_problem(answer, 429, "too-many-attempts").await;
        }
        assert_problem(answer, 401, "unauthorized").await;
        refused += 1;
        assert!(refused < 30, "guessing is never slowed down");
    };
    assert!(refused >= 5, "a slip is not a burst");
    assert!(!problem.to_string().contains("guess"));
    let began = Instant::now();
    let answer = served.ask(Method::GET, "/api/v1/runs", "guess").send().await.unwrap();
    assert_eq!(answer.status(), 429);
    assert!(began.elapsed() >= Duration::from_millis(900), "the answer does not wait");
    assert_eq!(served.get("/api/v1/runs").await["next"], serde_json::Value::Null);
}

#[tokio::test]
async fn hostile_requests_are_refused_and_break_nothing() {
    let served = Served::new().await;
    let auth = format!("Authorization: Bearer {READER}\r\n");
    let long = "a".repeat(20_000);
    let mut requests: Vec<Vec<u8>> = [
        "/api/v1/records/%00",
        "/api/v1/records/%FF%FE",
        "/api/v1/records/%2E%2E%2F%2E%2E%2Fetc%2Fpasswd",
        "/api/v1/records/..",
        "/api/v1/../v1/runs/X",
        "//api//v1//runs",
        "/api/v1/runs/'%20OR%201=1--",
        "/api/v1/runs/%0d%0aX-Evil:1",
        "/api/v1/runs?after=%00",
        "/api/v1/runs?after=%FF",
        "/api/v1/runs?after='%20OR%201=1--",
        "/api/v1/runs/X/operations?after=99999999999999999999",
        "/api/v1/runs/X/operations?after=-1",
        "/%",
        "/%zz",
        "*",
        "http://evil.example/api/v1/runs/X",
        "/api/v1/records/%F0%9F%92%A9",
    ]
    .iter()
    .map(|path| {
        format!("GET {path} HTTP/1.1\r\nHost: x\r\n{auth}Connection: close\r\n\r\n").into_bytes()
    })
    .collect();
    requests.extend([
        format!("GET /api/v1/records/{long} HTTP/1.1\r\nHost: x\r\n{auth}Connection: close\r\n\r\n").into_bytes(),
        format!("GET /healthz HTTP/1.1\r\nHost: x\r\nX-A: {}\r\n\r\n", "a".repeat(300_000)).into_bytes(),
        format!("GET /healthz HTTP/1.1\r\nHost: x\r\n{}\r\n", "X-A: b\r\n".repeat(500)).into_bytes(),
        b"GET /healthz HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx".to_vec(),
        b"POST /healthz HTTP/1.1\r\nContent-Length: -1\r\n\r\n".to_vec(),
        b"POST /healthz HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n".to_vec(),
        b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-A: \x00\x01\r\n\r\n".to_vec(),
        b"GET /healthz HTTP/9.9\r\n\r\n".to_vec(),
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".to_vec(),
        b"\r\n\r\n\r\n".to_vec(),
        format!("GET /api/v1/runs HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\nConnection: close\r\n\r\n", "k".repeat(5_000)).into_bytes(),
        format!("GET /api/v1/runs HTTP/1.1\r\nHost: x\r\n{auth}{auth}Connection: close\r\n\r\n").into_bytes(),
        b"GET /api/v1/runs HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \xff\xfe\xfd\r\nConnection: close\r\n\r\n".to_vec(),
    ]);
    for request in requests {
        let answer = served.raw(&request).await;
        let shown = String::from_utf8_lossy(&request[..request.len().min(90)]).into_owned();
        assert!(!answer.starts_with("HTTP/1.1 5"), "{shown}: {answer}");
        assert!(!answer.contains("X-Evil:1\r\n"), "{shown}: {answer}");
        if answer.starts_with("HTTP/1.1 4") && answer.contains("content-length") {
            assert!(
                answer.contains("problem+json") || answer.contains("content-length: 0"),
                "{shown}: {answer}"
            );
        }
    }
    // two credentials at once are none
    let both =
        format!("GET /api/v1/runs HTTP/1.1\r\nHost: x\r\n{auth}{auth}Connection: close\r\n\r\n");
    assert!(served.raw(both.as_bytes()).await.starts_with("HTTP/1.1 4"));
    assert_eq!(served.get("/healthz").await["status"], "alive");
}

#[tokio::test]
async fn beyond_this_machine_it_listens_only_with_an_admin_token() {
    let stage = Stage::new().await;
    let bridge = bridge(&stage.path("scimport.toml"));
    let open = ServerConfig { listen: "0.0.0.0:0".parse().unwrap(), ..ServerConfig::default() };
    let cancel = CancellationToken::new();
    let refused = start(bridge.clone(), Vec::new(), &open, cancel.clone()).err().unwrap();
    assert!(matches!(refused, StartError::Unguarded(_)), "{refused}");
    assert!(refused.to_string().contains("admin_token"), "{refused}");
    // on loopback, without any credential, nobody is an admin
    let closed = ServerConfig { listen: "127.0.0.1:0".parse().unwrap(), ..open };
    let running = start(bridge, Vec::new(), &closed, cancel.clone()).unwrap();
    let url = format!("http://{}", running.address());
    let http = crate::mock_client::client();
    let answer = http.get(format!("{url}/api/v1/runs")).bearer_auth("").send().await.unwrap();
    assert_problem(answer, 401, "unauthorized").await;
    for path in ["/healthz", "/readyz", "/openapi.json", "/metrics"] {
        let answer = http.get(format!("{url}{path}")).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{path}");
        assert_is_guarded(&answer);
    }
    cancel.cancel();
    tokio::time::timeout(Duration::from_secs(20), running.stopped()).await.unwrap();
    assert!(http.get(format!("{url}/healthz")).send().await.is_err(), "it still listens");
}

#[tokio::test]
async fn check_says_whether_the_tokens_are_there() {
    let served = Served::new().await;
    let ran = served.stage.run(&["check"]).await;
    ran.assert_code(2).assert_says("`server.admin_token` cannot be read");
    ran.assert_says("environment variable `ZQ_ADMIN` is not set");
    let tokens = [("ZQ_ADMIN", ADMIN), ("ZQ_READER", READER)];
    let ran = served.stage.run_with(&["check"], &tokens).await;
    ran.assert_code(0);
    assert!(ran.out.contains("server: would listen on 127.0.0.1:0"), "{}", ran.out);
    let ran = served.stage.run_with(&["check"], &[("ZQ_ADMIN", "zq-short"), tokens[1]]).await;
    ran.assert_code(2).assert_says("fewer than 16 characters");
    assert!(!format!("{}{}", ran.out, ran.log).contains("zq-short"));
}

#[tokio::test]
async fn another_config_takes_the_place_of_the_old_one() {
    let served = Served::new().await;
    let path = served.stage.path("scimport.toml");
    let other = bridge(&path);
    let mut settings = other.setup.config().server.clone();
    settings.reader_token = None;
    served.running.replace(other.clone(), Vec::new(), &settings).unwrap();
    let answer = served.ask(Method::GET, "/api/v1/runs", READER).send().await.unwrap();
    assert_problem(answer, 401, "unauthorized").await;
    let answer = served.ask(Method::GET, "/api/v1/runs", ADMIN).send().await.unwrap();
    assert_eq!(json_of(answer).await["runs"].as_array().unwrap().len(), 0);
    settings.admin_token = Some(scimport::config::SecretRef::Env("NOT_THERE".into()));
    assert!(served.running.replace(other, Vec::new(), &settings).is_err());
    let answer = served.ask(Method::GET, "/api/v1/runs", ADMIN).send().await.unwrap();
    assert_eq!(answer.status(), 200, "the old ones stay");
}
