//! Questions about the lines that are a guess.

use crate::cli::terminal::{answer, tell};
use crate::mapping::{Proposal, ProposedLine, rule_text};

/// How often a slip of the finger is forgiven.
const TRIES: usize = 3;

/// Asks about every line that has another way to be read; Enter takes what is proposed.
pub fn settle(proposal: &mut Proposal) {
    let mut at = 0;
    while let Some(line) = proposal.lines.get(at) {
        let count = proposal.lines.len();
        let choices = line.doubt.as_ref().map_or(0, |doubt| doubt.alternatives.len());
        if choices > 0 {
            show(line);
            let Some(chosen) = choose(choices) else { return };
            proposal.settle(at, chosen.checked_sub(1));
        }
        // a line that was left out makes room for the next one
        at += usize::from(proposal.lines.len() == count);
    }
}

fn show(line: &ProposedLine) {
    let sample =
        line.sample.as_ref().map_or_else(String::new, |value| format!("  (such as {value})"));
    let Some(doubt) = &line.doubt else { return };
    tell(format!(
        "\n`{}` = {}{sample}\n  unsure: {}",
        line.path,
        rule_text(&line.rule),
        doubt.reason
    ));
    tell("  1  as proposed");
    for (number, alternative) in (2..).zip(&doubt.alternatives) {
        let rule = alternative
            .rule
            .as_ref()
            .map_or_else(String::new, |rule| format!(": {}", rule_text(rule)));
        tell(format!("  {number}  {}{rule}", alternative.words));
    }
}

/// The alternative from 1, 0 for the proposal itself; nothing when nobody answers any more.
fn choose(choices: usize) -> Option<usize> {
    for _ in 0..TRIES {
        let text = answer("  which one? [1]")?;
        match read(&text, choices) {
            Some(chosen) => return Some(chosen),
            None => tell(format!("  a number from 1 to {}, or Enter for 1", choices + 1)),
        }
    }
    Some(0)
}

/// The number typed, counted from 0; nothing where it is none of those shown.
fn read(text: &str, choices: usize) -> Option<usize> {
    if text.trim().is_empty() {
        return Some(0);
    }
    let number: usize = text.trim().parse().ok()?;
    number.checked_sub(1).filter(|chosen| *chosen <= choices)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn enter_takes_the_proposal_and_a_number_another_way() {
        assert_eq!(read("", 2), Some(0));
        assert_eq!(read(" 1 ", 2), Some(0));
        assert_eq!(read("2", 2), Some(1));
        assert_eq!(read("3", 2), Some(2));
        for slip in ["4", "0", "x", "-1"] {
            assert_eq!(read(slip, 2), None, "{slip}");
        }
    }
}
