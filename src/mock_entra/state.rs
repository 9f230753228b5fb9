//! The state file: the directory as JSON, replaced whole so that a crash leaves the one before.

use std::fs;
use std::io::{self, Write as _};
use std::path::Path;

use super::engine::Directory;
use super::shared::Shared;

/// Reads the file; one that is not there is an empty directory.
pub(super) fn read(path: &Path) -> io::Result<Directory> {
    match fs::read(path) {
        Ok(bytes) => Directory::read(&bytes)
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Directory::default()),
        Err(error) => Err(error),
    }
}

/// Writes the file, where one is named.
pub(super) fn keep(shared: &Shared) {
    if let Some(path) = &shared.state {
        let kept = shared.world().engine.directory.keep();
        if let Err(error) = kept.map_err(io::Error::other).and_then(|kept| write(path, &kept)) {
            tracing::warn!(path = %path.display(), %error, "the stand-in's state could not be kept");
        }
    }
}

/// Writes the file, readable by its owner alone: it holds names.
fn write(path: &Path, kept: &[u8]) -> io::Result<()> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".new");
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;

        options.mode(0o600);
    }
    let mut file = options.open(&beside)?;
    file.write_all(kept)?;
    file.sync_all()?;
    fs::rename(&beside, path)
}
