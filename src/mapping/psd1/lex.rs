//! The words of a script block.

use crate::mapping::psd1::scan::{Piece, Scanner, Trouble, is_dash, is_double, is_single, is_word};

/// A word and whether it stands directly after the one before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Word {
    pub(super) kind: Kind,
    pub(super) is_glued: bool,
}

/// What a word is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    /// Text without anything to fill in.
    Text(String),
    /// Text in double quotes with something to fill in.
    Filled(Vec<Piece>),
    Number(String),
    /// A variable, lower case, without the dollar.
    Variable(String),
    /// A name, as written.
    Name(String),
    /// `-eq` and the like, lower case, without the dash.
    Operator(String),
    Symbol(char),
    /// `::`
    Static,
    LineEnd,
}

/// Most words in a script block that is looked at.
const MAX_WORDS: usize = 1_000;

/// The words of a text.
pub(super) fn words(text: &str) -> Result<Vec<Word>, Trouble> {
    let mut scanner = Scanner::new(text, 1);
    let mut words: Vec<Word> = Vec::new();
    loop {
        let before = scanner.at();
        scanner.trivia(false)?;
        let is_glued = scanner.at() == before;
        let Some(letter) = scanner.peek() else { return Ok(words) };
        let is_member =
            is_glued && matches!(words.last(), Some(Word { kind: Kind::Symbol('.'), .. }));
        let kind = match letter {
            _ if is_single(letter) => Kind::Text(scanner.single_quoted()?),
            _ if is_double(letter) => {
                let pieces = scanner.double_quoted()?;
                match pieces.as_slice() {
                    [] => Kind::Text(String::new()),
                    [Piece::Text(text)] => Kind::Text(text.clone()),
                    _ => Kind::Filled(pieces),
                }
            }
            '@' if scanner.at_here_string() => {
                let (text, is_double) = scanner.here_string()?;
                if is_double && text.contains(['$', '`']) {
                    return Err(scanner.trouble("a here-string holds more than plain text"));
                }
                Kind::Text(text)
            }
            '$' if scanner.second().is_some_and(is_word) => {
                scanner.bump();
                let name = scanner.take(|letter| is_word(letter) || letter == ':');
                Kind::Variable(name.to_lowercase())
            }
            // a member's name is letters, digits and underscores, whatever it begins with
            _ if is_member && is_word(letter) => Kind::Name(scanner.take(is_word).to_owned()),
            _ if letter.is_ascii_digit() => {
                let digits = scanner.take(|letter| is_word(letter) || letter == '.');
                Kind::Number(digits.to_owned())
            }
            _ if is_word(letter) => {
                let name = scanner.take(|letter| is_word(letter) || is_dash(letter));
                Kind::Name(name.to_owned())
            }
            _ if is_dash(letter) && scanner.second().is_some_and(char::is_alphabetic) => {
                scanner.bump();
                Kind::Operator(scanner.take(char::is_alphanumeric).to_lowercase())
            }
            ':' if scanner.second() == Some(':') => {
                scanner.bump();
                scanner.bump();
                Kind::Static
            }
            '\n' => {
                scanner.bump();
                Kind::LineEnd
            }
            _ => {
                scanner.bump();
                Kind::Symbol(if is_dash(letter) { '-' } else { letter })
            }
        };
        words.push(Word { kind, is_glued });
        if words.len() > MAX_WORDS {
            return Err(scanner.trouble(format!("the block has more than {MAX_WORDS} words")));
        }
    }
}
