//! `init`: a config to start from, proposed from a file where there is one.

mod ask;
mod header;
mod print;
mod survey;
mod trailer;

use std::io::Write;
use std::path::{Path, PathBuf};

use crate::cli::args::InitArgs;
use crate::cli::context::{Context, Failed};
use crate::cli::exit::Exit;
use crate::cli::files::create_new_private;
use crate::cli::init::print::Zone;
use crate::cli::init::survey::Survey;
use crate::cli::terminal::{is_interactive, remark, say, tell};
use crate::mapping::{Proposal, propose};
use crate::mock_entra;

/// Where the stand-in listens unless told otherwise.
const STAND_IN: &str = "http://127.0.0.1:8999";
/// What the config is called unless told otherwise.
const NAME: &str = "scimport.toml";

/// Writes a config.
pub fn run(context: &Context, args: &InitArgs) -> Result<Exit, Failed> {
    let path = args.output.clone().or_else(|| context.config.clone());
    let path = path.unwrap_or_else(|| PathBuf::from(NAME));
    let to_stdout = path == Path::new("-");
    if !to_stdout {
        refuse_existing(&path)?;
    }
    let target = mock_entra::target_config(STAND_IN);
    let zone = Zone::of_this_machine();
    let text = match &args.from {
        None => print::starter(&target, &zone),
        Some(file) => {
            let mut survey = Survey::take(file)?;
            let mut proposal = propose(&survey.table);
            if !args.yes && is_interactive() {
                ask::settle(&mut proposal);
            }
            survey.settle(file, &proposal);
            let text = print::proposed(&target, &survey, &proposal, &zone);
            if !to_stdout {
                show(&survey, &text, &proposal);
            }
            text
        }
    };
    if to_stdout {
        say(text.trim_end());
        return Ok(Exit::Success);
    }
    write(&path, &text)?;
    say(format!("wrote `{}`", path.display()));
    next_steps(&path, args.from.as_deref());
    Ok(Exit::Success)
}

fn show(survey: &Survey, text: &str, proposal: &Proposal) {
    for line in &survey.found {
        say(line);
    }
    say("");
    say(print::source_part(text).trim_end());
    say("");
    for remark in &proposal.remarks {
        tell(format!("warning: {remark}"));
    }
    let unsure = proposal.lines.iter().filter(|line| line.doubt.is_some()).count();
    if unsure > 0 {
        say(format!("lines that are a guess, with the reason at `# ?` above them: {unsure}"));
    }
}

fn next_steps(path: &Path, file: Option<&Path>) {
    let config = match path.to_str() {
        Some(NAME) => String::new(),
        _ => format!("--config {} ", path.display()),
    };
    let file = file.map_or_else(|| "FILE".to_owned(), |file| file.display().to_string());
    remark(format!(
        "next:\n  \
         1. look at the lines with `# ?`, and at `active` and `externalId` above all\n  \
         2. scimport {config}convert {file} --source hr -o bodies    (no tenant, no network)\n  \
         3. scimport mock-entra, and then `apply` against it: a rehearsal\n  \
         4. put your tenant's ids into `[target.entra]`, then scimport {config}check"
    ));
}

fn refuse_existing(path: &Path) -> Result<(), Failed> {
    // a link that leads nowhere is something, too
    if path.symlink_metadata().is_err() {
        return Ok(());
    }
    tell(format!(
        "error: `{}` is there already and is not overwritten\nhint: name another file with `-o`",
        path.display()
    ));
    Err(Failed(Exit::Usage))
}

/// The file may hold values of people, so it is its owner's alone.
fn write(path: &Path, text: &str) -> Result<(), Failed> {
    let written = create_new_private(path).and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|error| {
        tell(format!("error: `{}` cannot be written\n  because {error}", path.display()));
        Failed(Exit::Error)
    })
}
