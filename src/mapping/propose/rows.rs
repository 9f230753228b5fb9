//! Several rows of one worker: which of them counts.

use crate::mapping::ByConfig;
use crate::mapping::propose::active::status_words;
use crate::mapping::propose::choose::Choice;
use crate::mapping::propose::lexicon::Meaning;
use crate::mapping::propose::proposal::ProposedRows;
use crate::mapping::propose::sample::ColumnSample;
use crate::mapping::propose::times;
use crate::mapping::propose::toml::quoted;

/// What to do, where the file names workers more than once.
pub(super) fn several(choice: &Choice<'_>) -> Option<ProposedRows> {
    let id = choice.column(Meaning::WorkerId)?;
    if id.repeated == 0 {
        return None;
    }
    let by = choice.column(Meaning::ValidFrom).and_then(|column| by(choice, column));
    let prefer = choice.column(Meaning::IsPrimary).and_then(prefer);
    Some(ProposedRows { by, prefer, repeated: id.repeated })
}

fn by(choice: &Choice<'_>, column: &ColumnSample) -> Option<ByConfig> {
    let dates = times::read(choice, column).ok()?;
    let date = dates.formats.into_iter().map(str::to_owned).collect();
    Some(ByConfig { column: column.header.clone(), date })
}

/// A condition over the column: `row["Contrat principal"] == "Oui"`.
fn prefer(column: &ColumnSample) -> Option<String> {
    let words = status_words(column)?;
    let yes = words.yes()?;
    let is_safe =
        |text: &str| !text.contains(['"', '\\', '\'']) && !text.contains(char::is_control);
    (is_safe(&column.header) && is_safe(yes))
        .then(|| format!("row[{}] == {}", quoted(&column.header), quoted(yes)))
}
