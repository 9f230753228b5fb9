//! Two people with one userName: whether a name that is to be sent is somebody else's already.

use crate::domain::ExternalId;

/// The worker who keeps a row from its userName: one of its holders who is somebody else and of whom
/// the file says nothing. A holder whom the file names is sent anew with the same file, and so may
/// just be giving the name up; `names` says whether it does.
#[must_use]
pub fn taken_by<'h>(
    own: &ExternalId,
    holders: &'h [ExternalId],
    names: impl Fn(&str) -> bool,
) -> Option<&'h ExternalId> {
    holders.iter().find(|holder| *holder != own && !names(holder.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_taken_by_somebody_else_of_whom_the_file_says_nothing() {
        let ids = |ids: &[&str]| ids.iter().map(|id| ExternalId::from(*id)).collect::<Vec<_>>();
        let own = ExternalId::from("E1");
        let in_file = |id: &str| id == "E2";
        assert_eq!(taken_by(&own, &[], in_file), None);
        assert_eq!(taken_by(&own, &ids(&["E1", "E2"]), in_file), None);
        let holders = ids(&["E1", "E2", "E3", "E4"]);
        assert_eq!(taken_by(&own, &holders, in_file), Some(&"E3".into()));
    }
}
