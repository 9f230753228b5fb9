//! What columns are called, in seven languages, and what they mean.
//!
//! One file for each kind of thing. The tables hold names as people write them; they are compared
//! as `words` folds them, so spelling with blanks, hyphens, capitals or accents needs no entry of
//! its own.

mod contact;
mod identity;
mod name;
mod time;
mod work;

use std::collections::BTreeMap;

use crate::mapping::propose::words::{key, key_of, words};

/// What a column can mean for a mapping.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Meaning {
    WorkerId,
    PrincipalName,
    Login,
    Email,
    Active,
    /// A flag that is true for those who left.
    Inactive,
    GivenName,
    FamilyName,
    /// "van der", which Dutch systems keep apart.
    NameInfix,
    /// The second of two Spanish family names.
    SecondFamilyName,
    MiddleName,
    FullName,
    /// "Name": the family name beside a given name, the whole name without one.
    SomeName,
    NickName,
    JobTitle,
    WorkerType,
    Language,
    Phone,
    Mobile,
    Street,
    City,
    Region,
    PostalCode,
    Country,
    CostCenter,
    Organization,
    Division,
    Department,
    Manager,
    HireDate,
    EndDate,
    /// The day from which a row applies, where a worker has several.
    ValidFrom,
    /// Which of several rows of a worker is the main one.
    IsPrimary,
}

/// A column that means something, how sure the name is of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NameMatch {
    pub(super) meaning: Meaning,
    /// From 1 to 100; see the constants.
    pub(super) score: u32,
}

/// The name is one that the lexicon has.
pub(super) const EXACT: u32 = 100;
/// The last part of a path is.
pub(super) const LAST_PART: u32 = 92;
/// The name has one in it: the most and the least that is worth.
const CONTAINED: (u32, u32) = (40, 80);
/// Below this a name is no witness.
pub(super) const LEAST: u32 = 60;
/// Shorter names are found alone only, not inside others.
const SHORTEST_CONTAINED: usize = 4;
/// Parts that say how a thing is written down, not what it is; without them the name is the same.
const HOW: [&str; 20] = [
    "name",
    "text",
    "bezeichnung",
    "description",
    "desc",
    "libelle",
    "beschreibung",
    "code",
    "cod",
    "nr",
    "id",
    "descripcion",
    "descrizione",
    "omschrijving",
    "descricao",
    "current",
    "aktuell",
    "primary",
    "worker",
    "employee",
];

/// The tables, folded.
pub(super) struct Lexicon {
    names: BTreeMap<String, Vec<Meaning>>,
}

/// How many of these headers say what they are; to find the header among the rows of a file.
#[must_use]
pub fn known_headers(headers: &[String]) -> usize {
    let lexicon = Lexicon::new();
    let is_known =
        |header: &&String| lexicon.meanings(header).iter().any(|name| name.score >= LEAST);
    headers.iter().filter(is_known).count()
}

fn tables() -> impl Iterator<Item = &'static (Meaning, &'static [&'static str])> {
    [identity::NAMES, name::NAMES, work::NAMES, contact::NAMES, time::NAMES].into_iter().flatten()
}

impl Lexicon {
    pub(super) fn new() -> Self {
        let mut folded: BTreeMap<String, Vec<Meaning>> = BTreeMap::new();
        for (meaning, names) in tables() {
            for name in *names {
                let meanings = folded.entry(key_of(name)).or_default();
                if !meanings.contains(meaning) {
                    meanings.push(*meaning);
                }
            }
        }
        Self { names: folded }
    }

    /// Everything that a header can mean, each meaning once with its best score.
    pub(super) fn meanings(&self, header: &str) -> Vec<NameMatch> {
        let words = words(header);
        let mut found: Vec<NameMatch> = Vec::new();
        let mut note = |key: &str, score: u32| {
            for meaning in self.names.get(key).into_iter().flatten() {
                match found.iter_mut().find(|known| known.meaning == *meaning) {
                    Some(known) => known.score = known.score.max(score),
                    None => found.push(NameMatch { meaning: *meaning, score }),
                }
            }
        };
        note(&key(&words), EXACT);
        if let Some((_, last)) = header.rsplit_once(['/', '.']) {
            note(&key_of(last), LAST_PART);
        }
        let bare: Vec<String> =
            words.iter().filter(|word| !HOW.contains(&word.as_str())).cloned().collect();
        if bare.len() < words.len() {
            note(&key(&bare), CONTAINED.1);
        }
        let whole = key(&words).chars().count();
        for from in 0..words.len() {
            for to in from + 1..=words.len() {
                let part = key(words.get(from..to).unwrap_or_default());
                let length = part.chars().count();
                if length >= SHORTEST_CONTAINED && length < whole {
                    note(&part, contained(length, whole));
                }
            }
        }
        found
    }
}

/// The more of the header is the known name, the surer.
fn contained(part: usize, whole: usize) -> u32 {
    let (least, most) = CONTAINED;
    let share = u32::try_from(part * 100 / whole.max(1)).unwrap_or(100);
    least + (most - least) * share.min(100) / 100
}

#[cfg(test)]
mod tests {
    use super::*;

    fn best(header: &str) -> Option<(Meaning, u32)> {
        let found = Lexicon::new().meanings(header).into_iter();
        found.max_by_key(|found| found.score).map(|found| (found.meaning, found.score))
    }

    #[test]
    fn one_thing_is_known_by_its_names_in_seven_languages() {
        let ids = [
            "EmployeeID",
            "Personalnummer",
            "PERS.NR.",
            "Matricule",
            "Nº empleado",
            "Legajo",
            "Personeelsnummer",
            "Matrícula",
            "Matricola",
            "N° employé",
            "worker_number",
        ];
        for header in ids {
            assert_eq!(best(header), Some((Meaning::WorkerId, EXACT)), "{header}");
        }
        for header in ["Kostenstelle", "Centre de coût", "Centro de coste", "Centro di costo"] {
            assert_eq!(best(header), Some((Meaning::CostCenter, EXACT)), "{header}");
        }
    }

    #[test]
    fn a_path_counts_by_its_last_part_and_a_longer_name_by_its_share() {
        assert_eq!(best("worker.jobTitle"), Some((Meaning::JobTitle, LAST_PART)));
        assert_eq!(best("name.first"), Some((Meaning::GivenName, EXACT)));
        let (meaning, score) = best("Kostenstelle (Text)").unwrap();
        assert_eq!((meaning, score), (Meaning::CostCenter, 80));
        let (meaning, score) = best("Abteilung laut Organigramm 2026").unwrap();
        assert!(meaning == Meaning::Department && score < LEAST, "{score}");
        assert_eq!(best("Shoe size"), None);
    }
}
