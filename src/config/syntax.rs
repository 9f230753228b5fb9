//! Text that is no TOML, told without quoting it.
//!
//! The parser's own message prints the line it dislikes, and that line may be a pasted secret, or
//! the middle of one. So of the line only a key or a header that this program knows is shown.

use std::ops::Range;

use crate::config::document::Document;
use crate::config::problem::{ConfigPlace, ConfigProblem, Snippet};
use crate::config::{
    as_of, credential, format, guard, http, leavers, load, rows, rule, secrets, section, server,
    source, store, target, vault,
};

/// Most syntax errors reported: after a few the parser guesses.
const MAX_ERRORS: usize = 5;

/// The problems for what the parser found.
pub(super) fn problems(document: &Document, errors: &[toml::de::Error]) -> Vec<ConfigProblem> {
    let mut problems: Vec<ConfigProblem> = Vec::new();
    for error in errors {
        let problem = problem(document, error);
        // Later errors in one line are mostly echoes of the first.
        if problems.iter().all(|earlier| line(&earlier.place) != line(&problem.place)) {
            problems.push(problem);
        }
        if problems.len() == MAX_ERRORS {
            break;
        }
    }
    problems
}

fn line(place: &ConfigPlace) -> Option<usize> {
    match place {
        ConfigPlace::Line { line, .. } => Some(*line),
        ConfigPlace::File { .. } | ConfigPlace::Variable { .. } => None,
    }
}

fn problem(document: &Document, error: &toml::de::Error) -> ConfigProblem {
    let span: Range<usize> = error.span().unwrap_or(0..0);
    let place = document.place(span.start);
    let (number, column) = match &place {
        ConfigPlace::Line { line, column, .. } => (*line, *column),
        ConfigPlace::File { .. } | ConfigPlace::Variable { .. } => (1, 1),
    };
    // The parser's words are fixed ones and quote nothing of the text.
    let what = error.message();
    let snippet = shown_part(document.raw_line(span.start)).map(|part| {
        let start = part.chars().take_while(|character| character.is_whitespace()).count();
        let width = part.trim().chars().count().max(1);
        Snippet {
            line: number,
            text: format!("{part}{}", if part.trim().starts_with('[') { "" } else { " = …" }),
            start,
            width,
        }
    });
    let (message, hint) = if what == "duplicate key" {
        ("this key or section stands here a second time".to_owned(), None)
    } else {
        let hint = what.contains("quoted").then(|| "text stands in quotes".to_owned());
        (format!("not TOML at column {column}: {what}"), hint)
    };
    ConfigProblem { place, path: String::new(), message, hint, snippet }
}

/// The part of a broken line that can be shown: a header or a key, if it is made of known words.
fn shown_part(line: &str) -> Option<&str> {
    let trimmed = line.trim();
    let is_header = trimmed.starts_with('[') && !trimmed.contains(['"', '\'', '=', ',', '{']);
    let part = if is_header { line } else { line.split_once('=')?.0 };
    let is_shown = |word: &str| is_known(word) || (is_header && section::is_name(word));
    let mut words = part.trim().trim_matches(['[', ']']).split('.').map(str::trim);
    let is_section = words.clone().next().is_some_and(|word| load::SECTIONS.contains(&word));
    ((is_section || !is_header) && words.all(is_shown)).then_some(part.trim_end())
}

/// Whether a word is a key somewhere in the config.
fn is_known(word: &str) -> bool {
    let lists = [
        load::SECTIONS,
        store::KEYS,
        http::KEYS,
        server::KEYS,
        server::TLS_KEYS,
        target::KEYS,
        target::TRACKING_KEYS,
        target::RETRY_KEYS,
        credential::KEYS,
        secrets::KEYS,
        source::KEYS,
        vault::KEYS,
        format::CSV_KEYS,
        format::XLSX_KEYS,
        format::JSON_KEYS,
        leavers::KEYS,
        leavers::COMPLETE_KEYS,
        leavers::TRAILER_KEYS,
        leavers::TOTAL_KEYS,
        guard::KEYS,
        as_of::KEYS,
        rows::KEYS,
        rows::BY_KEYS,
        rule::KEYS,
    ];
    lists.iter().any(|list| list.contains(&word))
}
