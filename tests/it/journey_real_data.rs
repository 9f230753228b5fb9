//! A real export, as it is: a thousand rows of 624 people, many of them several times.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::support::{Stage, count, counts, quick, real_export};

const REAL: &str = r#"
[source.hr]
target = "entra"
time_zone = "America/Chicago"
guard = { max_leavers = false, max_joiners = false, max_changes = false, max_rejects = false, max_inactive = false }

[source.hr.mapping]
externalId = "WorkerID"
userName = { from = "UserID", case = "lower", required = true }
active = { from = "WorkerStatus", map = { Active = true, Inactive = false } }
displayName = "{FirstName} {LastName}"
title = "JobTitle"
userType = "WorkerType"
"name.givenName" = "FirstName"
"name.familyName" = { from = "LastName", required = true }
'phoneNumbers[type eq "work"].value' = "OfficePhone"
'addresses[type eq "work"].streetAddress' = "StreetAddress"
"enterprise:costCenter" = "CostCenter"
"enterprise:department" = "Department"
"enterprise:manager" = "ManagerID"
"urn:ietf:params:scim:schemas:extension:contoso:1.0:User:HireDate" = { from = "HireDate", date = ["%Y-%m-%d"] }
"#;

/// The cells of one row, with its line.
type Cells = (u64, BTreeMap<String, String>);

fn rows() -> Vec<Cells> {
    let mut reader = csv::Reader::from_path(real_export()).unwrap();
    let headers = reader.headers().unwrap().clone();
    let cells = |record: csv::StringRecord| {
        let line = record.position().unwrap().line();
        let cells = headers.iter().zip(&record).map(|(name, cell)| (name.into(), cell.into()));
        (line, cells.collect())
    };
    reader.records().map(|record| cells(record.unwrap())).collect()
}

/// The rows of each person.
fn people() -> BTreeMap<String, Vec<Cells>> {
    let mut people: BTreeMap<String, Vec<Cells>> = BTreeMap::new();
    for row in rows() {
        people.entry(row.1["WorkerID"].clone()).or_default().push(row);
    }
    people
}

async fn stage(rule: &str) -> Stage {
    let feeds = REAL.replacen("target = \"entra\"\n", &format!("target = \"entra\"\n{rule}\n"), 1);
    Stage::with_feeds(quick(), &feeds).await
}

async fn apply(stage: &Stage) -> Value {
    let file = real_export();
    let ran = stage.apply(file.to_str().unwrap(), &["--wait", "outcome"]).await;
    ran.assert_code(3).json()
}

#[tokio::test(flavor = "multi_thread")]
async fn people_with_several_rows_are_rejected_row_by_row_naming_the_others() {
    let stage = stage("").await;
    let run = apply(&stage).await;
    assert_eq!(run["rows"], 1000);
    assert_eq!(counts(&run), [("provisioned".into(), 359), ("rejected".into(), 641)].into());
    assert_eq!(run["bulk_requests"], 8);

    let people = people();
    let operations = stage.operations(run["run"].as_str().unwrap()).await;
    assert_eq!(operations.len(), 1000);
    for rejected in operations.iter().filter(|operation| operation["status"] == "rejected") {
        let id = rejected["externalId"].as_str().unwrap();
        let own = rejected["line"].as_u64().unwrap();
        let lines: BTreeSet<u64> = people[id].iter().map(|(line, _)| *line).collect();
        assert!(lines.contains(&own), "{rejected}");
        let reason = rejected["reason"].as_str().unwrap();
        let named: BTreeSet<u64> = numbers(reason).filter(|line| lines.contains(line)).collect();
        let others = lines.into_iter().filter(|line| *line != own);
        for other in others {
            assert!(named.contains(&other), "line {other} is not named in {rejected}");
        }
    }
    let directory = stage.directory().await;
    let once = people.iter().filter(|(_, rows)| rows.len() == 1).map(|(id, _)| id);
    assert!(directory.keys().eq(once));
    stage.assert_limits_are_kept().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_row_of_each_person_counts_where_the_config_says_so() {
    let stage = stage(r#"rows = { per = "WorkerID", pick = "last" }"#).await;
    let file = real_export();
    let ran = stage.apply(file.to_str().unwrap(), &["--wait", "outcome"]).await;
    let run = ran.assert_code(0).json();
    assert_eq!(counts(&run), [("provisioned".into(), 624), ("superseded".into(), 376)].into());
    assert_eq!(run["bulk_requests"], 13);
    let stats = stage.assert_limits_are_kept().await;
    assert_eq!((stats["calls"].as_u64(), stats["accepted"].as_u64()), (Some(13), Some(13)));
    assert_eq!(stage.calls_noted().await, 13);

    let people = people();
    let operations = stage.operations(run["run"].as_str().unwrap()).await;
    let sent = operations.iter().filter(|operation| operation["status"] == "provisioned");
    let codes: BTreeMap<&str, &str> = sent
        .map(|sent| (sent["externalId"].as_str().unwrap(), sent["code"].as_str().unwrap_or("")))
        .collect();
    let directory = stage.directory().await;
    assert!(directory.keys().eq(people.keys()), "exactly these people");
    for (id, rows) in &people {
        let (_, last) = rows.last().unwrap();
        let user = &directory[id];
        let upn = user["userPrincipalName"].as_str().unwrap();
        assert!(upn.starts_with(&last["UserID"].to_lowercase()), "{upn}");
        assert!(upn.ends_with("@contoso.example"), "{upn}");
        assert_eq!(user["jobTitle"], last["JobTitle"].as_str(), "{id}");
        assert_eq!(user["displayName"], format!("{} {}", last["FirstName"], last["LastName"]));
        assert_eq!(user["accountEnabled"], last["WorkerStatus"] == "Active", "{id}");
        let manager = last["ManagerID"].as_str();
        if people.contains_key(manager) {
            assert_eq!(user["manager"], manager, "the manager of {id}");
            assert_ne!(codes[id.as_str()], "ManagerUnresolved", "{id}");
        } else {
            assert_eq!(user["manager"], Value::Null, "{id}");
            assert_eq!(codes[id.as_str()], "ManagerUnresolved", "{id}");
        }
    }
    assert_eq!(count(&run, "rejected"), 0);
}

/// All whole numbers in a text.
fn numbers(text: &str) -> impl Iterator<Item = u64> {
    text.split(|c: char| !c.is_ascii_digit()).filter_map(|digits| digits.parse().ok())
}
