//! Entra's functions that are not here, with the reason.

/// Why a function of Entra's cannot be used, and what to do instead.
pub(super) struct Refused {
    pub(super) name: &'static str,
    pub(super) reason: &'static str,
    pub(super) hint: &'static str,
}

const OUTBOUND: &str = "gives app roles to accounts in other programs, and nothing is provisioned out \
                        of Entra here";
const SAME_BYTES: &str = "would give the same row another value each time, so that every run would \
                          send everybody again";

pub(super) const REFUSED: [Refused; 9] = [
    Refused { name: "AppRoleAssignmentsComplex", reason: OUTBOUND, hint: "remove it" },
    Refused { name: "AssertiveAppRoleAssignmentsComplex", reason: OUTBOUND, hint: "remove it" },
    Refused { name: "SingleAppRoleAssignment", reason: OUTBOUND, hint: "remove it" },
    Refused {
        name: "SelectUniqueValue",
        reason: "has to ask the directory which value is free, and works for Active Directory only",
        hint: "let the provisioning job's own attribute mapping choose the value",
    },
    Refused {
        name: "DefaultDomain",
        reason: "has to ask the tenant",
        hint: "write the domain, as in Append(UserID, \"@contoso.com\")",
    },
    Refused {
        name: "Guid",
        reason: SAME_BYTES,
        hint: "make the value from a column that stays the same",
    },
    Refused {
        name: "RandomString",
        reason: SAME_BYTES,
        hint: "make the value from a column that stays the same, or let Entra's own mapping do it",
    },
    Refused {
        name: "Now",
        reason: SAME_BYTES,
        hint: "`rows.by` names the column with the day from which a row applies",
    },
    Refused {
        name: "Redact",
        reason: "keeps a value out of logs, and no value ever stands in a log here",
        hint: "remove it, and keep what is inside",
    },
];
