//! Secrets that come from standard input, or are typed and not shown.

use std::io::{self, IsTerminal as _, Read as _};

use secrecy::{ExposeSecret as _, SecretString};
use zeroize::Zeroizing;

use crate::cli::context::Failed;
use crate::cli::exit::Exit;
use crate::cli::terminal::{is_interactive, tell};
use crate::vault::{MAX_VALUE_BYTES, MIN_PASSPHRASE_CHARS};

/// The value of a secret: typed twice where a person is watching, else all of standard input but one
/// line break at its end.
pub fn value(name: &str) -> Result<SecretString, Failed> {
    if is_interactive() {
        return twice(&format!("value of `{name}` (not shown)"));
    }
    if io::stdin().is_terminal() {
        return Err(refused("there is nobody to ask, and nothing on standard input", USE_A_PIPE));
    }
    // never grows, so that no copy is left behind
    let room = MAX_VALUE_BYTES + 3;
    let mut bytes = Zeroizing::new(Vec::with_capacity(room));
    let limit = u64::try_from(room).unwrap_or(u64::MAX);
    if let Err(error) = io::stdin().lock().take(limit).read_to_end(&mut bytes) {
        return Err(refused(&format!("standard input cannot be read: {error}"), USE_A_PIPE));
    }
    let Ok(text) = std::str::from_utf8(&bytes) else {
        return Err(refused("the value on standard input is not UTF-8 text", "secrets are text"));
    };
    let text = text.strip_suffix('\n').unwrap_or(text);
    Ok(text.strip_suffix('\r').unwrap_or(text).into())
}

/// The passphrase of a vault that is there.
pub fn passphrase() -> Result<SecretString, Failed> {
    once("passphrase of the vault (not shown)")
}

/// A passphrase for a vault to be written: typed twice, or all of standard input.
pub fn new_passphrase() -> Result<SecretString, Failed> {
    let typed = if is_interactive() {
        twice("new passphrase of the vault (not shown)")?
    } else {
        value("")?
    };
    if typed.expose_secret().chars().count() < MIN_PASSPHRASE_CHARS {
        return Err(refused(
            &format!(
                "a passphrase of fewer than {MIN_PASSPHRASE_CHARS} characters can be guessed by whoever \
                 has the vault; nothing was changed"
            ),
            "take several words, or a key instead: `key = { file = \"vault.key\" }` in `[vault]`",
        ));
    }
    Ok(typed)
}

fn once(question: &str) -> Result<SecretString, Failed> {
    match hidden(question) {
        Ok(Some(typed)) => Ok(typed),
        Ok(None) => {
            tell("nothing was changed");
            Err(Failed(Exit::Interrupted))
        }
        Err(error) => Err(refused(&format!("nothing can be asked here: {error}"), USE_A_PIPE)),
    }
}

fn twice(question: &str) -> Result<SecretString, Failed> {
    let first = once(question)?;
    let second = once("once more")?;
    if first.expose_secret() == second.expose_secret() {
        return Ok(first);
    }
    Err(refused("the two are not the same; nothing was changed", "type it again"))
}

const USE_A_PIPE: &str = "give the value on standard input, such as `< value.txt`";

fn refused(words: &str, hint: &str) -> Failed {
    tell(format!("error: {words}\nhint: {hint}"));
    Failed(Exit::Usage)
}

/// Asks on the terminal and does not show what is typed; nothing when it was called off.
#[cfg(unix)]
fn hidden(question: &str) -> io::Result<Option<SecretString>> {
    use std::io::Write as _;

    use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};

    /// Puts the terminal back to what it was.
    struct Restored(Termios);
    impl Drop for Restored {
        fn drop(&mut self) {
            // nothing is left to be done about a terminal that is gone
            let _ = tcsetattr(io::stdin(), OptionalActions::Now, &self.0);
            let _ = writeln!(io::stderr());
        }
    }

    let before = tcgetattr(io::stdin())?;
    let mut silent = before.clone();
    // Ctrl-C comes as a character, so that the terminal is never left without its echo
    silent.local_modes.remove(LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG);
    let _restored = Restored(before);
    tcsetattr(io::stdin(), OptionalActions::Now, &silent)?;
    let mut err = io::stderr().lock();
    write!(err, "{question}: ")?;
    err.flush()?;
    drop(err);
    let mut typed = Typed::new();
    loop {
        let mut byte = [0; 1];
        // not by way of the buffer of standard input, in which it would stay
        if rustix::io::read(io::stdin(), &mut byte)? == 0 {
            return Ok(None);
        }
        match typed.take(byte[0]) {
            Step::More => {}
            Step::Done => return Ok(Some(typed.text()?)),
            Step::CalledOff => return Ok(None),
        }
    }
}

/// Without a console of our own making nothing can be asked without being shown.
#[cfg(not(unix))]
fn hidden(_question: &str) -> io::Result<Option<SecretString>> {
    Err(io::ErrorKind::Unsupported.into())
}

/// What was typed so far.
#[cfg(unix)]
struct Typed(Zeroizing<Vec<u8>>);

/// What a key does.
#[cfg(unix)]
#[derive(Debug, PartialEq, Eq)]
enum Step {
    More,
    Done,
    CalledOff,
}

#[cfg(unix)]
impl Typed {
    fn new() -> Self {
        Self(Zeroizing::new(Vec::with_capacity(MAX_VALUE_BYTES + 1)))
    }

    fn take(&mut self, byte: u8) -> Step {
        const CTRL_C: u8 = 0x03;
        const CTRL_D: u8 = 0x04;
        const CTRL_U: u8 = 0x15;
        match byte {
            b'\n' | b'\r' => return Step::Done,
            CTRL_C => return Step::CalledOff,
            CTRL_D if self.0.is_empty() => return Step::CalledOff,
            CTRL_D => return Step::Done,
            CTRL_U => self.0.clear(),
            0x08 | 0x7f => {
                // a character and not only its last byte
                while self.0.pop().is_some_and(|byte| byte & 0xc0 == 0x80) {}
            }
            byte if self.0.len() <= MAX_VALUE_BYTES => self.0.push(byte),
            _ => {}
        }
        Step::More
    }

    fn text(&self) -> io::Result<SecretString> {
        let text = std::str::from_utf8(&self.0)
            .map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "it is not UTF-8 text"))?;
        Ok(text.into())
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_can_be_corrected_and_called_off() {
        let typed = |keys: &str| {
            let mut typed = Typed::new();
            let last = keys.bytes().map(|byte| typed.take(byte)).last();
            (last.unwrap(), typed.text().unwrap().expose_secret().to_owned())
        };
        assert_eq!(typed("abc\n"), (Step::Done, "abc".to_owned()));
        assert_eq!(typed("aü\u{7f}b\r"), (Step::Done, "ab".to_owned()));
        assert_eq!(typed("\u{8}x\u{15}b\u{4}"), (Step::Done, "b".to_owned()));
        assert_eq!(typed("abc\u{3}").0, Step::CalledOff);
        assert_eq!(typed("\u{4}").0, Step::CalledOff);
        let long = "x".repeat(MAX_VALUE_BYTES + 9);
        assert_eq!(typed(&long).1.len(), MAX_VALUE_BYTES + 1, "enough to be refused as too long");
    }
}
