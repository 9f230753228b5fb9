//! The attributes of core User and Enterprise User, in the order of RFC 7643 (sections 3.1, 4.1,
//! 4.3 and 8.7.1), with what a mapping must know of each.
//!
//! The order of these tables is the order of members in every resource, so it must never change:
//! a digest is over bytes.

/// An attribute of a known schema.
#[derive(Debug, PartialEq, Eq)]
pub struct Attribute {
    /// The name, in the case of the RFC.
    pub name: &'static str,
    /// What it holds.
    pub kind: Kind,
}

/// What an attribute holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// One simple value.
    Single(ValueKind),
    /// One object.
    Complex(&'static [SubAttribute]),
    /// A list of objects, told apart by their `type`.
    MultiValued(&'static [SubAttribute]),
}

/// A part of a complex attribute.
#[derive(Debug, PartialEq, Eq)]
pub struct SubAttribute {
    /// The name, in the case of the RFC.
    pub name: &'static str,
    /// What it holds.
    pub kind: ValueKind,
}

/// The type of a simple value (RFC 7643 section 2.3); references and binaries are JSON strings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ValueKind {
    /// Text.
    String,
    /// A JSON boolean.
    Boolean,
    /// A URI, as text.
    Reference,
    /// Base64, as text.
    Binary,
}

impl Attribute {
    /// The parts; empty for a simple value.
    #[must_use]
    pub const fn sub_attributes(&self) -> &'static [SubAttribute] {
        match self.kind {
            Kind::Single(_) => &[],
            Kind::Complex(parts) | Kind::MultiValued(parts) => parts,
        }
    }

    /// Whether it is a list.
    #[must_use]
    pub const fn is_multi_valued(&self) -> bool {
        matches!(self.kind, Kind::MultiValued(_))
    }
}

const fn text(name: &'static str) -> Attribute {
    Attribute { name, kind: Kind::Single(ValueKind::String) }
}

const fn part(name: &'static str, kind: ValueKind) -> SubAttribute {
    SubAttribute { name, kind }
}

const NAME: &[SubAttribute] = &[
    part("formatted", ValueKind::String),
    part("familyName", ValueKind::String),
    part("givenName", ValueKind::String),
    part("middleName", ValueKind::String),
    part("honorificPrefix", ValueKind::String),
    part("honorificSuffix", ValueKind::String),
];

const fn entry(value: ValueKind) -> [SubAttribute; 4] {
    [
        part("value", value),
        part("display", ValueKind::String),
        part("type", ValueKind::String),
        part("primary", ValueKind::Boolean),
    ]
}

const TEXT_ENTRY: &[SubAttribute] = &entry(ValueKind::String);
const REFERENCE_ENTRY: &[SubAttribute] = &entry(ValueKind::Reference);
const BINARY_ENTRY: &[SubAttribute] = &entry(ValueKind::Binary);

const ADDRESS: &[SubAttribute] = &[
    part("formatted", ValueKind::String),
    part("streetAddress", ValueKind::String),
    part("locality", ValueKind::String),
    part("region", ValueKind::String),
    part("postalCode", ValueKind::String),
    part("country", ValueKind::String),
    part("type", ValueKind::String),
    // Section 2.4 gives every list `primary`; the schema of section 8.7.1 forgets it here.
    part("primary", ValueKind::Boolean),
];

const MANAGER: &[SubAttribute] = &[
    part("value", ValueKind::String),
    part("$ref", ValueKind::Reference),
    part("displayName", ValueKind::String),
];

/// Core User, `schemas` apart.
pub const CORE: &[Attribute] = &[
    text("externalId"),
    text("userName"),
    Attribute { name: "name", kind: Kind::Complex(NAME) },
    text("displayName"),
    text("nickName"),
    Attribute { name: "profileUrl", kind: Kind::Single(ValueKind::Reference) },
    text("title"),
    text("userType"),
    text("preferredLanguage"),
    text("locale"),
    text("timezone"),
    Attribute { name: "active", kind: Kind::Single(ValueKind::Boolean) },
    Attribute { name: "emails", kind: Kind::MultiValued(TEXT_ENTRY) },
    Attribute { name: "phoneNumbers", kind: Kind::MultiValued(TEXT_ENTRY) },
    Attribute { name: "ims", kind: Kind::MultiValued(TEXT_ENTRY) },
    Attribute { name: "photos", kind: Kind::MultiValued(REFERENCE_ENTRY) },
    Attribute { name: "addresses", kind: Kind::MultiValued(ADDRESS) },
    Attribute { name: "entitlements", kind: Kind::MultiValued(TEXT_ENTRY) },
    Attribute { name: "roles", kind: Kind::MultiValued(TEXT_ENTRY) },
    Attribute { name: "x509Certificates", kind: Kind::MultiValued(BINARY_ENTRY) },
];

/// Enterprise User.
pub const ENTERPRISE: &[Attribute] = &[
    text("employeeNumber"),
    text("costCenter"),
    text("organization"),
    text("division"),
    text("department"),
    Attribute { name: "manager", kind: Kind::Complex(MANAGER) },
];

/// Attributes of core User that a client never sets this way, and why.
pub const REFUSED: &[(&str, &str)] = &[
    ("schemas", "it is written by itself, from the attributes that are mapped"),
    ("id", "the service provider assigns it (read-only); the worker's own id is `externalId`"),
    ("meta", "the service provider keeps it (read-only)"),
    ("groups", "it is read-only; memberships are changed on the group"),
    ("password", "a password has no place in an export file, and none is sent"),
];

/// The attribute of core User that is called like this, case ignored as RFC 7643 section 2.1 has it.
#[must_use]
pub fn core_attribute(name: &str) -> Option<&'static Attribute> {
    CORE.iter().find(|attribute| attribute.name.eq_ignore_ascii_case(name))
}

/// The attribute of Enterprise User that is called like this, case ignored.
#[must_use]
pub fn enterprise_attribute(name: &str) -> Option<&'static Attribute> {
    ENTERPRISE.iter().find(|attribute| attribute.name.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_list_has_a_type_and_a_primary() {
        for attribute in CORE.iter().filter(|attribute| attribute.is_multi_valued()) {
            for name in ["type", "primary"] {
                assert!(
                    attribute.sub_attributes().iter().any(|part| part.name == name),
                    "{} has no {name}",
                    attribute.name
                );
            }
        }
    }
}
