//! Whether the vault opens, and holds what the config refers to.

use crate::bridge::Setup;
use crate::cli::exit::Exit;
use crate::cli::terminal::{say, tell};
use crate::config::{ConfigPlace, ConfigProblem, VaultKeyRef};
use crate::telemetry::causes;
use crate::vault::VaultError;

/// Looks at the vault; a config that says nothing of one has nothing to tell.
pub fn run(setup: &Setup) -> Exit {
    let (config, vault) = (setup.config(), setup.vault());
    let used = config.vault_uses();
    if used.is_empty() && !vault.exists() {
        if config.vault.key.is_some() {
            tell("warning: there is no vault yet; `scimport secret set NAME` makes it");
        }
        return Exit::Success;
    }
    let listed = match vault.list(setup.secrets()) {
        Ok(listed) => listed,
        Err(error) => {
            tell(closed(setup, &error).to_string());
            return Exit::Usage;
        }
    };
    let mut exit = Exit::Success;
    for found in used {
        if listed.iter().any(|listed| listed.name.as_str() == found.name) {
            continue;
        }
        let names = listed.iter().map(|listed| listed.name.as_str());
        let hint = crate::config::nearest(&found.name, names).map_or_else(
            || format!("`scimport secret set {}` puts it there", found.name),
            |name| format!("did you mean `{name}`?"),
        );
        let message = format!("there is no secret `{}` in the vault", found.name);
        tell(config.vault_problem(found, message, Some(hint)).to_string());
        exit = Exit::Usage;
    }
    if exit == Exit::Success {
        let path = vault.path().display();
        say(format!(
            "vault: `{path}` opens, secrets {}, used by the config {}",
            listed.len(),
            used.len()
        ));
    }
    exit
}

/// What is wrong with the vault, with the line that says where it is or what opens it.
fn closed(setup: &Setup, error: &VaultError) -> ConfigProblem {
    let config = setup.config();
    let path = match (error, &config.vault.key) {
        (
            VaultError::WrongKey { .. }
            | VaultError::OtherKind { .. }
            | VaultError::Key(_)
            | VaultError::NoIdentity(_)
            | VaultError::NoPassphrase(_),
            Some(key),
        ) => match key {
            VaultKeyRef::Identity(_) => "vault.key",
            VaultKeyRef::Passphrase(_) => "vault.passphrase",
        },
        _ => "vault.path",
    };
    let message = causes(error).join(", because ");
    let problem = config.problem_at(path, message.clone(), error.hint());
    match (&problem.place, config.vault_uses().first()) {
        // without `[vault]` it is the first who refers to it that is wrong
        (ConfigPlace::File { .. }, Some(first)) => {
            config.vault_problem(first, message, error.hint())
        }
        _ => problem,
    }
}
