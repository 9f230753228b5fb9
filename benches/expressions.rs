//! What expressions add to the mapping pass: five more attributes, each from an expression, against
//! the mapping without them and against the same five from plain columns.
//!
//! `cargo bench --bench expressions -- [--rows 100000] [--rounds 7] [--check]`
//!
//! The mappings run in turn (A B C … A B C …), since only ratios within a round mean anything on a
//! machine that others use. The share is that of the five expressions, with their values written,
//! in the whole pass: reading, mapping, and packing into requests. `--check` ends with an error when
//! a ceiling is broken.

#![expect(clippy::expect_used, reason = "a benchmark that cannot be set up ends there")]
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a benchmark prints its table")]

use std::process::ExitCode;
use std::time::Instant;

use scimport::intake::Feed;

#[expect(dead_code, reason = "one pass of several is measured here")]
#[path = "support/passes.rs"]
mod passes;
#[path = "support/mod.rs"]
mod support;

/// Most of the pass that five expressions of the usual kind take.
const SHARE_CEILING: f64 = 0.6;
/// Rows, unless told otherwise.
const ROWS: u64 = 100_000;
/// Rounds, unless told otherwise; fewer say little.
const ROUNDS: usize = 7;

/// Where the values go.
const PATHS: [&str; 5] = [
    "urn:ietf:params:scim:schemas:extension:contoso:1.0:User:A",
    "urn:ietf:params:scim:schemas:extension:contoso:1.0:User:B",
    "urn:ietf:params:scim:schemas:extension:contoso:1.0:User:C",
    "urn:ietf:params:scim:schemas:extension:contoso:1.0:User:D",
    "urn:ietf:params:scim:schemas:extension:contoso:1.0:User:E",
];

/// Five plain columns, for comparison.
const COLUMNS: [&str; 5] = ["JobTitle", "Department", "City", "Company", "CountryCode"];
/// What is evaluated by steps.
const STEPS: [&str; 5] = [
    "Join(\" - \", JobTitle, Department)",
    "ToLower(WorkEmail)",
    "FirstName + \" \" + LastName",
    "IIF(WorkerType == \"Contractor\", \"ext\", \"int\")",
    "Coalesce(PreferredName, FirstName)",
];
/// Functions, of which some have no step of their own, and two for the general language.
const MIXED: [&str; 5] = [
    "Join(\" - \", JobTitle, Department)",
    "Switch(CountryCode, \"other\", \"DE\", \"Germany\", \"US\", \"United States\")",
    "ToLower(NormalizeDiacritics(Left(FirstName, 1) + LastName))",
    "int(WorkerID) % 2 == 0 ? \"even\" : \"odd\"",
    "{\"Active\": \"yes\"}[WorkerStatus == \"\" ? \"Active\" : \"Active\"]",
];
/// What only the general language evaluates.
const GENERAL: [&str; 5] = [
    "string(1u) + JobTitle",
    "int(WorkerID) % 2 == 0 ? \"even\" : \"odd\"",
    "FirstName + \" \" + string(LastName)",
    "WorkerType == \"Contractor\" ? string(1u) : Location",
    "string(2u) + ToLower(WorkEmail)",
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |flag: &str| {
        let at = arguments.iter().position(|argument| argument == flag)?;
        arguments.get(at + 1)?.parse::<u64>().ok()
    };
    let rows = number("--rows").unwrap_or(ROWS);
    let rounds = number("--rounds").and_then(|rounds| usize::try_from(rounds).ok());
    let is_checked = arguments.iter().any(|argument| argument == "--check");
    match table(rows, rounds.filter(|rounds| *rounds > 0).unwrap_or(ROUNDS)) {
        Ok(holds) if holds || !is_checked => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::FAILURE
        }
    }
}

/// Measures and prints; says whether the ceiling holds.
fn table(rows: u64, rounds: usize) -> Result<bool, String> {
    let path = support::workers(rows)?;
    let with = |texts: [&'static str; 5]| {
        let lines: Vec<_> = PATHS.into_iter().zip(texts).collect();
        support::feed_with(false, &lines)
    };
    let feeds: [(&str, Feed); 5] = [
        ("without", support::feed(false)),
        ("five plain columns", with(COLUMNS)),
        ("five by steps", with(STEPS)),
        ("three by steps, two general", with(MIXED)),
        ("five general", with(GENERAL)),
    ];
    let mut nanoseconds: [Vec<f64>; 5] = Default::default();
    for _ in 0..rounds {
        for ((_, feed), times) in feeds.iter().zip(&mut nanoseconds) {
            let (mut file, scan) = passes::first(&path, feed);
            let clock = Instant::now();
            let (users, _) = passes::second(&mut file, feed, &scan);
            times.push(clock.elapsed().as_secs_f64() * 1e9);
            if users != rows {
                return Err(format!("{users} of {rows} rows became users"));
            }
        }
    }
    println!("{rows} rows, {rounds} rounds, medians\n");
    println!("| mapping | ns a row | share of the expressions |");
    println!("| --- | --- | --- |");
    let floors = nanoseconds.first().cloned().unwrap_or_default();
    let mut holds = true;
    for ((name, _), times) in feeds.iter().zip(&nanoseconds) {
        let each = median(times.iter().map(|time| time / as_f64(rows)));
        let share = median(times.iter().zip(&floors).map(|(time, floor)| 1.0 - floor / time));
        println!("| {name} | {each:.0} | {:.0} % |", share * 100.0);
        holds &= name.contains("five general") || share <= SHARE_CEILING;
    }
    let verdict = if holds { "kept" } else { "BROKEN" };
    println!("\nceiling: {:.0} % where not all are general: {verdict}", SHARE_CEILING * 100.0);
    Ok(holds)
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

#[expect(clippy::cast_precision_loss, reason = "counts far below 2^52, shown with few digits")]
fn as_f64(count: u64) -> f64 {
    count as f64
}
