use super::*;

fn noted(key: &'static str, row: u64) -> NotedRow<'static> {
    NotedRow {
        key,
        external_id: key,
        user_name: None,
        manager: None,
        row,
        line: row + 10,
        standing: None,
    }
}

fn index(pick: Pick, keys: &[&'static str]) -> RowIndex {
    let mut builder = RowIndexBuilder::new(pick, false);
    for (row, key) in (2..).zip(keys) {
        builder.push(noted(key, row));
    }
    builder.finish()
}

fn others(lines: &[u64]) -> Others {
    Others { lines: lines.to_vec(), more: 0 }
}

#[test]
fn by_default_all_rows_of_a_repeated_worker_name_each_others_lines() {
    let index = index(Pick::Error, &["a", "b", "a", "a"]);
    assert!(index.has_repeats());
    assert_eq!(index.verdict("b", "b", 3), RowVerdict::Counts);
    assert_eq!(index.verdict("a", "a", 2), RowVerdict::Conflict { others: others(&[14, 15]) });
    assert_eq!(index.verdict("a", "a", 4), RowVerdict::Conflict { others: others(&[12, 15]) });
}

#[test]
fn first_and_last_name_the_row_that_counts() {
    let first = index(Pick::First, &["a", "b", "a"]);
    assert_eq!(first.verdict("a", "a", 2), RowVerdict::Counts);
    assert_eq!(first.verdict("a", "a", 4), RowVerdict::Superseded { line: 12 });
    let last = index(Pick::Last, &["a", "b", "a"]);
    assert_eq!(last.verdict("a", "a", 2), RowVerdict::Superseded { line: 14 });
    assert_eq!(last.verdict("a", "a", 4), RowVerdict::Counts);
}

#[test]
fn two_picked_workers_with_one_external_id_are_a_conflict() {
    let mut builder = RowIndexBuilder::new(Pick::Last, true);
    for (key, external_id, row) in [("p1", "x", 2), ("p1", "y", 3), ("p2", "y", 4), ("p3", "x", 5)]
    {
        builder.push(NotedRow { key, external_id, line: row, ..noted(key, row) });
    }
    let index = builder.finish();
    assert_eq!(index.verdict("p1", "x", 2), RowVerdict::Superseded { line: 3 });
    assert_eq!(index.verdict("p1", "y", 3), RowVerdict::Conflict { others: others(&[4]) });
    assert_eq!(index.verdict("p2", "y", 4), RowVerdict::Conflict { others: others(&[3]) });
    assert_eq!(index.verdict("p3", "x", 5), RowVerdict::Counts);
    assert!(index.names("x") && index.names("y") && !index.names("p1"));
}

#[test]
fn a_worker_on_very_many_rows_names_ten_of_them() {
    let index = index(Pick::Error, &["a"; 30]);
    let RowVerdict::Conflict { others } = index.verdict("a", "a", 2) else { panic!() };
    assert_eq!((others.lines.len(), others.more), (10, 19));
}

#[test]
fn ids_that_look_alike_all_wait_for_a_person_whatever_is_picked() {
    let index = index(Pick::Last, &["00123", "7", "123", "１２３", "123\u{200b}", "7"]);
    for (row, id) in [(2, "00123"), (4, "123"), (5, "１２３"), (6, "123\u{200b}")] {
        let verdict = index.verdict(id, id, row);
        let RowVerdict::LookAlike { others } = verdict else { panic!("{row}: {verdict:?}") };
        assert_eq!(others.lines.len(), 3);
        assert!(index.names(id));
    }
    assert_eq!(index.verdict("7", "7", 7), RowVerdict::Counts);
    assert!(!index.names("8"));
}

#[test]
fn two_workers_with_one_user_name_name_each_other_and_passed_over_rows_do_not_count() {
    let mut builder = RowIndexBuilder::new(Pick::Last, false);
    for (key, name, row) in
        [("a", "j@x", 2), ("b", "j@x", 3), ("c", "k@x", 4), ("c", "k@x", 5), ("a", "j@x", 6)]
    {
        builder.push(NotedRow { user_name: Some(name), ..noted(key, row) });
    }
    builder.push(noted("d", 7));
    let index = builder.finish();
    assert_eq!(index.verdict("a", "a", 2), RowVerdict::Superseded { line: 16 });
    assert_eq!(index.verdict("a", "a", 6), RowVerdict::SameUserName { others: others(&[13]) });
    assert_eq!(index.verdict("b", "b", 3), RowVerdict::SameUserName { others: others(&[16]) });
    assert_eq!(index.verdict("c", "c", 5), RowVerdict::Counts);
    assert_eq!(index.verdict("d", "d", 7), RowVerdict::Counts);
}

#[test]
fn the_row_of_the_primary_job_as_of_today_counts() {
    let standing = |rank, day, is_future| Some(RowStanding { rank, day, is_future });
    let mut builder = RowIndexBuilder::new(Pick::Error, false);
    for (key, row, standing) in [
        // job A primary, job B not, job C from next year on
        ("100200", 2, standing(1, 100, false)),
        ("100200", 3, standing(0, 300, false)),
        ("100200", 4, standing(1, 900, true)),
        // two primaries
        ("100201", 5, standing(1, 100, false)),
        ("100201", 6, standing(1, 100, false)),
        ("100201", 7, standing(0, 100, false)),
        // the later of two primaries
        ("100202", 8, standing(1, 100, false)),
        ("100202", 9, standing(1, 200, false)),
        // nothing yet
        ("100203", 10, standing(1, 900, true)),
    ] {
        builder.push(NotedRow { standing, ..noted(key, row) });
    }
    let index = builder.finish();
    let verdict = |key, row| index.verdict(key, key, row);
    assert_eq!(verdict("100200", 2), RowVerdict::Counts);
    assert_eq!(verdict("100200", 3), RowVerdict::Superseded { line: 12 });
    assert_eq!(verdict("100200", 4), RowVerdict::NotYet { counts: Some(12) });
    assert_eq!(verdict("100201", 5), RowVerdict::Conflict { others: others(&[16]) });
    assert_eq!(verdict("100201", 7), RowVerdict::Superseded { line: 15 });
    assert_eq!(verdict("100202", 9), RowVerdict::Counts);
    assert_eq!(verdict("100203", 10), RowVerdict::NotYet { counts: None });
}

#[test]
fn rings_of_managers_are_found_and_those_below_a_ring_are_not_in_it() {
    let mut builder = RowIndexBuilder::new(Pick::Error, false);
    let rows = [
        ("1", "2"),
        ("2", "3"),
        ("3", "1"),
        ("4", "1"),
        ("5", "5"),
        ("6", "9"),
        ("7", "08"),
        ("8", "7"),
    ];
    for (row, (key, manager)) in (2..).zip(rows) {
        builder.push(NotedRow { manager: Some(manager), ..noted(key, row) });
    }
    let index = builder.finish();
    let ring = |row| index.ring(row).map(|others| others.lines);
    for row in [2, 3, 4] {
        assert_eq!(ring(row), Some(vec![12, 13, 14]));
    }
    assert_eq!((ring(5), ring(6), ring(7)), (None, None, None));
    assert_eq!(ring(8), Some(vec![18, 19]));
    assert_eq!(index.verdict("4", "4", 5), RowVerdict::Counts);
}

#[test]
fn an_entry_takes_24_bytes() {
    assert_eq!(size_of::<Entry>(), 24);
}
