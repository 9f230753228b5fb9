//! From what the config states to what is applied, with every mistake found on the way.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Time;
use jiff::tz::TimeZone;

use crate::domain::{ColumnKind, ColumnUse, fold_header};
use crate::mapping::between::Days;
use crate::mapping::checks::{self, Say};
use crate::mapping::date::{DateRule, formats, parse_time};
use crate::mapping::expr::Expression;
use crate::mapping::fingerprint::{Dates, Fingerprint};
use crate::mapping::finish::{Finish, Longer, Max, Output};
use crate::mapping::layout::Layout;
use crate::mapping::lint::Lint;
use crate::mapping::literal::{fixed, lookup};
use crate::mapping::rule::{Rule, Source};
use crate::mapping::standing::Conditions;
use crate::mapping::template::{self, Part};
use crate::mapping::{
    AttributeConfig, Between, Lints, MappingConfig, MappingProblem, OnEmpty, RuleConfig,
    ValueSource, purpose, warnings,
};
use crate::scim::AttributePath;

/// Attributes that every mapping must have.
const NEEDED: [(&str, &str); 2] = [
    ("externalId", "map the column with the worker's id, for example `externalId = \"WorkerID\"`"),
    (
        "active",
        "map the status, for example `active = { from = \"Status\", map = { Active = true, Inactive = false } }`",
    ),
];

/// A compiled mapping, for any number of files with its columns.
pub struct Mapping {
    layout: Layout,
    conditions: Conditions,
    columns: Vec<ColumnUse>,
    warnings: Vec<MappingProblem>,
    fingerprint: [u8; 16],
}

impl std::fmt::Debug for Mapping {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mapping").field("columns", &self.columns).finish_non_exhaustive()
    }
}

impl Mapping {
    /// Compiles a mapping; `time_zone` is the source's, needed where a date is mapped.
    ///
    /// # Errors
    /// When there is any mistake: all of them, in the order of the lines.
    pub fn compile(
        config: &MappingConfig,
        time_zone: Option<&TimeZone>,
    ) -> Result<Self, Vec<MappingProblem>> {
        Self::compile_with(config, time_zone, &Lints::default())
    }

    /// The same, with what the target is known to refuse: such values are sent with a warning.
    ///
    /// # Errors
    /// When there is any mistake: all of them, in the order of the lines.
    pub fn compile_with(
        config: &MappingConfig,
        time_zone: Option<&TimeZone>,
        lints: &Lints,
    ) -> Result<Self, Vec<MappingProblem>> {
        let mut compiler = Compiler { time_zone, lints: Some(lints), ..Compiler::default() };
        for line in &config.attributes {
            compiler.line(line);
        }
        compiler.needed();
        let conditions = compiler.conditions(config);
        compiler.finish(config, conditions)
    }

    /// What compiles, but will probably not do what somebody hopes for.
    #[must_use]
    pub fn warnings(&self) -> &[MappingProblem] {
        &self.warnings
    }

    /// The columns it reads, in the order in which the config names them first.
    #[must_use]
    pub fn columns(&self) -> &[ColumnUse] {
        &self.columns
    }

    /// A digest of its meaning: equal when only the order of lines differs, different when the same
    /// row could become other bytes.
    #[must_use]
    pub const fn fingerprint(&self) -> [u8; 16] {
        self.fingerprint
    }

    pub(super) const fn layout(&self) -> &Layout {
        &self.layout
    }

    pub(super) const fn conditions(&self) -> &Conditions {
        &self.conditions
    }
}

#[derive(Default)]
struct Compiler<'c> {
    time_zone: Option<&'c TimeZone>,
    lints: Option<&'c Lints>,
    columns: Vec<ColumnUse>,
    rules: Vec<(Rule, &'c RuleConfig, Option<Dates>)>,
    /// Canonical path to the path as written first.
    seen: BTreeMap<String, String>,
    /// What lines with an unknown path probably meant.
    meant: BTreeSet<String>,
    problems: Vec<MappingProblem>,
}

impl<'c> Compiler<'c> {
    fn line(&mut self, line: &'c AttributeConfig) {
        let path = match AttributePath::parse(&line.path) {
            Ok(path) => path,
            Err(fault) => {
                let hint =
                    fault.suggestion.as_deref().map(|meant| format!("did you mean `{meant}`?"));
                // Whoever meant a needed attribute is not told twice.
                self.meant.extend(fault.suggestion.clone());
                let mut say = Say { path: &line.path, problems: &mut self.problems };
                say.wrong(None, fault.to_string(), hint.as_deref());
                return;
            }
        };
        let mut problems = Vec::new();
        let mut say = Say { path: &line.path, problems: &mut problems };
        if let Some(first) = self.seen.insert(path.to_string(), line.path.clone()) {
            let message = if first == line.path {
                "it is mapped twice".to_owned()
            } else {
                format!("`{first}` names the same attribute")
            };
            say.wrong(None, message, Some("keep one of the two lines"));
        }
        let rule = &line.rule;
        checks::check(&path, rule, &mut say);
        let output = purpose::output(&path, rule);
        let mut source = self.source(rule, output, &mut say);
        let default =
            rule.default.as_ref().and_then(|value| fixed(value, output, "default", &mut say));
        let (mut date, dates) = match self.date(rule, &mut say) {
            Some((date, dates)) => (Some(date), Some(dates)),
            None => (None, None),
        };
        if let ValueSource::Between(between) = &rule.value {
            // its dates are read, and never written
            source = date.take().map(|date| (self.between(between, date), None));
        }
        let longer = match (rule.truncate, rule.trim) {
            (false, _) => Longer::Reject,
            (true, false) => Longer::Cut,
            (true, true) => Longer::CutAndTrim,
        };
        let max = rule.max.map(|chars| Max { chars, longer });
        let finish = Finish { date, case: rule.case, ascii: rule.ascii, max };
        let lookup = lookup(rule, output, &finish, &mut say);
        let clean = problems.is_empty();
        self.problems.append(&mut problems);
        if let Some((source, column)) = source.filter(|_| clean) {
            let part = purpose::role(&path);
            let kind = purpose::column_kind(&path, part, rule);
            self.read_as(&source, kind);
            let looked_at = self.lints.map(|target| Lint::new(&path, part, target, rule.max));
            let words = rule.empty_words.iter();
            let empty_words =
                words.map(|word| if rule.trim { word.trim() } else { word }.to_owned()).collect();
            let rule_compiled = Rule {
                role: part,
                path,
                column,
                source,
                trim: rule.trim,
                empty_words,
                default,
                required: rule.required,
                null: rule.on_empty == OnEmpty::Null,
                pad: rule.pad,
                lookup,
                finish,
                output,
                is_digits: matches!(kind, ColumnKind::Id | ColumnKind::Phone),
                lint: looked_at.unwrap_or_default(),
            };
            self.rules.push((rule_compiled, rule, dates));
        }
    }

    fn source(
        &mut self,
        rule: &RuleConfig,
        output: Output,
        say: &mut Say<'_>,
    ) -> Option<(Source, Option<String>)> {
        match &rule.value {
            ValueSource::Column(name) => {
                let name = name.trim();
                if fold_header(name).is_empty() {
                    say.wrong(Some("from"), "the column has no name", None);
                    return None;
                }
                let slot = self.slot(name, rule.optional);
                Some((Source::Column(slot), Some(name.to_owned())))
            }
            ValueSource::Template(text) => match template::parse(text) {
                Ok(parts) => {
                    let mut slots = Vec::new();
                    for part in parts {
                        slots.push(match part {
                            Part::Text(text) => Part::Text(text),
                            Part::Column(name) => Part::Column(self.slot(&name, rule.optional)),
                        });
                    }
                    Some((Source::Template(slots), None))
                }
                Err(fault) => {
                    let hint =
                        "columns stand in braces, as in `{FirstName} {LastName}`; `{{` is a brace";
                    say.wrong(Some("template"), fault.to_string(), Some(hint));
                    None
                }
            },
            ValueSource::Expression(text) => {
                let compiled = Expression::compile(text, |name| self.slot(name, rule.optional));
                let expression = compiled
                    .map_err(|fault| {
                        say.wrong(Some("expr"), fault.to_string(), fault.hint.as_deref());
                    })
                    .ok()?;
                checks::expression(&expression, rule, say);
                match expression.sole_column() {
                    Some(slot) => {
                        let name = self.columns.get(slot).map(|used| used.name.clone());
                        Some((Source::Column(slot), name))
                    }
                    None => Some((Source::Expression(Box::new(expression)), None)),
                }
            }
            ValueSource::Const(value) => {
                fixed(value, output, "const", say).map(|value| (Source::Const(value), None))
            }
            // waits for its dates
            ValueSource::Between(_) => None,
        }
    }

    fn between(&mut self, between: &Between, date: DateRule) -> Source {
        let columns = [&between.start, &between.end].map(|name| self.slot(name.trim(), false));
        Source::Between(Box::new(Days::new(between, columns, date)))
    }

    fn slot(&mut self, name: &str, optional: bool) -> usize {
        if let Some(at) = self.columns.iter().position(|used| used.name == name) {
            if let Some(used) = self.columns.get_mut(at) {
                used.optional &= optional;
            }
            return at;
        }
        self.columns.push(ColumnUse { name: name.to_owned(), optional, kind: ColumnKind::Text });
        self.columns.len() - 1
    }

    /// Notes what the columns of a value are read as.
    fn read_as(&mut self, source: &Source, kind: ColumnKind) {
        let slots: Vec<usize> = match source {
            Source::Column(slot) => vec![*slot],
            Source::Template(parts) => parts.iter().filter_map(Part::column).collect(),
            Source::Expression(expression) => expression.columns().to_vec(),
            Source::Between(days) => days.both().map(|day| day.column).to_vec(),
            Source::Const(_) => Vec::new(),
        };
        for slot in slots {
            if let Some(used) = self.columns.get_mut(slot) {
                used.kind = used.kind.max(kind);
            }
        }
    }

    fn date(&self, rule: &RuleConfig, say: &mut Say<'_>) -> Option<(DateRule, Dates)> {
        let mut time = Some(Time::midnight());
        if let Some(text) = &rule.time {
            time = parse_time(text);
            if time.is_none() {
                let hint = "as in `time = \"09:00\"`";
                say.wrong(
                    Some("time"),
                    "a time is hours and minutes of a 24-hour clock",
                    Some(hint),
                );
            }
        }
        if !rule.reads_dates() {
            return None;
        }
        let notations = rule.date_formats();
        let formats = formats(&notations, "date", say);
        let Some(zone) = self.time_zone else {
            let key = if rule.date.is_empty() { "between" } else { "date" };
            let hint = "set `time_zone` of the source, for example \"Europe/Berlin\"";
            say.wrong(Some(key), "a date needs the time zone of its source", Some(hint));
            return None;
        };
        let (formats, time) = (formats?, time?);
        let name = zone.iana_name().map_or_else(|| format!("{zone:?}"), ToOwned::to_owned);
        let dates = Dates { formats: notations, time: time.to_string(), zone: name };
        Some((DateRule::new(formats, time, zone.clone()), dates))
    }

    fn needed(&mut self) {
        for (path, hint) in NEEDED {
            if !self.seen.contains_key(path) && !self.meant.contains(path) {
                let mut say = Say { path, problems: &mut self.problems };
                say.wrong(None, "it must be mapped", Some(hint));
            }
        }
    }

    fn conditions(&mut self, config: &MappingConfig) -> Conditions {
        let (zone, mut problems) = (self.time_zone, Vec::new());
        let mut slot = |name: &str, kind| {
            let slot = self.slot(name, false);
            self.read_as(&Source::Column(slot), kind);
            slot
        };
        let conditions = Conditions::compile(config, zone, &mut slot, &mut problems);
        self.problems.append(&mut problems);
        conditions
    }

    fn finish(
        mut self,
        config: &MappingConfig,
        conditions: Conditions,
    ) -> Result<Mapping, Vec<MappingProblem>> {
        if !self.problems.is_empty() {
            return Err(self.problems);
        }
        self.rules.sort_by(|left, right| left.0.path.cmp(&right.0.path));
        let dates = self.rules.iter_mut().flat_map(|(rule, _, _)| rule.dates_mut());
        for (number, date) in dates.enumerate() {
            date.number = number;
        }
        let mut fingerprint = Fingerprint::new();
        for (rule, config, dates) in &self.rules {
            fingerprint.rule(rule, config, dates.as_ref(), |slot| {
                self.columns.get(slot).map(|used| used.name.clone()).unwrap_or_default()
            });
        }
        fingerprint.conditions(config);
        let rules = self.rules.into_iter().map(|(rule, _, _)| rule).collect();
        // Without problems there is a rule for `externalId`.
        let Some(layout) = Layout::new(rules) else {
            return Err(self.problems);
        };
        Ok(Mapping {
            layout,
            conditions,
            columns: self.columns,
            warnings: warnings::find(config),
            fingerprint: fingerprint.finish(),
        })
    }
}
