//! What vendors send to see whether somebody listens. It is answered, and leaves no delivery behind.

use secrecy::SecretString;
use serde_json::Value;

use crate::config::{VerifyConfig, WebhookPreset};
use crate::intake::webhook::{BodyLimits, read_body};

/// `HiBob`'s words, as text or as the member `text` of an object.
const HIBOB: &str = "Ping test";
/// A handshake is small: what is larger is a delivery.
const MOST_BYTES: usize = 4 * 1024;

/// A vendor's question whether somebody listens. It may come unsigned, before there is a secret.
#[derive(Debug)]
pub enum Handshake {
    /// `HiBob` tests the connection: any 2xx, at once.
    HibobPing,
    /// Gusto hands over the token that its signatures are made with. An administrator gives it back
    /// to Gusto to show that the address is theirs, and makes it the webhook's secret.
    GustoVerification {
        /// The token.
        token: SecretString,
        /// Gusto's id of the subscription.
        subscription: Option<String>,
    },
}

/// The handshake that a body is; `None` when it is a delivery, or the vendor has none.
#[must_use]
pub fn handshake(verify: &VerifyConfig, body: &[u8]) -> Option<Handshake> {
    let VerifyConfig::Preset(preset) = verify else { return None };
    if body.len() > MOST_BYTES {
        return None;
    }
    match preset {
        WebhookPreset::Hibob => is_ping(body).then_some(Handshake::HibobPing),
        WebhookPreset::Gusto => gusto(body),
        _ => None,
    }
}

fn is_ping(body: &[u8]) -> bool {
    let text = body.trim_ascii();
    let quoted = text.strip_prefix(b"\"").and_then(|text| text.strip_suffix(b"\""));
    quoted.unwrap_or(text) == HIBOB.as_bytes()
        || only(body, 1).is_some_and(|value| value.get("text") == Some(&Value::from(HIBOB)))
}

fn gusto(body: &[u8]) -> Option<Handshake> {
    let value = only(body, 2)?;
    let token = value.get("verification_token")?.as_str().filter(|token| !token.is_empty())?;
    let subscription = value.get("webhook_subscription_uuid").and_then(Value::as_str);
    let token = SecretString::from(token);
    Some(Handshake::GustoVerification { token, subscription: subscription.map(str::to_owned) })
}

/// An object with so many members at most: with more it is an event that speaks of such a thing.
fn only(body: &[u8], members: usize) -> Option<Value> {
    let value = read_body(None, body, BodyLimits::default()).ok()?;
    (value.as_object()?.len() <= members).then_some(value)
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    fn found(preset: WebhookPreset, body: &str) -> Option<Handshake> {
        handshake(&VerifyConfig::Preset(preset), body.as_bytes())
    }

    #[test]
    fn hibobs_ping_is_known_in_each_form() {
        for body in ["Ping test", "Ping test\n", "\"Ping test\"", "{\"text\": \"Ping test\"}"] {
            let found = found(WebhookPreset::Hibob, body);
            assert!(matches!(found, Some(Handshake::HibobPing)), "{body}");
        }
        for body in
            ["Ping", "{\"text\":\"Ping\"}", "{\"text\":\"Ping test\",\"data\":{}}", "", "[]"]
        {
            assert!(found(WebhookPreset::Hibob, body).is_none(), "{body}");
        }
        assert!(found(WebhookPreset::Github, "Ping test").is_none());
    }

    #[test]
    fn gustos_token_is_taken_and_not_shown() {
        let body = r#"{"verification_token":"t0ken","webhook_subscription_uuid":"u"}"#;
        let found_here = found(WebhookPreset::Gusto, body).unwrap();
        assert!(!format!("{found_here:?}").contains("t0ken"));
        let Handshake::GustoVerification { token, subscription } = found_here else { panic!() };
        assert_eq!((token.expose_secret(), subscription.as_deref()), ("t0ken", Some("u")));
        for body in [
            "{}",
            r#"{"verification_token":""}"#,
            r#"{"verification_token":5}"#,
            r#"{"uuid":"x","event_type":"y","verification_token":"z"}"#,
        ] {
            assert!(found(WebhookPreset::Gusto, body).is_none(), "{body}");
        }
        assert!(found(WebhookPreset::Hibob, body).is_none());
    }
}
