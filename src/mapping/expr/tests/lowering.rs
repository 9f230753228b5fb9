//! Steps give what the general language gives.

use proptest::prelude::*;

use crate::mapping::expr::check::Checker;
use crate::mapping::expr::convert::owned;
use crate::mapping::expr::general::{General, LANGUAGE};
use crate::mapping::expr::lower::lower;
use crate::mapping::expr::step::push_value;
use crate::mapping::expr::{Kind, Value};

/// Both results for a row of texts for A, B, C, …: of the steps, and of the general language.
/// `None` where the text is no expression or has no steps.
fn both(text: &str, row: &[&str]) -> Option<[Option<Value<'static>>; 2]> {
    let program = LANGUAGE.compile(text).ok()?;
    let mut node = program.expression().clone();
    let mut checker = Checker::new(text, program.source_info());
    let kind = checker.node(&mut node).ok()?;
    let step = lower(&node, &checker.calls)?;
    let names = ["A", "B", "C", "D"];
    let texts: Vec<&str> = checker
        .columns
        .iter()
        .map(|name| {
            let at = names.iter().position(|known| known == name).unwrap_or(0);
            row.get(at).copied().unwrap_or("")
        })
        .collect();
    let by_steps = step.evaluate(&texts).ok();
    // what is pushed is what is evaluated
    let mut pushed = String::new();
    let is_pushed = step.push(&texts, &mut pushed).is_ok();
    let mut shown = String::new();
    let is_shown = by_steps.as_ref().is_some_and(|value| push_value(value, &mut shown).is_ok());
    assert_eq!((is_pushed, is_pushed.then_some(&pushed)), (is_shown, is_shown.then_some(&shown)));
    if let Some(value) = &by_steps {
        assert!(is_of(kind, value), "{text} is {kind:?}, not {value:?}");
    }
    let general = General::new(node, &checker.calls).evaluate(&texts).ok();
    Some([by_steps.map(owned), general])
}

fn is_of(kind: Kind, value: &Value<'_>) -> bool {
    match kind {
        Kind::Text => matches!(value, Value::Text(_)),
        Kind::Boolean => matches!(value, Value::Boolean(_)),
        Kind::Integer => matches!(value, Value::Integer(_)),
        Kind::List => matches!(value, Value::List(_)),
        Kind::Any => true,
    }
}

fn expression() -> impl Strategy<Value = String> {
    let leaf = prop::sample::select(vec![
        "A", "B", "C", "D", "\"\"", "\"a\"", "\"DE\"", "\" \"", "1", "-2", "0", "true", "false",
        "null", "[]",
    ])
    .prop_map(str::to_owned);
    leaf.prop_recursive(5, 40, 4, |inner| {
        let one = inner.clone();
        let two = (inner.clone(), inner.clone());
        let three = (inner.clone(), inner.clone(), inner.clone());
        prop_oneof![
            (
                two.clone(),
                prop::sample::select(vec![
                    "+", "+", "-", "*", "/", "%", "==", "!=", "<", "<=", ">", ">=", "&&", "||",
                ])
            )
                .prop_map(|((a, b), op)| format!("({a} {op} {b})")),
            (
                one.clone(),
                prop::sample::select(vec![
                    "!(@)",
                    "Len(@)",
                    "ToLower(@)",
                    "ToUpper(@)",
                    "IsNullOrEmpty(@)",
                    "CStr(@)",
                    "Count(@)",
                    "size(@)",
                    "@.size()",
                    "PCase(@)",
                    "StripSpaces(@)",
                    "Not(@)",
                    "CBool(@)",
                    "CDate(@)",
                    "NormalizeDiacritics(@)",
                    "RemoveDuplicates(@)",
                    "@.matches(\"^[a-z]\")",
                ])
            )
                .prop_map(|(a, form)| form.replace('@', &format!("({a})"))),
            (
                two,
                prop::sample::select(vec![
                    "Append(@, #)",
                    "Left(@, #)",
                    "Split(@, #)",
                    "Item(@, #)",
                    "Coalesce(@, #)",
                    "@.contains(#)",
                    "@.startsWith(#)",
                    "@.endsWith(#)",
                    "@ in [#, \"DE\"]",
                    "@[#]",
                    "[@, #]",
                    "InStr(@, #)",
                    "BitAnd(@, #)",
                    "Join(\" - \", @, #)",
                    "Join(@, #)",
                ])
            )
                .prop_map(|((a, b), form)| {
                    form.replace('@', &format!("({a})")).replace('#', &format!("({b})"))
                }),
            three.clone().prop_map(|(a, b, c)| format!("(({a}) ? ({b}) : ({c}))")),
            three.clone().prop_map(|(a, b, c)| format!("IIF({a} == {b}, {b}, {c})")),
            three.prop_map(|(a, b, c)| format!("Switch({a}, {b}, \"DE\", {c}, \"\", {a})")),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3_000))]

    #[test]
    fn steps_and_the_general_language_agree(
        text in expression(),
        row in prop::collection::vec("|a|A|DE|1|-2|Zoë Łęcki|a b|[a-c ]{0,4}|2020-01-01", 4),
    ) {
        let row: Vec<&str> = row.iter().map(String::as_str).collect();
        if let Some([steps, general]) = both(&text, &row) {
            prop_assert_eq!(steps, general, "for {}", text);
        }
    }
}

#[test]
fn what_is_common_has_steps_and_what_is_not_has_none() {
    let is_lowered = |text: &str| super::compile(text).map(|(compiled, _)| compiled.is_lowered());
    for text in [
        "A",
        "\"x\"",
        "A + \" \" + row[\"Cost Center\"]",
        "Join(\" - \", A, B)",
        "ToLower(Append(A, \"@contoso.com\"))",
        "A == \"x\" && B != \"y\" || !(C in [\"a\", \"b\"])",
        "A == \"x\" ? B : C",
        "IIF(IsPresent(A), A, Switch(B, \"?\", \"a\", \"b\"))",
        "Left(A, Len(B) - 1)",
        "A.matches(\"^x\")",
        "FormatDateTime(A, \"\", \"yyyyMMdd\", \"yyyy-MM-dd\")",
    ] {
        assert_eq!(is_lowered(text), Ok(true), "{text}");
    }
    for text in ["int(A) + 1", "{\"a\": \"b\"}[A]", "A == \"x\" ? 1.5 : 2.0", "string(Len(A))"] {
        assert_eq!(is_lowered(text), Ok(false), "{text}");
    }
}
