//! Records that are sent with a warning: words for nothing, invisible characters, the target's
//! limits and forms.

#![expect(clippy::expect_used, reason = "a helper that fails, fails its test")]

use scimport::mapping::{Lints, Mapping, MappingConfig, RecordWarning, RuleConfig, Scratch};

use crate::mapping_support::{OwnedRow, column, config_with, template, text, words};

fn warned(config: &MappingConfig, lints: &Lints, cells: &[(&str, &str)]) -> Vec<RecordWarning> {
    let mapping = Mapping::compile_with(config, None, lints).expect("compiles");
    let mut cells = cells.to_vec();
    for (name, usual) in [("Id", "E1"), ("Active", "true")] {
        if !cells.iter().any(|(header, _)| *header == name) {
            cells.push((name, usual));
        }
    }
    let (headers, values): (Vec<&str>, Vec<&str>) = cells.into_iter().unzip();
    let bound = mapping.bind(&headers).expect("all columns");
    let (mut scratch, mut out) = (Scratch::new(), Vec::new());
    let row = OwnedRow::new(&values);
    bound.apply(&row.row(), &mut scratch, &mut out).expect("a resource").warnings.to_vec()
}

fn codes(config: &MappingConfig, lints: &Lints, cells: &[(&str, &str)]) -> Vec<&'static str> {
    warned(config, lints, cells).iter().map(|warning| warning.code).collect()
}

fn limits() -> Lints {
    scimport::entra::lints(vec!["contoso.example".to_owned()])
}

const NONE: [&str; 0] = [];

#[test]
fn a_word_that_stands_for_nothing_goes_out_with_a_warning() {
    let plain = config_with(&[("title", column("T"))]);
    for cell in ["NULL", " n/a ", "-", "--", "#N/A", "0000-00-00", "#", "none", "(blank)"] {
        let warnings = warned(&plain, &Lints::default(), &[("T", cell)]);
        assert_eq!(warnings.len(), 1, "for {cell}");
        assert_eq!(warnings[0].code, "mapping.placeholder");
        assert!(warnings[0].message.contains("`T`"), "{}", warnings[0].message);
    }
    for cell in ["", "NA", "Nurse", "007"] {
        assert_eq!(codes(&plain, &Lints::default(), &[("T", cell)]), NONE, "for {cell}");
    }
}

#[test]
fn a_word_with_a_meaning_is_no_placeholder() {
    for rule in [
        RuleConfig { empty_words: vec!["NULL".to_owned()], ..column("T") },
        RuleConfig { map: words(&[("null", text("Nothing"))]), ..column("T") },
    ] {
        assert_eq!(
            codes(&config_with(&[("title", rule)]), &Lints::default(), &[("T", "NULL")]),
            NONE
        );
    }
    let inside = config_with(&[("title", template("{T} {U}"))]);
    let warnings = warned(&inside, &Lints::default(), &[("T", "Ada"), ("U", "NULL")]);
    assert_eq!(warnings.len(), 1);
    assert!(warnings[0].message.contains("`U`"));
    let unmapped = config_with(&[]);
    assert_eq!(codes(&unmapped, &Lints::default(), &[("T", "NULL")]), NONE);
}

#[test]
fn a_character_that_nobody_sees_is_told_of_ids_and_addresses() {
    let config = config_with(&[
        ("userName", column("U")),
        ("emails[type eq \"work\"].value", column("E")),
        ("enterprise:manager", column("M")),
        ("displayName", column("N")),
    ]);
    let hidden = "a\u{200b}b";
    for name in ["Id", "U", "E", "M", "N"] {
        let mut cells = vec![("U", ""), ("E", ""), ("M", ""), ("N", "")];
        cells.retain(|(header, _)| *header != name);
        cells.push((name, hidden));
        let found = codes(&config, &Lints::default(), &cells);
        if name == "N" {
            assert_eq!(found, NONE, "a name may have joiners");
        } else {
            assert_eq!(found, ["mapping.invisible-character"], "for {name}");
        }
    }
}

#[test]
fn a_value_longer_than_the_target_takes_is_sent_with_a_warning() {
    let config = config_with(&[
        ("displayName", column("N")),
        ("name.givenName", RuleConfig { max: Some(64), ..column("G") }),
        ("enterprise:department", column("D")),
        ("nickName", column("N")),
    ]);
    let (long, fits) = ("ö".repeat(257), "ö".repeat(256));
    let cells = |name: &'static str, department: &'static str| {
        [("N", name), ("G", "Ada"), ("D", department)].to_vec()
    };
    let long: &'static str = long.leak();
    let fits: &'static str = fits.leak();
    let wide: &'static str = "ß".repeat(65).leak();
    assert_eq!(codes(&config, &limits(), &cells(fits, "Sales")), NONE);
    assert_eq!(codes(&config, &Lints::default(), &cells(long, wide)), NONE);
    let warnings = warned(&config, &limits(), &cells(long, wide));
    let messages: Vec<&str> = warnings.iter().map(|warning| warning.message.as_ref()).collect();
    assert_eq!(
        warnings.iter().map(|warning| warning.code).collect::<Vec<_>>(),
        ["entra.too-long"; 2]
    );
    assert!(messages[0].contains("`N` has 257") && messages[0].contains("256"), "{messages:?}");
    assert!(messages[1].contains("`D` has 65") && messages[1].contains("64"), "{messages:?}");
    let id = "x".repeat(17);
    assert_eq!(
        codes(&config, &limits(), &[("N", ""), ("G", ""), ("D", ""), ("Id", &id)]),
        ["entra.too-long"]
    );
}

#[test]
fn addresses_are_held_against_the_forms_that_are_taken() {
    let config = config_with(&[
        ("userName", column("U")),
        ("emails[type eq \"work\"].value", column("E")),
        ("emails[type eq \"home\"].value", column("H")),
    ]);
    let found = |lints: &Lints, user: &str, mail: &str| {
        codes(&config, lints, &[("U", user), ("E", mail), ("H", "no address")])
    };
    let good = "ada@contoso.example";
    assert_eq!(found(&limits(), good, good), NONE);
    assert_eq!(found(&limits(), "zoë@contoso.example", good), ["entra.user-principal-name"]);
    assert_eq!(found(&limits(), "ada@fabrikam.example", good), ["entra.unverified-domain"]);
    assert_eq!(found(&limits(), good, "ada at contoso"), ["entra.mail"]);
    assert_eq!(
        found(&limits(), ".ada@fabrikam.example", "ada"),
        ["entra.user-principal-name", "entra.unverified-domain", "entra.mail"]
    );
    let open = scimport::entra::lints(Vec::new());
    assert_eq!(found(&open, "ada", good), NONE, "the target has a recipe of its own");
    assert_eq!(found(&limits(), "ada", good), ["entra.user-principal-name"]);
    assert_eq!(found(&open, "ada@fabrikam.example", good), NONE);
    assert_eq!(found(&Lints::default(), "zoë@", "x"), NONE);
}

#[test]
fn no_warning_holds_a_value() {
    let config = config_with(&[("userName", column("U")), ("title", template("{U}"))]);
    let secret = "Confidentiäl@\u{200b}fabrikam";
    let warnings = warned(&config, &limits(), &[("U", secret)]);
    assert_eq!(warnings.len(), 3);
    assert!(!format!("{warnings:?}").contains("onfident"));
}

#[test]
fn the_own_manager_comes_first_and_the_rest_of_the_object_follows_it_out() {
    let config = config_with(&[
        ("title", column("T")),
        ("enterprise:manager", column("M")),
        ("enterprise:manager.displayName", column("T")),
    ]);
    assert_eq!(
        codes(&config, &Lints::default(), &[("T", "NULL"), ("M", "E1")]),
        ["mapping.own-manager", "mapping.placeholder", "mapping.placeholder"]
    );
    // warnings about a manager do not leave the manager out
    let mapping = Mapping::compile(&config, None).expect("compiles");
    let bound = mapping.bind(&["Id", "Active", "T", "M"]).expect("all columns");
    let (mut scratch, mut out) = (Scratch::new(), Vec::new());
    let row = OwnedRow::new(&["E1", "true", "NULL", "E2"]);
    let mapped = bound.apply(&row.row(), &mut scratch, &mut out).expect("a resource");
    assert_eq!(mapped.manager, Some("E2"));
    assert!(String::from_utf8(out).expect("UTF-8").contains(r#""manager":{"value":"E2","#));
}
