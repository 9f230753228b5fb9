//! What is said of expressions that cannot be used.

use std::fmt::Write as _;

use proptest::prelude::*;

use super::compile;

#[test]
fn mistakes_are_told_with_their_place_and_the_way_out() {
    let mut told = String::new();
    for text in [
        "",
        "Join(\" \", FirstName, join(LastName))",
        "FirstName +\n  tolower(LastName)",
        "Nmid(FirstName, 1, 2)",
        "Frobnicate(FirstName)",
        "Join(\" \", [FirstName], [LastName])",
        "Join(\" \", [Cost Center])",
        "Replace(FirstName, \"a\", , , \"b\", , )",
        "IIF(Country = \"DE\", \"a\", \"b\")",
        "IIF(Country <> \"DE\", \"a\", \"b\")",
        "FirstName + ",
        "Cost Center",
        "FirstName LastName",
        "Straße",
        "\"never closed",
        "Left(FirstName)",
        "Left(FirstName, 1, 2, 3)",
        "Switch(Country, \"?\", \"DE\", \"Germany\", \"AT\")",
        "Left(FirstName, 2) == 5",
        "Level > 5",
        "FirstName + 1",
        "IsPresent(A) + \"x\"",
        "Country ? \"a\" : \"b\"",
        "A && B",
        "!A",
        "A * 2",
        "row",
        "row[FirstName]",
        "row.FirstName",
        "FirstName.Left(2)",
        "FirstName.trim()",
        "contains(A, \"x\")",
        "[1, 2].all(x, x > 1)",
        "has(row.A)",
        "Foo{a: 1}",
        "Now()",
        "Guid()",
        "DefaultDomain()",
        "SelectUniqueValue(A, B)",
        "SingleAppRoleAssignment(A)",
        "Redact(A)",
        "RandomString(3, 3, 0, 0, 0)",
        "Join(\"\", IgnoreFlowIfNullOrEmpty(A))",
        "IgnoreFlowIfNullOrEmpty(A, B)",
        "DateAdd(\"week\", 1, A)",
        "DateAdd(Unit, 1, A)",
        "FormatDateTime(A, \"\", \"dd.MM.yy\", \"yyyy-MM-dd\")",
        "FormatDateTime(A, \"\", \"dd.MM.yyyy\", \"YYYY-MM-DD\")",
        "FormatDateTime(A, \"AssumeLocal\", \"dd.MM.yyyy\", \"yyyy\")",
        "FormatDateTime(A, \"\", Format, \"yyyy\")",
        "Replace(A, \"\", \"(\", \"\", \"\", \"\", \"\")",
        "Replace(A, \"\", \"(?=x)\", \"\", \"\", \"\", \"\")",
        "Replace(A, \"\", \"x\", \"name\", \"\", \"\", \"\")",
        "Replace(A, \"\", \"\", \"\", \"b\", \"\", \"\")",
        "Replace(A, \"a\", \"x\", \"\", \"b\", \"\", \"\")",
        "Replace(A, \"a\", \"\", \"\", \"b\", \"\", \"t\")",
        "ToUpper(A, \"tr-TR\")",
        "A.matches(B)",
        "A.matches(\"(x{1000}){1000}\")",
        "A.matches(\"\\d+\")",
    ] {
        let fault = compile(text).err().unwrap_or_else(|| "compiles".to_owned());
        let _ = writeln!(told, "{text}\n    {fault}");
    }
    insta::assert_snapshot!(told);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn no_text_makes_compiling_panic_or_hang(text in ".{0,60}") {
        let _ = compile(&text);
    }

    #[test]
    fn no_heap_of_tokens_makes_compiling_panic_or_hang(
        tokens in prop::collection::vec(
            prop::sample::select(vec![
                "A", "row", "(", ")", "[", "]", "{", "}", ",", ".", "?", ":", "+", "-", "!", "&&",
                "||", "==", "in", "'a'", "\"", "'", "1", "2u", "1.5", "null", "true", "Join",
                "Left(", "Switch(", "Replace(", "r'", "b'x'", "//", "\n", "\\", "`", "has(", "x",
            ]),
            0..60,
        ),
    ) {
        let _ = compile(&tokens.join(" "));
        let _ = compile(&tokens.concat());
    }
}

#[test]
fn the_deepest_expressions_that_are_taken_are_compiled_and_evaluated() {
    let mut texts = vec![
        format!("{}A{}", "(".repeat(20), ")".repeat(20)),
        format!("{}A{}", "Left(".repeat(20), ", 1)".repeat(20)),
        format!("{}1u{}", "[".repeat(20), "]".repeat(20)),
        vec!["A"; 101].join("+"),
        vec!["A == B"; 50].join(" && "),
        format!("{}A == B", "!".repeat(95)).replace("!A == B", "!(A == B)"),
        format!("{}B", "A == B ? A : ".repeat(33)),
    ];
    let inner = vec!["A"; 80].join("+");
    texts.push(format!("{}{inner}{}", "(A + ".repeat(20), ")".repeat(20)));
    for text in &texts {
        assert!(compile(text).is_ok(), "{text}: {:?}", compile(text).err());
    }
    for text in texts {
        if let Err(fault) = super::value(&text, &[("A", "x")]) {
            assert!(fault.contains("where one value") || fault.contains("comes to"), "{fault}");
        }
    }
}
