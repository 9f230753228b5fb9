//! `secret`: what is in the vault.

mod trail;
mod typed;

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::bridge::Setup;
use crate::cli::args::{
    Expires, SecretArgs, SecretCommand, SecretListArgs, SecretRemoveArgs, SecretRotateArgs,
    SecretSetArgs, expires,
};
use crate::cli::context::{Context, Failed};
use crate::cli::exit::Exit;
use crate::cli::secret::trail::{Begun, note_done};
use crate::cli::terminal::{answer, is_interactive, remark, say, tell};
use crate::cli::words;
use crate::config::{Config, aside};
use crate::domain::{AuditAction, AuditDetails, AuditSubject};
use crate::telemetry::causes;
use crate::vault::{Change, Listed, NewSecret, OldKey, Rekeyed, SecretName, Vault, VaultError};

/// Does what is asked about secrets.
pub async fn run(context: &Context, args: SecretArgs) -> Result<Exit, Failed> {
    match args.command {
        SecretCommand::Set(args) => set(context, args).await,
        SecretCommand::List(args) => list(context, &args).await,
        SecretCommand::Rotate(args) if args.key => rotate_key(context, &args).await,
        SecretCommand::Rotate(args) => rotate(context, args).await,
        SecretCommand::Remove(args) => remove(context, &args).await,
    }
}

async fn set(context: &Context, args: SecretSetArgs) -> Result<Exit, Failed> {
    let name = name(&args.name)?;
    let setup = context.setup()?;
    // what opens the store cannot be asked for before it is set
    let opens_store = opens_store(setup.config(), &name);
    let bridge = if opens_store { None } else { Some(context.committing().await?) };
    let now = context.told_clock(&setup)?.now();
    let expires_at = not_past(args.expires, now)?;
    let vault = opened_by_person(&setup).await?;
    if opens_store && vault.exists() {
        let (looking, secrets) = (Arc::clone(&vault), setup.secrets().clone());
        let listed = aside(move || looking.list(&secrets)).await.map_err(|error| told(&*error))?;
        if listed.iter().any(|listed| listed.name == name) {
            return Ok(refuse_store_key(&name));
        }
    }
    let value = asked(typed::value, name.as_str()).await?;
    let new = NewSecret { value, expires_at, note: args.note };
    let known = AuditDetails::none().with_some("expires_at", expires_at);
    let begun = match &bridge {
        Some(bridge) => {
            let action = AuditAction::SecretSet;
            Some(Begun::note(context, bridge, action, subject(&name), known.clone()).await?)
        }
        None => None,
    };
    let (changing, secrets, its_name) = (Arc::clone(&vault), setup.secrets().clone(), name.clone());
    let done = aside(move || changing.set(&its_name, new, now, &secrets)).await;
    let Change { was_there, made_vault, made_key } = match &begun {
        Some(begun) => begun.unless_failed(done).await?,
        None => done.map_err(told)?,
    };
    let path = vault.path().display();
    if let Some(key) = made_key {
        remark(format!(
            "made the key of the vault, `{}`: keep a copy of it in a safe place, and not beside copies of \
             the vault; without it nobody can open the vault, and who has both has every secret",
            key.display()
        ));
    }
    if made_vault {
        remark(format!("made the vault `{path}`"));
    }
    let what = if was_there { "put a new value in the place of the old" } else { "set" };
    remark(format!("{what}: secret `{name}` in the vault `{path}`"));
    match used_by(setup.config(), name.as_str()).as_slice() {
        [] => remark(format!(
            "the config does not refer to it yet: write `{{ vault = \"{name}\" }}` where it is needed"
        )),
        keys => remark(format!("used by {}", keys.join(", "))),
    }
    let details = known.with("replaced", was_there).with("made_vault", made_vault);
    match begun {
        Some(begun) => begun.done(details).await,
        None => note_done(context, AuditAction::SecretSet, subject(&name), details).await,
    }
}

async fn list(context: &Context, args: &SecretListArgs) -> Result<Exit, Failed> {
    let setup = context.setup()?;
    let config = setup.config();
    let vault = opened_by_person(&setup).await?;
    let secrets = setup.secrets().clone();
    let listed = aside(move || vault.list(&secrets)).await.map_err(|error| told(&*error))?;
    let missing: Vec<_> = config
        .vault_uses()
        .iter()
        .filter(|used| !listed.iter().any(|listed| listed.name.as_str() == used.name))
        .collect();
    if args.json {
        let each = listed.iter().map(|listed| document(listed, config));
        say(Value::Array(each.collect()).to_string());
    } else {
        let width = listed.iter().map(|listed| listed.name.as_str().len()).max().unwrap_or(0);
        for listed in &listed {
            say(line(listed, config, width));
        }
        if listed.is_empty() {
            remark("the vault is empty; `scimport secret set NAME` puts a secret into it");
        }
    }
    for used in missing {
        tell(format!("warning: `{}` refers to `{}`, which is not there", used.key, used.name));
    }
    Ok(Exit::Success)
}

async fn rotate(context: &Context, args: SecretRotateArgs) -> Result<Exit, Failed> {
    let name = name(args.name.as_deref().unwrap_or_default())?;
    let bridge = context.committing().await?;
    if opens_store(bridge.setup.config(), &name) {
        return Ok(refuse_store_key(&name));
    }
    let now = bridge.clock.now();
    let vault = opened_by_person(&bridge.setup).await?;
    let (looking, secrets) = (Arc::clone(&vault), bridge.secrets.clone());
    let listed = aside(move || looking.list(&secrets)).await.map_err(|error| told(&*error))?;
    let Some(old) = listed.iter().find(|listed| listed.name == name) else {
        let names = listed.iter().map(|listed| listed.name.as_str());
        let nearest = crate::config::nearest(name.as_str(), names).map(str::to_owned);
        return Err(told(VaultError::Unknown { name: name.to_string(), nearest }));
    };
    let expires_at = not_past(Some(end_of_new(old, args.expires)?), now)?;
    let value = asked(typed::value, name.as_str()).await?;
    let new = NewSecret { value, expires_at, note: None };
    let details = AuditDetails::none().with_some("expires_at", expires_at);
    let action = AuditAction::SecretRotated;
    let begun = Begun::note(context, &bridge, action, subject(&name), details.clone()).await?;
    let (changing, secrets, its_name) = (Arc::clone(&vault), bridge.secrets.clone(), name.clone());
    let done = aside(move || changing.rotate(&its_name, new, now, &secrets)).await;
    begun.unless_failed(done).await?;
    let ends = expires_at.map_or_else(String::new, |at| format!(", good until {}", day(at)));
    remark(format!("put a new value in the place of the old: secret `{name}`{ends}"));
    remark("a daemon that runs uses it from now on");
    begun.done(details).await
}

async fn rotate_key(context: &Context, args: &SecretRotateArgs) -> Result<Exit, Failed> {
    let bridge = context.committing().await?;
    let now = bridge.clock.now();
    let vault = opened_by_person(&bridge.setup).await?;
    let new = if vault.rekeys_by_passphrase() {
        Some(asked(|_: &str| typed::new_passphrase(), "").await?)
    } else {
        None
    };
    let old_key = if args.drop_old { OldKey::TakenOut } else { OldKey::Kept };
    let known = AuditDetails::none().with("drop_old", args.drop_old);
    let (action, subject) = (AuditAction::VaultRekeyed, AuditSubject::Vault);
    let begun = Begun::note(context, &bridge, action, subject, known.clone()).await?;
    let (changing, secrets) = (Arc::clone(&vault), bridge.secrets.clone());
    let done = aside(move || changing.rekey(new, old_key, now, &secrets)).await;
    let Rekeyed { secrets, file, taken_out, left, is_known } = begun.unless_failed(done).await?;
    let path = vault.path().display();
    remark(format!("encrypted the vault `{path}` for a new key, secrets {secrets}"));
    if let Some(file) = file {
        let of_old = if args.drop_old {
            "and the old one is not any more"
        } else {
            "and the old one does not open the vault any more"
        };
        remark(format!(
            "the new key is in `{}`, {of_old}: keep a copy of the new one, and of the old one for as long as \
             you keep copies of the vault that it opens",
            file.display()
        ));
        if args.drop_old && left > 0 {
            remark(format!(
                "other keys stay in that file, as this command did not put them there: {left}"
            ));
        } else if left > 0 {
            remark(format!(
                "other keys stay in that file, as another vault may need them: {left}; where none does, \
                 `scimport secret rotate --key --drop-old` takes out what was replaced"
            ));
        }
    } else if is_known {
        remark("it is the last line of what the config refers to; take the others out");
    }
    let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
    begun.done(known.with("secrets", count(secrets)).with("taken_out", count(taken_out))).await
}

async fn remove(context: &Context, args: &SecretRemoveArgs) -> Result<Exit, Failed> {
    let name = name(&args.name)?;
    let bridge = context.committing().await?;
    let used = used_by(bridge.setup.config(), name.as_str());
    if !used.is_empty() && !args.force {
        tell(format!(
            "error: the config refers to secret `{name}`: {}; nothing was changed\n\
             hint: change the config first, or add --force",
            used.join(", ")
        ));
        return Ok(Exit::Error);
    }
    let vault = opened_by_person(&bridge.setup).await?;
    let (changing, secrets, its_name) = (Arc::clone(&vault), bridge.secrets.clone(), name.clone());
    let details = AuditDetails::none().with("in_use", !used.is_empty());
    let action = AuditAction::SecretRemoved;
    let begun = Begun::note(context, &bridge, action, subject(&name), details.clone()).await?;
    let done = aside(move || changing.remove(&its_name, &secrets)).await;
    begun.unless_failed(done).await?;
    remark(format!("took secret `{name}` out of the vault `{}`", vault.path().display()));
    if !used.is_empty() {
        tell(format!("warning: the config still refers to it: {}", used.join(", ")));
    }
    begun.done(details).await
}

/// Whether a secret is what the store is encrypted with.
fn opens_store(config: &Config, name: &SecretName) -> bool {
    let mut used = config.vault_uses().iter().filter(|used| used.name == name.as_str());
    used.any(|used| used.key.starts_with("store."))
}

/// With another value in its place nobody could read what is stored.
fn refuse_store_key(name: &SecretName) -> Exit {
    tell(format!(
        "error: the store is encrypted with secret `{name}`; nothing was changed\n\
         hint: set the new key under another name, make that the `key` of `[store]` and this one of its \
         `old_keys`, then run `scimport store rekey`"
    ));
    Exit::Error
}

fn subject(name: &SecretName) -> AuditSubject {
    AuditSubject::Secret(name.as_str().into())
}

/// The vault of the config; where nothing there says what opens it, a person is asked.
async fn opened_by_person(setup: &Setup) -> Result<Arc<Vault>, Failed> {
    for warning in setup.vault_warnings() {
        tell(format!("warning: {warning}"));
    }
    let vault = setup.vault();
    if !vault.needs_passphrase() || !is_interactive() {
        return Ok(Arc::clone(vault));
    }
    let is_there = vault.exists();
    let ask = move |_: &str| if is_there { typed::passphrase() } else { typed::new_passphrase() };
    let passphrase = asked(ask, "").await?;
    Ok(Arc::new(Vault::new(&setup.config().vault).with_passphrase(passphrase)))
}

/// Asks a person, or waits for standard input, and holds up nobody meanwhile.
async fn asked<T: Send + 'static>(
    ask: impl FnOnce(&str) -> Result<T, Failed> + Send + 'static,
    name: &str,
) -> Result<T, Failed> {
    let name = name.to_owned();
    aside(move || ask(&name)).await
}

/// Until when the new value is good: asked anew where the old one had an end.
fn end_of_new(old: &Listed, told: Option<Expires>) -> Result<Expires, Failed> {
    let Some(end) = old.expires_at else { return Ok(told.unwrap_or(Expires::Never)) };
    if let Some(told) = told {
        return Ok(told);
    }
    if is_interactive()
        && let Some(typed) = answer("the day on which the new value ends, or `never`:")
        && let Ok(found) = expires(typed.trim())
    {
        return Ok(found);
    }
    tell(format!(
        "error: the old value of `{}` ends on {}; nothing says when the new one does\n\
         hint: add `--expires DATE`, or `--expires never`",
        old.name,
        day(end)
    ));
    Err(Failed(Exit::Usage))
}

/// Where a value ends in the past, somebody has mistyped.
fn not_past(expires: Option<Expires>, now: Timestamp) -> Result<Option<Timestamp>, Failed> {
    let at = expires.and_then(Expires::at);
    if at.is_some_and(|at| at <= now) {
        tell("error: that day has passed; nothing was changed\nhint: look at `--expires`");
        return Err(Failed(Exit::Usage));
    }
    Ok(at)
}

fn name(text: &str) -> Result<SecretName, Failed> {
    SecretName::new(text).map_err(|error| {
        tell(format!("error: {error}"));
        Failed(Exit::Usage)
    })
}

fn told(error: impl std::borrow::Borrow<VaultError>) -> Failed {
    let error = error.borrow();
    let mut text = format!("error: {}", causes(error).join("\n  because "));
    if let Some(hint) = error.hint() {
        text = format!("{text}\nhint: {hint}");
    }
    tell(text);
    Failed(Exit::Error)
}

/// The keys of the config that refer to a secret.
fn used_by(config: &Config, name: &str) -> Vec<String> {
    let used = config.vault_uses().iter().filter(|used| used.name == name);
    used.map(|used| format!("`{}`", used.key)).collect()
}

fn day(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d").to_string()
}

/// A secret on one line.
fn line(listed: &Listed, config: &Config, width: usize) -> String {
    let name = listed.name.as_str();
    let ends = listed.expires_at.map_or_else(|| "-".to_owned(), day);
    let used = used_by(config, name);
    let used = if used.is_empty() { "nothing".to_owned() } else { used.join(", ") };
    let note = listed.note.as_ref().map_or_else(String::new, |note| format!("  ({note})"));
    let set = words::instant(listed.set_at);
    format!("{name:<width$}  set {set}  expires {ends:<10}  used by {used}{note}")
}

fn document(listed: &Listed, config: &Config) -> Value {
    let used = config.vault_uses().iter().filter(|used| used.name == listed.name.as_str());
    json!({
        "name": listed.name.as_str(),
        "set_at": words::instant(listed.set_at),
        "expires_at": listed.expires_at.map(words::instant),
        "note": listed.note,
        "used_by": used.map(|used| used.key.as_str()).collect::<Vec<_>>(),
    })
}
