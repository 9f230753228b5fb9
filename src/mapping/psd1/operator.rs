//! PowerShell's operators on text: what they compare, and what they make.

use crate::mapping::psd1::expression::{Expression, Reason, Type};

/// An operator between comparisons' sides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Comparison {
    base: &'static str,
    is_negated: bool,
    is_exact: bool,
}

/// Operators that are understood: their name, and whether `not` may stand before it.
const BASES: [(&str, bool); 9] = [
    ("eq", false),
    ("ne", false),
    ("in", true),
    ("contains", true),
    ("like", true),
    ("match", true),
    ("replace", false),
    ("join", false),
    ("split", false),
];

impl Comparison {
    /// `-eq`, `-ieq`, `-ceq`, `-notlike`, `-cnotlike` …
    pub(super) fn of(word: &str) -> Option<Self> {
        for (base, takes_not) in BASES {
            for (prefix, is_exact) in [("", false), ("i", false), ("c", true)] {
                let Some(rest) = word.strip_prefix(prefix) else { continue };
                if rest == base {
                    return Some(Self { base, is_negated: base == "ne", is_exact });
                }
                if takes_not && rest.strip_prefix("not") == Some(base) {
                    return Some(Self { base, is_negated: true, is_exact });
                }
            }
        }
        None
    }

    pub(super) fn apply(&self, left: Expression, right: Expression) -> Result<Expression, Reason> {
        let is_exact = self.is_exact;
        let found = match self.base {
            "eq" | "ne" => equal(left, right, is_exact)?,
            "in" => one_of(left, right, is_exact)?,
            "contains" => one_of(right, left, is_exact)?,
            "like" => {
                let regex = wildcard(&plain(right, "a wildcard")?)?;
                matches(left, regex, is_exact)?
            }
            "match" => matches(left, plain(right, "a regular expression")?, is_exact)?,
            "replace" => return replace(left, right, is_exact),
            "join" => return join(left, &plain(right, "what stands between")?),
            _ => return Err(unknown("split")),
        };
        Ok(if self.is_negated { Expression::Not(Box::new(found)) } else { found })
    }
}

pub(super) fn unknown(operator: &str) -> Reason {
    Reason::new(format!("it uses the operator `-{operator}`"))
}

/// Whether a number is written as its text would be.
pub(super) fn is_plain(number: &str) -> bool {
    let digits = number.strip_prefix('-').unwrap_or(number);
    digits.bytes().all(|byte| byte.is_ascii_digit())
        && (digits == "0" || !digits.starts_with('0'))
        && number.parse::<i64>().is_ok()
        && number != "-0"
}

/// As text, where PowerShell would make the same of it.
pub(super) fn text(value: Expression) -> Result<Expression, Reason> {
    match value {
        Expression::Number(number) if is_plain(&number) => Ok(Expression::Text(number)),
        value if value.type_of() == Type::Text => Ok(value),
        Expression::Null => Ok(Expression::Text(String::new())),
        // an `if` without `else` fills in nothing
        Expression::Cases { cases, default } => {
            let mut made = Vec::new();
            for (condition, value) in cases {
                made.push((condition, text(value)?));
            }
            let default = default.map(|value| text(*value)).transpose()?;
            Ok(Expression::Cases { cases: made, default: default.map(Box::new) })
        }
        _ => Err(Reason::new("it uses as text what is none")),
    }
}

/// As a condition: text is true unless it is empty.
pub(super) fn condition(value: Expression) -> Result<Expression, Reason> {
    match value.type_of() {
        Type::Boolean => Ok(value),
        Type::Text => Ok(Expression::Not(Box::new(Expression::Equal {
            left: Box::new(value),
            right: Box::new(Expression::Text(String::new())),
            is_exact: true,
        }))),
        Type::Number | Type::List | Type::Unclear => {
            Err(Reason::new("it uses as a condition what is neither true nor false"))
        }
    }
}

/// The word that text is compared with.
fn word(value: Expression) -> Result<Expression, Reason> {
    match value {
        // text on the left makes text of what is on the right
        Expression::Boolean(true) => Ok(Expression::Text("True".to_owned())),
        Expression::Boolean(false) => Ok(Expression::Text("False".to_owned())),
        Expression::Null => Err(Reason::with(
            "it compares with $null, which no cell of a CSV file is, not even an empty one",
            "an empty cell is compared as `Column == \"\"` in an `expr`",
        )),
        value => text(value),
    }
}

fn equal(left: Expression, right: Expression, is_exact: bool) -> Result<Expression, Reason> {
    if left.type_of() != Type::Text {
        return Err(Reason::new("on the left of a comparison stands no text"));
    }
    let right = word(right)?;
    // a constant stands on the right
    let (left, right) =
        if matches!(left, Expression::Text(_)) { (right, left) } else { (left, right) };
    if matches!(left, Expression::Text(_)) {
        return Err(Reason::new("it compares two constants"));
    }
    Ok(Expression::Equal { left: Box::new(left), right: Box::new(right), is_exact })
}

fn one_of(subject: Expression, list: Expression, is_exact: bool) -> Result<Expression, Reason> {
    let Expression::List(items) = list else {
        return Err(Reason::with(
            "it looks for a value in something that is no list, so it compares the whole",
            "compare with `-eq`, or look for a part with `-like`",
        ));
    };
    let mut words = Vec::new();
    for item in items {
        match word(item)? {
            Expression::Text(text) => words.push(text),
            _ => return Err(Reason::new("a list of words holds more than constants")),
        }
    }
    if subject.type_of() != Type::Text || matches!(subject, Expression::Text(_)) {
        return Err(Reason::new("what is looked for in a list is no column"));
    }
    Ok(Expression::In { subject: Box::new(subject), words, is_exact })
}

fn matches(subject: Expression, regex: String, is_exact: bool) -> Result<Expression, Reason> {
    if subject.type_of() != Type::Text {
        return Err(Reason::new("a pattern is held against something that is no text"));
    }
    let subject = Box::new(subject);
    check_regex(&regex)?;
    Ok(Expression::Match { subject, regex, is_exact })
}

fn check_regex(regex: &str) -> Result<(), Reason> {
    regex::RegexBuilder::new(regex).size_limit(1 << 20).build().map(|_| ()).map_err(|_| {
        Reason::with(
            "the regular expression looks around or back, or is none",
            "write it anew: look-around and back-references are not supported",
        )
    })
}

/// A wildcard as a regular expression.
fn wildcard(pattern: &str) -> Result<String, Reason> {
    let mut regex = String::from("(?s)^");
    for letter in pattern.chars() {
        match letter {
            '*' => regex.push_str(".*"),
            '?' => regex.push('.'),
            '[' | ']' | '`' => {
                return Err(Reason::new("the wildcard has more in it than `*` and `?`"));
            }
            other => regex.push_str(&regex::escape(other.encode_utf8(&mut [0; 4]))),
        }
    }
    regex.push('$');
    Ok(regex)
}

fn plain(value: Expression, what: &str) -> Result<String, Reason> {
    match text(value)? {
        Expression::Text(text) => Ok(text),
        _ => Err(Reason::new(format!("{what} is no constant"))),
    }
}

fn replace(left: Expression, right: Expression, is_exact: bool) -> Result<Expression, Reason> {
    let (old, new) = match right {
        Expression::List(items) => match <[Expression; 2]>::try_from(items) {
            Ok([old, new]) => (plain(old, "a pattern")?, plain(new, "a replacement")?),
            Err(_) => return Err(Reason::new("`-replace` takes a pattern and a replacement")),
        },
        only => (plain(only, "a pattern")?, String::new()),
    };
    check_regex(&old)?;
    if new.contains('$') {
        return Err(Reason::new("the replacement refers to groups of the pattern"));
    }
    let is_regex = regex::escape(&old) != old || !is_exact;
    let text = Box::new(text(left)?);
    Ok(Expression::Replace { text, old, new, is_regex, is_exact })
}

/// Texts with something between them.
pub(super) fn join(list: Expression, between: &str) -> Result<Expression, Reason> {
    let items = match list {
        Expression::List(items) => items,
        only => vec![only],
    };
    let mut parts = Vec::new();
    for (at, item) in items.into_iter().enumerate() {
        if at > 0 && !between.is_empty() {
            parts.push(Expression::Text(between.to_owned()));
        }
        parts.push(text(item)?);
    }
    Ok(Expression::Join(parts))
}

pub(super) fn plus(left: Expression, right: Expression) -> Result<Expression, Reason> {
    if left.type_of() != Type::Text {
        return Err(Reason::new("it adds to something that is no text"));
    }
    let right = match right {
        Expression::Boolean(_) => word(right)?,
        right => text(right)?,
    };
    Ok(match left {
        Expression::Join(mut parts) => {
            parts.push(right);
            Expression::Join(parts)
        }
        left => Expression::Join(vec![left, right]),
    })
}

/// `'{0} {1}' -f …`.
pub(super) fn format(left: Expression, right: Expression) -> Result<Expression, Reason> {
    let format = plain(left, "the format")?;
    let items = match right {
        Expression::List(items) => items,
        only => vec![only],
    };
    let wrong = || Reason::new("the format has more in it than places like `{0}`");
    let mut parts = Vec::new();
    let mut text_before = String::new();
    let mut letters = format.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '{' | '}' if letters.next_if_eq(&letter).is_some() => text_before.push(letter),
            '{' => {
                let mut digits = String::new();
                while let Some(digit) = letters.next_if(char::is_ascii_digit) {
                    digits.push(digit);
                }
                if letters.next() != Some('}') {
                    return Err(wrong());
                }
                let at: usize = digits.parse().map_err(|_| wrong())?;
                let item = items.get(at).cloned().ok_or_else(|| {
                    Reason::new(format!("the format asks for `{{{at}}}`, which is not given"))
                })?;
                parts.push(Expression::Text(std::mem::take(&mut text_before)));
                parts.push(text(item)?);
            }
            '}' => return Err(wrong()),
            other => text_before.push(other),
        }
    }
    parts.push(Expression::Text(text_before));
    Ok(Expression::Join(parts))
}
