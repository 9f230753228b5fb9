//! Every mistake of a mapping, found before any row; and what its fingerprint stands for.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a helper that fails, fails its test"
)]

use jiff::tz::TimeZone;
use scimport::mapping::{
    Case, Literal, Mapping, MappingConfig, MappingProblem, OnEmpty, Otherwise, RuleConfig,
    ValueType,
};

use crate::mapping_support::{
    berlin, column, compile, config, config_with, constant, mistakes, template, text, words,
};

/// Path and key of every mistake.
fn places(problems: &[MappingProblem]) -> Vec<(&str, Option<&str>)> {
    problems.iter().map(|problem| (problem.path.as_str(), problem.key)).collect()
}

fn only(path: &str, rule: RuleConfig) -> Option<&'static str> {
    let lines = if path == "active" {
        config(&[("externalId", column("Id")), (path, rule)])
    } else if path == "externalId" {
        config(&[(path, rule), ("active", column("Active"))])
    } else {
        config_with(&[(path, rule)])
    };
    let problems = mistakes(&lines);
    assert_eq!(problems.len(), 1, "{problems:#?}");
    assert_eq!(problems[0].path, path);
    problems[0].key
}

#[test]
fn all_mistakes_are_reported_at_once() {
    let problems = mistakes(&config(&[
        ("username", column("U")),
        ("emails", column("E")),
        (
            "title",
            RuleConfig { max: Some(0), required: true, default: Some(text("x")), ..column("T") },
        ),
        ("password", column("P")),
    ]));
    assert_eq!(
        places(&problems),
        [
            ("username", None),
            ("emails", None),
            ("title", Some("default")),
            ("title", Some("max")),
            ("password", None),
            ("externalId", None),
            ("active", None),
        ]
    );
    assert_eq!(problems[0].hint.as_deref(), Some("did you mean `userName`?"));
    assert_eq!(problems[1].hint.as_deref(), Some("did you mean `emails[type eq \"work\"].value`?"));
}

#[test]
fn a_mistyped_needed_attribute_is_one_mistake() {
    let problems = mistakes(&config(&[("ExternalId", column("Id")), ("Active", column("Active"))]));
    assert_eq!(places(&problems), [("ExternalId", None), ("Active", None)]);
}

#[test]
fn two_lines_for_one_attribute_are_a_mistake_in_any_notation() {
    let problems = mistakes(&config_with(&[
        ("enterprise:manager", column("M")),
        ("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value", column("N")),
    ]));
    assert_eq!(problems.len(), 1);
    assert!(problems[0].message.contains("`enterprise:manager`"), "{}", problems[0]);
}

#[test]
fn an_external_id_is_never_the_same_for_everybody() {
    let table = words(&[("a", text("b"))]);
    for (rule, key) in [
        (constant(text("E1")), "const"),
        (RuleConfig { default: Some(text("E1")), ..column("Id") }, "default"),
        (RuleConfig { optional: true, ..column("Id") }, "optional"),
        (RuleConfig { on_empty: OnEmpty::Null, ..column("Id") }, "on_empty"),
        (
            RuleConfig { map: table, otherwise: Otherwise::Value(text("E1")), ..column("Id") },
            "otherwise",
        ),
    ] {
        assert_eq!(only("externalId", rule), Some(key));
    }
}

#[test]
fn active_must_be_able_to_be_a_boolean() {
    let boolean = || words(&[("A", Literal::Boolean(true))]);
    for (rule, key) in [
        (constant(text("true")), "const"),
        (RuleConfig { map: words(&[("A", text("true"))]), ..column("S") }, "map"),
        (RuleConfig { map: words(&[("A", Literal::Integer(1))]), ..column("S") }, "map"),
        (RuleConfig { default: Some(Literal::Boolean(true)), ..column("S") }, "default"),
        (RuleConfig { optional: true, ..column("S") }, "optional"),
        (RuleConfig { on_empty: OnEmpty::Null, ..column("S") }, "on_empty"),
        (RuleConfig { case: Some(Case::Lower), ..column("S") }, "case"),
        (
            RuleConfig { map: boolean(), otherwise: Otherwise::Value(text("no")), ..column("S") },
            "otherwise",
        ),
    ] {
        assert_eq!(only("active", rule), Some(key));
    }
    compile(&config(&[("externalId", column("Id")), ("active", constant(Literal::Boolean(true)))]));
}

#[test]
fn null_is_refused_where_it_cannot_clear() {
    for path in [
        "userName",
        "enterprise:manager",
        "enterprise:manager.displayName",
        "emails[type eq \"work\"]",
    ] {
        let rule = RuleConfig { on_empty: OnEmpty::Null, ..column("A") };
        let config = if path.ends_with("displayName") {
            config_with(&[("enterprise:manager", column("M")), (path, rule)])
        } else {
            config_with(&[(path, rule)])
        };
        assert_eq!(places(&mistakes(&config)), [(path, Some("on_empty"))]);
    }
}

#[test]
fn rules_that_exclude_each_other_are_found() {
    for (rule, key) in [
        (RuleConfig { required: true, optional: true, ..column("T") }, "optional"),
        (RuleConfig { required: true, on_empty: OnEmpty::Null, ..column("T") }, "on_empty"),
        (RuleConfig { otherwise: Otherwise::Value(text("x")), ..column("T") }, "otherwise"),
        (RuleConfig { map: Some(Vec::new()), ..column("T") }, "map"),
        (
            RuleConfig {
                map: words(&[("Größe", text("a")), (" GRÖßE", text("b"))]),
                ..column("T")
            },
            "map",
        ),
        (RuleConfig { map: words(&[(" ", text("a"))]), ..column("T") }, "map"),
        (RuleConfig { time: Some("09:00".to_owned()), ..column("T") }, "time"),
        (
            RuleConfig { case: Some(Case::Lower), date: vec!["%F".to_owned()], ..column("T") },
            "case",
        ),
        (RuleConfig { max: Some(0), ..column("T") }, "max"),
        (RuleConfig { max: Some(5), ..constant(text("a")) }, "max"),
        (RuleConfig { trim: false, ..constant(text("a")) }, "trim"),
        (constant(text("")), "const"),
        (column(" "), "from"),
    ] {
        assert_eq!(only("title", rule), Some(key));
    }
}

#[test]
fn rules_about_digits_length_and_type_are_checked() {
    let integer = Some(ValueType::Integer);
    let boolean = Some(ValueType::Boolean);
    let date = || vec!["%F".to_owned()];
    for (path, rule, key) in [
        ("title", RuleConfig { truncate: true, ..column("T") }, "truncate"),
        (
            "title",
            RuleConfig { truncate: true, max: Some(30), date: date(), ..column("T") },
            "truncate",
        ),
        ("title", RuleConfig { pad: Some(4), date: date(), ..column("T") }, "pad"),
        ("title", RuleConfig { pad: Some(0), ..column("T") }, "pad"),
        ("title", RuleConfig { pad: Some(257), ..column("T") }, "pad"),
        ("title", RuleConfig { pad: Some(8), max: Some(6), ..column("T") }, "pad"),
        ("title", RuleConfig { pad: Some(8), ..constant(text("1")) }, "pad"),
        ("title", RuleConfig { ascii: true, ..constant(text("1")) }, "ascii"),
        ("title", RuleConfig { ascii: true, date: date(), ..column("T") }, "ascii"),
        ("title", RuleConfig { kind: integer, ..column("T") }, "type"),
        ("title", RuleConfig { kind: boolean, ..column("T") }, "type"),
        ("userName", RuleConfig { kind: integer, ..column("T") }, "type"),
        ("enterprise:manager", RuleConfig { kind: integer, ..column("T") }, "type"),
        ("emails[type eq \"work\"]", RuleConfig { kind: boolean, ..column("T") }, "type"),
        ("externalId", RuleConfig { kind: integer, ..column("T") }, "type"),
        ("externalId", RuleConfig { max: Some(5), truncate: true, ..column("T") }, "truncate"),
        (
            "enterprise:manager",
            RuleConfig { max: Some(5), truncate: true, ..column("T") },
            "truncate",
        ),
        ("active", RuleConfig { kind: integer, ..column("T") }, "type"),
        ("active", RuleConfig { pad: Some(5), ..column("T") }, "pad"),
        ("active", RuleConfig { ascii: true, ..column("T") }, "ascii"),
        ("urn:a:b:X", RuleConfig { kind: integer, ascii: true, ..column("T") }, "ascii"),
        ("urn:a:b:X", RuleConfig { kind: integer, date: date(), ..column("T") }, "date"),
        ("urn:a:b:X", RuleConfig { kind: integer, pad: Some(3), ..column("T") }, "pad"),
        ("urn:a:b:X", RuleConfig { kind: boolean, max: Some(3), ..column("T") }, "max"),
        ("urn:a:b:X", RuleConfig { kind: integer, case: Some(Case::Lower), ..column("T") }, "case"),
        (
            "urn:a:b:X",
            RuleConfig { kind: integer, default: Some(text("1")), ..column("T") },
            "default",
        ),
        ("urn:a:b:X", RuleConfig { kind: integer, ..constant(text("1")) }, "const"),
        (
            "urn:a:b:X",
            RuleConfig { kind: integer, map: words(&[("a", text("1.5"))]), ..column("T") },
            "map",
        ),
        (
            "urn:a:b:X",
            RuleConfig { kind: boolean, map: words(&[("a", text("yes"))]), ..column("T") },
            "map",
        ),
    ] {
        assert_eq!(only(path, rule), Some(key), "for {path}");
    }
    compile(&config(&[
        ("externalId", column("Id")),
        ("active", RuleConfig { kind: boolean, ..column("Active") }),
        ("urn:a:b:X", RuleConfig { kind: integer, max: Some(3), ..column("T") }),
    ]));
}

#[test]
fn templates_and_dates_are_checked() {
    for broken in ["{A", "{} x", "{ }", "no column", "{{A}}"] {
        assert_eq!(only("title", template(broken)), Some("template"), "for {broken}");
    }
    for format in ["%d.%m.%y", "%Y-%m", "%Y-%m-%d %q", "dd.mm.yyyy"] {
        let rule = RuleConfig { date: vec![format.to_owned()], ..column("T") };
        assert_eq!(only("title", rule), Some("date"), "for {format}");
    }
    for time in ["9:00", "24:00", "noon"] {
        let date = vec!["%F".to_owned()];
        let rule = RuleConfig { date, time: Some(time.to_owned()), ..column("T") };
        assert_eq!(only("title", rule), Some("time"), "for {time}");
    }
    let dated =
        config_with(&[("title", RuleConfig { date: vec!["%F".to_owned()], ..column("T") })]);
    let problems = Mapping::compile(&dated, None).expect_err("no time zone");
    assert_eq!(places(&problems), [("title", Some("date"))]);
    assert!(problems[0].hint.as_deref().is_some_and(|hint| hint.contains("time_zone")));
}

#[test]
fn what_entra_will_not_do_is_warned_of() {
    let status = RuleConfig {
        map: words(&[("A", Literal::Boolean(true))]),
        otherwise: Otherwise::Value(Literal::Boolean(false)),
        ..column("S")
    };
    let mapping = compile(&config(&[
        ("externalId", column("Id")),
        ("active", status),
        ("phoneNumbers[type eq \"mobile\"]", column("P")),
        ("photos[type eq \"work\"]", column("P")),
        ("emails[type eq \"work\"].primary", constant(Literal::Boolean(true))),
        ("enterprise:manager.displayName", column("P")),
        ("title", constant(Literal::Integer(7))),
    ]));
    assert_eq!(
        places(mapping.warnings()),
        [
            ("userName", None),
            ("active", Some("otherwise")),
            ("phoneNumbers[type eq \"mobile\"]", None),
            ("photos[type eq \"work\"]", None),
            ("emails[type eq \"work\"].primary", None),
            ("enterprise:manager.displayName", None),
            ("title", Some("const")),
        ]
    );
    let good = config_with(&[
        ("userName", column("U")),
        ("emails[type eq \"work\"].value", column("E")),
        ("enterprise:manager", column("M")),
    ]);
    assert!(compile(&good).warnings().is_empty());
}

/// Lines with something of everything that a fingerprint must notice.
fn everything() -> Vec<(&'static str, RuleConfig)> {
    let status = RuleConfig {
        map: words(&[("A", Literal::Boolean(true)), ("I", Literal::Boolean(false))]),
        ..column("S")
    };
    vec![
        ("externalId", column("Id")),
        ("active", status),
        ("displayName", template("{First} {Last}")),
        ("title", RuleConfig { case: Some(Case::Lower), max: Some(9), ..column("T") }),
        (
            "nickName",
            RuleConfig { empty_words: vec!["-".to_owned(), "x".to_owned()], ..column("N") },
        ),
        ("userType", RuleConfig { default: Some(text("Employee")), ..column("K") }),
        ("locale", constant(text("de-DE"))),
        (
            "urn:contoso:employee:HireDate",
            RuleConfig { date: vec!["%F".to_owned(), "%d.%m.%Y".to_owned()], ..column("H") },
        ),
        ("urn:contoso:employee:Grade", column("G")),
    ]
}

fn fingerprint(lines: &[(&str, RuleConfig)], zone: &TimeZone) -> [u8; 16] {
    let config: MappingConfig = config(lines);
    Mapping::compile(&config, Some(zone)).expect("compiles").fingerprint()
}

#[test]
fn order_does_not_change_the_fingerprint() {
    let lines = everything();
    let print = fingerprint(&lines, &berlin());
    let mut other = lines.clone();
    other.reverse();
    for (_, rule) in &mut other {
        rule.date.reverse();
        rule.empty_words.reverse();
        rule.map.iter_mut().for_each(|table| table.reverse());
    }
    assert_eq!(fingerprint(&other, &berlin()), print);
    let mut same = lines.clone();
    same[7].1.time = Some("00:00".to_owned());
    same[3].1.optional = true;
    assert_eq!(fingerprint(&same, &berlin()), print, "what changes no byte does not count");
}

type Change = fn(&mut Vec<(&'static str, RuleConfig)>);

#[test]
fn everything_that_could_change_a_byte_changes_the_fingerprint() {
    let mut prints = vec![fingerprint(&everything(), &berlin())];
    let utc = TimeZone::UTC;
    prints.push(fingerprint(&everything(), &utc));
    let changes: [Change; 19] = [
        |lines| lines[0].1 = column("Id2"),
        |lines| lines[1].1.map = words(&[("A", Literal::Boolean(true))]),
        |lines| lines[1].1.otherwise = Otherwise::Value(Literal::Boolean(false)),
        |lines| lines[2].1 = template("{First}{Last}"),
        |lines| lines[2].1 = template("{Last} {First}"),
        |lines| lines[3].1.case = Some(Case::Upper),
        |lines| lines[3].1.max = Some(8),
        |lines| lines[3].1.truncate = true,
        |lines| lines[3].1.ascii = true,
        |lines| lines[4].1.pad = Some(4),
        |lines| lines[8].1.kind = Some(ValueType::Integer),
        |lines| lines[3].1.trim = false,
        |lines| lines[3].1.required = true,
        |lines| lines[3].1.on_empty = OnEmpty::Null,
        |lines| lines[4].1.empty_words.push("y".to_owned()),
        |lines| lines[5].1.default = Some(text("Worker")),
        |lines| lines[6].1 = constant(text("de-AT")),
        |lines| lines[7].1.time = Some("09:00".to_owned()),
        |lines| {
            lines.pop();
        },
    ];
    for change in changes {
        let mut lines = everything();
        change(&mut lines);
        prints.push(fingerprint(&lines, &berlin()));
    }
    let mut unique = prints.clone();
    unique.sort_unstable();
    unique.dedup();
    assert_eq!(unique.len(), prints.len());
    let dateless = &everything()[..7];
    assert_eq!(fingerprint(dateless, &berlin()), fingerprint(dateless, &utc));
}
