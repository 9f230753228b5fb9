//! From what a script block computes to the rule of a mapping line: a column, a constant, a
//! template or a table where that says the same, else an expression.

use crate::mapping::psd1::cel;
use crate::mapping::psd1::expression::{Expression, Letters, Reason, Type};
use crate::mapping::psd1::net_date;
use crate::mapping::{Case, Literal, Otherwise, RuleConfig, ValueSource, ValueType};

/// What the attribute takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    /// `active`: a boolean, and no other value will do for an empty cell.
    Active,
    Boolean,
    Text,
    /// An attribute of a custom extension: whatever the block yields.
    Any,
}

/// A rule, and what somebody should know of it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Made {
    pub(super) rule: RuleConfig,
    pub(super) notes: Vec<String>,
}

impl Made {
    fn new(rule: RuleConfig) -> Self {
        Self { rule, notes: Vec::new() }
    }

    fn note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }
}

/// The rule that says what the expression says.
pub(super) fn make(expression: &Expression, wanted: Wanted) -> Result<Made, Reason> {
    if let Some(made) = simple(expression, wanted)? {
        return Ok(made);
    }
    if let Some(made) = table(expression, wanted)? {
        return Ok(made);
    }
    let kind = value_type(expression, wanted)?;
    let mut made = Made::new(RuleConfig::new(ValueSource::Expression(cel::write(expression)?)));
    made.rule.kind = kind;
    Ok(made)
}

/// Columns, constants and templates, and letters and dates of them.
fn simple(expression: &Expression, wanted: Wanted) -> Result<Option<Made>, Reason> {
    let is_boolean = matches!(wanted, Wanted::Active | Wanted::Boolean);
    Ok(match expression {
        Expression::Null => {
            return Err(Reason::with("it yields nothing", "leave the line out"));
        }
        Expression::Text(_) | Expression::Number(_) | Expression::Boolean(_) => {
            let (value, note) = literal(expression, wanted)?;
            let mut rule = RuleConfig::new(ValueSource::Const(value.clone()));
            if wanted == Wanted::Any {
                rule.kind = literal_type(&value);
            }
            let made = Made::new(rule);
            Some(match note {
                Some(note) => made.note(note),
                None => made,
            })
        }
        Expression::Column(name) => Some(Made::new(column(name))),
        Expression::Join(parts) => match template(parts) {
            Some(_) if is_boolean => return Err(no_boolean()),
            Some(rule) => Some(Made::new(rule)),
            None => None,
        },
        Expression::Letters(letters, inner) if !is_boolean => {
            let Some(mut made) = simple(inner, wanted)? else { return Ok(None) };
            if matches!(made.rule.value, ValueSource::Const(_)) || made.rule.case.is_some() {
                return Ok(None);
            }
            made.rule.case = match letters {
                Letters::Lower => Some(Case::Lower),
                Letters::Upper => Some(Case::Upper),
                Letters::Trimmed => None,
            };
            Some(made)
        }
        Expression::Date { text, read, write } if !is_boolean => {
            let Expression::Column(name) = &**text else { return Ok(None) };
            let mut rule = column(name);
            rule.date = vec![net_date::format(read)?];
            net_date::check_written(write)?;
            let note = "date, time and offset are written in `time_zone` of the source, which has to be set";
            Some(Made::new(rule).note(note))
        }
        _ => None,
    })
}

/// A rule that copies a column.
pub(super) fn column(name: &str) -> RuleConfig {
    RuleConfig::new(ValueSource::Column(name.trim().to_owned()))
}

fn template(parts: &[Expression]) -> Option<RuleConfig> {
    let mut flat = Vec::new();
    flatten(parts, &mut flat)?;
    if !flat.iter().any(|part| matches!(part, Expression::Column(_))) {
        let texts = flat.iter().map(|part| match part {
            Expression::Text(text) => text.as_str(),
            _ => "",
        });
        return Some(RuleConfig::new(ValueSource::Const(Literal::Text(texts.collect()))));
    }
    if let [Expression::Column(name)] = flat.as_slice() {
        return Some(column(name));
    }
    let mut text = String::new();
    for part in flat {
        match part {
            Expression::Column(name) if !name.contains(['{', '}']) => {
                text.push('{');
                text.push_str(name.trim());
                text.push('}');
            }
            Expression::Text(plain) => text.push_str(&plain.replace('{', "{{").replace('}', "}}")),
            _ => return None,
        }
    }
    Some(RuleConfig::new(ValueSource::Template(text)))
}

fn flatten<'e>(parts: &'e [Expression], flat: &mut Vec<&'e Expression>) -> Option<()> {
    for part in parts {
        match part {
            Expression::Join(inner) => flatten(inner, flat)?,
            Expression::Text(text) if text.is_empty() => {}
            Expression::Letters(Letters::Trimmed, inner)
                if matches!(**inner, Expression::Column(_)) =>
            {
                flat.push(inner);
            }
            Expression::Text(_) | Expression::Column(_) => flat.push(part),
            _ => return None,
        }
    }
    Some(())
}

/// Words of one column, and what each becomes.
struct Asked<'e> {
    column: &'e str,
    words: Vec<&'e str>,
    /// Whether the condition holds for all other words instead.
    is_negated: bool,
}

/// A condition that only asks whether a column is one of some words, whatever their case.
fn words(condition: &Expression) -> Option<Asked<'_>> {
    match condition {
        Expression::Equal { left, right, is_exact: false } => match (&**left, &**right) {
            (Expression::Column(column), Expression::Text(word)) => {
                Some(Asked { column, words: vec![word], is_negated: false })
            }
            _ => None,
        },
        Expression::In { subject, words, is_exact: false } => match &**subject {
            Expression::Column(column) => {
                let words = words.iter().map(String::as_str).collect();
                Some(Asked { column, words, is_negated: false })
            }
            _ => None,
        },
        Expression::Not(inner) => {
            let mut words = words(inner)?;
            words.is_negated = !words.is_negated;
            Some(words)
        }
        Expression::Or(left, right) => {
            let (mut left, right) = (words(left)?, words(right)?);
            let is_same = left.column.eq_ignore_ascii_case(right.column);
            if !is_same || left.is_negated || right.is_negated {
                return None;
            }
            left.words.extend(right.words);
            Some(left)
        }
        // neither this nor that
        Expression::And(left, right) => {
            let (mut left, right) = (words(left)?, words(right)?);
            let is_same = left.column.eq_ignore_ascii_case(right.column);
            if !is_same || !left.is_negated || !right.is_negated {
                return None;
            }
            left.words.extend(right.words);
            Some(left)
        }
        _ => None,
    }
}

/// `map` and `otherwise`.
fn table(expression: &Expression, wanted: Wanted) -> Result<Option<Made>, Reason> {
    let (yes, no) = (Expression::Boolean(true), Expression::Boolean(false));
    let (cases, default): (Vec<(&Expression, &Expression)>, &Expression) = match expression {
        Expression::Cases { cases, default: Some(default) } => {
            (cases.iter().map(|(condition, value)| (condition, value)).collect(), default)
        }
        condition if condition.type_of() == Type::Boolean => (vec![(condition, &yes)], &no),
        _ => return Ok(None),
    };
    let mut table: Vec<(String, Literal)> = Vec::new();
    let mut column: Option<&str> = None;
    let mut otherwise = default;
    let mut notes = Vec::new();
    let count = cases.len();
    for (condition, value) in cases {
        let Some(found) = words(condition) else { return Ok(None) };
        if column.is_some_and(|column| !column.eq_ignore_ascii_case(found.column))
            || (found.is_negated && count > 1)
            || found.words.iter().any(|word| word.trim().is_empty())
        {
            return Ok(None);
        }
        column = Some(found.column);
        let value = if found.is_negated { std::mem::replace(&mut otherwise, value) } else { value };
        let Some((value, note)) = constant(value, wanted)? else { return Ok(None) };
        notes.extend(note);
        for word in found.words {
            let word = word.trim();
            // the first case that holds counts
            if !table.iter().any(|(other, _)| other.to_lowercase() == word.to_lowercase()) {
                table.push((word.to_owned(), value.clone()));
            }
        }
    }
    let (Some(name), Some((otherwise, note))) = (column, constant(otherwise, wanted)?) else {
        return Ok(None);
    };
    notes.extend(note);
    notes.dedup();
    let kinds: Vec<Option<ValueType>> = table
        .iter()
        .map(|(_, value)| literal_type(value))
        .chain([literal_type(&otherwise)])
        .collect();
    if !kinds.windows(2).all(|pair| pair.first() == pair.last()) {
        return Ok(None);
    }
    let mut rule = self::column(name);
    rule.map = Some(table);
    if wanted == Wanted::Active {
        notes.push(
            "CSV2SCIM takes an empty cell like any other word; here it rejects the row".to_owned(),
        );
    } else {
        // an empty cell never reaches the table
        rule.default = Some(otherwise.clone());
    }
    rule.otherwise = Otherwise::Value(otherwise);
    if wanted == Wanted::Any {
        rule.kind = kinds.first().copied().flatten();
    }
    Ok(Some(Made { rule, notes }))
}

/// The constant that a value of a table is; `None` where it is more, or empty.
fn constant(
    value: &Expression,
    wanted: Wanted,
) -> Result<Option<(Literal, Option<String>)>, Reason> {
    match value {
        Expression::Text(text) if text.trim().is_empty() => Ok(None),
        Expression::Text(text) if text == "reject" => Ok(None),
        Expression::Text(_) | Expression::Number(_) | Expression::Boolean(_) => {
            literal(value, wanted).map(Some)
        }
        _ => Ok(None),
    }
}

/// A constant as the attribute takes it.
fn literal(value: &Expression, wanted: Wanted) -> Result<(Literal, Option<String>), Reason> {
    let is_boolean = matches!(wanted, Wanted::Active | Wanted::Boolean);
    match value {
        Expression::Boolean(value) if wanted != Wanted::Text => {
            Ok((Literal::Boolean(*value), None))
        }
        Expression::Boolean(_) => Err(Reason::with(
            "the attribute is text, and the block yields true or false",
            "write the text in quotes: `{ const = \"…\" }`",
        )),
        Expression::Text(text) if is_boolean => {
            let value = match text.to_lowercase().as_str() {
                "true" => true,
                "false" => false,
                _ => return Err(no_boolean()),
            };
            let note = "the block yields text, which CSV2SCIM sends as text; here it is a boolean";
            Ok((Literal::Boolean(value), Some(note.to_owned())))
        }
        Expression::Number(_) if is_boolean => Err(no_boolean()),
        Expression::Number(number) if wanted == Wanted::Any => number
            .parse()
            .map(|number| (Literal::Integer(number), None))
            .map_err(|_| Reason::new("it yields a number that is no whole one")),
        Expression::Number(number) => {
            let note = "the block yields a number; the attribute is text, so it goes out as text";
            Ok((Literal::Text(number.clone()), Some(note.to_owned())))
        }
        Expression::Text(text) => Ok((Literal::Text(text.clone()), None)),
        _ => Err(Reason::new("it is no constant")),
    }
}

const fn literal_type(value: &Literal) -> Option<ValueType> {
    match value {
        Literal::Text(_) => None,
        Literal::Boolean(_) => Some(ValueType::Boolean),
        Literal::Integer(_) => Some(ValueType::Integer),
    }
}

/// The type that an expression's value goes out as.
fn value_type(expression: &Expression, wanted: Wanted) -> Result<Option<ValueType>, Reason> {
    match (expression.type_of(), wanted) {
        (Type::List, _) => Err(Reason::with(
            "it yields a list, and here an attribute has one value",
            "choose one of the values",
        )),
        (Type::Boolean, Wanted::Active | Wanted::Boolean)
        | (Type::Text, Wanted::Text | Wanted::Any) => Ok(None),
        (Type::Boolean, Wanted::Any) => Ok(Some(ValueType::Boolean)),
        (Type::Number, Wanted::Any) => Ok(Some(ValueType::Integer)),
        (Type::Boolean, Wanted::Text) => {
            Err(Reason::new("the attribute is text, and the block yields true or false"))
        }
        (_, Wanted::Active | Wanted::Boolean) => Err(no_boolean()),
        (Type::Number, Wanted::Text) => {
            Err(Reason::new("the attribute is text, and the block yields a number"))
        }
        (Type::Unclear, _) => Err(Reason::new("it yields values of different kinds, or nothing")),
    }
}

fn no_boolean() -> Reason {
    Reason::with(
        "the attribute is true or false, and the block yields something else",
        "name the words: `{ from = \"…\", map = { Active = true, Inactive = false } }`",
    )
}
