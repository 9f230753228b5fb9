//! Generated workers, the same for the same number: a tree of managers eight wide, and some rows
//! with a fault whose outcome is known beforehand.

use std::fmt::Write as _;

use crate::domain::OperationStatus as S;
use crate::store::StatusCounts;

/// Every so many rows one with an unknown status word: rejected.
const BAD_STATUS_EVERY: u32 = 97;
/// Every so many rows one with a domain that is not verified: failed.
const BAD_DOMAIN_EVERY: u32 = 89;
/// Every so many rows one outside the job's scope: skipped.
const VISITOR_EVERY: u32 = 83;

const FIRST: [&str; 12] = [
    "Amara",
    "Zoë",
    "Jürgen",
    "Priya",
    "Łukasz",
    "Mei",
    "Noah",
    "Ελένη",
    "Omar",
    "Siân",
    "明",
    "Ruth",
];
const LAST: [&str; 11] = [
    "Okafor",
    "García-López",
    "Müller",
    "O'Brien",
    "Wiśniewski",
    "Tan",
    "Silva",
    "Sato",
    "Østergaard",
    "Kim",
    "Smith",
];
const TITLES: [&str; 5] =
    ["Analyst", "\"Engineer, II\"", "Nurse", "Planner", "\"Director, Sales\""];

/// What becomes of a worker.
const fn fate(number: u32) -> S {
    if number.is_multiple_of(BAD_STATUS_EVERY) {
        S::Rejected
    } else if number.is_multiple_of(BAD_DOMAIN_EVERY) {
        S::Failed
    } else if number.is_multiple_of(VISITOR_EVERY) {
        S::Skipped
    } else {
        S::Provisioned
    }
}

/// A file of so many workers, with the columns of the samples.
pub fn csv(count: u32) -> String {
    let mut text = String::from(
        "WorkerID,UserID,FirstName,LastName,WorkerStatus,WorkerType,HireDate,JobTitle,Department,\
         Division,CostCenter,Company,ManagerID,StreetAddress,City,ZipCode,CountryCode,OfficePhone,\
         WorkEmail\n",
    );
    for number in 1..=count {
        let fate = fate(number);
        let domain = if fate == S::Failed { "unverified.example" } else { "contoso.example" };
        let manager = if number == 1 { String::new() } else { format!("{:08}", (number + 6) / 8) };
        let pick = |words: &[&'static str], salt: u32| {
            let at = (number * 7 + salt) as usize % words.len().max(1);
            words.get(at).copied().unwrap_or_default()
        };
        let _ = writeln!(
            text,
            "{number:08},worker{number}@{domain},{},{},{},{},2020-03-{:02},{},Operations,Retail,\
             CC{:04},Aldergate Group,{manager},{} Mill Road,Berlin,10115,DE,+49 30 555 {:04},\
             worker{number}@{domain}",
            pick(&FIRST, 0),
            pick(&LAST, number / 12),
            if fate == S::Rejected { "Sabbatical" } else { "Active" },
            if fate == S::Skipped { "Visitor" } else { "Employee" },
            1 + number % 28,
            pick(&TITLES, 3),
            number % 9_000,
            1 + number % 500,
            number % 10_000,
        );
    }
    text
}

/// Where the counts differ from what was foretold.
pub fn differences(count: u32, counts: &StatusCounts) -> Vec<String> {
    let mut foretold = StatusCounts::default();
    for number in 1..=count {
        foretold.add(fate(number), 1);
    }
    let pairs = foretold.iter().zip(counts.iter());
    pairs
        .filter(|(expected, found)| expected.1 != found.1)
        .map(|((status, expected), (_, found))| format!("{found} {status} instead of {expected}"))
        .collect()
}
