//! `active` from one day to another, and the day on which a row was true.

#![expect(clippy::expect_used, reason = "a helper that fails, fails its test")]

use jiff::Timestamp;
use jiff::civil::date;
use jiff::tz::TimeZone;
use scimport::domain::{ActiveWindow, CellFault, CellMark, ColumnKind, Mark, RecordProblem};
use scimport::mapping::{
    Between, ByConfig, Case, ColumnProblem, DateOrder, End, Literal, Mapping, MappingConfig,
    OnEmpty, Otherwise, RuleConfig, Scratch, ValueSource, ValueType,
};

use crate::mapping_support::{OwnedRow, column, compile, config, mistakes, words};

const HEADERS: [&str; 3] = ["Id", "Hired", "Left"];

fn between() -> RuleConfig {
    RuleConfig::new(ValueSource::Between(Box::new(Between {
        start: "Hired".to_owned(),
        end: "Left".to_owned(),
        end_is: End::Inclusive,
    })))
}

fn exclusive() -> RuleConfig {
    RuleConfig::new(ValueSource::Between(Box::new(Between {
        start: "Hired".to_owned(),
        end: "Left".to_owned(),
        end_is: End::Exclusive,
    })))
}

fn dated(formats: &[&str]) -> RuleConfig {
    RuleConfig { date: formats.iter().map(ToString::to_string).collect(), ..between() }
}

fn lines(active: RuleConfig) -> MappingConfig {
    config(&[("externalId", column("Id")), ("active", active)])
}

fn in_zone(active: RuleConfig, zone: &str) -> Mapping {
    let zone = TimeZone::get(zone).expect(zone);
    Mapping::compile(&lines(active), Some(&zone)).expect("compiles")
}

fn instant(text: &str) -> Timestamp {
    text.parse().expect(text)
}

/// A row's window and its `active` at an instant, and that both the resource and the record agree.
fn at(
    mapping: &Mapping,
    days: [&str; 2],
    now: Timestamp,
) -> Result<(ActiveWindow, bool), RecordProblem> {
    let mut bound = mapping.bind(&HEADERS).expect("all columns");
    bound.at(now);
    let (mut scratch, mut out) = (Scratch::new(), Vec::new());
    let owned = OwnedRow::new(&["E1", days[0], days[1]]);
    let mapped = bound.apply(&owned.row(), &mut scratch, &mut out)?;
    let window = mapped.window.expect("a window");
    assert_eq!(mapped.active, window.is_active_at(now));
    let resource = String::from_utf8(out).expect("UTF-8");
    assert!(resource.contains(&format!(r#""active":{}"#, mapped.active)), "{resource}");
    Ok((window, mapped.active))
}

fn window(mapping: &Mapping, days: [&str; 2]) -> (String, Option<String>) {
    let (window, _) = at(mapping, days, Timestamp::UNIX_EPOCH).expect("a window");
    (window.from.to_string(), window.until.map(|until| until.to_string()))
}

fn problem(mapping: &Mapping, days: [&str; 2]) -> RecordProblem {
    at(mapping, days, Timestamp::UNIX_EPOCH).expect_err("a rejection")
}

#[test]
fn active_is_true_from_the_first_day_to_the_end_of_the_last() {
    let berlin = in_zone(between(), "Europe/Berlin");
    let days = ["2026-01-15", "2026-07-31"];
    let active = |now| at(&berlin, days, instant(now)).expect("a window").1;
    assert!(!active("2026-01-14T22:59:59.999999999Z"));
    assert!(active("2026-01-14T23:00:00Z"), "midnight of the first day, in winter");
    assert!(active("2026-07-31T21:59:59.999999999Z"), "the last working day, to its end");
    assert!(!active("2026-07-31T22:00:00Z"), "midnight after it, in summer");
    let (found, _) = at(&berlin, days, Timestamp::UNIX_EPOCH).expect("a window");
    assert_eq!(found.next_change(Timestamp::UNIX_EPOCH), Some(instant("2026-01-14T23:00:00Z")));
    assert_eq!(found.next_change(found.from), Some(instant("2026-07-31T22:00:00Z")));
}

#[test]
fn an_exclusive_end_is_the_first_day_without_work() {
    let berlin = in_zone(exclusive(), "Europe/Berlin");
    let ends = |last| window(&berlin, ["2026-01-15", last]).1.expect("an end");
    assert_eq!(ends("2026-07-31"), "2026-07-30T22:00:00Z");
    // one who never came: allowed, and never active
    let (found, active) =
        at(&berlin, ["2026-01-15", "2026-01-15"], instant("2026-01-15T12:00:00Z")).expect("empty");
    assert!(!active && found.next_change(Timestamp::UNIX_EPOCH).is_none());
    let inclusive = in_zone(between(), "Europe/Berlin");
    let one_day = at(&inclusive, ["2026-01-15", "2026-01-15"], instant("2026-01-15T12:00:00Z"));
    assert!(one_day.expect("one day").1);
}

#[test]
fn an_empty_end_and_the_end_of_time_are_open() {
    for active in [between(), exclusive(), dated(&["%Y-%m-%d", "%d.%m.%Y"])] {
        let berlin = in_zone(active, "Europe/Berlin");
        for end in ["", "  ", "\u{a0}", "9999-12-31", "2958465"] {
            let found = window(&berlin, ["2026-01-15", end]);
            assert_eq!(found, ("2026-01-14T23:00:00Z".to_owned(), None), "`{end}`");
        }
    }
    let german = in_zone(dated(&["%d.%m.%Y"]), "Europe/Berlin");
    assert_eq!(window(&german, ["15.01.2026", "31.12.9999"]).1, None);
    let western = in_zone(between(), "America/Los_Angeles");
    assert_eq!(window(&western, ["2026-01-15", "9999-12-30"]).1, None, "beyond all instants");
    let (never, active) =
        at(&western, ["9999-12-31", ""], instant("2026-01-15T12:00:00Z")).expect("far away");
    assert!(!active && never.from == Timestamp::MAX);
}

#[test]
fn words_that_stand_for_nothing_may_be_named() {
    let empty_words = vec!["-".to_owned(), "00.00.0000".to_owned()];
    let mapping = in_zone(RuleConfig { empty_words, ..dated(&["%d.%m.%Y"]) }, "UTC");
    assert_eq!(window(&mapping, ["15.01.2026", " 00.00.0000 "]).1, None);
    assert_eq!(problem(&mapping, ["-", ""]).code, "mapping.no-start");
    assert_eq!(problem(&mapping, ["15.01.2026", "n/a"]).code, "mapping.bad-date");
}

#[test]
fn days_begin_in_the_time_zone_of_the_source() {
    for (zone, from, until) in [
        ("Pacific/Auckland", "2026-06-29T12:00:00Z", "2026-06-30T12:00:00Z"),
        ("Asia/Kathmandu", "2026-06-29T18:15:00Z", "2026-06-30T18:15:00Z"),
        ("UTC", "2026-06-30T00:00:00Z", "2026-07-01T00:00:00Z"),
        ("America/Los_Angeles", "2026-06-30T07:00:00Z", "2026-07-01T07:00:00Z"),
        ("Pacific/Kiritimati", "2026-06-29T10:00:00Z", "2026-06-30T10:00:00Z"),
    ] {
        let found = window(&in_zone(between(), zone), ["2026-06-30", "2026-06-30"]);
        assert_eq!(found, (from.to_owned(), Some(until.to_owned())), "{zone}");
    }
}

#[test]
fn days_of_23_and_25_hours_are_whole_days() {
    let hours = |zone, day| {
        let (found, _) =
            at(&in_zone(between(), zone), [day, day], Timestamp::UNIX_EPOCH).expect("a window");
        found.until.expect("an end").duration_since(found.from).as_hours()
    };
    assert_eq!(hours("Europe/Berlin", "2026-03-29"), 23);
    assert_eq!(hours("Europe/Berlin", "2026-10-25"), 25);
    assert_eq!(hours("Europe/Berlin", "2026-06-01"), 24);
    // the clocks skip midnight, so that the day begins at one
    assert_eq!(hours("America/Santiago", "2024-09-08"), 23);
    assert_eq!(hours("America/Santiago", "2024-09-07"), 24);
    // and the day before midnight is set back to eleven has an hour twice
    assert_eq!(hours("America/Santiago", "2024-04-06"), 25);
    assert_eq!(hours("America/Havana", "2026-11-01"), 25, "midnight comes twice");
    assert_eq!(hours("Pacific/Apia", "2011-12-30"), 0, "a day that never was");
}

#[test]
fn a_skipped_midnight_is_the_instant_of_the_skip() {
    let santiago = in_zone(between(), "America/Santiago");
    assert_eq!(window(&santiago, ["2024-09-08", ""]).0, "2024-09-08T04:00:00Z");
    let ends = window(&santiago, ["2024-09-01", "2024-09-07"]).1;
    assert_eq!(ends.as_deref(), Some("2024-09-08T04:00:00Z"));
}

#[test]
fn leap_days_are_days_where_there_are_any() {
    let utc = in_zone(between(), "UTC");
    assert_eq!(
        window(&utc, ["2028-02-29", "2028-02-29"]),
        ("2028-02-29T00:00:00Z".to_owned(), Some("2028-03-01T00:00:00Z".to_owned()))
    );
    assert_eq!(
        window(&utc, ["2028-02-28", "2028-02-28"]).1.as_deref(),
        Some("2028-02-29T00:00:00Z")
    );
    let none = problem(&utc, ["2026-02-29", ""]);
    assert_eq!((none.code, none.column.as_deref()), ("mapping.bad-date", Some("Hired")));
}

#[test]
fn what_is_wrong_with_the_days_names_both_columns() {
    let utc = in_zone(between(), "UTC");
    let missing = problem(&utc, [" ", "2026-01-01"]);
    assert_eq!((missing.code, missing.column.as_deref()), ("mapping.no-start", Some("Hired")));
    assert_eq!(
        missing.message,
        "column `Hired` is empty, so nobody can say from when on `active` is true, whatever column \
         `Left` says"
    );
    let turned = problem(&utc, ["2026-01-02", "2026-01-01"]);
    let expected = ("mapping.end-before-start", Some("Left"), Some("active"));
    assert_eq!((turned.code, turned.column.as_deref(), turned.attribute.as_deref()), expected);
    assert_eq!(turned.message, "the day in column `Left` is before the one in column `Hired`");
    let exclusive = in_zone(exclusive(), "UTC");
    assert_eq!(problem(&exclusive, ["2026-01-02", "2026-01-01"]).code, "mapping.end-before-start");
    for (days, code, column) in [
        (["soon", ""], "mapping.bad-date", "Hired"),
        (["2026-01-01", "31.12.2026"], "mapping.bad-date", "Left"),
        (["26-01-01", ""], "mapping.two-digit-year", "Hired"),
    ] {
        let problem = problem(&utc, days);
        assert_eq!((problem.code, problem.column.as_deref()), (code, Some(column)));
        assert_eq!(problem.attribute.as_deref(), Some("active"));
    }
    let both = in_zone(dated(&["%d/%m/%Y", "%m/%d/%Y"]), "UTC");
    let unclear = problem(&both, ["04/04/2026", "05/06/2026"]);
    assert_eq!((unclear.code, unclear.column.as_deref()), ("mapping.ambiguous-date", Some("Left")));
}

#[test]
fn serials_and_typed_dates_are_read_whatever_the_formats() {
    let mapping = in_zone(dated(&["%d/%m/%Y", "%m/%d/%Y"]), "UTC");
    assert_eq!(window(&mapping, ["45352", ""]).0, "2024-03-01T00:00:00Z");
    let mut bound = mapping.bind(&HEADERS).expect("all columns");
    bound.at(Timestamp::UNIX_EPOCH);
    let marks = [1, 2].map(|cell| Mark { cell, kind: CellMark::Date });
    let (mut scratch, mut out) = (Scratch::new(), Vec::new());
    let owned = OwnedRow::new(&["E1", "2024-03-04", "9999-12-31T00:00:00"]);
    let row = owned.row().with_marks(&marks);
    let mapped = bound.apply(&row, &mut scratch, &mut out).expect("typed dates");
    let window = mapped.window.expect("a window");
    assert_eq!((window.from.to_string(), window.until), ("2024-03-04T00:00:00Z".to_owned(), None));
    // a cell that nobody can know is no empty one
    let marks = [Mark { cell: 2, kind: CellMark::Unknown(CellFault::Error) }];
    let owned = OwnedRow::new(&["E1", "45352", ""]);
    let unknown = bound
        .apply(&owned.row().with_marks(&marks), &mut scratch, &mut out)
        .expect_err("an error value");
    assert_eq!((unknown.code, unknown.column.as_deref()), ("source.cell-error", Some("Left")));
    let kinds: Vec<_> = mapping.columns().iter().map(|used| used.kind).collect();
    assert_eq!(kinds, [ColumnKind::Id, ColumnKind::Date, ColumnKind::Date]);
}

#[test]
fn each_column_learns_its_order_of_day_and_month() {
    let mapping = in_zone(dated(&["%d/%m/%Y", "%m/%d/%Y"]), "UTC");
    assert!(mapping.learns() && !in_zone(between(), "UTC").learns());
    let mut bound = mapping.bind(&HEADERS).expect("all columns");
    bound.at(Timestamp::UNIX_EPOCH);
    let mut evidence = bound.evidence();
    for days in [["03/04/2026", "05/06/2026"], ["25/12/2024", "12/31/2026"], ["", ""]] {
        bound.observe(&OwnedRow::new(&["E1", days[0], days[1]]).row(), &mut evidence);
    }
    let orders = bound.settle(evidence).expect("no contradiction");
    let told = |order: &DateOrder| (order.column.clone().expect("one"), order.format.clone());
    assert_eq!(
        orders.iter().map(told).collect::<Vec<_>>(),
        [("Hired".to_owned(), "%d/%m/%Y".to_owned()), ("Left".to_owned(), "%m/%d/%Y".to_owned())]
    );
    let (mut scratch, mut out) = (Scratch::new(), Vec::new());
    let owned = OwnedRow::new(&["E1", "03/04/2026", "05/06/2026"]);
    let mapped = bound.apply(&owned.row(), &mut scratch, &mut out).expect("learnt");
    let window = mapped.window.expect("a window");
    assert_eq!(window.from, instant("2026-04-03T00:00:00Z"));
    assert_eq!(window.until, Some(instant("2026-05-07T00:00:00Z")));

    let mut bound = mapping.bind(&HEADERS).expect("all columns");
    let mut evidence = bound.evidence();
    for last in ["25/12/2024", "12/31/2026"] {
        bound.observe(&OwnedRow::new(&["E1", "", last]).row(), &mut evidence);
    }
    let found = bound.settle(evidence).expect_err("a contradiction");
    assert_eq!((found.len(), found[0].column.as_deref()), (1, Some("Left")));
    assert_eq!(found[0].attribute, "active");
}

#[test]
fn an_instant_that_nobody_has_said_rejects_and_never_guesses() {
    let mapping = in_zone(between(), "UTC");
    assert!(mapping.has_window());
    let bound = mapping.bind(&HEADERS).expect("all columns");
    let owned = OwnedRow::new(&["E1", "2026-01-01", ""]);
    let (mut scratch, mut out) = (Scratch::new(), Vec::new());
    let problem = bound.apply(&owned.row(), &mut scratch, &mut out).expect_err("no instant");
    assert_eq!((problem.code, out.len()), ("mapping.no-instant", 0));
    let by_status = compile(&lines(column("Hired")));
    assert!(!by_status.has_window());
    let bound = by_status.bind(&HEADERS).expect("all columns");
    let owned = OwnedRow::new(&["E1", "true", ""]);
    let mapped = bound.apply(&owned.row(), &mut scratch, &mut out).expect("a status");
    assert_eq!((mapped.active, mapped.window), (true, None));
}

#[test]
fn no_window_of_the_row_before_is_left_over() {
    let mapping = in_zone(between(), "UTC");
    let mut bound = mapping.bind(&HEADERS).expect("all columns");
    bound.at(instant("2026-06-01T00:00:00Z"));
    let (mut scratch, mut out) = (Scratch::new(), Vec::new());
    for (days, active) in [
        (["2026-01-01", ""], true),
        (["2026-07-01", ""], false),
        (["2020-01-01", "2020-02-01"], false),
    ] {
        let owned = OwnedRow::new(&["E1", days[0], days[1]]);
        let mapped = bound.apply(&owned.row(), &mut scratch, &mut out).expect("a window");
        assert_eq!(mapped.active, active);
    }
    let owned = OwnedRow::new(&["", "2026-01-01", ""]);
    bound.apply(&owned.row(), &mut scratch, &mut out).expect_err("no id");
}

#[test]
fn the_fingerprint_is_of_both_columns_their_formats_the_end_and_the_zone() {
    let of = |rule: RuleConfig, zone| in_zone(rule, zone).fingerprint();
    let plain = of(between(), "UTC");
    assert_eq!(plain, of(dated(&["%Y-%m-%d"]), "UTC"), "what is meant where nothing is said");
    let turned = RuleConfig::new(ValueSource::Between(Box::new(Between {
        start: "Left".to_owned(),
        end: "Hired".to_owned(),
        end_is: End::Inclusive,
    })));
    let all = [
        plain,
        of(exclusive(), "UTC"),
        of(dated(&["%Y%m%d"]), "UTC"),
        of(between(), "Europe/Berlin"),
        of(turned, "UTC"),
        of(column("Hired"), "UTC"),
    ];
    let mut distinct = all.to_vec();
    distinct.sort_unstable();
    distinct.dedup();
    assert_eq!(distinct.len(), all.len());
}

#[test]
fn only_active_is_between_days_and_nothing_goes_with_it() {
    let told = |config: &MappingConfig| -> Vec<String> {
        mistakes(config).iter().map(ToString::to_string).collect()
    };
    let title =
        config(&[("externalId", column("Id")), ("active", between()), ("title", between())]);
    assert_eq!(told(&title), ["`title`, `between`: only `active` is true from one day to another"]);
    let full = RuleConfig {
        default: Some(Literal::Boolean(true)),
        required: true,
        on_empty: OnEmpty::Null,
        pad: Some(8),
        map: words(&[("a", Literal::Boolean(true))]),
        otherwise: Otherwise::Value(Literal::Boolean(false)),
        time: Some("08:00".to_owned()),
        case: Some(Case::Lower),
        ascii: true,
        max: Some(8),
        truncate: true,
        kind: Some(ValueType::Boolean),
        optional: true,
        ..between()
    };
    let keys: Vec<_> = mistakes(&lines(full)).iter().filter_map(|problem| problem.key).collect();
    assert_eq!(
        keys,
        [
            "default",
            "required",
            "on_empty",
            "pad",
            "map",
            "otherwise",
            "time",
            "case",
            "ascii",
            "max",
            "truncate",
            "optional"
        ]
    );
    let named = |start: &str, end: &str| {
        let (start, end) = (start.to_owned(), end.to_owned());
        let days = Between { start, end, end_is: End::Inclusive };
        told(&lines(RuleConfig::new(ValueSource::Between(Box::new(days)))))
    };
    assert_eq!(named("Day", " day "), ["`active`, `between`: both days are in the same column"]);
    assert_eq!(named("Day", " "), ["`active`, `between`: a column has no name"]);
    assert_eq!(
        told(&lines(dated(&["%y"]))),
        [
            "`active`, `date`: in the format `%y`, `%y` reads a year of two digits, which leaves the \
          century to a guess"
        ]
    );
    let zoneless = Mapping::compile(&lines(between()), None).expect_err("no time zone");
    assert_eq!((zoneless.len(), zoneless[0].place().as_str()), (1, "mapping.active.between"));
}

#[test]
fn both_columns_have_to_be_in_the_file() {
    let mapping = in_zone(between(), "UTC");
    let missing = mapping.bind(&["Id", "Hired"]).map(drop).expect_err("no end");
    assert_eq!(missing.iter().map(ColumnProblem::column).collect::<Vec<_>>(), ["Left"]);
}

/// A mapping whose rows say in `Day` when they were true.
fn as_of(formats: &[&str]) -> MappingConfig {
    let date = formats.iter().map(ToString::to_string).collect();
    let by = ByConfig { column: "Day".to_owned(), date };
    MappingConfig { as_of: Some(by), ..lines(column("Active")) }
}

#[test]
fn a_row_says_when_it_was_true() {
    let config = as_of(&["%d/%m/%Y", "%Y-%m-%d"]);
    let mapping = compile(&config);
    assert!(mapping.has_as_of());
    let bound = mapping.bind(&["Id", "Active", "Day"]).expect("all columns");
    let day = |cell: &str| bound.as_of(&OwnedRow::new(&["E1", "true", cell]).row());
    assert_eq!(day(" 24/11/2026 "), Ok(Some(date(2026, 11, 24))));
    assert_eq!(day("2026-11-24"), Ok(Some(date(2026, 11, 24))));
    assert_eq!(day("45352"), Ok(Some(date(2024, 3, 1))));
    assert_eq!(day(" "), Ok(None));
    let problem = day("secret").expect_err("no date");
    assert_eq!((problem.code, problem.attribute), ("mapping.bad-date", None));
    assert_eq!(problem.message, "column `Day` is no date in the formats of `as_of`");
    let owned = OwnedRow::new(&["E1", "true", "2026-11-24T08:00:00"]);
    let marks = [Mark { cell: 2, kind: CellMark::Date }];
    assert_eq!(bound.as_of(&owned.row().with_marks(&marks)), Ok(Some(date(2026, 11, 24))));
    // it decides about the file, and changes nobody's resource
    let plain = compile(&lines(column("Active")));
    assert_eq!(mapping.fingerprint(), plain.fingerprint());
    let bound = plain.bind(&["Id", "Active"]).expect("all columns");
    assert!(!plain.has_as_of());
    assert_eq!(bound.as_of(&OwnedRow::new(&["E1", "true"]).row()), Ok(None));
    let missing = mapping.bind(&["Id", "Active"]).map(drop).expect_err("no such column");
    assert_eq!(missing[0].column(), "Day");
}

#[test]
fn mistakes_in_the_day_of_a_row_are_told_where_they_stand() {
    let problems = mistakes(&as_of(&["%y"]));
    let told: Vec<_> = problems.iter().map(|found| (found.place(), found.to_string())).collect();
    let message = "`as_of`: in the format `%y`, `%y` reads a year of two digits, which leaves the \
                   century to a guess";
    assert_eq!(told, [("as_of".to_owned(), message.to_owned())]);
    let zoneless = Mapping::compile(&as_of(&["%F"]), None).expect_err("no time zone");
    assert_eq!((zoneless.len(), zoneless[0].place().as_str()), (1, "as_of"));
}
