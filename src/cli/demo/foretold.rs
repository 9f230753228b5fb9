//! What the samples come to, known beforehand.

use crate::domain::OperationStatus as S;
use crate::store::Operation;

/// A line for a worker: id, status, code; `or` stands between codes that may both be.
pub type Foretold = (&'static str, S, &'static str);

/// `samples/workers.csv`.
pub const FIRST_DAY: &[Foretold] = &[
    ("E1001", S::Provisioned, "created"),
    ("E1002", S::Provisioned, "created"),
    ("E1003", S::Provisioned, "created"),
    ("E1004", S::Rejected, "source.same-user-name"),
    ("E1005", S::Provisioned, "created"),
    ("E1006", S::Provisioned, "created"),
    ("E1007", S::Provisioned, "created"),
    ("E1008", S::Provisioned, "created"),
    // the manager comes later in the file and is tied by a second event: when that one is read by
    // itself, it has the last word
    ("E1009", S::Provisioned, "created or updated"),
    ("E1010", S::Provisioned, "created"),
    ("E1011", S::Failed, "InvalidDomain"),
    ("E1012", S::Rejected, "source.same-user-name"),
    ("E1013", S::Skipped, "NotInScope"),
    ("E1014", S::Rejected, "mapping.unknown-word"),
    ("E1015", S::Rejected, "source.repeated-worker"),
    ("E1015", S::Rejected, "source.repeated-worker"),
    ("E1016", S::Provisioned, "ManagerUnresolved"),
    ("E1017", S::Provisioned, "created"),
    ("E1018", S::Provisioned, "created"),
];

/// `samples/workers-next-day.csv`, after the first day.
pub const NEXT_DAY: &[Foretold] = &[
    ("E1003", S::Provisioned, "updated"),
    ("E1004", S::Provisioned, "created"),
    ("E1006", S::Provisioned, "disabled"),
    ("E1011", S::Provisioned, "created"),
    ("E1012", S::Provisioned, "created"),
    // whose manager E1004 comes with the same file
    ("E1014", S::Provisioned, "created or updated"),
    ("E1015", S::Provisioned, "created"),
    ("E1017", S::Provisioned, "enabled"),
    ("E1019", S::Provisioned, "created"),
];

/// Where the operations differ from what was foretold.
pub fn differences(foretold: &[Foretold], operations: &[Operation]) -> Vec<String> {
    let mut left: Vec<&Operation> = operations.iter().collect();
    let mut differences = Vec::new();
    for &(id, status, code) in foretold {
        let same = left.iter().position(|operation| {
            operation.external_id.as_ref().is_some_and(|each| each.as_str() == id)
                && operation.status == status
                && code.split(" or ").any(|code| operation.code.as_deref() == Some(code))
        });
        match same {
            Some(at) => drop(left.remove(at)),
            None => differences.push(format!("no {id} {status} {code}")),
        }
    }
    differences.extend(left.into_iter().map(|operation| {
        let id = operation.external_id.as_ref().map_or("-", crate::domain::ExternalId::as_str);
        let code = operation.code.as_deref().unwrap_or("-");
        format!("{id} is {} {code}", operation.status)
    }));
    differences
}
