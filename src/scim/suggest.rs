//! What somebody probably meant who wrote a path that does not exist.

use crate::scim::schema::{Attribute, CORE, ENTERPRISE, Kind};

/// Least Jaro-Winkler similarity at which a name is worth suggesting; below it suggestions mislead.
const LIKELY: f64 = 0.85;

/// The known path nearest to the name, in the notation a person would write; `None` if none is near.
pub(super) fn attribute(written: &str) -> Option<String> {
    let wanted = written.rsplit([':', '.']).next().unwrap_or(written).to_lowercase();
    let whole = written.to_lowercase();
    let mut best: Option<(f64, String)> = None;
    for (names, path) in candidates() {
        for name in names {
            let name = name.to_lowercase();
            let score =
                strsim::jaro_winkler(&wanted, &name).max(strsim::jaro_winkler(&whole, &name));
            if score >= LIKELY && best.as_ref().is_none_or(|(other, _)| score > *other) {
                best = Some((score, path.clone()));
            }
        }
    }
    best.map(|(_, path)| path)
}

/// The name nearest to the one written; case does not count against it.
pub(super) fn name<'a>(written: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let written = written.to_lowercase();
    known
        .into_iter()
        .map(|name| (strsim::jaro_winkler(&written, &name.to_lowercase()), name))
        .filter(|(score, _)| *score >= LIKELY)
        .max_by(|left, right| left.0.total_cmp(&right.0))
        .map(|(_, name)| name)
}

/// A list's path as it has to be written, with the part most people want.
pub(super) fn list_path(attribute: &Attribute, part: Option<&str>) -> String {
    let usual = if attribute.name == "addresses" { "streetAddress" } else { "value" };
    format!("{}[type eq \"work\"].{}", attribute.name, part.unwrap_or(usual))
}

fn candidates() -> Vec<(Vec<&'static str>, String)> {
    let mut all = Vec::new();
    for (prefix, table) in [("", CORE), ("enterprise:", ENTERPRISE)] {
        for attribute in table {
            let name = attribute.name;
            match attribute.kind {
                Kind::Single(_) => all.push((vec![name], format!("{prefix}{name}"))),
                Kind::Complex(_) if name == "manager" => {
                    all.push((vec![name], format!("{prefix}{name}")));
                }
                Kind::Complex(parts) => all.extend(
                    parts
                        .iter()
                        .map(|part| (vec![part.name], format!("{prefix}{name}.{}", part.name))),
                ),
                Kind::MultiValued(parts) => {
                    all.push((vec![name], list_path(attribute, None)));
                    if name == "addresses" {
                        all.extend(
                            parts
                                .iter()
                                .filter(|part| part.name != "type" && part.name != "primary")
                                .map(|part| {
                                    (vec![part.name], list_path(attribute, Some(part.name)))
                                }),
                        );
                    }
                }
            }
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wrong_case_and_the_wrong_place_are_both_understood() {
        for (written, meant) in [
            ("username", "userName"),
            ("ExternalID", "externalId"),
            ("givenName", "name.givenName"),
            ("department", "enterprise:department"),
            ("manager", "enterprise:manager"),
            ("email", "emails[type eq \"work\"].value"),
            ("postalCode", "addresses[type eq \"work\"].postalCode"),
        ] {
            assert_eq!(attribute(written).as_deref(), Some(meant), "for {written}");
        }
        assert_eq!(attribute("xyzzy"), None);
    }
}
