//! Every kind of credential, from the words of the config to an answer of the stand-in.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use std::path::Path;
use std::sync::Arc;

use scimport::bridge::{BridgeError, Setup};
use scimport::config::{Config, Secrets};
use scimport::domain::TargetName;
use scimport::entra::{Disposition, EntraClient, TokenFailure};
use scimport::mock_entra::{
    CLIENT_ID, CLIENT_SECRET, IDENTITY_HEADER, MockEntra, TENANT_ID, target_config,
};
use serde_json::json;

use crate::entra_support::chain;
use crate::mock_client::{Mock, by_hand, json_of};

const USUAL: &str = "{ client_secret = { env = \"SCIMPORT_CLIENT_SECRET\" } }";

/// Sets a target up with that credential, and asks for its job.
async fn ask(text: &str, env: &[(&str, &str)]) -> Result<(), BridgeError> {
    client(text, env).await?.job().await.unwrap();
    Ok(())
}

/// Why there is no token.
async fn refused(text: &str, env: &[(&str, &str)]) -> TokenFailure {
    client(text, env).await.unwrap().token().await.unwrap_err()
}

async fn client(text: &str, env: &[(&str, &str)]) -> Result<EntraClient, BridgeError> {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    let env: Arc<Vec<_>> = Arc::new(env.iter().map(owned).collect());
    let config = Config::parse(text, Path::new("."), env.iter().cloned()).unwrap();
    let setup = Arc::new(Setup::new(config).unwrap());
    setup.client_aside(&TargetName::new("entra"), &Secrets::new(env)).await
}

#[tokio::test]
async fn a_managed_identity_needs_no_secret_and_no_client_id() {
    let mock = MockEntra::start(by_hand()).await.unwrap();
    let nameless =
        target_config(&mock.url()).replace(&format!("client_id = \"{CLIENT_ID}\"\n"), "");
    let named = format!("{{ managed_identity = {{ client_id = \"{CLIENT_ID}\" }} }}");
    let msi = format!("{}/msi/token", mock.url());
    let app = [("IDENTITY_ENDPOINT", msi.as_str()), ("IDENTITY_HEADER", IDENTITY_HEADER)];
    for credential in ["\"managed_identity\"", named.as_str()] {
        let text = nameless.replace(USUAL, credential);
        ask(&text, &[]).await.unwrap();
        ask(&text, &app).await.unwrap();
    }
    let text = nameless.replace(USUAL, "\"managed_identity\"");
    let far = [("IDENTITY_ENDPOINT", "http://10.0.0.1/"), ("IDENTITY_HEADER", "hunter2")];
    for (env, words) in [(&far[..], "on this machine"), (&far[..1], "without `IDENTITY_HEADER`")] {
        let error = ask(&text, env).await.unwrap_err();
        let text = chain(&error);
        assert!(text.contains(words) && !text.contains("hunter2"), "{text}");
    }
}

#[tokio::test]
async fn a_federated_token_that_is_not_there_is_told_at_once() {
    let mock = MockEntra::start(by_hand()).await.unwrap();
    let text = target_config(&mock.url()).replace(USUAL, "\"federated_token\"");
    let env =
        [("AZURE_FEDERATED_TOKEN_FILE", "/there/is/no/token"), ("AZURE_TENANT_ID", TENANT_ID)];
    let error = chain(&ask(&text, &env).await.unwrap_err());
    assert!(error.contains("cannot be had from `/there/is/no/token`"), "{error}");
}

#[cfg(unix)]
#[tokio::test]
async fn a_program_may_print_the_secret() {
    let mock = MockEntra::start(by_hand()).await.unwrap();
    let of = |script: &str| {
        let command = format!("{{ client_secret = {{ command = [\"sh\", \"-c\", '{script}'] }} }}");
        target_config(&mock.url()).replace(USUAL, &command)
    };
    ask(&of(&format!("echo \"{CLIENT_SECRET}\"")), &[]).await.unwrap();
    let error = ask(&of("echo hunter2; exit 4"), &[]).await.unwrap_err();
    let text = chain(&error);
    assert!(text.contains("command `sh` gave no secret: it ended with code 4"), "{text}");
    assert!(!text.contains("hunter2"), "{text}");
}

#[tokio::test]
async fn the_second_takes_the_place_of_the_first_when_that_is_refused_for_good() {
    let mock = Mock::new().await;
    let base = target_config(&mock.server.url());
    let two = base.replace(
        USUAL,
        "[{ client_secret = { env = \"A\" } }, { client_secret = { env = \"B\" } }]",
    );
    for (first, second, expected) in [(CLIENT_SECRET, "wrong", 1), ("wrong", CLIENT_SECRET, 2)] {
        let before = requests(&mock).await;
        ask(&two, &[("A", first), ("B", second)]).await.unwrap();
        assert_eq!(requests(&mock).await - before, expected);
    }
    // each is asked with once, and the first one's refusal is what is told
    let before = requests(&mock).await;
    let failure = refused(&two, &[("A", "wrong"), ("B", "wrong too")]).await;
    assert_eq!(failure.aadsts(), Some(7_000_215));
    assert_eq!(requests(&mock).await - before, 2);
    // what passes by itself says nothing of the credential
    mock.tell("faults", &json!(["token-error:1"])).await;
    let before = requests(&mock).await;
    let failure = refused(&two, &[("A", CLIENT_SECRET), ("B", CLIENT_SECRET)]).await;
    assert!(matches!(failure.disposition(), Disposition::Transient { .. }));
    assert_eq!(requests(&mock).await - before, 1);
}

#[tokio::test]
async fn a_secret_is_rotated_without_a_failed_call() {
    let mock = Mock::new().await;
    let two = target_config(&mock.server.url()).replace(
        USUAL,
        "[{ client_secret = { env = \"A\" } }, { client_secret = { env = \"B\" } }]",
    );
    let client = client(&two, &[("A", CLIENT_SECRET), ("B", "rotated")]).await.unwrap();
    client.job().await.unwrap();
    // the tokens of the old secret are over with it, both times
    for secret in ["rotated", CLIENT_SECRET] {
        let before = requests(&mock).await;
        mock.tell("settings", &json!({ "client_secret": secret })).await;
        client.job().await.unwrap();
        client.job().await.unwrap();
        assert_eq!(requests(&mock).await - before, 2, "one is refused, the other gets a token");
    }
}

/// How often a token was asked for.
async fn requests(mock: &Mock) -> u64 {
    let answer = mock.http.get(format!("{}/_mock/stats", mock.server.url())).send().await;
    let stats = json_of(answer.unwrap()).await;
    stats.get("token_requests").and_then(serde_json::Value::as_u64).unwrap()
}
