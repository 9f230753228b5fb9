//! What was found out about a file and does not refuse it, in words.

use crate::cli::terminal::{is_verbose, tell};
use crate::domain::Place;
use crate::source::Finding;

/// Findings told one by one; a file that is odd in more ways is odd.
const TOLD: usize = 50;

/// Tells what is odd about a file; with `-v` also what was decided about it.
pub fn tell_of(findings: &[Finding]) {
    for line in lines(findings, is_verbose()) {
        tell(line);
    }
}

fn lines(findings: &[Finding], is_verbose: bool) -> Vec<String> {
    let told: Vec<&Finding> =
        findings.iter().filter(|finding| finding.is_odd || is_verbose).collect();
    let mut lines: Vec<String> = told.iter().take(TOLD).map(|finding| line(finding)).collect();
    if told.len() > lines.len() {
        lines.push(format!("note: … and {} more", told.len() - lines.len()));
    }
    lines
}

fn line(finding: &Finding) -> String {
    let kind = if finding.is_odd { "note" } else { "read" };
    let place = place(finding).map_or_else(String::new, |place| format!("{place}: "));
    let line = format!("{kind}: {place}{}  [{}]", finding.message, finding.code);
    // names of sheets and columns come from outside; a terminal obeys what it does not show
    line.replace(char::is_control, "\u{fffd}")
}

fn place(finding: &Finding) -> Option<String> {
    (finding.place != Place::default()).then(|| finding.place.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found() -> Vec<Finding> {
        vec![
            Finding {
                code: "source.encoding",
                place: Place::file("hr.csv"),
                message: "read as UTF-8".to_owned(),
                is_odd: false,
            },
            Finding {
                code: "source.hidden-rows",
                place: Place { sheet: Some("St\u{1b}[31maff".into()), ..Place::file("hr.xlsx") },
                message: "2 hidden rows were read like the others".to_owned(),
                is_odd: true,
            },
            Finding {
                code: "source.odd",
                place: Place::default(),
                message: "odd".to_owned(),
                is_odd: true,
            },
        ]
    }

    #[test]
    fn what_is_odd_is_always_told_and_what_was_decided_when_asked() {
        let hidden = "note: hr.xlsx, sheet `St\u{fffd}[31maff`: 2 hidden rows were read like the \
                      others  [source.hidden-rows]";
        let odd = "note: odd  [source.odd]";
        assert_eq!(lines(&found(), false), [hidden, odd]);
        let decided = "read: hr.csv: read as UTF-8  [source.encoding]";
        assert_eq!(lines(&found(), true), [decided, hidden, odd]);
        assert!(lines(&[], true).is_empty());
    }

    #[test]
    fn beyond_fifty_only_their_number_is_told() {
        let many: Vec<Finding> = found().into_iter().cycle().take(120).collect();
        let lines = lines(&many, false);
        assert_eq!(lines.len(), 51);
        assert_eq!(lines[50], "note: … and 30 more");
    }
}
