//! The rules of a mapping line, one sentence of the manual after the other.

use scimport::mapping::{Case, Literal, OnEmpty, Otherwise, RuleConfig, ValueType};

use crate::mapping_support::{
    apply, column, config, config_with, constant, mistakes, rest, template, text, title, words,
};

fn with(change: impl FnOnce(&mut RuleConfig)) -> RuleConfig {
    let mut rule = column("T");
    change(&mut rule);
    rule
}

#[expect(clippy::unnecessary_wraps, reason = "it stands for what `title` returns")]
fn ok(json: &str) -> Result<String, &'static str> {
    Ok(json.to_owned())
}

#[test]
fn blanks_and_no_break_spaces_are_trimmed_unless_told_otherwise() {
    assert_eq!(title(column("T"), " \t\u{a0}Clerk \u{202f}"), ok("\"Clerk\""));
    assert_eq!(title(with(|rule| rule.trim = false), " Clerk"), ok("\" Clerk\""));
}

#[test]
fn an_empty_cell_leaves_the_attribute_out() {
    assert_eq!(title(column("T"), ""), ok(""));
    assert_eq!(title(column("T"), " \u{a0} "), ok(""));
}

#[test]
fn empty_words_count_as_empty_after_trimming() {
    let rule = || with(|rule| rule.empty_words = vec!["N/A".to_owned(), "-".to_owned()]);
    assert_eq!(title(rule(), " N/A "), ok(""));
    assert_eq!(title(rule(), "-"), ok(""));
    assert_eq!(title(rule(), "n/a"), ok("\"n/a\""));
    assert_eq!(title(rule(), "--"), ok("\"--\""));
}

#[test]
fn an_empty_value_becomes_its_default_and_that_is_final() {
    let rule = || {
        with(|rule| {
            rule.default = Some(text("None Given"));
            rule.map = words(&[("a", text("Alpha"))]);
            rule.case = Some(Case::Upper);
            rule.max = Some(5);
        })
    };
    assert_eq!(title(rule(), " "), ok("\"None Given\""));
    assert_eq!(title(rule(), "A"), ok("\"ALPHA\""));
}

#[test]
fn a_required_value_that_is_empty_rejects_the_row() {
    assert_eq!(title(with(|rule| rule.required = true), " "), Err("mapping.required-empty"));
    let rule = with(|rule| {
        rule.required = true;
        rule.empty_words = vec!["-".to_owned()];
    });
    assert_eq!(title(rule, "-"), Err("mapping.required-empty"));
}

#[test]
fn an_empty_value_can_be_an_explicit_null() {
    assert_eq!(title(with(|rule| rule.on_empty = OnEmpty::Null), ""), ok("null"));
}

#[test]
fn a_lookup_ignores_case_and_blanks_beyond_ascii_too() {
    let rule = || with(|rule| rule.map = words(&[("Größe", text("size")), (" X ", text("ex"))]));
    assert_eq!(title(rule(), " GRÖSSE"), Err("mapping.unknown-word"));
    assert_eq!(title(rule(), " GRÖßE "), ok("\"size\""));
    assert_eq!(title(rule(), "x"), ok("\"ex\""));
}

#[test]
fn an_unknown_word_is_rejected_unless_otherwise_says_else() {
    let rule = |otherwise| {
        with(|rule| {
            rule.map = words(&[("a", text("Alpha"))]);
            rule.otherwise = otherwise;
            rule.max = Some(5);
        })
    };
    assert_eq!(title(rule(Otherwise::Reject), "b"), Err("mapping.unknown-word"));
    let word = Otherwise::Value(text("Something else"));
    assert_eq!(title(rule(word.clone()), "b"), ok("\"Something else\""), "final: no `max`");
    assert_eq!(title(rule(word), ""), ok(""), "an empty cell never reaches the table");
    assert_eq!(title(rule(Otherwise::Value(text(""))), "b"), ok(""), "an empty word is no value");
}

#[test]
fn what_the_table_gives_goes_through_the_rules_after_it() {
    let rule = with(|rule| {
        rule.map = words(&[("open", text("31.12.9999"))]);
        rule.date = vec!["%d.%m.%Y".to_owned()];
    });
    assert_eq!(title(rule, "OPEN"), ok("\"9999-12-31T00:00:00+01:00\""));
}

#[test]
fn a_date_is_written_with_time_and_offset() {
    let rule = || {
        with(|rule| {
            rule.date = vec!["%Y-%m-%d".to_owned(), "%d.%m.%Y".to_owned()];
            rule.time = Some("06:30".to_owned());
        })
    };
    assert_eq!(title(rule(), " 2026-07-01 "), ok("\"2026-07-01T06:30:00+02:00\""));
    assert_eq!(title(rule(), "1.12.2026"), ok("\"2026-12-01T06:30:00+01:00\""));
    assert_eq!(title(rule(), "45352"), ok("\"2024-03-01T06:30:00+01:00\""));
    assert_eq!(title(rule(), "31.02.2026"), Err("mapping.bad-date"));
    assert_eq!(title(rule(), ""), ok(""));
    let both = with(|rule| rule.date = vec!["%d/%m/%Y".to_owned(), "%m/%d/%Y".to_owned()]);
    assert_eq!(title(both, "01/02/2026"), Err("mapping.ambiguous-date"));
}

#[test]
fn letters_change_their_case() {
    for (case, expected) in [
        (Case::Lower, "\"mary-jane o'neil\""),
        (Case::Upper, "\"MARY-JANE O'NEIL\""),
        (Case::Title, "\"Mary-Jane O'Neil\""),
    ] {
        assert_eq!(title(with(|rule| rule.case = Some(case)), "mary-JANE o'neil"), ok(expected));
    }
}

#[test]
fn a_text_longer_than_max_characters_rejects_the_row() {
    let rule = || with(|rule| rule.max = Some(3));
    assert_eq!(title(rule(), "äöü"), ok("\"äöü\""));
    assert_eq!(title(rule(), "äöüß"), Err("mapping.too-long"));
    let upper = with(|rule| {
        rule.max = Some(3);
        rule.case = Some(Case::Upper);
    });
    assert_eq!(title(upper, "aaß"), Err("mapping.too-long"), "`max` comes after `case`");
}

#[test]
fn values_go_as_strings() {
    assert_eq!(title(column("T"), "00123"), ok("\"00123\""));
    assert_eq!(title(column("T"), "true"), ok("\"true\""));
    assert_eq!(title(constant(Literal::Integer(8)), ""), ok("\"8\""));
    assert_eq!(title(constant(Literal::Boolean(true)), ""), ok("\"true\""));
}

#[test]
fn leading_zeros_that_a_spreadsheet_ate_come_back() {
    let rule = || with(|rule| rule.pad = Some(6));
    for (cell, json) in [
        ("4711", "\"004711\""),
        (" 4711 ", "\"004711\""),
        ("1234567", "\"1234567\""),
        ("47-11", "\"47-11\""),
        ("A4711", "\"A4711\""),
        ("", ""),
    ] {
        assert_eq!(title(rule(), cell), ok(json));
    }
    let table = with(|rule| {
        rule.pad = Some(3);
        rule.map = words(&[("007", text("Agent"))]);
    });
    assert_eq!(title(table, "7"), ok("\"Agent\""), "`pad` comes before `map`");
    let id = RuleConfig { pad: Some(4), ..column("Id") };
    let lines = config(&[("externalId", id), ("active", column("Active"))]);
    let resource = apply(&lines, &[("Id", "42")]).expect("a resource");
    assert!(resource.contains(r#""externalId":"0042""#), "{resource}");
}

#[test]
fn diacritics_are_folded_after_the_case_is_changed() {
    let rule = |case| {
        with(|rule| {
            rule.case = case;
            rule.ascii = true;
            rule.max = Some(5);
        })
    };
    assert_eq!(title(rule(None), "Zoë"), ok("\"Zoe\""));
    assert_eq!(title(rule(Some(Case::Lower)), "ÉLÉNA"), ok("\"elena\""));
    assert_eq!(title(rule(None), "plain"), ok("\"plain\""));
    assert_eq!(title(rule(None), "ßßß"), Err("mapping.too-long"), "`max` comes after `ascii`");
}

#[test]
fn a_longer_value_is_cut_where_that_is_asked_for() {
    let rule = |trim| {
        with(|rule| {
            rule.trim = trim;
            rule.max = Some(5);
            rule.truncate = true;
        })
    };
    assert_eq!(title(rule(true), "Head of Sales"), ok("\"Head\""));
    assert_eq!(title(rule(false), "Head of Sales"), ok("\"Head \""));
    assert_eq!(title(rule(true), "äöüßé!"), ok("\"äöüßé\""));
    assert_eq!(title(rule(true), "short"), ok("\"short\""));
    let table = with(|rule| {
        rule.map = words(&[("h", text("Head of Sales"))]);
        rule.max = Some(4);
        rule.truncate = true;
    });
    assert_eq!(title(table, "H"), ok("\"Head\""));
}

const GRADE: &str = "urn:contoso:employee:Grade";

/// What one rule on a custom attribute makes of the cell `T`.
fn grade(rule: RuleConfig, cell: &str) -> Result<String, &'static str> {
    let resource = apply(&config_with(&[(GRADE, rule)]), &[("T", cell)]);
    resource
        .map(|resource| {
            let (_, value) = resource.split_once(r#""Grade":"#).unwrap_or(("", "}}"));
            value.trim_end_matches('}').to_owned()
        })
        .map_err(|problem| problem.code)
}

#[test]
fn a_whole_number_is_written_as_a_number() {
    let rule = || with(|rule| rule.kind = Some(ValueType::Integer));
    for (cell, json) in [(" 7 ", "7"), ("-12", "-12"), ("0", "0"), ("", "")] {
        assert_eq!(grade(rule(), cell), ok(json));
    }
    for cell in ["+7", "007", "-0", "7.0", "7,0", "1 000", "7a", "1E3", "9223372036854775808"] {
        assert_eq!(grade(rule(), cell), Err("mapping.not-integer"), "for {cell}");
    }
    let table = with(|rule| {
        rule.kind = Some(ValueType::Integer);
        rule.map = words(&[("low", Literal::Integer(1)), ("high", text("9"))]);
        rule.default = Some(Literal::Integer(0));
        rule.otherwise = Otherwise::Value(Literal::Integer(-1));
    });
    for (cell, json) in [("Low", "1"), ("HIGH", "9"), ("", "0"), ("else", "-1")] {
        assert_eq!(grade(table.clone(), cell), ok(json));
    }
    let number = RuleConfig { kind: Some(ValueType::Integer), ..constant(Literal::Integer(5)) };
    assert_eq!(grade(number, ""), ok("5"));
}

#[test]
fn a_custom_boolean_is_written_as_a_boolean() {
    let rule = || with(|rule| rule.kind = Some(ValueType::Boolean));
    for (cell, json) in [("TRUE", "true"), (" False", "false"), ("", "")] {
        assert_eq!(grade(rule(), cell), ok(json));
    }
    assert_eq!(grade(rule(), "1"), Err("mapping.not-boolean"));
    let table = with(|rule| {
        rule.kind = Some(ValueType::Boolean);
        rule.map = words(&[("J", Literal::Boolean(true)), ("N", Literal::Boolean(false))]);
    });
    assert_eq!(grade(table.clone(), "j"), ok("true"));
    assert_eq!(grade(table, "?"), Err("mapping.unknown-word"));
}

#[test]
fn what_json_cannot_hold_is_escaped() {
    assert_eq!(title(column("T"), "a\"b\\c\nd\u{1}é😀"), ok(r#""a\"b\\c\nd\u0001é😀""#));
}

#[test]
fn a_template_joins_columns_and_closes_gaps() {
    let lines = [("title", template("{A} {B}, {C}"))];
    let made = |a: &str, b: &str, c: &str| {
        let cells = [("A", a), ("B", b), ("C", c)];
        rest(&apply(&config_with(&lines), &cells).expect("a resource"))
    };
    assert_eq!(made("Ada", "M.", "Sales"), r#","title":"Ada M., Sales""#);
    assert_eq!(made(" Ada ", "", "x  y"), r#","title":"Ada , x y""#);
    assert_eq!(made("", "", "Sales"), r#","title":", Sales""#);
    assert_eq!(made("", " \u{a0}", ""), "", "all columns empty is empty");
}

#[test]
fn the_rules_apply_to_what_a_template_makes() {
    let rule = RuleConfig { case: Some(Case::Lower), max: Some(5), ..template("{T}.{T}") };
    assert_eq!(title(rule.clone(), "AB"), ok("\"ab.ab\""));
    assert_eq!(title(rule, "ABC"), Err("mapping.too-long"));
    let rule = RuleConfig { empty_words: vec!["-".to_owned()], required: true, ..template("{T}!") };
    assert_eq!(title(rule, "-"), Err("mapping.required-empty"));
}

#[test]
fn active_is_a_boolean_and_nothing_else() {
    let plain = config_with(&[]);
    for (cell, json) in [("TRUE", "true"), (" False ", "false")] {
        let resource = apply(&plain, &[("Active", cell)]).expect("a resource");
        assert!(resource.ends_with(&format!(r#""active":{json}}}"#)), "{resource}");
    }
    for (cell, code) in [
        ("1", "mapping.not-boolean"),
        ("Active", "mapping.not-boolean"),
        (" ", "mapping.required-empty"),
    ] {
        assert_eq!(apply(&plain, &[("Active", cell)]).expect_err(cell).code, code);
    }
}

#[test]
fn a_status_word_becomes_active_by_a_table() {
    let status = RuleConfig {
        map: words(&[("Active", Literal::Boolean(true)), ("Inactive", Literal::Boolean(false))]),
        ..column("Active")
    };
    let lines = config(&[("externalId", column("Id")), ("active", status.clone())]);
    let code = |cell: &str| apply(&lines, &[("Active", cell)]).map_err(|problem| problem.code);
    assert!(code("ACTIVE ").expect("known").contains("true"));
    assert_eq!(code("Y"), Err("mapping.unknown-word"));
    assert_eq!(code("true"), Err("mapping.unknown-word"));
    assert_eq!(code(""), Err("mapping.required-empty"));
    let lenient = RuleConfig { otherwise: Otherwise::Value(Literal::Boolean(false)), ..status };
    let lines = config(&[("externalId", column("Id")), ("active", lenient)]);
    assert!(apply(&lines, &[("Active", "Y")]).expect("otherwise").contains("\"active\":false"));
    assert_eq!(
        apply(&lines, &[("Active", "")]).expect_err("empty").code,
        "mapping.required-empty",
        "`otherwise` is not for empty cells"
    );
}

#[test]
fn an_external_id_must_be_usable() {
    let plain = config_with(&[]);
    for (cell, code) in [
        (" ", "mapping.no-external-id"),
        ("a\tb", "mapping.control-character"),
        (&"x".repeat(257), "mapping.too-long"),
    ] {
        let problem = apply(&plain, &[("Id", cell)]).expect_err("no id");
        assert_eq!(problem.code, code);
        assert_eq!(problem.column.as_deref(), Some("Id"));
    }
}

#[test]
fn a_problem_names_column_attribute_and_rule_and_never_the_value() {
    let lines =
        config_with(&[("enterprise:department", RuleConfig { max: Some(3), ..column("D") })]);
    let problem = apply(&lines, &[("D", "Confidential")]).expect_err("too long");
    assert_eq!(problem.code, "mapping.too-long");
    assert_eq!(problem.column.as_deref(), Some("D"));
    assert_eq!(
        problem.attribute.as_deref(),
        Some("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department")
    );
    assert!(problem.message.contains("12") && problem.message.contains('3'));
    assert!(!format!("{problem:?}").contains("Confidential"));
}

#[test]
fn contradictions_are_found_before_any_row() {
    let rule = with(|rule| {
        rule.map = words(&[("a", text("much too long"))]);
        rule.max = Some(3);
    });
    let found = mistakes(&config_with(&[("title", rule)]));
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].key, Some("map"));
}
