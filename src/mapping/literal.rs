//! Values that stand in the config: constants, defaults and lookup tables, as they will be written.

use std::collections::BTreeMap;

use crate::mapping::checks::Say;
use crate::mapping::date::Reading;
use crate::mapping::finish::{Finish, Made, Output, is_integer};
use crate::mapping::letters::push_lower;
use crate::mapping::problem::Fault;
use crate::mapping::rule::{Fixed, Lookup};
use crate::mapping::{Literal, Otherwise, RuleConfig};

/// A value of the config as it will be written: a boolean or a number where the attribute is one,
/// else text.
pub(super) fn fixed(
    value: &Literal,
    output: Output,
    key: &'static str,
    say: &mut Say<'_>,
) -> Option<Fixed> {
    match (output, value) {
        (Output::Boolean, Literal::Boolean(value)) => Some(Fixed::boolean(*value)),
        (Output::Boolean, _) => {
            let hint = "write true or false, without quotes";
            say.wrong(Some(key), "the attribute is a boolean, and this is none", Some(hint));
            None
        }
        (Output::Integer, Literal::Integer(value)) => Some(Fixed::number(value.to_string())),
        (Output::Integer, _) => {
            let hint = "write it without quotes, or leave out `type`";
            say.wrong(Some(key), "`type` asks for a whole number, and this is none", Some(hint));
            None
        }
        (Output::Text, value) => Some(Fixed::text(literal_text(value))),
    }
}

fn literal_text(value: &Literal) -> String {
    match value {
        Literal::Text(text) => text.clone(),
        Literal::Boolean(value) => value.to_string(),
        Literal::Integer(value) => value.to_string(),
    }
}

/// Compiles the lookup table of a rule, if it has one.
pub(super) fn lookup(
    rule: &RuleConfig,
    output: Output,
    finish: &Finish,
    say: &mut Say<'_>,
) -> Option<Lookup> {
    let table = rule.map.as_ref()?;
    let mut words: BTreeMap<String, (&str, Fixed)> = BTreeMap::new();
    for (word, value) in table {
        let mut folded = String::new();
        push_lower(&mut folded, word.trim());
        if folded.is_empty() {
            let hint = "say what an empty value becomes with `default` or `required`";
            say.wrong(Some("map"), "an empty cell never reaches the table", Some(hint));
            continue;
        }
        let value = match output {
            Output::Boolean => fixed(value, output, "map", say),
            Output::Text | Output::Integer => finished(word, value, output, finish, say),
        };
        let Some(value) = value else { continue };
        if let Some((other, _)) = words.insert(folded, (word, value)) {
            let message = format!("`{other}` and `{word}` are the same word");
            say.wrong(Some("map"), message, Some("case and blanks at the ends do not count"));
        }
    }
    let otherwise = match &rule.otherwise {
        Otherwise::Reject => None,
        Otherwise::Value(value) => fixed(value, output, "otherwise", say),
    };
    let words = words.into_iter().map(|(folded, (_, value))| (folded, value)).collect();
    Some(Lookup { words, otherwise })
}

/// What the table gives for a word, with the rules after `map` applied.
fn finished(
    word: &str,
    value: &Literal,
    output: Output,
    finish: &Finish,
    say: &mut Say<'_>,
) -> Option<Fixed> {
    let text = literal_text(value);
    if text.is_empty() {
        return Some(Fixed::text(text));
    }
    let mut made = Made::default();
    let finished = match finish.apply(&text, Reading::default(), &mut made) {
        Ok(text) if output == Output::Integer && !is_integer(text) => Err(Fault::NotInteger),
        finished => finished,
    };
    match finished {
        Ok(text) if output == Output::Integer => Some(Fixed::number(text.to_owned())),
        Ok(text) => Some(Fixed::text(text.to_owned())),
        Err(fault) => {
            let reason = match fault {
                Fault::TooLong { .. } => "is longer than `max`",
                Fault::NotInteger => "is no whole number, which `type` asks for",
                _ => "is no date in the formats of `date`",
            };
            say.wrong(Some("map"), format!("what `{word}` becomes {reason}"), None);
            None
        }
    }
}
