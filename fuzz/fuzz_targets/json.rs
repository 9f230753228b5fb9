//! JSON and NDJSON: no bytes make the reader panic, hang or run out of stack. The first byte chooses
//! the config.
#![no_main]

use std::io::Cursor;

use libfuzzer_sys::fuzz_target;
use scimport::domain::{ColumnKind, ColumnUse};
use scimport::source::{FormatConfig, JsonConfig, JsonReader, JsonShape, Limits, SourceRow};

fuzz_target!(|data: &[u8]| {
    let Some((choice, bytes)) = data.split_first() else { return };
    let records = match choice & 3 {
        0 | 1 => None,
        2 => Some("/data/workers".to_owned()),
        _ => Some(String::new()),
    };
    let config = FormatConfig { json: JsonConfig { records }, ..FormatConfig::default() };
    let column =
        |name: &str| ColumnUse { name: name.to_owned(), optional: false, kind: ColumnKind::Text };
    let columns = ["ID", "/Job/Title", "Name.First", "Status"].map(column);
    let limits = Limits { field_bytes: 512, record_bytes: 2048, columns: 64, ..Limits::default() };
    let Ok(shape) = JsonShape::find(&mut Cursor::new(bytes), &config, &columns, limits, "hr.json")
    else {
        return;
    };
    let Ok(mut reader) = JsonReader::open(Cursor::new(bytes), &shape, &columns, limits, "hr.json")
    else {
        return;
    };
    let width = reader.headers().len();
    let mut last = 0;
    while let Ok(Some(found)) = reader.next_row() {
        let number = match found {
            SourceRow::Row(row) => {
                assert_eq!(row.len(), width);
                row.row
            }
            SourceRow::Bad { row, .. } => row,
        };
        assert!(number > last, "rows in order");
        last = number;
    }
});
