//! Why a schema cannot be worked with.

/// The schema of a job says too little, or too much, to work with it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SchemaProblem {
    /// The text is no JSON, or no object.
    #[error("the text is no schema of a provisioning job")]
    NoSchema,
    /// A member of an object stands twice in it, and nobody can say which of both counts.
    #[error("the member `{0}` stands twice in its object")]
    Repeated(String),
    /// The schema has no rule.
    #[error("the job's schema has no synchronization rule")]
    NoRule,
    /// No rule maps users.
    #[error("no synchronization rule of the job's schema maps users")]
    NoUserRule,
    /// Rules for users name different source directories.
    #[error("the synchronization rules of the job's schema name several source directories: {}", list(.0))]
    SeveralSources(Vec<String>),
    /// No rule for users has the source directory that was asked for.
    #[error("no synchronization rule of the job's schema has the source directory `{asked}`")]
    OtherSource {
        /// What was asked for.
        asked: String,
        /// What there is.
        known: Vec<String>,
    },
    /// The directory that the rule names is not there.
    #[error(
        "the job's schema has no directory `{directory}`, which rule `{rule}` names as its source"
    )]
    NoDirectory {
        /// The directory.
        directory: String,
        /// The rule.
        rule: String,
    },
    /// Several directories have the name.
    #[error("the job's schema has several directories `{0}`")]
    SameDirectory(String),
    /// The directory has no such object, or no list of attributes in it.
    #[error(
        "directory `{directory}` of the job's schema lists no attributes of an object `{object}`"
    )]
    NoAttributes {
        /// The directory.
        directory: String,
        /// The object.
        object: String,
    },
    /// The directory may not be changed.
    #[error("directory `{0}` of the job's schema is read-only")]
    ReadOnly(String),
}

impl SchemaProblem {
    /// What to do about it.
    #[must_use]
    pub fn advice(&self) -> String {
        match self {
            Self::Repeated(_) => "nobody can say which of both counts: take another backup, or take the \
                 wrong one out of a copy of the file"
                .to_owned(),
            Self::NoSchema => {
                "the file has to be a backup that `scimport schema push` or `restore` wrote"
                    .to_owned()
            }
            Self::SeveralSources(names) => {
                let first = names.first().map_or("NAME", String::as_str);
                format!("say which one the HR data comes into, as in `--directory \"{first}\"`")
            }
            Self::OtherSource { known, .. } => format!("the rules have {}", list(known)),
            Self::ReadOnly(_) => "add the attributes in the Entra admin center, if it lets you: \
                 Enterprise applications, the provisioning app, Provisioning, Mappings, the mapping \
                 of users, Show advanced options, Edit attribute list for API"
                .to_owned(),
            _ => "check that `job_id` is that of the API-driven provisioning app, and in the Entra \
                 admin center that it maps users: Enterprise applications, the provisioning app, \
                 Provisioning, Mappings"
                .to_owned(),
        }
    }
}

fn list(names: &[String]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}
