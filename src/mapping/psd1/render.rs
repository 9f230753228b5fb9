//! A translation as TOML, with where each line came from.

use crate::mapping::psd1::{Gap, Line, Part, Translation};
use crate::mapping::{Case, End, Literal, Otherwise, RuleConfig, ValueSource, ValueType};

/// Most lines, and most letters of a line, of the original that are shown.
const SHOWN_LINES: usize = 20;
const SHOWN_LETTERS: usize = 200;

impl Translation {
    /// The section of the config: `file` is where it came from, `source` the name of the source.
    #[must_use]
    pub fn to_toml(&self, file: &str, source: &str) -> String {
        let mut toml = String::new();
        comment(&mut toml, "", &format!("From {file}, which maps for CSV2SCIM."));
        comment(
            &mut toml,
            "",
            "Here blanks at the ends of a cell do not count, and an empty value leaves",
        );
        comment(&mut toml, "", "its attribute out, where CSV2SCIM sends empty text.");
        push(&mut toml, format_args!("[source.{source}.mapping]\n"));
        for part in &self.parts {
            match part {
                Part::Line(part) => line(&mut toml, part),
                Part::Gap(part) => gap(&mut toml, part),
            }
        }
        toml.push('\n');
        comment(
            &mut toml,
            "",
            "Who ran CSV2SCIM with -ScimSchemaNamespace sent all columns under that URN too;",
        );
        comment(&mut toml, "", "here each of them is a line: \"urn:…:User:Column\" = \"Column\"");
        toml
    }
}

fn line(toml: &mut String, line: &Line) {
    if let Some(script) = &line.script {
        toml.push('\n');
        comment(toml, "", &format!("line {}: {}", line.line, one_line(script)));
    }
    for note in &line.notes {
        comment(toml, "  ", note);
    }
    push(toml, format_args!("{} = {}", key(&line.path), rule(&line.rule)));
    if line.script.is_none() {
        push(toml, format_args!("  # line {}", line.line));
    }
    toml.push('\n');
}

fn gap(toml: &mut String, gap: &Gap) {
    toml.push('\n');
    match gap.line {
        Some(line) => {
            let mut lines = gap.text.lines();
            let first = clipped(lines.next().unwrap_or_default());
            comment(toml, "", &format!("NOT TRANSLATED (line {line}): {first}"));
            for text in lines.by_ref().take(SHOWN_LINES) {
                comment(toml, "  | ", &clipped(text));
            }
            if lines.next().is_some() {
                comment(toml, "  | ", "…");
            }
        }
        None => comment(toml, "", &format!("MISSING: {}", gap.key)),
    }
    comment(toml, "  ", &format!("{}: {}", gap.key, gap.message));
    if let Some(hint) = &gap.hint {
        comment(toml, "  ", &format!("hint: {hint}"));
    }
}

fn push(toml: &mut String, text: std::fmt::Arguments<'_>) {
    toml.push_str(&text.to_string());
}

/// A comment has no control characters but tabs.
fn comment(toml: &mut String, indent: &str, text: &str) {
    toml.push_str("# ");
    toml.push_str(indent);
    toml.extend(
        text.trim_end().chars().map(|letter| if letter.is_control() { ' ' } else { letter }),
    );
    toml.push('\n');
}

fn clipped(text: &str) -> String {
    if text.chars().count() <= SHOWN_LETTERS {
        return text.trim_end().to_owned();
    }
    text.chars().take(SHOWN_LETTERS).chain(['…']).collect()
}

/// A text of several lines on one, cut where it is long.
pub(super) fn one_line(text: &str) -> String {
    let mut line = String::new();
    for word in text.split_whitespace() {
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
        if line.len() > 4 * SHOWN_LETTERS {
            break;
        }
    }
    clipped(&line)
}

/// The right side of a line.
fn rule(rule: &RuleConfig) -> String {
    let mut fields = Vec::new();
    match &rule.value {
        ValueSource::Column(name) if is_plain(rule) && !name.contains(['{', '}']) => {
            return text(name);
        }
        ValueSource::Template(template) if is_plain(rule) => return text(template),
        ValueSource::Column(name) => fields.push(format!("from = {}", text(name))),
        ValueSource::Template(template) => fields.push(format!("template = {}", text(template))),
        ValueSource::Const(value) => fields.push(format!("const = {}", literal(value))),
        ValueSource::Expression(expr) => fields.push(format!("expr = {}", text(expr))),
        ValueSource::Between(between) => {
            let (start, end) = (text(&between.start), text(&between.end));
            fields.push(format!("between = [{start}, {end}]"));
            if between.end_is == End::Exclusive {
                fields.push("end = \"exclusive\"".to_owned());
            }
        }
    }
    if let Some(default) = &rule.default {
        fields.push(format!("default = {}", literal(default)));
    }
    if let Some(map) = &rule.map {
        let words: Vec<String> =
            map.iter().map(|(word, value)| format!("{} = {}", key(word), literal(value))).collect();
        fields.push(format!("map = {{ {} }}", words.join(", ")));
    }
    if let Otherwise::Value(value) = &rule.otherwise {
        fields.push(format!("otherwise = {}", literal(value)));
    }
    if !rule.date.is_empty() {
        let formats: Vec<String> = rule.date.iter().map(|format| text(format)).collect();
        fields.push(format!("date = [{}]", formats.join(", ")));
    }
    if let Some(case) = rule.case {
        let case = match case {
            Case::Lower => "lower",
            Case::Upper => "upper",
            Case::Title => "title",
        };
        fields.push(format!("case = \"{case}\""));
    }
    if let Some(kind) = rule.kind {
        let kind = match kind {
            ValueType::Integer => "integer",
            ValueType::Boolean => "boolean",
        };
        fields.push(format!("type = \"{kind}\""));
    }
    format!("{{ {} }}", fields.join(", "))
}

/// Whether the rule is nothing but where its value comes from.
fn is_plain(rule: &RuleConfig) -> bool {
    *rule == RuleConfig::new(rule.value.clone())
}

fn literal(value: &Literal) -> String {
    match value {
        Literal::Text(value) => text(value),
        Literal::Boolean(value) => value.to_string(),
        Literal::Integer(value) => value.to_string(),
    }
}

fn key(name: &str) -> String {
    let is_bare = !name.is_empty()
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    if is_bare { name.to_owned() } else { text(name) }
}

/// Text in quotes: in single ones where double ones or backslashes would have to be escaped.
fn text(plain: &str) -> String {
    let needs_escapes = plain.contains(['"', '\\']);
    if needs_escapes && !plain.contains('\'') && !plain.chars().any(char::is_control) {
        return format!("'{plain}'");
    }
    let mut quoted = String::from("\"");
    for letter in plain.chars() {
        match letter {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            other if other.is_control() => {
                push(&mut quoted, format_args!("\\u{:04X}", u32::from(other)));
            }
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    quoted
}
