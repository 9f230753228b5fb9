//! References to secrets, and how they are followed.

use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use secrecy::SecretString;

use crate::config::section::{Field, Section};

/// Largest secret file read, in bytes; a PEM file with key and chain has about 10 KiB.
const MAX_FILE_BYTES: u64 = 64 * 1024;
/// Where a secret can be, now and later.
pub(super) const KEYS: &[&str] = &["env", "file"];
pub(super) const LATER: &[&str] = &["command", "vault"];
/// What stands in the place of a secret, for messages.
const EXAMPLES: &str = "`{ env = \"NAME\" }` or `{ file = \"path\" }`";

/// Where a secret is. Never the secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretRef {
    /// In this environment variable.
    Env(String),
    /// In this file, its folder being the config's where it was relative.
    File(PathBuf),
}

impl fmt::Display for SecretRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Env(name) => write!(f, "environment variable `{name}`"),
            Self::File(path) => write!(f, "file `{}`", path.display()),
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
    #[error("{0} is empty")]
    Empty(SecretRef),
    /// The file cannot be read.
    #[error("cannot read the secret in {reference}")]
    ReadFile {
        /// Where it should be.
        reference: SecretRef,
        /// What the system says.
        source: std::io::Error,
    },
    /// The file is too large to be a secret.
    #[error("{0} is larger than {MAX_FILE_BYTES} bytes")]
    TooLarge(SecretRef),
    /// The file is not UTF-8.
    #[error("{0} is not UTF-8 text")]
    NotText(SecretRef),
}

impl SecretRef {
    /// Fetches the secret. One line break at the end of a file is not part of it.
    ///
    /// Warns in the log when others on this machine can read the file.
    ///
    /// # Errors
    ///
    /// When there is no such variable or file, when it is empty, or when a file is no text or too
    /// large to be a secret.
    pub fn resolve(
        &self,
        env: &dyn Fn(&str) -> Option<String>,
    ) -> Result<SecretString, SecretError> {
        let secret = match self {
            Self::Env(name) => env(name).ok_or_else(|| SecretError::NotSet(self.clone()))?,
            Self::File(path) => self.read(path)?,
        };
        if secret.is_empty() {
            return Err(SecretError::Empty(self.clone()));
        }
        Ok(SecretString::from(secret))
    }

    fn read(&self, path: &Path) -> Result<String, SecretError> {
        let failed = |source| SecretError::ReadFile { reference: self.clone(), source };
        let file = File::open(path).map_err(failed)?;
        if is_open_to_others(&file) && !is_systemd_credential(path) {
            tracing::warn!(
                file = %path.display(),
                "secret file can be read by other users of this machine; make it readable by its owner only"
            );
        }
        let mut bytes = Vec::new();
        file.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes).map_err(failed)?;
        if bytes.len() as u64 > MAX_FILE_BYTES {
            return Err(SecretError::TooLarge(self.clone()));
        }
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
    section.check_keys(KEYS, LATER);
    if LATER.iter().any(|key| section.has(key)) {
        return None;
    }
    match (section.get("env"), section.get("file")) {
        (Some(name), None) => variable(&name).map(SecretRef::Env),
        (None, Some(path)) => path.text().map(|path| SecretRef::File(folder.join(path))),
        (Some(_), Some(_)) => both(&section),
        (None, None) => {
            section.refuse(format!("{} needs `env` or `file`", section.title()), None);
            None
        }
    }
}

fn both(section: &Section<'_>) -> Option<SecretRef> {
    section.refuse(format!("{} takes `env` or `file`, not both", section.title()), None);
    None
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

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    fn none(_: &str) -> Option<String> {
        None
    }

    #[test]
    fn a_variable_gives_its_value_and_a_missing_one_an_error() {
        let reference = SecretRef::Env("A".into());
        let secret = reference.resolve(&|name| (name == "A").then(|| "s3cret\n".into()));
        assert_eq!(secret.unwrap().expose_secret(), "s3cret\n");
        let error = reference.resolve(&none).unwrap_err();
        assert_eq!(error.to_string(), "environment variable `A` is not set");
        let empty = reference.resolve(&|_| Some(String::new())).unwrap_err();
        assert_eq!(empty.to_string(), "environment variable `A` is empty");
    }

    #[test]
    fn a_file_gives_its_text_without_one_line_break() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        for (content, expected) in [("s\n", "s"), ("s\r\n", "s"), ("s\n\n", "s\n"), (" s", " s")] {
            std::fs::write(&path, content).unwrap();
            let secret = SecretRef::File(path.clone()).resolve(&none).unwrap();
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
        let limit = usize::try_from(MAX_FILE_BYTES).unwrap();
        let refuse = |content: &[u8]| {
            std::fs::write(&path, content).unwrap();
            SecretRef::File(path.clone()).resolve(&none).unwrap_err()
        };
        assert!(matches!(refuse(&vec![b'x'; limit + 1]), SecretError::TooLarge(_)));
        assert!(matches!(refuse(b"\n"), SecretError::Empty(_)));
        let error = refuse(b"hunter2\xff");
        assert!(matches!(error, SecretError::NotText(_)));
        assert!(!format!("{error} {error:?}").contains("hunter2"));
        let missing = SecretRef::File(folder.path().join("none")).resolve(&none).unwrap_err();
        assert!(matches!(missing, SecretError::ReadFile { .. }));
    }
}
