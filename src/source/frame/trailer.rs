//! Rows that say how many rows there are, such as `TRL;0001234` or `Total: 1234`.

use crate::source::TrailerConfig;

/// A trailer has no more cells than so many that are not empty.
const MOST_CELLS: usize = 5;

/// What a row's first word may be; those with a number behind or beside it.
const WORDS: [&str; 27] = [
    "anzahl",
    "antal",
    "count",
    "end",
    "eof",
    "footer",
    "gesamt",
    "gesamtanzahl",
    "gesamtsumme",
    "grand",
    "headcount",
    "nombre",
    "number",
    "records",
    "row",
    "rows",
    "sum",
    "suma",
    "summe",
    "total",
    "totaal",
    "totale",
    "totales",
    "totals",
    "totalt",
    "trailer",
    "trl",
];
/// Letters of the shortest of them.
const SHORTEST: usize = 3;
/// What may stand between the first word and the number.
const FILLERS: [&str; 19] = [
    "of",
    "file",
    "total",
    "count",
    "number",
    "records",
    "record",
    "rows",
    "row",
    "lines",
    "employees",
    "workers",
    "users",
    "persons",
    "headcount",
    "mitarbeiter",
    "personen",
    "zeilen",
    "report",
];
/// Rows that end a file without a number.
const ENDS: [&str; 5] = ["eof", "end of file", "end of report", "trl", "trailer"];

/// What a trailer says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trailer {
    /// So many rows.
    Count(u64),
    /// Nothing of the number of rows.
    Silent,
    /// A number was expected, and there is none.
    NoNumber,
}

/// Whether a row's first cell with anything in it can be that of a trailer; swift.
pub(super) fn may_begin(rule: Option<&TrailerConfig>, cell: &[u8]) -> bool {
    match rule {
        Some(rule) => cell.trim_ascii().starts_with(rule.starts_with.as_bytes()),
        None => word(cell).is_some(),
    }
}

/// Reads a row as a trailer, if it is one.
pub(super) fn read<'a>(
    rule: Option<&TrailerConfig>,
    cells: impl Iterator<Item = &'a str> + Clone,
) -> Option<Trailer> {
    let Some(rule) = rule else {
        return detect(cells);
    };
    let first = cells.clone().next().unwrap_or("").trim_start_matches('\u{feff}').trim();
    if !first.starts_with(&rule.starts_with) {
        return None;
    }
    let Some(field) = rule.count else {
        return Some(Trailer::Silent);
    };
    let number = field_of(cells, field).and_then(|text| {
        // in one cell with the word, as in `Total: 1234`
        let beside = text.trim().strip_prefix(rule.starts_with.as_str());
        let beside = beside.map(|rest| rest.trim_start_matches([':', '=', ' ']));
        whole_number(text).or_else(|| whole_number(beside?))
    });
    Some(number.map_or(Trailer::NoNumber, Trailer::Count))
}

/// The text of a field, counted from 1.
pub(super) fn field_of<'a>(
    mut cells: impl Iterator<Item = &'a str>,
    field: u32,
) -> Option<&'a str> {
    cells.nth(usize::try_from(field).ok()?.checked_sub(1)?)
}

/// Recognises a trailer that no rule describes: its first word, few cells, a whole number.
fn detect<'a>(cells: impl Iterator<Item = &'a str>) -> Option<Trailer> {
    let mut filled = cells.map(str::trim).filter(|cell| !cell.is_empty());
    let first = filled.next()?.trim_start_matches('\u{feff}').trim();
    let (word, rest) = first.split_at_checked(word(first.as_bytes())?.len())?;
    let is_silent = |rest: &str| {
        let all = format!("{word}{rest}").to_ascii_lowercase();
        ENDS.contains(&all.trim_end_matches(['.', ':', ' ']))
    };
    let mut number = match number_after(rest)? {
        Number::Here(number) => Some(number),
        Number::Elsewhere => None,
    };
    let mut others = 0;
    for cell in filled {
        others += 1;
        if number.is_none() {
            number = whole_number(cell);
        }
    }
    match number {
        _ if others >= MOST_CELLS => None,
        Some(number) => Some(Trailer::Count(number)),
        None if others == 0 && is_silent(rest) => Some(Trailer::Silent),
        None => None,
    }
}

/// The word of a trailer that a cell begins with.
fn word(cell: &[u8]) -> Option<&[u8]> {
    let cell = cell.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(cell).trim_ascii_start();
    let length = cell.iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
    // most cells are names or numbers, and no word is that short
    let word = cell.get(..length).filter(|word| word.len() >= SHORTEST)?;
    WORDS.iter().any(|known| known.as_bytes().eq_ignore_ascii_case(word)).then_some(word)
}

/// The number behind a trailer's word in the same cell; `None` when what stands there belongs to no
/// trailer.
fn number_after(rest: &str) -> Option<Number> {
    let is_gap = |letter: char| letter.is_whitespace() || ":=#-_.()".contains(letter);
    let mut rest = rest.trim_start_matches(is_gap);
    loop {
        let length = rest.find(|letter: char| !letter.is_alphabetic()).unwrap_or(rest.len());
        let (word, after) = rest.split_at_checked(length)?;
        if word.is_empty() {
            break;
        }
        if !FILLERS.iter().any(|filler| filler.eq_ignore_ascii_case(word)) {
            return None;
        }
        rest = after.trim_start_matches(is_gap);
    }
    let rest = rest.trim_end_matches(is_gap);
    if rest.is_empty() { Some(Number::Elsewhere) } else { whole_number(rest).map(Number::Here) }
}

/// Where the number of a trailer stands.
enum Number {
    /// In the cell of its word.
    Here(u64),
    /// In another cell, if anywhere.
    Elsewhere,
}

/// A whole number, with leading zeros or thousands marked as in `1,234`.
fn whole_number(cell: &str) -> Option<u64> {
    let cell = cell.trim();
    let is_mark = |letter: char| matches!(letter, ',' | '.' | '\'' | ' ' | '\u{a0}' | '\u{202f}');
    let mut groups = cell.split(is_mark);
    let first = groups.next()?;
    let is_digits = |group: &str| !group.is_empty() && group.bytes().all(|b| b.is_ascii_digit());
    let mut digits = first.to_owned();
    for group in groups {
        if group.len() != 3 || first.len() > 3 {
            return None;
        }
        digits.push_str(group);
    }
    if is_digits(&digits) && is_digits(first) { digits.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn detected(cells: &[&str]) -> Option<Trailer> {
        let found = read(None, cells.iter().copied());
        let first = cells.iter().find(|cell| !cell.trim().is_empty());
        let may = first.is_some_and(|cell| may_begin(None, cell.as_bytes()));
        assert!(found.is_none() || may, "{cells:?}");
        found
    }

    #[test]
    fn rows_that_count_are_known_by_their_word_and_number() {
        for cells in [
            &["TRL", "0001234"][..],
            &["Total: 1234", "", ""],
            &["TRL0001234"],
            &["Grand Total", "", "1.234"],
            &["Total records = 1,234"],
            &["Summe", "1234"],
            &["", "Anzahl Mitarbeiter:", "1234"],
            &["Number of rows (1234)"],
            &["TRAILER", "1234", "20240301", "99887766"],
            &["\u{feff}EOF", "1234"],
        ] {
            assert_eq!(detected(cells), Some(Trailer::Count(1234)), "{cells:?}");
        }
        assert_eq!(detected(&["EOF"]), Some(Trailer::Silent));
        assert_eq!(detected(&["End of file", "", ""]), Some(Trailer::Silent));
    }

    #[test]
    fn no_word_is_shorter_than_the_shortest() {
        assert_eq!(WORDS.iter().map(|word| word.len()).min(), Some(SHORTEST));
    }

    #[test]
    fn people_are_no_trailers() {
        for cells in [
            &["100457", "Ann", "Lee"][..],
            &["E123", "Total", "7"],
            &["Total", "Ann", "Lee"],
            &["Total Quality", "12"],
            &["Endres", "12"],
            &["Count", "a", "b", "c", "d", "e", "7"],
            &["Total", "12.5"],
            &["", "", ""],
            &["\u{feff}", "TRL"],
            &[],
        ] {
            assert_eq!(detected(cells), None, "{cells:?}");
        }
    }

    #[test]
    fn a_rule_says_where_the_number_stands() {
        let rule = TrailerConfig { starts_with: "T".to_owned(), count: Some(3), total: None };
        let read = |cells: &[&str]| read(Some(&rule), cells.iter().copied());
        assert_eq!(read(&["T|", "x", "007"]), Some(Trailer::Count(7)));
        assert_eq!(read(&["T", "7"]), Some(Trailer::NoNumber));
        assert_eq!(read(&["1", "T", "7"]), None);
    }

    proptest::proptest! {
        #[test]
        fn no_cells_make_it_panic(cells in proptest::collection::vec("(Total|TRL|\u{feff})?\\PC{0,12}", 0..6)) {
            let cells: Vec<&str> = cells.iter().map(String::as_str).collect();
            detected(&cells);
        }
    }
}
