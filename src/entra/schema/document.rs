//! The schema of a job as Graph sent it, and the object in it whose attributes the HR data fills.

use serde_json::value::RawValue;

use crate::entra::schema::json::{MAX_PLACE, Members, entries, range_in, repeated};
use crate::entra::shown::shown;
use crate::entra::{AttributeType, NewAttribute, SchemaAttribute, SchemaProblem};

/// Most bytes of a job's schema. Graph documents no limit; schemas of connectors with hundreds of
/// attributes and mappings have some hundred thousand bytes.
pub const MAX_SCHEMA_BYTES: usize = 8 * 1024 * 1024;

/// The object whose attributes are those of a person.
const USER: &str = "User";

/// The schema of a job: its text, and what of it concerns us.
#[derive(Clone)]
pub struct JobSchema {
    text: String,
    rules: Vec<UserRule>,
    directories: Vec<Directory>,
}

/// A rule that maps users.
#[derive(Debug, Clone)]
struct UserRule {
    name: String,
    priority: i64,
    directory: String,
    object: String,
    is_enabled: bool,
}

#[derive(Debug, Clone)]
struct Directory {
    name: String,
    is_read_only: bool,
    objects: Vec<Object>,
}

#[derive(Debug, Clone)]
struct Object {
    name: String,
    /// `None` where it has no list of attributes.
    attributes: Option<Attributes>,
}

#[derive(Debug, Clone)]
struct Attributes {
    all: Vec<SchemaAttribute>,
    /// Where in the text a new one goes: behind the last one, or behind the bracket.
    end: usize,
    is_empty: bool,
}

/// The object of the source directory whose attributes the HR data fills.
#[derive(Debug, Clone, Copy)]
pub struct SourceObject<'s> {
    /// The name of the rule that names the directory.
    pub rule: &'s str,
    /// The name of the directory.
    pub directory: &'s str,
    /// The name of the object.
    pub object: &'s str,
    /// Its attributes, in their order.
    pub attributes: &'s [SchemaAttribute],
    is_read_only: bool,
    end: usize,
    is_empty: bool,
}

impl JobSchema {
    /// Reads a schema; nothing of its text is lost.
    ///
    /// # Errors
    ///
    /// When the text is no JSON object, or a member stands twice in an object of it. What else may be
    /// wrong with it is told by whoever needs it.
    pub fn read(text: String) -> Result<Self, SchemaProblem> {
        let schema = Members::read(&text).ok_or(SchemaProblem::NoSchema)?;
        if let Some(place) = repeated(&text) {
            return Err(SchemaProblem::Repeated(place));
        }
        let rules = schema.list("synchronizationRules").into_iter().flat_map(user_rules).collect();
        let directories = schema.list("directories");
        let directories =
            directories.into_iter().filter_map(|directory| Directory::read(&text, directory));
        let directories = directories.collect();
        drop(schema);
        Ok(Self { text, rules, directories })
    }

    /// The very text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The schema's own id, which is that of its job.
    #[must_use]
    pub fn id(&self) -> Option<String> {
        Members::read(&self.text)?.text("id").map(|id| shown(&id, MAX_PLACE))
    }

    /// Whether it has what a whole schema has: directories with names, and rules that name theirs.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        let have = |schema: &Members<'_>, list, name| {
            let list = schema.list(list);
            let has = |entry: &&RawValue| {
                Members::read(entry.get()).is_some_and(|entry| entry.text(name).is_some())
            };
            !list.is_empty() && list.iter().all(has)
        };
        Members::read(&self.text).is_some_and(|schema| {
            have(&schema, "directories", "name")
                && have(&schema, "synchronizationRules", "sourceDirectoryName")
        })
    }

    /// The source object: of the rule for users with the lowest priority number, in the directory
    /// that this rule names as its source, wherever that stands. Rules that are switched off count
    /// only when all are.
    ///
    /// # Errors
    ///
    /// When there is none, or it is not clear which; then `directory` can say it.
    pub fn source(&self, directory: Option<&str>) -> Result<SourceObject<'_>, SchemaProblem> {
        let rule = self.user_rule(directory)?;
        let mut found = self.directories.iter().filter(|found| found.name == rule.directory);
        let missing = || SchemaProblem::NoDirectory {
            directory: rule.directory.clone(),
            rule: rule.name.clone(),
        };
        let directory = found.next().ok_or_else(missing)?;
        if found.next().is_some() {
            return Err(SchemaProblem::SameDirectory(rule.directory.clone()));
        }
        let mut objects = directory.objects.iter().filter(|object| object.name == rule.object);
        let (object, attributes) = objects
            .find_map(|object| Some((object, object.attributes.as_ref()?)))
            .ok_or_else(|| SchemaProblem::NoAttributes {
                directory: rule.directory.clone(),
                object: rule.object.clone(),
            })?;
        Ok(SourceObject {
            rule: &rule.name,
            directory: &directory.name,
            object: &object.name,
            attributes: &attributes.all,
            is_read_only: directory.is_read_only,
            end: attributes.end,
            is_empty: attributes.is_empty,
        })
    }

    fn user_rule(&self, directory: Option<&str>) -> Result<&UserRule, SchemaProblem> {
        let all = self.rules.iter();
        let enabled: Vec<_> = all.clone().filter(|rule| rule.is_enabled).collect();
        let usable = if enabled.is_empty() { all.collect() } else { enabled };
        let mut names: Vec<String> = Vec::new();
        for rule in &usable {
            if !names.contains(&rule.directory) {
                names.push(rule.directory.clone());
            }
        }
        let asked = |rule: &&UserRule| directory.is_none_or(|asked| rule.directory == asked);
        if directory.is_none() && names.len() > 1 {
            return Err(SchemaProblem::SeveralSources(names));
        }
        // of several with one number the first: `min_by_key` keeps it
        let found = usable.into_iter().filter(asked).min_by_key(|rule| rule.priority);
        found.ok_or_else(|| match directory {
            Some(asked) if !names.is_empty() => {
                SchemaProblem::OtherSource { asked: asked.to_owned(), known: names }
            }
            _ if self.has_rules() => SchemaProblem::NoUserRule,
            _ => SchemaProblem::NoRule,
        })
    }

    fn has_rules(&self) -> bool {
        Members::read(&self.text)
            .is_some_and(|schema| !schema.list("synchronizationRules").is_empty())
    }

    /// The text with attributes added to the source object, behind those it has; every other byte
    /// stays as it is.
    ///
    /// # Errors
    ///
    /// When there is no source object, or it may not be changed.
    pub fn with_attributes(
        &self,
        directory: Option<&str>,
        new: &[NewAttribute],
    ) -> Result<String, SchemaProblem> {
        let source = self.source(directory)?;
        if source.is_read_only {
            return Err(SchemaProblem::ReadOnly(source.directory.to_owned()));
        }
        let definitions: Vec<String> = new.iter().map(NewAttribute::definition).collect();
        let (Some(head), Some(tail)) = (self.text.get(..source.end), self.text.get(source.end..))
        else {
            return Err(SchemaProblem::NoSchema);
        };
        let comma = if source.is_empty || new.is_empty() { "" } else { "," };
        Ok([head, comma, &definitions.join(","), tail].concat())
    }
}

/// Its text may be long, and is nobody's to read.
impl std::fmt::Debug for JobSchema {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("JobSchema").field("bytes", &self.text.len()).finish_non_exhaustive()
    }
}

/// What a rule says of users, one for each of its mappings.
fn user_rules(rule: &RawValue) -> Vec<UserRule> {
    let Some(rule) = Members::read(rule.get()) else { return Vec::new() };
    let Some(directory) = rule.text("sourceDirectoryName") else { return Vec::new() };
    let name = rule.text("name").or_else(|| rule.text("id")).unwrap_or_default();
    let priority = rule.get("priority").and_then(|number| number.get().parse().ok());
    let mappings = rule.list("objectMappings");
    let mappings = mappings.into_iter().filter_map(|mapping| Members::read(mapping.get()));
    let users = mappings.filter_map(|mapping| {
        let object = mapping.text("sourceObjectName")?;
        object.eq_ignore_ascii_case(USER).then(|| UserRule {
            name: name.clone(),
            priority: priority.unwrap_or(i64::MAX),
            directory: directory.clone(),
            object,
            is_enabled: mapping.boolean("enabled").unwrap_or(true),
        })
    });
    users.collect()
}

impl Directory {
    fn read(whole: &str, directory: &RawValue) -> Option<Self> {
        let directory = Members::read(directory.get())?;
        let objects = directory.list("objects");
        let objects = objects.into_iter().filter_map(|object| Object::read(whole, object));
        Some(Self {
            name: directory.text("name")?,
            is_read_only: directory.boolean("readOnly").unwrap_or(false),
            objects: objects.collect(),
        })
    }
}

impl Object {
    fn read(whole: &str, object: &RawValue) -> Option<Self> {
        let object = Members::read(object.get())?;
        let attributes = object.get("attributes").and_then(|list| Attributes::read(whole, list));
        Some(Self { name: object.text("name")?, attributes })
    }
}

impl Attributes {
    fn read(whole: &str, list: &RawValue) -> Option<Self> {
        let found = entries(list.get())?;
        let end = match found.last() {
            Some(attribute) => range_in(whole, attribute)?.end,
            None => range_in(whole, list)?.start + 1,
        };
        let attribute = |attribute: &&RawValue| {
            let attribute = Members::read(attribute.get())?;
            let kind = attribute.text("type");
            let kind = kind.map_or(AttributeType::String, |word| AttributeType::parse(&word));
            Some(SchemaAttribute { name: attribute.text("name")?, kind })
        };
        let all = found.iter().filter_map(attribute).collect();
        Some(Self { all, end, is_empty: found.is_empty() })
    }
}
