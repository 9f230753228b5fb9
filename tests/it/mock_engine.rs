//! The stand-in's engine: mapping, matching, names, managers, scope, leavers, escrows, the job.

#![expect(clippy::unwrap_used, reason = "helpers of tests may panic as tests may")]

use std::time::Duration;

use reqwest::Method;
use scimport::mock_entra::{MockConfig, MockEntra, UnchangedEvent};
use serde_json::{Value, json};

use crate::mock_client::{CORE, ENTERPRISE, Mock, bulk, by_hand, json_of, report, user};

fn outcome(action: &str, status: &str, code: &str) -> (String, String, String) {
    (action.to_owned(), status.to_owned(), code.to_owned())
}

#[tokio::test]
async fn data_is_processed_a_while_after_it_arrives() {
    let mock = Mock::with(MockConfig::default()).await;
    mock.stage(&[user("1")]).await;
    mock.until(|stats| stats["users"] == 1 && stats["cycles"] == 1).await;
    assert_eq!(mock.user("1").await["userPrincipalName"], "u1@contoso.example");
}

#[tokio::test]
async fn a_record_becomes_an_account_with_its_mapped_attributes() {
    let mock = Mock::new().await;
    let mut worker = user("0017");
    worker["name"] = json!({ "givenName": "Ada", "familyName": "Lovelace" });
    worker["title"] = json!("Engineer");
    worker["emails"] = json!([{ "type": "work", "value": "ada@contoso.example" }]);
    worker["phoneNumbers"] = json!([
        { "type": "mobile", "value": "1" },
        { "type": "work", "value": "2" },
    ]);
    worker["addresses"] = json!([{ "type": "home", "locality": "Rome" }]);
    worker["schemas"] = json!([CORE, ENTERPRISE, "urn:contoso:employee"]);
    worker[ENTERPRISE] = json!({ "department": "R&D", "organization": "Contoso" });
    worker["urn:contoso:employee"] = json!({ "HireDate": "2021-05-01", "Note": "" });
    mock.provision(&[worker]).await;
    let mut account = mock.user("0017").await;
    assert_eq!(account.as_object_mut().unwrap().remove("id").unwrap().as_str().unwrap().len(), 36);
    assert_eq!(
        account,
        json!({
            "externalId": "0017",
            "employeeId": "0017",
            "userPrincipalName": "u0017@contoso.example",
            "mailNickname": "u0017",
            "displayName": "User 0017",
            "accountEnabled": true,
            "manager": null,
            "givenName": "Ada",
            "surname": "Lovelace",
            "jobTitle": "Engineer",
            "telephoneNumber": "2",
            "department": "R&D",
            "companyName": "Contoso",
            "urn:contoso:employee:HireDate": "2021-05-01",
        })
    );
}

#[tokio::test]
async fn only_differences_are_written_and_empty_values_are_ignored() {
    let mock = Mock::new().await;
    let mut worker = user("1");
    worker["title"] = json!("Engineer");
    mock.provision(&[worker.clone()]).await;
    worker["title"] = json!("");
    worker["displayName"] = json!("Ada");
    mock.provision(&[worker.clone()]).await;
    let event = mock.events("1").await.pop().unwrap();
    assert_eq!(
        event["modifiedProperties"],
        json!([{ "displayName": "displayName", "oldValue": "User 1", "newValue": "Ada" }])
    );
    let names: Vec<_> = event["provisioningSteps"]
        .as_array()
        .unwrap()
        .iter()
        .map(|step| step["name"].as_str().unwrap())
        .collect();
    assert_eq!(
        names,
        ["EntryImportAdd", "EntryImport", "EntrySynchronizationScoping", "EntryExportUpdate"]
    );
    assert_eq!(mock.user("1").await["jobTitle"], "Engineer", "not cleared");

    mock.provision(&[worker]).await;
    let skipped = outcome("other", "skipped", "EntrySynchronizationSkipped");
    assert_eq!(mock.outcome("1").await, skipped);
}

#[tokio::test]
async fn an_unchanged_record_is_logged_as_told() {
    for (event, expected) in [
        (UnchangedEvent::None, outcome("create", "success", "")),
        (UnchangedEvent::Other, outcome("other", "success", "")),
        (UnchangedEvent::Skipped, outcome("other", "skipped", "EntrySynchronizationSkipped")),
    ] {
        let mock = Mock::with(MockConfig { unchanged_event: event, ..by_hand() }).await;
        mock.provision(&[user("1")]).await;
        mock.provision(&[user("1")]).await;
        assert_eq!(mock.outcome("1").await, expected, "{event:?}");
    }
}

#[tokio::test]
async fn a_leaver_and_a_rehire_are_updates_of_the_account() {
    let mock = Mock::new().await;
    mock.provision(&[user("1")]).await;
    for (active, old, new) in [(false, "True", "False"), (true, "False", "True")] {
        let mut worker = user("1");
        worker["active"] = json!(active);
        mock.provision(&[worker]).await;
        let event = mock.events("1").await.pop().unwrap();
        assert_eq!(event["provisioningAction"], "update");
        assert_eq!(
            event["modifiedProperties"],
            json!([{ "displayName": "accountEnabled", "oldValue": old, "newValue": new }])
        );
        assert_eq!(mock.user("1").await["accountEnabled"], active);
    }
}

#[tokio::test]
async fn a_name_without_a_domain_is_completed_once_and_then_kept() {
    let mock = Mock::new().await;
    let mut worker = user("1");
    worker["userName"] = json!("ada");
    mock.provision(&[worker.clone()]).await;
    let made = mock.user("1").await["userPrincipalName"].as_str().unwrap().to_owned();
    let digits = made.strip_prefix("ada").unwrap().strip_suffix("@contoso.example").unwrap();
    assert_eq!(digits.len(), 3, "{made}");
    worker["userName"] = json!("lovelace");
    mock.provision(&[worker]).await;
    assert_eq!(mock.user("1").await["userPrincipalName"], made, "only during creation");

    mock.provision(&[user("1")]).await;
    assert_eq!(mock.user("1").await["userPrincipalName"], "u1@contoso.example");
}

#[tokio::test]
async fn a_record_that_cannot_be_provisioned_fails_with_its_code() {
    let mock = Mock::new().await;
    mock.tell("seed", &json!([{ "userPrincipalName": "taken@contoso.example" }])).await;
    let with = |id: &str, name: &str, value: Value| {
        let mut worker = user(id);
        worker[name] = value;
        worker
    };
    let mut department = user("dep");
    department[ENTERPRISE] = json!({ "department": "x".repeat(65) });
    let cases = [
        (with("taken", "userName", json!("Taken@contoso.example")), "EntryConflict"),
        (with("none", "userName", json!(null)), "MandatoryFieldsMissing"),
        (with("domain", "userName", json!("a@elsewhere.example")), "InvalidDomain"),
        (
            with("form", "userName", json!("a b@contoso.example")),
            "AzureActiveDirectoryInvalidUserPrincipalName",
        ),
        (with("12345678901234567", "title", json!("x")), "InvalidPropertyValue"),
        (with("title", "title", json!("x".repeat(129))), "InvalidPropertyValue"),
        (with("name", "name", json!({ "givenName": "ä".repeat(65) })), "InvalidPropertyValue"),
        (department, "InvalidPropertyValue"),
    ];
    let all: Vec<_> = cases.iter().map(|(worker, _)| worker.clone()).collect();
    mock.provision(&all).await;
    for (worker, code) in &cases {
        let id = worker["externalId"].as_str().unwrap();
        assert_eq!(mock.outcome(id).await, outcome("create", "failure", code), "{id}");
        assert!(mock.user(id).await.is_null(), "{id}");
        let event = mock.events(id).await.pop().unwrap();
        assert_eq!(event["targetIdentity"]["id"], "");
        let error = &event["provisioningStatusInfo"]["errorInformation"];
        assert_eq!(error["errorCategory"], "nonServiceFailure");
        assert!(error["reason"].as_str().unwrap().len() > 10);
        assert!(error["recommendedAction"].is_null());
        let last = event["provisioningSteps"].as_array().unwrap().last().unwrap().clone();
        assert_eq!((&last["name"], &last["status"]), (&json!("EntryExportAdd"), &json!("failure")));
    }
    let limit = with("1234567890123456", "title", json!("x".repeat(128)));
    mock.provision(&[limit]).await;
    assert_eq!(mock.outcome("1234567890123456").await, outcome("create", "success", ""));
}

#[tokio::test]
async fn two_new_people_of_one_name_clash_and_so_does_a_rename() {
    let mock = Mock::new().await;
    let mut second = user("2");
    second["userName"] = json!("u1@contoso.example");
    mock.provision(&[user("1"), second]).await;
    assert_eq!(mock.outcome("1").await, outcome("create", "success", ""));
    assert_eq!(mock.outcome("2").await, outcome("create", "failure", "EntryConflict"));

    let mut renamed = user("1");
    renamed["userName"] = json!("u3@contoso.example");
    mock.provision(&[user("3"), renamed]).await;
    assert_eq!(mock.outcome("1").await, outcome("update", "failure", "EntryConflict"));
    assert_eq!(mock.user("1").await["userPrincipalName"], "u1@contoso.example");
}

#[tokio::test]
async fn an_existing_account_is_matched_by_its_employee_id() {
    let mock = Mock::new().await;
    mock.tell(
        "seed",
        &json!([
            { "employeeId": "1", "userPrincipalName": "old@contoso.example", "accountEnabled": false },
            { "employeeId": "2" },
            { "employeeId": "2" },
        ]),
    )
    .await;
    mock.provision(&[user("1"), user("2")]).await;
    assert_eq!(mock.outcome("1").await, outcome("update", "success", ""));
    let account = mock.user("1").await;
    assert_eq!(account["userPrincipalName"], "u1@contoso.example");
    assert_eq!(account["accountEnabled"], true);
    assert_eq!(mock.outcome("2").await, outcome("other", "failure", "DuplicateTargetEntries"));
    assert_eq!(mock.ask("stats").await["users"], 3);
}

#[tokio::test]
async fn a_blank_matching_value_is_skipped_on_import() {
    let mock = Mock::new().await;
    mock.provision(&[user("  ")]).await;
    assert_eq!(mock.outcome("  ").await, outcome("other", "skipped", "ImportSkipped"));
}

#[tokio::test]
async fn a_manager_processed_before_is_tied_at_once() {
    let mock = Mock::new().await;
    mock.provision(&[user("1"), report("2", "1")]).await;
    assert_eq!(mock.user("2").await["manager"], "1");
    assert_eq!(mock.events("2").await.len(), 1);
}

#[tokio::test]
async fn a_manager_of_a_later_cycle_is_tied_then_as_a_new_change() {
    let mock = Mock::new().await;
    mock.provision(&[report("2", "1")]).await;
    assert_eq!(mock.outcome("2").await, outcome("create", "success", ""));
    assert!(mock.user("2").await["manager"].is_null());
    mock.cycle().await;
    assert_eq!(mock.events("2").await.len(), 1, "trying again in vain says nothing");
    mock.provision(&[user("1")]).await;
    assert_eq!(mock.user("2").await["manager"], "1");
    let events = mock.events("2").await;
    assert_eq!(events.len(), 2);
    assert_eq!(events[1]["provisioningAction"], "update");
    assert_ne!(events[1]["changeId"], events[0]["changeId"]);
    assert_ne!(events[1]["cycleId"], events[0]["cycleId"]);
    assert_eq!(events[1]["cycleId"], mock.events("1").await[0]["cycleId"]);
}

#[tokio::test]
async fn a_ring_of_managers_is_tied_but_nobody_manages_themselves() {
    let mock = Mock::new().await;
    mock.provision(&[report("1", "2"), report("2", "1"), report("3", "3")]).await;
    assert_eq!(mock.user("1").await["manager"], "2");
    assert_eq!(mock.user("2").await["manager"], "1");
    assert!(mock.user("3").await["manager"].is_null());
    assert_eq!(mock.outcome("3").await, outcome("create", "success", ""));
    assert_eq!(mock.ask("stats").await["open_managers"], 1);
}

#[tokio::test]
async fn only_people_the_job_knows_can_be_managers() {
    let mock = Mock::new().await;
    mock.tell("seed", &json!([{ "employeeId": "8" }, { "employeeId": "9", "anchored": true }]))
        .await;
    mock.provision(&[report("1", "8"), report("2", "9")]).await;
    assert!(mock.user("1").await["manager"].is_null());
    assert_eq!(mock.user("2").await["manager"], "9");
}

#[tokio::test]
async fn a_scoping_filter_skips_and_disables_those_who_fall_out() {
    let scope = Some("userType NOT EQUALS Contractor".parse().unwrap());
    let mock = Mock::with(MockConfig { scope, ..by_hand() }).await;
    let of = |id: &str, kind: &str| {
        let mut worker = user(id);
        worker["userType"] = json!(kind);
        worker
    };
    let nameless = user("3");
    mock.provision(&[of("1", "Employee"), of("2", "Contractor"), nameless]).await;
    assert_eq!(mock.outcome("1").await, outcome("create", "success", ""));
    let skipped = outcome("other", "skipped", "EntrySynchronizationSkipped");
    assert_eq!(mock.outcome("2").await, skipped);
    assert_eq!(mock.outcome("3").await, skipped, "an empty attribute fails the clause");
    let event = mock.events("2").await.pop().unwrap();
    let last = event["provisioningSteps"].as_array().unwrap().last().unwrap().clone();
    assert_eq!(
        (&last["provisioningStepType"], &last["status"]),
        (&json!("scoping"), &json!("skipped"))
    );

    mock.provision(&[of("1", "Contractor")]).await;
    assert_eq!(mock.outcome("1").await, outcome("disable", "success", ""));
    assert_eq!(mock.user("1").await["accountEnabled"], false);
    mock.provision(&[of("1", "Contractor")]).await;
    assert_eq!(mock.outcome("1").await, skipped);

    mock.provision(&[of("1", "Employee")]).await;
    mock.tell("settings", &json!({ "skip_out_of_scope_deletions": true })).await;
    mock.provision(&[of("1", "Contractor")]).await;
    assert_eq!(mock.user("1").await["accountEnabled"], true);
    mock.tell("settings", &json!({ "scope": null })).await;
    mock.provision(&[of("2", "Contractor")]).await;
    assert_eq!(mock.outcome("2").await, outcome("create", "success", ""));
}

#[tokio::test]
async fn a_failed_record_waits_in_escrow_until_told_or_corrected() {
    let mock = Mock::new().await;
    let mut worker = user("1");
    worker["userName"] = json!("a@fabrikam.example");
    mock.provision(&[worker]).await;
    mock.cycle().await;
    assert_eq!(mock.events("1").await.len(), 1, "not tried again by itself");
    mock.tell("settings", &json!({ "domains": ["contoso.example", "fabrikam.example"] })).await;
    mock.tell("cycle", &json!({ "escrows": true })).await;
    assert_eq!(mock.outcome("1").await, outcome("create", "success", ""));

    let mut wrong = user("2");
    wrong["userName"] = json!(null);
    mock.provision(&[wrong]).await;
    assert_eq!(mock.ask("stats").await["escrows"], 1);
    mock.provision(&[user("2")]).await;
    assert_eq!(mock.ask("stats").await["escrows"], 0);
    mock.tell("cycle", &json!({ "escrows": true })).await;
    assert_eq!(mock.events("2").await.len(), 2);
}

#[tokio::test]
async fn two_versions_in_one_cycle_are_processed_in_order() {
    let mock = Mock::new().await;
    let mut newer = user("1");
    newer["title"] = json!("Lead");
    mock.provision(&[user("1"), newer]).await;
    assert_eq!(mock.user("1").await["jobTitle"], "Lead");
    let events = mock.events("1").await;
    assert_eq!(events.len(), 2);
    assert_eq!(events[0]["cycleId"], events[1]["cycleId"]);
    assert_ne!(events[0]["changeId"], events[1]["changeId"]);
}

async fn job(mock: &Mock) -> Value {
    let answer = mock.job(Method::GET, "").send().await.unwrap();
    assert_eq!(answer.status(), 200);
    json_of(answer).await
}

#[tokio::test]
async fn a_job_that_is_not_active_takes_uploads_and_processes_nothing() {
    let config = MockConfig { cycle: Duration::ZERO, ..by_hand() };
    let mock = Mock::with(config).await;
    for code in ["Paused", "Quarantine", "NotRun", "NotConfigured"] {
        mock.tell("job", &json!({ "code": code })).await;
        mock.stage(&[user("1")]).await;
        assert_eq!(mock.tell("cycle", &json!({})).await["ran"], false, "{code}");
        assert_eq!(job(&mock).await["status"]["code"], code);
    }
    let stats = mock.ask("stats").await;
    assert_eq!((&stats["users"], &stats["staged_now"]), (&json!(0), &json!(4)));
    mock.tell("job", &json!({ "code": "Active" })).await;
    mock.until(|stats| stats["users"] == 1 && stats["staged_now"] == 0).await;
}

#[tokio::test]
async fn the_job_shows_its_state() {
    let mock = Mock::new().await;
    let fresh = job(&mock).await;
    assert_eq!(fresh["templateId"], "API2AAD");
    assert_eq!(fresh["schedule"]["state"], "Active");
    assert!(fresh["status"]["lastExecution"].is_null() && fresh["status"]["quarantine"].is_null());
    assert_eq!(fresh["status"]["steadyStateFirstAchievedTime"], "0001-01-01T00:00:00Z");

    let mut bad = user("2");
    bad["userName"] = json!(null);
    mock.provision(&[user("1"), bad]).await;
    mock.tell("job", &json!({ "code": "Quarantine", "reason": "TooManyDeletes" })).await;
    let now = job(&mock).await;
    let last = &now["status"]["lastExecution"];
    assert_eq!(
        (&last["countImported"], &last["countExported"], &last["countEscrowed"], &last["state"]),
        (&json!(2), &json!(1), &json!(1), &json!("EntryLevelErrors"))
    );
    assert_eq!(now["status"]["quarantine"]["reason"], "TooManyDeletes");

    let path = now["@odata.context"].as_str().unwrap();
    assert!(path.ends_with("/synchronization/jobs/$entity"), "{path}");
    let principal = scimport::mock_entra::SERVICE_PRINCIPAL_ID;
    let path = format!("/v1.0/servicePrincipals/{principal}/synchronization/jobs");
    let jobs = json_of(mock.graph(Method::GET, &path).send().await.unwrap()).await;
    assert_eq!(jobs["value"][0]["id"], scimport::mock_entra::JOB_ID);
}

#[tokio::test]
async fn start_pause_and_restart_need_their_permission() {
    let mut mock = Mock::new().await;
    for verb in ["/start", "/pause", "/restart"] {
        let answer = mock.job(Method::POST, verb).send().await.unwrap();
        assert_eq!(answer.status(), 403, "{verb}");
    }
    let roles = [
        "SynchronizationData-User.Upload",
        "ProvisioningLog.Read.All",
        "Synchronization.ReadWrite.All",
    ];
    mock.tell("settings", &json!({ "roles": roles })).await;
    mock.sign_in().await;
    let act = |verb: &'static str| mock.job(Method::POST, verb).send();

    assert_eq!(act("/pause").await.unwrap().status(), 204);
    mock.stage(&[user("1")]).await;
    assert_eq!(act("/start").await.unwrap().status(), 204);
    mock.cycle().await;
    assert_eq!(mock.ask("stats").await["users"], 1, "a paused job goes on where it stopped");

    assert_eq!(act("/pause").await.unwrap().status(), 204);
    mock.stage(&[user("2")]).await;
    let criteria = json!({ "criteria": { "resetScope": "Watermark, Escrows, QuarantineState" } });
    let restart = mock.job(Method::POST, "/restart").body(criteria.to_string()).send();
    assert_eq!(restart.await.unwrap().status(), 204);
    mock.cycle().await;
    assert_eq!(mock.ask("stats").await["users"], 1, "what was staged is purged");
    let wrong = json!({ "criteria": { "resetScope": "Everything" } });
    let restart = mock.job(Method::POST, "/restart").body(wrong.to_string()).send();
    assert_eq!(restart.await.unwrap().status(), 400);
    assert_eq!(mock.job(Method::GET, "/start").send().await.unwrap().status(), 405);
}

#[tokio::test]
async fn the_directory_is_kept_over_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let state = Some(folder.path().join("mock.json"));
    let mock = Mock::with(MockConfig { state: state.clone(), ..by_hand() }).await;
    mock.provision(&[user("1"), report("2", "1")]).await;
    let before = mock.ask("directory").await;
    mock.server.stop().await;

    let mut mock = Mock::with(MockConfig { state: state.clone(), ..by_hand() }).await;
    assert_eq!(mock.ask("directory").await, before);
    mock.provision(&[report("3", "2")]).await;
    assert_eq!(mock.user("3").await["manager"], "2", "the job knows its people still");
    mock.token = String::new();
    assert_eq!(mock.upload(&bulk(&[user("1")])).send().await.unwrap().status(), 401);

    std::fs::write(state.as_ref().unwrap(), "no json").unwrap();
    assert!(MockEntra::start(MockConfig { state, ..by_hand() }).await.is_err());
}

#[tokio::test]
async fn a_wrong_control_call_changes_nothing() {
    let mock = Mock::new().await;
    let before = mock.ask("settings").await;
    for (what, body) in [
        ("settings", json!({ "burts": 1 })),
        ("settings", json!({ "burst": 1, "scope": "userType" })),
        ("settings", json!({ "burst": 1, "unchanged_event": "maybe" })),
        ("settings", json!({ "domains": [] })),
        ("faults", json!(["boom:1"])),
        ("job", json!({ "code": "Tired" })),
        ("advance", json!({ "seconds": -1 })),
        ("seed", json!([{ "employeeId": 1 }])),
        ("cycle", json!({ "escrow": true })),
    ] {
        let url = format!("{}/_mock/{what}", mock.server.url());
        let answer = mock.http.post(url).body(body.to_string()).send().await.unwrap();
        assert_eq!(answer.status(), 400, "{what} {body}");
        assert!(json_of(answer).await["error"].is_string());
    }
    assert_eq!(mock.ask("settings").await, before);
    assert_eq!(mock.ask("faults").await, json!([]));
}

#[tokio::test]
async fn a_reset_forgets_everything_told_and_sent() {
    let mock = Mock::new().await;
    mock.provision(&[user("1")]).await;
    mock.tell("settings", &json!({ "burst": 1 })).await;
    mock.tell("faults", &json!(["throttle:1"])).await;
    mock.tell("reset", &json!({})).await;
    let stats = mock.ask("stats").await;
    assert_eq!(
        (&stats["users"], &stats["calls"], &stats["events"]),
        (&json!(0), &json!(0), &json!(0))
    );
    assert_eq!(mock.ask("settings").await["burst"], 40);
    assert_eq!(mock.upload(&bulk(&[user("1")])).send().await.unwrap().status(), 401);
}
