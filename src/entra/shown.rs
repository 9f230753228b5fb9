//! Text from outside, as a terminal may be given it.

/// Letters that turn the direction of what stands around them.
const TURNING: [char; 9] = [
    '\u{202a}', '\u{202b}', '\u{202c}', '\u{202d}', '\u{202e}', '\u{2066}', '\u{2067}', '\u{2068}',
    '\u{2069}',
];

/// The beginning of a text, at most so many letters: a terminal obeys what it does not show.
pub(super) fn shown(text: &str, most: usize) -> String {
    let is_obeyed = |letter: char| letter.is_control() || TURNING.contains(&letter);
    text.chars().take(most).map(|c| if is_obeyed(c) { '\u{fffd}' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_obeys_is_taken_out_and_what_is_long_is_cut() {
        assert_eq!(
            shown("a\u{1b}[31m\u{9b}\n\u{202e}ä", 99),
            "a\u{fffd}[31m\u{fffd}\u{fffd}\u{fffd}ä"
        );
        assert_eq!(shown("äöü", 2), "äö");
    }
}
