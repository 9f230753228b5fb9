//! Mappings and rows for tests, made by hand.

#![expect(clippy::expect_used, reason = "a helper that fails, fails its test")]

use jiff::tz::TimeZone;
use scimport::domain::{RecordProblem, Row};
use scimport::mapping::{
    AttributeConfig, Literal, Mapping, MappingConfig, MappingProblem, RuleConfig, Scratch,
    ValueSource,
};

/// A row that owns its text.
pub struct OwnedRow {
    text: String,
    ends: Vec<usize>,
}

impl OwnedRow {
    pub fn new<T: AsRef<str>>(cells: &[T]) -> Self {
        let (mut text, mut ends) = (String::new(), Vec::new());
        for cell in cells {
            text.push_str(cell.as_ref());
            ends.push(text.len());
        }
        Self { text, ends }
    }

    pub fn row(&self) -> Row<'_> {
        Row::new(&self.text, &self.ends, 2, Some(2))
    }
}

pub fn column(name: &str) -> RuleConfig {
    RuleConfig::new(ValueSource::Column(name.to_owned()))
}

pub fn template(text: &str) -> RuleConfig {
    RuleConfig::new(ValueSource::Template(text.to_owned()))
}

pub fn constant(value: Literal) -> RuleConfig {
    RuleConfig::new(ValueSource::Const(value))
}

pub fn text(value: &str) -> Literal {
    Literal::Text(value.to_owned())
}

#[expect(clippy::unnecessary_wraps, reason = "it is the value of the field `map`")]
pub fn words(table: &[(&str, Literal)]) -> Option<Vec<(String, Literal)>> {
    Some(table.iter().map(|(word, value)| ((*word).to_owned(), value.clone())).collect())
}

pub fn config(lines: &[(&str, RuleConfig)]) -> MappingConfig {
    let attributes = lines
        .iter()
        .map(|(path, rule)| AttributeConfig { path: (*path).to_owned(), rule: rule.clone() })
        .collect();
    MappingConfig { attributes, ..MappingConfig::default() }
}

/// `externalId` from `Id` and `active` from `Active`, then these lines.
pub fn config_with(lines: &[(&str, RuleConfig)]) -> MappingConfig {
    let mut all = vec![("externalId", column("Id")), ("active", column("Active"))];
    all.extend_from_slice(lines);
    config(&all)
}

pub fn berlin() -> TimeZone {
    TimeZone::get("Europe/Berlin").expect("a built-in time zone")
}

pub fn compile(config: &MappingConfig) -> Mapping {
    match Mapping::compile(config, Some(&berlin())) {
        Ok(mapping) => mapping,
        Err(problems) => panic!("does not compile: {problems:#?}"),
    }
}

pub fn mistakes(config: &MappingConfig) -> Vec<MappingProblem> {
    Mapping::compile(config, Some(&berlin())).expect_err("it has mistakes")
}

/// The resource of one row, as text; an unmentioned `Id` is `E1` and an unmentioned `Active` true.
pub fn apply(config: &MappingConfig, cells: &[(&str, &str)]) -> Result<String, RecordProblem> {
    let mut cells = cells.to_vec();
    for (name, usual) in [("Id", "E1"), ("Active", "true")] {
        if !cells.iter().any(|(header, _)| *header == name) {
            cells.push((name, usual));
        }
    }
    let (headers, values): (Vec<&str>, Vec<&str>) = cells.into_iter().unzip();
    let mapping = compile(config);
    let bound = mapping.bind(&headers).expect("all columns");
    let (mut scratch, mut out) = (Scratch::new(), Vec::new());
    bound.apply(&OwnedRow::new(&values).row(), &mut scratch, &mut out)?;
    Ok(String::from_utf8(out).expect("UTF-8"))
}

/// The resource without what every one of these tests has in it.
pub fn rest(resource: &str) -> String {
    let head = r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"],"externalId":"E1""#;
    let rest = resource.strip_prefix(head).unwrap_or(resource);
    rest.strip_suffix('}').unwrap_or(rest).replacen(r#","active":true"#, "", 1)
}

/// What one rule on `title` makes of the cell `T`: the member, nothing, or the problem's code.
pub fn title(rule: RuleConfig, cell: &str) -> Result<String, &'static str> {
    apply(&config_with(&[("title", rule)]), &[("T", cell)])
        .map(|resource| rest(&resource).replacen(r#","title":"#, "", 1))
        .map_err(|problem| problem.code)
}
