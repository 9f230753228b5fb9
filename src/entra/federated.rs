//! A federated token: the assertion that another identity provider has put into a file.
//!
//! Follows the Microsoft page "Workload identity federation". Kubernetes replaces the file within the
//! hour, so it is read for every token request.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use secrecy::SecretString;

/// Largest token read, in bytes; they have one or two thousand.
const MAX_BYTES: u64 = 64 * 1024;

/// Why there is no federated token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FederatedProblem {
    /// The file cannot be read.
    #[error("the file cannot be read: {0}")]
    Read(io::ErrorKind),
    /// There is nothing in it.
    #[error("the file is empty")]
    Empty,
    /// What is in it is no JWT.
    #[error("what is in the file is no JWT")]
    NotJwt,
}

/// The token in the file, without the white space around it.
pub(super) fn read(path: &Path) -> Result<SecretString, FederatedProblem> {
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(MAX_BYTES + 1).read_to_end(&mut bytes));
    read.map_err(|error| FederatedProblem::Read(error.kind()))?;
    let text = bytes.trim_ascii();
    if text.is_empty() {
        return Err(FederatedProblem::Empty);
    }
    let is_jwt = u64::try_from(bytes.len()).is_ok_and(|length| length <= MAX_BYTES)
        && text.split(|byte| *byte == b'.').count() == 3
        && text.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(byte));
    let token = std::str::from_utf8(text).ok().filter(|_| is_jwt);
    token.map(SecretString::from).ok_or(FederatedProblem::NotJwt)
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::*;

    #[test]
    fn a_token_is_three_parts_and_white_space_is_not_in_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        let of = |text: &str| {
            std::fs::write(&path, text).unwrap();
            read(&path).map(|token| token.expose_secret().to_owned())
        };
        assert_eq!(of(" \r\neyJ.eyJ.s-_9\n\n"), Ok("eyJ.eyJ.s-_9".to_owned()));
        assert_eq!(of(" \n"), Err(FederatedProblem::Empty));
        for other in ["hunter2", "a.b", "a.b.c.d", "a.b c.d", "a.b.ü", &"a.b.c".repeat(20_000)] {
            assert_eq!(of(other), Err(FederatedProblem::NotJwt));
        }
        std::fs::remove_file(&path).unwrap();
        assert_eq!(read(&path).err(), Some(FederatedProblem::Read(io::ErrorKind::NotFound)));
    }
}
