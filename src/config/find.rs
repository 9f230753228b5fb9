//! Where the config is.

use std::path::{Path, PathBuf};

/// The config's name where nothing else is said.
const FILE_NAME: &str = "scimport.toml";
/// The variable that says where the config is.
const VARIABLE: &str = "SCIMPORT_CONFIG";

/// There is no config.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "there is no `scimport.toml` in this folder, and neither `--config` nor `SCIMPORT_CONFIG` \
     names another config"
)]
pub struct ConfigNotFound;

impl ConfigNotFound {
    /// The way out.
    #[must_use]
    pub const fn hint(self) -> &'static str {
        "start from `samples/scimport.toml`, or name a config with `--config`"
    }
}

/// Says where the config is: as given on the command line, else in `SCIMPORT_CONFIG`, else in the
/// working directory. Only the last is looked for; the others are taken at their word.
///
/// # Errors
///
/// When none is named and the working directory has no `scimport.toml`.
pub fn find(
    explicit: Option<&Path>,
    env: &dyn Fn(&str) -> Option<String>,
) -> Result<PathBuf, ConfigNotFound> {
    if let Some(path) = explicit {
        return Ok(path.to_owned());
    }
    if let Some(path) = env(VARIABLE).filter(|path| !path.is_empty()) {
        return Ok(PathBuf::from(path));
    }
    let path = PathBuf::from(FILE_NAME);
    if path.is_file() { Ok(path) } else { Err(ConfigNotFound) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_beats_the_environment() {
        let env = |name: &str| (name == VARIABLE).then(|| "from-env.toml".to_owned());
        assert_eq!(find(Some(Path::new("a.toml")), &env), Ok(PathBuf::from("a.toml")));
        assert_eq!(find(None, &env), Ok(PathBuf::from("from-env.toml")));
    }

    #[test]
    fn an_empty_variable_counts_as_none() {
        // The crate's own folder has no config.
        assert_eq!(find(None, &|_| Some(String::new())), Err(ConfigNotFound));
    }
}
