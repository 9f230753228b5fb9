//! Expressions in a mapping: what they give attributes, which rows count, and what the mapping knows
//! of them.

#![expect(clippy::expect_used, reason = "a helper that fails, fails its test")]

use jiff::civil::{Date, date};
use scimport::domain::{CellFault, CellMark, ColumnKind, Mark, RecordProblem, Row};
use scimport::mapping::{
    ByConfig, Case, Mapping, MappingConfig, OnEmpty, RuleConfig, Scratch, Standing, ValueSource,
    ValueType,
};

use crate::mapping_support::{
    OwnedRow, apply, compile, config, config_with, mistakes, rest, text, title, words,
};

fn expr(text: &str) -> RuleConfig {
    RuleConfig::new(ValueSource::Expression(text.to_owned()))
}

#[test]
fn an_expression_gives_an_attribute_its_value() {
    let lines = [
        ("title", expr("Join(\" - \", JobTitle, Grade)")),
        ("displayName", expr("First + \" \" + Last")),
        ("userName", expr("ToLower(Left(First, 1) + Last) + \"@contoso.com\"")),
        ("enterprise:division", expr("{\"DE\": \"Germany\"}[Country]")),
        ("name.familyName", expr("Last")),
    ];
    let resource = apply(
        &config_with(&lines),
        &[
            ("JobTitle", " Engineer "),
            ("Grade", ""),
            ("First", "Zoë"),
            ("Last", "Müller"),
            ("Country", "DE"),
        ],
    )
    .expect("a user");
    assert_eq!(
        rest(&resource),
        r#","userName":"zmüller@contoso.com","name":{"familyName":"Müller"},"displayName":"Zoë Müller","title":"Engineer","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"division":"Germany"}"#
    );
}

#[test]
fn the_other_rules_come_after_the_expression() {
    let rule = |text| RuleConfig { case: Some(Case::Upper), max: Some(3), ..expr(text) };
    assert_eq!(title(rule("T"), "abc").as_deref(), Ok(r#""ABC""#));
    assert_eq!(title(rule("T + \"x\""), "abc"), Err("mapping.too-long"));
    assert_eq!(title(rule("T + \" \""), " abc ").as_deref(), Ok(r#""ABC""#));
    let mapped = RuleConfig { map: words(&[("ab", text("x"))]), ..expr("Left(T, 2)") };
    assert_eq!(title(mapped.clone(), "ABC").as_deref(), Ok(r#""x""#));
    assert_eq!(title(mapped, "zzz"), Err("mapping.unknown-word"));
    let default = RuleConfig { default: Some(text("none")), ..expr("Coalesce(T, null)") };
    assert_eq!(title(default, "").as_deref(), Ok(r#""none""#));
    let required = RuleConfig { required: true, ..expr("T == \"\" ? null : T") };
    assert_eq!(title(required, ""), Err("mapping.required-empty"));
    let words =
        RuleConfig { empty_words: vec!["-".to_owned()], ..expr("IsPresent(T) ? T : \"?\"") };
    assert_eq!(title(words, "-").as_deref(), Ok(r#""?""#));
}

#[test]
fn a_date_rule_reads_what_an_expression_gives() {
    let urn = "urn:contoso:1.0:User:Hired";
    let hired =
        RuleConfig { date: vec!["%d.%m.%Y".to_owned()], ..expr("Coalesce(Rehired, Hired)") };
    let given = [("Hired", "01.02.2020"), ("Rehired", "")];
    let resource = apply(&config_with(&[(urn, hired.clone())]), &given).expect("a user");
    assert!(resource.contains(r#""Hired":"2020-02-01T00:00:00+01:00""#), "{resource}");
    let mapping = compile(&config_with(&[(urn, hired)]));
    let kinds: Vec<_> = mapping.columns().iter().skip(2).map(|used| used.kind).collect();
    assert_eq!(kinds, [ColumnKind::Date, ColumnKind::Date]);
}

#[test]
fn truth_and_numbers_keep_their_type_where_the_attribute_has_it() {
    let lines = |rule: RuleConfig| config(&[("externalId", expr("ToUpper(Id)")), ("active", rule)]);
    let active = |rule: RuleConfig, cell: &str| {
        apply(&lines(rule), &[("Id", "e1"), ("Active", cell)]).map_err(|problem| problem.code)
    };
    let truth = || expr("Active in [\"A\", \"L\"]");
    assert!(active(truth(), "A").expect("a user").contains(r#""active":true"#));
    assert!(active(truth(), "X").expect("a user").contains(r#""active":false"#));
    assert!(active(truth(), "A").expect("a user").contains(r#""externalId":"E1""#));
    assert_eq!(active(expr("null"), "A"), Err("mapping.required-empty"));
    assert_eq!(active(expr("IgnoreFlowIfNullOrEmpty(null)"), "A"), Err("mapping.required-empty"));
    assert_eq!(active(expr("Active + \"!\""), "A"), Err("mapping.not-boolean"));
    // in a text they are text
    assert_eq!(title(expr("T == \"x\""), "x").as_deref(), Ok(r#""true""#));
    assert_eq!(title(expr("Len(T)"), "xyz").as_deref(), Ok(r#""3""#));
    let number = RuleConfig { kind: Some(ValueType::Integer), ..expr("Len(T)") };
    let resource = apply(&config_with(&[("urn:contoso:1.0:User:Length", number)]), &[("T", "xyz")]);
    assert!(resource.expect("a user").contains(r#""Length":3"#));
}

#[test]
fn ignore_flow_leaves_the_attribute_out() {
    assert_eq!(title(expr("IgnoreFlowIfNullOrEmpty(T)"), "").as_deref(), Ok(""));
    assert_eq!(title(expr("IgnoreFlowIfNullOrEmpty(T)"), "x").as_deref(), Ok(r#""x""#));
    let null = RuleConfig { on_empty: OnEmpty::Null, ..expr("T + \"\"") };
    assert_eq!(title(null, "").as_deref(), Ok("null"));
    for rule in [
        RuleConfig { on_empty: OnEmpty::Null, ..expr("IgnoreFlowIfNullOrEmpty(T)") },
        RuleConfig { default: Some(text("x")), ..expr("IgnoreFlowIfNullOrEmpty(T)") },
    ] {
        let problems = mistakes(&config_with(&[("title", rule)]));
        assert_eq!(problems.len(), 1);
        assert_eq!(problems[0].key, Some("expr"));
    }
}

#[test]
fn a_row_without_a_value_is_rejected_and_the_problem_names_the_function_alone() {
    let secret = "Confidential";
    let problem =
        apply(&config_with(&[("title", expr("CDate(T)"))]), &[("T", secret)]).expect_err("no date");
    assert_eq!(problem.code, "mapping.expression");
    assert_eq!(problem.attribute.as_deref(), Some("title"));
    assert_eq!(
        problem.message,
        "the expression of `title` has no value for this row: `CDate` was given something that is \
         no date it can read"
    );
    assert_eq!(title(expr("{\"a\": T}"), "x"), Err("mapping.expression"));
    assert_eq!(title(expr("Coalesce(Split(T, \",\"), T)"), "x,y"), Err("mapping.expression"));
    for text in ["int(T)", "bool(T)", "{\"a\": \"b\"}[T]", "Left(T, T)", "[1][int(T)]"] {
        let problem =
            apply(&config_with(&[("title", expr(text))]), &[("T", secret)]).expect_err(text);
        let told = format!("{problem:?}");
        assert!(!told.contains(secret), "{told}");
    }
}

#[test]
fn mistakes_point_into_the_expression() {
    let problems = mistakes(&config_with(&[("title", expr("Join(\" \", T, join(T))"))]));
    assert_eq!(problems.len(), 1);
    assert_eq!(
        problems[0].to_string(),
        "`title`, `expr`: at character 14: unknown function `join`"
    );
    assert_eq!(problems[0].hint.as_deref(), Some("did you mean `Join`?"));
    assert_eq!(problems[0].place(), "mapping.title.expr");
    let list = mistakes(&config_with(&[("title", expr("Split(T, \";\")"))]));
    assert!(list[0].message.contains("it gives a list"), "{}", list[0]);
    let same =
        mistakes(&config(&[("externalId", expr("\"everybody\"")), ("active", expr("A == \"x\""))]));
    assert_eq!(same.len(), 1, "{same:#?}");
}

#[test]
fn columns_of_expressions_are_columns_of_the_mapping() {
    let optional = RuleConfig { optional: true, ..expr("Coalesce(row[\" Nick Name \"], First)") };
    let lines = [
        ("externalId", expr("Left(Id, 5)")),
        ("active", expr("Status == \"A\"")),
        ("title", optional),
    ];
    let mapping =
        compile(&MappingConfig { scope: Some("Kind != \"C\"".to_owned()), ..config(&lines) });
    let columns: Vec<_> = mapping
        .columns()
        .iter()
        .map(|used| (used.name.as_str(), used.optional, used.kind))
        .collect();
    assert_eq!(
        columns,
        [
            ("Id", false, ColumnKind::Id),
            ("Status", false, ColumnKind::Text),
            ("Nick Name", true, ColumnKind::Text),
            ("First", true, ColumnKind::Text),
            ("Kind", false, ColumnKind::Text),
        ]
    );
    assert!(mapping.bind(&["Id", "Status", "Kind"]).is_ok());
    assert!(mapping.bind(&["Id", "Status"]).is_err());
}

#[test]
fn a_cell_that_nobody_can_know_rejects_the_row() {
    let mapping = compile(&config_with(&[("title", expr("IsPresent(T) ? T : \"none\""))]));
    let bound = mapping.bind(&["Id", "Active", "T"]).expect("all columns");
    let owned = OwnedRow::new(&["E1", "true", ""]);
    let marks = [Mark { cell: 2, kind: CellMark::Unknown(CellFault::Error) }];
    let row = owned.row().with_marks(&marks);
    let problem = bound.apply(&row, &mut Scratch::new(), &mut Vec::new()).expect_err("unknown");
    assert_eq!((problem.code, problem.column.as_deref()), ("source.cell-error", Some("T")));
}

#[test]
fn the_fingerprint_is_of_the_expressions_too() {
    let of = |config: &MappingConfig| compile(config).fingerprint();
    let plain = config_with(&[("title", expr("T + \"x\""))]);
    assert_eq!(of(&plain), of(&config_with(&[("title", expr(" T + \"x\" "))])));
    assert_ne!(of(&plain), of(&config_with(&[("title", expr("T + \"y\""))])));
    let by = |format: &str| ByConfig { column: "From".to_owned(), date: vec![format.to_owned()] };
    let others = [
        MappingConfig { scope: Some("T != \"\"".to_owned()), ..plain.clone() },
        MappingConfig { prefer: Some("T != \"\"".to_owned()), ..plain.clone() },
        MappingConfig { by: Some(by("%Y-%m-%d")), ..plain.clone() },
        MappingConfig { by: Some(by("%d.%m.%Y")), ..plain.clone() },
    ];
    let mut all: Vec<_> = others.iter().chain([&plain]).map(of).collect();
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), 5);
}

/// A mapping with these conditions.
fn rows(scope: Option<&str>, prefer: Option<&str>, by: Option<ByConfig>) -> MappingConfig {
    MappingConfig {
        scope: scope.map(str::to_owned),
        prefer: prefer.map(str::to_owned),
        by,
        ..config_with(&[])
    }
}

const TODAY: Date = date(2026, 11, 24);
const HEADERS: [&str; 5] = ["Id", "Active", "Kind", "Rank", "From"];

fn in_scope(scope: &str, kind: &str) -> Result<bool, RecordProblem> {
    let mapping = compile(&rows(Some(scope), None, None));
    let bound = mapping.bind(&HEADERS).expect("all columns");
    let row = OwnedRow::new(&["E1", "true", kind, "", ""]);
    bound.in_scope(&row.row(), &mut Scratch::new())
}

fn standing(mapping: &Mapping, row: &Row<'_>) -> Result<Standing, RecordProblem> {
    let bound = mapping.bind(&HEADERS).expect("all columns");
    bound.standing(row, &mut Scratch::new(), TODAY)
}

#[test]
fn the_scope_lets_rows_in() {
    let scope = "Kind != \"Contractor\" && !Kind.startsWith(\"Ext\")";
    assert_eq!(in_scope(scope, " Contractor "), Ok(false));
    assert_eq!(in_scope(scope, "Ext2"), Ok(false));
    assert_eq!(in_scope(scope, "Employee"), Ok(true));
    assert_eq!(in_scope("int(Kind) > 5", "6"), Ok(true));
    let problem = in_scope("int(Kind) > 5", "secret").expect_err("no number");
    assert_eq!((problem.code, problem.attribute), ("mapping.expression", None));
    assert!(problem.message.contains("`scope`"), "{}", problem.message);
    let problem = in_scope("Item(Kind, 1)", "yes").expect_err("no truth");
    assert!(problem.message.contains("neither true nor false"), "{}", problem.message);
    let mapping = compile(&config_with(&[]));
    let bound = mapping.bind(&HEADERS).expect("all columns");
    let row = OwnedRow::new(&["", "", "", "", ""]);
    assert_eq!(bound.in_scope(&row.row(), &mut Scratch::new()), Ok(true));
    assert!(!mapping.has_standing());
}

#[test]
fn rows_stand_by_preference_and_day() {
    let by = ByConfig {
        column: "From".to_owned(),
        date: vec!["%d.%m.%Y".to_owned(), "%m.%d.%Y".to_owned()],
    };
    let mapping = compile(&rows(None, Some("Rank == \"Y\""), Some(by)));
    assert!(mapping.has_standing());
    let of = |rank: &str, from: &str| {
        let row = OwnedRow::new(&["E1", "true", "", rank, from]);
        standing(&mapping, &row.row())
            .map(|standing| (standing.rank, standing.day, standing.is_future))
    };
    assert_eq!(of("Y", ""), Ok((1, i32::MIN, false)));
    assert_eq!(of("N", " 24.11.2026 "), Ok((0, 20_781, false)));
    assert_eq!(of("N", "25.11.2026"), Ok((0, 20_782, true)));
    assert_eq!(of("N", "31.12.9999"), Ok((0, 2_932_896, true)));
    let problem = of("N", "soon").expect_err("no date");
    assert_eq!((problem.code, problem.column.as_deref()), ("mapping.bad-date", Some("From")));
    assert_eq!(of("N", "01.02.2026").expect_err("two days").code, "mapping.ambiguous-date");
    let owned = OwnedRow::new(&["E1", "true", "", "N", "2026-11-25T08:00:00"]);
    let marks = [Mark { cell: 4, kind: CellMark::Date }];
    let typed = standing(&mapping, &owned.row().with_marks(&marks)).expect("a date");
    assert!(typed.is_future);
}

#[test]
fn a_preference_may_be_a_number() {
    let mapping = compile(&rows(None, Some("int(Rank)"), None));
    let of = |rank: &str| {
        let row = OwnedRow::new(&["E1", "true", "", rank, ""]);
        standing(&mapping, &row.row()).map(|standing| standing.rank)
    };
    assert_eq!(of("-7"), Ok(-7));
    assert_eq!(of("99999999999").map_err(|problem| problem.code), Err("mapping.expression"));
    assert_eq!(of("").map_err(|problem| problem.code), Err("mapping.expression"));
}

#[test]
fn mistakes_in_what_counts_are_told_where_they_stand() {
    let by = ByConfig { column: "From".to_owned(), date: vec!["%y".to_owned()] };
    let problems = mistakes(&rows(Some("Kind"), Some("Rank"), Some(by)));
    let told: Vec<_> =
        problems.iter().map(|problem| (problem.place(), problem.to_string())).collect();
    let expected = [
        ("scope", "`scope`: it has to be true or false, and is text"),
        ("rows.prefer", "`rows.prefer`: it has to be true or false, or a number, and is text"),
        (
            "rows.by",
            "`rows.by`: in the format `%y`, `%y` reads a year of two digits, which leaves the \
             century to a guess",
        ),
    ];
    assert_eq!(told, expected.map(|(place, words)| (place.to_owned(), words.to_owned())));
    let by = ByConfig { column: "From".to_owned(), date: vec!["%Y-%m-%d".to_owned()] };
    let without_zone = Mapping::compile(&rows(None, None, Some(by)), None).expect_err("no zone");
    assert!(without_zone[0].message.contains("time zone"), "{}", without_zone[0]);
    let scope = mistakes(&rows(Some("Kind =="), None, None));
    assert_eq!(scope[0].place(), "scope");
}
