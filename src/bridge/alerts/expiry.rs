//! What ends on a day that is known: certificates, client secrets and provisioning keys.

use std::time::Duration;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use secrecy::ExposeSecret;

use crate::bridge::Setup;
use crate::bridge::credential::pem;
use crate::config::{CredentialConfig, Secrets};
use crate::domain::SourceName;
use crate::entra::certificate_ends;
use crate::store::Key;
use crate::telemetry::alerts::{Condition, Facts};

/// A key that has run out is told of for so long, then it is left in peace.
const KEY_AFTERMATH: SignedDuration = SignedDuration::from_hours(24);

/// What of the config ends, as an alert says it: the facts name the instant.
pub(super) type CredentialEnds = Vec<Facts>;

/// When the credentials of the config end, as far as that can be known.
pub(super) fn credentials(setup: &Setup, secrets: &Secrets) -> CredentialEnds {
    let config = setup.config();
    let targets = config.targets.iter().filter_map(|target| {
        let credentials = [Some(&target.credential), target.second_credential.as_ref()];
        let ends = credentials.into_iter().flatten();
        let ends = ends.filter_map(|credential| ends_of(target.name.as_str(), credential, secrets));
        // of two the one that ends first
        ends.min_by_key(Facts::expires_at)
    });
    let server = config.server.tls.as_ref().and_then(|tls| {
        let certificate = tls.certificate.resolve(secrets).ok()?;
        let expires_at = certificate_ends(certificate.expose_secret())?;
        Some(Facts::CertificateExpiring { target: None, expires_at })
    });
    targets.chain(server).chain(in_vault(setup, secrets)).collect()
}

/// When the secrets of the vault end that the config refers to, as far as that was told.
fn in_vault(setup: &Setup, secrets: &Secrets) -> CredentialEnds {
    let uses = setup.config().vault_uses();
    if uses.is_empty() {
        return Vec::new();
    }
    // a vault that does not open is told by whoever needs what is in it
    let listed = setup.vault().list(secrets).unwrap_or_default();
    let ends = listed.into_iter().filter_map(|listed| {
        let secret = listed.name.as_str().to_owned();
        let is_used = uses.iter().any(|used| used.name == secret);
        let expires_at = listed.expires_at.filter(|_| is_used)?;
        Some(Facts::VaultSecretExpiring { secret, expires_at })
    });
    ends.collect()
}

/// When one credential of a target ends. What cannot be had is told by whoever needs it.
fn ends_of(target: &str, credential: &CredentialConfig, secrets: &Secrets) -> Option<Facts> {
    let target = target.to_owned();
    match credential {
        CredentialConfig::Certificate { certificate, key, password, .. } => {
            let pem = pem(certificate, key.as_ref(), password.as_ref(), secrets).ok()?;
            let expires_at = certificate_ends(pem.expose_secret())?;
            Some(Facts::CertificateExpiring { target: Some(target), expires_at })
        }
        // Entra shows the day alone: the secret may end in any hour of it
        CredentialConfig::ClientSecret { expires, .. } => {
            let expires_at = (*expires)?.to_zoned(TimeZone::UTC).ok()?.timestamp();
            Some(Facts::SecretExpiring { target, expires_at })
        }
        CredentialConfig::FederatedToken { .. } | CredentialConfig::ManagedIdentity { .. } => None,
    }
}

/// Credentials that end soon.
pub(super) fn credentials_expiring(
    ends: &CredentialEnds,
    thresholds: &[Duration],
    now: Timestamp,
) -> Vec<Condition> {
    let expiring = |facts: &Facts| expiring(facts.clone(), facts.expires_at()?, thresholds, now);
    ends.iter().filter_map(expiring).collect()
}

/// Keys that end soon. One that was replaced is meant to end.
pub(super) fn keys_expiring(
    keys: &[Key],
    thresholds: &[Duration],
    now: Timestamp,
) -> Vec<Condition> {
    let is_meant = |key: &&Key| {
        let has_ended_long_ago = now.duration_since(key.expires_at) >= KEY_AFTERMATH;
        key.revoked_at.is_none() && key.replaced_by.is_none() && !has_ended_long_ago
    };
    let expiring = keys.iter().filter(is_meant).filter_map(|key| {
        let facts = Facts::KeyExpiring {
            key: key.id.as_str().to_owned(),
            role: key.scope.role().as_str().to_owned(),
            source: key.scope.source().map(SourceName::as_str).map(str::to_owned),
            expires_at: key.expires_at,
        };
        // a key for two weeks was not made with a month's notice in mind
        let lifetime = key.expires_at.duration_since(key.created_at).unsigned_abs();
        let apt: Vec<Duration> =
            thresholds.iter().copied().filter(|threshold| *threshold < lifetime / 2).collect();
        expiring(facts, key.expires_at, &apt, now)
    });
    expiring.collect()
}

/// Whether it ends within the longest threshold; its level is how many it has passed.
fn expiring(
    facts: Facts,
    expires_at: Timestamp,
    thresholds: &[Duration],
    now: Timestamp,
) -> Option<Condition> {
    let begins = |threshold: &Duration| {
        let threshold = SignedDuration::try_from(*threshold).ok()?;
        expires_at.checked_sub(threshold).ok()
    };
    let passed: Vec<Timestamp> = thresholds
        .iter()
        .filter_map(begins)
        .chain([expires_at])
        .filter(|begin| *begin <= now)
        .collect();
    let since = passed.iter().min().copied()?;
    Some(Condition { facts, since, level: i64::try_from(passed.len()).unwrap_or(i64::MAX) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{KeyId, KeyScope};

    const DAY: i64 = 86_400;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn days(days: &[u64]) -> Vec<Duration> {
        days.iter().map(|days| Duration::from_hours(24 * days)).collect()
    }

    #[test]
    fn each_threshold_raises_the_level() {
        let ends = vec![Facts::CertificateExpiring { target: None, expires_at: at(40 * DAY) }];
        let thresholds = days(&[30, 14, 7, 1]);
        let level = |now: i64| {
            let found = credentials_expiring(&ends, &thresholds, at(now));
            found.first().map(|condition| (condition.level, condition.since))
        };
        assert_eq!(level(10 * DAY - 1), None);
        assert_eq!(level(10 * DAY), Some((1, at(10 * DAY))));
        assert_eq!(level(33 * DAY - 1), Some((2, at(10 * DAY))));
        assert_eq!(level(33 * DAY), Some((3, at(10 * DAY))));
        assert_eq!(level(39 * DAY), Some((4, at(10 * DAY))));
        assert_eq!(level(40 * DAY), Some((5, at(10 * DAY))));
        assert_eq!(level(400 * DAY), Some((5, at(10 * DAY))), "a certificate is missed for good");
    }

    #[test]
    fn a_client_secret_ends_with_the_beginning_of_its_day() {
        let expires = Some(jiff::civil::date(2027, 3, 31));
        let secret = crate::config::SecretRef::Env("A".to_owned());
        let facts = |expires| {
            let config = CredentialConfig::ClientSecret { secret: secret.clone(), expires };
            ends_of("entra", &config, &Secrets::default())
        };
        assert_eq!(facts(None), None);
        let expires_at = "2027-03-31T00:00:00Z".parse().unwrap();
        let target = "entra".to_owned();
        assert_eq!(facts(expires), Some(Facts::SecretExpiring { target, expires_at }));
    }

    #[test]
    fn keys_that_are_meant_to_end_are_not_told_of() {
        let key = |number: u8| Key {
            id: KeyId::parse(&format!("abcdefghij{number:02}")).unwrap(),
            scope: KeyScope::Webhook("hr".into()),
            digest: [0; 32],
            created_at: at(0),
            created_by: "ann".to_owned(),
            expires_at: at(90 * DAY),
            last_used_at: None,
            revoked_at: None,
            revoked_by: None,
            replaced_by: None,
        };
        let short = Key { expires_at: at(10 * DAY), ..key(2) };
        let revoked = Key { revoked_at: Some(at(1)), revoked_by: Some("ann".into()), ..key(3) };
        let replaced = Key { replaced_by: Some(key(1).id), ..key(4) };
        let keys = [key(1), short, revoked, replaced];
        let found = |day: i64| {
            let found = keys_expiring(&keys, &days(&[30, 1]), at(day * DAY));
            let each = |condition: Condition| (condition.facts.subject(), condition.level);
            found.into_iter().map(each).collect::<Vec<_>>()
        };
        let (first, second) = ("abcdefghij01".to_owned(), "abcdefghij02".to_owned());
        assert_eq!(found(8), []);
        assert_eq!(found(9), [(second.clone(), 1)]);
        assert_eq!(found(10), [(second, 2)]);
        assert_eq!(found(11), [], "it has ended a day ago");
        assert_eq!(found(60), [(first.clone(), 1)]);
        assert_eq!(found(89), [(first.clone(), 2)]);
        assert_eq!(found(90), [(first, 3)]);
        assert_eq!(found(91), []);
    }
}
