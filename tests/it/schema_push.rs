//! Attributes added to the schema of a job, and nothing else: over real HTTP, on schemas of which
//! nobody has seen the like.

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use scimport::bridge::{BridgeError, SchemaError};
use scimport::domain::{Origin, TargetName, Who};
use scimport::entra::SchemaProblem;
use scimport::mock_entra::JOB_ID;
use serde_json::{Value, json};

use crate::schema_support::{CUSTOM, Desk, odd_schema};

fn ann() -> Who {
    Who::new("ann", Origin::Cli)
}

/// What the audit trail says of schemas: action, subject, details.
async fn trail(desk: &Desk) -> Vec<(String, String, String)> {
    let records = desk.bridge.store.audit_page(0, 100).await.unwrap();
    let of_schemas = records.into_iter().filter(|record| record.action.starts_with("schema."));
    of_schemas.map(|record| (record.action, record.subject, record.details)).collect()
}

/// Pushes what is missing; the schema that was kept before anything was sent.
async fn push(desk: &Desk) -> Result<String, BridgeError> {
    let at_hand = desk.bridge.schema_desk(&TargetName::new("entra"), None).await?;
    let look = at_hand.look().await?;
    let mut kept = String::new();
    let keep = |text: &str| {
        text.clone_into(&mut kept);
        Ok(())
    };
    desk.bridge.push_schema(&at_hand, &look, keep, &ann()).await.map(|()| kept)
}

async fn restore(desk: &Desk, backup: &str) -> Result<(), BridgeError> {
    let at_hand = desk.bridge.schema_desk(&TargetName::new("entra"), None).await?;
    let back = at_hand.hold_against(backup.to_owned()).await?;
    desk.bridge.restore_schema(&at_hand, &back, |_| Ok(()), &ann()).await
}

/// The inserted text, where the second text is the first with something inserted.
fn inserted<'t>(before: &str, after: &'t str) -> &'t str {
    let length = after.len() - before.len();
    let mut at =
        before.bytes().zip(after.bytes()).take_while(|(left, right)| left == right).count();
    // what is inserted may begin as what stands behind it does
    while !after.is_char_boundary(at) || after[at + length..] != before[at..] {
        at -= 1;
    }
    assert_eq!(after[..at], before[..at]);
    &after[at..at + length]
}

#[test]
fn what_is_put_is_what_was_got_and_the_new_attributes_whatever_the_schema() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let desk = runtime.block_on(Desk::new());
    let mut runner = TestRunner::new(Config { cases: 96, ..Config::default() });
    let checked = runner.run(&any::<u64>(), |seed| {
        let (schema, lacking) = odd_schema(&mut fastrand::Rng::with_seed(seed));
        runtime.block_on(async {
            desk.set(&schema).await;
            let kept = push(&desk).await.unwrap();
            assert_eq!(kept, schema, "the backup is the schema to the letter");
            let all = desk.puts().await;
            let (status, body) = all.last().unwrap();
            assert_eq!(*status, 204, "{body}");
            let new = inserted(&schema, body);
            let new: Value = serde_json::from_str(&format!("[{}]", new.trim_matches(','))).unwrap();
            let added: Vec<_> =
                new.as_array().unwrap().iter().map(|new| (&new["name"], &new["type"])).collect();
            let wanted: Vec<_> = lacking.iter().map(|at| CUSTOM[*at]).collect();
            let expected: Vec<_> =
                wanted.iter().map(|(name, kind)| (json!(name), json!(kind))).collect();
            assert_eq!(added, expected.iter().map(|(name, kind)| (name, kind)).collect::<Vec<_>>());
            let whole: Value = serde_json::from_str(body).unwrap();
            assert_eq!(
                without_new(&whole, &lacking),
                serde_json::from_str::<Value>(&schema).unwrap()
            );
            restore(&desk, &kept).await.unwrap();
            assert_eq!(desk.puts().await.last().unwrap().1, schema, "a restore sends the backup");
        });
        Ok(())
    });
    checked.unwrap();
}

/// The schema without the attributes that were lacking, by a way of its own: they are nowhere else.
fn without_new(schema: &Value, lacking: &[usize]) -> Value {
    let mut schema = schema.clone();
    for directory in schema["directories"].as_array_mut().unwrap() {
        let attributes = directory["objects"][0]["attributes"].as_array_mut().unwrap();
        attributes.retain(|attribute| !lacking.iter().any(|at| attribute["name"] == CUSTOM[*at].0));
    }
    schema
}

#[tokio::test]
async fn a_change_by_somebody_else_in_between_is_noticed_and_nothing_is_sent() {
    let desk = Desk::new().await;
    desk.mock.tell("faults", &json!(["schema-change:2"])).await;
    let error = push(&desk).await.unwrap_err();
    let BridgeError::Schema(SchemaError::Changed(changes)) = &error else { panic!("{error}") };
    assert_eq!(changes.len(), 1);
    assert!(
        changes[0]
            .place
            .starts_with("directories[API].objects[User].attributes[urn:contoso:portal")
    );
    assert_eq!(desk.puts().await, []);
}

#[tokio::test]
async fn a_refused_put_leaves_the_job_as_it_was() {
    let desk = Desk::new().await;
    let before = desk.text().await;
    for fault in ["schema-refused:1", "schema-error:1"] {
        desk.mock.tell("faults", &json!([fault])).await;
        let error = push(&desk).await.unwrap_err();
        assert!(matches!(error, BridgeError::Schema(SchemaError::NotTaken(_))), "{fault}: {error}");
        assert_eq!(desk.text().await, before, "{fault}");
    }
    assert_eq!(trail(&desk).await, [], "of what was not taken there is nothing to tell");
}

#[tokio::test]
async fn a_put_that_was_taken_and_answered_badly_counts_as_done() {
    let desk = Desk::new().await;
    desk.mock.tell("faults", &json!(["schema-late:1"])).await;
    push(&desk).await.unwrap();
    let puts = desk.puts().await;
    assert_eq!((puts.len(), puts[0].0), (1, 504), "it is not sent a second time");
}

#[tokio::test]
async fn a_put_that_comes_to_nothing_is_noticed() {
    let desk = Desk::new().await;
    desk.mock.tell("faults", &json!(["schema-ignored:1"])).await;
    let error = push(&desk).await.unwrap_err();
    let BridgeError::Schema(SchemaError::Differs(changes)) = &error else { panic!("{error}") };
    assert_eq!(changes.len(), CUSTOM.len(), "each of the new attributes is missing");
    let trail = trail(&desk).await;
    assert!(trail[0].2.contains(r#""outcome":"differs""#), "{trail:?}");
}

#[tokio::test]
async fn a_backup_of_another_job_or_of_nothing_is_not_put_back() {
    let desk = Desk::new().await;
    let mut other: Value = serde_json::from_str(&desk.text().await).unwrap();
    other["id"] = json!("API2AAD.other");
    let error = restore(&desk, &other.to_string()).await.unwrap_err();
    assert!(
        matches!(&error, BridgeError::Schema(SchemaError::OtherJob { of, .. }) if of == "API2AAD.other")
    );
    for id in [None, Some(json!(7)), Some(json!(null))] {
        let mut nameless: Value = serde_json::from_str(&desk.text().await).unwrap();
        nameless.as_object_mut().unwrap().remove("id");
        nameless.as_object_mut().unwrap().extend(id.map(|id| ("id".to_owned(), id)));
        let error = restore(&desk, &nameless.to_string()).await.unwrap_err();
        let BridgeError::Schema(SchemaError::NoJob { here }) = &error else { panic!("{error}") };
        assert_eq!(here, JOB_ID);
    }
    let same = format!(r#"{{"id":"{JOB_ID}","directories":[1],"synchronizationRules":[{{}}]}}"#);
    for text in [
        "",
        "{}",
        "[]",
        r#"{"directories":[],"synchronizationRules":[]}"#,
        "{\"directories\":",
        &same,
    ] {
        let error = restore(&desk, text).await.unwrap_err();
        assert!(matches!(error, BridgeError::Schema(SchemaError::Problem(_))), "{text}: {error}");
    }
    assert_eq!(desk.puts().await, []);
}

#[tokio::test]
async fn a_member_that_stands_twice_is_relied_on_by_nobody() {
    let desk = Desk::new().await;
    let whole = desk.text().await;
    for (once, twice) in [
        (r#""readOnly":false"#, r#""readOnly":false,"readOnly":true"#),
        (r#""anchor":true"#, r#""anchor":true,"\u0061nchor":false"#),
    ] {
        assert!(whole.contains(once));
        let doubled = whole.replacen(once, twice, 1);
        let error = restore(&desk, &doubled).await.unwrap_err();
        assert!(
            matches!(
                &error,
                BridgeError::Schema(SchemaError::Problem(SchemaProblem::Repeated(place)))
                    if place.starts_with("directories[0].")
            ),
            "{error:?}"
        );
        desk.set(&doubled).await;
        let error = push(&desk).await.unwrap_err();
        assert!(matches!(error, BridgeError::Schema(SchemaError::Call(_))), "{error:?}");
        desk.set(&whole).await;
    }
    assert_eq!(desk.puts().await, []);
}

#[tokio::test]
async fn where_graph_names_no_job_the_one_of_the_config_counts() {
    let desk = Desk::new().await;
    let named = desk.text().await;
    let mut nameless: Value = serde_json::from_str(&named).unwrap();
    nameless.as_object_mut().unwrap().remove("id");
    desk.set(&nameless.to_string()).await;
    let other = named.replace(JOB_ID, "API2AAD.other");
    let error = restore(&desk, &other).await.unwrap_err();
    assert!(matches!(error, BridgeError::Schema(SchemaError::OtherJob { .. })), "{error}");
    restore(&desk, &named).await.unwrap();
}

#[tokio::test]
async fn when_the_backup_cannot_be_written_nothing_is_sent() {
    let desk = Desk::new().await;
    let at_hand = desk.bridge.schema_desk(&TargetName::new("entra"), None).await.unwrap();
    let look = at_hand.look().await.unwrap();
    let full = |_: &str| Err(std::io::Error::from(std::io::ErrorKind::StorageFull));
    let error = desk.bridge.push_schema(&at_hand, &look, full, &ann()).await.unwrap_err();
    assert!(matches!(error, BridgeError::Schema(SchemaError::Backup(_))), "{error}");
    assert_eq!(desk.puts().await, []);
}

#[tokio::test]
async fn the_directory_is_found_by_the_rules_name_wherever_it_stands() {
    let desk = Desk::new().await;
    let mut schema: Value = serde_json::from_str(&desk.text().await).unwrap();
    schema["directories"].as_array_mut().unwrap().reverse();
    desk.set(&schema.to_string()).await;
    push(&desk).await.unwrap();
    let after: Value = serde_json::from_str(&desk.text().await).unwrap();
    let names = |at: usize| after["directories"][at]["objects"][0]["attributes"].to_string();
    assert_eq!(after["directories"][1]["name"], "API");
    assert!(names(1).contains(CUSTOM[0].0) && !names(0).contains(CUSTOM[0].0));
}

#[tokio::test]
async fn the_audit_trail_tells_what_was_added_and_what_was_put_back() {
    let desk = Desk::new().await;
    let before = push(&desk).await.unwrap();
    restore(&desk, &before).await.unwrap();
    let names: Vec<String> = CUSTOM.iter().map(|(name, _)| format!("\"{name}\"")).collect();
    let added = format!(r#"{{"added":[{}],"outcome":"confirmed"}}"#, names.join(","));
    let back = r#"{"changes":4,"outcome":"confirmed"}"#.to_owned();
    let target = "target entra".to_owned();
    assert_eq!(
        trail(&desk).await,
        [
            ("schema.pushed".to_owned(), target.clone(), added),
            ("schema.restored".to_owned(), target, back),
        ]
    );
}
