//! What becomes of one record: scoping, matching, mapping, difference, export; and the managers
//! tied afterwards.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::cycle::{Engine, OpenManager};
use super::directory::User;
use super::event::{Account, Action, Draft, Failure, Modified, Status, Step};
use super::record::Record;
use super::target::{self, UPN, Wanted};
use crate::mock_entra::config::UnchangedEvent;
use crate::mock_entra::graph::guid;
use crate::mock_entra::shared::Settings;

/// The code of a record that is out of scope or changes nothing.
const SKIPPED: &str = "EntrySynchronizationSkipped";

impl Engine {
    /// Processes a record; `None` where the log says nothing of it.
    pub(super) fn provision(
        &mut self,
        record: &Record,
        cycle: &Arc<str>,
        change: &Arc<str>,
        settings: &Settings,
    ) -> Option<Draft> {
        let external_id = &record.external_id;
        if external_id.trim().is_empty() {
            let failure = Failure::new("ImportSkipped", "The matching attribute has no value.");
            return Some(skipped(failure, None, vec![Step::Import]));
        }
        if !in_scope(record, settings) {
            return Some(self.out_of_scope(external_id, settings));
        }

        let matched = match self.find(external_id) {
            Ok(matched) => matched,
            Err(failure) => {
                let steps = vec![Step::Import, Step::Scoping(true), Step::Matching(false)];
                return Some(failed(Action::Other, None, steps, failure));
            }
        };
        let existing = matched.as_deref().and_then(|id| self.directory.get(id)).cloned();
        let wanted = target::map(&record.source, existing.as_ref(), settings)
            .and_then(|wanted| self.refuse_taken_name(wanted, existing.as_ref()));
        match (wanted, existing) {
            (Ok(wanted), None) => Some(self.create(record, wanted, (cycle, change))),
            (Ok(wanted), Some(user)) => {
                self.update(record, &user, &wanted, (cycle, change), settings)
            }
            (Err(failure), existing) => {
                let action = if existing.is_some() { Action::Update } else { Action::Create };
                let matching = existing.as_ref().map_or(Step::Matching(true), retrieved);
                let steps = vec![Step::Import, matching, Step::Scoping(true), Step::Export];
                let account = existing.as_ref().map(account);
                Some(failed(action, account, steps, failure))
            }
        }
    }

    fn out_of_scope(&mut self, external_id: &str, settings: &Settings) -> Draft {
        self.open_managers.shift_remove(external_id);
        let known = self.directory.anchored(external_id).and_then(|id| self.directory.get(id));
        let Some(user) = known.filter(|user| user.enabled).cloned() else {
            let failure = Failure::new(SKIPPED, "The user is not in scope for provisioning.");
            return skipped(failure, None, vec![Step::Import, Step::Scoping(false)]);
        };
        let steps = vec![Step::Import, retrieved(&user), Step::Scoping(false)];
        if settings.skip_out_of_scope_deletions {
            let failure = Failure::new(SKIPPED, "The user is not in scope for provisioning.");
            return skipped(failure, Some(account(&user)), steps);
        }
        self.directory.set_enabled(&user.id, false);
        Draft {
            action: Action::Disable,
            status: Status::Success,
            failure: None,
            account: Some(account(&user)),
            steps: steps.into_iter().chain([Step::Export]).collect(),
            modified: vec![modified("accountEnabled", Some("True"), "False")],
        }
    }

    /// The enabled account that this record would disable.
    fn account_to_disable(&self, record: &Record, settings: &Settings) -> Option<&User> {
        let enabled = |id: &str| self.directory.get(id).filter(|user| user.enabled);
        if !in_scope(record, settings) {
            let known = self.directory.anchored(&record.external_id).and_then(enabled);
            return known.filter(|_| !settings.skip_out_of_scope_deletions);
        }
        let user = self.find(&record.external_id).ok().flatten().and_then(|id| enabled(&id))?;
        let wanted = target::map(&record.source, Some(user), settings)
            .and_then(|wanted| self.refuse_taken_name(wanted, Some(user)));
        wanted.is_ok_and(|wanted| wanted.enabled == Some(false)).then_some(user)
    }

    /// Whether this record would disable an account.
    pub(super) fn disables(&self, record: &Record, settings: &Settings) -> bool {
        self.account_to_disable(record, settings).is_some()
    }

    /// What the log says of a disable that is held back.
    pub(super) fn staged_delete(&self, record: &Record, settings: &Settings) -> Option<Draft> {
        let user = self.account_to_disable(record, settings)?;
        let failure = Failure::new(SKIPPED, "The accidental deletions threshold is exceeded.");
        let scoping = Step::Scoping(in_scope(record, settings));
        let steps = vec![Step::Import, retrieved(user), scoping, Step::Held];
        let draft = skipped(failure, Some(account(user)), steps);
        Some(Draft { action: Action::StagedDelete, ..draft })
    }

    /// The matched account: the one known to the job, else the one with this employee id.
    fn find(&self, external_id: &str) -> Result<Option<String>, Failure> {
        if let Some(id) = self.directory.anchored(external_id) {
            return Ok(Some(id.to_owned()));
        }
        match self.directory.with_employee_id(external_id) {
            [] => Ok(None),
            [id] => Ok(Some(id.clone())),
            many => {
                let reason = format!(
                    "The employeeId '{external_id}' matches {} users in the target.",
                    many.len()
                );
                Err(Failure::new("DuplicateTargetEntries", reason))
            }
        }
    }

    fn refuse_taken_name(
        &self,
        wanted: Wanted,
        existing: Option<&User>,
    ) -> Result<Wanted, Failure> {
        let upn = wanted.attributes.iter().find(|(name, _)| **name == *UPN).map(|(_, upn)| upn);
        let owner = upn.and_then(|upn| self.directory.with_upn(upn));
        match (upn, owner) {
            (Some(upn), Some(owner)) if existing.is_none_or(|user| user.id != owner) => {
                let reason = format!(
                    "Another object with the same value for property userPrincipalName already \
                     exists: '{upn}'."
                );
                Err(Failure::new("EntryConflict", reason))
            }
            _ => Ok(wanted),
        }
    }

    fn create(&mut self, record: &Record, wanted: Wanted, origin: (&Arc<str>, &Arc<str>)) -> Draft {
        let enabled = wanted.enabled.unwrap_or(true);
        let mut changes: Vec<_> = wanted
            .attributes
            .iter()
            .map(|(name, text)| modified(name, None, text))
            .chain([
                modified("IsSoftDeleted", None, "False"),
                modified("accountEnabled", None, if enabled { "True" } else { "False" }),
                modified("passwordProfile.password", None, "[Redacted]"),
            ])
            .collect();
        let attributes: BTreeMap<_, _> = wanted.attributes.into_iter().collect();
        let user = User { id: guid(), enabled, manager: None, attributes };
        let shown = account(&user);
        self.directory.anchor(&record.external_id, &user.id);
        self.directory.add(user);

        let mut steps = vec![Step::Import, Step::Scoping(true), Step::Matching(true)];
        match self.tie(record, &shown.id, origin) {
            Tie::Done(change) => changes.push(change),
            Tie::Open(manager) => steps.push(Step::ManagerOpen(manager)),
            Tie::Nothing => {}
        }
        steps.push(Step::Export);
        let account = Some(shown);
        let (action, status) = (Action::Create, Status::Success);
        Draft { action, status, failure: None, account, steps, modified: changes }
    }

    fn update(
        &mut self,
        record: &Record,
        user: &User,
        wanted: &Wanted,
        origin: (&Arc<str>, &Arc<str>),
        settings: &Settings,
    ) -> Option<Draft> {
        self.directory.anchor(&record.external_id, &user.id);
        let mut changes = Vec::new();
        for (name, text) in &wanted.attributes {
            if user.get(name) != Some(text) {
                let old = self.directory.write(&user.id, name, text);
                changes.push(modified(name, old.as_deref(), text));
            }
        }
        if let Some(enabled) = wanted.enabled.filter(|enabled| *enabled != user.enabled) {
            let word = |enabled| if enabled { "True" } else { "False" };
            self.directory.set_enabled(&user.id, enabled);
            changes.push(modified("accountEnabled", Some(word(user.enabled)), word(enabled)));
        }
        let mut steps = vec![Step::Import, retrieved(user), Step::Scoping(true)];
        match self.tie(record, &user.id, origin) {
            Tie::Done(change) => changes.push(change),
            Tie::Open(manager) => steps.push(Step::ManagerOpen(manager)),
            Tie::Nothing => {}
        }
        let account = self.directory.get(&user.id).map(account);
        if changes.is_empty() {
            return unchanged(account, steps, settings.unchanged_event);
        }
        steps.push(Step::Export);
        let (action, status) = (Action::Update, Status::Success);
        Some(Draft { action, status, failure: None, account, steps, modified: changes })
    }

    /// Ties the manager where that is possible now, else keeps the reference open.
    fn tie(&mut self, record: &Record, id: &str, (cycle, change): (&Arc<str>, &Arc<str>)) -> Tie {
        self.open_managers.shift_remove(&record.external_id);
        let Some(manager) = record.source.manager() else {
            return Tie::Nothing;
        };
        if manager != &*record.external_id {
            match self.tie_to(id, manager) {
                Tie::Open(_) => {}
                tied => return tied,
            }
        }
        let open = OpenManager {
            manager: manager.into(),
            cycle: Arc::clone(cycle),
            change: Arc::clone(change),
        };
        self.open_managers.insert(Arc::clone(&record.external_id), open);
        Tie::Open(manager.into())
    }

    /// Only people this job has processed can be managers: others have no source anchor.
    fn tie_to(&mut self, id: &str, manager: &str) -> Tie {
        let Some(manager_id) = self.directory.anchored(manager).map(str::to_owned) else {
            return Tie::Open(manager.into());
        };
        let before = self.directory.get(id).and_then(|user| user.manager.clone());
        if before.as_deref() == Some(&*manager_id) {
            return Tie::Nothing;
        }
        self.directory.set_manager(id, &manager_id);
        Tie::Done(modified("manager", before.as_deref(), &manager_id))
    }

    /// Tries all open references again, and tells those that were tied.
    pub(super) fn tie_managers(&mut self) -> Vec<(Arc<str>, OpenManager, Draft)> {
        let mut tied = Vec::new();
        for (external_id, open) in std::mem::take(&mut self.open_managers) {
            let id = self.directory.anchored(&external_id).map(str::to_owned);
            let outcome = match &id {
                Some(id) if *open.manager != *external_id => self.tie_to(id, &open.manager),
                _ => Tie::Open(open.manager.clone()),
            };
            match outcome {
                Tie::Open(_) => {
                    self.open_managers.insert(external_id, open);
                }
                Tie::Nothing => {}
                Tie::Done(change) => {
                    let account = id.as_deref().and_then(|id| self.directory.get(id)).map(account);
                    let draft = Draft {
                        action: Action::Update,
                        status: Status::Success,
                        failure: None,
                        account,
                        steps: vec![Step::Export],
                        modified: vec![change],
                    };
                    tied.push((external_id, open, draft));
                }
            }
        }
        tied
    }
}

/// What became of a reference.
enum Tie {
    Nothing,
    Done(Modified),
    Open(Box<str>),
}

fn in_scope(record: &Record, settings: &Settings) -> bool {
    let scope = settings.scope.as_ref();
    scope.is_none_or(|scope| scope.holds(|attribute| record.source.get(attribute)))
}

fn failed(action: Action, account: Option<Account>, steps: Vec<Step>, failure: Failure) -> Draft {
    let failure = Some(failure);
    Draft { action, status: Status::Failure, failure, account, steps, modified: Vec::new() }
}

fn skipped(failure: Failure, account: Option<Account>, steps: Vec<Step>) -> Draft {
    Draft {
        action: Action::Other,
        status: Status::Skipped,
        failure: Some(failure),
        account,
        steps,
        modified: Vec::new(),
    }
}

fn unchanged(
    account: Option<Account>,
    mut steps: Vec<Step>,
    event: UnchangedEvent,
) -> Option<Draft> {
    steps.push(Step::Redundant);
    let failure = Failure::new(SKIPPED, "Source and target already match.");
    match event {
        UnchangedEvent::None => None,
        UnchangedEvent::Skipped => Some(skipped(failure, account, steps)),
        UnchangedEvent::Other => {
            let draft = skipped(failure, account, steps);
            Some(Draft { status: Status::Success, failure: None, ..draft })
        }
    }
}

fn modified(name: &str, old: Option<&str>, new: &str) -> Modified {
    Modified { name: name.into(), old: old.map(Into::into), new: Some(new.into()) }
}

fn account(user: &User) -> Account {
    Account {
        id: user.id.as_str().into(),
        display_name: user.get("displayName").unwrap_or_default().into(),
        upn: user.get(UPN).unwrap_or_default().into(),
    }
}

fn retrieved(user: &User) -> Step {
    let enabled = if user.enabled { "True" } else { "False" };
    let first: [(Box<str>, Box<str>); 2] =
        [("objectId".into(), user.id.as_str().into()), ("accountEnabled".into(), enabled.into())];
    let rest = user.attributes.iter().map(|(name, text)| (name.clone(), text.clone()));
    Step::Retrieved(first.into_iter().chain(rest).collect())
}
