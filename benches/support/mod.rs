//! What both benchmarks share: the generated file of workers, and a mapping that uses nearly all of
//! its columns (a user is about 1.1 KB of JSON).

use std::path::{Path, PathBuf};
use std::process::Command;

use jiff::tz::TimeZone;
use scimport::intake::Feed;
use scimport::mapping::{
    AttributeConfig, Case, Literal, Mapping, MappingConfig, RuleConfig, ValueSource,
};
use scimport::plan::SourceRules;
use scimport::source::{FormatConfig, Limits, RowsConfig};

/// Attribute paths with the column that goes there as it is.
const PLAIN: [(&str, &str); 24] = [
    ("externalId", "WorkerID"),
    ("displayName", "FullName"),
    ("nickName", "PreferredName"),
    ("title", "JobTitle"),
    ("userType", "WorkerType"),
    ("preferredLanguage", "PreferredLanguage"),
    ("name.givenName", "FirstName"),
    ("name.familyName", "LastName"),
    ("emails[type eq \"work\"].value", "WorkEmail"),
    ("emails[type eq \"home\"].value", "HomeEmail"),
    ("phoneNumbers[type eq \"work\"].value", "OfficePhone"),
    ("phoneNumbers[type eq \"mobile\"].value", "MobilePhone"),
    ("addresses[type eq \"work\"].streetAddress", "StreetAddress"),
    ("addresses[type eq \"work\"].locality", "City"),
    ("addresses[type eq \"work\"].region", "Region"),
    ("addresses[type eq \"work\"].postalCode", "ZipCode"),
    ("addresses[type eq \"work\"].country", "CountryCode"),
    ("enterprise:employeeNumber", "WorkerID"),
    ("enterprise:costCenter", "CostCenter"),
    ("enterprise:organization", "Company"),
    ("enterprise:division", "Division"),
    ("enterprise:department", "Department"),
    ("enterprise:manager", "ManagerID"),
    ("urn:ietf:params:scim:schemas:extension:contoso:1.0:User:Location", "Location"),
];

/// Paths of the two dates.
const DATES: [(&str, &str); 2] = [
    ("urn:ietf:params:scim:schemas:extension:contoso:1.0:User:HireDate", "HireDate"),
    ("urn:ietf:params:scim:schemas:extension:contoso:1.0:User:EndDate", "TerminationDate"),
];

/// The feed that is measured. With `dates` the two dates are read and written with time and
/// offset; without, they are copied like any text.
#[must_use]
pub fn feed(dates: bool) -> Feed {
    feed_with(dates, &[])
}

/// The same with more attributes, each from an expression.
#[must_use]
pub fn feed_with(dates: bool, expressions: &[(&str, &str)]) -> Feed {
    let mut attributes = Vec::new();
    let mut line = |path: &str, value: ValueSource, change: &dyn Fn(&mut RuleConfig)| {
        let mut rule = RuleConfig::new(value);
        change(&mut rule);
        attributes.push(AttributeConfig { path: path.to_owned(), rule });
    };
    for (path, column) in PLAIN {
        line(path, ValueSource::Column(column.to_owned()), &|_| {});
    }
    for (path, column) in DATES {
        line(path, ValueSource::Column(column.to_owned()), &|rule| {
            if dates {
                rule.date = vec!["%Y-%m-%d".to_owned()];
            }
        });
    }
    line("userName", ValueSource::Column("WorkEmail".to_owned()), &|rule| {
        rule.case = Some(Case::Lower);
    });
    line("name.formatted", ValueSource::Template("{FirstName} {LastName}".to_owned()), &|_| {});
    for (path, text) in expressions {
        line(path, ValueSource::Expression((*text).to_owned()), &|_| {});
    }
    let words = [("Active", true), ("Inactive", false)];
    line("active", ValueSource::Column("WorkerStatus".to_owned()), &|rule| {
        let words = words.map(|(word, value)| (word.to_owned(), Literal::Boolean(value)));
        rule.map = Some(words.to_vec());
    });
    let zone = TimeZone::get("Europe/Berlin").expect("jiff's bundled time zones");
    let mapping =
        Mapping::compile(&MappingConfig { attributes, ..MappingConfig::default() }, Some(&zone));
    Feed {
        name: "hr".into(),
        target: "entra".into(),
        job: "tenant/principal/job".to_owned(),
        format: FormatConfig::default(),
        rows: RowsConfig::default(),
        takes_over: Vec::new(),
        rules: SourceRules::default(),
        mapping: mapping.expect("a mapping without mistakes"),
        limits: Limits::default(),
        time_zone: zone,
        password: None,
    }
}

/// The generated file, made once and kept under `target/bench-data/`.
///
/// # Errors
///
/// In words, when it cannot be made.
pub fn workers(rows: u64) -> Result<PathBuf, String> {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap_or(Path::new("target"));
    let folder = target.join("bench-data");
    let file = folder.join(format!("workers-{rows}.csv"));
    if file.exists() {
        return Ok(file);
    }
    std::fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let unfinished = folder.join(format!("workers-{rows}.{}.part", std::process::id()));
    generate(rows, &[], &unfinished)?;
    std::fs::rename(&unfinished, &file).map_err(|error| format!("{}: {error}", file.display()))?;
    Ok(file)
}

/// Generates a file of workers, with these words for the generator.
///
/// # Errors
///
/// In words, when it cannot be made.
pub fn generate(rows: u64, words: &[&str], path: &Path) -> Result<(), String> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/gen_workers.py");
    let made = Command::new("python3")
        .arg(script)
        .arg(rows.to_string())
        .args(words)
        .args(["--seed", "1", "-o"])
        .arg(path)
        .status();
    match made {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("the generator of the test file ended with {status}")),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            Err("`python3` is missing; it makes the test file \
                 (benches/gen_workers.py, standard library only)"
                .to_owned())
        }
        Err(error) => Err(format!("`python3` cannot be started: {error}")),
    }
}
