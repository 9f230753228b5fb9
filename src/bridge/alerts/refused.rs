//! Credentials that Entra refuses while calls still go out.

use crate::domain::{AlertKind, TargetName};
use crate::entra::CredentialsSeen;
use crate::telemetry::alerts::{Condition, Facts, Word};

/// The refused credentials of the targets. Where nothing goes out any more, that is among what was
/// noticed, and told instead.
pub(super) fn refused_credentials(
    seen: Vec<(TargetName, CredentialsSeen)>,
    noticed: &[Condition],
) -> Vec<Condition> {
    let mut found = Vec::new();
    for (target, seen) in seen {
        let subject = target.as_str();
        let is_told = noticed.iter().any(|condition| {
            condition.facts.kind() == AlertKind::AuthFailing && condition.facts.subject() == subject
        });
        if is_told {
            continue;
        }
        for refused in seen.refused {
            let code = refused.failure.aadsts().map(|code| Word::new(&format!("AADSTS{code}")));
            let facts = Facts::CredentialRefused {
                target: subject.to_owned(),
                credential: refused.word().to_owned(),
                other_in_use: seen.in_use.is_some_and(|number| number != refused.number)
                    && seen.again_at.is_none(),
                code,
                advice: refused.failure.advice().to_owned(),
            };
            found.push(Condition::new(facts, refused.at));
        }
    }
    found
}
