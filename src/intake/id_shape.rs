//! What the ids of a file look like, so that one that lost its leading zeros is noticed.
//!
//! A spreadsheet that takes `004711` for a number keeps 4711. Where the ids of a file are digits of
//! one width, with zeros in front, a shorter one is such a loss and no other person.

/// Widths that are counted apart; ids are no longer than that.
const WIDEST: usize = 32;
/// Of the ids that are digits, at least so many in a hundred have the width.
const MOST: u64 = 60;

/// Counts the widths of ids that are digits.
#[derive(Debug, Clone, Default)]
pub(super) struct IdShape {
    widths: [u64; WIDEST],
    padded: [u64; WIDEST],
}

impl IdShape {
    /// Counts an id.
    pub(super) fn note(&mut self, id: &str) {
        if !is_digits(id) {
            return;
        }
        if let Some(count) = self.widths.get_mut(id.len()) {
            *count += 1;
        }
        if id.starts_with('0')
            && let Some(count) = self.padded.get_mut(id.len())
        {
            *count += 1;
        }
    }

    /// The width of the file's ids, where they are digits with zeros in front.
    pub(super) fn width(&self) -> Option<usize> {
        let mut padded = self.padded.iter().enumerate().filter(|(_, count)| **count > 0);
        let (Some((width, _)), None) = (padded.next(), padded.next()) else { return None };
        let all: u64 = self.widths.iter().sum();
        let same = self.widths.get(width).copied().unwrap_or(0);
        (same * 100 >= all * MOST).then_some(width)
    }
}

/// Whether an id lost zeros, in a file with ids of this width.
pub(super) fn lost_zeros(id: &str, width: usize) -> bool {
    id.len() < width && is_digits(id)
}

fn is_digits(id: &str) -> bool {
    !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn width(ids: &[&str]) -> Option<usize> {
        let mut shape = IdShape::default();
        for id in ids {
            shape.note(id);
        }
        shape.width()
    }

    #[test]
    fn ids_of_one_width_with_zeros_in_front_have_a_shape() {
        assert_eq!(width(&["004711", "004712", "4713"]), Some(6));
        assert!(lost_zeros("4713", 6) && !lost_zeros("004711", 6) && !lost_zeros("E471", 6));
    }

    #[test]
    fn ids_of_many_widths_or_without_zeros_have_none() {
        assert_eq!(width(&["4711", "4712", "12"]), None);
        assert_eq!(width(&["007", "12345", "12346"]), None);
        assert_eq!(width(&["007", "0012345"]), None);
        assert_eq!(width(&["E0011"]), None);
    }
}
