//! Text files: no bytes make the reader panic, hang, or give rows that are not in order. The first
//! byte chooses the config.
#![no_main]

use std::io::Cursor;

use libfuzzer_sys::fuzz_target;
use scimport::domain::{ColumnKind, ColumnUse};
use scimport::source::{
    CsvConfig, CsvReader, CsvShape, Delimiter, FormatConfig, Limits, Quote, SourceRow,
    TrailerConfig,
};

fn columns() -> Vec<ColumnUse> {
    let column = |(name, kind): (&str, ColumnKind)| ColumnUse {
        name: name.to_owned(),
        optional: false,
        kind,
    };
    let kinds = [
        ("ID", ColumnKind::Id),
        ("User", ColumnKind::Text),
        ("Status", ColumnKind::Text),
        ("Phone", ColumnKind::Phone),
        ("Hired", ColumnKind::Date),
    ];
    kinds.map(column).to_vec()
}

fn config(choice: u8) -> FormatConfig {
    let trailer = TrailerConfig { starts_with: "TRL".to_owned(), count: Some(2), total: None };
    FormatConfig {
        csv: CsvConfig {
            delimiter: if choice & 1 == 0 { Delimiter::Auto } else { Delimiter::Byte(b';') },
            quote: match choice >> 1 & 3 {
                0 | 1 => Quote::Auto,
                2 => Quote::None,
                _ => Quote::Byte(b'\''),
            },
            encoding: (choice & 8 != 0).then(|| "windows-1250".to_owned()),
            header_row: (choice & 16 != 0).then_some(2),
        },
        trailer: (choice & 32 != 0).then_some(trailer),
        ..FormatConfig::default()
    }
}

fuzz_target!(|data: &[u8]| {
    let Some((choice, bytes)) = data.split_first() else { return };
    let (config, columns) = (config(*choice), columns());
    // small, so that inputs of this size reach them
    let limits = Limits {
        field_bytes: 512,
        record_bytes: 2048,
        record_lines: 16,
        columns: 64,
        ..Limits::default()
    };
    let Ok(shape) = CsvShape::find(&mut Cursor::new(bytes), &config, &columns, limits, "hr.csv")
    else {
        return;
    };
    let Ok(mut reader) = CsvReader::open(Cursor::new(bytes), &shape, &columns, limits, "hr.csv")
    else {
        return;
    };
    let width = reader.headers().len();
    let mut last = 0;
    while let Ok(Some(found)) = reader.next_row() {
        let number = match found {
            SourceRow::Row(row) => {
                assert_eq!(row.len(), width, "a row that was not rejected has the header's fields");
                // a replacement character comes out only where one went in
                let has_replacement = row.cells().any(|cell| cell.contains('\u{fffd}'));
                assert!(
                    !has_replacement
                        || bytes.windows(2).any(|two| two == [0xEF, 0xBF]
                            || two == [0xFD, 0xFF]
                            || two == [0xFF, 0xFD])
                );
                row.row
            }
            SourceRow::Bad { row, .. } => row,
        };
        assert!(number > last, "rows in order");
        last = number;
    }
});
