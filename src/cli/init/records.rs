//! Where the records of a JSON document are, if it is an object with a list somewhere inside.
//!
//! Such a document reads as one record with columns like `data.workers.0.id`; the list that most of
//! its columns stand in is the one that is meant.

use std::collections::BTreeMap;

/// The JSON Pointer to the list that more than half of the columns stand in.
pub fn find(headers: &[String]) -> Option<String> {
    let mut lists: BTreeMap<&str, usize> = BTreeMap::new();
    for header in headers {
        if let Some(list) = list(header) {
            *lists.entry(list).or_default() += 1;
        }
    }
    let (list, count) = lists.into_iter().max_by_key(|(_, count)| *count)?;
    (count * 2 > headers.len()).then(|| {
        let names = list.split('.').map(|name| name.replace('~', "~0").replace('/', "~1"));
        names.fold(String::new(), |pointer, name| format!("{pointer}/{name}"))
    })
}

/// What stands before the first place in a list.
fn list(header: &str) -> Option<&str> {
    let mut at = 0;
    for part in header.split('.') {
        if at > 0 && !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()) {
            return header.get(..at - 1);
        }
        at += part.len() + 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_with_most_columns_holds_the_records() {
        let headers =
            |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let nested =
            headers(&["meta.page", "data.workers.0.id", "data.workers.1.id", "data.a/b.0.x"]);
        assert_eq!(find(&nested), None);
        let nested =
            headers(&["meta.page", "data.a/b.0.id", "data.a/b.0.phones.0.n", "data.a/b.1.id"]);
        assert_eq!(find(&nested).as_deref(), Some("/data/a~1b"));
        assert_eq!(find(&headers(&["id", "name.first", "phones.0.number"])), None);
        assert_eq!(find(&[]), None);
    }
}
