//! `schema`: the custom attributes of the mappings, and those that the provisioning job knows.

mod backup;
mod words;

use std::io::Read as _;
use std::path::Path;

use crate::bridge::{BridgeError, SchemaLook};
use crate::cli::args::{
    SchemaArgs, SchemaCommand, SchemaDiffArgs, SchemaPushArgs, SchemaRestoreArgs,
};
use crate::cli::context::{Context, Failed, failed};
use crate::cli::exit::Exit;
use crate::cli::json;
use crate::cli::schema::backup::Backup;
use crate::cli::terminal::{ask, is_interactive, remark, say, tell};
use crate::domain::TargetName;
use crate::entra::MAX_SCHEMA_BYTES;

/// Does what is asked about a schema.
pub async fn run(context: &Context, args: SchemaArgs) -> Result<Exit, Failed> {
    match args.command {
        SchemaCommand::Diff(args) => diff(context, args).await,
        SchemaCommand::Push(args) => push(context, args).await,
        SchemaCommand::Restore(args) => restore(context, args).await,
    }
}

async fn diff(context: &Context, args: SchemaDiffArgs) -> Result<Exit, Failed> {
    let bridge = context.bridge_read_only()?;
    let target = TargetName::new(args.target);
    let desk = bridge.schema_desk(&target, args.directory).await.map_err(failed)?;
    let look = desk.look().await.map_err(failed)?;
    if args.json {
        say(json::schema_difference(&look).to_string());
    } else {
        say(words::look(&look));
    }
    if !look.difference.missing.is_empty() {
        remark(format!("hint: `scimport schema push {target} --dry-run` shows what it would add"));
    }
    Ok(if look.difference.is_fine() { Exit::Success } else { Exit::Rejected })
}

async fn push(context: &Context, args: SchemaPushArgs) -> Result<Exit, Failed> {
    let bridge =
        if args.dry_run { context.bridge_read_only()? } else { context.committing().await? };
    let target = TargetName::new(args.change.target);
    let mut backup = Backup::new(args.change.backup, &target, bridge.clock.now())?;
    let desk = bridge.schema_desk(&target, args.directory).await.map_err(failed)?;
    let look = desk.look().await.map_err(failed)?;
    let show = |look: &SchemaLook| {
        if args.change.json { tell(words::look(look)) } else { say(words::look(look)) }
    };
    let document = |is_pushed: bool, backup: Option<&Path>| {
        if args.change.json {
            let backup = backup.map(|path| path.display().to_string());
            say(json::schema_push(&look, is_pushed, backup.as_deref()).to_string());
        }
    };
    let exit = if look.difference.needs_a_person() { Exit::Rejected } else { Exit::Success };
    if look.difference.missing.is_empty() {
        show(&look);
        document(false, None);
        remark("there is nothing to add");
        return Ok(exit);
    }
    show(&look);
    let question = words::push_question(&look);
    if args.dry_run {
        document(false, None);
        remark(format!("{}; nothing was changed (--dry-run)", words::would_add(&look)));
        return Ok(exit);
    }
    if !confirmed(&question, args.change.yes)? {
        return declined();
    }
    let kept = bridge.push_schema(&desk, &look, |text| backup.keep(text), &context.who()).await;
    kept.map_err(|error| not_done(error, backup.path()))?;
    document(true, Some(backup.path()));
    remark(words::pushed(&look, backup.path()));
    Ok(exit)
}

async fn restore(context: &Context, args: SchemaRestoreArgs) -> Result<Exit, Failed> {
    let text = read(&args.from)?;
    let bridge = context.committing().await?;
    let target = TargetName::new(args.change.target);
    let mut backup = Backup::new(args.change.backup, &target, bridge.clock.now())?;
    let desk = bridge.schema_desk(&target, None).await.map_err(failed)?;
    let back = desk.hold_against(text).await.map_err(failed)?;
    let document = |is_restored: bool, backup: Option<&Path>| {
        if args.change.json {
            let backup = backup.map(|path| path.display().to_string());
            say(json::schema_restore(&back, is_restored, backup.as_deref()).to_string());
        }
    };
    if back.changes.is_empty() {
        document(false, None);
        remark(format!(
            "the schema of the job of target `{target}` says the same as `{}`: there is nothing to put back",
            args.from.display()
        ));
        return Ok(Exit::Success);
    }
    let changes = words::changes(&back, &args.from);
    if args.change.json {
        tell(changes);
    } else {
        say(changes);
    }
    let question = format!("Put back the schema of the job of target `{target}`?");
    if !confirmed(&question, args.change.yes)? {
        return declined();
    }
    let kept = bridge.restore_schema(&desk, &back, |text| backup.keep(text), &context.who()).await;
    kept.map_err(|error| not_done(error, backup.path()))?;
    document(true, Some(backup.path()));
    remark(format!(
        "put back, and read again: the job has it; the schema from before is in `{}`",
        backup.path().display()
    ));
    Ok(Exit::Success)
}

/// Reads one byte more than a schema may have, so that a larger file is seen as such.
fn read(path: &Path) -> Result<String, Failed> {
    let most = u64::try_from(MAX_SCHEMA_BYTES).unwrap_or(u64::MAX);
    let mut text = String::new();
    let read = std::fs::File::open(path)
        .and_then(|file| file.take(most.saturating_add(1)).read_to_string(&mut text));
    let why = match read {
        Ok(_) if text.len() <= MAX_SCHEMA_BYTES => return Ok(text),
        Ok(_) => format!("it is longer than {MAX_SCHEMA_BYTES} bytes"),
        Err(error) => error.to_string(),
    };
    tell(format!("error: `{}` cannot be read\n  because {why}", path.display()));
    Err(Failed(Exit::Error))
}

fn confirmed(question: &str, is_agreed: bool) -> Result<bool, Failed> {
    if is_agreed {
        return Ok(true);
    }
    if !is_interactive() {
        tell(format!(
            "error: {question} There is no terminal to ask on\nhint: say so with `--yes`; nothing was changed"
        ));
        return Err(Failed(Exit::Usage));
    }
    Ok(ask(question))
}

#[expect(clippy::unnecessary_wraps, reason = "what a command ends with")]
fn declined() -> Result<Exit, Failed> {
    tell("nothing was changed");
    Ok(Exit::Error)
}

fn not_done(error: BridgeError, backup: &Path) -> Failed {
    let has_backup = match &error {
        BridgeError::Schema(error) => error.has_backup(),
        // it was sent, and then the store failed
        BridgeError::Store(_) => true,
        _ => false,
    };
    let failed = failed(error);
    if has_backup {
        tell(format!("the schema as it was before is in `{}`", backup.display()));
    }
    failed
}
