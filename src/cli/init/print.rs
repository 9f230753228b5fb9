//! The text of a config: what was found, what is proposed, and what somebody has to look at.

use std::fmt::Write as _;

use crate::cli::init::survey::Survey;
use crate::mapping::{
    ByConfig, Proposal, ProposedLine, ProposedRows, Unmapped, key_text, quoted, rule_text,
    shortened,
};

const SOURCE: &str = "[source.hr]";
const MAPPING: &str = "[source.hr.mapping]";
/// Most letters of a header that is shown for itself.
const LONGEST_HEADER: usize = 80;
/// Written in the place of a time zone that nobody can guess.
const NO_ZONE: &str = "UTC";

/// The time zone that dates are probably meant in.
pub struct Zone {
    name: String,
    is_known: bool,
}

impl Zone {
    /// The one that this machine is set to.
    pub fn of_this_machine() -> Self {
        let zone = jiff::tz::TimeZone::try_system().ok();
        let name = zone.as_ref().and_then(|zone| zone.iana_name()).map(str::to_owned);
        Self { is_known: name.is_some(), name: name.unwrap_or_else(|| NO_ZONE.to_owned()) }
    }

    fn line(&self) -> String {
        let why = if self.is_known { "this machine's" } else { "a guess" };
        let (name, look) =
            (quoted(&self.name), "dates in the file are meant where the people work");
        format!("time_zone = {name}  # ? {why}: {look}\n")
    }
}

/// A config to start from, where there is no file yet.
pub fn starter(target: &str, zone: &Zone) -> String {
    let mut text =
        head("Written by `scimport init`. Bring the mapping in line with your own file's header.");
    text.push_str(&target_part(target));
    text.push_str(
        "\n# One HR feed: the columns of its export on the right, SCIM attributes on the left.\n",
    );
    text.push_str(SOURCE);
    text.push_str("\ntarget = \"entra\"\n");
    text.push_str(
        "# format = \"csv\"         # csv, xlsx or json; found in the content where absent\n",
    );
    text.push_str(EXPORT);
    text.push_str(&zone.line());
    text.push_str(
        "# rows = { pick = \"last\" }   # several rows of one worker: first, last or error\n",
    );
    text.push_str("# scope = 'WorkerType != \"Contractor\"'   # rows outside it are not sent\n\n");
    text.push_str(include_str!("starter.toml"));
    text
}

/// A single file may be cut without a sign of it; two in a row without somebody hardly ever are.
const EXPORT: &str = r#"export = "changes"       # "full" where every file names everybody
# leavers = { when_missing = "deactivate", after = 2 }   # with "full": who is missing from 2 complete files in a row is deactivated
"#;

/// A config for a file.
pub fn proposed(target: &str, survey: &Survey, proposal: &Proposal, zone: &Zone) -> String {
    let mut text = head(&format!(
        "Proposed by `scimport init` from {}. Behind each line stands a value of that file.",
        shortened(&survey.name)
    ));
    text.push_str("# A line with `# ?` above it is a guess: read the reason, correct it, delete the comment.\n\n");
    text.push_str(&target_part(target));
    text.push('\n');
    for line in &survey.found {
        let _ = writeln!(text, "# {line}");
    }
    text.push_str(SOURCE);
    text.push_str("\ntarget = \"entra\"\n");
    let _ = writeln!(text, "format = {}", quoted(survey.format));
    text.push_str(EXPORT);
    if proposal.has_dates() {
        text.push_str(&zone.line());
    }
    for setting in &survey.settings {
        let _ = writeln!(text, "{setting}");
    }
    if let Some(several) = &proposal.rows {
        rows(&mut text, several);
    }
    let _ = writeln!(text, "\n{MAPPING}");
    for remark in &proposal.remarks {
        let _ = writeln!(text, "# ? {remark}");
    }
    for line in &proposal.lines {
        mapping_line(&mut text, line);
    }
    if !proposal.unmapped.is_empty() {
        text.push_str("\n# Columns that are not mapped:\n");
        for column in &proposal.unmapped {
            unmapped(&mut text, column);
        }
    }
    text
}

/// The part about the source, of a whole config.
pub fn source_part(text: &str) -> &str {
    text.find(SOURCE).and_then(|at| text.get(at..)).unwrap_or(text)
}

fn head(first: &str) -> String {
    format!(
        "# {first}\n# Every key is explained in README.md; schemas/config.json helps editors.\n"
    )
}

fn target_part(target: &str) -> String {
    format!(
        "\n[store]\nurl = \"sqlite:scimport.db\"   # the ledger: keep it, and keep it private\n\
         # key = {{ file = \"store.key\" }}       # encrypts what it keeps of people; `openssl rand -base64 32 > store.key`\n\n\
         # Secrets can be kept in an encrypted file of our own: `scimport secret set NAME` makes it and its key,\n\
         # and `{{ vault = \"NAME\" }}` stands wherever `{{ env = \"NAME\" }}` does.\n\
         # [vault]\n\
         # key = {{ file = \"vault.key\" }}\n\n\
         # PLACEHOLDERS. They fit the stand-in Entra, so that everything can be rehearsed. For your tenant\n\
         # put in your own four ids (README.md says where they stand) and take out the two URLs,\n\
         # `tracking` and `retry`.\n{target}\
         # verified_domains = [\"contoso.com\"]   # tells rows with another domain before they are sent\n"
    )
}

fn rows(text: &mut String, rows: &ProposedRows) {
    let _ = writeln!(
        text,
        "# ? {} rows name a worker whom an earlier row names; without `rows` all of them are rejected",
        rows.repeated
    );
    let mut entries = Vec::new();
    match &rows.by {
        Some(ByConfig { column, date }) if date.iter().any(|format| format != "%Y-%m-%d") => {
            let formats: Vec<String> = date.iter().map(|format| quoted(format)).collect();
            let (column, formats) = (quoted(column), formats.join(", "));
            entries.push(format!("by = {{ column = {column}, date = [{formats}] }}"));
        }
        Some(by) => entries.push(format!("by = {}", quoted(&by.column))),
        None => {}
    }
    if let Some(prefer) = &rows.prefer {
        entries.push(format!("prefer = {}", quoted(prefer)));
    }
    if rows.by.is_none() {
        entries.push("pick = \"last\"".to_owned());
    }
    let _ = writeln!(text, "rows = {{ {} }}", entries.join(", "));
}

fn mapping_line(text: &mut String, line: &ProposedLine) {
    let key = key_text(line.path);
    if let Some(doubt) = &line.doubt {
        let _ = writeln!(text, "# ? {}", doubt.reason);
        for alternative in &doubt.alternatives {
            let _ = match &alternative.rule {
                Some(rule) => {
                    let words = shortened_words(&alternative.words);
                    writeln!(text, "# ? or {words}:  {key} = {}", rule_text(rule))
                }
                None => writeln!(text, "# ? or {}", alternative.words),
            };
        }
    }
    let _ = write!(text, "{key} = {}", rule_text(&line.rule));
    match (&line.sample, &line.note) {
        (Some(sample), Some(note)) => writeln!(text, "  # {sample}  ({note})"),
        (Some(sample), None) => writeln!(text, "  # {sample}"),
        (None, Some(note)) => writeln!(text, "  # {note}"),
        (None, None) => writeln!(text),
    }
    .unwrap_or_default();
}

/// A header may hold anything; in a comment it stays on its line.
fn shortened_words(words: &str) -> String {
    words.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect()
}

fn unmapped(text: &mut String, column: &Unmapped) {
    let header: String = column.header.chars().take(LONGEST_HEADER).collect();
    let _ = write!(text, "#   {}", quoted(&header));
    if let Some(sample) = &column.sample {
        let _ = write!(text, "  {sample}");
    }
    if let Some(why) = &column.why {
        let _ = write!(text, "  ({why})");
    }
    text.push('\n');
}
