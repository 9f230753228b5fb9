//! The values of a script block: columns, constants, brackets, and the methods asked of them.

use crate::mapping::psd1::expression::{Expression, Letters, Reason};
use crate::mapping::psd1::lex::Kind;
use crate::mapping::psd1::operator;
use crate::mapping::psd1::script::Parser;

/// Reads a value and what is asked of it.
pub(super) fn read(parser: &mut Parser) -> Result<Expression, Reason> {
    let mut value = first(parser)?;
    loop {
        if parser.is_glued('[') {
            return Err(Reason::new("it asks for one element of a value"));
        }
        if parser.peek() == Some(&Kind::Static) {
            return Err(Reason::new("it asks a type for something"));
        }
        if !parser.is_glued('.') {
            return Ok(value);
        }
        parser.next();
        let Some(Kind::Name(name)) = parser.next() else {
            return Err(Reason::new("it asks for a member whose name is computed"));
        };
        if !parser.is_glued('(') {
            return Err(Reason::new(format!("it asks for the property `{name}` of a value")));
        }
        let arguments = arguments(parser)?;
        value = method(value, &name, &arguments)?;
    }
}

fn first(parser: &mut Parser) -> Result<Expression, Reason> {
    match parser.next() {
        Some(Kind::Text(text)) => Ok(Expression::Text(text)),
        Some(Kind::Filled(pieces)) => parser.filled(pieces),
        Some(Kind::Number(number)) => Ok(Expression::Number(number)),
        Some(Kind::Symbol('-')) => match parser.next() {
            Some(Kind::Number(number)) => Ok(Expression::Number(format!("-{number}"))),
            _ => Err(Reason::new("it calculates with `-`")),
        },
        Some(Kind::Variable(name)) => variable(parser, &name),
        Some(Kind::Symbol('(')) => bracket(parser),
        Some(Kind::Symbol('$')) if parser.is_glued('(') => {
            parser.next();
            bracket(parser)
        }
        Some(Kind::Symbol('@')) if parser.is_glued('(') => {
            parser.next();
            parser.skip_lines();
            if parser.eat(')') {
                return Ok(Expression::List(Vec::new()));
            }
            Ok(match bracket(parser)? {
                list @ Expression::List(_) => list,
                only => Expression::List(vec![only]),
            })
        }
        Some(Kind::Symbol('@')) => {
            Err(Reason::with("it builds an object", "map each part by its own path"))
        }
        Some(Kind::Symbol('[')) => cast(parser),
        Some(Kind::Name(name)) => Err(Reason::new(format!("it runs the command `{name}`"))),
        Some(Kind::Operator(operator)) => Err(operator::unknown(&operator)),
        _ => Err(Reason::new("where a value belongs stands something else")),
    }
}

fn bracket(parser: &mut Parser) -> Result<Expression, Reason> {
    parser.deeper(|parser| {
        parser.skip_lines();
        let inside = parser.statement()?;
        parser.need(')')?;
        Ok(inside)
    })
}

fn variable(parser: &mut Parser, name: &str) -> Result<Expression, Reason> {
    match name {
        "true" => return Ok(Expression::Boolean(true)),
        "false" => return Ok(Expression::Boolean(false)),
        "null" => return Ok(Expression::Null),
        "_" | "psitem" => {}
        other => return Err(Reason::new(format!("it uses the variable `${other}`"))),
    }
    if parser.in_switch {
        return Err(Reason::new("inside a `switch`, `$_` is the value looked at, not the row"));
    }
    if parser.is_glued('[') {
        let hint =
            "PowerShell finds nothing this way in a row of a CSV file; `$_.'Name'` was meant";
        return Err(Reason::with("it uses `$_[…]`", hint));
    }
    if !parser.is_glued('.') {
        return Err(Reason::with("it uses the whole row", "name a column, as in `$_.Name`"));
    }
    parser.next();
    match parser.next() {
        Some(Kind::Name(name) | Kind::Text(name)) if !name.trim().is_empty() => {
            if parser.is_glued('(') {
                return Err(Reason::new(format!("it calls `{name}` of the row")));
            }
            Ok(Expression::Column(name))
        }
        _ => Err(Reason::new("the column's name is computed")),
    }
}

/// `[type]` before a value, or `[type]::Method( … )`.
fn cast(parser: &mut Parser) -> Result<Expression, Reason> {
    let mut name = String::new();
    loop {
        match parser.next() {
            Some(Kind::Name(part)) => name.push_str(&part.to_lowercase()),
            Some(Kind::Symbol('.')) => name.push('.'),
            Some(Kind::Symbol(']')) => break,
            _ => return Err(Reason::new("it uses a type")),
        }
    }
    let name = name.strip_prefix("system.").unwrap_or(&name).to_owned();
    if parser.peek() == Some(&Kind::Static) {
        parser.next();
        let Some(Kind::Name(method)) = parser.next() else {
            return Err(Reason::new(format!("it uses the type `[{name}]`")));
        };
        if name != "datetime" || !method.eq_ignore_ascii_case("parseexact") {
            return Err(Reason::new(format!("it calls `[{name}]::{method}`")));
        }
        return parse_exact(&arguments(parser)?);
    }
    match name.as_str() {
        "string" => parser.deeper(|parser| operator::text(read(parser)?)),
        "int" | "int32" | "int64" | "long" => Err(Reason::with(
            "it turns text into a number",
            "`type = \"integer\"` does that for an attribute of a custom extension",
        )),
        "datetime" => Err(Reason::with(
            "it reads a date in whatever order this machine's culture has",
            "say which: `{ from = \"…\", date = [\"%d.%m.%Y\"] }`",
        )),
        _ => Err(Reason::new(format!("it uses the type `[{name}]`"))),
    }
}

/// `( … )` after a method, with commas between.
fn arguments(parser: &mut Parser) -> Result<Vec<Expression>, Reason> {
    if !parser.is_glued('(') {
        return Err(Reason::new("a method is named and not called"));
    }
    parser.next();
    parser.skip_lines();
    if parser.eat(')') {
        return Ok(Vec::new());
    }
    let inside = bracket(parser)?;
    Ok(match inside {
        Expression::List(items) => items,
        only => vec![only],
    })
}

fn parse_exact(arguments: &[Expression]) -> Result<Expression, Reason> {
    match arguments {
        [text, Expression::Text(read), ..] => Ok(Expression::Date {
            text: Box::new(operator::text(text.clone())?),
            read: read.clone(),
            write: String::new(),
        }),
        _ => Err(Reason::new("the date is read by a format that is no plain text")),
    }
}

fn method(value: Expression, name: &str, arguments: &[Expression]) -> Result<Expression, Reason> {
    let name = name.to_lowercase();
    if let Expression::Date { text, read, write } = &value {
        return match (name.as_str(), arguments) {
            ("tostring", [Expression::Text(format), ..]) if write.is_empty() => {
                Ok(Expression::Date {
                    text: text.clone(),
                    read: read.clone(),
                    write: format.clone(),
                })
            }
            ("tostring", _) if !write.is_empty() => Ok(value),
            _ => Err(Reason::new(format!("it calls `{name}` of a date"))),
        };
    }
    let value = operator::text(value)?;
    let number = |argument: &Expression| match argument {
        Expression::Number(digits) => digits.parse::<u16>().ok().map(usize::from),
        _ => None,
    };
    let boxed = Box::new(value.clone());
    let matches =
        |regex: String| Ok(Expression::Match { subject: boxed.clone(), regex, is_exact: true });
    match (name.as_str(), arguments) {
        ("tolower" | "tolowerinvariant", []) => Ok(Expression::Letters(Letters::Lower, boxed)),
        ("toupper" | "toupperinvariant", []) => Ok(Expression::Letters(Letters::Upper, boxed)),
        ("trim", []) => Ok(Expression::Letters(Letters::Trimmed, boxed)),
        ("tostring", []) => Ok(value),
        ("substring", [start]) if number(start).is_some() => {
            Ok(Expression::Part(boxed, number(start).unwrap_or(0), None))
        }
        ("substring", [start, length]) if number(start).is_some() && number(length).is_some() => {
            Ok(Expression::Part(boxed, number(start).unwrap_or(0), number(length)))
        }
        ("replace", [Expression::Text(old), Expression::Text(new)]) if !old.is_empty() => {
            let (old, new) = (old.clone(), new.clone());
            Ok(Expression::Replace { text: boxed, old, new, is_regex: false, is_exact: true })
        }
        ("startswith", [Expression::Text(part)]) => matches(format!("^{}", regex::escape(part))),
        ("endswith", [Expression::Text(part)]) => matches(format!("{}$", regex::escape(part))),
        ("contains", [Expression::Text(part)]) => matches(regex::escape(part)),
        ("padleft", _) => Err(Reason::with(
            "it fills text up on the left",
            "`pad = 8` restores leading zeros that a spreadsheet ate",
        )),
        _ => Err(Reason::new(format!("it calls `{name}` of a value"))),
    }
}
