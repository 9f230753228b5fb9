//! Any text: nothing panics or hangs, and what comes out is TOML that says what was meant.

use proptest::prelude::*;

use super::translate;
use crate::mapping::psd1::{Psd1, cel, script};

/// Texts made of what mapping files are made of.
fn text() -> impl Strategy<Value = String> {
    let pieces = prop::sample::select(vec![
        "@{",
        "}",
        "@(",
        ")",
        "(",
        "{",
        "'",
        "\"",
        "`",
        "$",
        "$_",
        ".",
        "A",
        "B",
        "=",
        ";",
        "\n",
        ",",
        " ",
        "-eq",
        "-and",
        "-f",
        "-like",
        "-join",
        "if",
        "else",
        "switch",
        "default",
        "type",
        "active",
        "emails",
        "urn:x:y",
        "#",
        "<#",
        "#>",
        "@'\n",
        "\n'@",
        "$true",
        "$null",
        "5",
        "[",
        "]",
        "::",
        "+",
        "é",
        "\u{2019}",
        "\0",
        "{0}",
        "work",
        "!",
        "*",
        "ToLower()",
        "externalId",
    ]);
    prop::collection::vec(pieces, 0..60).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn no_text_panics_and_every_translation_is_toml(
        text in text(),
        frame in prop::sample::select(vec!["", "@{", "@{ title = {", "@{ emails = @(@{ type = {"]),
    ) {
        let ends = frame.chars().rev().filter_map(|letter| match letter {
            '{' => Some('}'),
            '(' => Some(')'),
            _ => None,
        });
        let text = format!("{frame}{text}{}", ends.collect::<String>());
        if let Ok(file) = Psd1::parse(&text) {
            let toml = file.translate().to_toml("f", "hr");
            prop_assert!(toml.parse::<toml::Table>().is_ok(), "{}\n{}", text, toml);
        }
    }

    #[test]
    fn any_script_is_translated_or_told(script in text()) {
        drop(script::read(&script).map(|found| cel::write(&found)));
    }

    #[test]
    fn any_column_name_arrives_as_it_is(name in "[^\\p{Cc}]{1,12}") {
        let quoted = name.replace('\'', "''").replace(['\u{2018}', '\u{2019}', '\u{201a}', '\u{201b}'], "x");
        let text = format!("@{{ title = '{quoted}' }}");
        let toml = translate(&text).to_toml("f", "hr");
        let table: toml::Table = toml.parse().unwrap();
        if let Some(found) = table["source"]["hr"]["mapping"].get("title") {
            let found = found.get("from").unwrap_or(found).as_str().unwrap();
            let wanted = quoted.replace("''", "'");
            prop_assert_eq!(found, wanted.trim());
        }
    }
}
