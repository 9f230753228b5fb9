//! Rejected rows as they lie in the database: the column at fault and the cells, packed; and the
//! headers that the cells stand under.

use rusqlite::{Connection, OptionalExtension as _, params};

use crate::store::FaultyRow;
use crate::store::seal::Place;
use crate::store::sqlite::connection::Failure;
use crate::store::sqlite::seals::{Sealer, Unreadable};

/// Packs what is kept of a rejected row; `None` where there is nothing.
pub(super) fn pack(
    sealer: &Sealer<'_>,
    place: Place<'_>,
    faulty: &FaultyRow,
) -> Result<Option<Vec<u8>>, Failure> {
    if faulty.column.is_none() && faulty.cells.is_empty() {
        return Ok(None);
    }
    let json = serde_json::to_vec(&(&faulty.column, &faulty.cells)).map_err(Failure::other)?;
    sealer.pack(place, &json).map(Some)
}

/// Unpacks it again.
pub(super) fn unpack(
    sealer: &Sealer<'_>,
    place: Place<'_>,
    stored: &[u8],
) -> Result<FaultyRow, Unreadable> {
    let json = sealer.unpack(place, stored)?;
    let (column, cells) = serde_json::from_slice(&json).map_err(|_| Unreadable::Damaged)?;
    Ok(FaultyRow { column, cells })
}

/// Seals the cells of a draft for the operations that they become, the draft's number being added to
/// `before`. What is not sealed stays as it is.
pub(super) fn place(db: &Connection, sealer: &Sealer<'_>, before: i64) -> Result<(), Failure> {
    if !sealer.seals() {
        return Ok(());
    }
    let mut after = 0;
    loop {
        let found: Option<(i64, Vec<u8>)> = db
            .prepare_cached(
                "-- faulty.next
                SELECT seq, cells
                FROM temp.draft_rows
                WHERE seq > ?1
                    AND cells IS NOT NULL
                ORDER BY seq
                LIMIT 1",
            )?
            .query_row([after], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        let Some((seq, cells)) = found else { return Ok(()) };
        after = seq;
        let packed = sealer.unwrap(Place::DraftCells, &cells);
        let packed = packed.map_err(|why| why.at("draft_rows", "cells", &seq))?;
        db.prepare_cached(
            "-- faulty.place
            UPDATE temp.draft_rows
            SET cells = ?2
            WHERE seq = ?1",
        )?
        .execute(params![seq, sealer.wrap(Place::Cells { operation: before + seq }, packed)?])?;
    }
}

/// The headers of a run as they stand in their column; `None` for none.
pub(super) fn write_columns(columns: &[String]) -> Result<Option<String>, Failure> {
    if columns.is_empty() {
        return Ok(None);
    }
    serde_json::to_string(columns).map(Some).map_err(Failure::other)
}

/// Reads them back; `None` for a text that `write_columns` did not make.
pub(super) fn read_columns(stored: Option<String>) -> Option<Vec<String>> {
    stored.map_or_else(|| Some(Vec::new()), |json| serde_json::from_str(&json).ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::SealKeys;
    use crate::store::sqlite::resource;

    const PLACE: Place<'_> = Place::Cells { operation: 1 };

    #[test]
    fn a_faulty_row_reads_back_as_it_was() {
        let keys = SealKeys::none();
        let sealer = Sealer::apart(&keys);
        for (column, cells) in [
            (Some("Status"), &["00123", "", "Zo\u{eb}\n\"=1\""] as &[&str]),
            (None, &["x"]),
            (Some("Status"), &[]),
        ] {
            let faulty = FaultyRow {
                column: column.map(ToOwned::to_owned),
                cells: cells.iter().map(ToString::to_string).collect(),
            };
            let packed = pack(&sealer, PLACE, &faulty).unwrap().unwrap();
            assert_eq!(unpack(&sealer, PLACE, &packed), Ok(faulty));
        }
        assert!(pack(&sealer, PLACE, &FaultyRow::default()).unwrap().is_none());
    }

    #[test]
    fn other_bytes_are_no_faulty_row() {
        let keys = SealKeys::none();
        let sealer = Sealer::apart(&keys);
        let list = resource::pack(b"[null]").unwrap();
        for bytes in [b"" as &[u8], b"\x01\x02\x00\x00\x00{}", &list] {
            assert_eq!(unpack(&sealer, PLACE, bytes), Err(Unreadable::Damaged));
        }
        assert_eq!(read_columns(Some("{}".to_owned())), None);
        assert_eq!(read_columns(None), Some(Vec::new()));
    }
}
