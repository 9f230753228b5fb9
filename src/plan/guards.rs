//! Guards: numbers of a planned run that hold it, whole, until somebody approves it.

use crate::domain::HeldBy;
use crate::plan::limit::Bound;

/// What may happen in one run; what the config says under `guard`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Guards {
    /// People who go from active to inactive, by any cause.
    pub max_leavers: Bound,
    /// Joiners and rehires.
    pub max_joiners: Bound,
    /// Joiners, rehires, movers and leavers.
    pub max_changes: Bound,
    /// Rejected rows, against the rows in scope.
    pub max_rejects: Bound,
    /// People with `active: false` in the first file of a source.
    pub max_inactive: Bound,
    /// Fewer rows hold the run; `None`: turned off.
    pub min_rows: Option<u64>,
    /// People of whom one attribute changes, by its path as the config writes it.
    pub attributes: Vec<(String, Bound)>,
}

impl Default for Guards {
    /// What is meant where the config says nothing: enough for a usual day, less than any accident.
    fn default() -> Self {
        Self {
            max_leavers: Bound::percent(5),
            max_joiners: Bound::percent(20),
            max_changes: Bound::percent(30),
            max_rejects: Bound::percent(10),
            max_inactive: Bound::percent(60),
            min_rows: Some(1),
            attributes: Vec::new(),
        }
    }
}

/// The numbers of a planned run, and of the day's small runs before it where they count together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Numbers {
    /// Whether the source owns any record; without one there is nothing to measure changes by.
    pub source_has_records: bool,
    /// Records of the source that were active before the run.
    pub active_before: u64,
    /// People who go from active to inactive, by any cause.
    pub leavers: u64,
    /// People not in the ledger, without rehires.
    pub joiners: u64,
    /// People who go from inactive to active.
    pub rehires: u64,
    /// People who change otherwise.
    pub movers: u64,
    /// Rows in scope, the rejected ones among them.
    pub rows_in_scope: u64,
    /// Rows that were rejected.
    pub rejected: u64,
    /// Data rows of the file.
    pub rows: u64,
    /// Mapped rows with `active: false`.
    pub inactive: u64,
    /// Rows that became a resource.
    pub mapped: u64,
    /// People of whom each attribute changes, in the order of [`Guards::attributes`].
    pub attributes: Vec<u64>,
    /// Whether the run has rows, and is not made of due dates alone.
    pub has_rows: bool,
    /// Whether they are those of a file, which may have too few.
    pub has_file: bool,
}

/// The guards that hold a run of these numbers, in the order in which the config lists them.
#[must_use]
pub fn evaluate(guards: &Guards, numbers: &Numbers) -> Vec<HeldBy> {
    let mut held = Vec::new();
    let mut check = |guard: &str, bound: &Bound, value: u64, of: u64| {
        if let Some(limit) = bound.reached(value, of) {
            held.push(HeldBy { guard: guard.to_owned(), limit, value, of });
        }
    };
    let base = numbers.active_before;
    if numbers.source_has_records {
        let joined = numbers.joiners.saturating_add(numbers.rehires);
        let changes = joined.saturating_add(numbers.leavers).saturating_add(numbers.movers);
        check("max_leavers", &guards.max_leavers, numbers.leavers, base);
        check("max_joiners", &guards.max_joiners, joined, base);
        check("max_changes", &guards.max_changes, changes, base);
    }
    if numbers.has_rows {
        check("max_rejects", &guards.max_rejects, numbers.rejected, numbers.rows_in_scope);
        if !numbers.source_has_records {
            check("max_inactive", &guards.max_inactive, numbers.inactive, numbers.mapped);
        }
    }
    if numbers.source_has_records {
        for ((path, bound), changed) in guards.attributes.iter().zip(&numbers.attributes) {
            check(&format!("attributes.{path}"), bound, *changed, base);
        }
    }
    held.extend(guards.min_rows.filter(|least| numbers.has_file && numbers.rows < *least).map(
        |least| HeldBy {
            guard: "min_rows".to_owned(),
            limit: least.to_string(),
            value: numbers.rows,
            of: least,
        },
    ));
    held
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A source of 1000 active people and a file of as many rows, in which nothing happens.
    fn quiet() -> Numbers {
        Numbers {
            source_has_records: true,
            active_before: 1000,
            rows_in_scope: 1000,
            rows: 1000,
            mapped: 1000,
            has_rows: true,
            has_file: true,
            ..Numbers::default()
        }
    }

    /// The guards that trip, by name.
    fn tripped(guards: &Guards, numbers: &Numbers) -> Vec<String> {
        evaluate(guards, numbers).into_iter().map(|held| held.guard).collect()
    }

    fn by_default(numbers: &Numbers) -> Vec<String> {
        tripped(&Guards::default(), numbers)
    }

    #[test]
    fn guards_are_on_with_their_defaults_and_trip_at_equal_or_above() {
        type Set = fn(&mut Numbers, u64);
        assert_eq!(by_default(&quiet()), [""; 0]);
        let cases: [(&str, u64, Set); 4] = [
            ("max_leavers", 50, |numbers, value| numbers.leavers = value),
            ("max_joiners", 200, |numbers, value| numbers.joiners = value),
            ("max_changes", 300, |numbers, value| numbers.movers = value),
            ("max_rejects", 100, |numbers, value| numbers.rejected = value),
        ];
        for (guard, least, set) in cases {
            let mut numbers = quiet();
            set(&mut numbers, least - 1);
            assert_eq!(by_default(&numbers), [""; 0], "{guard}");
            set(&mut numbers, least);
            assert_eq!(by_default(&numbers), [guard]);
            set(&mut numbers, least + 1);
            assert_eq!(by_default(&numbers), [guard]);
        }
    }

    #[test]
    fn min_rows_trips_below() {
        let guards = Guards { min_rows: Some(900), ..Guards::default() };
        assert_eq!(tripped(&guards, &Numbers { rows: 900, ..quiet() }), [""; 0]);
        let few = evaluate(&guards, &Numbers { rows: 899, ..quiet() });
        let expected =
            HeldBy { guard: "min_rows".into(), limit: "900".into(), value: 899, of: 900 };
        assert_eq!(few, [expected]);
        assert_eq!(by_default(&Numbers { rows: 0, ..quiet() }), ["min_rows"]);
    }

    #[test]
    fn what_tripped_is_told_with_its_numbers() {
        let numbers = Numbers { leavers: 60, ..quiet() };
        let held = |limit: &str| HeldBy {
            guard: "max_leavers".into(),
            limit: limit.into(),
            value: 60,
            of: 1000,
        };
        assert_eq!(evaluate(&Guards::default(), &numbers), [held("5%")]);
        let both = Bound { count: Some(60), ..Bound::percent(5) };
        let guards = Guards { max_leavers: both, ..Guards::default() };
        assert_eq!(evaluate(&guards, &numbers), [held("60")]);
        let both = Bound { count: Some(61), ..Bound::percent(5) };
        let guards = Guards { max_leavers: both, ..Guards::default() };
        assert_eq!(evaluate(&guards, &numbers), [held("5%")]);
    }

    #[test]
    fn a_percentage_trips_from_three_people_on() {
        let small = Numbers { active_before: 4, ..quiet() };
        assert_eq!(by_default(&Numbers { leavers: 2, ..small.clone() }), [""; 0]);
        let three = by_default(&Numbers { leavers: 3, ..small });
        assert_eq!(three, ["max_leavers", "max_changes"]);
        // 5 % of 60 people is 3 people, exactly
        let sixty = Numbers { active_before: 60, leavers: 3, ..quiet() };
        assert_eq!(by_default(&sixty), ["max_leavers"]);
    }

    #[test]
    fn false_turns_a_guard_off() {
        let wild = Numbers {
            leavers: 1000,
            joiners: 1000,
            rejected: 1000,
            attributes: vec![1000],
            rows: 0,
            ..quiet()
        };
        let all = ["max_leavers", "max_joiners", "max_changes", "max_rejects", "min_rows"];
        assert_eq!(by_default(&wild), all);
        let off = Guards {
            max_leavers: Bound::OFF,
            max_joiners: Bound::OFF,
            max_changes: Bound::OFF,
            max_rejects: Bound::OFF,
            max_inactive: Bound::OFF,
            min_rows: None,
            attributes: vec![("title".into(), Bound::OFF)],
        };
        assert_eq!(evaluate(&off, &wild), []);
        let first = Numbers { source_has_records: false, inactive: 1000, ..wild };
        assert_eq!(evaluate(&off, &first), []);
    }

    #[test]
    fn joiners_and_rehires_are_one_number_and_changes_are_all_four() {
        let guards = Guards {
            max_leavers: Bound::OFF,
            max_joiners: Bound::count(10),
            max_changes: Bound::count(14),
            ..Guards::default()
        };
        let numbers = Numbers { joiners: 4, rehires: 5, leavers: 2, movers: 2, ..quiet() };
        assert_eq!(tripped(&guards, &numbers), [""; 0]);
        let numbers = Numbers { rehires: 6, ..numbers };
        assert_eq!(tripped(&guards, &numbers), ["max_joiners", "max_changes"]);
        let held = evaluate(&guards, &numbers);
        assert_eq!(held.iter().map(|held| held.value).collect::<Vec<_>>(), [10, 14]);
    }

    #[test]
    fn rejects_count_against_the_rows_in_scope() {
        let numbers = Numbers { rows_in_scope: 100, rejected: 10, ..quiet() };
        let held = evaluate(&Guards::default(), &numbers);
        assert_eq!(held.iter().map(|held| (held.value, held.of)).collect::<Vec<_>>(), [(10, 100)]);
        assert_eq!(by_default(&Numbers { rows_in_scope: 101, ..numbers }), [""; 0]);
    }

    #[test]
    fn a_source_without_records_has_no_base_for_changes() {
        let first = Numbers {
            source_has_records: false,
            active_before: 0,
            joiners: 1000,
            leavers: 5,
            movers: 5,
            attributes: vec![1000],
            ..quiet()
        };
        let guards = Guards {
            max_leavers: Bound::count(1),
            max_joiners: Bound::count(1),
            max_changes: Bound::count(1),
            attributes: vec![("title".into(), Bound::count(1))],
            ..Guards::default()
        };
        assert_eq!(tripped(&guards, &first), [""; 0]);
        let spoilt = Numbers { rows: 0, rejected: 100, inactive: 600, ..first };
        assert_eq!(tripped(&guards, &spoilt), ["max_rejects", "max_inactive", "min_rows"]);
    }

    #[test]
    fn inactive_people_count_among_the_mapped_of_a_first_file_only() {
        let first = Numbers { source_has_records: false, mapped: 500, inactive: 300, ..quiet() };
        let held = evaluate(&Guards::default(), &first);
        let numbers: Vec<_> = held.iter().map(|held| (held.guard.as_str(), held.of)).collect();
        assert_eq!(numbers, [("max_inactive", 500)]);
        assert_eq!(by_default(&Numbers { inactive: 299, ..first.clone() }), [""; 0]);
        assert_eq!(by_default(&Numbers { source_has_records: true, ..first }), [""; 0]);
    }

    #[test]
    fn without_a_file_its_guards_do_not_apply_and_the_others_do() {
        let due = Numbers {
            has_rows: false,
            has_file: false,
            rows: 0,
            rejected: 1000,
            leavers: 50,
            ..quiet()
        };
        assert_eq!(by_default(&due), ["max_leavers"]);
        let first = Numbers { source_has_records: false, inactive: 1000, ..due };
        assert_eq!(by_default(&first), [""; 0]);
    }

    #[test]
    fn each_attribute_has_a_bound_of_its_own() {
        let guards = Guards {
            attributes: vec![
                ("enterprise:manager".into(), Bound::percent(15)),
                ("title".into(), Bound::count(20)),
            ],
            ..Guards::default()
        };
        let numbers = Numbers { attributes: vec![149, 20], ..quiet() };
        assert_eq!(tripped(&guards, &numbers), ["attributes.title"]);
        let numbers = Numbers { attributes: vec![150, 19], ..quiet() };
        assert_eq!(tripped(&guards, &numbers), ["attributes.enterprise:manager"]);
    }

    #[test]
    fn there_are_people_to_add_where_nobody_is_active() {
        // every record inactive: a part of nobody is more than any share
        let numbers = Numbers { active_before: 0, rehires: 3, ..quiet() };
        assert_eq!(by_default(&numbers), ["max_joiners", "max_changes"]);
    }

    proptest! {
        #[test]
        fn numbers_of_any_size_are_judged(values in proptest::array::uniform10(0_u64..), flags: [bool; 2]) {
            let [active_before, leavers, joiners, rehires, movers, rows_in_scope, rejected, rows, inactive, mapped] = values;
            let numbers = Numbers {
                source_has_records: flags[0], has_rows: flags[1], has_file: flags[1], active_before, leavers, joiners, rehires, movers,
                rows_in_scope, rejected, rows, inactive, mapped, attributes: Vec::new(),
            };
            for held in evaluate(&Guards::default(), &numbers) {
                let share = u128::from(held.value) * 100;
                let percent = held.limit.strip_suffix('%').map(|text| text.parse::<u128>().unwrap());
                match percent {
                    Some(percent) => prop_assert!(held.value >= 3 && share >= percent * u128::from(held.of)),
                    None => prop_assert!(held.guard == "min_rows" && held.value < held.of),
                }
            }
        }
    }
}
