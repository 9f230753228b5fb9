//! What is no data in a table: a header that comes again, a trailer that counts.
//!
//! Exports are joined into one file, and then there is a header in the middle of it; systems that
//! know files get cut write a last row that says how many rows there should be. Neither is a
//! person. This is for tables of every kind, text and workbooks; a reader shows each row here and
//! leaves out what is set aside.

use crate::domain::{ColumnKind, ColumnUse, Place, Row, fold_header};
use crate::source::frame::names::Names;
use crate::source::frame::tally::Tally;
use crate::source::frame::trailer;
use crate::source::notes::Notes;
use crate::source::{Completeness, Finding, SourceError, TrailerConfig};

/// What a row is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// Data.
    Data,
    /// No data: it was dealt with.
    Aside,
}

/// Watches the rows of one table.
#[derive(Debug)]
pub struct Frame {
    /// The file, and the sheet where there is one.
    place: Place,
    headers: Vec<String>,
    names: Names,
    /// The column by which most rows are seen to be data.
    probe: usize,
    rule: Option<TrailerConfig>,
    /// The column that the trailer sums up.
    summed: Option<usize>,
    tally: Tally,
    notes: Notes,
}

impl Frame {
    /// Begins a table with its headers; `columns` are the mapped ones, `trailer` is the config's
    /// rule (without one, trailers are known by their first word).
    ///
    /// # Errors
    ///
    /// When the trailer sums up a column that the header does not have.
    pub fn new(
        place: Place,
        headers: &[String],
        columns: &[ColumnUse],
        trailer: Option<&TrailerConfig>,
    ) -> Result<Self, SourceError> {
        let headers: Vec<String> =
            headers.iter().map(|header| fold_header(header).into_owned()).collect();
        let position = |name: &str| {
            let name = fold_header(name);
            headers.iter().position(|header| *header == name)
        };
        let id = columns.iter().find(|column| column.kind == ColumnKind::Id);
        let probe = id.and_then(|column| position(&column.name)).unwrap_or(0);
        let total = trailer.and_then(|rule| rule.total.as_ref());
        let summed = match total {
            Some((_, column)) => Some(position(column).ok_or_else(|| {
                SourceError::refused(
                    "source.missing-columns",
                    place.clone(),
                    format!("the header has no column `{column}`, which the trailer sums up"),
                    "correct `complete.trailer`, or export the column",
                )
            })?),
            None => None,
        };
        Ok(Self {
            names: Names::new(&headers, columns),
            place,
            headers,
            probe,
            rule: trailer.cloned(),
            summed,
            tally: Tally::new(summed.is_some()),
            notes: Notes::default(),
        })
    }

    /// Looks at the next row, also at one with too few or too many cells.
    ///
    /// # Errors
    ///
    /// When it is another header, a trailer that contradicts the rows before it, or data after a
    /// trailer.
    pub fn look(&mut self, row: &Row<'_>) -> Result<Look, SourceError> {
        if self.pass(row.len(), |cell| row.cell(cell).as_bytes()) {
            return Ok(Look::Data);
        }
        self.look_closely(row)
    }

    /// Notes a row that cannot be read at all; it counts like any other.
    ///
    /// # Errors
    ///
    /// When it comes after a trailer.
    pub fn unreadable(&mut self, row: u64, line: Option<u64>) -> Result<(), SourceError> {
        self.data(row, line, None)
    }

    /// Lets a row through that is data at first sight, and counts it; false when it takes
    /// [`look_closely`](Self::look_closely) to say. `len` is its number of cells.
    pub(in crate::source) fn pass<'a>(
        &mut self,
        len: usize,
        cell: impl Fn(usize) -> &'a [u8],
    ) -> bool {
        let first = cell(0);
        let probe = cell(self.probe);
        // a header's name may have a digit, but then it is one of ours
        let is_data = probe.contains(&b'@')
            || (probe.iter().any(u8::is_ascii_digit) && !self.names.may_have(probe));
        let is_plain = first.first().is_some_and(u8::is_ascii_graphic)
            && !trailer::may_begin(self.rule.as_ref(), first);
        if !is_data || !is_plain || self.tally.trailer_at().is_some() {
            return false;
        }
        let summed = self.summed.filter(|_| len == self.headers.len()).map(cell);
        self.tally.count(summed);
        true
    }

    pub(in crate::source) fn look_closely(&mut self, row: &Row<'_>) -> Result<Look, SourceError> {
        match self.header(row) {
            Header::None => {}
            Header::Same => {
                self.notes.push(|| Finding {
                    code: "source.repeated-header",
                    place: self.place.clone().at_row(row.row, row.line),
                    message: "the header comes again here and was left out; the file seems to be \
                              made of several exports"
                        .to_owned(),
                    is_odd: true,
                });
                self.tally.begin_part();
                return Ok(Look::Aside);
            }
            Header::Other => return Err(self.second_header(row)),
        }
        let rule = self.rule.as_ref();
        if let Some(trailer) = trailer::read(rule, (0..row.len()).map(|cell| row.cell(cell))) {
            let place = self.place.clone().at_row(row.row, row.line);
            self.tally.judge(trailer, rule, row, place, &mut self.notes)?;
            return Ok(Look::Aside);
        }
        let is_whole = row.len() == self.headers.len();
        let summed = self.summed.filter(|_| is_whole).map(|cell| row.cell(cell).as_bytes());
        self.data(row.row, row.line, summed)?;
        Ok(Look::Data)
    }

    fn data(
        &mut self,
        row: u64,
        line: Option<u64>,
        summed: Option<&[u8]>,
    ) -> Result<(), SourceError> {
        if let Some(trailer) = self.tally.trailer_at() {
            return Err(SourceError::refused(
                "source.data-after-trailer",
                self.place.clone().at_row(row, line),
                format!("data follows the trailer in row {}", trailer.row.unwrap_or_default()),
                "two exports may have been joined: export the file again, or say with \
                 `complete.trailer` how the trailer begins",
            ));
        }
        self.tally.count(summed);
        Ok(())
    }

    fn header(&self, row: &Row<'_>) -> Header {
        let first = row.cell(0);
        let has_mark = first.starts_with('\u{feff}');
        let cell = |at: usize| match row.cell(at) {
            // a quote behind the mark was no quote to the reader
            cell if has_mark && at == 0 => cell.trim_start_matches('\u{feff}').trim_matches('"'),
            cell => cell,
        };
        let (mut filled, mut names, mut has_digits) = (0_usize, 0_usize, false);
        for at in 0..row.len() {
            let cell = cell(at);
            if cell.is_empty() {
                continue;
            }
            filled += 1;
            names += usize::from(self.names.has(cell));
            has_digits |= cell.bytes().any(|byte| byte.is_ascii_digit());
            // too few names can still come for most to be names
            if !has_mark && (filled - names) * 2 > row.len() {
                return Header::None;
            }
        }
        let is_same = names == filled
            && names > 0
            && row.len() == self.headers.len()
            && self.headers.iter().enumerate().all(|(at, header)| fold_header(cell(at)) == *header);
        if is_same {
            Header::Same
        } else if (names >= 2 && names * 2 > filled)
            || (has_mark && filled >= 2 && (names > 0 || !has_digits))
        {
            Header::Other
        } else {
            Header::None
        }
    }

    fn second_header(&self, row: &Row<'_>) -> SourceError {
        SourceError::refused(
            "source.second-header",
            self.place.clone().at_row(row.row, row.line),
            "another header stands here, with other columns than the first",
            "the file is made of several exports: give each of them a file of its own",
        )
    }

    /// Whether the table is known to be whole, when its last row was looked at.
    #[must_use]
    pub fn completeness(&self) -> Completeness {
        if self.tally.is_proven() { Completeness::Proven } else { Completeness::Unproven }
    }

    /// What was noticed; complete when the last row was looked at.
    #[must_use]
    pub fn findings(&self) -> Vec<Finding> {
        let mut findings = self.notes.findings();
        if let (Some(rule), None) = (&self.rule, self.tally.trailer_at()) {
            findings.push(Finding {
                code: "source.no-trailer",
                place: self.place.clone(),
                message: format!("the last row does not begin with `{}`", rule.starts_with),
                is_odd: true,
            });
        }
        findings
    }
}

enum Header {
    None,
    Same,
    Other,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Shows rows, given as texts with `;`, to a frame with these headers.
    fn watch(
        headers: &str,
        rows: &[&str],
        rule: Option<&TrailerConfig>,
    ) -> Result<(Vec<Look>, Frame), String> {
        let headers: Vec<String> = headers.split(';').map(str::to_owned).collect();
        let columns = [("WorkerID", ColumnKind::Id), ("WorkEmail", ColumnKind::Text)]
            .map(|(name, kind)| ColumnUse { name: name.to_owned(), optional: false, kind });
        let mut frame = Frame::new(Place::file("hr.csv"), &headers, &columns, rule).unwrap();
        let mut looks = Vec::new();
        for (number, row) in (2..).zip(rows) {
            let (mut text, mut ends) = (String::new(), Vec::new());
            for cell in row.split(';') {
                text.push_str(cell);
                ends.push(text.len());
            }
            let row = Row::new(&text, &ends, number, None);
            looks.push(frame.look(&row).map_err(|error| error.to_string())?);
        }
        Ok((looks, frame))
    }

    fn looks(headers: &str, rows: &[&str]) -> (Vec<Look>, Completeness, Vec<Finding>) {
        let (looks, frame) = watch(headers, rows, None).unwrap();
        (looks, frame.completeness(), frame.findings())
    }

    fn refusal(headers: &str, rows: &[&str]) -> String {
        watch(headers, rows, None).unwrap_err()
    }

    const HEADERS: &str = "WorkerID;Name;WorkEmail";

    #[test]
    fn the_same_header_again_is_left_out_and_told() {
        for again in [
            "WorkerID;Name;WorkEmail",
            "\u{feff}WorkerID;Name;WorkEmail",
            "\u{feff}\"WorkerID\";Name;WorkEmail",
            "workerid ;NAME;Work\u{200b}Email",
        ] {
            let (looks, completeness, findings) = looks(HEADERS, &["1;a;x", again, "2;b;y"]);
            assert_eq!(looks, [Look::Data, Look::Aside, Look::Data], "{again}");
            assert_eq!(completeness, Completeness::Unproven);
            assert_eq!(findings.len(), 1);
            assert_eq!(findings[0].code, "source.repeated-header");
            assert_eq!((findings[0].place.row, findings[0].is_odd), (Some(3), true));
        }
    }

    #[test]
    fn another_header_refuses_the_file() {
        for other in [
            "WorkerID;WorkEmail;Phone",
            "Name;WorkerID",
            "Phone;Name;WorkerID;WorkEmail;",
            "\u{feff}Phone;City;Street",
        ] {
            let refusal = refusal(HEADERS, &["1;a;x", other]);
            assert!(refusal.starts_with("hr.csv, row 3: another header stands here"), "{refusal}");
        }
    }

    #[test]
    fn people_with_odd_names_are_data() {
        let rows = ["Name;a;b", ";Name;", "jsmith;Name;x", "worker;Total;5", "\u{feff}7;a;b", ";;"];
        let (looks, _, findings) = looks(HEADERS, &rows);
        assert_eq!(looks, [Look::Data; 6]);
        assert!(findings.is_empty());
    }

    #[test]
    fn a_trailer_that_counts_right_proves_the_rows() {
        let (seen, completeness, findings) = looks(HEADERS, &["1;a;x", "2;b;y;z", "TRL;0000002"]);
        assert_eq!(seen, [Look::Data, Look::Data, Look::Aside]);
        assert_eq!(completeness, Completeness::Proven);
        assert_eq!(findings[0].message, "the trailer counts 2 rows, and they are there");
        let (_, completeness, _) = looks(HEADERS, &["1;a;x", "Total: 1;;", "EOF;;"]);
        assert_eq!(completeness, Completeness::Proven);
        assert_eq!(looks(HEADERS, &["1;a;x", "EOF"]).1, Completeness::Unproven);
    }

    #[test]
    fn a_trailer_that_counts_wrong_or_stands_too_early_refuses_the_file() {
        assert_eq!(
            refusal(HEADERS, &["1;a;x", "TRL;0001234"]),
            "hr.csv, row 3: the trailer says 1234 rows, and 1 stand before it"
        );
        assert_eq!(
            refusal(HEADERS, &["1;a;x", "TRL;1", "2;b;y"]),
            "hr.csv, row 4: data follows the trailer in row 3"
        );
    }

    #[test]
    fn joined_exports_are_counted_each_by_its_own_trailer_or_all_by_the_last() {
        let again = HEADERS;
        let all = |rows: &[&str]| looks(HEADERS, rows).1;
        assert_eq!(
            all(&["1;a;x", "TRL;1", again, "2;b;y", "3;c;z", "TRL;2"]),
            Completeness::Proven
        );
        assert_eq!(all(&["1;a;x", again, "2;b;y", "3;c;z", "TRL;3"]), Completeness::Proven);
        assert_eq!(all(&["1;a;x", again, "2;b;y", "3;c;z", "TRL;2"]), Completeness::Unproven);
        assert_eq!(all(&["1;a;x", "TRL;1", again, "2;b;y"]), Completeness::Unproven);
    }

    #[test]
    fn a_rule_says_what_a_trailer_is_and_what_it_sums_up() {
        let total = Some((3, "WorkerID".to_owned()));
        let rule = TrailerConfig { starts_with: "9|".to_owned(), count: Some(2), total };
        let run = |rows: &[&str]| {
            let watched = watch(HEADERS, rows, Some(&rule));
            watched.map(|(_, frame)| (frame.completeness(), frame.findings()))
        };
        let (completeness, _) = run(&["007;a;x", "E-35;b;y", "9|;2;42"]).unwrap();
        assert_eq!(completeness, Completeness::Proven);
        assert_eq!(
            run(&["007;a;x", "E-35;b;y", "9|;2;43"]).unwrap_err(),
            "hr.csv, row 4: the trailer's sum of `WorkerID` is not 42, the sum of the rows before it"
        );
        let (completeness, findings) = run(&["007;a;x", "E-35;b;y;z", "9|;2;7"]).unwrap();
        assert_eq!(completeness, Completeness::Unproven);
        assert!(findings[0].message.contains("cannot be checked: 1 rows"));
        let (completeness, findings) = run(&["007;a;x", "Total;b;1"]).unwrap();
        assert_eq!(completeness, Completeness::Unproven);
        assert_eq!(findings[0].code, "source.no-trailer");
    }

    proptest::proptest! {
        #[test]
        fn no_rows_make_it_panic(
            rows in proptest::collection::vec("(\u{feff}|WorkerID|Name|TRL|[0-9;\"]|\\PC){0,12}", 0..8)
        ) {
            let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
            let _ = watch(HEADERS, &rows, None);
        }
    }
}
