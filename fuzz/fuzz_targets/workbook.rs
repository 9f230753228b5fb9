//! Workbooks: no bytes make them panic, hang, or fill the memory; what comes out of the spool is what
//! went in. The first byte chooses the config.
#![no_main]

use std::io::Cursor;

use libfuzzer_sys::fuzz_target;
use scimport::domain::{ColumnKind, ColumnUse};
use scimport::source::{
    Merged, SheetChoice, SourceRow, SpoolReader, SpoolRequest, TrailerConfig, WorkbookConfig,
    WorkbookLimits, kind_of_file, spool,
};

fuzz_target!(|data: &[u8]| {
    let Some((choice, bytes)) = data.split_first() else { return };
    let Ok(kind) = kind_of_file(&mut Cursor::new(bytes)) else { return };
    let config = WorkbookConfig {
        sheet: if choice & 1 == 0 { SheetChoice::Fitting } else { SheetChoice::Number(1) },
        header_row: (choice & 2 != 0).then_some(1),
        merged: match choice >> 2 & 3 {
            0 | 1 => Merged::Reject,
            2 => Merged::Spread,
            _ => Merged::Empty,
        },
    };
    let trailer = TrailerConfig { starts_with: "Total".to_owned(), count: Some(1), total: None };
    let kinds = [
        ("ID", ColumnKind::Id),
        ("User", ColumnKind::Text),
        ("Status", ColumnKind::Text),
        ("Name", ColumnKind::Text),
        ("HireDate", ColumnKind::Date),
    ];
    let columns = kinds.map(|(name, kind)| ColumnUse {
        name: name.to_owned(),
        optional: choice & 32 != 0,
        kind,
    });
    // small, so that no input takes long
    let limits = WorkbookLimits {
        part_bytes: 1 << 20,
        total_bytes: 4 << 20,
        cells: 10_000,
        rows: 5_000,
        shared_strings: 2_000,
        password_rounds: 1_000,
        ..WorkbookLimits::default()
    };
    let request = SpoolRequest {
        kind,
        config: &config,
        columns: &columns,
        trailer: (choice & 16 != 0).then_some(&trailer),
        limits: &limits,
        password: Some("correct horse"),
        file: "hr.xlsx",
    };
    let mut spooled = Vec::new();
    let Ok(shape) = spool(Cursor::new(bytes), &request, &mut spooled) else { return };
    let mut reader = SpoolReader::open(Cursor::new(&spooled), &shape);
    let mut last = 0;
    loop {
        let number = match reader.next_row().expect("the spool was just written") {
            None => break,
            Some(SourceRow::Row(row)) => row.row,
            Some(SourceRow::Bad { row, .. }) => row,
        };
        assert!(number > last, "rows in order");
        last = number;
    }
});
