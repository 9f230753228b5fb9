//! `userName`, `displayName` and the parts of the name.

use crate::mapping::propose::choose::Choice;
use crate::mapping::propose::lexicon::Meaning;
use crate::mapping::propose::lines::{add_doubt, from_column, line_of};
use crate::mapping::propose::proposal::{Alternative, ProposedLine};
use crate::mapping::propose::sample::ColumnSample;
use crate::mapping::propose::toml::shortened;
use crate::mapping::{Case, RuleConfig, ValueSource};

/// What stands for the tenant's domain until somebody writes the real one.
const DOMAIN: &str = "contoso.com";
const USER_NAME: &str = "userName";

/// The user principal name, by what comes nearest to it.
pub(super) fn user_name(choice: &Choice<'_>) -> Option<ProposedLine> {
    let principal = Meaning::PrincipalName;
    let lower =
        |column: &ColumnSample| RuleConfig { case: Some(Case::Lower), ..from_column(column) };
    if let Some(column) = choice.column(principal) {
        return line_of(choice, USER_NAME, principal, lower(column));
    }
    let login = choice.column(Meaning::Login);
    if let Some(column) = login.filter(|column| column.is_most(column.emails)) {
        return line_of(choice, USER_NAME, Meaning::Login, lower(column));
    }
    let with_domain = login.and_then(|column| {
        let template = template(&[column])?;
        let value = ValueSource::Template(format!("{template}@{DOMAIN}"));
        Some(RuleConfig { case: Some(Case::Lower), ..RuleConfig::new(value) })
    });
    let instead =
        |words: &str, rule: RuleConfig| Alternative { words: words.to_owned(), rule: Some(rule) };
    let out = Alternative { words: "leave it out".to_owned(), rule: None };
    if let Some(column) = choice.column(Meaning::Email) {
        let mut line = line_of(choice, USER_NAME, Meaning::Email, lower(column))?;
        let mut alternatives: Vec<Alternative> = with_domain
            .map(|rule| instead("the login, with your domain behind it (write it in)", rule))
            .into_iter()
            .collect();
        alternatives.push(out);
        line.doubt = None;
        let reason =
            "no column holds a user principal name; the e-mail address usually is the same";
        add_doubt(&mut line, reason, alternatives);
        return Some(line);
    }
    let column = login?;
    let mut line = line_of(choice, USER_NAME, Meaning::Login, lower(column))?;
    let alternatives: Vec<Alternative> = with_domain
        .map(|rule| instead("the login, with your domain behind it (write it in)", rule))
        .into_iter()
        .chain([out])
        .collect();
    let reason = "it has no domain, so the provisioning app has to add one";
    add_doubt(&mut line, reason, alternatives);
    Some(line)
}

/// `displayName` and `name.…`.
pub(super) fn names(choice: &Choice<'_>) -> Vec<ProposedLine> {
    let mut lines = Vec::new();
    let family = family(choice);
    let given = choice.column(Meaning::GivenName);
    if choice.column(Meaning::FullName).is_some() {
        lines.extend(full_name(choice, given, &family));
    } else {
        let parts: Vec<&ColumnSample> = given.into_iter().chain(family.iter().copied()).collect();
        lines.extend(from_parts("displayName", &parts));
    }
    let column_line = |path, meaning: Meaning, most: usize| {
        let column = choice.column(meaning)?;
        let mut rule = from_column(column);
        if column.longest > most {
            (rule.max, rule.truncate) = (Some(most), true);
        }
        line_of(choice, path, meaning, rule)
    };
    lines.extend(column_line("name.givenName", Meaning::GivenName, 64));
    lines.extend(column_line("name.middleName", Meaning::MiddleName, 64));
    if family.len() > 1 {
        lines.extend(from_parts("name.familyName", &family));
    } else {
        lines.extend(column_line("name.familyName", Meaning::FamilyName, 64));
    }
    lines.extend(column_line("nickName", Meaning::NickName, 64));
    lines
}

/// The family name may have a part in a column of its own, before it or behind it.
fn family<'t>(choice: &Choice<'t>) -> Vec<&'t ColumnSample> {
    let Some(main) = choice.column(Meaning::FamilyName) else { return Vec::new() };
    let before = choice.column(Meaning::NameInfix);
    let behind = choice.column(Meaning::SecondFamilyName);
    before.into_iter().chain([main]).chain(behind).collect()
}

fn full_name(
    choice: &Choice<'_>,
    given: Option<&ColumnSample>,
    family: &[&ColumnSample],
) -> Option<ProposedLine> {
    let column = choice.column(Meaning::FullName)?;
    let mut line = line_of(choice, "displayName", Meaning::FullName, from_column(column))?;
    let has_commas = column.values.iter().any(|value| value.contains(','));
    let parts: Vec<&ColumnSample> = given.into_iter().chain(family.iter().copied()).collect();
    if has_commas && let Some(other) = from_parts("displayName", &parts).filter(|_| parts.len() > 1)
    {
        let words = "given name and family name".to_owned();
        let alternative = Alternative { words, rule: Some(other.rule) };
        add_doubt(&mut line, "it has the family name first, with a comma", vec![alternative]);
    }
    Some(line)
}

/// A line from several columns with blanks between them.
fn from_parts(path: &'static str, parts: &[&ColumnSample]) -> Option<ProposedLine> {
    let value = match parts {
        [] => return None,
        [column] => from_column(column).value,
        columns => ValueSource::Template(template(columns)?),
    };
    let mut rule = RuleConfig::new(value);
    for part in parts {
        for word in &part.placeholders {
            if !rule.empty_words.contains(word) {
                rule.empty_words.push(word.clone());
            }
        }
    }
    let values: Vec<&str> =
        parts.iter().filter_map(|part| part.values.first()).map(String::as_str).collect();
    let sample = (!values.is_empty()).then(|| shortened(&values.join(" ")));
    Some(ProposedLine { path, rule, sample, note: None, doubt: None })
}

/// `{First} {Last}`; `None` where a header has braces, which a template cannot name.
fn template(columns: &[&ColumnSample]) -> Option<String> {
    let has_braces = |column: &&ColumnSample| column.header.contains(['{', '}']);
    if columns.iter().any(has_braces) {
        return None;
    }
    let parts: Vec<String> =
        columns.iter().map(|column| format!("{{{}}}", column.header)).collect();
    Some(parts.join(" "))
}
