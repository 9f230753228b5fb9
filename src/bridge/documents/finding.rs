//! What was found out about a file and does not refuse it, as JSON.

use serde_json::{Value, json};

use crate::domain::{OperationStatus, Place};
use crate::intake::Remark;
use crate::source::Finding;

/// The member `findings` of a document: all of them, odd or not, and what people are sent with a
/// warning for.
#[must_use]
pub fn findings(findings: &[Finding], remarks: &[Remark]) -> Value {
    let found = findings.iter().map(|finding| {
        let place = (finding.place != Place::default()).then(|| finding.place.to_string());
        json!({"code": finding.code, "place": place, "message": finding.message})
    });
    let warnings = remarks.iter().filter(|remark| remark.status == OperationStatus::Queued);
    let warned = warnings.map(|remark| {
        let place = Place { row: Some(remark.row), line: remark.line, ..Place::default() };
        json!({"code": remark.code, "place": place.to_string(), "message": remark.reason})
    });
    found.chain(warned).collect()
}

/// A document with the findings as its last member.
#[must_use]
pub fn added_to(mut document: Value, findings: Value) -> Value {
    if let Some(members) = document.as_object_mut() {
        members.insert("findings".to_owned(), findings);
    }
    document
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_has_all_of_them() {
        let found = [
            Finding {
                code: "source.hidden-rows",
                place: Place::file("hr.xlsx"),
                message: "2 hidden rows were read like the others".to_owned(),
                is_odd: true,
            },
            Finding {
                code: "source.odd",
                place: Place::default(),
                message: "odd".to_owned(),
                is_odd: false,
            },
        ];
        let document = added_to(json!({"rows": 1}), findings(&found, &[]));
        assert_eq!(document["findings"][0]["place"], "hr.xlsx");
        assert_eq!(
            document["findings"][1],
            json!({"code": "source.odd", "place": null, "message": "odd"})
        );
        assert_eq!(added_to(json!({}), findings(&[], &[])), json!({"findings": []}));
    }
}
