//! The letters of a PowerShell text: lines, blanks, comments and quotes.
//!
//! PowerShell takes typographic quotes for plain ones, so a text that went through a word processor
//! still works; so it does here.

/// Most nesting of anything in anything.
pub(super) const DEPTH: usize = 32;

/// What is wrong, on which line, from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Trouble {
    pub(super) line: usize,
    pub(super) message: String,
    pub(super) hint: Option<String>,
}

/// A part of a text in double quotes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Piece {
    Text(String),
    /// `$name` or `${name}`.
    Variable(String),
    /// The inside of `$( … )`.
    Code(String),
}

/// A place in a text.
#[derive(Clone)]
pub(super) struct Scanner<'t> {
    text: &'t str,
    at: usize,
    line: usize,
    depth: usize,
}

pub(super) const fn is_single(letter: char) -> bool {
    matches!(letter, '\'' | '\u{2018}'..='\u{201b}')
}

pub(super) const fn is_double(letter: char) -> bool {
    matches!(letter, '"' | '\u{201c}'..='\u{201e}')
}

pub(super) const fn is_dash(letter: char) -> bool {
    matches!(letter, '-' | '\u{2013}'..='\u{2015}')
}

pub(super) fn is_word(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

impl<'t> Scanner<'t> {
    /// The beginning of a text that begins on a line of its file.
    pub(super) const fn new(text: &'t str, line: usize) -> Self {
        Self { text, at: 0, line, depth: 0 }
    }

    pub(super) const fn at(&self) -> usize {
        self.at
    }

    pub(super) const fn line(&self) -> usize {
        self.line
    }

    /// The text from a place to here.
    pub(super) fn since(&self, start: usize) -> &'t str {
        self.text.get(start..self.at).unwrap_or_default()
    }

    pub(super) fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    /// The letter after the next one.
    pub(super) fn second(&self) -> Option<char> {
        self.rest().chars().nth(1)
    }

    pub(super) fn bump(&mut self) -> Option<char> {
        let letter = self.peek()?;
        self.at += letter.len_utf8();
        if letter == '\n' {
            self.line += 1;
        }
        Some(letter)
    }

    pub(super) fn take(&mut self, is_wanted: impl Fn(char) -> bool) -> &'t str {
        let start = self.at;
        while self.peek().is_some_and(&is_wanted) {
            self.bump();
        }
        self.since(start)
    }

    pub(super) fn trouble(&self, message: impl Into<String>) -> Trouble {
        Trouble { line: self.line, message: message.into(), hint: None }
    }

    /// Passes blanks, comments and continued lines; with `lines`, line ends as well.
    pub(super) fn trivia(&mut self, lines: bool) -> Result<(), Trouble> {
        loop {
            match (self.peek(), self.second()) {
                (Some('<'), Some('#')) => {
                    let start = self.trouble("a block comment is opened here and never closed");
                    let end = self.rest().find("#>").ok_or(start)? + 2 + self.at;
                    while self.at < end {
                        self.bump();
                    }
                }
                (Some('#'), _) => {
                    self.take(|letter| letter != '\n');
                }
                (Some('`'), Some('\n' | '\r')) => {
                    self.bump();
                    self.take(|letter| letter == '\r');
                    self.bump();
                }
                (Some('\n'), _) if !lines => return Ok(()),
                (Some(letter), _) if letter.is_whitespace() || letter == '\u{feff}' => {
                    self.bump();
                }
                _ => return Ok(()),
            }
        }
    }

    /// Goes one level deeper.
    pub(super) fn down(&mut self) -> Result<(), Trouble> {
        if self.depth >= DEPTH {
            return Err(self.trouble(format!("the nesting is deeper than {DEPTH} levels")));
        }
        self.depth += 1;
        Ok(())
    }

    /// Comes back up.
    pub(super) const fn up(&mut self) {
        self.depth = self.depth.saturating_sub(1);
    }

    /// Reads text in single quotes, which begins here.
    pub(super) fn single_quoted(&mut self) -> Result<String, Trouble> {
        let open = self.trouble("a quote is opened here and never closed");
        self.bump();
        let mut text = String::new();
        loop {
            match self.bump() {
                None => return Err(open),
                Some(letter) if is_single(letter) => {
                    if !self.peek().is_some_and(is_single) {
                        return Ok(text);
                    }
                    self.bump();
                    text.push('\'');
                }
                Some(letter) => text.push(letter),
            }
        }
    }

    /// Reads text in double quotes, which begins here.
    pub(super) fn double_quoted(&mut self) -> Result<Vec<Piece>, Trouble> {
        let open = self.trouble("a quote is opened here and never closed");
        self.bump();
        let mut pieces = Vec::new();
        let mut text = String::new();
        loop {
            match (self.bump(), self.peek()) {
                (None, _) => return Err(open),
                (Some(letter), next) if is_double(letter) => {
                    if !next.is_some_and(is_double) {
                        break;
                    }
                    self.bump();
                    text.push('"');
                }
                (Some('`'), Some(_)) => self.escape(&mut text),
                (Some('$'), Some(next)) if next == '(' || next == '{' || is_word(next) => {
                    pieces.push(Piece::Text(std::mem::take(&mut text)));
                    pieces.push(self.interpolation(next)?);
                }
                (Some(letter), _) => text.push(letter),
            }
        }
        pieces.push(Piece::Text(text));
        pieces.retain(|piece| *piece != Piece::Text(String::new()));
        Ok(pieces)
    }

    /// What follows a backtick in double quotes.
    fn escape(&mut self, text: &mut String) {
        match self.bump() {
            Some('n') => text.push('\n'),
            Some('r') => text.push('\r'),
            Some('t') => text.push('\t'),
            Some('0') => text.push('\0'),
            Some('a') => text.push('\u{7}'),
            Some('b') => text.push('\u{8}'),
            Some('f') => text.push('\u{c}'),
            Some('v') => text.push('\u{b}'),
            Some('e') => text.push('\u{1b}'),
            Some(other) => text.push(other),
            None => {}
        }
    }

    fn interpolation(&mut self, next: char) -> Result<Piece, Trouble> {
        match next {
            '(' => self.block('(', ')').map(|code| Piece::Code(code.to_owned())),
            '{' => {
                let open = self.trouble("a brace is opened here and never closed");
                self.bump();
                let name = self.take(|letter| letter != '}').to_owned();
                self.bump().ok_or(open)?;
                Ok(Piece::Variable(name))
            }
            _ => {
                let name = self.take(|letter| is_word(letter) || letter == ':').to_owned();
                Ok(Piece::Variable(name))
            }
        }
    }

    /// Passes a block that begins here, with everything that is quoted or commented in it, and gives
    /// its inside.
    pub(super) fn block(&mut self, open: char, close: char) -> Result<&'t str, Trouble> {
        self.down()?;
        let inside = self.block_inside(open, close);
        self.up();
        inside
    }

    fn block_inside(&mut self, open: char, close: char) -> Result<&'t str, Trouble> {
        let unclosed = self.trouble(format!("`{open}` is opened here and never closed"));
        self.bump();
        let start = self.at;
        let mut levels = 0_usize;
        let mut before = ' ';
        loop {
            let letter = self.peek().ok_or_else(|| unclosed.clone())?;
            match letter {
                _ if is_single(letter) => {
                    self.single_quoted()?;
                }
                _ if is_double(letter) => {
                    self.double_quoted()?;
                }
                '@' if self.at_here_string() => {
                    self.here_string()?;
                }
                '<' if self.second() == Some('#') => self.trivia(false)?,
                '#' if !is_word(before) => self.trivia(false)?,
                '`' => {
                    self.bump();
                    self.bump();
                }
                _ if letter == close && levels == 0 => {
                    let inside = self.since(start);
                    self.bump();
                    return Ok(inside);
                }
                _ => {
                    levels += usize::from(letter == open);
                    levels -= usize::from(letter == close);
                    self.bump();
                }
            }
            before = letter;
        }
    }

    /// Whether `@'` or `@"` stands at the end of a line here.
    pub(super) fn at_here_string(&self) -> bool {
        let rest = self.rest().strip_prefix('@').unwrap_or_default();
        let mut letters = rest.chars();
        let is_quote = letters.next().is_some_and(|quote| is_single(quote) || is_double(quote));
        is_quote && letters.find(|letter| !matches!(letter, ' ' | '\t' | '\r')) == Some('\n')
    }

    /// Reads a here-string, which begins here; and whether it is in double quotes.
    pub(super) fn here_string(&mut self) -> Result<(String, bool), Trouble> {
        let open = self.trouble("a here-string is opened here and never closed");
        self.bump();
        let quote = self.bump().unwrap_or('\'');
        self.take(|letter| letter != '\n');
        self.bump();
        let start = self.at;
        loop {
            let line = self.at;
            let mut letters = self.rest().chars();
            let is_end = match letters.next() {
                Some(letter) if is_single(quote) => is_single(letter),
                Some(letter) => is_double(letter),
                None => return Err(open),
            };
            if is_end && letters.next() == Some('@') {
                let inside = self.text.get(start..line).unwrap_or_default();
                self.bump();
                self.bump();
                let inside = inside.strip_suffix('\n').unwrap_or(inside);
                let inside = inside.strip_suffix('\r').unwrap_or(inside);
                return Ok((inside.to_owned(), is_double(quote)));
            }
            self.take(|letter| letter != '\n');
            self.bump();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_of_all_kinds_end_as_powershell_ends_them() {
        let single = |text| Scanner::new(text, 1).single_quoted();
        assert_eq!(single("'it''s' x").unwrap(), "it's");
        assert_eq!(single("\u{2018}a`n\u{2019}").unwrap(), "a`n");
        assert!(single("'a").is_err());
        let double = |text| Scanner::new(text, 1).double_quoted().unwrap();
        assert_eq!(double(r#""a`"b""c`n$ 5""#), [Piece::Text("a\"b\"c\n$ 5".into())]);
        assert_eq!(
            double(r#""x$($_.A + ")")$_.B${c d}""#),
            [
                Piece::Text("x".into()),
                Piece::Code("$_.A + \")\"".into()),
                Piece::Variable("_".into()),
                Piece::Text(".B".into()),
                Piece::Variable("c d".into()),
            ]
        );
    }

    #[test]
    fn a_block_ends_at_its_own_brace() {
        let block = |text| Scanner::new(text, 1).block('{', '}');
        assert_eq!(
            block("{ a { '}' } \"}\" # }\n <# } #> `} b } c").unwrap(),
            " a { '}' } \"}\" # }\n <# } #> `} b "
        );
        assert_eq!(block("{ a { b }").unwrap_err().line, 1);
        assert!(block(&"{\"$(".repeat(100)).is_err());
    }
}
