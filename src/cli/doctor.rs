//! `doctor`: does the live side of a target work, step by step?

use serde_json::Value;

use crate::bridge::{Blame, Examination, Setup, Step, StepStatus, examine};
use crate::cli::args::DoctorArgs;
use crate::cli::context::{Context, Failed, failed};
use crate::cli::exit::Exit;
use crate::cli::json;
use crate::cli::terminal::{say, tell};
use crate::domain::TargetName;

/// As wide as help texts are.
const WIDTH: usize = 100;
/// As wide as the longest name of a step.
const NAME: usize = 18;

/// Examines a target, or all of them.
pub async fn run(context: &Context, args: DoctorArgs) -> Result<Exit, Failed> {
    let setup = context.setup()?;
    let targets = chosen(&setup, args.target.as_deref())?;
    let mut exit = Exit::Success;
    let mut documents = Vec::new();
    for (index, target) in targets.iter().enumerate() {
        if !args.json {
            let gap = if index == 0 { "" } else { "\n" };
            say(format!("{gap}target `{target}`"));
        }
        let mut told = |step: &Step| {
            if !args.json {
                lines(step).iter().for_each(say);
            }
        };
        let looked = tokio::select! {
            looked = examine(&setup, target, &mut told) => looked,
            () = context.cancel.cancelled() => return Ok(Exit::Interrupted),
        };
        let found = looked.map_err(failed)?;
        exit = exit.and(exit_of(&found));
        if args.json {
            documents.push(json::examination(&found));
        } else {
            say(sum(&found));
        }
    }
    if args.json {
        let one = args.target.is_some().then(|| documents.pop()).flatten();
        say(one.unwrap_or(Value::Array(documents)).to_string());
    }
    Ok(exit)
}

fn chosen(setup: &Setup, wanted: Option<&str>) -> Result<Vec<TargetName>, Failed> {
    let known = setup.config().targets.iter().map(|target| target.name.clone());
    let known: Vec<TargetName> = known.collect();
    if known.is_empty() {
        tell(
            "error: the config has no target\nhint: `scimport init` writes a `[target.entra]` to start from",
        );
        return Err(Failed(Exit::Usage));
    }
    let Some(wanted) = wanted else { return Ok(known) };
    if let Some(found) = known.iter().find(|name| name.as_str() == wanted) {
        return Ok(vec![found.clone()]);
    }
    let names: Vec<_> = known.iter().map(|name| format!("`{name}`")).collect();
    tell(format!(
        "error: there is no target `{wanted}` in the config\nhint: the config has {}",
        names.join(", ")
    ));
    Err(Failed(Exit::Usage))
}

/// A step for people: a mark that needs no colour, the name, what was found, and below it what to do.
fn lines(step: &Step) -> Vec<String> {
    let mark = match step.status {
        StepStatus::Ok => "ok",
        StepStatus::Warning => "WARN",
        StepStatus::Failed => "FAILED",
        StepStatus::NotTried => "-",
    };
    let mut lines = wrapped(&format!("  {mark:<6}  {:<NAME$}  ", step.name), &step.found);
    lines.extend(step.advice.iter().flat_map(|advice| wrapped("          -> ", advice)));
    lines
}

/// Text behind a head, broken between words; what follows stands below its beginning.
fn wrapped(head: &str, text: &str) -> Vec<String> {
    let indent = head.chars().count();
    let mut lines = Vec::new();
    let mut line = head.to_owned();
    let mut is_begun = false;
    for word in text.split(' ') {
        if is_begun && line.chars().count() + 1 + word.chars().count() > WIDTH {
            lines.push(std::mem::replace(&mut line, " ".repeat(indent)));
            is_begun = false;
        }
        if is_begun {
            line.push(' ');
        }
        line.push_str(word);
        is_begun = true;
    }
    lines.push(line);
    lines
}

fn sum(found: &Examination) -> String {
    let count = |status| found.count(status);
    let plural = |number| if number == 1 { "" } else { "s" };
    let (ok, warnings) = (count(StepStatus::Ok), count(StepStatus::Warning));
    let (broken, not_tried) = (count(StepStatus::Failed), count(StepStatus::NotTried));
    let words = match found.blame() {
        None if warnings == 0 => "this target works",
        None => "this target works; look at the warnings when there is time",
        Some(Blame::OtherSide) => "this side is well; what FAILED is the other side's",
        Some(Blame::Config | Blame::Somebody) => "mend what FAILED, from the top, then look again",
    };
    format!(
        "{ok} ok, {warnings} warning{}, {broken} failed, {not_tried} not tried: {words}",
        plural(warnings)
    )
}

/// As with `apply`: what is wrong here is 1 or 2, what stands still over there is 6.
fn exit_of(found: &Examination) -> Exit {
    match found.blame() {
        None => Exit::Success,
        Some(Blame::Config) => Exit::Usage,
        Some(Blame::Somebody) => Exit::Error,
        Some(Blame::OtherSide) => Exit::Unavailable,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_words_stay_whole_and_what_follows_stands_below() {
        let long = "x".repeat(120);
        assert_eq!(wrapped("-> ", &format!("a {long} b")), ["-> a", &format!("   {long}"), "   b"]);
        assert_eq!(wrapped("-> ", "short"), ["-> short"]);
    }
}
