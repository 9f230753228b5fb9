//! Judges a client assertion (RFC 7523; "Microsoft identity platform application authentication
//! certificate credentials").

use jsonwebtoken::{Algorithm, Validation, decode, decode_header};
use serde_json::Value;

use super::certificate::Certificate;
use super::clock::SECOND;
use super::config::CLIENT_ID;
use super::denied::Denied;
use super::tokens::Tokens;

/// The value of `client_assertion_type`.
pub(super) const TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// Checks an assertion; `audiences` are the token endpoint's names.
pub(super) fn judge(
    assertion: &str,
    certificates: &[Certificate],
    audiences: &[String],
    tokens: &mut Tokens,
    now: i64,
) -> Result<(), Denied> {
    let header = decode_header(assertion).map_err(|_| malformed("the token is malformed"))?;
    if !matches!(header.alg, Algorithm::PS256 | Algorithm::RS256) {
        return Err(malformed("the signing algorithm is neither PS256 nor RS256"));
    }
    let known = certificates.iter().find(|certificate| match (&header.x5t_s256, &header.x5t) {
        (Some(thumbprint), _) => *thumbprint == certificate.sha256,
        (None, Some(thumbprint)) => *thumbprint == certificate.sha1,
        (None, None) => false,
    });
    let Some(certificate) = known else {
        return Err(unknown_key("the thumbprint is missing or names no registered certificate"));
    };

    // Times, audience and names are judged below, by the mock's clock and with Entra's codes.
    let mut validation = Validation::new(header.alg);
    validation.required_spec_claims.clear();
    validation.validate_exp = false;
    validation.validate_aud = false;
    let claims = decode::<Value>(assertion, &certificate.decoding_key(), &validation)
        .map_err(|_| unknown_key("the signature does not fit the registered certificate"))?
        .claims;

    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    if text("iss") != Some(CLIENT_ID) || text("sub") != Some(CLIENT_ID) {
        return Err(malformed("`iss` and `sub` must both be the client id"));
    }
    if !text("aud").is_some_and(|aud| audiences.iter().any(|known| known == aud)) {
        return Err(malformed("`aud` is not this token endpoint"));
    }
    let seconds = now / SECOND;
    let time = |name: &str| claims.get(name).and_then(Value::as_i64);
    let (Some(nbf), Some(exp)) = (time("nbf"), time("exp")) else {
        return Err(malformed("`nbf` or `exp` is missing"));
    };
    if seconds < nbf || seconds >= exp {
        return Err(Denied::NOT_ITS_TIME);
    }
    let Some(jti) = text("jti").filter(|jti| !jti.is_empty()) else {
        return Err(malformed("`jti` is missing"));
    };
    if !tokens.first_use(jti, exp.saturating_mul(SECOND), now) {
        return Err(malformed("this `jti` has been used before"));
    }
    Ok(())
}

fn malformed(what: &str) -> Denied {
    Denied::new(400, "invalid_request", 50_027, format!("JWT token is invalid: {what}."))
}

fn unknown_key(what: &str) -> Denied {
    Denied::invalid_client(700_027, format!("The client assertion failed validation: {what}."))
}

#[cfg(test)]
mod tests {
    use jsonwebtoken::{EncodingKey, Header, encode};
    use serde_json::json;

    use super::*;

    #[test]
    fn the_older_thumbprint_alone_names_the_certificate_too() {
        let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_RSA_SHA256).unwrap();
        let made = rcgen::CertificateParams::new([]).unwrap().self_signed(&key).unwrap();
        let certificate = Certificate::read(made.der()).unwrap();
        let mut header = Header::new(Algorithm::RS256);
        header.x5t = Some(certificate.sha1.clone());
        let claims = json!({
            "aud": "here", "iss": CLIENT_ID, "sub": CLIENT_ID, "jti": "1", "nbf": 10, "exp": 20,
        });
        let key = EncodingKey::from_rsa_pem(key.serialize_pem().as_bytes()).unwrap();
        let assertion = encode(&header, &claims, &key).unwrap();
        let at = |seconds: i64| {
            let audiences = ["here".to_owned()];
            let mut tokens = Tokens::default();
            judge(
                &assertion,
                std::slice::from_ref(&certificate),
                &audiences,
                &mut tokens,
                seconds * SECOND,
            )
        };
        assert_eq!(at(10), Ok(()));
        assert_eq!(at(19), Ok(()));
        assert!(at(9).is_err() && at(20).is_err());
    }
}
