//! Number formats (ECMA-376 part 1, 18.8.30): what they say about a number that is an id or a date.

/// What a cell's number format makes of its number.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) enum NumberFormat {
    /// A number, shown as such.
    #[default]
    Number,
    /// A day, maybe with a time.
    Date,
    /// A time of day.
    Time,
    /// Digits with leading zeros and fixed signs around them, such as `000-00-0000`.
    Zeros(ZeroPattern),
}

/// `0` for a digit, anything else for itself.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct ZeroPattern {
    pieces: Vec<Piece>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Piece {
    Digit,
    Sign(char),
}

impl NumberFormat {
    /// A format that every workbook has by its number.
    pub(super) const fn built_in(id: u32) -> Self {
        match id {
            14..=17 | 22 | 27..=31 | 36 | 50..=58 => Self::Date,
            // in some languages 32 to 35 are times; with a day in the number they show as dates
            18..=21 | 32..=35 | 45 | 47 => Self::Time,
            _ => Self::Number,
        }
    }

    /// A format by its code.
    pub(super) fn of(code: &str) -> Self {
        let section = first_section(code);
        if let Some(pattern) = ZeroPattern::of(section) {
            return Self::Zeros(pattern);
        }
        kind_of_day(section)
    }
}

/// The part for positive numbers.
fn first_section(code: &str) -> &str {
    let mut letters = code.char_indices();
    let mut is_quoted = false;
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => is_quoted = !is_quoted,
            '\\' if !is_quoted => {
                letters.next();
            }
            ';' if !is_quoted => return code.get(..at).unwrap_or(code),
            _ => {}
        }
    }
    code
}

fn kind_of_day(section: &str) -> NumberFormat {
    let mut letters = section.chars();
    let (mut has_day, mut has_month, mut has_time) = (false, false, false);
    while let Some(letter) = letters.next() {
        match letter.to_ascii_lowercase() {
            '"' => {
                letters.by_ref().find(|&it| it == '"');
            }
            '\\' | '_' | '*' => {
                letters.next();
            }
            '[' => {
                let inner: String = letters.by_ref().take_while(|&it| it != ']').collect();
                let is_elapsed = !inner.is_empty()
                    && inner.chars().all(|it| matches!(it.to_ascii_lowercase(), 'h' | 'm' | 's'));
                if is_elapsed {
                    return NumberFormat::Number;
                }
            }
            'y' | 'd' => has_day = true,
            'm' => has_month = true,
            'h' | 's' => has_time = true,
            _ => {}
        }
    }
    match (has_day, has_month, has_time) {
        (true, ..) | (false, true, false) => NumberFormat::Date,
        (false, _, true) => NumberFormat::Time,
        (false, false, false) => NumberFormat::Number,
    }
}

impl ZeroPattern {
    /// Two digits or more, and nothing that a number has: no `#`, no point, no exponent.
    fn of(section: &str) -> Option<Self> {
        let mut pieces = Vec::new();
        let mut letters = section.chars();
        while let Some(letter) = letters.next() {
            match letter {
                '0' => pieces.push(Piece::Digit),
                '"' => pieces.extend(letters.by_ref().take_while(|&it| it != '"').map(Piece::Sign)),
                '\\' => pieces.push(Piece::Sign(letters.next()?)),
                // a gap as wide as the next letter, and filling with it
                '_' | '*' => {
                    letters.next()?;
                }
                // a language or a colour, but not a condition
                '[' => {
                    let inner: String = letters.by_ref().take_while(|&it| it != ']').collect();
                    let is_colour = inner.chars().all(char::is_alphanumeric);
                    (inner.starts_with("$-") || is_colour).then_some(())?;
                }
                '-' | ' ' | '/' | '(' | ')' | '+' | ':' => pieces.push(Piece::Sign(letter)),
                _ => return None,
            }
        }
        let digits = pieces.iter().filter(|piece| matches!(piece, Piece::Digit)).count();
        (digits >= 2).then_some(Self { pieces })
    }

    /// Writes a whole number as the format shows it.
    pub(super) fn write(&self, number: u64, out: &mut Vec<u8>) {
        let digits = number.to_string();
        let places = self.pieces.iter().filter(|piece| matches!(piece, Piece::Digit)).count();
        // more digits than places: the first place takes them all
        let (first, rest) = match digits.len().checked_sub(places) {
            Some(more) => digits.split_at_checked(more + 1).unwrap_or((&digits, "")),
            None => ("", digits.as_str()),
        };
        let zeros = std::iter::repeat_n("0", places.saturating_sub(digits.len()));
        let first = (!first.is_empty()).then_some(first);
        let single = (0..rest.len()).filter_map(|at| rest.get(at..=at));
        let mut shown = zeros.chain(first).chain(single);
        for piece in &self.pieces {
            match piece {
                Piece::Digit => out.extend_from_slice(shown.next().unwrap_or("0").as_bytes()),
                Piece::Sign(sign) => {
                    out.extend_from_slice(sign.encode_utf8(&mut [0; 4]).as_bytes());
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(code: &str, number: u64) -> String {
        let NumberFormat::Zeros(pattern) = NumberFormat::of(code) else {
            panic!("`{code}` is no format of zeros")
        };
        let mut out = Vec::new();
        pattern.write(number, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn runs_of_zeros_give_leading_zeros_back() {
        assert_eq!(shown("000000", 4711), "004711");
        assert_eq!(shown("000000;-000000;@", 4711), "004711");
        assert_eq!(shown("000-00-0000", 12_345_678), "012-34-5678");
        assert_eq!(shown("\"P\"00000", 12), "P00012");
        assert_eq!(shown("[$-407]\\E0000_)", 7), "E0007");
        assert_eq!(shown("[Red]000000", 4711), "004711");
        assert_eq!(shown("0000", 123_456), "123456");
        assert_eq!(shown("00-00", 123_456), "1234-56");
    }

    #[test]
    fn formats_of_numbers_are_no_runs_of_zeros() {
        for code in ["General", "0", "0.00", "#,##0", "0E+00", "0%", "@", "000,000", "[<9]00;0"] {
            assert_eq!(NumberFormat::of(code), NumberFormat::Number, "{code}");
        }
    }

    #[test]
    fn dates_are_told_from_times_quotes_and_elapsed_hours() {
        for code in [
            "yyyy-mm-dd",
            "d/m/yy h:mm",
            "[$-407]TT.MM.dd",
            "mmm",
            "[$-F800]dddd\\, mmmm",
            "yyyy\"-\"mm;@",
        ] {
            assert_eq!(NumberFormat::of(code), NumberFormat::Date, "{code}");
        }
        for code in ["hh:mm", "h:mm AM/PM", "mm:ss.0"] {
            assert_eq!(NumberFormat::of(code), NumberFormat::Time, "{code}");
        }
        for code in ["[h]:mm:ss", "[mm]:ss", "0\" days\"", "0\\d", "[Red]0.0", "0_d"] {
            assert_eq!(NumberFormat::of(code), NumberFormat::Number, "{code}");
        }
        assert_eq!(NumberFormat::built_in(14), NumberFormat::Date);
        assert_eq!(NumberFormat::built_in(46), NumberFormat::Number);
        assert_eq!(NumberFormat::built_in(49), NumberFormat::Number);
    }
}
