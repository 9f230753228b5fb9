//! What holds for any row: no panic, valid output, the same bytes again.

#![expect(clippy::expect_used, reason = "a helper that fails, fails its test")]

use proptest::prelude::*;
use scimport::mapping::{
    Case, Literal, Mapping, MappingConfig, OnEmpty, Otherwise, RuleConfig, Scratch, ValueType,
};
use scimport::scim::{User, Validator};

use crate::mapping_support::{OwnedRow, column, compile, config, constant, template, text, words};

const HEADERS: [&str; 8] = ["Id", "Status", "A", "B", "Manager", "Date", "Mail", "Phone"];

/// A mapping in which every rule takes part.
fn lines() -> Vec<(&'static str, RuleConfig)> {
    let status = RuleConfig {
        map: words(&[("A", Literal::Boolean(true)), ("I", Literal::Boolean(false))]),
        otherwise: Otherwise::Value(Literal::Boolean(true)),
        ..column("Status")
    };
    vec![
        ("externalId", column("Id")),
        ("active", status),
        ("userName", RuleConfig { case: Some(Case::Lower), ..column("A") }),
        ("displayName", template("{A} ({B})")),
        ("name.givenName", RuleConfig { case: Some(Case::Title), ..column("A") }),
        ("name.familyName", RuleConfig { case: Some(Case::Upper), ..column("B") }),
        ("title", RuleConfig { max: Some(30), ..column("B") }),
        ("nickName", RuleConfig { on_empty: OnEmpty::Null, ..column("A") }),
        ("userType", RuleConfig { default: Some(text("Employee")), ..column("B") }),
        ("locale", constant(text("de-DE"))),
        ("emails[type eq \"work\"].value", column("Mail")),
        ("emails[type eq \"work\"].primary", constant(Literal::Boolean(true))),
        ("addresses[type eq \"work\"].formatted", RuleConfig { trim: false, ..column("B") }),
        ("phoneNumbers[type eq \"work\"]", column("Phone")),
        (
            "name.middleName",
            RuleConfig { ascii: true, max: Some(5), truncate: true, ..column("A") },
        ),
        ("enterprise:employeeNumber", RuleConfig { pad: Some(9), ..column("Phone") }),
        ("enterprise:manager", column("Manager")),
        (
            "urn:contoso:employee:Level",
            RuleConfig {
                kind: Some(ValueType::Integer),
                map: words(&[("a", Literal::Integer(7))]),
                otherwise: Otherwise::Value(Literal::Integer(-1)),
                ..column("B")
            },
        ),
        (
            "urn:contoso:employee:Grade",
            RuleConfig { empty_words: vec!["-".to_owned()], ..column("B") },
        ),
        (
            "urn:contoso:employee:Hired",
            RuleConfig {
                date: vec!["%d.%m.%Y".to_owned(), "%m.%d.%Y".to_owned()],
                ..column("Date")
            },
        ),
    ]
}

fn cell() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => "[A-Za-z0-9 ]{0,12}",
        2 => "[\\x00-\\x2f\"\\\\{}a-cÀ-ž\u{a0}\u{2028}😀ßİǆΣ']{0,12}",
        1 => any::<String>(),
        1 => "[0-9]{1,2}\\.[0-9]{1,2}\\.[0-9]{4}|[0-9]{5}",
        1 => Just(String::new()),
    ]
}

fn bytes(mapping: &Mapping, cells: &[String]) -> Option<Vec<u8>> {
    let bound = mapping.bind(&HEADERS).expect("all columns");
    let mut out = b"before".to_vec();
    let result = bound.apply(&OwnedRow::new(cells).row(), &mut Scratch::new(), &mut out).is_ok();
    let written = out.strip_prefix(b"before").expect("what was there stays there").to_vec();
    assert_eq!(result, !written.is_empty(), "one resource, or nothing at all");
    result.then_some(written)
}

proptest! {
    #[test]
    fn any_row_gives_a_valid_user_or_nothing(rows in prop::collection::vec(prop::collection::vec(cell(), 0..9), 1..8)) {
        let mapping = compile(&config(&lines()));
        let bound = mapping.bind(&HEADERS).expect("all columns");
        let validator = VALIDATOR.with(std::rc::Rc::clone);
        let mut scratch = Scratch::new();
        for cells in &rows {
            let owned = OwnedRow::new(cells);
            let mut out = Vec::new();
            let id = bound.external_id(&owned.row(), &mut scratch).map(ToOwned::to_owned);
            match bound.apply(&owned.row(), &mut scratch, &mut out) {
                Ok(mapped) => {
                    prop_assert_eq!(validator.check_user(&out), Vec::<String>::new());
                    let user: User = serde_json::from_slice(&out).expect("a user");
                    prop_assert_eq!(Ok(mapped.external_id), id.as_deref());
                    prop_assert_eq!(&user.external_id, mapped.external_id);
                    prop_assert_eq!(user.active, mapped.active);
                    prop_assert_eq!(user.user_name.as_deref(), mapped.user_name);
                    let manager = user.enterprise.and_then(|extension| extension.manager?.value);
                    prop_assert_eq!(manager.as_deref(), mapped.manager);
                    prop_assert!(mapped.manager != Some(mapped.external_id));
                }
                Err(problem) => {
                    prop_assert!(out.is_empty());
                    if let Err(first) = id {
                        prop_assert_eq!(first, problem);
                    }
                }
            }
            // Buffers that served other rows before change nothing.
            prop_assert_eq!(bytes(&mapping, cells).unwrap_or_default(), out);
        }
    }

    #[test]
    fn the_order_of_lines_changes_neither_bytes_nor_fingerprint(
        shuffled in Just(lines()).prop_shuffle(),
        cells in prop::collection::vec(cell(), 8),
    ) {
        let (straight, other) = (compile(&config(&lines())), compile(&config(&shuffled)));
        prop_assert_eq!(straight.fingerprint(), other.fingerprint());
        prop_assert_eq!(bytes(&straight, &cells), bytes(&other, &cells));
    }

    #[test]
    fn any_path_and_template_is_compiled_or_refused(path in "\\PC{0,30}", right in "\\PC{0,30}") {
        let config: MappingConfig = config(&[(&path, template(&right)), ("title", RuleConfig {
            date: vec![right.clone()], time: Some(path.clone()), ..column(&path)
        })]);
        prop_assert!(Mapping::compile(&config, None).is_err(), "`externalId` is not mapped");
    }

    #[test]
    fn a_problem_never_quotes_a_cell(secret in "[b-z]{6,12}") {
        let mapping = compile(&config(&lines()));
        let bound = mapping.bind(&HEADERS).expect("all columns");
        let long = secret.repeat(60);
        for cells in [
            [long.as_str(), "A", "", "", "", "", "", ""],
            ["E1", "", secret.as_str(), secret.as_str(), "", "", "", ""],
            ["E1", "A", "", long.as_str(), "", "", "", ""],
            ["E1", "A", "", "", "", secret.as_str(), "", ""],
        ] {
            let row = OwnedRow::new(&cells);
            let problem = bound
                .apply(&row.row(), &mut Scratch::new(), &mut Vec::new())
                .expect_err("a bad row");
            prop_assert!(!format!("{problem:?}").contains(&secret), "{:?}", problem);
        }
    }
}

thread_local! {
    static VALIDATOR: std::rc::Rc<Validator> = std::rc::Rc::new(Validator::new());
}
