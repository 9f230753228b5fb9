//! Entra's `Replace(source, old, regex, group, value, attribute, template)`: five modes, told apart
//! by which arguments are given.

use regex::{Captures, Regex};

use crate::mapping::expr::arguments::{Arguments, What};
use crate::mapping::expr::prepare::{Misuse, Prepared, Written, regex};
use crate::mapping::expr::value::{MAX_TEXT, Value};

/// A mode, with its regular expression.
pub(super) enum Replacement {
    /// Each `old` in the source becomes the value.
    Old,
    /// Each `old` in the template becomes the source.
    Template,
    /// Each match in the source becomes the value.
    Pattern(Regex),
    /// The group of each match in the source becomes the value.
    Group(Regex, Group),
    /// The source, or where that is empty the group of the first match in the attribute.
    Extract(Regex, Group),
}

/// A group of a regular expression, by its number.
pub(super) struct Group(usize);

const OLD: usize = 1;
const REGEX: usize = 2;
const GROUP: usize = 3;
const VALUE: usize = 4;
const ATTRIBUTE: usize = 5;
const TEMPLATE: usize = 6;

/// Finds the mode.
pub(super) fn prepare(arguments: &[Written<'_>]) -> Result<Replacement, Misuse> {
    let given = |at| !matches!(Written::of(arguments, at), Written::Absent | Written::Empty);
    let pattern = Written::of(arguments, REGEX).constant(REGEX)?;
    let group = Written::of(arguments, GROUP).constant(GROUP)?;
    if pattern.is_empty() {
        if !given(OLD) {
            let message = "there is nothing to look for: neither an old value nor a regex";
            return Err(Misuse::new(OLD, message).hint(MODES));
        }
        if !group.is_empty() || given(ATTRIBUTE) {
            let at = if group.is_empty() { ATTRIBUTE } else { GROUP };
            return Err(Misuse::new(at, "this argument goes with a regex only").hint(MODES));
        }
        return match (given(VALUE), given(TEMPLATE)) {
            (true, true) => Err(Misuse::new(
                TEMPLATE,
                "a value goes into the source, a template takes the source: there cannot be both",
            )
            .hint(MODES)),
            (_, true) => Ok(Replacement::Template),
            (_, false) => Ok(Replacement::Old),
        };
    }
    for (at, name) in [(OLD, "an old value"), (TEMPLATE, "a template")] {
        if given(at) {
            let message = format!("a regex does not go with {name}");
            return Err(Misuse::new(at, message).hint(MODES));
        }
    }
    let pattern = regex(pattern, REGEX)?;
    if group.is_empty() {
        if given(ATTRIBUTE) {
            let message = "to take a part of an attribute, the group of the regex is needed";
            return Err(Misuse::new(ATTRIBUTE, message).hint(MODES));
        }
        return Ok(Replacement::Pattern(pattern));
    }
    let group = find(&pattern, group)?;
    match (given(VALUE), given(ATTRIBUTE)) {
        (true, true) => {
            let message = "a value and an attribute do not go together";
            Err(Misuse::new(ATTRIBUTE, message).hint(MODES))
        }
        (_, true) => Ok(Replacement::Extract(pattern, group)),
        (_, false) => Ok(Replacement::Group(pattern, group)),
    }
}

const MODES: &str = "Replace(source, old, regex, group, value, attribute, template), with \"\" for what is not \
     given: old and value; old and template; regex and value; regex, group and value; or regex, \
     group and attribute";

fn find(pattern: &Regex, name: &str) -> Result<Group, Misuse> {
    group_number(pattern, name).map(Group).ok_or_else(|| {
        Misuse::new(GROUP, format!("the regex has no group `{name}`"))
            .hint("a group is named as in (?<name>…)")
    })
}

pub(super) fn replace<'v>(
    ready: &Prepared,
    given: &mut Arguments<'_, 'v>,
) -> Result<Value<'v>, What> {
    let Prepared::Replacement(replacement) = ready else { return Err(TOO_LONG) };
    let source = given.text(0)?;
    let text = match replacement {
        Replacement::Old => {
            let (old, value) = (given.text(OLD)?, given.text(VALUE)?);
            if old.is_empty() || !source.contains(old.as_ref()) {
                return Ok(Value::Text(source));
            }
            put(&source, &old, &value)?
        }
        Replacement::Template => {
            let (old, template) = (given.text(OLD)?, given.text(TEMPLATE)?);
            if old.is_empty() {
                return Ok(Value::Text(template));
            }
            put(&template, &old, &source)?
        }
        Replacement::Pattern(pattern) => {
            let value = given.text(VALUE)?;
            rewrite(pattern, &Group(0), &source, &value)?
        }
        Replacement::Group(pattern, group) => {
            let value = given.text(VALUE)?;
            rewrite(pattern, group, &source, &value)?
        }
        Replacement::Extract(pattern, group) => {
            if !source.is_empty() {
                return Ok(Value::Text(source));
            }
            let attribute = given.text(ATTRIBUTE)?;
            let found = pattern.captures(&attribute).and_then(|found| found.get(group.0));
            found.map_or(String::new(), |part| part.as_str().to_owned())
        }
    };
    Ok(text.into())
}

const TOO_LONG: What = "makes a text that is too long";

fn push(out: &mut String, text: &str) -> Result<(), What> {
    if out.len() + text.len() > MAX_TEXT {
        return Err(TOO_LONG);
    }
    out.push_str(text);
    Ok(())
}

/// The text with each `old` in it replaced.
fn put(text: &str, old: &str, new: &str) -> Result<String, What> {
    let mut out = String::with_capacity(text.len());
    for (at, part) in text.split(old).enumerate() {
        if at > 0 {
            push(&mut out, new)?;
        }
        push(&mut out, part)?;
    }
    Ok(out)
}

/// The text with a group of each match replaced by what the value stands for.
fn rewrite(pattern: &Regex, group: &Group, text: &str, value: &str) -> Result<String, What> {
    let mut out = String::with_capacity(text.len());
    let mut done = 0;
    for found in pattern.captures_iter(text) {
        let Some(part) = found.get(group.0) else { continue };
        push(&mut out, text.get(done..part.start()).unwrap_or(""))?;
        expand(&mut out, pattern, &found, value)?;
        done = part.end();
    }
    push(&mut out, text.get(done..).unwrap_or(""))?;
    Ok(out)
}

/// Writes a value with `${name}`, `$1` and `$$` in it. What names no group stays as it is.
fn expand(
    out: &mut String,
    pattern: &Regex,
    found: &Captures<'_>,
    value: &str,
) -> Result<(), What> {
    let mut rest = value;
    while let Some((before, after)) = rest.split_once('$') {
        push(out, before)?;
        let digits = after.bytes().take_while(u8::is_ascii_digit).count();
        let (part, length) = if after.starts_with('$') {
            (Some("$"), 1)
        } else if let Some(name) = braced(after) {
            (group_number(pattern, name).map(|number| group(found, number)), name.len() + 2)
        } else {
            let number = after.get(..digits).and_then(|digits| group_number(pattern, digits));
            (number.map(|number| group(found, number)), digits)
        };
        push(out, part.unwrap_or("$"))?;
        let length = if part.is_some() { length } else { 0 };
        rest = after.get(length..).unwrap_or("");
    }
    push(out, rest)
}

/// What a group has matched; nothing where it took no part.
fn group<'t>(found: &Captures<'t>, number: usize) -> &'t str {
    found.get(number).map_or("", |part| part.as_str())
}

/// The number of a group by its name or number.
fn group_number(pattern: &Regex, name: &str) -> Option<usize> {
    let by_number = || name.parse().ok().filter(|number| *number < pattern.captures_len());
    pattern.capture_names().position(|known| known == Some(name)).or_else(by_number)
}

/// The name in `{name}`.
fn braced(text: &str) -> Option<&str> {
    text.strip_prefix('{')?.split_once('}').map(|(name, _)| name).filter(|name| !name.is_empty())
}
