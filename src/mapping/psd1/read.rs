//! Reads the hashtable of a PowerShell data file, as `Import-PowerShellDataFile` does: without
//! running anything. What that refuses is refused here.

use std::collections::BTreeSet;
use std::ops::Range;

use crate::mapping::psd1::scan::{Piece, Scanner, Trouble, is_dash, is_double, is_single, is_word};

/// Most entries of one hashtable; PowerShell's own ceiling.
const MAX_KEYS: usize = 500;

/// `key = value`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) item: Item,
    /// The text of the whole entry in the file.
    pub(super) span: Range<usize>,
}

/// A value and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Item {
    pub(super) line: usize,
    pub(super) value: Value,
    /// Its text in the file.
    pub(super) span: Range<usize>,
}

/// What stands in a hashtable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    /// Text: the name of a column.
    Text(String),
    /// A script block, as it stands there.
    Script(String),
    Table(Vec<Entry>),
    List(Vec<Item>),
    /// A number, `$true` or `$false`: its text is taken for a column's name, too.
    Other(String),
    Null,
}

/// The first hashtable of a text.
pub(super) fn read(text: &str) -> Result<Vec<Entry>, Trouble> {
    let mut scanner = Scanner::new(text, 1);
    loop {
        scanner.trivia(true)?;
        let Some(letter) = scanner.peek() else {
            let message = "the file holds no hashtable";
            let hint = "a mapping file is one `@{ … }`".to_owned();
            return Err(Trouble { line: 1, message: message.to_owned(), hint: Some(hint) });
        };
        match letter {
            '@' if scanner.second() == Some('{') => return Reader { scanner }.table(),
            '@' if scanner.at_here_string() => {
                scanner.here_string()?;
            }
            '{' => {
                scanner.block('{', '}')?;
            }
            _ if is_single(letter) => {
                scanner.single_quoted()?;
            }
            _ if is_double(letter) => {
                scanner.double_quoted()?;
            }
            // a word at once, so that a `#` in it begins no comment
            _ if is_word(letter) => {
                scanner.take(|letter| is_word(letter) || letter == '#');
            }
            _ => {
                scanner.bump();
            }
        }
    }
}

struct Reader<'t> {
    scanner: Scanner<'t>,
}

impl Reader<'_> {
    fn deeper<T>(
        &mut self,
        inner: impl FnOnce(&mut Self) -> Result<T, Trouble>,
    ) -> Result<T, Trouble> {
        self.scanner.down()?;
        let result = inner(self);
        self.scanner.up();
        result
    }

    /// Reads a hashtable that begins here with `@{`.
    fn table(&mut self) -> Result<Vec<Entry>, Trouble> {
        self.deeper(Self::table_inside)
    }

    fn table_inside(&mut self) -> Result<Vec<Entry>, Trouble> {
        let unclosed = self.scanner.trouble("a hashtable is opened here and never closed");
        self.scanner.bump();
        self.scanner.bump();
        let mut entries: Vec<Entry> = Vec::new();
        let mut keys = BTreeSet::new();
        loop {
            self.separators()?;
            match self.scanner.peek() {
                None => return Err(unclosed),
                Some('}') => {
                    self.scanner.bump();
                    return Ok(entries);
                }
                Some(_) => {}
            }
            let entry = self.entry()?;
            if !keys.insert(entry.key.to_lowercase()) {
                let mut trouble = self.scanner.trouble(format!(
                    "the key `{}` is in this hashtable twice (case is ignored)",
                    entry.key
                ));
                trouble.line = entry.item.line;
                return Err(trouble);
            }
            entries.push(entry);
            if entries.len() > MAX_KEYS {
                let message = format!("a hashtable has more than {MAX_KEYS} keys");
                return Err(self.scanner.trouble(message));
            }
            self.scanner.trivia(false)?;
            if !matches!(self.scanner.peek(), None | Some('}' | ';' | '\n')) {
                return Err(self.after_value());
            }
        }
    }

    fn separators(&mut self) -> Result<(), Trouble> {
        loop {
            self.scanner.trivia(true)?;
            if self.scanner.peek() != Some(';') {
                return Ok(());
            }
            self.scanner.bump();
        }
    }

    fn entry(&mut self) -> Result<Entry, Trouble> {
        let start = self.scanner.at();
        let key = match self.scanner.peek() {
            Some(letter) if is_single(letter) => self.scanner.single_quoted()?,
            Some(letter) if is_double(letter) => {
                let pieces = self.scanner.double_quoted()?;
                self.plain(pieces)?
            }
            Some(letter) if is_word(letter) => self.scanner.take(is_word).to_owned(),
            Some('$') => {
                return Err(self.scanner.trouble("a variable stands where a key belongs"));
            }
            _ => return Err(self.scanner.trouble("a key belongs here")),
        };
        self.scanner.trivia(false)?;
        if self.scanner.peek() != Some('=') {
            let word = key.to_lowercase();
            if matches!(word.as_str(), "if" | "foreach" | "for" | "while" | "switch") {
                return Err(self.scanner.trouble(format!(
                    "`{word}` is a statement; a mapping file holds only values"
                )));
            }
            let mut trouble =
                self.scanner.trouble(format!("after the key `{key}` an equals sign belongs"));
            trouble.hint = Some(
                "a key with a colon, a dot, a dash or a blank in it has to stand in quotes".into(),
            );
            return Err(trouble);
        }
        self.scanner.bump();
        self.scanner.trivia(true)?;
        let item = self.value()?;
        Ok(Entry { key, item, span: start..self.scanner.at() })
    }

    /// An element, or a list of them with commas.
    fn value(&mut self) -> Result<Item, Trouble> {
        let (line, start) = (self.scanner.line(), self.scanner.at());
        let first = self.element()?;
        let mut items = vec![first];
        loop {
            let before = self.scanner.clone();
            self.scanner.trivia(false)?;
            if self.scanner.peek() != Some(',') {
                self.scanner = before;
                break;
            }
            self.scanner.bump();
            self.scanner.trivia(true)?;
            items.push(self.element()?);
        }
        match items.pop() {
            Some(only) if items.is_empty() => Ok(only),
            last => {
                items.extend(last);
                Ok(Item { line, value: Value::List(items), span: start..self.scanner.at() })
            }
        }
    }

    fn element(&mut self) -> Result<Item, Trouble> {
        let (line, start) = (self.scanner.line(), self.scanner.at());
        let value = match (self.scanner.peek(), self.scanner.second()) {
            (Some(letter), _) if is_single(letter) => Value::Text(self.scanner.single_quoted()?),
            (Some(letter), _) if is_double(letter) => {
                let pieces = self.scanner.double_quoted()?;
                Value::Text(self.plain(pieces)?)
            }
            (Some('{'), _) => Value::Script(self.scanner.block('{', '}')?.to_owned()),
            (Some('@'), Some('{')) => Value::Table(self.table()?),
            (Some('@'), Some('(')) => {
                self.scanner.bump();
                Value::List(self.deeper(Self::array)?)
            }
            (Some('@'), _) if self.scanner.at_here_string() => {
                let (text, is_double) = self.scanner.here_string()?;
                if is_double && text.contains(['$', '`']) {
                    return Err(self.scanner.trouble("a here-string holds more than plain text"));
                }
                Value::Text(text)
            }
            (Some('('), _) => self.deeper(|reader| {
                reader.scanner.bump();
                reader.scanner.trivia(true)?;
                let item = reader.value()?;
                reader.scanner.trivia(true)?;
                if reader.scanner.peek() != Some(')') {
                    return Err(reader.after_value());
                }
                reader.scanner.bump();
                Ok(item.value)
            })?,
            (Some('$'), _) => self.variable()?,
            (Some(letter), next)
                if letter.is_ascii_digit()
                    || (is_dash(letter) && next.is_some_and(|next| next.is_ascii_digit())) =>
            {
                let start = self.scanner.at();
                self.scanner.bump();
                self.scanner.take(|letter| letter.is_ascii_alphanumeric() || letter == '.');
                Value::Other(self.scanner.since(start).to_owned())
            }
            _ => return Err(self.no_value()),
        };
        if matches!(self.scanner.peek(), Some('.' | '[' | ':')) {
            return Err(self.refuse("a member or an element of a value is asked for"));
        }
        Ok(Item { line, value, span: start..self.scanner.at() })
    }

    /// Reads the inside of `@( … )` from its bracket on. Lists in it are flattened one level.
    fn array(&mut self) -> Result<Vec<Item>, Trouble> {
        let unclosed = self.scanner.trouble("a list is opened here and never closed");
        self.scanner.bump();
        let mut items = Vec::new();
        loop {
            self.separators()?;
            match self.scanner.peek() {
                None => return Err(unclosed),
                Some(')') => {
                    self.scanner.bump();
                    return Ok(items);
                }
                Some(_) => {}
            }
            let item = self.value()?;
            match item.value {
                Value::List(inner) => items.extend(inner),
                _ => items.push(item),
            }
            self.scanner.trivia(false)?;
            if !matches!(self.scanner.peek(), None | Some(')' | ';' | '\n')) {
                return Err(self.after_value());
            }
        }
    }

    fn variable(&mut self) -> Result<Value, Trouble> {
        let before = self.scanner.clone();
        self.scanner.bump();
        let name = self.scanner.take(|letter| is_word(letter) || letter == ':').to_lowercase();
        match name.as_str() {
            "true" => Ok(Value::Other("True".to_owned())),
            "false" => Ok(Value::Other("False".to_owned())),
            "null" => Ok(Value::Null),
            _ => {
                self.scanner = before;
                Err(self.refuse("a variable other than $true, $false and $null"))
            }
        }
    }

    /// Text in double quotes with nothing in it but text.
    fn plain(&self, pieces: Vec<Piece>) -> Result<String, Trouble> {
        let mut text = String::new();
        for piece in pieces {
            match piece {
                Piece::Text(piece) => text.push_str(&piece),
                Piece::Variable(name) if name.eq_ignore_ascii_case("true") => text.push_str("True"),
                Piece::Variable(name) if name.eq_ignore_ascii_case("false") => {
                    text.push_str("False");
                }
                Piece::Variable(name) if name.eq_ignore_ascii_case("null") => {}
                Piece::Variable(_) | Piece::Code(_) => {
                    return Err(self.refuse("a text in double quotes holds a variable"));
                }
            }
        }
        Ok(text)
    }

    fn no_value(&self) -> Trouble {
        match self.scanner.peek() {
            Some('[') => self.refuse("a type name"),
            Some(letter) if is_word(letter) => {
                let mut trouble = self.refuse("a command, which is a word without quotes");
                trouble.hint = Some("a column's name stands in quotes".to_owned());
                trouble
            }
            _ => self.scanner.trouble("a value belongs here"),
        }
    }

    /// What follows a value and does not belong there.
    fn after_value(&self) -> Trouble {
        match self.scanner.peek() {
            Some('|') => self.refuse("a pipeline"),
            Some('=') => self.refuse("an assignment"),
            Some(letter) if "+*/%<>&!".contains(letter) || is_dash(letter) => {
                self.refuse("an operator")
            }
            _ => self.scanner.trouble("after a value the end of the line, `;` or `}` belongs"),
        }
    }

    fn refuse(&self, what: &str) -> Trouble {
        let mut trouble =
            self.scanner.trouble(format!("{what}, which a PowerShell data file must not hold"));
        trouble.hint = Some("only inside a script block `{ … }` anything goes".to_owned());
        trouble
    }
}
