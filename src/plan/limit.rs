//! How much of something is too much: by number, by share, or by both.
//!
//! All arithmetic is in whole numbers, so that 5 % of 60 people is 3 people and not a little more.

use std::fmt;

/// A share, exact to a hundredth of a percent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Percent {
    hundredths: u32,
}

/// Hundredths of a percent in a percent.
const IN_ONE: u32 = 100;
/// Hundredths of a percent in the whole.
const WHOLE: u32 = 100 * IN_ONE;
/// Most digits before the point: shares of more than the whole are possible (joiners), 10 000 % is
/// no share that anybody means.
const MAX_DIGITS: usize = 4;
/// Most digits behind the point.
const MAX_DECIMALS: usize = 2;

/// A percentage does not trip for fewer people: of a small firm, one person is many percent.
const LEAST_BY_PERCENT: u64 = 3;

impl Percent {
    /// So many whole percent.
    #[must_use]
    pub const fn whole(percent: u16) -> Self {
        Self { hundredths: percent as u32 * IN_ONE }
    }

    /// Reads `5%` or `2.5%`: up to four digits, a point and up to two more; `None` for anything
    /// else, blanks, signs and zero too.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let number = text.strip_suffix('%')?;
        let (whole, decimals) = number.split_once('.').unwrap_or((number, "0"));
        let is_number = |digits: &str, most: usize| {
            (1..=most).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit())
        };
        if !is_number(whole, MAX_DIGITS) || !is_number(decimals, MAX_DECIMALS) {
            return None;
        }
        let behind = decimals.parse::<u32>().ok()? * if decimals.len() == 1 { 10 } else { 1 };
        let hundredths = whole.parse::<u32>().ok()? * IN_ONE + behind;
        (hundredths > 0).then_some(Self { hundredths })
    }

    /// Whether it is more than the whole.
    #[must_use]
    pub const fn is_over_whole(self) -> bool {
        self.hundredths > WHOLE
    }

    /// Whether `value` is at least this share of `of`. Of nothing, everything is.
    #[must_use]
    pub fn is_reached(self, value: u64, of: u64) -> bool {
        u128::from(value) * u128::from(WHOLE) >= u128::from(of) * u128::from(self.hundredths)
    }
}

/// As the config writes it: `5%`, `2.5%`.
impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, behind) = (self.hundredths / IN_ONE, self.hundredths % IN_ONE);
        match (behind / 10, behind % 10) {
            (0, 0) => write!(f, "{whole}%"),
            (tenths, 0) => write!(f, "{whole}.{tenths}%"),
            _ => write!(f, "{whole}.{behind:02}%"),
        }
    }
}

/// A bound by number, by share, or by both; whichever is reached first trips. With neither it is
/// turned off.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Bound {
    /// So many and more trip.
    pub count: Option<u64>,
    /// Such a share and more trips, from 3 people on.
    pub percent: Option<Percent>,
}

impl Bound {
    /// Never trips.
    pub const OFF: Self = Self { count: None, percent: None };

    /// A bound by number alone.
    #[must_use]
    pub const fn count(count: u64) -> Self {
        Self { count: Some(count), percent: None }
    }

    /// A bound by share alone, in whole percent.
    #[must_use]
    pub const fn percent(percent: u16) -> Self {
        Self { count: None, percent: Some(Percent::whole(percent)) }
    }

    /// Whether it never trips.
    #[must_use]
    pub const fn is_off(&self) -> bool {
        self.count.is_none() && self.percent.is_none()
    }

    /// The limit that `value` of `of` reaches, as the config writes it; the number where both are
    /// reached.
    #[must_use]
    pub fn reached(&self, value: u64, of: u64) -> Option<String> {
        if let Some(count) = self.count.filter(|count| value >= *count) {
            return Some(count.to_string());
        }
        let is_share =
            |percent: &Percent| value >= LEAST_BY_PERCENT && percent.is_reached(value, of);
        self.percent.filter(is_share).map(|percent| percent.to_string())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_percentage_is_read_and_written_alike() {
        for text in ["5%", "100%", "2.5%", "0.25%", "0.01%", "33.33%", "9999.99%", "10.05%"] {
            assert_eq!(
                Percent::parse(text).map(|percent| percent.to_string()).as_deref(),
                Some(text)
            );
        }
        assert_eq!(Percent::parse("5.0%"), Some(Percent::whole(5)));
        assert_eq!(
            Percent::parse("05.50%").map(|percent| percent.to_string()),
            Some("5.5%".into())
        );
    }

    #[test]
    fn what_is_no_percentage_is_refused() {
        for text in [
            "", "%", "5", "5 %", " 5%", "+5%", "-5%", "5.%", ".5%", "5,5%", "5.123%", "5%%", "0%",
            "0.00%", "10000%", "5e1%", "٥%",
        ] {
            assert_eq!(Percent::parse(text), None, "`{text}`");
        }
    }

    #[test]
    fn a_bound_trips_at_its_number_and_at_its_share() {
        let both = Bound { count: Some(500), percent: Some(Percent::whole(5)) };
        assert_eq!(both.reached(499, 100_000), None);
        assert_eq!(both.reached(500, 100_000).as_deref(), Some("500"));
        assert_eq!(both.reached(5, 100).as_deref(), Some("5%"));
        assert_eq!(both.reached(600, 100).as_deref(), Some("500"));
        assert_eq!(Bound::OFF.reached(u64::MAX, 0), None);
        assert!(Bound::OFF.is_off() && !both.is_off());
    }

    #[test]
    fn a_share_is_exact() {
        let bound = Bound::percent(5);
        assert_eq!(bound.reached(3, 60).as_deref(), Some("5%"));
        assert_eq!(bound.reached(3, 61), None);
        let thirds = Bound { count: None, percent: Percent::parse("33.33%") };
        assert_eq!(thirds.reached(3333, 10_000).as_deref(), Some("33.33%"));
        assert_eq!(thirds.reached(3332, 10_000), None);
    }

    #[test]
    fn a_percentage_trips_from_three_people_on_and_a_number_from_one() {
        assert_eq!(Bound::percent(5).reached(2, 2), None);
        assert_eq!(Bound::percent(5).reached(3, 3).as_deref(), Some("5%"));
        assert_eq!(Bound::count(1).reached(1, 1_000_000).as_deref(), Some("1"));
    }

    proptest! {
        /// The largest share that does not trip and the smallest that does are one person apart.
        #[test]
        fn a_share_trips_exactly_from_its_part_on(hundredths in 1_u32..=WHOLE, of in 1_u64..1 << 50) {
            let bound = Bound { count: None, percent: Some(Percent { hundredths }) };
            let exact = u128::from(of) * u128::from(hundredths);
            let least = u64::try_from(exact.div_ceil(u128::from(WHOLE))).unwrap();
            let trips = least.max(LEAST_BY_PERCENT);
            prop_assert!(bound.reached(trips, of).is_some());
            prop_assert!(bound.reached(trips - 1, of).is_none());
        }

        #[test]
        fn more_never_trips_less(count: Option<u64>, hundredths: Option<u16>, value: u64, more: u64, of: u64) {
            let percent = hundredths.map(|hundredths| Percent { hundredths: hundredths.into() });
            let bound = Bound { count, percent };
            if bound.reached(value, of).is_some() {
                prop_assert!(bound.reached(value.saturating_add(more), of).is_some());
            }
        }
    }
}
