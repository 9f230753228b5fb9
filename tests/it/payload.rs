//! Microsoft's own payloads, made again by a mapping and a few rows.
//!
//! Compared as JSON, so the order of keys does not matter. What differs on purpose is listed at
//! [`as_we_write`].

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a helper that fails, fails its test"
)]

use std::fs;
use std::path::Path;

use jiff::tz::TimeZone;
use scimport::mapping::{Literal, Mapping, MappingConfig, RuleConfig, Scratch};
use scimport::scim::{BulkWriter, Validator};
use serde_json::Value;

use crate::mapping_support::{OwnedRow, column, config, constant, template, words};

/// Operations a bulk request takes (Microsoft Graph, "synchronizationJob: bulkUpload").
const MAX_OPERATIONS: usize = 50;

fn fixture(name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name);
    fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn json(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).expect("JSON")
}

/// One bulk request of all rows; the first row is the header.
fn written(config: &MappingConfig, table: &[Vec<String>]) -> Vec<u8> {
    // The examples write -05:00 in winter and in summer.
    let zone = TimeZone::get("America/Bogota").expect("a built-in time zone");
    let mapping = Mapping::compile(config, Some(&zone)).expect("compiles");
    let (header, rows) = table.split_first().expect("a header");
    let bound = mapping.bind(header).expect("all columns");
    let (mut scratch, mut writer) = (Scratch::new(), BulkWriter::new(MAX_OPERATIONS));
    for cells in rows {
        let mut resource = Vec::new();
        let row = OwnedRow::new(cells);
        let mapped = bound.apply(&row.row(), &mut scratch, &mut resource).expect("a resource");
        writer.push(mapped.external_id, &resource).expect("room");
    }
    let body = writer.take();
    assert_eq!(Validator::new().check_bulk(&body), Vec::<String>::new());
    body
}

/// The fixture as we would write it:
///
/// * `bulkId` is the `externalId`, where `CSV2SCIM` makes up a GUID;
/// * an empty value is left out, where `CSV2SCIM` writes `""`.
fn as_we_write(name: &str) -> Value {
    let mut request = json(&fixture(name));
    for operation in request["Operations"].as_array_mut().expect("operations") {
        operation["bulkId"] = operation["data"]["externalId"].clone();
        remove_empty(&mut operation["data"]);
    }
    request
}

fn remove_empty(value: &mut Value) {
    if let Value::Object(members) = value {
        members.retain(|_, member| *member != "");
        members.values_mut().for_each(remove_empty);
    }
}

fn table(lines: &[&[&str]]) -> Vec<Vec<String>> {
    lines.iter().map(|line| line.iter().map(|&cell| cell.to_owned()).collect()).collect()
}

/// The sample has no quoted field, so a line is split at its commas.
fn two_records() -> Vec<Vec<String>> {
    let text = String::from_utf8(fixture("csv/csv-with-2-records.csv")).expect("UTF-8");
    assert!(!text.contains('"'));
    text.trim_start_matches('\u{feff}')
        .lines()
        .map(|line| line.split(',').map(ToOwned::to_owned).collect())
        .collect()
}

fn core_and_enterprise() -> Vec<(&'static str, RuleConfig)> {
    vec![
        ("externalId", column("Id")),
        ("userName", column("User")),
        ("name.formatted", template("{Prefix} {Given} J {Family}, {Suffix}")),
        ("name.familyName", column("Family")),
        ("name.givenName", column("Given")),
        ("name.middleName", column("Middle")),
        ("name.honorificPrefix", column("Prefix")),
        ("name.honorificSuffix", column("Suffix")),
        ("displayName", template("{Nick} {Family}")),
        ("nickName", column("Nick")),
        ("emails[type eq \"work\"].value", column("Mail")),
        ("emails[type eq \"work\"].primary", constant(Literal::Boolean(true))),
        ("addresses[type eq \"work\"].streetAddress", column("Street")),
        ("addresses[type eq \"work\"].locality", column("City")),
        ("addresses[type eq \"work\"].region", column("State")),
        ("addresses[type eq \"work\"].postalCode", column("Zip")),
        ("addresses[type eq \"work\"].country", column("Country")),
        (
            "addresses[type eq \"work\"].formatted",
            template("{Office}\n{City}, {State} {Zip} {Country}"),
        ),
        ("addresses[type eq \"work\"].primary", constant(Literal::Boolean(true))),
        ("phoneNumbers[type eq \"work\"]", column("Phone")),
        ("userType", column("Type")),
        ("title", column("Title")),
        ("preferredLanguage", column("Language")),
        ("locale", column("Language")),
        ("timezone", column("Zone")),
        ("active", constant(Literal::Boolean(true))),
        ("enterprise:employeeNumber", column("Number")),
        ("enterprise:costCenter", column("Cost")),
        ("enterprise:organization", column("Company")),
        ("enterprise:division", column("Division")),
        ("enterprise:department", column("Department")),
        ("enterprise:manager", column("Manager")),
        ("enterprise:manager.displayName", column("ManagerName")),
    ]
}

fn graph_people() -> Vec<Vec<String>> {
    table(&[
        &[
            "Id",
            "User",
            "Given",
            "Family",
            "Middle",
            "Prefix",
            "Suffix",
            "Nick",
            "Mail",
            "Street",
            "Office",
            "City",
            "State",
            "Zip",
            "Country",
            "Phone",
            "Type",
            "Title",
            "Language",
            "Zone",
            "Number",
            "Cost",
            "Company",
            "Division",
            "Department",
            "Manager",
            "ManagerName",
            "Hired",
            "Job",
        ],
        &[
            "701984",
            "bjensen@example.com",
            "Barbara",
            "Jensen",
            "Jane",
            "Ms.",
            "III",
            "Babs",
            "bjensen@example.com",
            "234300 Universal City Plaza",
            "100 Universal City Plaza",
            "Hollywood",
            "CA",
            "91608",
            "USA",
            "555-555-5555",
            "Employee",
            "Tour Guide",
            "en-US",
            "America/Los_Angeles",
            "701984",
            "4130",
            "Universal Studios",
            "Theme Park",
            "Tour Operations",
            "89607",
            "John Smith",
            "2021-05-01",
            "AB-1002",
        ],
        &[
            "701985",
            "Kjensen@example.com",
            "Kathy",
            "Jensen",
            "Jane",
            "Ms.",
            "III",
            "Kathy",
            "kjensen@example.com",
            "100 Oracle City Plaza",
            "100 Oracle City Plaza",
            "Hollywood",
            "CA",
            "91618",
            "USA",
            "555-555-5545",
            "Employee",
            "Tour Lead",
            "en-US",
            "America/Los_Angeles",
            "701984",
            "4130",
            "Universal Studios",
            "Theme Park",
            "Tour Operations",
            "701984",
            "Barbara Jensen",
            "2022-07-15",
            "AB-1003",
        ],
    ])
}

#[test]
fn the_core_and_enterprise_example_of_graph_is_made_again() {
    let body = written(&config(&core_and_enterprise()), &graph_people());
    assert_eq!(json(&body), json(&fixture("payload/graph-doc-example-1-core-enterprise.json")));
}

#[test]
fn the_custom_namespace_example_of_graph_is_made_again() {
    let mut lines = core_and_enterprise();
    let hired = RuleConfig { date: vec!["%Y-%m-%d".to_owned()], ..column("Hired") };
    lines.push(("urn:contoso:employee:HireDate", hired));
    lines.push(("urn:contoso:employee:JobCode", column("Job")));
    let body = written(&config(&lines), &graph_people());
    assert_eq!(json(&body), json(&fixture("payload/graph-doc-example-2-custom-namespace.json")));
}

#[test]
fn the_disable_example_of_graph_is_made_again() {
    let lines = config(&[
        ("externalId", column("Id")),
        ("active", column("Active")),
        ("enterprise:department", column("Department")),
    ]);
    let people = table(&[&["Id", "Active", "Department"], &["7172023", "False", "Tour Ops"]]);
    let body = written(&lines, &people);
    assert_eq!(json(&body), json(&fixture("payload/graph-doc-example-3-update-disable.json")));
}

fn csv2scim() -> Vec<(&'static str, RuleConfig)> {
    let status = RuleConfig {
        map: words(&[("Active", Literal::Boolean(true)), ("Inactive", Literal::Boolean(false))]),
        ..column("WorkerStatus")
    };
    vec![
        ("externalId", column("WorkerID")),
        ("name.familyName", column("LastName")),
        ("name.givenName", column("FirstName")),
        ("active", status),
        ("userName", column("UserID")),
        ("displayName", column("FullName")),
        ("nickName", column("UserID")),
        ("userType", column("WorkerType")),
        ("title", column("JobTitle")),
        ("addresses[type eq \"work\"].streetAddress", column("StreetAddress")),
        ("addresses[type eq \"work\"].locality", column("City")),
        ("addresses[type eq \"work\"].postalCode", column("ZipCode")),
        ("addresses[type eq \"work\"].country", column("CountryCode")),
        ("phoneNumbers[type eq \"work\"]", column("OfficePhone")),
        ("enterprise:employeeNumber", column("WorkerID")),
        ("enterprise:costCenter", column("CostCenter")),
        ("enterprise:organization", column("Company")),
        ("enterprise:division", column("Division")),
        ("enterprise:department", column("Department")),
        ("enterprise:manager", column("ManagerID")),
    ]
}

#[test]
fn what_csv2scim_makes_of_two_records_is_made_again() {
    let body = written(&config(&csv2scim()), &two_records());
    assert_eq!(json(&body), as_we_write("payload/csv2scim-derived-2-records.json"));
}

#[test]
fn a_custom_namespace_of_all_columns_is_made_again() {
    let people = two_records();
    let paths: Vec<String> = people[0]
        .iter()
        .map(|name| format!("urn:ietf:params:scim:schemas:extension:contoso:1.0:User:{name}"))
        .collect();
    let mut lines = csv2scim();
    let mut all: Vec<(&str, RuleConfig)> = std::mem::take(&mut lines);
    all.extend(paths.iter().zip(&people[0]).map(|(path, name)| (path.as_str(), column(name))));
    let body = written(&config(&all), &people);
    let expected = as_we_write("payload/csv2scim-derived-2-records-custom-namespace.json");
    assert_eq!(json(&body), expected);
}

#[test]
fn every_payload_of_microsoft_is_valid_by_our_schemas() {
    let validator = Validator::new();
    for name in [
        "graph-doc-example-1-core-enterprise",
        "graph-doc-example-2-custom-namespace",
        "graph-doc-example-3-update-disable",
        "csv2scim-derived-2-records",
        "csv2scim-derived-2-records-custom-namespace",
    ] {
        let faults = validator.check_bulk(&fixture(&format!("payload/{name}.json")));
        assert_eq!(faults, Vec::<String>::new(), "{name}");
    }
}

#[test]
fn the_large_sample_has_oddities_that_we_do_not_send() {
    let faults =
        Validator::new().check_bulk(&fixture("payload/ms-sample-extended-core-enterprise.json"));
    let places: Vec<_> =
        faults.iter().map(|fault| fault.split(": ").next().unwrap_or(fault)).collect();
    let expected = [
        // `id`, which the service provider assigns.
        "/Operations/0/data",
        // The path in lower case.
        "/Operations/0/path",
        // `resourceType` and `username`; no enterprise URN.
        "/Operations/1/data",
        "/Operations/1/data/schemas",
        "/Operations/1/path",
        "/Operations/2/data",
        "/Operations/2/data/schemas",
        "/Operations/2/path",
        // The second `bulkId` again.
        "/Operations/2/bulkId",
    ];
    let (mut places, mut expected) = (places, expected.to_vec());
    places.sort_unstable();
    expected.sort_unstable();
    assert_eq!(places, expected, "{faults:#?}");
}
