//! Words mixed into each other, for hashes and digests: 64 bits times 64, and the product's halves
//! folded, as the wyhash family does. It tells accidents apart, not forgers.

/// Fractional digits of pi, 64 bits each, with a byte that no UTF-8 text has (FA, C0): combined with
/// a word of text they are never zero, and so never a factor that wipes out the other.
pub(crate) const FACTORS: [u64; 2] = [0x082E_FA98_EC4E_6C89, 0xC0AC_29B7_C97C_50DD];

/// Mixes two words into one.
#[inline]
pub(crate) fn mix(left: u64, right: u64) -> u64 {
    let (low, high) = left.carrying_mul(right, 0);
    low ^ high
}

/// A number as a word.
#[inline]
pub(crate) fn wide(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

/// A hash of a text, for use within a process: what it is may change from one version to the next.
/// Under another salt every text has another one.
#[must_use]
pub(crate) fn hash(salt: u64, text: &str) -> u64 {
    let [first, second] = FACTORS;
    let bytes = text.as_bytes();
    let mut state = mix(salt ^ first, wide(bytes.len()) ^ second);
    let (blocks, rest) = bytes.as_chunks::<16>();
    for block in blocks {
        let whole = u128::from_le_bytes(*block);
        state = take(state, [low(whole), low(whole >> 64)]);
    }
    if !rest.is_empty() {
        state = take(state, ends(rest));
    }
    mix(state ^ second, first)
}

#[inline]
fn take(state: u64, [left, right]: [u64; 2]) -> u64 {
    let [_, factor] = FACTORS;
    mix(state ^ left, right ^ factor)
}

/// Up to 16 bytes in two words, which overlap where the bytes are few.
#[inline]
fn ends(bytes: &[u8]) -> [u64; 2] {
    if let (Some(first), Some(last)) = (bytes.first_chunk(), bytes.last_chunk()) {
        return [u64::from_le_bytes(*first), u64::from_le_bytes(*last)];
    }
    if let (Some(first), Some(last)) = (bytes.first_chunk(), bytes.last_chunk()) {
        return [u32::from_le_bytes(*first), u32::from_le_bytes(*last)].map(u64::from);
    }
    let word = bytes.iter().rev().fold(0, |word, &byte| word << 8 | u64::from(byte));
    [word, 0]
}

#[inline]
#[expect(clippy::cast_possible_truncation, reason = "the lower half is what is asked for")]
const fn low(word: u128) -> u64 {
    word as u64
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn texts_that_are_nearly_the_same_have_different_hashes() {
        let mut hashes = HashSet::new();
        let mut count = 0;
        let mut note = |salt, text: &str| {
            count += 1;
            hashes.insert(hash(salt, text));
        };
        for salt in 0..4 {
            for length in 0..70 {
                note(salt, &"0".repeat(length));
                for at in 0..length {
                    let mut bytes = "0".repeat(length).into_bytes();
                    bytes[at] = b'1';
                    note(salt, std::str::from_utf8(&bytes).unwrap());
                }
            }
        }
        for number in 0..100_000 {
            note(9, &format!("E{number}"));
        }
        assert_eq!(hashes.len(), count);
    }

    #[test]
    fn hashes_of_numbers_in_a_row_spread_over_all_upper_bits() {
        let mut counts = [0; 256];
        for number in 0..256 * 64 {
            counts[usize::try_from(hash(1, &format!("{number:08}")) >> 56).unwrap()] += 1;
        }
        // the standard deviation is 8
        assert!(counts.iter().all(|count| (24..=104).contains(count)), "{counts:?}");
    }
}
