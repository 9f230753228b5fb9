//! Attributes of a directory: as they stand in a schema, and new ones.
//!
//! Follows the Microsoft Graph page "attributeDefinition resource type".

use std::fmt;

use serde_json::json;

/// The type of an attribute, as Graph names it. Graph's own examples differ in upper and lower case,
/// so reading does not care.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum AttributeType {
    /// Text.
    String,
    /// A whole number.
    Integer,
    /// A boolean.
    Boolean,
    /// A date with its time.
    DateTime,
    /// A type that mappings do not write: `Reference`, `Binary`, or one that is not documented.
    Other(Box<str>),
}

impl AttributeType {
    /// Reads Graph's word.
    #[must_use]
    pub fn parse(word: &str) -> Self {
        [Self::String, Self::Integer, Self::Boolean, Self::DateTime]
            .into_iter()
            .find(|known| known.as_str().eq_ignore_ascii_case(word))
            .unwrap_or_else(|| Self::Other(word.into()))
    }

    /// Graph's word.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::String => "String",
            Self::Integer => "Integer",
            Self::Boolean => "Boolean",
            Self::DateTime => "DateTime",
            Self::Other(word) => word,
        }
    }

    /// Whether values of another type can be sent to an attribute of this one. A date travels as
    /// text, and Entra's tutorials declare dates as `String`; numbers and booleans travel as such, and
    /// are text to nobody.
    #[must_use]
    pub fn takes(&self, written: &Self) -> bool {
        self == written || (*self == Self::String && *written == Self::DateTime)
    }
}

impl fmt::Display for AttributeType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// An attribute that stands in a schema, as far as it concerns us.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchemaAttribute {
    /// Its name; of an extension its URN, a colon and the name.
    pub name: String,
    /// Its type; `String` where none is stated.
    pub kind: AttributeType,
}

impl SchemaAttribute {
    /// Whether it is of an extension that RFC 7643 does not know.
    #[must_use]
    pub fn is_custom(&self) -> bool {
        let of = |urn: &str| {
            self.name.get(..urn.len()).is_some_and(|head| head.eq_ignore_ascii_case(urn))
        };
        of(crate::scim::urns::PREFIX)
            && !of(crate::scim::urns::ENTERPRISE_USER)
            && !of(crate::scim::urns::CORE_USER)
    }
}

/// An attribute to be added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAttribute {
    /// Its whole name: URN, colon, name.
    pub name: String,
    /// Its type.
    pub kind: AttributeType,
}

impl NewAttribute {
    /// Its definition: a plain attribute that can be read and written, with nothing special about it.
    /// "Flow null values" stays off: with it an attribute that is left out clears what Entra has.
    pub(super) fn definition(&self) -> String {
        json!({
            "anchor": false,
            "apiExpressions": [],
            "caseExact": false,
            "defaultValue": null,
            "flowNullValues": false,
            "metadata": [],
            "multivalued": false,
            "mutability": "ReadWrite",
            "name": self.name,
            "referencedObjects": [],
            "required": false,
            "type": self.kind.as_str(),
        })
        .to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_read_whatever_their_letters() {
        for word in ["String", "Integer", "Boolean", "DateTime"] {
            assert_eq!(AttributeType::parse(&word.to_lowercase()).as_str(), word);
        }
        assert_eq!(AttributeType::parse("Reference").as_str(), "Reference");
    }

    #[test]
    fn a_date_may_go_where_text_goes_and_nothing_else_may() {
        use AttributeType::{Boolean, DateTime, Integer, String};
        assert!(String.takes(&DateTime) && String.takes(&String) && Integer.takes(&Integer));
        for (kind, written) in
            [(String, Integer), (String, Boolean), (DateTime, String), (Integer, String)]
        {
            assert!(!kind.takes(&written), "{kind} {written}");
        }
    }

    #[test]
    fn only_extensions_of_ones_own_are_custom() {
        let custom = |name: &str| {
            SchemaAttribute { name: name.to_owned(), kind: AttributeType::String }.is_custom()
        };
        assert!(custom("urn:ietf:params:scim:schemas:extension:contoso:1.0:User:HireDate"));
        assert!(custom("urn:contoso:employee:badge"));
        for name in [
            "displayName",
            "emails[type eq \"work\"].value",
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department",
            "urn:ietf:params:scim:schemas:core:2.0:User:title",
        ] {
            assert!(!custom(name), "{name}");
        }
    }
}
