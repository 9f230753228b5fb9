//! One target's schema at hand.

use std::time::Duration;

use crate::bridge::{Bridge, BridgeError, SchemaError};
use crate::domain::{AuditAction, AuditDetails, AuditSubject, AuditValue, TargetName, Who};
use crate::entra::{
    CallFailure, EntraClient, JobSchema, NewAttribute, SchemaChange, SchemaDifference,
    SchemaProblem, WantedAttribute,
};

/// How long to wait before each look after a PUT: Graph may answer from a copy that is behind.
const LOOKS: [Duration; 4] =
    [Duration::ZERO, Duration::from_millis(500), Duration::from_secs(1), Duration::from_secs(2)];

/// A target's schema, to be looked at and changed.
pub struct SchemaDesk {
    client: EntraClient,
    target: TargetName,
    wanted: Vec<WantedAttribute>,
    directory: Option<String>,
}

/// A schema that was looked at, and what the mappings say of it.
#[derive(Debug)]
pub struct SchemaLook {
    /// The target.
    pub target: TargetName,
    /// The rule that names the source directory.
    pub rule: String,
    /// The source directory.
    pub directory: String,
    /// The object in it that stands for a person.
    pub object: String,
    /// How many attributes it has.
    pub attributes: usize,
    /// How many custom attributes the mappings write.
    pub mapped: usize,
    /// What differs.
    pub difference: SchemaDifference,
    schema: JobSchema,
}

/// A backup, and what putting it back would change.
#[derive(Debug)]
pub struct SchemaReturn {
    /// The target.
    pub target: TargetName,
    /// What would change.
    pub changes: Vec<SchemaChange>,
    present: JobSchema,
    backup: JobSchema,
}

impl Bridge {
    /// Takes a target's schema in hand; `directory` says which source directory is meant, where the
    /// rules name several.
    ///
    /// # Errors
    ///
    /// When there is no such target, or its credential cannot be had.
    pub async fn schema_desk(
        &self,
        target: &TargetName,
        directory: Option<String>,
    ) -> Result<SchemaDesk, BridgeError> {
        let client = self.setup.client_aside(target, &self.secrets).await?;
        let wanted = self.setup.custom_attributes(target);
        Ok(SchemaDesk { client, target: target.clone(), wanted, directory })
    }

    /// Adds what a look found missing; `keep` writes the schema as it was away before anything is
    /// sent. The audit trail tells of it.
    ///
    /// # Errors
    ///
    /// When the schema is not the one that was looked at any more, the backup cannot be written,
    /// Graph does not take it, or the store fails.
    pub async fn push_schema(
        &self,
        desk: &SchemaDesk,
        look: &SchemaLook,
        keep: impl FnOnce(&str) -> std::io::Result<()>,
        who: &Who,
    ) -> Result<(), BridgeError> {
        let new: &[NewAttribute] = &look.difference.missing;
        let make = |now: &JobSchema| now.with_attributes(desk.directory.as_deref(), new);
        let done = desk.replace(&look.schema, keep, make).await;
        let names = new.iter().map(|new| new.name.as_str());
        let details = AuditDetails::none().with("added", AuditValue::codes(names));
        self.told(desk, AuditAction::SchemaPushed, details, done, who).await
    }

    /// Puts a backup back; `keep` writes the present schema away before. The audit trail tells of it.
    ///
    /// # Errors
    ///
    /// As [`Bridge::push_schema`].
    pub async fn restore_schema(
        &self,
        desk: &SchemaDesk,
        back: &SchemaReturn,
        keep: impl FnOnce(&str) -> std::io::Result<()>,
        who: &Who,
    ) -> Result<(), BridgeError> {
        let make = |_: &JobSchema| Ok(back.backup.text().to_owned());
        let done = desk.replace(&back.present, keep, make).await;
        let changes = u64::try_from(back.changes.len()).unwrap_or(u64::MAX);
        let details = AuditDetails::none().with("changes", changes);
        self.told(desk, AuditAction::SchemaRestored, details, done, who).await
    }

    /// Tells the audit trail what was sent, and what is known of it; of what was not sent or not taken
    /// there is nothing to tell.
    async fn told(
        &self,
        desk: &SchemaDesk,
        action: AuditAction,
        details: AuditDetails,
        done: Result<(), SchemaError>,
        who: &Who,
    ) -> Result<(), BridgeError> {
        let outcome = match &done {
            Ok(()) => "confirmed",
            Err(SchemaError::Differs(_)) => "differs",
            Err(SchemaError::Unknown(_)) => "unknown",
            Err(_) => return Ok(done?),
        };
        tracing::info!(target.name = %desk.target, schema.outcome = outcome, "the job's schema was sent");
        let subject = AuditSubject::Target(desk.target.clone());
        self.audit(action, subject, details.with("outcome", outcome), who).await?;
        Ok(done?)
    }
}

impl SchemaDesk {
    /// Looks at the schema.
    ///
    /// # Errors
    ///
    /// When Graph cannot be asked, or the schema has no source directory.
    pub async fn look(&self) -> Result<SchemaLook, SchemaError> {
        let schema = self.client.schema().await?;
        let source = schema.source(self.directory.as_deref())?;
        Ok(SchemaLook {
            target: self.target.clone(),
            rule: source.rule.to_owned(),
            directory: source.directory.to_owned(),
            object: source.object.to_owned(),
            attributes: source.attributes.len(),
            mapped: self.wanted.len(),
            difference: source.difference(&self.wanted),
            schema,
        })
    }

    /// Holds a backup against the present schema.
    ///
    /// # Errors
    ///
    /// When the text is no schema, or does not say that it is of this job, or Graph cannot be asked.
    pub async fn hold_against(&self, backup: String) -> Result<SchemaReturn, SchemaError> {
        let backup = JobSchema::read(backup)?;
        if !backup.is_whole() {
            return Err(SchemaProblem::NoSchema.into());
        }
        let present = self.client.schema().await?;
        let here = present.id().unwrap_or_else(|| self.client.settings().job_id.clone());
        match backup.id() {
            Some(of) if of == here => {}
            Some(of) => return Err(SchemaError::OtherJob { of, here }),
            None => return Err(SchemaError::NoJob { here }),
        }
        let changes = present.changes_to(&backup);
        Ok(SchemaReturn { target: self.target.clone(), changes, present, backup })
    }

    /// Replaces the schema that was seen by what is made of it.
    async fn replace(
        &self,
        seen: &JobSchema,
        keep: impl FnOnce(&str) -> std::io::Result<()>,
        make: impl FnOnce(&JobSchema) -> Result<String, SchemaProblem>,
    ) -> Result<(), SchemaError> {
        let now = self.client.schema().await?;
        let changes = seen.changes_to(&now);
        if !changes.is_empty() {
            return Err(SchemaError::Changed(changes));
        }
        let sent = JobSchema::read(make(&now)?)?;
        keep(now.text()).map_err(SchemaError::Backup)?;
        match self.client.replace_schema(sent.text()).await {
            Ok(()) => self.has_arrived(&sent).await,
            Err(failure) if failure.may_have_arrived() => self.settle(&now, &sent, failure).await,
            Err(failure) => Err(SchemaError::NotTaken(failure)),
        }
    }

    /// Looks whether the schema is what was sent.
    async fn has_arrived(&self, sent: &JobSchema) -> Result<(), SchemaError> {
        let mut changes = Vec::new();
        for wait in LOOKS {
            tokio::time::sleep(wait).await;
            let found = self.client.schema().await.map_err(SchemaError::Unknown)?;
            changes = sent.changes_to(&found);
            if changes.is_empty() {
                return Ok(());
            }
        }
        Err(SchemaError::Differs(changes))
    }

    /// Finds out what became of a PUT without a clear answer.
    async fn settle(
        &self,
        before: &JobSchema,
        sent: &JobSchema,
        failure: CallFailure,
    ) -> Result<(), SchemaError> {
        let Ok(found) = self.client.schema().await else {
            return Err(SchemaError::Unknown(failure));
        };
        let changes = sent.changes_to(&found);
        if changes.is_empty() {
            Ok(())
        } else if before.changes_to(&found).is_empty() {
            Err(SchemaError::NotTaken(failure))
        } else {
            Err(SchemaError::Differs(changes))
        }
    }
}
