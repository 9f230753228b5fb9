//! Date formats of .NET in strftime notation.

use crate::mapping::psd1::expression::Reason;

/// What .NET's letters are; the longer first.
const LETTERS: [(&str, &str); 14] = [
    ("yyyy", "%Y"),
    ("MMMM", "%B"),
    ("MMM", "%b"),
    ("MM", "%m"),
    ("M", "%m"),
    ("dddd", "%A"),
    ("ddd", "%a"),
    ("dd", "%d"),
    ("d", "%d"),
    ("HH", "%H"),
    ("H", "%H"),
    ("mm", "%M"),
    ("ss", "%S"),
    ("tt", "%p"),
];

/// A format to read by.
pub(super) fn format(net: &str) -> Result<String, Reason> {
    let unclear = || {
        Reason::with(
            "the format that it reads the date by is not understood",
            "write it in the notation of strftime: `{ from = \"…\", date = [\"%d.%m.%Y\"] }`",
        )
    };
    let mut made = String::new();
    let mut rest = net;
    while let Some(letter) = rest.chars().next() {
        if letter.is_ascii_alphabetic() {
            let same = rest.len() - rest.trim_start_matches(letter).len();
            let (run, after) = rest.split_at(same);
            let (_, strftime) = LETTERS.iter().find(|(net, _)| *net == run).ok_or_else(unclear)?;
            made.push_str(strftime);
            rest = after;
        } else {
            // quoted and escaped text, and `%`, have meanings of their own
            if matches!(letter, '\'' | '"' | '\\' | '%') {
                return Err(unclear());
            }
            made.push(letter);
            rest = rest.get(letter.len_utf8()..).unwrap_or_default();
        }
    }
    if crate::mapping::date_format::Format::compile(&made).is_err() {
        return Err(unclear());
    }
    Ok(made)
}

/// Whether what is written is a date of ISO 8601, as ours always are.
pub(super) fn check_written(net: &str) -> Result<(), Reason> {
    let plain = net.replace(['\'', '"', '\\'], "");
    let is_standard = matches!(net, "o" | "O" | "s" | "u");
    if is_standard || plain == "yyyy-MM-dd" || plain.starts_with("yyyy-MM-ddT") {
        return Ok(());
    }
    Err(Reason::with(
        "it writes a date in another form than ISO 8601",
        "`date` always writes date, time and offset, which is what Entra reads",
    ))
}
