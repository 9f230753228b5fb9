use proptest::prelude::*;

use super::*;
use crate::telemetry::alerts::facts::{RunFacts, Word};

const DAY: SignedDuration = SignedDuration::from_hours(24);

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

fn rules(channels: &[&str]) -> Rules {
    Rules {
        on: AlertKind::ALL.into_iter().collect(),
        repeat: DAY,
        channels: channels.iter().map(|channel| (*channel).to_owned()).collect(),
    }
}

fn book(channels: &[&str]) -> Book {
    Book::open(None, rules(channels), at(0))
}

fn run(id: &str) -> RunFacts {
    RunFacts { run: id.to_owned(), source: "hr".to_owned(), target: "entra".to_owned() }
}

fn held(id: &str) -> Condition {
    Condition::new(Facts::RunHeld { run: run(id), guards: Vec::new() }, at(0))
}

fn refused(id: &str) -> Condition {
    Condition::new(Facts::FileRefused { run: run(id), code: Word::new("source.empty") }, at(0))
}

fn key(expires: i64, level: i64) -> Condition {
    let facts = Facts::KeyExpiring {
        key: "abcdefghij01".to_owned(),
        role: "webhook".to_owned(),
        source: Some("hr".to_owned()),
        expires_at: at(expires),
    };
    Condition { facts, since: at(0), level }
}

/// What a channel hears when it is told everything that is due.
fn tell(book: &mut Book, channel: &str, second: i64) -> Vec<(AlertKind, State, bool, usize)> {
    let due = book.due(channel, at(second));
    for message in &due {
        book.note_told(channel, message, at(second));
    }
    due.iter().map(|each| (each.kind, each.state, each.is_again, each.alerts.len())).collect()
}

fn see(book: &mut Book, seen: Vec<Condition>, second: i64) -> bool {
    book.observe(seen, &BTreeSet::new(), at(second))
}

const HELD: (AlertKind, State, bool, usize) = (AlertKind::RunHeld, State::Raised, false, 1);
const OVER: (AlertKind, State, bool, usize) = (AlertKind::RunHeld, State::Over, false, 1);

#[test]
fn what_holds_is_told_once_and_its_end_once() {
    let mut book = book(&["a"]);
    assert!(see(&mut book, vec![held("R1")], 10));
    assert_eq!(tell(&mut book, "a", 10), [], "it is gathered first");
    assert!(book.is_gathering(at(10)));
    assert!(!see(&mut book, vec![held("R1")], 13));
    assert_eq!(tell(&mut book, "a", 13), [HELD]);
    assert!(!book.is_gathering(at(13)));
    assert_eq!(tell(&mut book, "a", 1_000), []);
    assert_eq!(book.active(), BTreeMap::from([(AlertKind::RunHeld, 1)]));
    assert!(see(&mut book, Vec::new(), 2_000));
    assert_eq!(book.active(), BTreeMap::new());
    assert_eq!(tell(&mut book, "a", 2_003), [OVER]);
    assert_eq!(tell(&mut book, "a", 9_000), []);
    assert_eq!(book.kept().alerts, [], "there is nothing left to say");
    assert_eq!(book.kept().told, []);
}

#[test]
fn what_lasts_is_said_again_after_the_time_for_that() {
    let mut book = book(&["a"]);
    see(&mut book, vec![held("R1")], 0);
    assert_eq!(tell(&mut book, "a", 3), [HELD]);
    let day = 86_400;
    assert_eq!(tell(&mut book, "a", 2 + day), []);
    assert_eq!(tell(&mut book, "a", 3 + day), [(AlertKind::RunHeld, State::Raised, true, 1)]);
    assert_eq!(tell(&mut book, "a", 2 + 2 * day), []);
    assert_eq!(tell(&mut book, "a", 3 + 2 * day), [(AlertKind::RunHeld, State::Raised, true, 1)]);
}

#[test]
fn what_happened_is_told_once_and_is_never_over() {
    let mut book = book(&["a"]);
    see(&mut book, vec![refused("R1")], 0);
    assert_eq!(tell(&mut book, "a", 3), [(AlertKind::RunFailed, State::Raised, false, 1)]);
    assert_eq!(book.active(), BTreeMap::new(), "it does not hold");
    assert_eq!(tell(&mut book, "a", 100 * 86_400), []);
    see(&mut book, Vec::new(), 5);
    assert_eq!(tell(&mut book, "a", 1_000), []);
    assert_eq!(book.kept().alerts, []);
}

#[test]
fn what_happened_is_told_although_it_is_long_over() {
    let mut book = book(&["a", "b"]);
    see(&mut book, vec![refused("R1")], 0);
    assert_eq!(tell(&mut book, "a", 3).len(), 1);
    // b cannot be told for a day, and the run is no longer looked at
    see(&mut book, Vec::new(), 10);
    see(&mut book, Vec::new(), 86_400);
    assert_eq!(tell(&mut book, "b", 86_400).len(), 1);
    assert_eq!(book.kept().alerts, []);
    // but not for ever
    see(&mut book, vec![refused("R2")], 90_000);
    see(&mut book, Vec::new(), 90_010);
    see(&mut book, Vec::new(), 90_010 + 7 * 86_400);
    assert_eq!(tell(&mut book, "b", 8 * 86_400), []);
}

#[test]
fn a_run_that_failed_again_after_a_retry_is_told_again() {
    let mut book = book(&["a"]);
    let failed = |level| Condition {
        level,
        ..Condition::new(Facts::OperationsFailed { run: run("R1"), failed: 2, of: 9 }, at(0))
    };
    see(&mut book, vec![failed(1)], 0);
    assert_eq!(tell(&mut book, "a", 3).len(), 1);
    see(&mut book, vec![failed(2)], 600);
    assert_eq!(tell(&mut book, "a", 603), [(AlertKind::RunFailed, State::Raised, false, 1)]);
    assert_eq!(tell(&mut book, "a", 1_000), []);
}

#[test]
fn a_burst_is_one_message() {
    let mut book = book(&["a"]);
    let ids: Vec<String> = (0..200).map(|number| format!("R{number:03}")).collect();
    // twenty a second
    for second in 0..10 {
        let until = usize::try_from(second + 1).unwrap() * 20;
        let seen = ids.iter().take(until).map(|id| refused(id)).collect();
        see(&mut book, seen, second);
        assert_eq!(tell(&mut book, "a", second), [], "{second}");
    }
    assert_eq!(tell(&mut book, "a", 12), [(AlertKind::RunFailed, State::Raised, false, 200)]);
}

#[test]
fn what_goes_on_joining_is_not_waited_for_for_ever() {
    let (mut book, mut seen, mut told) = (book(&["a"]), Vec::new(), Vec::new());
    for second in (0..200).step_by(2) {
        seen.push(refused(&format!("R{second:04}")));
        see(&mut book, seen.clone(), second);
        told.extend(tell(&mut book, "a", second).into_iter().map(|each| (second, each.3)));
    }
    assert_eq!(told, [(120, 61)]);
}

#[test]
fn a_trickle_is_a_message_every_few_minutes() {
    let mut book = book(&["a"]);
    let mut told = Vec::new();
    let mut seen = Vec::new();
    for second in (0..3_600).step_by(2) {
        if second % 20 == 0 {
            seen.push(refused(&format!("R{second:04}")));
        }
        see(&mut book, seen.clone(), second);
        told.extend(tell(&mut book, "a", second).into_iter().map(|each| (second, each.3)));
    }
    assert_eq!(told.first(), Some(&(4, 1)), "nothing joined it");
    assert!((11..=13).contains(&told.len()), "{told:?}");
    assert_eq!(told.get(1), Some(&(304, 15)), "{told:?}");
}

#[test]
fn kinds_and_states_do_not_wait_for_each_other() {
    let mut book = book(&["a"]);
    see(&mut book, vec![held("R1")], 0);
    assert_eq!(tell(&mut book, "a", 3), [HELD]);
    see(&mut book, vec![refused("R2")], 4);
    let failed = (AlertKind::RunFailed, State::Raised, false, 1);
    assert_eq!(tell(&mut book, "a", 7), [OVER, failed]);
}

#[test]
fn what_comes_and_goes_is_not_told_each_time() {
    let mut book = book(&["a"]);
    let mut told = 0;
    for second in 0..3_600 {
        let seen = if second % 20 < 10 { vec![held("R1")] } else { Vec::new() };
        see(&mut book, seen, second);
        told += tell(&mut book, "a", second).len();
    }
    assert!((2..=26).contains(&told), "{told}");
}

#[test]
fn a_channel_that_fails_is_told_later_and_keeps_no_other_waiting() {
    let mut book = book(&["a", "b"]);
    see(&mut book, vec![held("R1")], 0);
    assert_eq!(tell(&mut book, "a", 3), [HELD]);
    see(&mut book, vec![held("R1")], 4_000);
    assert_eq!(tell(&mut book, "a", 4_000), []);
    assert_eq!(tell(&mut book, "b", 4_000), [HELD]);
    // what a channel never heard of is not over for it
    see(&mut book, vec![held("R2")], 5_000);
    assert_eq!(tell(&mut book, "a", 5_003), [HELD, OVER]);
    see(&mut book, Vec::new(), 6_000);
    assert_eq!(tell(&mut book, "a", 6_003), [OVER]);
    assert_eq!(tell(&mut book, "b", 6_003), [OVER], "R1 alone");
    assert_eq!(book.kept().alerts, []);
}

#[test]
fn a_restart_tells_nothing_twice() {
    let mut before = book(&["a"]);
    see(&mut before, vec![held("R1"), refused("R2")], 0);
    assert_eq!(tell(&mut before, "a", 3).len(), 2);
    before.note_looked(at(3));
    let mut after = Book::open(Some(before.kept()), rules(&["a"]), at(50));
    assert_eq!((after.since(), after.looked_until()), (at(0), at(3)));
    see(&mut after, vec![held("R1"), refused("R2")], 50);
    assert_eq!(tell(&mut after, "a", 60), []);
    see(&mut after, vec![refused("R2")], 70);
    assert_eq!(tell(&mut after, "a", 73), [OVER]);
    // what was not told before is told now
    let mut untold = book(&["a"]);
    see(&mut untold, vec![refused("R3")], 0);
    let mut after = Book::open(Some(untold.kept()), rules(&["a"]), at(50));
    see(&mut after, Vec::new(), 50);
    assert_eq!(tell(&mut after, "a", 53).len(), 1);
}

#[test]
fn kinds_and_channels_that_are_gone_from_the_config_are_forgotten() {
    let mut before = book(&["a", "b"]);
    see(&mut before, vec![held("R1"), refused("R2")], 0);
    assert_eq!(tell(&mut before, "a", 3).len(), 2);
    let on = BTreeSet::from([AlertKind::RunFailed]);
    let fewer = Rules { on, ..rules(&["b"]) };
    let mut after = Book::open(Some(before.kept()), fewer, at(5));
    assert_eq!(after.kept().told, []);
    see(&mut after, vec![held("R1"), refused("R2")], 5);
    assert_eq!(tell(&mut after, "b", 8), [(AlertKind::RunFailed, State::Raised, false, 1)]);
}

#[test]
fn what_could_not_be_looked_at_is_not_over() {
    let mut book = book(&["a"]);
    see(&mut book, vec![held("R1")], 0);
    assert_eq!(tell(&mut book, "a", 3), [HELD]);
    let unknown = BTreeSet::from([AlertKind::RunHeld]);
    assert!(!book.observe(Vec::new(), &unknown, at(10)));
    assert_eq!(tell(&mut book, "a", 20), []);
    see(&mut book, Vec::new(), 30);
    assert_eq!(tell(&mut book, "a", 33), [OVER]);
}

#[test]
fn what_runs_out_is_told_at_each_threshold_and_not_day_by_day() {
    let (mut book, day) = (book(&["a"]), 86_400);
    let raised = (AlertKind::KeyExpiring, State::Raised, false, 1);
    let mut told = Vec::new();
    for hour in 0..16 * 24 {
        let second = hour * 3_600;
        let left = 14 * day - second;
        let level = [14, 7, 1, 0].iter().filter(|days| left <= *days * day).count();
        see(&mut book, vec![key(14 * day, i64::try_from(level).unwrap())], second);
        for each in tell(&mut book, "a", second + 3) {
            told.push((hour / 24, each));
        }
    }
    let again = (AlertKind::KeyExpiring, State::Raised, true, 1);
    assert_eq!(told, [(0, raised), (7, raised), (13, raised), (14, raised), (15, again)]);
    // rotated in time is over; run out is not
    see(&mut book, Vec::new(), 16 * day);
    assert_eq!(tell(&mut book, "a", 16 * day + 3), []);
    assert_eq!(book.kept().alerts, []);
    see(&mut book, vec![key(30 * day, 1)], 17 * day);
    assert_eq!(tell(&mut book, "a", 17 * day + 3), [raised]);
    see(&mut book, Vec::new(), 18 * day);
    assert_eq!(
        tell(&mut book, "a", 18 * day + 3),
        [(AlertKind::KeyExpiring, State::Over, false, 1)]
    );
}

#[test]
fn a_clock_that_goes_back_keeps_nothing_quiet() {
    let mut book = book(&["a"]);
    see(&mut book, vec![held("R1")], 10_000);
    assert_eq!(tell(&mut book, "a", 5), [HELD]);
    see(&mut book, Vec::new(), 6);
    assert_eq!(tell(&mut book, "a", 9), [OVER]);
}

proptest! {
    /// Whatever comes and goes, and whichever sendings fail: a channel hears of each thing in turn that
    /// it holds and that it is over, and in the end it knows how everything stands.
    #[test]
    fn a_channel_knows_how_things_stand_in_the_end(
        steps in proptest::collection::vec((0_u8..16, any::<bool>()), 1..60),
    ) {
        let mut book = book(&["a"]);
        let mut heard: BTreeMap<String, State> = BTreeMap::new();
        let mut second = 0;
        let last = steps.last().copied().unwrap_or_default();
        let settled = std::iter::repeat_n((last.0, true), 8);
        for (bits, arrives) in steps.into_iter().chain(settled) {
            second += 301;
            let holds: Vec<_> = (0..4).filter(|bit| bits & (1 << bit) != 0).collect();
            let seen = holds.iter().map(|bit| held(&format!("R{bit}"))).collect();
            see(&mut book, seen, second);
            // a restart in between
            let mut book2 = Book::open(Some(book.kept()), rules(&["a"]), at(second));
            let now = at(second + 3);
            for message in book2.due("a", now) {
                if !arrives {
                    continue;
                }
                for alert in &message.alerts {
                    let id = alert.facts.run().unwrap_or_default().to_owned();
                    let before = heard.insert(id, message.state);
                    prop_assert_ne!(before, Some(message.state), "it was said already");
                    prop_assert!(before.is_some() || message.state == State::Raised);
                }
                book2.note_told("a", &message, now);
            }
            book = book2;
        }
        for bit in 0..4_u8 {
            let holds = last.0 & (1 << bit) != 0;
            let heard = heard.get(&format!("R{bit}")).copied();
            prop_assert_eq!(heard == Some(State::Raised), holds);
        }
    }
}
