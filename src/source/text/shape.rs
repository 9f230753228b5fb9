//! What a CSV file is: its encoding, its dialect and its header, decided once from the whole file.

use std::io::{Read, Seek, SeekFrom};

use encoding_rs::{Encoding, UTF_8};

use crate::domain::{ColumnUse, Place};
use crate::source::text::dialect::{self, Dialect};
use crate::source::text::encoding;
use crate::source::text::survey::{SAMPLE_BYTES, Survey, Unicode};
use crate::source::{Finding, FormatConfig, Limits, SourceError, TrailerConfig};

/// Places that are not UTF-8 and always are a few.
const FEW_PLACES: u64 = 3;
/// One such place to so many letters is still a few.
const FEW_ONE_IN: u64 = 20;

/// What was decided about a CSV file.
#[derive(Debug, Clone)]
pub struct CsvShape {
    pub(super) encoding: &'static Encoding,
    pub(super) dialect: Dialect,
    /// Where the first places are that are not UTF-8, in bytes from the file's beginning.
    pub(super) invalid_at: Vec<u64>,
    pub(super) trailer: Option<TrailerConfig>,
    findings: Vec<Finding>,
    /// Of a guess: what the first finding is when all of the file is ASCII, and when it is not.
    guess: Option<[Finding; 2]>,
}

impl CsvShape {
    /// Looks at a whole file, from its beginning.
    ///
    /// `columns` are the mapped columns, by which the delimiter and the header are found; `file` is
    /// the name used in messages.
    ///
    /// # Errors
    ///
    /// When the bytes cannot be read, are no text, are text in an encoding that is not clear, or
    /// are more than the ceiling.
    pub fn find(
        input: &mut (impl Read + Seek),
        config: &FormatConfig,
        columns: &[ColumnUse],
        limits: Limits,
        file: &str,
    ) -> Result<Self, SourceError> {
        input.seek(SeekFrom::Start(0))?;
        let label = label(config, file)?;
        let survey = Survey::of(input, label.is_some_and(is_utf_16), limits, file)?;
        let (encoding, finding) = decide(&survey, label, file)?;
        if encoding == UTF_8 {
            // bytes that are not UTF-8 stay as they are
            let shape = Self::of(&survey.sample, encoding, finding, config, columns, file);
            return Ok(Self { invalid_at: survey.invalid_at, ..shape });
        }
        let (text, encoding, _) = encoding.decode(&survey.sample);
        Ok(Self::of(text.as_bytes(), encoding, finding, config, columns, file))
    }

    /// Guesses by the beginning of a file, as [`Begun::beginning`](crate::source::Begun::beginning)
    /// gives it, that it is UTF-8 and nothing else; `None` where it is not, or where a look at all
    /// of it is called for.
    #[must_use]
    pub fn guess(
        beginning: &[u8],
        config: &FormatConfig,
        columns: &[ColumnUse],
        limits: Limits,
        file: &str,
    ) -> Option<Self> {
        let label = label(config, file).ok()?;
        if label.is_some_and(|label| label != UTF_8) {
            return None;
        }
        // the last letter of a beginning may be cut
        let whole = match std::str::from_utf8(beginning) {
            Err(error) if beginning.len() == SAMPLE_BYTES && error.error_len().is_none() => {
                beginning.get(..error.valid_up_to())?
            }
            text => text.ok()?.as_bytes(),
        };
        let mut survey = Survey::of(&mut &*whole, false, limits, file).ok()?;
        let is_utf_8 = match survey.unicode {
            Unicode::Unmarked => true,
            Unicode::Marked(mark) => mark == UTF_8,
            Unicode::Zeros(_) => false,
        };
        if !is_utf_8 || survey.invalid > 0 {
            return None;
        }
        let mut finding = |letters| {
            survey.letters = letters;
            decide(&survey, label, file).ok().map(|(_, finding)| finding)
        };
        let guess = [finding(0)?, finding(1)?];
        let [finding, _] = guess.clone();
        let shape = Self::of(beginning, UTF_8, finding, config, columns, file);
        Some(Self { guess: Some(guess), ..shape })
    }

    /// The shape that [`find`](Self::find) would have found, once all of a file was read whose shape
    /// is a guess, and all of it is UTF-8, with letters beyond ASCII or without. `None` where the
    /// shape is no guess.
    #[must_use]
    pub fn confirmed(mut self, has_letters: bool) -> Option<Self> {
        let [without, with] = self.guess.take()?;
        *self.findings.first_mut()? = if has_letters { with } else { without };
        Some(self)
    }

    fn of(
        sample: &[u8],
        encoding: &'static Encoding,
        finding: Finding,
        config: &FormatConfig,
        columns: &[ColumnUse],
        file: &str,
    ) -> Self {
        let dialect = dialect::detect(sample, &config.csv, columns);
        let mut findings = vec![finding];
        tell(&mut findings, dialect, file);
        let trailer = config.trailer.clone();
        Self { encoding, dialect, invalid_at: Vec::new(), trailer, findings, guess: None }
    }

    /// What was decided, for whoever wants to know.
    #[must_use]
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// The encoding, by its name in the WHATWG Encoding Standard.
    #[must_use]
    pub fn encoding(&self) -> &'static str {
        self.encoding.name()
    }

    /// What separates the fields.
    #[must_use]
    pub const fn delimiter(&self) -> u8 {
        self.dialect.delimiter
    }

    /// The record that holds the headers, from 1, a line such as `sep=;` not counted.
    #[must_use]
    pub const fn header_row(&self) -> u32 {
        self.dialect.header_row
    }
}

fn decide(
    survey: &Survey,
    label: Option<&'static Encoding>,
    file: &str,
) -> Result<(&'static Encoding, Finding), SourceError> {
    let (encoding, finding) = match label {
        Some(encoding) => configured(encoding, survey, file)?,
        None => found(survey, file)?,
    };
    if is_utf_16(encoding) && survey.bytes % 2 == 1 {
        return Err(SourceError::refused(
            "source.cut-off",
            Place::file(file),
            format!(
                "the file is {}, two bytes a letter, and ends in the middle of one, at byte {}",
                encoding.name(),
                survey.bytes - 1
            ),
            "the file was cut off: wait until it is written, or export it again",
        ));
    }
    Ok((encoding, finding))
}

fn is_utf_16(encoding: &'static Encoding) -> bool {
    encoding == encoding_rs::UTF_16LE || encoding == encoding_rs::UTF_16BE
}

/// The encoding that the config names.
fn label(config: &FormatConfig, file: &str) -> Result<Option<&'static Encoding>, SourceError> {
    let Some(label) = config.csv.encoding.as_deref().map(str::trim) else {
        return Ok(None);
    };
    if label.eq_ignore_ascii_case("auto") {
        return Ok(None);
    }
    match Encoding::for_label_no_replacement(label.as_bytes()) {
        Some(encoding) if encoding != encoding_rs::X_USER_DEFINED => Ok(Some(encoding)),
        _ => Err(SourceError::refused(
            "source.encoding-unknown",
            Place::file(file),
            format!("`encoding = \"{label}\"` is no encoding that is known"),
            "use a label of the WHATWG Encoding Standard, such as `windows-1252` or `utf-8`",
        )),
    }
}

fn configured(
    encoding: &'static Encoding,
    survey: &Survey,
    file: &str,
) -> Result<(&'static Encoding, Finding), SourceError> {
    let name = encoding.name();
    if let Unicode::Marked(mark) = survey.unicode
        && mark != encoding
    {
        return Err(SourceError::refused(
            "source.encoding",
            Place::file(file),
            format!(
                "the file is {} by its byte-order mark, and the config says {name}",
                mark.name()
            ),
            "take `encoding` out of the source's `csv`, or export the file as before",
        ));
    }
    let is_plain_utf_8 = survey.letters > 0 && survey.invalid == 0 && encoding != UTF_8;
    let words = if is_plain_utf_8 && encoding.is_single_byte() {
        format!("the letters are read as {name}, as configured, and would be valid as UTF-8")
    } else {
        format!("the letters are read as {name}, as configured")
    };
    let is_odd = is_plain_utf_8 && encoding.is_single_byte();
    Ok((encoding, of_encoding(file, words, is_odd)))
}

fn found(survey: &Survey, file: &str) -> Result<(&'static Encoding, Finding), SourceError> {
    let (encoding, why) = match survey.unicode {
        Unicode::Marked(encoding) => (encoding, "certain, by the byte-order mark"),
        Unicode::Zeros(encoding) => (encoding, "99 % sure, by the zeros between its letters"),
        Unicode::Unmarked => (UTF_8, "certain, since all of it is valid"),
    };
    if encoding != UTF_8 || survey.invalid == 0 {
        let is_ascii = encoding == UTF_8 && survey.letters == 0;
        let why = if is_ascii { "certain, since all of it is ASCII" } else { why };
        let words = format!("the letters are {} ({why})", encoding.name());
        return Ok((encoding, of_encoding(file, words, false)));
    }
    let Survey { letters, invalid, .. } = *survey;
    let are_few = invalid <= FEW_PLACES || invalid.saturating_mul(FEW_ONE_IN) <= letters;
    let is_marked = survey.unicode == Unicode::Marked(UTF_8);
    if (letters >= invalid && are_few) || is_marked {
        let plural = if invalid == 1 { "place is" } else { "places are" };
        let words = format!(
            "the letters are UTF-8 ({letters} of them beyond ASCII), but {invalid} {plural} not; \
             rows with such a place are rejected"
        );
        return Ok((UTF_8, of_encoding(file, words, true)));
    }
    if letters.saturating_mul(4) > invalid {
        return Err(SourceError::refused(
            "source.encoding-unclear",
            Place::file(file),
            format!(
                "the file is partly UTF-8 ({letters} letters) and partly something else \
                 ({invalid} places, the first at byte {})",
                survey.invalid_at.first().copied().unwrap_or_default()
            ),
            "it may be made of two exports: export it again as UTF-8, or set the encoding that \
             most of it has, such as `csv = { encoding = \"utf-8\" }`",
        ));
    }
    let choice = encoding::choose(&survey.words, file)?;
    let plural = if choice.words == 1 { "word" } else { "words" };
    let words = format!(
        "the letters are {} ({} % sure, by {} {plural} beyond ASCII, which are not UTF-8)",
        choice.encoding.name(),
        choice.percent,
        choice.words
    );
    Ok((choice.encoding, of_encoding(file, words, false)))
}

fn of_encoding(file: &str, message: String, is_odd: bool) -> Finding {
    Finding { code: "source.encoding", place: Place::file(file), message, is_odd }
}

fn tell(findings: &mut Vec<Finding>, dialect: Dialect, file: &str) {
    let mut tell = |code, message| {
        findings.push(Finding { code, place: Place::file(file), message, is_odd: false });
    };
    let delimiter = match dialect.delimiter {
        b'\t' => "tabs".to_owned(),
        byte => format!("`{}`", char::from(byte)),
    };
    tell("source.delimiter", format!("fields are separated by {delimiter}"));
    match dialect.quote {
        Some(b'"') => {}
        Some(byte) => {
            tell("source.quote", format!("fields are quoted with `{}`", char::from(byte)));
        }
        None => tell("source.quote", "quotes are characters like any other".to_owned()),
    }
    if dialect.has_directive {
        let message = "the first line says what separates the fields, and is no header".to_owned();
        tell("source.separator-line", message);
    }
    if dialect.header_row != 1 {
        let message = format!("the headers stand in record {}", dialect.header_row);
        tell("source.header-row", message);
    }
}
