//! The job's scoping filter: clauses over source attributes, all of which must hold.
//!
//! Follows the page "Scoping users or groups to be provisioned with scoping filters" of the
//! Microsoft Entra docs: values are case-sensitive, and a clause over an empty attribute is false
//! whatever its operator, `IS NULL` apart. Regular expressions are not offered.

use std::fmt;
use std::str::FromStr;

/// A scoping filter, written `userType NOT EQUALS Contractor`; several clauses are joined by
/// ` AND `.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScopeFilter {
    clauses: Vec<Clause>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Clause {
    attribute: String,
    operator: Operator,
    value: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    Equals,
    NotEquals,
    EndsWith,
    Includes,
    IsTrue,
    IsFalse,
    IsNull,
    IsNotNull,
    GreaterThan,
    GreaterThanOrEquals,
}

impl Operator {
    /// Longer words before those that they begin with.
    const ALL: [(Self, &'static str); 10] = [
        (Self::NotEquals, "NOT EQUALS"),
        (Self::Equals, "EQUALS"),
        (Self::EndsWith, "ENDS_WITH"),
        (Self::Includes, "Includes"),
        (Self::IsTrue, "IS TRUE"),
        (Self::IsFalse, "IS FALSE"),
        (Self::IsNull, "IS NULL"),
        (Self::IsNotNull, "IS NOT NULL"),
        (Self::GreaterThanOrEquals, "Greater_Than_OR_EQUALS"),
        (Self::GreaterThan, "Greater_Than"),
    ];

    const fn takes_value(self) -> bool {
        !matches!(self, Self::IsTrue | Self::IsFalse | Self::IsNull | Self::IsNotNull)
    }

    fn word(self) -> &'static str {
        Self::ALL.iter().find(|(operator, _)| *operator == self).map_or("", |(_, word)| word)
    }
}

/// The text is no scoping filter.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{clause}` is no `ATTRIBUTE OPERATOR VALUE`, as in `userType NOT EQUALS Contractor`")]
pub struct ScopeError {
    clause: String,
}

impl FromStr for ScopeFilter {
    type Err = ScopeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let clauses = text.split(" AND ").map(clause).collect::<Result<_, _>>()?;
        Ok(Self { clauses })
    }
}

fn clause(text: &str) -> Result<Clause, ScopeError> {
    let wrong = || ScopeError { clause: text.to_owned() };
    // The attribute may hold blanks itself, as in `emails[type eq "work"].value`.
    Operator::ALL
        .iter()
        .find_map(|(operator, word)| {
            let (attribute, value) = text.split_once(&format!(" {word}"))?;
            let value = if value.is_empty() { value } else { value.strip_prefix(' ')? };
            (operator.takes_value() != value.trim().is_empty()).then(|| Clause {
                attribute: attribute.trim().to_owned(),
                operator: *operator,
                value: value.trim().to_owned(),
            })
        })
        .filter(|clause| !clause.attribute.is_empty())
        .ok_or_else(wrong)
}

impl ScopeFilter {
    /// Whether a person is in scope; `attribute` gives a source attribute's text.
    pub(super) fn holds<'a>(&self, attribute: impl Fn(&str) -> Option<&'a str>) -> bool {
        self.clauses.iter().all(|clause| clause.holds(attribute(&clause.attribute)))
    }
}

impl Clause {
    fn holds(&self, found: Option<&str>) -> bool {
        let Some(found) = found.filter(|text| !text.is_empty()) else {
            return self.operator == Operator::IsNull;
        };
        let value = self.value.as_str();
        match self.operator {
            Operator::Equals => found == value,
            Operator::NotEquals => found != value,
            Operator::EndsWith => found.ends_with(value),
            Operator::Includes => found.contains(value),
            Operator::IsTrue => found == "True",
            Operator::IsFalse => found == "False",
            Operator::IsNull => false,
            Operator::IsNotNull => true,
            Operator::GreaterThan => whole(found) > whole(value) && whole(value).is_some(),
            Operator::GreaterThanOrEquals => whole(found) >= whole(value) && whole(value).is_some(),
        }
    }
}

fn whole(text: &str) -> Option<i64> {
    text.parse().ok()
}

impl fmt::Display for ScopeFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, clause) in self.clauses.iter().enumerate() {
            if index > 0 {
                f.write_str(" AND ")?;
            }
            write!(f, "{} {}", clause.attribute, clause.operator.word())?;
            if clause.operator.takes_value() {
                write!(f, " {}", clause.value)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn in_scope(filter: &str, value: Option<&str>) -> bool {
        filter.parse::<ScopeFilter>().unwrap().holds(|name| if name == "a" { value } else { None })
    }

    #[test]
    fn each_operator_judges_by_value() {
        assert!(in_scope("a EQUALS Staff", Some("Staff")));
        assert!(!in_scope("a EQUALS Staff", Some("staff")), "values are case-sensitive");
        assert!(in_scope("a NOT EQUALS Contractor", Some("Employee")));
        assert!(!in_scope("a NOT EQUALS Contractor", Some("Contractor")));
        assert!(in_scope("a ENDS_WITH @x.example", Some("j@x.example")));
        assert!(in_scope("a Includes mid", Some("amidst")));
        assert!(in_scope("a IS TRUE", Some("True")));
        assert!(!in_scope("a IS FALSE", Some("True")));
        assert!(in_scope("a Greater_Than 9", Some("10")));
        assert!(!in_scope("a Greater_Than 10", Some("10")));
        assert!(in_scope("a Greater_Than_OR_EQUALS 10", Some("10")));
        assert!(in_scope("a EQUALS x AND a IS NOT NULL", Some("x")));
        assert!(!in_scope("a EQUALS x AND b EQUALS y", Some("x")));
    }

    #[test]
    fn an_empty_attribute_fails_every_clause_but_is_null() {
        assert!(!in_scope("a NOT EQUALS Contractor", None));
        assert!(!in_scope("a IS NOT NULL", Some("")));
        assert!(in_scope("a IS NULL", None));
    }

    #[test]
    fn a_filter_is_shown_as_it_was_written() {
        for text in ["userType NOT EQUALS Contractor", "a IS NULL AND b Greater_Than 3"] {
            assert_eq!(text.parse::<ScopeFilter>().unwrap().to_string(), text);
        }
        for text in ["", "userType", "userType EQUALS", "a IS NULL x", "a REGEX MATCH x"] {
            assert!(text.parse::<ScopeFilter>().is_err(), "{text}");
        }
    }
}
