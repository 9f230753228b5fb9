//! The parser of attribute paths, and what it says about texts that are none.

use crate::scim::path::{AttributePath, ENTERPRISE_SHORT, PathError, Schema};
use crate::scim::schema::{Attribute, CORE, ENTERPRISE, Kind, REFUSED, SubAttribute, ValueKind};
use crate::scim::{suggest, urns};

/// Reads a path; see [`AttributePath::parse`].
pub(super) fn parse(written: &str) -> Result<AttributePath, PathError> {
    let parser = Parser { written };
    if written.trim() != written || written.is_empty() {
        return Err(parser.fault(0, "an attribute path is neither empty nor padded", None));
    }
    if let Some(urn) = known_urn(written) {
        let message = format!("`{urn}` is a schema, not an attribute of it");
        return Err(parser.fault(0, message, None));
    }
    let before_filter = written.find('[').unwrap_or(written.len());
    let colon = written.get(..before_filter).and_then(|text| text.rfind(':'));
    let Some(colon) = colon else {
        return parser.known(Schema::Core, 0);
    };
    let (prefix, start) = (written.get(..colon).unwrap_or(""), colon + 1);
    if prefix == ENTERPRISE_SHORT || prefix == urns::ENTERPRISE_USER {
        return parser.known(Schema::Enterprise, start);
    }
    if prefix == urns::CORE_USER {
        return parser.known(Schema::Core, start);
    }
    parser.custom(prefix, start)
}

struct Parser<'a> {
    written: &'a str,
}

impl Parser<'_> {
    fn fault(
        &self,
        byte: usize,
        message: impl Into<String>,
        suggestion: Option<String>,
    ) -> PathError {
        let before = self.written.get(..byte).unwrap_or(self.written);
        PathError { position: before.chars().count() + 1, message: message.into(), suggestion }
    }

    fn known(&self, schema: Schema, start: usize) -> Result<AttributePath, PathError> {
        let rest = self.written.get(start..).unwrap_or("");
        let end = rest.find(['[', '.']).unwrap_or(rest.len());
        let (name, tail) = rest.split_at(end);
        let table = if schema == Schema::Core { CORE } else { ENTERPRISE };
        let Some((position, attribute)) =
            table.iter().enumerate().find(|(_, attribute)| attribute.name == name)
        else {
            return Err(self.unknown(&schema, start, name));
        };
        let (entry, tail) = self.filter(attribute, start + end, tail)?;
        let at = self.written.len() - tail.len();
        let sub = self.part(attribute, entry.is_some(), at, tail)?;
        let kind = match (sub, attribute.kind) {
            (Some((_, part)), _) => part.kind,
            (None, Kind::Single(kind)) => kind,
            (None, _) => ValueKind::String,
        };
        Ok(AttributePath { schema, position, name: name.to_owned(), entry, sub, kind })
    }

    fn unknown(&self, schema: &Schema, start: usize, name: &str) -> PathError {
        let refused = REFUSED.iter().find(|(refused, _)| refused.eq_ignore_ascii_case(name));
        if let (Schema::Core, Some((refused, reason))) = (schema, refused) {
            return self.fault(start, format!("`{refused}` cannot be mapped: {reason}"), None);
        }
        let (message, near) = match schema {
            Schema::Enterprise => {
                let near = suggest::name(name, ENTERPRISE.iter().map(|attribute| attribute.name))
                    .map(|near| format!("{ENTERPRISE_SHORT}:{near}"));
                (format!("the enterprise extension has no attribute `{name}`"), near)
            }
            _ => (format!("the core user schema has no attribute `{name}`"), None),
        };
        self.fault(start, message, near.or_else(|| suggest::attribute(name)))
    }

    /// Reads `[type eq "…"]`, which a list needs and nothing else has.
    fn filter<'t>(
        &self,
        attribute: &Attribute,
        at: usize,
        tail: &'t str,
    ) -> Result<(Option<String>, &'t str), PathError> {
        let name = attribute.name;
        let Some(inner) = tail.strip_prefix('[') else {
            if attribute.is_multi_valued() {
                let part = tail.strip_prefix('.').filter(|part| {
                    attribute.sub_attributes().iter().any(|known| known.name == *part)
                });
                let wanted = suggest::list_path(attribute, part.filter(|part| *part != "type"));
                let message = format!("`{name}` is a list; say which entry by its type");
                return Err(self.fault(at, message, Some(wanted)));
            }
            return Ok((None, tail));
        };
        if !attribute.is_multi_valued() {
            return Err(self.fault(at, format!("`{name}` is no list and takes no filter"), None));
        }
        let wanted = || Some(suggest::list_path(attribute, None));
        let Some((filter, tail)) = inner.split_once(']') else {
            return Err(self.fault(at, "the bracket is never closed", wanted()));
        };
        let mut words = filter.split_whitespace();
        let (left, operator) = (words.next().unwrap_or(""), words.next().unwrap_or(""));
        let value = words.next().and_then(|word| word.strip_prefix('"')?.strip_suffix('"'));
        match value {
            Some(value)
                if left == "type"
                    && operator.eq_ignore_ascii_case("eq")
                    && words.next().is_none()
                    && is_type(value) =>
            {
                Ok((Some(value.to_owned()), tail))
            }
            _ => Err(self.fault(
                at + 1,
                "a filter has the form `type eq \"work\"`, with one word in double quotes",
                wanted(),
            )),
        }
    }

    fn part(
        &self,
        attribute: &'static Attribute,
        entry: bool,
        at: usize,
        tail: &str,
    ) -> Result<Option<(usize, &'static SubAttribute)>, PathError> {
        let (name, parts) = (attribute.name, attribute.sub_attributes());
        let head = self.written.get(..at).unwrap_or("");
        let find = |wanted: &str| parts.iter().enumerate().find(|(_, part)| part.name == wanted);
        let listed = || {
            let names: Vec<_> =
                parts.iter().map(|part| part.name).filter(|part| *part != "type").collect();
            names.join("`, `")
        };
        if tail.is_empty() {
            if parts.is_empty() {
                return Ok(None);
            }
            return find("value").map(Some).ok_or_else(|| {
                let message = format!("`{name}` has parts; name one of `{}`", listed());
                let first = parts.iter().map(|part| part.name).find(|part| *part != "formatted");
                self.fault(at, message, first.map(|first| format!("{head}.{first}")))
            });
        }
        let Some(wanted) = tail.strip_prefix('.') else {
            return Err(self.fault(at, "after a filter only a part may follow", None));
        };
        if parts.is_empty() {
            return Err(self.fault(at, format!("`{name}` is a simple value without parts"), None));
        }
        match find(wanted) {
            Some((_, part)) if entry && part.name == "type" => Err(self.fault(
                at + 1,
                "the type of an entry is written by itself, from the filter",
                Some(head.to_owned()),
            )),
            Some(found) => Ok(Some(found)),
            None => {
                let near = suggest::name(wanted, parts.iter().map(|part| part.name));
                let message = format!("`{name}` has no part `{wanted}`; it has `{}`", listed());
                Err(self.fault(at + 1, message, near.map(|near| format!("{head}.{near}"))))
            }
        }
    }

    fn custom(&self, urn: &str, start: usize) -> Result<AttributePath, PathError> {
        let name = self.written.get(start..).unwrap_or("");
        if let Some(known) = known_urn(urn) {
            let message = "the URN of a known schema is written in another case";
            return Err(self.fault(0, message, Some(format!("{known}:{name}"))));
        }
        if !urn.starts_with(urns::PREFIX) {
            let near = suggest::attribute(name).or_else(|| {
                suggest::name(urn, [ENTERPRISE_SHORT]).map(|near| format!("{near}:{name}"))
            });
            let message = format!("`{urn}` is neither `{ENTERPRISE_SHORT}` nor a URN");
            return Err(self.fault(0, message, near));
        }
        if urn.starts_with(urns::RFC_CORE_PREFIX) || urn.starts_with(urns::RFC_MESSAGE_PREFIX) {
            let message = format!("`{urn}` is in a namespace that RFC 7643 keeps for itself");
            return Err(self.fault(0, message, suggest::attribute(name)));
        }
        if !is_urn(urn) {
            let message = format!("`{urn}` is no URN of the form `urn:NAMESPACE:NAME`");
            return Err(self.fault(0, message, None));
        }
        if let Some(offset) = name.find(['[', '.']) {
            let message = "an attribute of a custom extension is one simple value";
            return Err(self.fault(start + offset, message, None));
        }
        if !is_attribute_name(name) {
            let message = "an attribute's name is a letter, then letters, digits, `-`, `_` or `$`";
            return Err(self.fault(start, message, None));
        }
        Ok(AttributePath {
            schema: Schema::Custom(urn.to_owned()),
            position: 0,
            name: name.to_owned(),
            entry: None,
            sub: None,
            kind: ValueKind::String,
        })
    }
}

fn known_urn(text: &str) -> Option<&'static str> {
    [urns::CORE_USER, urns::ENTERPRISE_USER].into_iter().find(|urn| urn.eq_ignore_ascii_case(text))
}

/// `urn:NID:NSS` (RFC 8141 section 2), without the characters that would break a path.
fn is_urn(text: &str) -> bool {
    let parts: Vec<&str> = text.split(':').collect();
    let clean = |part: &&str| {
        !part.is_empty()
            && part.bytes().all(|byte| byte.is_ascii_graphic() && !br#""[]\`{}<>"#.contains(&byte))
    };
    parts.len() >= 3 && parts.iter().all(clean)
}

/// `ATTRNAME` of RFC 7644 figure 7.
fn is_attribute_name(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_$".contains(&byte))
}

fn is_type(text: &str) -> bool {
    !text.is_empty() && !text.contains(['"', '\\']) && !text.chars().any(char::is_control)
}
