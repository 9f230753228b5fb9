//! Why a run is held, as it lies in the database: a JSON array.

use serde_json::{Value, json};

use crate::domain::HeldBy;
use crate::store::sqlite::connection::Failure;

/// The guards as they stand in their column; `None` for none.
pub(super) fn write(held_by: &[HeldBy]) -> Result<Option<String>, Failure> {
    if held_by.is_empty() {
        return Ok(None);
    }
    let each = |held: &HeldBy| json!({"guard": held.guard, "limit": held.limit, "value": held.value, "of": held.of});
    let all: Vec<Value> = held_by.iter().map(each).collect();
    serde_json::to_string(&all).map(Some).map_err(Failure::other)
}

/// Reads them back; `None` for a text that `write` did not make.
pub(super) fn read(stored: Option<String>) -> Option<Vec<HeldBy>> {
    let Some(stored) = stored else { return Some(Vec::new()) };
    let all: Vec<Value> = serde_json::from_str(&stored).ok()?;
    let each = |value: &Value| {
        Some(HeldBy {
            guard: value.get("guard")?.as_str()?.to_owned(),
            limit: value.get("limit")?.as_str()?.to_owned(),
            value: value.get("value")?.as_u64()?,
            of: value.get("of")?.as_u64()?,
        })
    };
    all.iter().map(each).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guards_read_back_as_they_were() {
        let held = HeldBy { guard: "max_leavers".into(), limit: "5%".into(), value: 7, of: 100 };
        let stored = write(std::slice::from_ref(&held)).unwrap();
        assert_eq!(read(stored), Some(vec![held]));
        assert_eq!(read(write(&[]).unwrap()), Some(Vec::new()));
        assert_eq!(read(Some("[{}]".into())), None);
    }
}
