//! What answered files and their answers are called: `workers.csv` of run `01K…` becomes
//! `workers.01K….csv`, its answers `workers.01K….answer.txt` and so on.

use std::path::Path;

use crate::domain::RunId;

/// The end of an answer in a few words. It is written last: a file that has it is answered.
pub const ANSWER: &str = ".answer.txt";
/// The end of the verdicts, a line each.
pub const ROWS: &str = ".rows.csv";
/// The end of the workbook with the rows to correct.
pub const CORRECT: &str = ".correct.xlsx";
/// Most bytes of a file's own name that are kept: with all that is added, file systems take it.
const MOST_BYTES: usize = 160;

/// The name of a file with its run's id before the ending.
#[must_use]
pub fn with_run(name: &str, run: &RunId) -> String {
    let name = Path::new(name);
    let stem = name.file_stem().unwrap_or_default().to_string_lossy();
    let ending = name.extension().unwrap_or_default().to_string_lossy();
    let stem = cut(&stem, MOST_BYTES);
    match cut(&ending, MOST_BYTES / 4) {
        "" => format!("{stem}.{run}"),
        ending => format!("{stem}.{run}.{ending}"),
    }
}

/// The run in the name of an answered file or of an answer.
#[must_use]
pub fn run_of(name: &str) -> Option<RunId> {
    let is_id =
        |part: &&str| ulid::Ulid::from_string(part).is_ok_and(|id| id.to_string() == **part);
    name.rsplit('.').find(is_id).map(RunId::new)
}

/// What the names of a file and of its answers have in common: everything up to the run's id.
#[must_use]
pub fn base_of(name: &str) -> Option<&str> {
    let run = run_of(name)?;
    let end = name.rfind(run.as_str())? + run.as_str().len();
    name.get(..end)
}

fn cut(text: &str, most: usize) -> &str {
    let mut end = text.len().min(most);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "01KB1Q0Z9V8T7S6R5Q4P3N2M1K";

    #[test]
    fn the_run_stands_before_the_ending_and_is_found_again() {
        let run = RunId::new(ID);
        for (name, expected) in [
            ("workers.csv", format!("workers.{ID}.csv")),
            ("workers", format!("workers.{ID}")),
            ("a.b.xlsx", format!("a.b.{ID}.xlsx")),
            // taken out of `done/` and dropped again
            ("a.01KB1Q0Z9V8T7S6R5Q4P3N2M1J.csv", format!("a.01KB1Q0Z9V8T7S6R5Q4P3N2M1J.{ID}.csv")),
        ] {
            let named = with_run(name, &run);
            assert_eq!(named, expected);
            assert_eq!(run_of(&named), Some(run.clone()));
            let base = base_of(&named).unwrap();
            assert!(base.ends_with(ID), "{base}");
            assert_eq!(base_of(&format!("{base}{ANSWER}")), Some(base));
        }
    }

    #[test]
    fn other_names_have_no_run() {
        for name in ["workers.csv", "", "01kb1q0z9v8t7s6r5q4p3n2m1k.csv", "workers.2026.csv"] {
            assert_eq!(run_of(name), None, "{name}");
            assert_eq!(base_of(name), None, "{name}");
        }
    }

    #[test]
    fn a_long_name_is_cut_between_letters() {
        let named = with_run(&format!("{}.csv", "ü".repeat(120)), &RunId::new(ID));
        assert!(named.len() <= 255 - ANSWER.len(), "{}", named.len());
        assert!(named.ends_with(&format!("ü.{ID}.csv")));
    }
}
