//! The custom attributes that mappings write, and as what. Pure.

use crate::bridge::Setup;
use crate::domain::{SourceName, TargetName};
use crate::entra::{
    AttributeType, JobSchema, SchemaDifference, SchemaProblem, WantedAttribute, Written,
};
use crate::mapping::{MappingConfig, RuleConfig, ValueType};
use crate::scim::AttributePath;

/// The custom attributes of mappings, each once, in the order in which they are named first.
pub fn custom_attributes<'a>(
    mappings: impl IntoIterator<Item = (&'a SourceName, &'a MappingConfig)>,
) -> Vec<WantedAttribute> {
    let mut wanted: Vec<WantedAttribute> = Vec::new();
    for (source, mapping) in mappings {
        for line in &mapping.attributes {
            // a path that is none was told when the config was checked
            let path = AttributePath::parse(&line.path).ok();
            let Some(path) = path.filter(|path| path.custom_urn().is_some()) else { continue };
            let (name, kind) = (path.to_string(), kind(&line.rule));
            let written = Written { source: source.clone(), kind };
            match wanted.iter_mut().find(|known| known.name == name) {
                Some(known) => known.written.push(written),
                None => wanted.push(WantedAttribute { name, written: vec![written] }),
            }
        }
    }
    wanted
}

/// As what a rule writes its values.
fn kind(rule: &RuleConfig) -> AttributeType {
    match rule.kind {
        Some(ValueType::Integer) => AttributeType::Integer,
        Some(ValueType::Boolean) => AttributeType::Boolean,
        None if rule.reads_dates() => AttributeType::DateTime,
        None => AttributeType::String,
    }
}

impl Setup {
    /// The custom attributes that the sources of a target write.
    #[must_use]
    pub fn custom_attributes(&self, target: &TargetName) -> Vec<WantedAttribute> {
        let sources = self.config().sources.iter().filter(|source| source.target == *target);
        custom_attributes(sources.map(|source| (&source.name, &source.mapping)))
    }

    /// What the sources of a target write, held against the schema of its job.
    ///
    /// # Errors
    ///
    /// When the schema has no source directory, or it is not clear which.
    pub fn schema_difference(
        &self,
        target: &TargetName,
        schema: &JobSchema,
    ) -> Result<SchemaDifference, SchemaProblem> {
        Ok(schema.source(None)?.difference(&self.custom_attributes(target)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mapping::{AttributeConfig, ValueSource};

    fn mapping(lines: &[(&str, Option<ValueType>, bool)]) -> MappingConfig {
        let line = |(path, kind, is_date): &(&str, Option<ValueType>, bool)| {
            let mut rule = RuleConfig::new(ValueSource::Column("C".to_owned()));
            rule.kind = *kind;
            if *is_date {
                rule.date = vec!["%Y-%m-%d".to_owned()];
            }
            AttributeConfig { path: (*path).to_owned(), rule }
        };
        MappingConfig { attributes: lines.iter().map(line).collect(), ..MappingConfig::default() }
    }

    #[test]
    fn types_come_from_the_rules_and_only_extensions_of_ones_own_count() {
        let hr = mapping(&[
            ("externalId", None, false),
            ("enterprise:department", None, false),
            ("urn:contoso:User:Hire", None, true),
            ("urn:contoso:User:Level", Some(ValueType::Integer), false),
            ("urn:contoso:User:Remote", Some(ValueType::Boolean), false),
        ]);
        let payroll = mapping(&[
            ("urn:contoso:User:Level", None, false),
            ("urn:contoso:User:Grade", None, false),
        ]);
        let (hr_name, payroll_name) = (SourceName::new("hr"), SourceName::new("payroll"));
        let wanted = custom_attributes([(&hr_name, &hr), (&payroll_name, &payroll)]);
        let found: Vec<_> =
            wanted.iter().map(|wanted| (wanted.name.as_str(), wanted.kind().cloned())).collect();
        assert_eq!(
            found,
            [
                ("urn:contoso:User:Hire", Some(AttributeType::DateTime)),
                ("urn:contoso:User:Level", None),
                ("urn:contoso:User:Remote", Some(AttributeType::Boolean)),
                ("urn:contoso:User:Grade", Some(AttributeType::String)),
            ],
            "two sources do not agree on `Level`"
        );
    }
}
