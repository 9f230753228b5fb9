//! Whether the token at hand may be trusted.

/// How many new tokens are tried, one after the other, when tokens are refused: one can be revoked
/// before its first use.
const NEW_TOKENS_TRIED: u32 = 2;

/// Whether the token at hand has been taken yet. A token may expire or be revoked at any time, so a
/// 401 costs a new one; but when new ones are refused in a row, something is wrong.
#[derive(Default)]
pub(super) struct TokenTrust {
    number: u32,
    refused_in_a_row: u32,
}

impl TokenTrust {
    /// While a new token is not proven, one request at a time goes out with it.
    pub(super) const fn is_unproven(&self) -> bool {
        self.refused_in_a_row > 0
    }

    /// The number of the token at hand; grows with each new one.
    pub(super) const fn number(&self) -> u32 {
        self.number
    }

    /// An answer other than 401 came with this token.
    pub(super) const fn taken(&mut self, number: u32) {
        if number == self.number {
            self.refused_in_a_row = 0;
        }
    }

    /// Counts a 401; true when [`NEW_TOKENS_TRIED`] new tokens in a row were refused as well.
    pub(super) const fn refused(&mut self, number: u32) -> bool {
        if number == self.number {
            self.number += 1;
            self.refused_in_a_row += 1;
        }
        self.refused_in_a_row > NEW_TOKENS_TRIED
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_new_tokens_are_tried_and_a_taken_one_begins_anew() {
        let mut trust = TokenTrust::default();
        assert!(!trust.refused(0));
        assert!(!trust.refused(0), "others that were under way with the same token");
        assert!(trust.is_unproven());
        assert!(!trust.refused(1));
        assert!(trust.refused(2));
        let mut trust = TokenTrust::default();
        trust.refused(0);
        trust.taken(0);
        assert!(trust.is_unproven(), "the old token's late success proves nothing");
        trust.taken(1);
        assert!(!trust.is_unproven());
    }
}
