//! "Did you mean": the known word nearest to the one that was written.

/// Most edits between a word and a suggestion for it.
const MAX_EDITS: usize = 2;
/// Least Jaro similarity of a suggestion that needs more edits than that.
const MIN_SIMILARITY: f64 = 0.8;

/// The candidate that was probably meant, if one is near enough.
#[must_use]
pub fn nearest<'c>(word: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    let word = word.to_lowercase();
    let mut best: Option<(f64, &str)> = None;
    for candidate in candidates {
        let lower = candidate.to_lowercase();
        let similarity = strsim::jaro(&word, &lower);
        if !is_near(&word, &lower) && similarity < MIN_SIMILARITY {
            continue;
        }
        if best.is_none_or(|(most, _)| similarity > most) {
            best = Some((similarity, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

/// Whether a few slips of the finger lead from one word to the other. Short words need a closer
/// match, or everything would be near everything.
pub(super) fn is_near(word: &str, candidate: &str) -> bool {
    let allowed = MAX_EDITS.min(word.chars().count() / 2);
    strsim::damerau_levenshtein(word, candidate) <= allowed
}

/// The hint that goes with a suggestion.
pub(super) fn did_you_mean(suggestion: &str) -> String {
    format!("did you mean `{suggestion}`?")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_finger_finds_its_word() {
        let keys = ["burst", "client_id", "client_secret", "daily_calls"];
        assert_eq!(nearest("burts", keys), Some("burst"));
        assert_eq!(nearest("clientId", keys), Some("client_id"));
        assert_eq!(nearest("dailycall", keys), Some("daily_calls"));
    }

    #[test]
    fn a_word_far_from_all_others_gets_no_suggestion() {
        assert_eq!(nearest("zzz", ["url", "cap"]), None);
        assert_eq!(nearest("x", ["y"]), None);
    }
}
