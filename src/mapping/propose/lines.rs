//! From the chosen columns to the lines of a mapping.

use crate::domain::fold_header;
use crate::mapping::propose::choose::{BY_VALUES, Choice, SURE};
use crate::mapping::propose::lexicon::Meaning;
use crate::mapping::propose::proposal::{Alternative, Doubt, Proposal, ProposedLine, Unmapped};
use crate::mapping::propose::sample::ColumnSample;
use crate::mapping::propose::sensitive::is_sensitive;
use crate::mapping::propose::toml::shortened;
use crate::mapping::propose::{active, person, rows, times};
use crate::mapping::{RuleConfig, ValueSource};

/// Most other columns that a doubt names.
const MOST_RIVALS: usize = 4;
/// Longest `employeeId`, which Entra matches by (Microsoft Graph, user resource, read 2026-11-22).
const EMPLOYEE_ID: usize = 16;

/// Attributes that are one column, with the most characters that Entra takes (Microsoft Graph, user
/// resource, read 2026-11-22), where that is known.
const PLAIN: &[(&str, Meaning, Option<usize>)] = &[
    ("title", Meaning::JobTitle, Some(128)),
    ("userType", Meaning::WorkerType, None),
    ("preferredLanguage", Meaning::Language, None),
    ("emails[type eq \"work\"].value", Meaning::Email, None),
    ("phoneNumbers[type eq \"work\"].value", Meaning::Phone, None),
    ("addresses[type eq \"work\"].streetAddress", Meaning::Street, None),
    ("addresses[type eq \"work\"].locality", Meaning::City, Some(128)),
    ("addresses[type eq \"work\"].region", Meaning::Region, Some(128)),
    ("addresses[type eq \"work\"].postalCode", Meaning::PostalCode, Some(40)),
    ("addresses[type eq \"work\"].country", Meaning::Country, Some(128)),
    ("enterprise:costCenter", Meaning::CostCenter, None),
    ("enterprise:organization", Meaning::Organization, Some(64)),
    ("enterprise:division", Meaning::Division, None),
    ("enterprise:department", Meaning::Department, Some(64)),
];

/// Writes the proposal.
pub(super) fn write(choice: &Choice<'_>) -> Proposal {
    let mut lines: Vec<ProposedLine> = Vec::new();
    let pad = pad(choice);
    lines.extend(external_id(choice, pad));
    lines.extend(person::user_name(choice));
    lines.push(active::line(choice));
    lines.extend(person::names(choice));
    for (path, meaning, most) in PLAIN {
        lines.extend(plain(choice, path, *meaning, *most));
    }
    lines.extend(manager(choice, pad));
    let mut unmapped_dates = Vec::new();
    lines.extend(times::lines(choice, &mut unmapped_dates));
    let rows = rows::several(choice);
    let mut proposal = Proposal { lines, rows, ..Proposal::default() };
    if choice.column(Meaning::WorkerId).is_none() {
        let remark = "no column looks like the id of a worker: map `externalId` by hand, to the \
                      number that never changes and is never given out twice";
        proposal.remarks.push(remark.to_owned());
    }
    if !proposal.lines.iter().any(|line| line.path == "userName") {
        let remark = "no column looks like a user name or an e-mail address, so `userName` is not \
                      mapped: Entra has to build it from other attributes";
        proposal.remarks.push(remark.to_owned());
    }
    proposal.unmapped = unmapped(choice, &proposal, &unmapped_dates);
    proposal
}

/// A rule that reads one column and knows what stands for nothing in it.
pub(super) fn from_column(column: &ColumnSample) -> RuleConfig {
    let mut rule = RuleConfig::new(ValueSource::Column(column.header.clone()));
    rule.empty_words.clone_from(&column.placeholders);
    rule
}

/// A line that reads one column, with the doubts that the way it was found leaves.
pub(super) fn line_of(
    choice: &Choice<'_>,
    path: &'static str,
    meaning: Meaning,
    rule: RuleConfig,
) -> Option<ProposedLine> {
    let column = choice.column(meaning)?;
    let score = choice.chosen(meaning)?.score;
    let mut doubts = Doubts::default();
    if score <= BY_VALUES {
        doubts.say("its name says nothing, only its values look like it");
    } else if score < SURE {
        doubts.say("its name only has something like it in it");
    }
    if choice.is_contested(meaning) {
        doubts.say("another column has as good a name");
    }
    for rival in choice.rivals(meaning).into_iter().take(MOST_RIVALS) {
        let other = RuleConfig { value: from_column(rival).value, ..rule.clone() };
        doubts.instead(format!("the column `{}`", rival.header), Some(other));
    }
    if doubts.is_raised() {
        doubts.instead("leave it out".to_owned(), None);
    }
    let sample = column.values.first().map(|value| shortened(value));
    Some(ProposedLine { path, rule, sample, note: None, doubt: doubts.end() })
}

/// Doubts of one line, gathered.
#[derive(Default)]
pub(super) struct Doubts {
    reasons: Vec<String>,
    alternatives: Vec<Alternative>,
}

impl Doubts {
    pub(super) fn say(&mut self, reason: impl Into<String>) {
        self.reasons.push(reason.into());
    }

    pub(super) fn instead(&mut self, words: String, rule: Option<RuleConfig>) {
        self.alternatives.push(Alternative { words, rule });
    }

    pub(super) const fn is_raised(&self) -> bool {
        !self.reasons.is_empty()
    }

    pub(super) fn end(self) -> Option<Doubt> {
        let Self { reasons, alternatives } = self;
        (!reasons.is_empty()).then(|| Doubt { reason: reasons.join("; "), alternatives })
    }
}

/// Adds a reason to a line that may have some already.
pub(super) fn add_doubt(line: &mut ProposedLine, reason: &str, alternatives: Vec<Alternative>) {
    match &mut line.doubt {
        Some(doubt) => {
            doubt.reason = format!("{}; {reason}", doubt.reason);
            // what was said last fits best, and "leave it out" stays at the end
            doubt.alternatives.splice(0..0, alternatives);
        }
        None => line.doubt = Some(Doubt { reason: reason.to_owned(), alternatives }),
    }
}

fn plain(
    choice: &Choice<'_>,
    path: &'static str,
    meaning: Meaning,
    most: Option<usize>,
) -> Option<ProposedLine> {
    let column = choice.column(meaning)?;
    let mut rule = from_column(column);
    let is_long = most.is_some_and(|most| column.longest > most);
    if is_long {
        (rule.max, rule.truncate) = (most, true);
    }
    let mut line = line_of(choice, path, meaning, rule)?;
    if let Some(most) = most.filter(|_| is_long) {
        line.note = Some(format!(
            "some are longer than the {most} characters that Entra takes, and are cut"
        ));
    }
    if meaning == Meaning::Street {
        line.note =
            Some("the address at work; take it out if these are private addresses".to_owned());
    }
    Some(line)
}

fn external_id(choice: &Choice<'_>, pad: Option<usize>) -> Option<ProposedLine> {
    let column = choice.column(Meaning::WorkerId)?;
    let rule = RuleConfig { pad, ..from_column(column) };
    let mut line = line_of(choice, "externalId", Meaning::WorkerId, rule.clone())?;
    if let Some(pad) = pad {
        let reason = format!(
            "some ids have leading zeros and some are too short, so zeros are put back up to {pad} digits"
        );
        let as_is = RuleConfig { pad: None, ..rule };
        let instead = Alternative { words: "as they stand".to_owned(), rule: Some(as_is) };
        add_doubt(&mut line, &reason, vec![instead]);
    }
    if column.longest > EMPLOYEE_ID {
        let reason =
            format!("some are longer than the {EMPLOYEE_ID} characters of Entra's employeeId");
        add_doubt(&mut line, &reason, Vec::new());
    }
    Some(line)
}

/// To how many digits ids have to be filled up, where a spreadsheet ate zeros of some.
fn pad(choice: &Choice<'_>) -> Option<usize> {
    let id = choice.column(Meaning::WorkerId)?;
    let is_uneven = id.leading_zeros > 0 && id.shortest < id.longest;
    (id.digits == id.filled && is_uneven).then_some(id.longest)
}

fn manager(choice: &Choice<'_>, pad: Option<usize>) -> Option<ProposedLine> {
    let column = choice.column(Meaning::Manager)?;
    let id = choice.column(Meaning::WorkerId)?;
    let lost_zeros = id.leading_zeros > 0
        && column.digits == column.filled
        && column.filled > 0
        && column.shortest < id.longest
        && column.longest <= id.longest;
    let pad = pad.or_else(|| lost_zeros.then_some(id.longest));
    let rule = RuleConfig { pad, ..from_column(column) };
    let mut line = line_of(choice, "enterprise:manager", Meaning::Manager, rule.clone())?;
    if lost_zeros {
        let as_is = RuleConfig { pad: None, ..rule };
        let instead = Alternative { words: "as they stand".to_owned(), rule: Some(as_is) };
        add_doubt(
            &mut line,
            "its ids are shorter than those of the workers, so zeros are put back",
            vec![instead],
        );
    } else if column.filled > 0 && id.covers(column) < 50 {
        let reason = "most of its values are no worker's id in this file; a manager is named by the same \
                      id as in `externalId`";
        let out = Alternative { words: "leave it out".to_owned(), rule: None };
        add_doubt(&mut line, reason, vec![out]);
    }
    Some(line)
}

fn unmapped(choice: &Choice<'_>, proposal: &Proposal, dates: &[(String, String)]) -> Vec<Unmapped> {
    let is_read = |header: &str| proposal.lines.iter().any(|line| reads(&line.rule, header));
    let names: Vec<String> = choice
        .table
        .columns()
        .iter()
        .map(|column| fold_header(&column.header).into_owned())
        .collect();
    let columns = choice.table.columns().iter().zip(&choice.usable).zip(&names);
    let mut unmapped = Vec::new();
    for ((column, usable), name) in columns {
        if is_read(&column.header) && *usable {
            continue;
        }
        let namesakes = names.iter().filter(|other| *other == name).count();
        let is_private = is_sensitive(&column.header) || column.is_most(column.ibans);
        let why = if name.is_empty() {
            Some("it has no header".to_owned())
        } else if is_private {
            Some("it looks private, so no value is shown".to_owned())
        } else if namesakes > 1 {
            Some("another column has the same name".to_owned())
        } else if let Some((_, why)) = dates.iter().find(|(header, _)| *header == column.header) {
            Some(why.clone())
        } else {
            remark(choice, column)
        };
        let sample = column.values.first().filter(|_| !is_private && *usable);
        unmapped.push(Unmapped {
            header: column.header.clone(),
            sample: sample.map(|value| shortened(value)),
            why,
        });
    }
    unmapped
}

/// Why a column that is understood is left out all the same.
fn remark(choice: &Choice<'_>, column: &ColumnSample) -> Option<String> {
    let is = |meaning| choice.column(meaning).is_some_and(|own| std::ptr::eq(own, column));
    if is(Meaning::Mobile) {
        let why = "Entra takes only work numbers from this API; map it to an attribute of your own if \
                   you need it";
        return Some(why.to_owned());
    }
    if is(Meaning::ValidFrom) || is(Meaning::IsPrimary) {
        return Some("it tells several rows of one worker apart".to_owned());
    }
    let names = choice.lexicon.meanings(&column.header);
    let is_manager = names.iter().any(|name| name.meaning == Meaning::Manager);
    (is_manager && column.filled > 0 && choice.column(Meaning::Manager).is_none()).then(|| {
        "these are no ids; Entra finds a manager by the id that `externalId` has".to_owned()
    })
}

fn reads(rule: &RuleConfig, header: &str) -> bool {
    match &rule.value {
        ValueSource::Column(column) => column == header,
        ValueSource::Template(template) => template.contains(&format!("{{{header}}}")),
        ValueSource::Between(between) => between.start == header || between.end == header,
        ValueSource::Const(_) | ValueSource::Expression(_) => false,
    }
}
