//! What kind of failure a code of the provisioning log is, and what to do about it.
//!
//! The codes are those of Entra's documentation (`concept-provisioning-logs`, error table). A code
//! that is not known needs a person.

/// Who can mend a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailureClass {
    /// The record's data are wrong; sent again once corrected.
    Data,
    /// Something that has to come first has not come yet; sending again helps.
    Order,
    /// The job, the mapping in the portal or the tenant is set up wrongly.
    Configuration,
    /// Entra tries again by itself.
    Wait,
}

impl FailureClass {
    /// The word used in JSON and on the terminal.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Data => "data",
            Self::Order => "order",
            Self::Configuration => "configuration",
            Self::Wait => "wait",
        }
    }
}

/// The class of an error code.
#[must_use]
pub fn failure_class(code: &str) -> FailureClass {
    find(code).map_or(FailureClass::Data, |known| known.class)
}

/// What an admin does about an error code.
#[must_use]
pub fn advice(code: &str) -> &'static str {
    find(code).map_or(
        "look the code up in the provisioning log of the job, correct the record and send it again",
        |known| known.advice,
    )
}

struct Known {
    code: &'static str,
    class: FailureClass,
    advice: &'static str,
}

const fn known(code: &'static str, class: FailureClass, advice: &'static str) -> Known {
    Known { code, class, advice }
}

use FailureClass::{Configuration, Data, Order, Wait};

const CONFLICT: &str = "another account already has this userPrincipalName or another unique value: \
     correct the userName in the HR system or the mapping, or rename the other account";
const MISSING: &str =
    "a value that the account needs is empty: fill it in the HR system, or map it";
const SCHEMA: &str = "the attribute mapping in the portal names a target attribute that does not \
     exist or takes one value only: correct the mapping of the provisioning app";
const REFUSED: &str = "the target refused the change: check the rights of the provisioning agent's \
     account and the policies of the tenant";
const REQUEST: &str = "Graph refused the whole request: `scimport convert` shows what was sent; check \
     the custom attributes in the mapping against the job's schema";
const RETRIES: &str = "nothing to do: Entra tries again by itself, usually within 40 minutes";

const KNOWN: &[Known] = &[
    known("Conflict", Data, CONFLICT),
    known("EntryConflict", Data, CONFLICT),
    known(
        "StagedDelete",
        Configuration,
        "if these people are to leave: allow the deletes on the job's provisioning page, or restart the \
         job with ForceDeletes; a later event then settles it. If not: correct the file first",
    ),
    known(
        "DuplicateTargetEntries",
        Configuration,
        "more than one account has this matching value: leave employeeId on one of them only",
    ),
    known(
        "DuplicateSourceEntries",
        Data,
        "two workers were sent with one matching value: give each an externalId of its own",
    ),
    known("MandatoryFieldsMissing", Data, MISSING),
    known("MissingValues", Data, MISSING),
    known(
        "InvalidDomain",
        Data,
        "the domain of the userName is not verified in the tenant: correct it, or verify the domain",
    ),
    known(
        "AzureActiveDirectoryInvalidUserPrincipalName",
        Data,
        "the userName is no valid userPrincipalName: map it without blanks and special characters",
    ),
    known(
        "AzureActiveDirectoryCannotUpdateObjectsOriginatedInExternalService",
        Configuration,
        "the attribute is owned by another service (mail by Exchange): take it out of the mapping",
    ),
    known(
        "AzureActiveDirectoryCannotUpdateObjectsMasteredOnPremises",
        Configuration,
        "the account comes from on-premises Active Directory: use the provisioning app for it",
    ),
    known(
        "AzureActiveDirectoryQuotaLimitExceeded",
        Configuration,
        "the tenant has reached its number of objects: free some or ask Microsoft for more",
    ),
    known("AzureActiveDirectoryForbidden", Configuration, REFUSED),
    known("SchemaAttributeNotFound", Configuration, SCHEMA),
    known("SchemaPropertyCanOnlyAcceptValue", Configuration, SCHEMA),
    known(
        "HybridSynchronizationActiveDirectoryCannotFindAttribute",
        Configuration,
        "the agent does not know the attribute: restart it after a change of the AD schema",
    ),
    known("InvalidAttributeSyntax-LdapErr", Data, "a value is empty or has the wrong form for AD"),
    known(
        "InvalidAnchor",
        Configuration,
        "the account Entra remembers is gone: restart the job with a wider reset",
    ),
    known(
        "ImportSkipped",
        Data,
        "the matching value is missing: map externalId from a filled column",
    ),
    known(
        "UnableToResolveReferenceAttributeValue",
        Order,
        "the manager was not found: send the manager first, then this worker again",
    ),
    known("InsufficientRights", Configuration, REFUSED),
    known("MethodNotAllowed", Configuration, REFUSED),
    known("NotPermitted", Configuration, REFUSED),
    known("Unauthorized", Configuration, REFUSED),
    known("LicenseLimitExceeded", Configuration, "the tenant has no licences left"),
    // a bulk request that Graph refused for good: by its own code, or by the status where it has none
    known("BadRequest", Configuration, REQUEST),
    known("HTTP4", Configuration, REQUEST),
    known("TooManyRequests", Wait, RETRIES),
    known("InternalServerError", Wait, RETRIES),
    known("InternalError", Wait, RETRIES),
    known("Timeout", Wait, RETRIES),
    known("WebExceptionProtocolError", Wait, RETRIES),
];

/// Exact, or with a connector's name in front (`<App>EntryConflict`), or with more behind it.
fn find(code: &str) -> Option<&'static Known> {
    KNOWN
        .iter()
        .find(|known| known.code == code)
        .or_else(|| KNOWN.iter().find(|known| code.starts_with(known.code)))
        .or_else(|| KNOWN.iter().find(|known| code.ends_with(known.code)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_known_by_itself_and_with_a_connectors_name_in_front() {
        assert_eq!(failure_class("InvalidDomain"), FailureClass::Data);
        assert_eq!(failure_class("AzureActiveDirectoryEntryConflict"), FailureClass::Data);
        assert_eq!(advice("ContosoEntryConflict"), CONFLICT);
        assert_eq!(failure_class("Timeout"), FailureClass::Wait);
        assert_eq!(failure_class("UnableToResolveReferenceAttributeValue"), FailureClass::Order);
        assert_eq!(failure_class("SomethingNew"), FailureClass::Data);
        assert_eq!(failure_class("HTTP413"), FailureClass::Configuration);
    }
}
