//! `forget`: erases a person from the ledger and the books.

use serde_json::json;

use crate::bridge::PersonForgotten;
use crate::cli::args::ForgetArgs;
use crate::cli::context::{Context, Failed, failed};
use crate::cli::exit::Exit;
use crate::cli::terminal::{ask, is_interactive, say, tell};
use crate::cli::words;
use crate::domain::ExternalId;
use crate::store::Wiped;

/// Most files listed.
const LISTED: usize = 20;

/// Forgets a person.
pub async fn run(context: &Context, args: ForgetArgs) -> Result<Exit, Failed> {
    let bridge = context.bridge()?;
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
    let done =
        bridge.forget(&target, &id, args.even_active, &context.who()).await.map_err(failed)?;
    if args.json {
        say(document(&done).to_string());
    } else {
        tell_done(&done);
    }
    Ok(if done.wiped == Wiped::Clean { Exit::Success } else { Exit::Error })
}

fn document(done: &PersonForgotten) -> serde_json::Value {
    let paths = |paths: &[std::path::PathBuf]| -> Vec<String> {
        paths.iter().map(|path| path.display().to_string()).collect()
    };
    json!({
        "target": done.target.as_str(),
        "record": done.removed.record,
        "operations": done.removed.operations,
        "scheduled": done.removed.scheduled,
        "runs": done.removed.runs,
        "nothing_left_behind": done.wiped == Wiped::Clean,
        "files": paths(&done.files),
        "files_not_searched": paths(&done.not_searched),
    })
}

fn tell_done(done: &PersonForgotten) {
    let removed = &done.removed;
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
    match done.wiped {
        Wiped::Clean => {
            say("the store's file and its log were written anew: nothing of them is left there");
        }
        Wiped::LogInUse => tell(
            "warning: the log beside the store may still hold something of them: something reads from it \
             all the time\nhint: stop the daemon for a moment: the log goes when nobody has the store open",
        ),
    }
    list("these files still name them, and are yours to keep or delete", &done.files);
    list(
        "these files cannot be searched (workbooks are packed); look for yourself",
        &done.not_searched,
    );
    tell(
        "not reached from here: the account in Entra, which stays as it is; backups; reports that somebody \
         saved; what the HR system exports. A file that names them again makes them somebody new. Whoever \
         reported to them goes on naming them as manager until their own row changes",
    );
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
