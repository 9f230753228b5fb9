//! Judges a federated token: the assertion of another identity provider ("Workload identity
//! federation"). Issuer, subject and audience have to fit to the letter.

use jsonwebtoken::dangerous::insecure_decode;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode};
use serde_json::Value;

use super::clock::SECOND;
use super::denied::Denied;

/// The app's one federated credential.
#[derive(Debug, Clone)]
pub struct Federation {
    /// The `iss` that is trusted.
    pub issuer: String,
    /// The `sub` that is trusted.
    pub subject: String,
    /// The `aud` that is asked for; `api://AzureADTokenExchange` with the public cloud.
    pub audience: String,
    /// The issuer's public RSA key, PEM.
    pub key: Vec<u8>,
}

/// Whether an assertion is another identity provider's: it names no certificate of the app, and has
/// another issuer than the app.
pub(super) fn is_foreign(assertion: &str, client_id: &str) -> bool {
    insecure_decode::<Value>(assertion).is_ok_and(|token| {
        let names_certificate = token.header.x5t.is_some() || token.header.x5t_s256.is_some();
        !names_certificate && token.claims.get("iss").and_then(Value::as_str) != Some(client_id)
    })
}

/// Checks a federated token. Unlike an assertion of the app's own it may be used again.
pub(super) fn judge(
    assertion: &str,
    federation: Option<&Federation>,
    now: i64,
) -> Result<(), Denied> {
    let Some(federation) = federation else {
        return Err(Denied::NO_FEDERATION);
    };
    let key = DecodingKey::from_rsa_pem(&federation.key).map_err(|_| unknown_key())?;
    // Times and names are judged below, by the mock's clock and with Entra's codes.
    let mut validation = Validation::new(Algorithm::RS256);
    validation.required_spec_claims.clear();
    validation.validate_exp = false;
    validation.validate_aud = false;
    let claims = decode::<Value>(assertion, &key, &validation).map_err(|_| unknown_key())?.claims;
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    for (name, expected, code) in [
        ("iss", &federation.issuer, 700_211),
        ("aud", &federation.audience, 700_212),
        ("sub", &federation.subject, 700_213),
    ] {
        // a list of one is what Kubernetes writes for the audience
        let list = claims.get(name).and_then(Value::as_array).map(Vec::as_slice);
        let given = match list {
            Some([one]) => one.as_str(),
            _ => text(name),
        };
        if given != Some(expected.as_str()) {
            let message =
                format!("No matching federated identity record found for presented `{name}`.");
            return Err(Denied::invalid_client(code, message));
        }
    }
    let time = |name: &str| claims.get(name).and_then(Value::as_i64);
    let seconds = now / SECOND;
    let is_early = time("nbf").is_some_and(|nbf| seconds < nbf);
    if is_early || time("exp").is_none_or(|exp| seconds >= exp) {
        return Err(Denied::NOT_ITS_TIME);
    }
    Ok(())
}

fn unknown_key() -> Denied {
    let message = "The client assertion failed validation: its signature is not the issuer's.";
    Denied::invalid_client(700_027, message)
}
