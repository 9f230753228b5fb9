//! What a call keeps ready: regular expressions, date formats, units, made once from its constants.

use regex::{Regex, RegexBuilder};

use crate::mapping::expr::net_format::{NetFormat, Purpose};
use crate::mapping::expr::replace::{self, Replacement};

/// What a call needs beside its arguments.
pub(super) enum Prepared {
    Nothing,
    Interval(Interval),
    Formats {
        /// `None`: the forms that are read unasked.
        input: Option<NetFormat>,
        output: NetFormat,
        /// Whether the date is brought to UTC.
        is_universal: bool,
    },
    Pattern(Regex),
    Replacement(Replacement),
}

impl Prepared {
    pub(super) const fn interval(&self) -> Option<Interval> {
        match self {
            Self::Interval(interval) => Some(*interval),
            _ => None,
        }
    }
}

/// A unit of `DateAdd` and `DateDiff`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Interval {
    Years,
    Months,
    Weeks,
    Days,
    Hours,
    Minutes,
    Seconds,
}

/// An argument as it stands in the expression.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Written<'a> {
    Absent,
    /// `""` or `null`.
    Empty,
    Text(&'a str),
    /// Known only when a row is there, or no text.
    Other,
}

impl<'a> Written<'a> {
    pub(super) fn of(arguments: &[Self], at: usize) -> Self {
        arguments.get(at).copied().unwrap_or(Self::Absent)
    }

    /// The constant; `""` where there is none.
    ///
    /// # Errors
    /// When it is not known beforehand.
    pub(super) fn constant(self, at: usize) -> Result<&'a str, Misuse> {
        match self {
            Self::Absent | Self::Empty => Ok(""),
            Self::Text(text) => Ok(text),
            Self::Other => Err(Misuse::new(
                at,
                "this argument has to be text written in the expression, so that it can be checked \
                 before any row",
            )),
        }
    }
}

/// An argument that cannot be right.
#[derive(Debug)]
pub(super) struct Misuse {
    pub(super) argument: usize,
    pub(super) message: String,
    pub(super) hint: Option<&'static str>,
}

impl Misuse {
    pub(super) fn new(argument: usize, message: impl Into<String>) -> Self {
        Self { argument, message: message.into(), hint: None }
    }

    pub(super) const fn hint(mut self, hint: &'static str) -> Self {
        self.hint = Some(hint);
        self
    }
}

/// Makes ready what a function needs.
pub(super) type Prepare = fn(&[Written<'_>]) -> Result<Prepared, Misuse>;

pub(super) fn interval(arguments: &[Written<'_>]) -> Result<Prepared, Misuse> {
    let text = Written::of(arguments, 0).constant(0)?;
    let interval = match text {
        "yyyy" => Interval::Years,
        "m" => Interval::Months,
        "ww" => Interval::Weeks,
        "d" => Interval::Days,
        "h" => Interval::Hours,
        "n" => Interval::Minutes,
        "s" => Interval::Seconds,
        other => {
            return Err(Misuse::new(0, format!("`{other}` is no unit of time"))
                .hint("units are yyyy, m, ww, d, h, n (minutes) and s"));
        }
    };
    Ok(Prepared::Interval(interval))
}

/// Styles of `DateTimeStyles` that change nothing here: blanks never count, and a text without an
/// offset is taken for UTC.
const HARMLESS_STYLES: [&str; 7] = [
    "None",
    "RoundtripKind",
    "AssumeUniversal",
    "AllowWhiteSpaces",
    "AllowInnerWhite",
    "AllowLeadingWhite",
    "AllowTrailingWhite",
];

pub(super) fn formats(arguments: &[Written<'_>]) -> Result<Prepared, Misuse> {
    let styles = Written::of(arguments, 1).constant(1)?;
    let mut is_universal = false;
    for style in styles.split([',', '|']).map(str::trim).filter(|style| !style.is_empty()) {
        match style.trim_start_matches("DateTimeStyles.") {
            "AdjustToUniversal" => is_universal = true,
            style if HARMLESS_STYLES.contains(&style) => {}
            _ => {
                return Err(Misuse::new(1, format!("the style `{style}` is not known"))
                    .hint("write \"\", or AdjustToUniversal for UTC"));
            }
        }
    }
    let input = match Written::of(arguments, 2).constant(2)? {
        "" => None,
        format => Some(
            NetFormat::compile(format, Purpose::Read)
                .map_err(|fault| Misuse::new(2, fault).hint(FORMATS))?,
        ),
    };
    let output = match Written::of(arguments, 3).constant(3)? {
        "" => return Err(Misuse::new(3, "the format to write is empty").hint(FORMATS)),
        format => NetFormat::compile(format, Purpose::Write)
            .map_err(|fault| Misuse::new(3, fault).hint(FORMATS))?,
    };
    Ok(Prepared::Formats { input, output, is_universal })
}

const FORMATS: &str =
    "FormatDateTime(source, styles, input format, output format), with formats as `yyyy-MM-dd`";

/// Languages whose upper and lower case are not everybody's.
const OWN_CASE: [&str; 3] = ["tr", "az", "lt"];

pub(super) fn culture(arguments: &[Written<'_>]) -> Result<Prepared, Misuse> {
    let culture = Written::of(arguments, 1).constant(1)?;
    let language = culture.split(['-', '_']).next().unwrap_or("").to_ascii_lowercase();
    if OWN_CASE.contains(&language.as_str()) {
        let message = format!("the letters of `{culture}` have a case of their own");
        return Err(Misuse::new(1, message).hint("leave out the culture: case follows Unicode"));
    }
    Ok(Prepared::Nothing)
}

pub(super) fn pattern(arguments: &[Written<'_>]) -> Result<Prepared, Misuse> {
    let text = Written::of(arguments, 1).constant(1)?;
    Ok(Prepared::Pattern(regex(text, 1)?))
}

pub(super) fn replacement(arguments: &[Written<'_>]) -> Result<Prepared, Misuse> {
    replace::prepare(arguments).map(Prepared::Replacement)
}

/// Most bytes of a compiled regular expression.
const MAX_REGEX: usize = 1 << 20;

pub(super) fn regex(pattern: &str, at: usize) -> Result<Regex, Misuse> {
    RegexBuilder::new(pattern).size_limit(MAX_REGEX).dfa_size_limit(MAX_REGEX).build().map_err(
        |error| match error {
            regex::Error::CompiledTooBig(_) => {
                Misuse::new(at, format!("the regular expression takes more than {MAX_REGEX} bytes"))
                    .hint("repeat less, or spell out the letters: `[0-9]` for `\\d`")
            }
            error => {
                let text = error.to_string();
                let reason = text.lines().last().unwrap_or("").trim_start_matches("error: ");
                Misuse::new(at, format!("no regular expression: {reason}"))
                    .hint("look-around and back-references are not there")
            }
        },
    )
}
