//! Refused credentials: what an admin reads for each AADSTS code, and that none is shown again and again.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use scimport::bridge::Setup;
use scimport::config::{Config, Secrets};
use scimport::domain::TargetName;
use scimport::entra::{
    Credential, CredentialMissing, CredentialSource, Disposition, EntraClient, HttpSettings,
    TargetSettings,
};
use scimport::mock_entra::{CLIENT_SECRET, target_config};
use serde_json::json;

use crate::entra_support::MovedClock;
use crate::mock_client::Mock;

/// The codes of the page's table, those that pass by themselves last.
const CODES: [u32; 27] = [
    7_000_215, 7_000_222, 7_000_218, 7_000_216, 700_016, 7_000_112, 90_002, 900_023, 70_011,
    1_002_012, 500_011, 50_001, 50_027, 700_027, 700_024, 7_000_214, 7_000_274, 7_000_277,
    1_000_502, 70_021, 700_211, 700_212, 700_213, 53_003, 50_196, 90_055, 90_033,
];
const PASSING: [u32; 3] = [50_196, 90_055, 90_033];
const USUAL: &str = "{ client_secret = { env = \"SCIMPORT_CLIENT_SECRET\" } }";

/// The settings of a target at the stand-in.
fn settings_of(mock: &Mock) -> TargetSettings {
    let text = target_config(&mock.server.url());
    let config = Config::parse(&text, Path::new("."), []).unwrap();
    let setup = Setup::new(config).unwrap();
    let secrets =
        Secrets::new(vec![("SCIMPORT_CLIENT_SECRET".to_owned(), CLIENT_SECRET.to_owned())]);
    let client = setup.client(&TargetName::new("entra"), &secrets).unwrap();
    TargetSettings { http: HttpSettings::default(), ..client.settings().clone() }
}

/// A client whose secret is what stands in a file at the moment.
fn of_file(mock: &Mock, path: &Path, clock: &MovedClock) -> EntraClient {
    let path = path.to_owned();
    let source = CredentialSource::new(move || {
        let secret = std::fs::read_to_string(&path).map_err(CredentialMissing::new)?;
        Ok(Credential::ClientSecret(secret.into()))
    });
    EntraClient::with_clock(settings_of(mock), source, Arc::new(clock.clone())).unwrap()
}

#[tokio::test]
async fn every_code_of_the_table_has_words_and_a_next_step() {
    let mock = Mock::new().await;
    let settings = settings_of(&mock);
    let mut text = String::new();
    for code in CODES {
        mock.tell("settings", &json!({ "refuse_tokens": code })).await;
        let credential = Credential::ClientSecret(CLIENT_SECRET.into());
        let client = EntraClient::new(settings.clone(), credential).unwrap();
        let failure = client.token().await.unwrap_err();
        assert_eq!(failure.aadsts(), Some(code));
        let passes = matches!(failure.disposition(), Disposition::Transient { .. });
        assert_eq!(passes, PASSING.contains(&code), "{code}");
        let what = if passes { "again later" } else { "stop" };
        writeln!(text, "{failure}\n  {what} → {}", failure.advice()).unwrap();
    }
    insta::with_settings!({ filters => vec![(r"id `[0-9a-f-]{36}`", "id `…`")] }, {
        insta::assert_snapshot!(text);
    });
    // the connection is whole
    mock.tell("settings", &json!({ "refuse_tokens": null })).await;
    let credential = Credential::ClientSecret(CLIENT_SECRET.into());
    EntraClient::new(settings, credential).unwrap().token().await.unwrap();
}

#[tokio::test]
async fn a_refused_secret_is_shown_again_after_growing_pauses_or_once_it_has_changed() {
    let mock = Mock::new().await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("secret");
    std::fs::write(&path, "hunter2").unwrap();
    let clock = MovedClock::default();
    let client = of_file(&mock, &path, &clock);
    let before = mock.count("token_requests").await;
    let asked = async || mock.count("token_requests").await - before;
    // a day of a daemon that asks every minute
    for minute in 0..1440_u64 {
        let failure = client.token().await.unwrap_err();
        assert_eq!(failure.aadsts(), Some(7_000_215));
        clock.advance(60);
        // after 1, 3, 7, 15, 31, 63 minutes, then each hour
        let expected = match minute {
            0..63 => u64::from((minute + 1).ilog2()) + 1,
            _ => 7 + (minute - 63) / 60,
        };
        assert_eq!(asked().await, expected, "after {minute} minutes");
    }
    let seen = client.credentials();
    assert_eq!((seen.refusals, seen.in_use, seen.refused.len()), (asked().await, None, 1));
    assert!(seen.again_at.is_some());
    // another one is tried at once, and the right one is not missed
    for (secret, is_taken) in [("hunter3", false), (CLIENT_SECRET, true)] {
        let before = asked().await;
        std::fs::write(&path, secret).unwrap();
        assert_eq!(client.token().await.is_ok(), is_taken);
        assert_eq!(asked().await - before, 1);
    }
    let seen = client.credentials();
    assert_eq!((seen.in_use, seen.refused.len(), seen.again_at), (Some(0), 0, None));
}

#[tokio::test]
async fn what_is_mended_on_the_other_side_is_noticed_without_a_restart() {
    let mock = Mock::new().await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("secret");
    std::fs::write(&path, CLIENT_SECRET).unwrap();
    let clock = MovedClock::default();
    let client = of_file(&mock, &path, &clock);
    mock.tell("settings", &json!({ "refuse_tokens": 7_000_112 })).await;
    assert!(client.token().await.is_err());
    mock.tell("settings", &json!({ "refuse_tokens": null })).await;
    assert!(client.token().await.is_err(), "it is too early");
    clock.advance(60);
    client.token().await.unwrap();
    // and a clock that goes back does not hold it back
    mock.tell("settings", &json!({ "refuse_tokens": 7_000_112, "token_lifetime_s": 60 })).await;
    clock.advance(3 * 3600);
    assert!(client.token().await.is_err());
    mock.tell("settings", &json!({ "refuse_tokens": null })).await;
    clock.advance(-2 * 3600);
    client.token().await.unwrap();
}

#[tokio::test]
async fn a_token_that_lives_is_used_while_the_credential_is_missing_or_refused() {
    let mock = Mock::new().await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("secret");
    std::fs::write(&path, CLIENT_SECRET).unwrap();
    let clock = MovedClock::default();
    let client = of_file(&mock, &path, &clock);
    client.token().await.unwrap();
    // five minutes before its end it is to be replaced
    clock.advance(3_400);
    std::fs::remove_file(&path).unwrap();
    client.token().await.unwrap();
    std::fs::write(&path, "hunter2").unwrap();
    clock.advance(60);
    client.token().await.unwrap();
    let seen = client.credentials();
    assert_eq!((seen.refusals, seen.refused.len()), (1, 1), "it is told all the same");
    clock.advance(3_600);
    assert_eq!(client.token().await.unwrap_err().aadsts(), Some(7_000_215));
}

#[tokio::test]
async fn the_first_credential_is_taken_again_once_it_has_changed() {
    let mock = Mock::new().await;
    let folder = tempfile::tempdir().unwrap();
    let (first, second) = (folder.path().join("first"), folder.path().join("second"));
    std::fs::write(&first, "hunter2").unwrap();
    std::fs::write(&second, CLIENT_SECRET).unwrap();
    let two = target_config(&mock.server.url()).replace(
        USUAL,
        &format!("[{{ client_secret = {{ file = {first:?} }} }}, {{ client_secret = {{ file = {second:?} }} }}]"),
    );
    let config = Config::parse(&two, Path::new("."), []).unwrap();
    let setup = Setup::new(config).unwrap();
    let client = setup.client(&TargetName::new("entra"), &Secrets::default()).unwrap();
    mock.tell("settings", &json!({ "token_lifetime_s": 1 })).await;
    client.token().await.unwrap();
    let seen = client.credentials();
    assert_eq!((seen.in_use, seen.refused.len(), seen.refused[0].word()), (Some(1), 1, "first"));
    // while it is as it was it is left alone
    let asked = async || mock.count("token_requests").await;
    let before = asked().await;
    tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
    client.token().await.unwrap();
    assert_eq!(asked().await - before, 1);
    std::fs::write(&first, CLIENT_SECRET).unwrap();
    tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
    client.token().await.unwrap();
    let seen = client.credentials();
    assert_eq!((seen.in_use, seen.refused.len()), (Some(0), 0));
    // without its file the other one does
    std::fs::remove_file(&first).unwrap();
    tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
    client.token().await.unwrap();
    let seen = client.credentials();
    assert_eq!((seen.in_use, seen.refused[0].failure.aadsts()), (Some(1), None));
}
