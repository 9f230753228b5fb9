//! Days on which somebody comes or goes, as attributes of one's own.

use crate::mapping::RuleConfig;
use crate::mapping::propose::choose::Choice;
use crate::mapping::propose::dates::DateVerdict;
use crate::mapping::propose::lexicon::Meaning;
use crate::mapping::propose::lines::{add_doubt, from_column, line_of};
use crate::mapping::propose::proposal::{Alternative, ProposedLine};
use crate::mapping::propose::sample::ColumnSample;

const HIRE_DATE: &str = "urn:ietf:params:scim:schemas:extension:contoso:1.0:User:HireDate";
const END_DATE: &str = "urn:ietf:params:scim:schemas:extension:contoso:1.0:User:TerminationDate";

/// What is known of the dates of a column.
pub(super) struct Dates {
    /// Formats that read it.
    pub(super) formats: Vec<&'static str>,
    /// The format that would read it just as well, where nothing says which.
    pub(super) other: Option<&'static str>,
}

/// The lines for dates; what cannot be read goes to `unmapped` with the reason.
pub(super) fn lines(
    choice: &Choice<'_>,
    unmapped: &mut Vec<(String, String)>,
) -> Vec<ProposedLine> {
    let dates = [(HIRE_DATE, Meaning::HireDate), (END_DATE, Meaning::EndDate)];
    dates.into_iter().filter_map(|(path, meaning)| line(choice, path, meaning, unmapped)).collect()
}

fn line(
    choice: &Choice<'_>,
    path: &'static str,
    meaning: Meaning,
    unmapped: &mut Vec<(String, String)>,
) -> Option<ProposedLine> {
    let column = choice.column(meaning)?;
    let dates = match read(choice, column) {
        Ok(dates) => dates,
        Err(why) => {
            unmapped.push((column.header.clone(), why));
            return None;
        }
    };
    let rule = |formats: &[&str]| RuleConfig {
        date: formats.iter().map(|format| (*format).to_owned()).collect(),
        ..from_column(column)
    };
    let mut line = line_of(choice, path, meaning, rule(&dates.formats))?;
    line.note = Some(
        "an attribute of your own: declare it in the provisioning app, or take it out".to_owned(),
    );
    if let Some(other) = dates.other {
        let words = format!("`{other}`");
        let alternative = Alternative { words, rule: Some(rule(&[other])) };
        let reason = "no value says whether the day or the month comes first";
        add_doubt(&mut line, reason, vec![alternative]);
    }
    Some(line)
}

/// The formats of a column, or why it has none.
pub(super) fn read(choice: &Choice<'_>, column: &ColumnSample) -> Result<Dates, String> {
    match column.date_verdict() {
        DateVerdict::Formats(mut formats) => {
            if column.typed_dates > 0 && formats.is_empty() {
                formats.push("%Y-%m-%d");
            }
            Ok(Dates { formats, other: None })
        }
        // what other columns of the file prove is good for this one too
        DateVerdict::Either(first, second) if is_proven(choice, second) => {
            Ok(Dates { formats: vec![second], other: Some(first) }.settled(choice, second))
        }
        DateVerdict::Either(first, second) => {
            Ok(Dates { formats: vec![first], other: Some(second) }.settled(choice, first))
        }
        DateVerdict::Contradiction(first, second) => Err(format!(
            "some of its dates are `{first}` and some are `{second}`; correct the export"
        )),
        DateVerdict::None if column.typed_dates * 2 > column.filled || column.filled == 0 => {
            Ok(Dates { formats: vec!["%Y-%m-%d"], other: None })
        }
        DateVerdict::None => Err("too many of its values are no dates".to_owned()),
    }
}

impl Dates {
    fn settled(mut self, choice: &Choice<'_>, format: &str) -> Self {
        if is_proven(choice, format) {
            self.other = None;
        }
        self
    }
}

/// Whether a column of the file can be read by this format only.
fn is_proven(choice: &Choice<'_>, format: &str) -> bool {
    choice.table.columns().iter().any(|column| match column.date_verdict() {
        DateVerdict::Formats(formats) => formats.contains(&format),
        _ => false,
    })
}
