//! The passes over a file that are measured.

use std::fs::File;
use std::hint::black_box;
use std::ops::ControlFlow;
use std::path::Path;

use scimport::entra::MAX_OPERATIONS;
use scimport::intake::{
    Converted, Feed, RejectedRow, RequestSink, Scan, SourceFile, Strictness, Verdict, convert,
    read_rows, scan,
};
use scimport::scim::BulkWriter;

/// The floor: every record read by the `csv` crate into one record, its fields looked at no further.
/// Gives the number of records.
#[must_use]
pub fn byte_record(path: &Path) -> u64 {
    let file = File::open(path).expect("the test file");
    let mut reader = csv::ReaderBuilder::new().buffer_capacity(128 * 1024).from_reader(file);
    let mut record = csv::ByteRecord::new();
    let mut rows = 0;
    while reader.read_byte_record(&mut record).expect("a well-formed file") {
        black_box(&record);
        rows += 1;
    }
    rows
}

/// Any instant: the files have no rows that depend on it.
const NOW: jiff::Timestamp = jiff::Timestamp::constant(1_795_305_600, 0);

/// The first pass.
#[must_use]
pub fn first(path: &Path, feed: &Feed) -> (SourceFile, Scan) {
    let mut file = SourceFile::open(path).expect("the test file");
    let scan = scan(&mut file, feed, NOW).expect("a well-formed file");
    (file, scan)
}

/// The second pass: rows to bulk requests in memory. Gives users and bytes.
#[must_use]
pub fn second(file: &mut SourceFile, feed: &Feed, scan: &Scan) -> (u64, u64) {
    let mut bulk = BulkWriter::new(MAX_OPERATIONS);
    let (mut users, mut bytes) = (0, 0);
    read_rows(file, feed, scan, None, |result| {
        if let Verdict::Mapped { user, resource, .. } = result.verdict {
            users += 1;
            bulk.push(user.external_id, resource).expect("a full request is finished at once");
            if bulk.is_full() {
                bytes += black_box(bulk.finish()).len() as u64;
                bulk.begin();
            }
        }
        ControlFlow::Continue(())
    })
    .expect("the file that was scanned");
    (users, bytes)
}

/// Both passes as `convert` runs them; requests are dropped.
#[must_use]
pub fn whole(path: &Path, feed: &Feed) -> (Converted, u64) {
    let mut file = SourceFile::open(path).expect("the test file");
    let mut sink = Counting::default();
    let done = convert(&mut file, feed, NOW, MAX_OPERATIONS, &Strictness::Direct, &mut sink);
    (done.expect("a well-formed file"), sink.bytes)
}

#[derive(Default)]
struct Counting {
    bytes: u64,
}

impl RequestSink for Counting {
    fn request(&mut self, _number: u64, body: &[u8]) -> std::io::Result<()> {
        self.bytes += black_box(body).len() as u64;
        Ok(())
    }

    fn rejected(&mut self, row: &RejectedRow<'_>) -> std::io::Result<()> {
        Err(std::io::Error::other(format!("row {} was rejected: {}", row.row, row.problem.code)))
    }
}
