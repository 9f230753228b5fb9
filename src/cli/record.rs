//! `record`: what happened to one person?

use crate::cli::args::RecordArgs;
use crate::cli::context::{Context, Failed, failed};
use crate::cli::exit::Exit;
use crate::cli::terminal::{say, tell};
use crate::cli::{json, words};
use crate::domain::{Change, ExternalId};

/// Shows a person's history.
pub async fn run(context: &Context, args: RecordArgs) -> Result<Exit, Failed> {
    let bridge = context.bridge_read_only()?;
    let id = ExternalId::new(args.external_id.as_str());
    let records = bridge.store.record(&id).await.map_err(failed)?;
    if records.is_empty() {
        tell(format!(
            "error: no record `{id}`: it was never sent, or every row of it was rejected"
        ));
        return Ok(Exit::Error);
    }
    if args.json {
        let mut documents: Vec<_> = records.iter().map(json::record).collect();
        // one target is the rule; several make an array
        let document = match documents.len() {
            1 => documents.remove(0),
            _ => serde_json::Value::Array(documents),
        };
        say(document.to_string());
        return Ok(Exit::Success);
    }
    for record in &records {
        say(format!(
            "{}  {}, from source `{}` in target `{}`, last sent {}",
            record.external_id,
            if record.active { "active" } else { "left" },
            record.source,
            record.target,
            record.last_sent.map_or_else(|| "never".to_owned(), words::instant)
        ));
        if let Some(next) = record.next_effective_at {
            say(format!("  changes by itself at {}", words::instant(next)));
        }
        for operation in &record.history {
            say(format!(
                "  {}  {:<7}  {}{}  run {}",
                words::instant(operation.updated_at),
                operation.change.map_or("-", Change::as_str),
                operation.status,
                operation.code.as_ref().map_or_else(String::new, |code| format!(" ({code})")),
                operation.run
            ));
            for (sign, text) in [(" ", &operation.reason), ("→", &operation.advice)] {
                if let Some(text) = text {
                    say(format!("    {sign} {text}"));
                }
            }
        }
    }
    Ok(Exit::Success)
}
