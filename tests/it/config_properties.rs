//! No text and no environment makes the loader panic, and whatever it says can be printed.

use std::path::Path;

use proptest::prelude::*;
use scimport::config::Config;

use crate::config_reading::FULL;

fn load(text: &str, variables: Vec<(String, String)>) {
    match Config::parse(text, Path::new("."), variables) {
        Ok(config) => drop(config.problem_at(text, "x", None).to_string()),
        Err(errors) => {
            assert!(!errors.problems.is_empty());
            assert!(!errors.to_string().contains(['\r', '\t', '\u{1b}']));
        }
    }
}

/// Lines that look like a config, so that more than the parser is tried.
fn line() -> impl Strategy<Value = String> {
    let key = prop::sample::select(vec![
        "target",
        "source",
        "entra",
        "hr",
        "mapping",
        "burst",
        "csv",
        "credential",
        "rows",
        "name",
        "from",
        "map",
        "\"a.b\"",
        "const",
        "é",
        "\"\"",
    ]);
    let value = prop_oneof![
        any::<i64>().prop_map(|number| number.to_string()),
        Just("\"40/5s\"".to_owned()),
        Just("{ from = \"A\", map = { x.y = 1 } }".to_owned()),
        Just("[1, [\"ü\"], {}]".to_owned()),
        Just("\"\"\"\nß\n\"\"\"".to_owned()),
        Just("1979-05-27".to_owned()),
        "\\PC{0,12}",
    ];
    let path = prop::collection::vec(key, 1..4).prop_map(|keys| keys.join("."));
    prop_oneof![
        path.clone().prop_map(|path| format!("[{path}]")),
        path.clone().prop_map(|path| format!("[[{path}]]")),
        (path, value).prop_map(|(path, value)| format!("{path} = {value}")),
    ]
}

proptest! {
    #[test]
    fn no_text_makes_the_loader_panic(text in any::<String>()) {
        load(&text, Vec::new());
    }

    #[test]
    fn no_lines_make_the_loader_panic(lines in prop::collection::vec(line(), 0..12)) {
        load(&lines.join("\n"), Vec::new());
    }

    #[test]
    fn no_damage_to_a_good_config_makes_the_loader_panic(
        at in 0..FULL.len(), cut in 0_usize..9, put in "\\PC{0,3}",
    ) {
        let (Some(before), Some(after)) = (FULL.get(..at), FULL.get(at + cut..)) else {
            return Ok(());
        };
        load(&format!("{before}{put}{after}"), Vec::new());
    }

    #[test]
    fn no_environment_makes_the_loader_panic(
        words in prop::collection::vec("[A-Zé_]{0,8}|TARGET|ENTRA|SOURCE|HR_SOUTH|CSV|BURST", 0..5),
        value in any::<String>(),
    ) {
        load(FULL, vec![(format!("SCIMPORT__{}", words.join("__")), value)]);
    }
}
