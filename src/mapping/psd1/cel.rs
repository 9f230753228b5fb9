//! An expression written as CEL, with Entra's functions.

use crate::mapping::psd1::expression::{Expression, Letters, Reason, Type};

/// Words that CEL keeps for itself, and ours for the row.
const RESERVED: [&str; 22] = [
    "as",
    "break",
    "const",
    "continue",
    "else",
    "false",
    "for",
    "function",
    "if",
    "import",
    "in",
    "let",
    "loop",
    "namespace",
    "null",
    "package",
    "return",
    "row",
    "true",
    "var",
    "void",
    "while",
];
/// Longer than any cell that is cut into parts.
const TO_THE_END: usize = 100_000;

/// The text of an expression whose value goes out.
pub(super) fn write(expression: &Expression) -> Result<String, Reason> {
    match expression {
        Expression::Text(text) => Ok(quote(text)),
        Expression::Number(number) => number
            .parse::<i64>()
            .map(|number| number.to_string())
            .map_err(|_| Reason::new("it has a number that is no whole one")),
        Expression::Boolean(value) => Ok(value.to_string()),
        Expression::Column(name) => Ok(column(name)),
        Expression::Join(parts) => {
            let parts = parts.iter().map(write).collect::<Result<Vec<_>, _>>()?;
            Ok(match parts.as_slice() {
                [] => quote(""),
                [only] => only.clone(),
                many => format!("Join(\"\", {})", many.join(", ")),
            })
        }
        Expression::Letters(Letters::Lower, text) => Ok(format!("ToLower({})", write(text)?)),
        Expression::Letters(Letters::Upper, text) => Ok(format!("ToUpper({})", write(text)?)),
        // cells are trimmed already
        Expression::Letters(Letters::Trimmed, text) if matches!(**text, Expression::Column(_)) => {
            write(text)
        }
        Expression::Letters(Letters::Trimmed, _) => {
            Err(Reason::new("it trims what is not a column"))
        }
        Expression::Part(text, start, length) => {
            let length = length.unwrap_or(TO_THE_END);
            Ok(format!("Mid({}, {}, {length})", write(text)?, start + 1))
        }
        Expression::Replace { text, old, new, is_regex, is_exact } => {
            let text = write(text)?;
            if new.is_empty() {
                if matches!(old.as_str(), " " | "\\s") {
                    return Ok(format!("StripSpaces({text})"));
                }
                return Err(Reason::new("it takes parts out of a text"));
            }
            let new = quote(new);
            Ok(if *is_regex {
                let regex = quote(&flagged(old, *is_exact));
                format!("Replace({text}, \"\", {regex}, \"\", {new}, \"\", \"\")")
            } else {
                format!("Replace({text}, {}, \"\", \"\", {new}, \"\", \"\")", quote(old))
            })
        }
        Expression::Date { .. } => Err(Reason::with(
            "it reads a date inside of something larger",
            "a date stands alone: `{ from = \"…\", date = [\"%d.%m.%Y\"] }`",
        )),
        Expression::Equal { left, right, is_exact } => {
            let (left_text, right_text) = (write(left)?, write(right)?);
            if *is_exact || !has_case(right) {
                return Ok(format!("{left_text} == {right_text}"));
            }
            let right = match &**right {
                Expression::Text(text) => quote(&text.to_lowercase()),
                other => lower(other, right_text),
            };
            Ok(format!("{} == {right}", lower(left, left_text)))
        }
        Expression::In { subject, words, is_exact } => {
            let has_case = !is_exact && words.iter().any(|word| has_letters(word));
            let subject_text = write(subject)?;
            let subject = if has_case { lower(subject, subject_text) } else { subject_text };
            let word =
                |word: &String| if has_case { quote(&word.to_lowercase()) } else { quote(word) };
            let words: Vec<String> = words.iter().map(word).collect();
            Ok(format!("{subject} in [{}]", words.join(", ")))
        }
        Expression::Match { subject, regex, is_exact } => {
            let regex = quote(&flagged(regex, *is_exact));
            Ok(format!("{}.matches({regex})", write(subject)?))
        }
        Expression::Not(inner) => match &**inner {
            Expression::Equal { .. } => Ok(write(inner)?.replacen(" == ", " != ", 1)),
            Expression::Match { .. } | Expression::Boolean(_) => Ok(format!("!{}", write(inner)?)),
            _ => Ok(format!("!({})", write(inner)?)),
        },
        Expression::And(left, right) => joined(left, right, "&&"),
        Expression::Or(left, right) => joined(left, right, "||"),
        Expression::Cases { cases, default } => choice(cases, default.as_deref()),
        Expression::List(_) => Err(Reason::new("it yields a list")),
        Expression::Null => Ok(quote("")),
    }
}

fn choice(
    cases: &[(Expression, Expression)],
    default: Option<&Expression>,
) -> Result<String, Reason> {
    let values = cases.iter().map(|(_, value)| value).chain(default);
    let is_text = values
        .clone()
        .all(|value| value.type_of() == Type::Text || matches!(value, Expression::Null));
    if !is_text && (default.is_none() || values.clone().any(|value| *value == Expression::Null)) {
        return Err(Reason::new("it sometimes yields nothing, and otherwise no text"));
    }
    let mut written = String::new();
    for (condition, value) in cases {
        let condition = match condition {
            Expression::And(..) | Expression::Or(..) => format!("({})", write(condition)?),
            other => write(other)?,
        };
        written.push_str(&condition);
        written.push_str(" ? ");
        written.push_str(&nested(value)?);
        written.push_str(" : ");
    }
    written.push_str(&default.map_or_else(|| Ok(quote("")), nested)?);
    Ok(written)
}

fn nested(value: &Expression) -> Result<String, Reason> {
    match value {
        Expression::Cases { .. } | Expression::And(..) | Expression::Or(..) => {
            Ok(format!("({})", write(value)?))
        }
        other => write(other),
    }
}

/// In PowerShell `-and` and `-or` bind alike, from left to right; here they do not.
fn joined(left: &Expression, right: &Expression, operator: &str) -> Result<String, Reason> {
    let side = |side: &Expression| {
        let text = write(side)?;
        let is_other = match side {
            Expression::And(..) => operator == "||",
            Expression::Or(..) => operator == "&&",
            _ => false,
        };
        Ok(if is_other { format!("({text})") } else { text })
    };
    Ok(format!("{} {operator} {}", side(left)?, side(right)?))
}

fn flagged(regex: &str, is_exact: bool) -> String {
    if is_exact { regex.to_owned() } else { format!("(?i){regex}") }
}

fn lower(expression: &Expression, text: String) -> String {
    if matches!(expression, Expression::Letters(Letters::Lower, _)) {
        text
    } else {
        format!("ToLower({text})")
    }
}

/// Whether case could matter in a comparison with it.
fn has_case(expression: &Expression) -> bool {
    match expression {
        Expression::Text(text) => has_letters(text),
        _ => true,
    }
}

fn has_letters(text: &str) -> bool {
    text.to_lowercase() != text.to_uppercase()
}

fn column(name: &str) -> String {
    let mut letters = name.chars();
    let is_identifier =
        letters.next().is_some_and(|first| first.is_ascii_alphabetic() || first == '_')
            && letters.all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
            && !RESERVED.contains(&name);
    if is_identifier { name.to_owned() } else { format!("row[{}]", quote(name)) }
}

fn quote(text: &str) -> String {
    let mut quoted = String::from("\"");
    for letter in text.chars() {
        match letter {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            other if other.is_control() => {
                let code = format!("\\u{:04x}", u32::from(other));
                quoted.push_str(&code);
            }
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::write;
    use crate::mapping::psd1::script;

    fn cel(script: &str) -> String {
        write(&script::read(script).unwrap()).unwrap()
    }

    #[test]
    fn comparisons_ignore_case_where_powershell_does() {
        assert_eq!(cel("$_.Status -eq 'Act'"), r#"ToLower(Status) == "act""#);
        assert_eq!(cel("'Act' -ceq $_.Status"), r#"Status == "Act""#);
        assert_eq!(cel("$_.'Emp Status' -ne 1"), r#"row["Emp Status"] != "1""#);
        assert_eq!(cel("$_.A.ToLower() -eq $_.B"), "ToLower(A) == ToLower(B)");
        assert_eq!(cel("$_.A -in 'X','y'"), r#"ToLower(A) in ["x", "y"]"#);
        assert_eq!(cel("@('1','2') -notcontains $_.A"), r#"!(A in ["1", "2"])"#);
        assert_eq!(cel("$_.A -like 'act*.?'"), r#"A.matches("(?i)(?s)^act.*\\..$")"#);
        assert_eq!(cel("$_.A -cnotmatch '^\\d+$'"), r#"!A.matches("^\\d+$")"#);
        assert_eq!(cel("$_.A -eq $true"), r#"ToLower(A) == "true""#);
    }

    #[test]
    fn and_and_or_bind_alike_from_left_to_right() {
        assert_eq!(
            cel("$_.A -eq '1' -or $_.B -eq '2' -and $_.C"),
            r#"(A == "1" || B == "2") && C != """#
        );
        assert_eq!(
            cel("$_.A -eq '1' -or ($_.B -eq '2' -and -not ($_.C -eq '3'))"),
            r#"A == "1" || (B == "2" && C != "3")"#
        );
    }

    #[test]
    fn texts_are_put_together() {
        assert_eq!(cel("$_.A.ToLower() + '@x' + 5"), r#"Join("", ToLower(A), "@x", "5")"#);
        assert_eq!(
            cel("if ($_.A) { $_.A.Substring(0, 3) } else { $_.B.Substring(2) }"),
            r#"A != "" ? Mid(A, 1, 3) : Mid(B, 3, 100000)"#
        );
        assert_eq!(
            cel("switch ($_.A) { a { 'x' } 2 { 'y' } }"),
            r#"ToLower(A) == "a" ? "x" : A == "2" ? "y" : """#
        );
        assert_eq!(cel("$_.A.Replace(' ', '')"), "StripSpaces(A)");
    }
}
