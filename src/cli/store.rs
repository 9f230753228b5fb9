//! `store`: under which key the store lies.

use serde_json::json;

use crate::bridge::Rekeyed;
use crate::cli::args::{RekeyArgs, StoreArgs, StoreCommand};
use crate::cli::context::{Context, Failed, failed};
use crate::cli::exit::Exit;
use crate::cli::terminal::{ask, is_interactive, say, tell};
use crate::cli::wiping::{clean, exit_of, is_clean, warn_unless_clean};
use crate::cli::words;

/// Does what was asked.
pub async fn run(context: &Context, args: StoreArgs) -> Result<Exit, Failed> {
    match args.command {
        StoreCommand::Rekey(args) => rekey(context, args).await,
    }
}

async fn rekey(context: &Context, args: RekeyArgs) -> Result<Exit, Failed> {
    let setup = context.setup()?;
    let store = &setup.config().store;
    if let Some((words, hint)) = in_the_way(args.plain, store.key.is_some(), store.old_keys.len()) {
        tell(format!("error: {words}\nhint: {hint}"));
        return Ok(Exit::Usage);
    }
    if args.plain && !may_open_up(args.yes) {
        return Ok(Exit::Usage);
    }
    let bridge = if args.plain { context.open_to_unseal(setup)? } else { context.open(setup)? };
    bridge.note_config().await.map_err(failed)?;
    let done = bridge.rekey(&context.who(), &context.cancel).await.map_err(failed)?;
    if args.json {
        say(document(&done).to_string());
    } else {
        tell_done(&done);
    }
    if let Some(wiped) = &done.wiped {
        let is_done = format!("everything lies {}", lies(&done));
        warn_unless_clean(wiped, &is_done, "what was there before");
    }
    Ok(match &done {
        Rekeyed { is_stopped: true, .. } => Exit::Interrupted,
        Rekeyed { left: 0, wiped: Some(wiped), .. } => exit_of(wiped),
        _ => Exit::Error,
    })
}

/// What stands in the way in the config, and the way out.
fn in_the_way(plain: bool, has_key: bool, old: usize) -> Option<(&'static str, &'static str)> {
    match (plain, has_key, old) {
        (true, true, _) => Some((
            "`[store] key` is set, so that everything would be encrypted with it again",
            "move the key from `key` into `old_keys`, then `scimport store rekey --plain` takes the \
             encryption off",
        )),
        (true, false, 0) => Some((
            "the config names no key that the store could be encrypted with",
            "name it in `old_keys` of `[store]`",
        )),
        (false, false, _) => Some((
            "the config names no key to encrypt the store with",
            "make one with `openssl rand -base64 32`, and name it in `key` of `[store]`, such as \
             `key = { file = \"store.key\" }`; to take the encryption off: `--plain`",
        )),
        _ => None,
    }
}

fn may_open_up(yes: bool) -> bool {
    if yes {
        return true;
    }
    if !is_interactive() {
        tell(
            "error: taking the encryption off has to be said twice\n\
             hint: add `--yes` where nobody can be asked",
        );
        return false;
    }
    ask("Everything that the store keeps of people will lie in the clear. Go on?")
}

fn document(done: &Rekeyed) -> serde_json::Value {
    json!({
        "key": done.key.map(|key| key.to_string()),
        "keys_before": done.before.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "read": done.read,
        "rewritten": done.rewritten,
        "left": done.left,
        "finished": done.left == 0 && !done.is_stopped,
        "nothing_left_behind": done.wiped.as_ref().is_some_and(is_clean),
    })
}

/// Where everything is to lie.
fn lies(done: &Rekeyed) -> String {
    done.key.map_or_else(|| "in the clear".to_owned(), |key| format!("under key `{key}`"))
}

fn tell_done(done: &Rekeyed) {
    let count = words::thousands(done.rewritten);
    let lies = lies(done);
    if done.is_stopped {
        tell(format!(
            "stopped: {count} values were rewritten and stay so; the same command goes on from there"
        ));
        return;
    }
    if done.left > 0 {
        tell(format!(
            "error: {} values do not lie {lies} yet: something goes on writing with other keys\n\
             hint: start the daemon again, or have it read the config again, then run this command once more",
            words::thousands(done.left)
        ));
        return;
    }
    let read = words::thousands(done.read);
    say(format!(
        "{read} values were read and are as they were stored, {count} were rewritten; everything in the \
         store lies {lies}"
    ));
    if done.key.is_some() {
        let older: Vec<String> = done
            .before
            .iter()
            .filter(|id| Some(**id) != done.key)
            .map(|id| format!("`{id}`"))
            .collect();
        if !older.is_empty() {
            say(format!(
                "the store needs {} no more: take it out of `old_keys`, and keep it as long as there are \
                 backups from before",
                older.join(", ")
            ));
        }
    }
    if done.wiped.as_ref().is_some_and(is_clean) {
        say(clean("what was there before"));
    }
}
