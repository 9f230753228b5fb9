//! What alerts say, in words and in each form.

use std::fmt::Write as _;

use jiff::Timestamp;
use serde_json::Value;

use super::*;
use crate::domain::AlertKind;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn now() -> Timestamp {
    at("2026-09-01T10:00:00Z")
}

fn run(id: &str) -> RunFacts {
    RunFacts { run: id.to_owned(), source: "hr".to_owned(), target: "entra".to_owned() }
}

/// A case of each kind.
fn cases() -> Vec<Facts> {
    let text = |text: &str| text.to_owned();
    let guard =
        |guard: &str, value, of| GuardFacts { guard: text(guard), limit: text("5%"), value, of };
    vec![
        Facts::RunHeld {
            run: run("01RUN"),
            guards: vec![guard("max_leavers", 12, 100), guard("first_run", 40, 0)],
        },
        Facts::FileRefused { run: run("01RUN"), code: Word::new("source.empty") },
        Facts::OperationsFailed { run: run("01RUN"), failed: 3, of: 100 },
        Facts::RowsRejected { run: run("01RUN"), rejected: 20, of: 100 },
        Facts::JobPaused {
            target: text("entra"),
            code: Word::new("Paused"),
            means: text("somebody has paused the job"),
            advice: text("start provisioning"),
        },
        Facts::JobQuarantined {
            target: text("entra"),
            reason: Some(Word::new("TooManyDeletes")),
            means: text("too many would have been disabled"),
            advice: text("allow the deletes"),
        },
        Facts::QuotaShort {
            target: text("entra"),
            operations: 40_000,
            calls: 1_990,
            daily_calls: 2_000,
            done_at: Some(at("2026-09-02T04:00:00Z")),
        },
        Facts::QuotaShort {
            target: text("entra"),
            operations: 1,
            calls: 0,
            daily_calls: 0,
            done_at: None,
        },
        Facts::CertificateExpiring {
            target: Some(text("entra")),
            expires_at: at("2026-09-08T10:00:00Z"),
        },
        Facts::CertificateExpiring { target: None, expires_at: at("2026-09-01T10:59:00Z") },
        Facts::KeyExpiring {
            key: text("abcdefghij01"),
            role: text("webhook"),
            source: Some(text("hr")),
            expires_at: at("2026-09-02T09:00:00Z"),
        },
        Facts::KeyExpiring {
            key: text("abcdefghij02"),
            role: text("reader"),
            source: None,
            expires_at: at("2026-08-31T10:00:00Z"),
        },
        Facts::AccessRefused {
            target: text("entra"),
            status: Some(401),
            code: Some(Word::new("invalid_client")),
            advice: text("make a new client secret"),
        },
        Facts::AccessRefused {
            target: text("entra"),
            status: None,
            code: None,
            advice: text("look"),
        },
        Facts::LogRefused {
            target: text("entra"),
            status: Some(403),
            code: None,
            advice: text("grant the role"),
        },
        Facts::WorkersRefused { source: text("hr"), advice: text("look at the credential") },
        Facts::TargetUnreachable { target: text("entra"), advice: text("look at the proxy") },
        Facts::KeysRefused {},
        Facts::FileOverdue { source: text("hr"), expected_at: at("2026-09-01T05:00:00Z") },
        Facts::NothingSettled {
            target: text("entra"),
            operations: 250,
            waiting_since: at("2026-09-01T06:00:00Z"),
        },
        Facts::StoreTrouble { trouble: text("the disk is full"), advice: text("make room") },
    ]
}

fn alert(facts: Facts) -> Alert {
    let seen_at = now();
    Alert { facts, since: at("2026-09-01T09:55:00Z"), level: 0, seen_at, ended_at: None }
}

fn message(alerts: Vec<Alert>, state: State, is_again: bool) -> Message {
    Message { kind: alerts[0].facts.kind(), state, is_again, alerts, at: now() }
}

fn one(facts: &Facts, state: State) -> Notice {
    Notice::Alerts(message(vec![alert(facts.clone())], state, false))
}

fn many(count: usize) -> Notice {
    let facts = |number| Facts::FileRefused {
        run: run(&format!("01RUN{number}")),
        code: Word::new("source.empty"),
    };
    Notice::Alerts(message(
        (0..count).map(|number| alert(facts(number))).collect(),
        State::Raised,
        false,
    ))
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap()
}

#[test]
fn every_kind_has_words_a_way_out_and_an_end() {
    let mut text = String::new();
    let mut kinds = std::collections::BTreeSet::new();
    for facts in cases() {
        kinds.insert(facts.kind());
        let raised = one(&facts, State::Raised).words();
        let over = one(&facts, State::Over).words();
        let (kind, severity) = (facts.kind(), raised.severity.as_str());
        writeln!(text, "{kind} ({severity})\n  {}\n  → {}", raised.title, raised.advice).unwrap();
        writeln!(text, "  over: {}", over.title).unwrap();
        assert_eq!((over.severity, over.advice.as_str()), (words::Severity::Info, "nothing"));
    }
    for kind in AlertKind::ALL {
        assert!(kinds.contains(&kind), "there is a case of {kind}");
        writeln!(text, "{}\n{}", words::many(kind, 3, false), words::many(kind, 3, true)).unwrap();
        writeln!(text, "  → {}", words::advice_for_many(kind)).unwrap();
    }
    insta::assert_snapshot!(text);
}

#[test]
fn our_own_document() {
    let facts = &cases()[0];
    insta::assert_snapshot!(pretty(&document(&one(facts, State::Raised))));
    let burst = document(&many(200));
    assert_eq!(burst["count"], 200);
    assert_eq!(burst["alerts"].as_array().unwrap().len(), 50);
    assert_eq!((&burst["source"], &burst["run"]), (&Value::from("hr"), &Value::Null));
    let over = document(&one(facts, State::Over));
    assert_eq!((&over["state"], &over["severity"]), (&Value::from("over"), &Value::from("info")));
    let test = document(&Notice::Test(now()));
    assert_eq!((&test["kind"], &test["count"]), (&Value::from("test"), &Value::from(0)));
    let mut keys: Vec<_> = test.as_object().unwrap().keys().collect();
    let mut expected: Vec<_> = over.as_object().unwrap().keys().collect();
    keys.sort();
    expected.sort();
    assert_eq!(keys, expected, "the same members whatever it is about");
}

#[test]
fn a_card_for_teams() {
    insta::assert_snapshot!(pretty(&teams(&one(&cases()[0], State::Raised))));
    insta::assert_snapshot!("a_burst_as_a_card_for_teams", pretty(&teams(&many(12))));
    let over = pretty(&teams(&one(&cases()[0], State::Over)));
    assert!(over.contains("is no longer held") && over.contains("\"good\""), "{over}");
}

#[test]
fn blocks_for_slack() {
    insta::assert_snapshot!(pretty(&slack(&one(&cases()[0], State::Raised))));
    insta::assert_snapshot!("a_burst_as_blocks_for_slack", pretty(&slack(&many(12))));
}

#[test]
fn a_mail() {
    let text = |notice: &Notice| {
        let Mail { subject, text } = mail(notice);
        format!("{subject}\n\n{text}")
    };
    let again = Notice::Alerts(message(vec![alert(cases()[4].clone())], State::Raised, true));
    let all = [
        text(&one(&cases()[0], State::Raised)),
        text(&many(12)),
        text(&again),
        text(&one(&cases()[0], State::Over)),
        text(&Notice::Test(now())),
    ];
    insta::assert_snapshot!(all.join("----\n"));
}

#[test]
fn what_slack_takes_for_markup_is_escaped_and_what_is_too_long_is_cut() {
    let guard =
        GuardFacts { guard: "<!channel>&".repeat(400), limit: "5%".to_owned(), value: 1, of: 2 };
    let facts = Facts::RunHeld { run: run("01RUN"), guards: vec![guard] };
    let value = slack(&one(&facts, State::Raised));
    assert!(!pretty(&value).contains("<!channel>"));
    for block in value["blocks"].as_array().unwrap() {
        let length = block["text"]["text"].as_str().unwrap_or_default().chars().count();
        assert!(length <= 3_000, "{length}");
    }
    let subject = mail(&one(&facts, State::Raised)).subject;
    assert!(subject.chars().count() <= 120, "{subject}");
}

#[test]
fn facts_read_back_as_they_were() {
    for facts in cases() {
        let text = serde_json::to_string(&facts).unwrap();
        assert_eq!(serde_json::from_str::<Facts>(&text).unwrap(), facts, "{text}");
    }
}
