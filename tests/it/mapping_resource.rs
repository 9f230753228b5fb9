//! The resource as a whole: order, lists, objects, extensions, managers, columns.

use scimport::domain::{ColumnKind, Row};
use scimport::mapping::{ColumnProblem, Literal, OnEmpty, RuleConfig, Scratch};
use scimport::scim::User;

use crate::mapping_support::{
    OwnedRow, apply, column, compile, config, config_with, constant, rest, template, text,
};

const CONTOSO: &str = "urn:ietf:params:scim:schemas:extension:contoso:1.0:User";

#[test]
fn members_stand_in_the_order_of_the_rfc_whatever_the_order_in_the_config() {
    let zebra = format!("{CONTOSO}:Zebra");
    let ant = format!("{CONTOSO}:Ant");
    let mut lines = vec![
        ("urn:a:b:X", column("A")),
        (zebra.as_str(), column("A")),
        (ant.as_str(), column("A")),
        ("enterprise:manager.displayName", column("A")),
        ("enterprise:manager", column("A")),
        ("enterprise:manager.$ref", column("A")),
        ("enterprise:department", column("A")),
        ("enterprise:employeeNumber", column("A")),
        ("addresses[type eq \"work\"].primary", constant(Literal::Boolean(true))),
        ("addresses[type eq \"work\"].country", column("A")),
        ("addresses[type eq \"work\"].formatted", column("A")),
        ("phoneNumbers[type eq \"mobile\"]", column("A")),
        ("phoneNumbers[type eq \"fax\"]", column("A")),
        ("phoneNumbers[type eq \"work\"]", column("A")),
        ("emails[type eq \"work\"].primary", constant(Literal::Boolean(true))),
        ("emails[type eq \"work\"].display", column("A")),
        ("emails[type eq \"work\"].value", column("A")),
        ("active", column("Active")),
        ("timezone", column("A")),
        ("title", column("A")),
        ("displayName", column("A")),
        ("name.givenName", column("A")),
        ("name.familyName", column("A")),
        ("name.formatted", column("A")),
        ("userName", column("A")),
        ("externalId", column("Id")),
    ];
    let written = apply(&config(&lines), &[("A", "a")]).expect("a resource");
    let expected = concat!(
        r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User","urn:a:b","urn:ietf:params:scim:schemas:extension:contoso:1.0:User"],"#,
        r#""externalId":"E1","userName":"a","name":{"formatted":"a","familyName":"a","givenName":"a"},"#,
        r#""displayName":"a","title":"a","timezone":"a","active":true,"#,
        r#""emails":[{"value":"a","display":"a","type":"work","primary":true}],"#,
        r#""phoneNumbers":[{"value":"a","type":"work"},{"value":"a","type":"fax"},{"value":"a","type":"mobile"}],"#,
        r#""addresses":[{"formatted":"a","country":"a","type":"work","primary":true}],"#,
        r#""urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"employeeNumber":"a","department":"a","manager":{"value":"a","$ref":"a","displayName":"a"}},"#,
        r#""urn:a:b":{"X":"a"},"#,
        r#""urn:ietf:params:scim:schemas:extension:contoso:1.0:User":{"Ant":"a","Zebra":"a"}}"#,
    );
    assert_eq!(written, expected);
    lines.reverse();
    assert_eq!(apply(&config(&lines), &[("A", "a")]).as_deref(), Ok(expected));
}

#[test]
fn an_entry_or_object_without_values_is_left_out() {
    let lines = config_with(&[
        ("name.givenName", column("A")),
        ("emails[type eq \"work\"].value", column("A")),
        ("emails[type eq \"work\"].primary", constant(Literal::Boolean(true))),
        ("phoneNumbers[type eq \"home\"]", column("A")),
        ("phoneNumbers[type eq \"work\"]", column("B")),
        ("enterprise:manager", column("A")),
        ("urn:contoso:employee:Grade", column("A")),
    ]);
    let resource = apply(&lines, &[("A", " "), ("B", "1")]).expect("a resource");
    assert_eq!(rest(&resource), r#","phoneNumbers":[{"value":"1","type":"work"}]"#);
    let resource = apply(&lines, &[("A", ""), ("B", "")]).expect("a resource");
    assert_eq!(rest(&resource), "");
}

#[test]
fn nothing_writes_primary_unasked_and_a_filter_writes_the_type() {
    let lines = config_with(&[("emails[type eq \"home\"]", column("A"))]);
    let resource = apply(&lines, &[("A", "a@x.example")]).expect("a resource");
    assert_eq!(rest(&resource), r#","emails":[{"value":"a@x.example","type":"home"}]"#);
}

#[test]
fn an_explicit_null_counts_as_a_value() {
    let null = || RuleConfig { on_empty: OnEmpty::Null, ..column("A") };
    let lines = config_with(&[
        ("name.givenName", null()),
        ("enterprise:department", null()),
        ("urn:contoso:employee:Grade", null()),
    ]);
    let resource = apply(&lines, &[("A", "")]).expect("a resource");
    assert!(resource.contains(r#""urn:contoso:employee"],"#), "{resource}");
    assert!(resource.contains(r#""name":{"givenName":null}"#), "{resource}");
    assert!(resource.ends_with(
        r#""urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"department":null},"urn:contoso:employee":{"Grade":null}}"#
    ));
}

#[test]
fn a_custom_urn_is_named_only_with_its_object() {
    let lines = config_with(&[("urn:a:b:X", column("A")), ("urn:a:c:X", column("B"))]);
    let read = |a, b| {
        let resource = apply(&lines, &[("A", a), ("B", b)]).expect("a resource");
        let user: User = serde_json::from_str(&resource).expect("a user");
        (user.schemas.len(), user.extensions.keys().cloned().collect::<Vec<_>>().join(" "))
    };
    assert_eq!(read("1", "2"), (4, "urn:a:b urn:a:c".to_owned()));
    assert_eq!(read("", "2"), (3, "urn:a:c".to_owned()));
    assert_eq!(read("", ""), (2, String::new()));
}

#[test]
fn planning_is_told_what_it_needs() {
    let mapping = compile(&config_with(&[
        ("userName", RuleConfig { case: Some(scimport::mapping::Case::Lower), ..column("U") }),
        ("enterprise:manager", column("M")),
    ]));
    let bound = mapping.bind(&["Id", "Active", "U", "M"]).expect("all columns");
    let (mut scratch, mut out) = (Scratch::new(), Vec::new());
    for (cells, user_name, manager) in [
        (["E1", "true", "ADA", "E0"], Some("ada"), Some("E0")),
        (["E2", "false", "", ""], None, None),
        (["E3", "true", "Bo", " E1 "], Some("bo"), Some("E1")),
    ] {
        let row = OwnedRow::new(&cells);
        assert_eq!(bound.external_id(&row.row(), &mut scratch), Ok(cells[0]));
        let mapped = bound.apply(&row.row(), &mut scratch, &mut out).expect("a resource");
        assert_eq!(mapped.external_id, cells[0]);
        assert_eq!(mapped.active, cells[1] == "true");
        assert_eq!((mapped.user_name, mapped.manager), (user_name, manager));
        assert!(mapped.warnings.is_empty());
        assert!(!format!("{mapped:?}").contains("ada"), "no names in `Debug`");
    }
}

#[test]
fn a_worker_who_is_their_own_manager_is_sent_without_one() {
    let mapping = compile(&config_with(&[
        ("enterprise:department", column("D")),
        ("enterprise:manager", column("M")),
        ("enterprise:manager.displayName", column("D")),
    ]));
    let bound = mapping.bind(&["Id", "Active", "M", "D"]).expect("all columns");
    let (mut scratch, mut out) = (Scratch::new(), Vec::new());
    let row = OwnedRow::new(&["E1", "true", " E1", "Sales"]);
    let mapped = bound.apply(&row.row(), &mut scratch, &mut out).expect("a resource");
    assert_eq!(mapped.manager, None);
    assert_eq!(mapped.warnings.len(), 1);
    assert_eq!(mapped.warnings[0].code, "mapping.own-manager");
    let resource = String::from_utf8(out).expect("UTF-8");
    assert!(resource.ends_with(r#"User":{"department":"Sales"}}"#), "{resource}");
    // The next row starts without the warning.
    let row = OwnedRow::new(&["E2", "true", "E1", "Sales"]);
    let mapped = bound.apply(&row.row(), &mut scratch, &mut Vec::new()).expect("a resource");
    assert_eq!((mapped.manager, mapped.warnings.len()), (Some("E1"), 0));
}

#[test]
fn a_failed_row_leaves_the_output_as_it_was() {
    let mapping = compile(&config_with(&[
        ("title", column("T")),
        ("urn:a:b:X", RuleConfig { required: true, ..column("X") }),
        ("enterprise:department", RuleConfig { max: Some(1), ..column("T") }),
    ]));
    let bound = mapping.bind(&["Id", "Active", "T", "X"]).expect("all columns");
    let mut scratch = Scratch::new();
    let mut out = b"before".to_vec();
    for cells in [["E1", "true", "T", ""], ["E1", "true", "TT", "x"], ["", "true", "T", "x"]] {
        assert!(bound.apply(&OwnedRow::new(&cells).row(), &mut scratch, &mut out).is_err());
        assert_eq!(out, b"before");
    }
    let row = OwnedRow::new(&["E1", "true", "T", "x"]);
    bound.apply(&row.row(), &mut scratch, &mut out).expect("a resource");
    assert!(out.starts_with(b"before{"));
}

#[test]
fn all_missing_and_repeated_columns_are_named() {
    let mapping = compile(&config_with(&[
        ("title", column(" Job Title ")),
        ("nickName", column("Nick")),
        ("displayName", template("{First} {Last}")),
        ("userType", RuleConfig { optional: true, ..column("Kind") }),
    ]));
    let problems = mapping
        .bind(&["IDs", "Job Title", "Nick", "Other", "Nick", "Other"])
        .err()
        .expect("problems");
    let missing = |column: &str, nearest: Option<&str>| ColumnProblem::Missing {
        column: column.to_owned(),
        nearest: nearest.map(ToOwned::to_owned),
    };
    assert_eq!(
        problems,
        [
            missing("Id", Some("IDs")),
            missing("Active", None),
            ColumnProblem::Repeated { column: "Nick".to_owned(), places: vec![3, 5] },
            missing("First", None),
            missing("Last", None),
        ]
    );
    assert_eq!(problems[2].to_string(), "column `Nick` is there 2 times, as columns 3, 5");
    assert!(mapping.bind(&["Id", "Active", "Job Title", "Nick", "First", "Last"]).is_ok());
}

#[test]
fn headers_are_found_whatever_their_blanks_case_and_width() {
    let mapping = compile(&config_with(&[("title", column("Job Title"))]));
    for header in ["job title", " JOB\u{a0}TITLE ", "Job\u{200b} Title", "Ｊob  Title"] {
        let bound = mapping.bind(&["ID", "active", header]).expect("all columns");
        let (mut scratch, mut out) = (Scratch::new(), Vec::new());
        let row = OwnedRow::new(&["E1", "true", "Clerk"]);
        bound.apply(&row.row(), &mut scratch, &mut out).expect("a resource");
        assert_eq!(rest(&String::from_utf8(out).expect("UTF-8")), r#","title":"Clerk""#);
    }
    let problems =
        mapping.bind(&["Id", "Active", "Job Title", "job title"]).err().expect("a problem");
    assert_eq!(problems[0].to_string(), "column `Job Title` is there 2 times, as columns 3, 4");
    assert!(mapping.bind(&["Id", "Active", "Job Title", "X", "x", "", ""]).is_ok());
    let unseen = compile(&config_with(&[("title", template("{\u{200b}}"))]));
    assert!(unseen.bind(&["Id", "Active", ""]).is_err(), "a column without a header is none");
}

#[test]
fn columns_are_told_what_they_are_read_as() {
    let dated = RuleConfig { date: vec!["%F".to_owned()], ..column("Hired") };
    let mapping = compile(&config_with(&[
        ("title", column("Id")),
        ("nickName", template("{Phone} {Name}")),
        ("phoneNumbers[type eq \"work\"]", column("Phone")),
        ("phoneNumbers[type eq \"work\"].display", column("Label")),
        ("enterprise:manager", template("{Prefix}{Boss}")),
        ("enterprise:manager.displayName", column("Name")),
        ("urn:contoso:employee:Hired", dated),
    ]));
    let kinds: Vec<_> =
        mapping.columns().iter().map(|used| (used.name.as_str(), used.kind)).collect();
    assert_eq!(
        kinds,
        [
            ("Id", ColumnKind::Id),
            ("Active", ColumnKind::Text),
            ("Phone", ColumnKind::Phone),
            ("Name", ColumnKind::Text),
            ("Label", ColumnKind::Text),
            ("Prefix", ColumnKind::Id),
            ("Boss", ColumnKind::Id),
            ("Hired", ColumnKind::Date),
        ]
    );
}

#[test]
fn an_optional_column_that_is_missing_is_an_empty_value() {
    let optional = RuleConfig { optional: true, ..column("Kind") };
    let lines = config_with(&[
        ("userType", RuleConfig { default: Some(text("Employee")), ..optional.clone() }),
        ("title", optional.clone()),
        ("nickName", RuleConfig { optional: true, ..template("{Nick} {Kind}") }),
    ]);
    let resource = apply(&lines, &[("Nick", "Al")]).expect("a resource");
    assert_eq!(rest(&resource), r#","nickName":"Al","userType":"Employee""#);
    let mapping = compile(&config_with(&[("title", optional), ("nickName", column("Kind"))]));
    let kind = mapping.columns().iter().find(|used| used.name == "Kind").expect("a column");
    assert!(!kind.optional, "one line needs it");
}

#[test]
fn a_row_without_the_cell_has_an_empty_one() {
    let mapping = compile(&config_with(&[("title", column("T"))]));
    let bound = mapping.bind(&["Id", "Active", "T"]).expect("all columns");
    let (mut scratch, mut out) = (Scratch::new(), Vec::new());
    let row = OwnedRow::new(&["E1", "true"]);
    bound.apply(&row.row(), &mut scratch, &mut out).expect("a resource");
    assert_eq!(rest(&String::from_utf8(out).expect("UTF-8")), "");
    let none: Row<'_> = Row::new("", &[], 2, None);
    let problem = bound.apply(&none, &mut scratch, &mut Vec::new()).expect_err("no id");
    assert_eq!(problem.code, "mapping.no-external-id");
}
