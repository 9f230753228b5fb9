//! Which column means what: names first, values second, and each column for one thing.

use std::collections::BTreeMap;

use crate::domain::fold_header;
use crate::mapping::propose::active::{StatusWords, status_words};
use crate::mapping::propose::dates::DateVerdict;
use crate::mapping::propose::lexicon::{EXACT, LEAST, Lexicon, Meaning, NameMatch};
use crate::mapping::propose::lines;
use crate::mapping::propose::proposal::Proposal;
use crate::mapping::propose::sample::{ColumnSample, TableSample};
use crate::mapping::propose::sensitive::is_sensitive;

/// What values alone are worth where the name says nothing: a proposal with a doubt.
pub(super) const BY_VALUES: u32 = 50;
/// Of the meanings of one name, those so much weaker than the best are not meant.
const WEAKER: u32 = 15;
/// What a worker id gains by never standing twice, and loses by gaps.
const UNIQUE: u32 = 8;
const GAPS: u32 = 15;
/// A name that is no more than this sure leaves a doubt.
pub(super) const SURE: u32 = 80;
/// Fewer rows than this prove nothing by their values alone.
const FEW_ROWS: u64 = 3;

/// A column that could mean something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Candidate {
    pub(super) column: usize,
    pub(super) score: u32,
}

/// The columns of a file and what was decided about them.
pub(super) struct Choice<'t> {
    pub(super) table: &'t TableSample,
    pub(super) lexicon: Lexicon,
    /// Columns that may be read: with a name of their own that is not sensitive.
    pub(super) usable: Vec<bool>,
    chosen: BTreeMap<Meaning, Candidate>,
    candidates: BTreeMap<Meaning, Vec<Candidate>>,
}

/// Proposes a mapping for a file from its headers and values.
#[must_use]
pub fn propose(table: &TableSample) -> Proposal {
    lines::write(&Choice::new(table))
}

impl<'t> Choice<'t> {
    fn new(table: &'t TableSample) -> Self {
        let usable = table.columns().iter().map(|column| is_usable(column, table)).collect();
        let mut choice = Self {
            table,
            lexicon: Lexicon::new(),
            usable,
            chosen: BTreeMap::new(),
            candidates: BTreeMap::new(),
        };
        let names = choice.names();
        choice.choose_id(&names);
        choice.choose_manager(&names);
        choice.choose_others(&names);
        choice
    }

    /// The column chosen for a meaning.
    pub(super) fn column(&self, meaning: Meaning) -> Option<&'t ColumnSample> {
        self.chosen(meaning).and_then(|chosen| self.table.columns().get(chosen.column))
    }

    pub(super) fn chosen(&self, meaning: Meaning) -> Option<Candidate> {
        self.chosen.get(&meaning).copied()
    }

    /// Columns that could have had a meaning and have no other.
    pub(super) fn rivals(&self, meaning: Meaning) -> Vec<&'t ColumnSample> {
        let own = self.chosen(meaning).map(|chosen| chosen.column);
        let taken = |column: usize| self.chosen.values().any(|chosen| chosen.column == column);
        let all = self.candidates.get(&meaning).map(Vec::as_slice).unwrap_or_default();
        let free = all.iter().filter(|rival| Some(rival.column) != own && !taken(rival.column));
        free.filter_map(|rival| self.table.columns().get(rival.column)).collect()
    }

    /// Whether another column has as good a claim.
    pub(super) fn is_contested(&self, meaning: Meaning) -> bool {
        let Some(chosen) = self.chosen(meaning) else { return false };
        let all = self.candidates.get(&meaning).map(Vec::as_slice).unwrap_or_default();
        let taken = |column: usize| self.chosen.values().any(|other| other.column == column);
        all.iter().any(|rival| !taken(rival.column) && rival.score + 5 >= chosen.score)
    }

    /// What each column's name can mean.
    fn names(&self) -> Vec<Vec<NameMatch>> {
        let mut names: Vec<Vec<NameMatch>> = Vec::new();
        for (column, usable) in self.table.columns().iter().zip(&self.usable) {
            let mut found =
                if *usable { self.lexicon.meanings(&column.header) } else { Vec::new() };
            if let Some(manager) = found.iter().find(|name| name.meaning == Meaning::Manager) {
                // what belongs to the manager is not the worker's
                found = vec![*manager];
            }
            let best = found.iter().map(|name| name.score).max().unwrap_or(0);
            found.retain(|name| name.score >= LEAST && name.score + WEAKER > best);
            names.push(found);
        }
        settle_names(&mut names);
        names
    }

    fn choose_id(&mut self, names: &[Vec<NameMatch>]) {
        let mut candidates = Vec::new();
        for (index, column) in self.usable_columns() {
            let by_name = score(names, index, Meaning::WorkerId);
            let is_full = column.filled == self.table.rows();
            let is_code = column.is_most(column.codes) && column.emails == 0;
            let score = match by_name {
                Some(score) if column.filled > 0 && column.emails == 0 => score,
                None if is_full
                    && is_code
                    && column.is_unique()
                    && self.table.rows() >= FEW_ROWS
                    && names.get(index).is_some_and(Vec::is_empty)
                    && column.date_verdict() == DateVerdict::None =>
                {
                    BY_VALUES
                }
                _ => continue,
            };
            let gain = if column.is_unique() { UNIQUE } else { 0 } + u32::from(is_code);
            let loss = if is_full { 0 } else { GAPS };
            candidates
                .push(Candidate { column: index, score: (score + gain).saturating_sub(loss) });
        }
        self.decide(Meaning::WorkerId, candidates);
    }

    /// A manager is named by a worker's id, so the values decide: a column of names is none.
    fn choose_manager(&mut self, names: &[Vec<NameMatch>]) {
        let Some(id) = self.column(Meaning::WorkerId) else { return };
        let own = self.chosen(Meaning::WorkerId).map(|chosen| chosen.column);
        let mut candidates = Vec::new();
        for (index, column) in self.usable_columns().filter(|(index, _)| Some(*index) != own) {
            let covered = id.covers(column);
            let by_name = score(names, index, Meaning::Manager);
            let is_code = column.is_most(column.codes);
            let score = match by_name {
                Some(score) if column.filled == 0 && score == EXACT => score,
                // values that are workers' ids leave no doubt about the name
                Some(score) if is_code && covered >= 50 => score.max(SURE) + UNIQUE,
                Some(score) if is_code && column.filled > 0 => score,
                None if names.get(index).is_some_and(Vec::is_empty)
                    && covered >= 90
                    && is_code
                    && column.longest >= 3
                    && column.distinct.len() > 1
                    && column.distinct.len() * 2 < id.distinct.len() =>
                {
                    BY_VALUES
                }
                _ => continue,
            };
            candidates.push(Candidate { column: index, score });
        }
        self.decide(Meaning::Manager, candidates);
    }

    fn choose_others(&mut self, names: &[Vec<NameMatch>]) {
        let mut all: Vec<(Meaning, Candidate)> = Vec::new();
        for (column, sample) in self.usable_columns() {
            let found = names.get(column).map(Vec::as_slice).unwrap_or_default();
            for name in found.iter().filter(|name| fits(name.meaning, sample, name.score)) {
                all.push((name.meaning, Candidate { column, score: name.score }));
            }
            if found.is_empty() && sample.filled >= FEW_ROWS {
                let by_values = meaning_of_values(sample);
                all.extend(
                    by_values.map(|meaning| (meaning, Candidate { column, score: BY_VALUES })),
                );
            }
        }
        all.retain(|(meaning, _)| !matches!(meaning, Meaning::WorkerId | Meaning::Manager));
        // the surest first, then in the order of the file
        all.sort_by_key(|(meaning, candidate)| {
            (100 - candidate.score.min(100), candidate.column, *meaning)
        });
        for (meaning, candidate) in &all {
            self.candidates.entry(*meaning).or_default().push(*candidate);
            let is_taken = self.chosen.values().any(|chosen| chosen.column == candidate.column);
            if !is_taken {
                self.chosen.entry(*meaning).or_insert(*candidate);
            }
        }
    }

    fn decide(&mut self, meaning: Meaning, mut candidates: Vec<Candidate>) {
        candidates.sort_by_key(|candidate| (u32::MAX - candidate.score, candidate.column));
        if let Some(best) = candidates.first() {
            self.chosen.insert(meaning, *best);
        }
        self.candidates.insert(meaning, candidates);
    }

    fn usable_columns(&self) -> impl Iterator<Item = (usize, &'t ColumnSample)> {
        let columns = self.table.columns().iter().enumerate().zip(&self.usable);
        columns.filter(|(_, usable)| **usable).map(|(column, _)| column)
    }
}

/// A column without a name, or with another one's name, cannot be mapped.
fn is_usable(column: &ColumnSample, table: &TableSample) -> bool {
    let name = fold_header(&column.header);
    let namesakes =
        table.columns().iter().filter(|other| fold_header(&other.header) == name).count();
    let holds_accounts = column.filled > 0 && column.is_most(column.ibans);
    !name.is_empty() && namesakes == 1 && !is_sensitive(&column.header) && !holds_accounts
}

fn score(names: &[Vec<NameMatch>], column: usize, meaning: Meaning) -> Option<u32> {
    let found = names.get(column)?.iter().find(|name| name.meaning == meaning);
    found.map(|name| name.score)
}

/// "Name", "Nom" and "Nome" mean one thing alone and another beside a column with the other half of
/// the name.
fn settle_names(names: &mut [Vec<NameMatch>]) {
    let has = |names: &[Vec<NameMatch>], wanted: Meaning| {
        names.iter().any(|found| {
            let is_open = found.iter().any(|name| name.meaning == Meaning::SomeName);
            !is_open && found.iter().any(|name| name.meaning == wanted)
        })
    };
    let (given, family) = (has(names, Meaning::GivenName), has(names, Meaning::FamilyName));
    for found in names.iter_mut() {
        let Some(open) = found.iter().find(|name| name.meaning == Meaning::SomeName).copied()
        else {
            continue;
        };
        let can_be_given = found.iter().any(|name| name.meaning == Meaning::GivenName);
        let meaning = match (given, family) {
            (true, false) => Meaning::FamilyName,
            (false, true) if can_be_given => Meaning::GivenName,
            _ => Meaning::FullName,
        };
        *found = vec![NameMatch { meaning, score: open.score }];
    }
}

/// Whether the values can be what the name says.
fn fits(meaning: Meaning, column: &ColumnSample, score: u32) -> bool {
    if column.filled == 0 {
        return score == EXACT
            && !matches!(meaning, Meaning::Active | Meaning::Inactive | Meaning::IsPrimary);
    }
    let share = |count: u64, percent: u64| count * 100 >= column.filled * percent;
    match meaning {
        Meaning::WorkerId | Meaning::Manager => false,
        Meaning::Email | Meaning::PrincipalName => share(column.emails, 80),
        Meaning::Login => !column.is_most(column.phones) || column.is_most(column.digits),
        Meaning::Active | Meaning::Inactive => {
            status_words(column).is_some_and(|words| words.knows_any())
        }
        Meaning::IsPrimary => status_words(column).is_some_and(|words| words.is_flag()),
        Meaning::GivenName
        | Meaning::FamilyName
        | Meaning::NameInfix
        | Meaning::SecondFamilyName
        | Meaning::MiddleName
        | Meaning::FullName
        | Meaning::SomeName
        | Meaning::NickName => share(column.words, 80),
        Meaning::JobTitle | Meaning::City | Meaning::Region => share(column.words, 50),
        Meaning::Phone | Meaning::Mobile => share(column.phones, 70),
        Meaning::Language => share(column.languages, 80),
        Meaning::HireDate | Meaning::EndDate | Meaning::ValidFrom => {
            column.typed_dates > 0 || column.date_verdict() != DateVerdict::None
        }
        Meaning::WorkerType
        | Meaning::Street
        | Meaning::PostalCode
        | Meaning::Country
        | Meaning::CostCenter
        | Meaning::Organization
        | Meaning::Division
        | Meaning::Department => column.emails == 0,
    }
}

/// What values say by themselves.
fn meaning_of_values(column: &ColumnSample) -> Option<Meaning> {
    if column.is_most(column.emails) {
        return Some(Meaning::Email);
    }
    status_words(column).filter(StatusWords::is_status).map(|_| Meaning::Active)
}
