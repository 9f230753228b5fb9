//! Rejected rows as they lie in the database: the column at fault and the cells, packed; and the
//! headers that the cells stand under.

use crate::store::FaultyRow;
use crate::store::sqlite::connection::Failure;
use crate::store::sqlite::resource;

/// Packs what is kept of a rejected row; `None` where there is nothing.
pub(super) fn pack(faulty: &FaultyRow) -> Result<Option<Vec<u8>>, Failure> {
    if faulty.column.is_none() && faulty.cells.is_empty() {
        return Ok(None);
    }
    let json = serde_json::to_vec(&(&faulty.column, &faulty.cells)).map_err(Failure::other)?;
    resource::pack(&json).map(Some)
}

/// Unpacks it again; `None` for bytes that `pack` did not make.
pub(super) fn unpack(packed: &[u8]) -> Option<FaultyRow> {
    let json = resource::unpack(packed)?;
    let (column, cells) = serde_json::from_slice(&json).ok()?;
    Some(FaultyRow { column, cells })
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

    #[test]
    fn a_faulty_row_reads_back_as_it_was() {
        for (column, cells) in [
            (Some("Status"), &["00123", "", "Zo\u{eb}\n\"=1\""] as &[&str]),
            (None, &["x"]),
            (Some("Status"), &[]),
        ] {
            let faulty = FaultyRow {
                column: column.map(ToOwned::to_owned),
                cells: cells.iter().map(ToString::to_string).collect(),
            };
            let packed = pack(&faulty).unwrap().unwrap();
            assert_eq!(unpack(&packed), Some(faulty));
        }
        assert!(pack(&FaultyRow::default()).unwrap().is_none());
    }

    #[test]
    fn other_bytes_are_no_faulty_row() {
        assert_eq!(unpack(b""), None);
        assert_eq!(unpack(b"\x01\x02\x00\x00\x00{}"), None);
        assert_eq!(unpack(&resource::pack(b"[null]").unwrap()), None);
        assert_eq!(read_columns(Some("{}".to_owned())), None);
        assert_eq!(read_columns(None), Some(Vec::new()));
    }
}
