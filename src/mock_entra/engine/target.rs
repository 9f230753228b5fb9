//! Attribute mappings from a source record to an account, with the rules of the account's values.
//!
//! Direct mappings as the docs' default ones; every extension attribute is taken as declared and
//! flows to an attribute of its own name. `mail` is not written: the connector cannot. Passwords,
//! `nickName`, `locale` and the like have no default mapping.

use super::directory::User;
use super::event::Failure;
use super::record::{ENTERPRISE, Source};
use crate::mock_entra::shared::Settings;

/// Core source attributes and where they flow.
const CORE: [(&str, &str); 14] = [
    ("externalId", "employeeId"),
    ("displayName", "displayName"),
    ("name.givenName", "givenName"),
    ("name.familyName", "surname"),
    ("title", "jobTitle"),
    ("userType", "employeeType"),
    ("preferredLanguage", "preferredLanguage"),
    ("addresses[type eq \"work\"].streetAddress", "streetAddress"),
    ("addresses[type eq \"work\"].locality", "city"),
    ("addresses[type eq \"work\"].region", "state"),
    ("addresses[type eq \"work\"].postalCode", "postalCode"),
    ("addresses[type eq \"work\"].country", "country"),
    ("addresses[type eq \"work\"].formatted", "physicalDeliveryOfficeName"),
    ("phoneNumbers[type eq \"work\"].value", "telephoneNumber"),
];

/// Attributes of the enterprise extension and where they flow.
const ENTERPRISE_ATTRIBUTES: [(&str, &str); 4] = [
    ("department", "department"),
    ("organization", "companyName"),
    ("division", "employeeOrgData.division"),
    ("costCenter", "employeeOrgData.costCenter"),
];

/// Longest values, in characters.
/// <https://learn.microsoft.com/graph/api/resources/user>
const LONGEST: [(&str, usize); 6] = [
    ("employeeId", 16),
    ("jobTitle", 128),
    ("department", 64),
    ("displayName", 256),
    ("givenName", 64),
    ("surname", 64),
];

/// Longest user principal name, in characters.
const LONGEST_UPN: usize = 113;
/// Longest part before the `@`, in characters.
const LONGEST_LOCAL: usize = 64;

/// The target attribute that signs a person in.
pub(super) const UPN: &str = "userPrincipalName";

/// The values an account shall have; those not named stay as they are.
#[derive(Debug, Default)]
pub(super) struct Wanted {
    pub(super) attributes: Vec<(Box<str>, Box<str>)>,
    pub(super) enabled: Option<bool>,
}

/// Evaluates the mappings; `existing` is the matched account.
pub(super) fn map(
    source: &Source,
    existing: Option<&User>,
    settings: &Settings,
) -> Result<Wanted, Failure> {
    let mut wanted = Wanted::default();
    for (name, text) in source.iter() {
        if let Some(target) = target_of(name) {
            check_length(target, text)?;
            wanted.attributes.push((target.into(), text.into()));
        }
    }
    wanted.enabled = source.get("active").map(|active| active == "True");

    let user_name = source.get("userName");
    match user_name {
        Some(user_name) => {
            if let Some(upn) = user_principal_name(user_name, source, existing, settings)? {
                wanted.attributes.push((UPN.into(), upn.into()));
            }
            if existing.is_none() {
                let nickname = user_name.split('@').next().unwrap_or(user_name);
                wanted.attributes.push(("mailNickname".into(), nickname.into()));
            }
        }
        None if existing.is_none() => {
            let reason = "The required attribute 'userPrincipalName' has no value: the source \
                          attribute 'userName' is missing.";
            return Err(Failure::new("MandatoryFieldsMissing", reason));
        }
        None => {}
    }
    Ok(wanted)
}

fn target_of(source: &str) -> Option<&str> {
    if let Some(attribute) = source.strip_prefix(ENTERPRISE).and_then(|rest| rest.strip_prefix(':'))
    {
        return find(&ENTERPRISE_ATTRIBUTES, attribute);
    }
    if source.starts_with("urn:") {
        return Some(source);
    }
    find(&CORE, source)
}

fn find(pairs: &[(&'static str, &'static str)], source: &str) -> Option<&'static str> {
    pairs.iter().find(|(known, _)| *known == source).map(|(_, target)| *target)
}

fn check_length(target: &str, text: &str) -> Result<(), Failure> {
    let longest = LONGEST.iter().find(|(known, _)| *known == target).map(|(_, longest)| *longest);
    if longest.is_some_and(|longest| text.chars().count() > longest) {
        let reason = format!(
            "Invalid value '{text}' specified for property '{target}' of resource 'User': it is \
             too long."
        );
        return Err(Failure::new("InvalidPropertyValue", reason));
    }
    Ok(())
}

/// The name to sign in with; `None` where the account keeps the one it has.
fn user_principal_name(
    user_name: &str,
    source: &Source,
    existing: Option<&User>,
    settings: &Settings,
) -> Result<Option<String>, Failure> {
    let (local, domain) = match user_name.rsplit_once('@') {
        Some((local, domain)) => (local.to_owned(), domain),
        // The recipe is applied only during creation.
        None if existing.is_some() => return Ok(None),
        None => {
            let digits = digits(source.get("externalId").unwrap_or_default());
            (format!("{user_name}{digits}"), settings.default_domain())
        }
    };
    let upn = format!("{local}@{domain}");
    if !is_local_part(&local) || upn.chars().count() > LONGEST_UPN {
        let reason = format!(
            "The specified userPrincipalName '{upn}' is invalid: it has a character or a form \
             that is not allowed, or is too long."
        );
        return Err(Failure::new("AzureActiveDirectoryInvalidUserPrincipalName", reason));
    }
    if !settings.is_verified(domain) {
        let reason = format!(
            "The domain portion of the userPrincipalName '{upn}' is invalid: the domain does not \
             exist or is not verified in this tenant."
        );
        return Err(Failure::new("InvalidDomain", reason));
    }
    Ok(Some(upn))
}

/// The characters that Microsoft Entra allows before the `@`.
/// <https://learn.microsoft.com/entra/identity/authentication/concept-sspr-policy>
fn is_local_part(local: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "'.-_!#^~".contains(c);
    (1..=LONGEST_LOCAL).contains(&local.chars().count())
        && local.chars().all(allowed)
        && !local.starts_with('.')
        && !local.ends_with('.')
        && !local.contains("..")
}

/// The three digits of the recipe: the same for the same person, so that runs repeat (FNV-1a).
fn digits(external_id: &str) -> String {
    let hash = external_id
        .bytes()
        .fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    format!("{:03}", hash % 1_000)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::mock_entra::MockConfig;

    fn upn(user_name: &str) -> Result<String, &'static str> {
        let data = json!({ "externalId": "E1", "userName": user_name });
        let source = Source::of(data.as_object().unwrap());
        let config = MockConfig {
            domains: vec!["contoso.example".to_owned(), "fabrikam.example".to_owned()],
            ..MockConfig::default()
        };
        let wanted = map(&source, None, &Settings::of(&config)).map_err(|failure| failure.code)?;
        let upn = wanted.attributes.iter().find(|(name, _)| **name == *UPN).unwrap();
        Ok(upn.1.to_string())
    }

    #[test]
    fn a_verified_domain_is_kept_in_any_case() {
        assert_eq!(upn("ada@contoso.example").unwrap(), "ada@contoso.example");
        assert_eq!(upn("Ada@Fabrikam.Example").unwrap(), "Ada@Fabrikam.Example");
    }

    #[test]
    fn a_name_without_a_domain_gets_three_digits_and_the_default_domain() {
        let made = upn("ada").unwrap();
        assert_eq!(made, upn("ada").unwrap(), "the same every time");
        let digits = made.strip_prefix("ada").unwrap().strip_suffix("@contoso.example").unwrap();
        assert!(digits.len() == 3 && digits.bytes().all(|byte| byte.is_ascii_digit()));
    }

    #[test]
    fn what_cannot_sign_in_fails_with_its_code() {
        assert_eq!(upn("ada@gmail.example"), Err("InvalidDomain"));
        let malformed = Err("AzureActiveDirectoryInvalidUserPrincipalName");
        for name in ["a b@contoso.example", ".a@contoso.example", "a@b@contoso.example", "ä", "@"]
        {
            assert_eq!(upn(name), malformed, "{name}");
        }
        assert_eq!(upn(&format!("{}@contoso.example", "a".repeat(65))), malformed);
        assert_eq!(upn(""), Err("MandatoryFieldsMissing"));
    }

    #[test]
    fn the_default_mappings_flow_and_the_rest_does_not() {
        let data = json!({
            "externalId": "E1", "userName": "ada@contoso.example", "title": "Engineer",
            "nickName": "A", "phoneNumbers": [{ "type": "work", "value": "1" }],
            "emails": [{ "type": "work", "value": "a@b.example" }],
            ENTERPRISE: { "division": "D", "employeeNumber": "9", "manager": { "value": "M" } },
            "urn:contoso:employee": { "HireDate": "2021-05-01" },
        });
        let source = Source::of(data.as_object().unwrap());
        let wanted = map(&source, None, &Settings::of(&MockConfig::default())).unwrap();
        let names: Vec<_> = wanted.attributes.iter().map(|(name, _)| &**name).collect();
        assert_eq!(
            names,
            [
                "employeeId",
                "jobTitle",
                "telephoneNumber",
                "employeeOrgData.division",
                "urn:contoso:employee:HireDate",
                "userPrincipalName",
                "mailNickname",
            ]
        );
    }
}
