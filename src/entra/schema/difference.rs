//! What mappings write, held against what a source directory knows. Pure: no call, no config.

use crate::domain::SourceName;
use crate::entra::{AttributeType, NewAttribute, SchemaAttribute, SourceObject};

/// A custom attribute that the mappings of a target write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WantedAttribute {
    /// Its whole name: URN, colon, name.
    pub name: String,
    /// Who writes it, and as what; at least one.
    pub written: Vec<Written>,
}

/// What one source writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// The source.
    pub source: SourceName,
    /// The type of the values.
    pub kind: AttributeType,
}

impl WantedAttribute {
    /// The type, where all sources agree.
    #[must_use]
    pub fn kind(&self) -> Option<&AttributeType> {
        let (first, rest) = self.written.split_first()?;
        rest.iter().all(|other| other.kind == first.kind).then_some(&first.kind)
    }
}

/// The differences, each list in the order of the mappings or of the schema.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SchemaDifference {
    /// What mappings write and the directory does not know: Entra passes over it in silence.
    pub missing: Vec<NewAttribute>,
    /// What mappings write as another type than the directory has.
    pub types: Vec<OtherType>,
    /// What the directory has in other letters.
    pub letters: Vec<OtherLetters>,
    /// What the directory does not know and sources write as different types.
    pub conflicts: Vec<Conflict>,
    /// Custom attributes of the directory that no mapping writes. Nothing is wrong with them.
    pub unmapped: Vec<SchemaAttribute>,
}

/// An attribute of another type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OtherType {
    /// Its name.
    pub name: String,
    /// As what, and by whom, it is written.
    pub written: Written,
    /// As what the directory has it.
    pub known: AttributeType,
}

/// An attribute that differs in upper and lower case alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OtherLetters {
    /// As the mappings have it.
    pub mapped: String,
    /// As the directory has it.
    pub known: String,
}

/// An attribute that nobody can declare, because sources do not agree on its type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// Its name.
    pub name: String,
    /// As what it is written.
    pub written: Vec<Written>,
}

impl SchemaDifference {
    /// Whether everything that mappings write arrives.
    #[must_use]
    pub const fn is_fine(&self) -> bool {
        self.missing.is_empty() && !self.needs_a_person()
    }

    /// Whether there is something that adding attributes does not mend.
    #[must_use]
    pub const fn needs_a_person(&self) -> bool {
        !self.types.is_empty() || !self.letters.is_empty() || !self.conflicts.is_empty()
    }
}

impl SourceObject<'_> {
    /// Holds what mappings write against what the directory knows.
    #[must_use]
    pub fn difference(&self, wanted: &[WantedAttribute]) -> SchemaDifference {
        let mut difference = SchemaDifference::default();
        for attribute in wanted {
            self.hold_against(attribute, &mut difference);
        }
        let is_mapped = |known: &&SchemaAttribute| {
            wanted.iter().any(|wanted| wanted.name.eq_ignore_ascii_case(&known.name))
        };
        let custom = self.attributes.iter().filter(|known| known.is_custom());
        difference.unmapped = custom.filter(|known| !is_mapped(known)).cloned().collect();
        difference
    }

    fn hold_against(&self, wanted: &WantedAttribute, difference: &mut SchemaDifference) {
        let name = &wanted.name;
        if let Some(known) = self.attributes.iter().find(|known| known.name == *name) {
            let others = wanted.written.iter().filter(|written| !known.kind.takes(&written.kind));
            difference.types.extend(others.map(|written| OtherType {
                name: name.clone(),
                written: written.clone(),
                known: known.kind.clone(),
            }));
            return;
        }
        let near = self.attributes.iter().find(|known| known.name.eq_ignore_ascii_case(name));
        if let Some(near) = near {
            let (mapped, known) = (name.clone(), near.name.clone());
            difference.letters.push(OtherLetters { mapped, known });
            return;
        }
        match wanted.kind() {
            Some(kind) => {
                difference.missing.push(NewAttribute { name: name.clone(), kind: kind.clone() });
            }
            None => difference
                .conflicts
                .push(Conflict { name: name.clone(), written: wanted.written.clone() }),
        }
    }
}
