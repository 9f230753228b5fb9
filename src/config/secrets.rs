//! References to secrets, and how they are followed.

use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};
use zeroize::Zeroizing;

use crate::config::command::{self, CommandTrouble, SecretCommand};
use crate::config::secret_lookup::{Secrets, VaultFault};
use crate::config::section::{Field, is_name};

/// Largest secret of a file or program, in bytes; a PEM file with key and chain has about 10 KiB.
const MAX_BYTES: u64 = 64 * 1024;
/// Where a secret can be.
pub(super) const KEYS: &[&str] = &["env", "file", "command", "vault", "timeout"];
/// What stands in the place of a secret, for messages.
const EXAMPLES: &str = "`{ env = \"NAME\" }` or `{ file = \"path\" }`";

/// Where a secret is. Never the secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretRef {
    /// In this environment variable.
    Env(String),
    /// In this file, its folder being the config's where it was relative.
    File(PathBuf),
    /// What this program prints.
    Command(SecretCommand),
    /// In the vault, under this name.
    Vault(String),
}

impl fmt::Display for SecretRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Env(name) => write!(f, "environment variable `{name}`"),
            Self::File(path) => write!(f, "file `{}`", path.display()),
            Self::Command(command) => command.fmt(f),
            Self::Vault(name) => write!(f, "secret `{name}` of the vault"),
        }
    }
}

/// Why a secret cannot be had. Names the reference, never what it leads to.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The variable does not exist.
    #[error("{0} is not set")]
    NotSet(SecretRef),
    /// There is nothing in it.
    #[error("{}", .0.so("is empty", "has printed nothing"))]
    Empty(SecretRef),
    /// The file cannot be read.
    #[error("cannot read the secret in {reference}")]
    ReadFile {
        /// Where it should be.
        reference: SecretRef,
        /// What the system says.
        source: std::io::Error,
    },
    /// The file, or what the program prints, is too large to be a secret.
    #[error("{} {MAX_BYTES} bytes", .0.so("is larger than", "has printed more than"))]
    TooLarge(SecretRef),
    /// It is not UTF-8.
    #[error("{}", .0.so("is not UTF-8 text", "has printed what is not UTF-8 text"))]
    NotText(SecretRef),
    /// There is no such program.
    #[error("{0} is not found on this machine")]
    NoProgram(SecretRef),
    /// The program cannot be run.
    #[error("{reference} cannot be run")]
    RunCommand {
        /// The program.
        reference: SecretRef,
        /// What the system says.
        source: std::io::Error,
    },
    /// The program says that it could not.
    #[error("{reference} gave no secret: {}", ended(*.code))]
    CommandFailed {
        /// The program.
        reference: SecretRef,
        /// The code it has ended with; none where something has ended it.
        code: Option<i32>,
    },
    /// The program took too long, and was ended.
    #[error("{reference} had not ended after {timeout:?}, and was ended")]
    CommandTimedOut {
        /// The program.
        reference: SecretRef,
        /// How long it may take.
        timeout: Duration,
    },
    /// There is no vault.
    #[error("{0} cannot be had: the config has no vault")]
    NoVault(SecretRef),
    /// The vault does not have it.
    #[error("{reference} is not there{}", meant(.nearest.as_deref()))]
    NotInVault {
        /// Which secret.
        reference: SecretRef,
        /// The name that may have been meant.
        nearest: Option<String>,
    },
    /// The vault cannot be opened.
    #[error("{reference} cannot be read")]
    Vault {
        /// Which secret.
        reference: SecretRef,
        /// Why.
        source: Arc<dyn std::error::Error + Send + Sync>,
    },
}

fn meant(nearest: Option<&str>) -> String {
    nearest.map_or_else(String::new, |name| format!(", but `{name}` is"))
}

fn ended(code: Option<i32>) -> String {
    code.map_or_else(
        || "something ended it".to_owned(),
        |code| format!("it ended with code {code}"),
    )
}

impl SecretRef {
    /// Fetches the secret. One line break at the end of a file, or of what a program prints, is not
    /// part of it. A program is waited for, as long as its time-out: in async code see [`aside`].
    ///
    /// Warns in the log when others on this machine can read the file.
    ///
    /// # Errors
    ///
    /// When there is no such variable, file, program or entry of the vault, when it is empty, when a
    /// file is no text or too large to be a secret, when a program fails or takes too long, or when
    /// the vault cannot be opened.
    pub fn resolve(&self, secrets: &Secrets) -> Result<SecretString, SecretError> {
        let secret = match self {
            Self::Vault(name) => return self.in_vault(name, secrets),
            Self::Env(name) => {
                secrets.variable(name).ok_or_else(|| SecretError::NotSet(self.clone()))?
            }
            Self::File(path) => self.text(self.read(path)?)?,
            Self::Command(command) => self.text(self.ask(command)?)?,
        };
        if secret.is_empty() {
            return Err(SecretError::Empty(self.clone()));
        }
        Ok(SecretString::from(secret))
    }

    /// The same where it may be no text, such as a PFX file; every byte of a file belongs to it.
    ///
    /// # Errors
    ///
    /// As [`SecretRef::resolve`], but for what is no text.
    pub fn resolve_bytes(&self, secrets: &Secrets) -> Result<Zeroizing<Vec<u8>>, SecretError> {
        let bytes = match self {
            Self::File(path) => self.read(path)?,
            Self::Command(command) => self.ask(command)?,
            Self::Env(_) | Self::Vault(_) => {
                self.resolve(secrets)?.expose_secret().as_bytes().to_vec()
            }
        };
        if bytes.is_empty() {
            return Err(SecretError::Empty(self.clone()));
        }
        Ok(Zeroizing::new(bytes))
    }

    /// The words that fit: of what lies somewhere, or of what a program does.
    fn so(&self, lies: &str, prints: &str) -> String {
        match self {
            Self::Env(_) | Self::File(_) | Self::Vault(_) => format!("{self} {lies}"),
            Self::Command(_) => format!("{self} {prints}"),
        }
    }

    fn in_vault(&self, name: &str, secrets: &Secrets) -> Result<SecretString, SecretError> {
        let reference = self.clone();
        match secrets.in_vault(name) {
            None => Err(SecretError::NoVault(reference)),
            Some(Ok(secret)) if secret.expose_secret().is_empty() => {
                Err(SecretError::Empty(reference))
            }
            Some(found) => found.map_err(|fault| match fault {
                VaultFault::Unknown { nearest } => SecretError::NotInVault { reference, nearest },
                VaultFault::Closed(source) => SecretError::Vault { reference, source },
            }),
        }
    }

    fn ask(&self, command: &SecretCommand) -> Result<Vec<u8>, SecretError> {
        command.run(MAX_BYTES).map_err(|trouble| {
            let reference = self.clone();
            match trouble {
                CommandTrouble::NotFound => SecretError::NoProgram(reference),
                CommandTrouble::Run(source) => SecretError::RunCommand { reference, source },
                CommandTrouble::Failed(code) => SecretError::CommandFailed { reference, code },
                CommandTrouble::TimedOut(timeout) => {
                    SecretError::CommandTimedOut { reference, timeout }
                }
                CommandTrouble::TooLarge => SecretError::TooLarge(reference),
            }
        })
    }

    fn read(&self, path: &Path) -> Result<Vec<u8>, SecretError> {
        let failed = |source| SecretError::ReadFile { reference: self.clone(), source };
        let file = File::open(path).map_err(failed)?;
        if is_open_to_others(&file) && !is_systemd_credential(path) {
            tracing::warn!(
                file = %path.display(),
                "secret file can be read by other users of this machine; make it readable by its owner only"
            );
        }
        let mut bytes = Vec::new();
        file.take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(failed)?;
        if bytes.len() as u64 > MAX_BYTES {
            return Err(SecretError::TooLarge(self.clone()));
        }
        Ok(bytes)
    }

    fn text(&self, bytes: Vec<u8>) -> Result<String, SecretError> {
        let mut text = String::from_utf8(bytes).map_err(|_| SecretError::NotText(self.clone()))?;
        if text.ends_with('\n') {
            text.pop();
            if text.ends_with('\r') {
                text.pop();
            }
        }
        Ok(text)
    }
}

/// Their folder is the service's alone; what looks like the group's bit is an access list for its user.
fn is_systemd_credential(path: &Path) -> bool {
    path.starts_with("/run/credentials")
}

#[cfg(unix)]
fn is_open_to_others(file: &File) -> bool {
    use std::os::unix::fs::PermissionsExt;
    const GROUP_OR_WORLD_READ: u32 = 0o044;
    file.metadata().is_ok_and(|data| data.permissions().mode() & GROUP_OR_WORLD_READ != 0)
}

/// Windows keeps access in lists that say nothing in a few bits; there the folder decides.
#[cfg(not(unix))]
fn is_open_to_others(_file: &File) -> bool {
    false
}

/// Reads a reference. Whatever stands there instead may be the secret and is never shown.
pub(super) fn read(field: &Field<'_>, folder: &Path) -> Option<SecretRef> {
    if !field.is_table() {
        let message = format!("`{}` has to say where the secret is, not what it is", field.key);
        field.refuse_key(message, Some(format!("write {EXAMPLES}")));
        return None;
    }
    let section = field.part()?;
    section.check_keys(KEYS);
    let known = ["env", "file", "command", "vault"];
    let problem = match known.map(|key| section.get(key)) {
        [None, None, Some(words), None] => {
            return command::read(&section, &words, folder).map(SecretRef::Command);
        }
        [None, None, None, None] => "needs `env`, `file`, `command` or `vault`",
        [Some(_), None, None, None] | [None, Some(_), None, None] | [None, None, None, Some(_)]
            if section.has("timeout") =>
        {
            "takes `timeout` beside `command` only"
        }
        [Some(name), None, None, None] => return variable(&name).map(SecretRef::Env),
        [None, Some(path), None, None] => {
            return path.text().map(|path| SecretRef::File(folder.join(path)));
        }
        [None, None, None, Some(name)] => return entry(&name).map(SecretRef::Vault),
        _ => "takes one of `env`, `file`, `command` and `vault`",
    };
    section.refuse(format!("{} {problem}", section.title()), None);
    None
}

/// Runs `work`, which fetches secrets, where it may wait for a program without holding up others.
/// Never ends when the runtime is shut down before its turn comes.
pub async fn aside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_) => std::future::pending().await,
        },
    }
}

/// The name of a variable. What has another shape may be a pasted secret.
fn variable(field: &Field<'_>) -> Option<String> {
    let name = field.text()?;
    let mut bytes = name.bytes();
    let begins = bytes.next().is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_');
    if begins && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
        return Some(name.to_owned());
    }
    let hint = "a name has letters, digits and `_`".to_owned();
    field.refuse_key("`env` is not the name of an environment variable".to_owned(), Some(hint));
    None
}

/// The name of a secret in the vault. What has another shape may be a pasted secret.
fn entry(field: &Field<'_>) -> Option<String> {
    let name = field.text()?;
    if is_name(name) {
        field.note_vault_use(name);
        return Some(name.to_owned());
    }
    let hint = "a name begins with `a` to `z` and goes on with those, digits and `-`".to_owned();
    field.refuse_key("`vault` is not the name of a secret in the vault".to_owned(), Some(hint));
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn env(value: &str) -> Secrets {
        Secrets::new(vec![("A".to_owned(), value.to_owned())])
    }

    #[test]
    fn a_variable_gives_its_value_and_a_missing_one_an_error() {
        let reference = SecretRef::Env("A".into());
        let secret = reference.resolve(&env("s3cret\n"));
        assert_eq!(secret.unwrap().expose_secret(), "s3cret\n");
        let error = reference.resolve(&Secrets::default()).unwrap_err();
        assert_eq!(error.to_string(), "environment variable `A` is not set");
        let empty = reference.resolve(&env("")).unwrap_err();
        assert_eq!(empty.to_string(), "environment variable `A` is empty");
    }

    #[test]
    fn a_file_gives_its_text_without_one_line_break() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        for (content, expected) in [("s\n", "s"), ("s\r\n", "s"), ("s\n\n", "s\n"), (" s", " s")] {
            std::fs::write(&path, content).unwrap();
            let secret = SecretRef::File(path.clone()).resolve(&Secrets::default()).unwrap();
            assert_eq!(secret.expose_secret(), expected);
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_others_can_read_is_noticed() {
        use std::os::unix::fs::PermissionsExt;
        let file = tempfile::tempfile().unwrap();
        for (mode, is_open) in [(0o600, false), (0o700, false), (0o640, true), (0o604, true)] {
            file.set_permissions(std::fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(is_open_to_others(&file), is_open, "{mode:o}");
        }
    }

    #[test]
    fn a_file_that_cannot_be_a_secret_is_refused_without_its_content() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        let limit = usize::try_from(MAX_BYTES).unwrap();
        let refuse = |content: &[u8]| {
            std::fs::write(&path, content).unwrap();
            SecretRef::File(path.clone()).resolve(&Secrets::default()).unwrap_err()
        };
        assert!(matches!(refuse(&vec![b'x'; limit + 1]), SecretError::TooLarge(_)));
        assert!(matches!(refuse(b"\n"), SecretError::Empty(_)));
        let error = refuse(b"hunter2\xff");
        assert!(matches!(error, SecretError::NotText(_)));
        assert!(!format!("{error} {error:?}").contains("hunter2"));
        let missing =
            SecretRef::File(folder.path().join("none")).resolve(&Secrets::default()).unwrap_err();
        assert!(matches!(missing, SecretError::ReadFile { .. }));
    }

    #[cfg(unix)]
    #[test]
    fn a_program_gives_what_it_prints_without_one_line_break() {
        let sh = |script: &str| SecretRef::Command(SecretCommand::new("sh", &["-c", script]));
        for (printed, expected) in [("s\\n", "s"), ("s\\r\\n", "s"), ("s\\n\\n", "s\n"), ("s", "s")]
        {
            let secret = sh(&format!("printf '{printed}'")).resolve(&Secrets::default()).unwrap();
            assert_eq!(secret.expose_secret(), expected);
        }
        let missing = SecretRef::Command(SecretCommand::new("no-such-program", &["hunter2"]));
        let short = SecretCommand::new("sleep", &["hunter2"]).with_timeout(Duration::from_secs(5));
        let slow = SecretCommand::new("sh", &["-c", "echo hunter2; exec sleep 600"]);
        let slow = slow.with_timeout(Duration::from_millis(200));
        for (reference, words) in [
            (missing, "command `no-such-program` is not found on this machine"),
            (SecretRef::Command(short), "command `sleep` gave no secret: it ended with code 1"),
            (SecretRef::Command(slow), "command `sh` had not ended after 200ms, and was ended"),
            (sh("echo hunter2; exit 3"), "command `sh` gave no secret: it ended with code 3"),
            (sh("kill -9 $$ hunter2"), "command `sh` gave no secret: something ended it"),
            (sh("echo hunter2 >&2"), "command `sh` has printed nothing"),
            (sh("printf 'hunter2\\377'"), "command `sh` has printed what is not UTF-8 text"),
            (sh("yes hunter2"), "command `sh` has printed more than 65536 bytes"),
        ] {
            let error = reference.resolve(&Secrets::default()).unwrap_err();
            assert_eq!(error.to_string(), words);
            assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
        }
    }
}
