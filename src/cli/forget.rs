//! `forget`: erases a person from the ledger and the books.

use serde_json::json;

use crate::bridge::{PersonForgotten, WhetherKnown};
use crate::cli::args::ForgetArgs;
use crate::cli::context::{Context, Failed, failed};
use crate::cli::exit::Exit;
use crate::cli::terminal::{ask, is_interactive, say, tell};
use crate::cli::wiping::{clean, exit_of, is_clean, warn_unless_clean};
use crate::cli::words;
use crate::domain::ExternalId;
use crate::store::{Forgotten, Wiped};

/// Most files listed.
const LISTED: usize = 20;

/// Forgets a person.
pub async fn run(context: &Context, args: ForgetArgs) -> Result<Exit, Failed> {
    let bridge = context.committing().await?;
    let id = ExternalId::new(args.external_id.as_str());
    let target = bridge.target_of(args.target.as_deref(), args.source.as_deref());
    let Some(target) = target.map_err(failed)? else {
        tell(
            "error: the config has several targets\nhint: say which with `--target T` or `--source S`",
        );
        return Ok(Exit::Usage);
    };
    if !args.yes {
        if !is_interactive() {
            tell(
                "error: forgetting somebody cannot be undone\n\
                 hint: add `--yes` where nobody can be asked",
            );
            return Ok(Exit::Usage);
        }
        let question = format!(
            "Everything that is known of `{id}` in target `{target}` is erased, for good. Go on?"
        );
        if !ask(&question) {
            tell("nothing was done");
            return Ok(Exit::Success);
        }
    }
    let (who, cancel) = (context.who(), &context.cancel);
    let done = bridge.forget(&target, &id, args.even_active, &who, cancel).await.map_err(failed)?;
    if args.json {
        say(document(&done).to_string());
    } else {
        say_done(&done);
    }
    tell_left(&done, args.json);
    Ok(match done.known {
        WhetherKnown::Nobody => Exit::Error,
        WhetherKnown::Forgotten(..) | WhetherKnown::Already(_) => exit_of(&done.wiped),
    })
}

fn document(done: &PersonForgotten) -> serde_json::Value {
    let paths = |paths: &[std::path::PathBuf]| -> Vec<String> {
        paths.iter().map(|path| path.display().to_string()).collect()
    };
    let (removed, at) = match done.known {
        WhetherKnown::Forgotten(removed, at) => (removed, Some(at)),
        WhetherKnown::Already(at) => (Forgotten::default(), Some(at)),
        WhetherKnown::Nobody => (Forgotten::default(), None),
    };
    json!({
        "target": done.target.as_str(),
        "forgotten_at": at.map(|at| at.to_string()),
        "record": removed.record,
        "operations": removed.operations,
        "scheduled": removed.scheduled,
        "runs": removed.runs,
        "nothing_left_behind": is_clean(&done.wiped),
        "files": paths(&done.files),
        "files_not_searched": paths(&done.not_searched),
    })
}

/// What was done.
fn say_done(done: &PersonForgotten) {
    let target = &done.target;
    match &done.known {
        WhetherKnown::Forgotten(removed, _) => say_removed(done, removed),
        WhetherKnown::Already(at) => {
            let at = words::instant(*at);
            say(format!("they were forgotten in target `{target}` already, at {at}"));
        }
        WhetherKnown::Nobody => {}
    }
    match (&done.known, &done.wiped) {
        (_, Ok(Wiped::InUse) | Err(_)) | (WhetherKnown::Nobody, Ok(Wiped::NothingDue)) => {}
        (WhetherKnown::Nobody, Ok(_)) => say(clean("what was removed before, of whomever it was,")),
        _ => say(clean("them")),
    }
    list("these files still name them, and are yours to keep or delete", &done.files);
    list(
        "these files cannot be searched (workbooks are packed); look for yourself",
        &done.not_searched,
    );
}

/// What is left to do, or why nothing was done.
fn tell_left(done: &PersonForgotten, is_json: bool) {
    if done.known == WhetherKnown::Nobody {
        warn_unless_clean(&done.wiped, "nobody was forgotten now", "what was removed before");
        tell(format!(
            "error: target `{}` knows nobody of this id\n\
             hint: `scimport record ID` shows who is known, and where. Who was forgotten is not kept; the \
             audit trail says when somebody was",
            done.target
        ));
        return;
    }
    if !is_json {
        tell(
            "not reached from here: the account in Entra, which stays as it is; backups; reports that \
             somebody saved; what the HR system exports. A file that names them again makes them somebody \
             new. Whoever reported to them goes on naming them as manager until their own row changes",
        );
    }
    warn_unless_clean(&done.wiped, "they are forgotten", "them");
}

fn say_removed(done: &PersonForgotten, removed: &Forgotten) {
    let line = if removed.record { "the line in the ledger, " } else { "" };
    let later = match removed.scheduled {
        0 => String::new(),
        count => format!(", {} for later", counted(count, "row")),
    };
    let operations = counted(removed.operations, "operation");
    say(format!("forgotten in target `{}`: {line}{operations}{later}", done.target));
    say(format!(
        "{} on counting them, without saying who it was",
        match removed.runs {
            1 => "1 run goes".to_owned(),
            runs => format!("{} runs go", words::thousands(runs)),
        }
    ));
}

fn counted(count: u64, one: &str) -> String {
    match count {
        1 => format!("1 {one}"),
        _ => format!("{} {one}s", words::thousands(count)),
    }
}

fn list(what: &str, files: &[std::path::PathBuf]) {
    if files.is_empty() {
        return;
    }
    say(format!("{what}:"));
    for file in files.iter().take(LISTED) {
        say(format!("  {}", file.display()));
    }
    if files.len() > LISTED {
        say(format!("  … and {} more (`--json` lists all)", files.len() - LISTED));
    }
}
