//! `folder` of a source: where its files arrive, and when one of them is whole.

use std::path::{Component, Path, PathBuf};
use std::time::Duration;

use crate::config::SourceTimeZone;
use crate::config::node::Value;
use crate::config::schedule::{self, ExpectedConfig};
use crate::config::section::{Field, Section};

pub(super) const KEYS: &[&str] = &["path", "pattern", "settle", "poll", "keep", "expected"];
/// How long a file has to stay as it is before it counts as whole. Uploads pause for some seconds.
const SETTLE: Duration = Duration::from_secs(10);
/// How often the folder is looked at.
const POLL: Duration = Duration::from_secs(5);
const EXAMPLES: &str = "write it like `workers-*.csv`: `*` is any text, `?` one character";

/// A folder that is watched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FolderConfig {
    /// Where it is.
    pub path: PathBuf,
    /// Which files are taken; one of them is enough.
    pub patterns: Vec<FilePattern>,
    /// How long a file has to stay as it is before it counts as whole.
    pub settle: Duration,
    /// How often the folder is looked at.
    pub poll: Duration,
    /// How long answered files are kept; `None`: for good.
    pub keep: Option<Duration>,
    /// When a file always comes.
    pub expected: Option<ExpectedConfig>,
}

impl FolderConfig {
    /// Whether a file of this name is meant.
    #[must_use]
    pub fn takes(&self, name: &str) -> bool {
        self.patterns.iter().any(|pattern| pattern.matches(name))
    }
}

/// A pattern of a file's name: `*` is any text, `?` one character, letters match in either case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilePattern(Vec<char>);

impl FilePattern {
    /// Reads a pattern; `None` where it has a folder in it, or a sign that other tools know.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let is_foreign = |letter: char| matches!(letter, '/' | '\\' | '[' | ']' | '{' | '}');
        if text.trim().is_empty() || text.contains(is_foreign) {
            return None;
        }
        Some(Self(text.chars().flat_map(char::to_lowercase).collect()))
    }

    /// Whether a name fits.
    #[must_use]
    pub fn matches(&self, name: &str) -> bool {
        let name: Vec<char> = name.chars().flat_map(char::to_lowercase).collect();
        let (mut pattern, mut name) = (self.0.as_slice(), name.as_slice());
        // where the last star stood, and what was left of the name then
        let mut star: Option<(&[char], &[char])> = None;
        loop {
            match (pattern.split_first(), name.split_first()) {
                (Some(('*', after)), _) => {
                    star = Some((after, name));
                    pattern = after;
                }
                (Some((one, after)), Some((letter, rest))) if *one == '?' || one == letter => {
                    (pattern, name) = (after, rest);
                }
                (None, None) => return true,
                _ => {
                    let Some((after, [_, rest @ ..])) = star else { return false };
                    star = Some((after, rest));
                    (pattern, name) = (after, rest);
                }
            }
        }
    }
}

/// Reads one folder, or a list of them.
pub(super) fn read(
    field: &Field<'_>,
    base: &Path,
    zone: Option<&SourceTimeZone>,
) -> Vec<FolderConfig> {
    let items = match &field.node.value {
        Value::Table(_) => return folder(field.part(), base, zone).into_iter().collect(),
        Value::Array(_) => field.items().unwrap_or_default(),
        _ => {
            field.wrong_type(
                "a table like { path = \"inbox\", pattern = \"*.csv\" } or a list of them",
            );
            return Vec::new();
        }
    };
    if items.is_empty() {
        field.refuse_key(format!("`{}` lists no folder", field.key), None);
    }
    items.iter().filter_map(|item| folder(item.part(), base, zone)).collect()
}

fn folder(
    section: Option<Section<'_>>,
    base: &Path,
    zone: Option<&SourceTimeZone>,
) -> Option<FolderConfig> {
    let section = section?;
    section.check_keys(KEYS);
    let path = section.require_text("path");
    let patterns = match section.get("pattern") {
        Some(field) => patterns(&field),
        None => FilePattern::parse("*").map(|all| vec![all]),
    };
    let settle = section.positive_duration_or("settle", SETTLE);
    let poll = section.positive_duration_or("poll", POLL);
    let keep = section.get("keep").map(|_| section.positive_duration_or("keep", POLL));
    let expected = section.get("expected").map(|field| schedule::expected(&field, zone));
    let expected = expected.map_or(Some(None), |expected| expected.map(Some));
    Some(FolderConfig {
        path: base.join(path?),
        patterns: patterns?,
        settle,
        poll,
        keep,
        expected: expected?,
    })
}

fn patterns(field: &Field<'_>) -> Option<Vec<FilePattern>> {
    if field.is_empty_list() {
        field.refuse_key(format!("`{}` is empty", field.key), Some(EXAMPLES.to_owned()));
        return None;
    }
    let texts = match &field.node.value {
        Value::Array(_) => field.texts()?,
        _ => vec![field.text()?],
    };
    let read: Option<Vec<_>> = texts.into_iter().map(FilePattern::parse).collect();
    if read.is_none() {
        let message = format!("`{}` is no pattern of a file's name", field.key);
        field.refuse(message, Some(EXAMPLES.to_owned()));
    }
    read
}

/// A path without `.` and without what `..` takes back, to tell two spellings of one folder.
pub(super) fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if plain.file_name().is_some() => drop(plain.pop()),
            other => plain.push(other),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn matches(pattern: &str, name: &str) -> bool {
        FilePattern::parse(pattern).expect("a pattern").matches(name)
    }

    #[test]
    fn a_star_is_any_text_and_a_question_mark_one_character() {
        for (pattern, name) in [
            ("*", "a"),
            ("*", ""),
            ("*.csv", "workers.csv"),
            ("*.csv", ".csv"),
            ("*.CSV", "Workers.csv"),
            ("wörker-??.csv", "WÖRKER-12.CSV"),
            ("a*b*c", "a-b-b-c"),
            ("a*b*c", "abcbc"),
            ("**", "x"),
            ("workers.csv", "workers.csv"),
        ] {
            assert!(matches(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in [
            ("*.csv", "workers.csv.done"),
            ("*.csv", "workers.xlsx"),
            ("?", ""),
            ("?", "ab"),
            ("a*b", "a-b-c"),
            ("workers.csv", "workers.csv2"),
        ] {
            assert!(!matches(pattern, name), "{pattern} {name}");
        }
    }

    #[test]
    fn what_means_something_to_other_tools_is_no_pattern() {
        for text in ["", " ", "in/*.csv", "in\\*.csv", "[ab].csv", "*.{csv,xlsx}"] {
            assert_eq!(FilePattern::parse(text), None, "{text}");
        }
    }

    #[test]
    fn two_spellings_of_a_folder_are_one() {
        assert_eq!(plain(Path::new("a/./b/../c")), Path::new("a/c"));
        assert_eq!(plain(Path::new("../a")), Path::new("../a"));
        assert_eq!(plain(Path::new("/a/")), Path::new("/a"));
    }
}
