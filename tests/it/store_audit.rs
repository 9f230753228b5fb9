//! The audit trail in the hands of somebody who can write the database: whatever they do to it is found,
//! but for a whole trail that was computed anew, and that is found by a head noted elsewhere.

use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use rusqlite::{Connection, params};
use scimport::domain::{
    AuditAction, AuditDetails, AuditEntry, AuditSubject, AuditValue, Origin, RunId, Who,
};
use scimport::store::{
    Audit, AuditFault, AuditHead, AuditVerdict, Link, SqliteStore, end_line, line_of, link,
    verify_lines,
};
use tokio::runtime::Runtime;

/// Records of a trail here.
const RECORDS: i64 = 8;
/// The columns of a record, each of which can be edited.
const COLUMNS: [&str; 7] = ["at_us", "actor", "origin", "action", "subject", "details", "hash"];

fn at(number: i64) -> Timestamp {
    Timestamp::UNIX_EPOCH + SignedDuration::from_secs(1_700_000_000 + number)
}

fn entry(number: i64) -> AuditEntry {
    let address = format!("10.0.0.{number}").parse().ok();
    AuditEntry {
        action: AuditAction::ALL[usize::try_from(number).unwrap()],
        subject: AuditSubject::Run(RunId::new(format!("01J{number}"))),
        details: AuditDetails::none()
            .with("rows", u64::try_from(number).unwrap())
            .with("file", AuditValue::Word("wörkers \"x\".csv".to_owned())),
        who: Who::new("jörg", Origin::Api(address)),
    }
}

/// A trail, and a connection of somebody who has thrown its triggers away.
struct Trail {
    _folder: tempfile::TempDir,
    path: PathBuf,
    raw: Connection,
    runtime: Runtime,
}

impl Trail {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store.db");
        let runtime = Runtime::new().unwrap();
        let store = SqliteStore::open(&path).unwrap();
        runtime.block_on(async {
            for number in 1..=RECORDS {
                store.append_audit(entry(number), at(number)).await.unwrap();
            }
        });
        drop(store);
        let raw = Connection::open(&path).unwrap();
        raw.pragma_update(None, "synchronous", "OFF").unwrap();
        Self { _folder: folder, path, raw, runtime }
    }

    fn without_triggers() -> Self {
        let trail = Self::new();
        for trigger in triggers(&trail.raw) {
            trail.raw.execute_batch(&format!("DROP TRIGGER {trigger}")).unwrap();
        }
        trail
    }

    fn store(&self) -> SqliteStore {
        SqliteStore::open_read_only(&self.path).unwrap()
    }

    fn verdict(&self, noted: Option<AuditHead>) -> AuditVerdict {
        self.runtime.block_on(self.store().verify_audit(noted)).unwrap()
    }

    #[track_caller]
    fn fault(&self) -> AuditFault {
        match self.verdict(None) {
            AuditVerdict::Broken(fault) => fault,
            AuditVerdict::Sound(summary) => panic!("nothing was found: {summary:?}"),
        }
    }

    fn head(&self) -> AuditHead {
        self.runtime.block_on(self.store().audit_head()).unwrap()
    }

    /// Does something, looks at what is found, and undoes it.
    fn tampered(&self, what: impl FnOnce(&Connection)) -> AuditFault {
        self.raw.execute_batch("SAVEPOINT before").unwrap();
        what(&self.raw);
        // others see what was committed only
        self.raw.execute_batch("RELEASE before").unwrap();
        self.fault()
    }

    /// The lines of an export, the last one too.
    fn lines(&self) -> Vec<String> {
        let records = self.runtime.block_on(self.store().audit_page(0, 1_000)).unwrap();
        let mut lines: Vec<_> = records.iter().map(|record| line_of(record).unwrap()).collect();
        lines.push(end_line(records.len() as u64, Some(self.head())));
        lines
    }
}

fn triggers(raw: &Connection) -> Vec<String> {
    let sql = "SELECT name FROM sqlite_schema WHERE type = 'trigger' AND tbl_name LIKE 'audit%'";
    let mut statement = raw.prepare(sql).unwrap();
    let names = statement.query_map([], |row| row.get(0)).unwrap();
    names.map(Result::unwrap).collect()
}

/// The bytes of a column, and back with its type.
fn bytes_of(raw: &Connection, column: &str, seq: i64) -> Vec<u8> {
    match column {
        "at_us" => {
            let value: i64 = raw
                .query_row("SELECT at_us FROM audit WHERE seq = ?1", [seq], |row| row.get(0))
                .unwrap();
            value.to_be_bytes().to_vec()
        }
        column => raw
            .query_row(
                &format!("SELECT CAST({column} AS BLOB) FROM audit WHERE seq = ?1"),
                [seq],
                |row| row.get(0),
            )
            .unwrap(),
    }
}

fn put(raw: &Connection, column: &str, seq: i64, bytes: &[u8]) {
    let changed = match column {
        "at_us" => {
            let value = i64::from_be_bytes(bytes.try_into().unwrap());
            raw.execute("UPDATE audit SET at_us = ?1 WHERE seq = ?2", params![value, seq])
        }
        "hash" => raw.execute("UPDATE audit SET hash = ?1 WHERE seq = ?2", params![bytes, seq]),
        column => raw.execute(
            &format!("UPDATE audit SET {column} = CAST(?1 AS TEXT) WHERE seq = ?2"),
            params![bytes, seq],
        ),
    };
    assert_eq!(changed.unwrap(), 1);
}

#[test]
fn the_schema_refuses_edits_and_removals() {
    let trail = Trail::new();
    assert_eq!(triggers(&trail.raw).len(), 6);
    for statement in [
        "UPDATE audit SET actor = 'nobody' WHERE seq = 2",
        "DELETE FROM audit",
        "DELETE FROM audit WHERE seq = 8",
        "INSERT OR REPLACE INTO audit SELECT 2, at_us, 'x', origin, action, subject, details, hash FROM audit WHERE seq = 3",
        "INSERT INTO audit SELECT 10, at_us, 'x', origin, action, subject, details, hash FROM audit WHERE seq = 3",
        "UPDATE audit_head SET seq = 7",
        "UPDATE audit_head SET hash = zeroblob(32)",
        "DELETE FROM audit_head",
    ] {
        trail.raw.execute_batch(statement).expect_err(statement);
    }
    assert!(matches!(trail.verdict(None), AuditVerdict::Sound(_)));
}

#[test]
fn any_byte_of_any_field_of_any_record_is_found_edited() {
    let trail = Trail::without_triggers();
    assert_eq!(trail.fault(), AuditFault::Unguarded);
    let mut flipped = 0;
    for seq in 1..=RECORDS {
        for column in COLUMNS {
            let bytes = bytes_of(&trail.raw, column, seq);
            for index in 0..bytes.len() {
                let mut other = bytes.clone();
                other[index] ^= 1 << ((index + flipped) % 8);
                let fault = trail.tampered(|raw| put(raw, column, seq, &other));
                let expected = AuditFault::Edited { seq };
                assert_eq!(fault, expected, "{column} {index}");
                put(&trail.raw, column, seq, &bytes);
                flipped += 1;
            }
        }
    }
    assert!(flipped > 900, "{flipped}");
    assert_eq!(trail.fault(), AuditFault::Unguarded, "everything was put back");
}

#[test]
fn any_byte_of_a_number_is_found() {
    let trail = Trail::without_triggers();
    for seq in 1..=RECORDS {
        for bit in 0..64 {
            let other = seq ^ (1_i64 << bit);
            let is_taken = (1..=RECORDS).contains(&other);
            if is_taken {
                continue;
            }
            let renumber = "UPDATE audit SET seq = ?1 WHERE seq = ?2";
            let fault = trail.tampered(|raw| {
                raw.execute(renumber, [other, seq]).unwrap();
            });
            assert_ne!(fault, AuditFault::Unguarded, "{seq} as {other}");
            trail.raw.execute(renumber, [seq, other]).unwrap();
            // the highest number that ever was is kept
            trail.raw.execute("UPDATE sqlite_sequence SET seq = 8", []).unwrap();
        }
    }
    assert_eq!(trail.fault(), AuditFault::Unguarded);
}

#[test]
fn any_record_that_is_removed_is_missed() {
    for seq in 1..=RECORDS {
        let trail = Trail::without_triggers();
        let fault = trail.tampered(|raw| {
            assert_eq!(raw.execute("DELETE FROM audit WHERE seq = ?1", [seq]).unwrap(), 1);
        });
        let expected = if seq == RECORDS {
            AuditFault::CutOff { last: RECORDS - 1, were: RECORDS }
        } else {
            AuditFault::Missing { seq, before: seq - 1, next: seq + 1 }
        };
        assert_eq!(fault, expected);
        assert_eq!(fault.seq(), Some(seq));
    }
}

#[test]
fn any_two_records_that_change_places_are_found() {
    let trail = Trail::without_triggers();
    let renumber = |raw: &Connection, from: i64, to: i64| {
        raw.execute("UPDATE audit SET seq = ?2 WHERE seq = ?1", [from, to]).unwrap();
    };
    let swap = |raw: &Connection, one: i64, other: i64| {
        renumber(raw, one, 999);
        renumber(raw, other, one);
        renumber(raw, 999, other);
        raw.execute("UPDATE sqlite_sequence SET seq = 8", []).unwrap();
    };
    for one in 1..=RECORDS {
        for other in one + 1..=RECORDS {
            let fault = trail.tampered(|raw| swap(raw, one, other));
            assert_eq!(fault, AuditFault::OutOfOrder { seq: one, found_at: other });
            swap(&trail.raw, one, other);
        }
    }
    assert_eq!(trail.fault(), AuditFault::Unguarded);
}

#[test]
fn an_end_that_is_cut_off_is_found_in_either_other_place() {
    let trail = Trail::without_triggers();
    let fault = trail.tampered(|raw| {
        raw.execute("DELETE FROM audit WHERE seq > 5", []).unwrap();
    });
    assert_eq!(fault, AuditFault::CutOff { last: 5, were: 8 });
    let head = "UPDATE audit_head SET seq = 5, hash = (SELECT hash FROM audit WHERE seq = 5)";
    let fault = trail.tampered(|raw| {
        raw.execute(head, []).unwrap();
    });
    assert_eq!(fault, AuditFault::CutOff { last: 5, were: 8 }, "SQLite's own count is left");
    let fault = trail.tampered(|raw| {
        raw.execute("UPDATE sqlite_sequence SET seq = 5 WHERE name = 'audit'", []).unwrap();
    });
    assert_eq!(fault, AuditFault::Unguarded, "all three places say the same");
}

#[test]
fn what_is_noted_about_the_end_cannot_be_edited_either() {
    let trail = Trail::without_triggers();
    let noted: Vec<u8> =
        trail.raw.query_row("SELECT hash FROM audit_head", [], |row| row.get(0)).unwrap();
    for index in 0..noted.len() {
        let mut other = noted.clone();
        other[index] ^= 0x10;
        let fault = trail.tampered(|raw| {
            raw.execute("UPDATE audit_head SET hash = ?1", [&other]).unwrap();
        });
        assert_eq!(fault, AuditFault::HeadEdited { last: RECORDS });
    }
    trail.raw.execute("UPDATE audit_head SET hash = ?1", [&noted]).unwrap();
    for (statement, expected) in [
        ("UPDATE audit_head SET seq = 7", AuditFault::HeadEdited { last: RECORDS }),
        ("UPDATE audit_head SET seq = 9", AuditFault::CutOff { last: RECORDS, were: 9 }),
        ("DELETE FROM audit_head", AuditFault::HeadEdited { last: RECORDS }),
    ] {
        let fault = trail.tampered(|raw| raw.execute_batch(statement).unwrap());
        assert_eq!(fault, expected, "{statement}");
    }
}

/// What the documentation says of it: a whole trail can be computed anew, and a noted head finds it.
#[test]
fn a_trail_that_was_computed_anew_is_found_by_a_head_that_was_noted() {
    let trail = Trail::new();
    let noted = trail.head();
    let guards: Vec<String> = {
        let sql = "SELECT sql FROM sqlite_schema WHERE type = 'trigger' AND tbl_name LIKE 'audit%'";
        let mut statement = trail.raw.prepare(sql).unwrap();
        statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    };
    for trigger in triggers(&trail.raw) {
        trail.raw.execute_batch(&format!("DROP TRIGGER {trigger}")).unwrap();
    }
    trail.raw.execute("UPDATE audit SET actor = 'somebody else' WHERE seq = 3", []).unwrap();
    let mut previous = [0; 32];
    for seq in 1..=RECORDS {
        let fields: Vec<Vec<u8>> =
            COLUMNS[..6].iter().map(|column| bytes_of(&trail.raw, column, seq)).collect();
        let record = Link {
            seq,
            at_us: i64::from_be_bytes(fields[0].as_slice().try_into().unwrap()),
            texts: [&fields[1], &fields[2], &fields[3], &fields[4], &fields[5]].map(Vec::as_slice),
        };
        previous = link(&previous, &record);
        put(&trail.raw, "hash", seq, &previous);
    }
    trail.raw.execute("UPDATE audit_head SET hash = ?1", [&previous]).unwrap();
    for guard in guards {
        trail.raw.execute_batch(&guard).unwrap();
    }
    assert!(matches!(trail.verdict(None), AuditVerdict::Sound(_)), "nothing else can tell");
    let verdict = trail.verdict(Some(noted));
    assert_eq!(verdict, AuditVerdict::Broken(AuditFault::OtherHead { seq: 8 }));
}

#[test]
fn a_trigger_that_does_something_else_is_none() {
    let trail = Trail::new();
    trail
        .raw
        .execute_batch(
            "DROP TRIGGER audit_is_not_edited;
            CREATE TRIGGER audit_is_not_edited BEFORE UPDATE ON audit BEGIN SELECT 1; END;",
        )
        .unwrap();
    assert_eq!(trail.fault(), AuditFault::Unguarded);
}

fn lines_verdict(text: &[u8], noted: Option<AuditHead>) -> AuditVerdict {
    verify_lines(text, noted).unwrap()
}

fn joined(lines: &[String]) -> Vec<u8> {
    lines.iter().flat_map(|line| format!("{line}\n").into_bytes()).collect()
}

#[test]
fn any_byte_of_an_export_is_found_edited() {
    let text = joined(&Trail::new().lines());
    assert!(matches!(lines_verdict(&text, None), AuditVerdict::Sound(_)));
    for index in 0..text.len() {
        for mask in [0x01, 0x20, 0x80] {
            let mut other = text.clone();
            other[index] ^= mask;
            let verdict = lines_verdict(&other, None);
            assert!(matches!(verdict, AuditVerdict::Broken(_)), "{index} {mask}: {verdict:?}");
        }
    }
}

#[test]
fn lines_that_are_removed_or_moved_are_found() {
    let lines = Trail::new().lines();
    let records = usize::try_from(RECORDS).unwrap();
    for index in 1..records - 1 {
        let mut fewer = lines.clone();
        fewer.remove(index);
        let seq = i64::try_from(index).unwrap() + 1;
        let expected = AuditFault::Missing { seq, before: seq - 1, next: seq + 1 };
        assert_eq!(lines_verdict(&joined(&fewer), None), AuditVerdict::Broken(expected));
        let mut moved = lines.clone();
        moved.swap(index, index + 1);
        let expected = AuditFault::OutOfOrder { seq, found_at: seq + 1 };
        assert_eq!(lines_verdict(&joined(&moved), None), AuditVerdict::Broken(expected));
    }
    // the first and the last record are missed by the last line
    for index in [0, records - 1] {
        let mut fewer = lines.clone();
        fewer.remove(index);
        let expected = AuditFault::EndDiffers { records: 8, found: 7 };
        assert_eq!(lines_verdict(&joined(&fewer), None), AuditVerdict::Broken(expected));
    }
    let mut more = lines.clone();
    more.push(lines[records].clone());
    let expected = AuditFault::NoRecord { line: 10 };
    assert_eq!(lines_verdict(&joined(&more), None), AuditVerdict::Broken(expected));
}

#[test]
fn an_export_that_was_cut_off_is_found_by_its_last_line_and_else_by_the_head() {
    let trail = Trail::new();
    let (lines, head) = (trail.lines(), trail.head());
    let records = trail.runtime.block_on(trail.store().audit_page(0, 9)).unwrap();
    let head_of = |index: usize| AuditHead { seq: records[index].seq, hash: records[index].hash };
    for count in 0..records.len() {
        let expected = AuditFault::NoEnd { records: count as u64 };
        let shorter = joined(&lines[..count]);
        assert_eq!(lines_verdict(&shorter, None), AuditVerdict::Broken(expected.clone()));
        // a head from before says nothing of the end
        if count > 2 {
            let early = Some(head_of(0));
            assert_eq!(lines_verdict(&shorter, early), AuditVerdict::Broken(expected));
        }
    }
    // as an older version wrote it: the head of the last record says that it is whole
    let older = joined(&lines[..records.len()]);
    assert!(matches!(lines_verdict(&older, Some(head)), AuditVerdict::Sound(_)));
    // written anew, the last line fits; a head that was noted does not
    let mut forged = lines[..5].to_vec();
    forged.push(end_line(5, Some(head_of(4))));
    assert!(matches!(lines_verdict(&joined(&forged), None), AuditVerdict::Sound(_)));
    let cut = AuditFault::CutOff { last: 5, were: 8 };
    assert_eq!(lines_verdict(&joined(&forged), Some(head)), AuditVerdict::Broken(cut));
    // no records, and no lines
    let none = joined(&[end_line(0, None)]);
    let verdict = lines_verdict(&none, None);
    assert!(matches!(verdict, AuditVerdict::Sound(summary) if summary.count == 0));
    let cut = AuditFault::CutOff { last: 0, were: 8 };
    assert_eq!(lines_verdict(&none, Some(head)), AuditVerdict::Broken(cut));
    let empty = AuditFault::NoEnd { records: 0 };
    assert_eq!(lines_verdict(b"", Some(AuditHead::EMPTY)), AuditVerdict::Broken(empty));
}

/// A part of a trail hangs together too, and the head before it proves what it is chained to.
#[test]
fn a_part_of_a_trail_is_verified_by_the_head_before_it() {
    let trail = Trail::new();
    let head = trail.head();
    let records = trail.runtime.block_on(trail.store().audit_page(0, 9)).unwrap();
    let mut part: Vec<_> = trail.lines()[3..8].to_vec();
    part.push(end_line(5, Some(head)));
    let part = joined(&part);
    let AuditVerdict::Sound(summary) = lines_verdict(&part, Some(head)) else { panic!("unsound") };
    assert_eq!((summary.count, summary.head), (5, head));
    let before = |hash| Some(AuditHead { seq: 3, hash });
    assert!(matches!(lines_verdict(&part, before(records[2].hash)), AuditVerdict::Sound(_)));
    let other = AuditVerdict::Broken(AuditFault::OtherHead { seq: 3 });
    assert_eq!(lines_verdict(&part, before([1; 32])), other);
    let early = Some(AuditHead { seq: 1, hash: records[0].hash });
    let elsewhere = AuditFault::HeadElsewhere { seq: 1, first: 4 };
    assert_eq!(lines_verdict(&part, early), AuditVerdict::Broken(elsewhere));
}

fn tampered_anyhow(
    path: &Path,
    seq: i64,
    column: usize,
    bytes: &[u8],
) -> Result<(), rusqlite::Error> {
    let raw = Connection::open(path)?;
    raw.pragma_update(None, "synchronous", "OFF")?;
    for trigger in triggers(&raw) {
        raw.execute_batch(&format!("DROP TRIGGER {trigger}"))?;
    }
    let column = COLUMNS[column];
    if column == "hash" || column == "at_us" {
        return Ok(());
    }
    let before = bytes_of(&raw, column, seq);
    if before == bytes {
        raw.execute("UPDATE audit SET actor = actor || 'x' WHERE seq = ?1", [seq])?;
    } else {
        put(&raw, column, seq, bytes);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Whatever is written into a field, text or not, is found and told, and no panic.
    #[test]
    fn whatever_is_written_into_a_field_is_found(
        seq in 1..=RECORDS,
        column in 1..6_usize,
        bytes in prop::collection::vec(any::<u8>(), 0..40),
    ) {
        let trail = Trail::new();
        tampered_anyhow(&trail.path, seq, column, &bytes).unwrap();
        prop_assert_eq!(trail.fault(), AuditFault::Edited { seq });
        // reading it is an error at most
        let _read = trail.runtime.block_on(trail.store().audit_page(0, 100));
    }

    /// No bytes make the look at a file panic.
    #[test]
    fn any_bytes_are_a_file_that_can_be_looked_at(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _verdict = lines_verdict(&bytes, None);
    }
}
