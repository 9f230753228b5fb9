//! `active`: from status words to whether the account is on.

use crate::mapping::propose::choose::{BY_VALUES, Choice};
use crate::mapping::propose::lexicon::Meaning;
use crate::mapping::propose::proposal::{Alternative, Doubt, ProposedLine};
use crate::mapping::propose::sample::ColumnSample;
use crate::mapping::propose::status::{StatusWord, status};
use crate::mapping::propose::toml::{list, shortened};
use crate::mapping::{Literal, RuleConfig, ValueSource};

/// Most words that a status has.
const MOST_WORDS: usize = 12;
const PATH: &str = "active";

/// The words of a column and what is known of them.
pub(super) struct StatusWords<'c>(Vec<(&'c str, Option<StatusWord>)>);

/// The words of a column, if it has few enough to be a status.
pub(super) fn status_words(column: &ColumnSample) -> Option<StatusWords<'_>> {
    let words = column.word_set().filter(|words| words.len() <= MOST_WORDS)?;
    let mut found: Vec<(&str, Option<StatusWord>)> = Vec::new();
    for word in words {
        // letter case is ignored by the look-up, so one entry does for both
        if !found.iter().any(|(known, _)| known.to_lowercase() == word.to_lowercase()) {
            found.push((word, status(word)));
        }
    }
    Some(StatusWords(found))
}

impl StatusWords<'_> {
    /// Whether one of the words is known.
    pub(super) fn knows_any(&self) -> bool {
        self.0.iter().any(|(_, meaning)| meaning.is_some())
    }

    /// Whether these are yes and no, or one of them.
    pub(super) fn is_flag(&self) -> bool {
        self.0.len() <= 2 && self.0.iter().any(|(_, meaning)| *meaning == Some(StatusWord::Yes))
    }

    /// Whether nobody could take these words for something else: all known, one of them long
    /// enough to mean nothing but a status.
    pub(super) fn is_status(&self) -> bool {
        let is_plain = |(word, meaning): &(&str, Option<StatusWord>)| {
            word.chars().count() > 2
                && matches!(meaning, Some(StatusWord::Active | StatusWord::Left))
        };
        self.0.iter().all(|(_, meaning)| meaning.is_some()) && self.0.iter().any(is_plain)
    }

    /// The word for yes.
    pub(super) fn yes(&self) -> Option<&str> {
        self.0.iter().find(|(_, meaning)| *meaning == Some(StatusWord::Yes)).map(|(word, _)| *word)
    }

    fn unknown(&self) -> Vec<String> {
        let unknown = self.0.iter().filter(|(_, meaning)| meaning.is_none());
        unknown.map(|(word, _)| shortened(word)).collect()
    }

    fn away(&self) -> Vec<String> {
        let away = self.0.iter().filter(|(_, meaning)| *meaning == Some(StatusWord::Away));
        away.map(|(word, _)| shortened(word)).collect()
    }

    /// The look-up table. `is_inverted`: the column asks who left.
    fn map(&self, is_inverted: bool, away: bool) -> Vec<(String, Literal)> {
        let entries = self.0.iter().filter_map(|(word, meaning)| {
            let is_active = match (*meaning)? {
                StatusWord::Active => true,
                StatusWord::Left => false,
                StatusWord::Away => away,
                StatusWord::Yes => !is_inverted,
                StatusWord::No => is_inverted,
            };
            Some(((*word).to_owned(), Literal::Boolean(is_active)))
        });
        entries.collect()
    }
}

/// The line for `active`, which a mapping must have.
pub(super) fn line(choice: &Choice<'_>) -> ProposedLine {
    for (meaning, is_inverted) in [(Meaning::Active, false), (Meaning::Inactive, true)] {
        if let Some(column) = choice.column(meaning)
            && let Some(words) = status_words(column)
        {
            return from_words(choice, meaning, column, &words, is_inverted);
        }
    }
    let mut line = ProposedLine {
        path: PATH,
        rule: RuleConfig::new(ValueSource::Const(Literal::Boolean(true))),
        sample: None,
        note: None,
        doubt: None,
    };
    let reason = "no column holds a status, so everybody in the file would be active and nobody who \
                  leaves would be switched off; map the column that tells who works here";
    line.doubt = Some(Doubt { reason: reason.to_owned(), alternatives: Vec::new() });
    line
}

fn from_words(
    choice: &Choice<'_>,
    meaning: Meaning,
    column: &ColumnSample,
    words: &StatusWords<'_>,
    is_inverted: bool,
) -> ProposedLine {
    let rule = |away: bool| {
        let mut rule = RuleConfig::new(ValueSource::Column(column.header.clone()));
        rule.empty_words.clone_from(&column.placeholders);
        let map = words.map(is_inverted, away);
        rule.map = Some(map).filter(|map| !is_said_anyway(map));
        rule
    };
    let mut reasons = Vec::new();
    let mut alternatives = Vec::new();
    let (unknown, away) = (words.unknown(), words.away());
    if choice.chosen(meaning).is_some_and(|chosen| chosen.score <= BY_VALUES) {
        reasons.push("its name says nothing, only its words look like a status".to_owned());
    }
    if !unknown.is_empty() {
        let words = list(&unknown);
        reasons.push(format!(
            "what {words} means is not known, and its rows are rejected until `map` says so"
        ));
    }
    if !away.is_empty() {
        let words = list(&away);
        reasons.push(format!("{words} keeps the account on"));
        let words = format!("{words} switches the account off");
        alternatives.push(Alternative { words, rule: Some(rule(false)) });
    }
    if is_inverted {
        reasons.push("the column says who left, so yes means inactive".to_owned());
    }
    for rival in choice.rivals(meaning) {
        if let Some(words) = status_words(rival) {
            let mut rule = RuleConfig::new(ValueSource::Column(rival.header.clone()));
            rule.map = Some(words.map(false, true));
            alternatives.push(Alternative { words: rival.header.clone(), rule: Some(rule) });
        }
    }
    let doubt = (!reasons.is_empty()).then(|| Doubt { reason: reasons.join("; "), alternatives });
    let sample = column.values.first().map(|value| shortened(value));
    ProposedLine { path: PATH, rule: rule(true), sample, note: None, doubt }
}

/// `true` and `false` are understood without a table.
fn is_said_anyway(map: &[(String, Literal)]) -> bool {
    map.iter().all(|(word, meaning)| {
        let word = word.to_lowercase();
        matches!(meaning, Literal::Boolean(boolean) if word == boolean.to_string())
    })
}
