//! The stand-in's provisioning log: shape, filters, order, pages, delay and limits.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests may panic as tests may"
)]

use std::time::Duration;

use reqwest::Method;
use scimport::mock_entra::{JOB_ID, MockConfig, SERVICE_PRINCIPAL_ID, TENANT_ID};
use serde_json::{Value, json};

use crate::mock_client::{Mock, bulk, by_hand, json_of, report, user};

async fn found(mock: &Mock, filter: &str) -> Vec<String> {
    let answer = mock.log(&[("$filter", filter), ("$orderby", "activityDateTime asc")]).await;
    assert_eq!(answer.status(), 200, "{filter}");
    let page = json_of(answer).await;
    let ids = page["value"].as_array().unwrap().iter();
    ids.map(|event| event["sourceIdentity"]["id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn an_event_has_the_members_of_the_real_log() {
    let mock = Mock::new().await;
    mock.provision(&[user("1")]).await;
    let page = json_of(mock.log(&[]).await).await;
    assert_eq!(
        page["@odata.context"],
        json!(format!("{}/v1.0/$metadata#auditLogs/provisioning", mock.server.url()))
    );
    assert!(page.get("@odata.nextLink").is_none());
    let event = &page["value"][0];
    assert_eq!(event["jobId"], JOB_ID);
    assert_eq!(event["tenantId"], TENANT_ID);
    assert_eq!(event["servicePrincipal"]["id"], SERVICE_PRINCIPAL_ID);
    assert_eq!(event["provisioningAction"], "create");
    assert_eq!(
        event["provisioningStatusInfo"],
        json!({ "status": "success", "errorInformation": null })
    );
    assert_eq!(event["initiatedBy"]["initiatorType"], "system");
    assert_eq!(event["sourceSystem"]["displayName"], "API");
    assert_eq!(event["sourceIdentity"]["id"], "1");
    let account = mock.user("1").await;
    assert_eq!(event["targetIdentity"]["id"], account["id"]);
    assert_eq!(event["targetIdentity"]["details"]["UserPrincipalName"], "u1@contoso.example");
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    assert_eq!(text(&event["activityDateTime"]).len(), "2026-09-01T10:07:31Z".len());
    for member in ["id", "cycleId", "changeId"] {
        assert_eq!(text(&event[member]).len(), 36, "{member}");
    }
    assert!(event["durationInMilliseconds"].is_u64());
    assert!(event.get("action").is_none(), "only beta has the older members");

    let path = "/beta/auditLogs/provisioning";
    let beta = json_of(mock.graph(Method::GET, path).send().await.unwrap()).await;
    let event = &beta["value"][0];
    assert_eq!(
        (&event["action"], &event["statusInfo"]["status"]),
        (&json!("Create"), &json!("success"))
    );
}

#[tokio::test]
async fn a_created_report_reads_step_by_step_like_the_real_one() {
    let mock = Mock::new().await;
    mock.provision(&[report("10018", "10019"), user("10019")]).await;
    let events = mock.events("10018").await;
    assert_eq!(events.len(), 2);
    let steps: Vec<_> = events[0]["provisioningSteps"]
        .as_array()
        .unwrap()
        .iter()
        .map(|step| {
            let text = |name: &str| step[name].as_str().unwrap().to_owned();
            (text("name"), text("provisioningStepType"), text("status"))
        })
        .collect();
    let expected = [
        ("EntryImportAdd", "import"),
        ("EntrySynchronizationScoping", "scoping"),
        ("EntrySynchronizationAdd", "matching"),
        ("EntrySynchronizationSkip", "processing"),
        ("EntryExportAdd", "export"),
    ]
    .map(|(name, kind)| (name.to_owned(), kind.to_owned(), "success".to_owned()));
    assert_eq!(steps, expected);
    assert_eq!(events[0]["provisioningAction"], "create");
    assert_eq!(events[0]["provisioningStatusInfo"]["status"], "success");

    let details = |index: usize| &events[0]["provisioningSteps"][index]["details"];
    assert_eq!(details(0)["externalId"], "10018");
    assert_eq!(details(0)["urnietfparamsscimschemasextensionenterprise20Usermanager"], "10019");
    assert_eq!(
        *details(3),
        json!({
            "10019": "manager Add",
            "PropertyName": "manager",
            "SkipReason": "UnableToResolveReferenceAttributeValue",
        })
    );
    assert_eq!(details(4)["ReportableIdentifier"], "10018");
    assert_eq!(details(4)["passwordProfilepassword"], "[Redacted]");
    let modified = events[0]["modifiedProperties"].as_array().unwrap();
    assert!(modified.contains(
        &json!({ "displayName": "accountEnabled", "oldValue": null, "newValue": "True" })
    ));

    let second = &events[1];
    assert_eq!(second["provisioningAction"], "update");
    assert_eq!(second["changeId"], events[0]["changeId"], "one change, two events");
    assert_eq!(second["cycleId"], events[0]["cycleId"]);
    assert_eq!(second["provisioningSteps"].as_array().unwrap().len(), 1);
    assert_eq!(second["provisioningSteps"][0]["name"], "EntryExportUpdate");
    let manager = mock.user("10019").await["id"].clone();
    assert_eq!(
        second["modifiedProperties"],
        json!([{ "displayName": "manager", "oldValue": null, "newValue": manager }])
    );
}

#[tokio::test]
async fn filters_find_what_they_name() {
    let mock = Mock::new().await;
    mock.provision(&[user("1"), user("2")]).await;
    mock.tell("advance", &json!({ "seconds": 60 })).await;
    let mut bad = user("O'Neill");
    bad["userName"] = json!("x@elsewhere.example");
    mock.provision(&[bad]).await;
    let all = ["1", "2", "O'Neill"];
    assert_eq!(found(&mock, &format!("jobid eq '{JOB_ID}'")).await, all);
    assert_eq!(found(&mock, &format!("JobId eq '{JOB_ID}'")).await, all);
    let lower = JOB_ID.to_lowercase();
    assert!(found(&mock, &format!("jobid eq '{lower}'")).await.is_empty(), "case matters");
    assert_eq!(found(&mock, &format!("contains(tolower(jobid),'{lower}')")).await, all);
    assert_eq!(found(&mock, "sourceIdentity/id eq 'O''Neill'").await, ["O'Neill"]);
    assert_eq!(found(&mock, "contains(sourceIdentity/id, 'Nei')").await, ["O'Neill"]);
    for status in ["provisioningStatusInfo/status", "statusInfo/status"] {
        assert_eq!(found(&mock, &format!("{status} eq 'failure'")).await, ["O'Neill"]);
        assert_eq!(found(&mock, &format!("{status} ne 'failure'")).await, ["1", "2"]);
    }
    assert_eq!(found(&mock, "action eq 'Create'").await, all);
    assert!(found(&mock, "provisioningAction eq 'Create'").await.is_empty());
    assert_eq!(
        found(&mock, "(sourceIdentity/id eq '1' or sourceIdentity/id eq 'O''Neill') and provisioningStatusInfo/status eq 'success'").await,
        ["1"]
    );

    let late = mock.events("O'Neill".replace('\'', "''").as_str()).await[0].clone();
    let at = late["activityDateTime"].as_str().unwrap();
    assert_eq!(found(&mock, &format!("activityDateTime ge {at}")).await, ["O'Neill"]);
    assert_eq!(found(&mock, &format!("activityDateTime eq {at}")).await, ["O'Neill"]);
    assert!(found(&mock, &format!("activityDateTime gt {at}")).await.is_empty());
    assert_eq!(found(&mock, &format!("activityDateTime lt {at}")).await, ["1", "2"]);
    assert_eq!(found(&mock, &format!("activityDateTime le {at}")).await, all);
    let cycle = late["cycleId"].as_str().unwrap();
    assert_eq!(found(&mock, &format!("cycleId ne '{cycle}'")).await, ["1", "2"]);
}

#[tokio::test]
async fn what_the_log_does_not_understand_is_a_400() {
    let mock = Mock::new().await;
    for query in [
        &[("$filter", "jobid eq x")][..],
        &[("$filter", "modifiedProperties eq 'x'")],
        &[("$orderby", "id")],
        &[("$top", "1001")],
        &[("$select", "id")],
        &[("$skiptoken", "made-up")],
    ] {
        let answer = mock.log(query).await;
        assert_eq!(answer.status(), 400, "{query:?}");
        assert_eq!(json_of(answer).await["error"]["code"], "BadRequest");
    }
    let posted = mock.graph(Method::POST, "/v1.0/auditLogs/provisioning").send().await.unwrap();
    assert_eq!(posted.status(), 405);
}

#[tokio::test]
async fn pages_lead_through_the_whole_log_in_either_order() {
    let mock = Mock::new().await;
    let people: Vec<_> = (0..7).map(|id| user(&id.to_string())).collect();
    mock.provision(&people).await;
    let filter = format!("jobid eq '{JOB_ID}'");
    for order in ["activityDateTime asc", "activityDateTime desc"] {
        let mut seen = Vec::new();
        let query = [("$filter", &*filter), ("$orderby", order), ("$top", "3")];
        let mut page = json_of(mock.log(&query).await).await;
        let mut pages = 1;
        loop {
            let ids = page["value"].as_array().unwrap().iter();
            seen.extend(
                ids.map(|event| event["sourceIdentity"]["id"].as_str().unwrap().to_owned()),
            );
            let Some(next) = page["@odata.nextLink"].as_str() else { break };
            assert!(next.starts_with(&format!("{}/v1.0/", mock.server.url())), "{next}");
            let bearer = format!("Bearer {}", mock.token);
            let answer = mock.http.get(next).header("Authorization", bearer).send().await.unwrap();
            assert_eq!(answer.status(), 200, "{next}");
            page = json_of(answer).await;
            pages += 1;
        }
        if order.ends_with("desc") {
            seen.reverse();
        }
        assert_eq!(seen, ["0", "1", "2", "3", "4", "5", "6"], "{order}");
        assert_eq!(pages, 3);
    }
}

#[tokio::test]
async fn an_event_shows_only_after_the_delay() {
    let delay = Duration::from_mins(30);
    let mock = Mock::with(MockConfig { log_delay: (delay, delay), ..by_hand() }).await;
    mock.provision(&[user("1")]).await;
    assert!(mock.events("1").await.is_empty());
    assert!(mock.user("1").await.is_object(), "the account is there already");
    mock.tell("advance", &json!({ "seconds": 1_800 })).await;
    assert_eq!(mock.events("1").await.len(), 1);
}

#[tokio::test]
async fn the_log_needs_its_own_permission() {
    let roles = vec!["SynchronizationData-User.Upload".to_owned()];
    let mut mock = Mock::with(MockConfig { roles, ..by_hand() }).await;
    let answer = mock.log(&[]).await;
    assert_eq!(answer.status(), 403);
    assert_eq!(json_of(answer).await["error"]["code"], "Authentication_MSGraphPermissionMissing");
    mock.tell("settings", &json!({ "roles": ["AuditLog.Read.All"] })).await;
    mock.sign_in().await;
    assert_eq!(mock.log(&[]).await.status(), 200);
    assert_eq!(mock.upload(&bulk(&[user("1")])).send().await.unwrap().status(), 403);
    mock.token = "x".to_owned();
    assert_eq!(mock.log(&[]).await.status(), 401);
}

#[tokio::test]
async fn the_log_is_throttled_and_fails_when_told() {
    let mock = Mock::with(MockConfig { log_calls: 2, ..by_hand() }).await;
    let mut seen = Vec::new();
    for _ in 0..3 {
        seen.push(mock.log(&[]).await.status().as_u16());
    }
    assert_eq!(seen, [200, 200, 429]);
    mock.tell("advance", &json!({ "seconds": 10 })).await;
    assert_eq!(mock.log(&[]).await.status(), 200);
    assert_eq!(mock.ask("stats").await["log_throttled"], 1);

    mock.tell("settings", &json!({ "log_calls": 50 })).await;
    mock.tell("faults", &json!(["log-error:1"])).await;
    let (first, second) = (mock.log(&[]).await, mock.log(&[]).await);
    assert_eq!((first.status().as_u16(), second.status().as_u16()), (500, 429));
    mock.tell("faults", &json!(["slow-log:1"])).await;
    let path = "/v1.0/auditLogs/provisioning";
    let slow = mock.graph(Method::GET, path).timeout(Duration::from_millis(300)).send().await;
    assert!(slow.unwrap_err().is_timeout());
}
