//! The JSON documents: members, types, counts that sum up; documents alone on standard output.

use serde_json::{Value, json};

use crate::cli_support::{
    GOOD, HEADER, MIXED, ONE_REJECTED, SOURCE, Stage, assert_counts, by_hand, counted, of,
};

/// The members of a run document, and whether a value is of the promised kind.
type Member = (&'static str, fn(&Value) -> bool);

fn is_instant(value: &Value) -> bool {
    let text = value.as_str().unwrap_or_default();
    text.ends_with('Z') && text.parse::<jiff::Timestamp>().is_ok()
}

fn is_count(value: &Value) -> bool {
    value.is_u64()
}

fn or_null(value: &Value, kind: fn(&Value) -> bool) -> bool {
    value.is_null() || kind(value)
}

const RUN: [Member; 23] = [
    ("run", Value::is_string),
    ("source", Value::is_string),
    ("target", Value::is_string),
    ("file", Value::is_string),
    ("status", Value::is_string),
    ("rows", is_count),
    ("without_row", is_count),
    ("counts", Value::is_object),
    ("changes", Value::is_object),
    ("bulk_requests", is_count),
    ("held_by", Value::is_array),
    ("problem", |value| or_null(value, Value::is_object)),
    ("started_at", is_instant),
    ("ended_at", |value| or_null(value, is_instant)),
    ("kind", Value::is_string),
    ("would_hold", Value::is_array),
    ("as_of", |value| or_null(value, is_instant)),
    ("complete", |value| or_null(value, Value::is_boolean)),
    ("note", |value| or_null(value, Value::is_string)),
    ("decisions", Value::is_array),
    ("superseded_by", |value| or_null(value, Value::is_string)),
    ("changed_by_mapping", is_count),
    ("missing", Value::is_array),
];

const OPERATION: [Member; 13] = [
    ("row", |value| or_null(value, is_count)),
    ("line", |value| or_null(value, is_count)),
    ("externalId", |value| or_null(value, Value::is_string)),
    ("change", |value| or_null(value, Value::is_string)),
    ("status", Value::is_string),
    ("code", |value| or_null(value, Value::is_string)),
    ("reason", |value| or_null(value, Value::is_string)),
    ("advice", |value| or_null(value, Value::is_string)),
    ("class", |value| {
        or_null(value, |class| {
            ["data", "order", "configuration", "wait"].contains(&class.as_str().unwrap_or_default())
        })
    }),
    ("attempts", is_count),
    ("bulk_request", |value| or_null(value, is_count)),
    ("updated_at", is_instant),
    ("run", Value::is_string),
];

/// Whether a document has these members, all but the ones named, each of its kind and no other.
#[track_caller]
fn assert_members(document: &Value, members: &[Member], without: &[&str]) {
    let expected: Vec<_> =
        members.iter().filter(|(name, _)| !without.contains(name)).copied().collect();
    let names: Vec<&str> = document.as_object().unwrap().keys().map(String::as_str).collect();
    let expected_names: Vec<&str> = expected.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, expected_names, "{document:#}");
    for (name, is_right) in expected {
        assert!(is_right(&document[name]), "{name} of {document:#}");
    }
}

/// A document of a command that read the file, as it is stored: without what was found out about
/// the file, which stands last.
#[track_caller]
fn stored(document: &Value) -> Value {
    let mut document = document.clone();
    let findings = document.as_object_mut().unwrap().remove("findings");
    for finding in findings.as_ref().and_then(Value::as_array).unwrap() {
        let names: Vec<&str> = finding.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(names, ["code", "place", "message"], "{document:#}");
    }
    document
}

#[track_caller]
fn assert_applied(document: &Value) {
    assert_run(&stored(document));
}

#[track_caller]
fn assert_run(document: &Value) {
    assert_members(document, &RUN, &["would_hold", "changed_by_mapping", "missing"]);
    assert_counts(document);
    let changes = document["changes"].as_object().unwrap();
    for name in ["joiner", "mover", "leaver", "rehire", "missing"] {
        assert!(changes[name].is_u64(), "{document:#}");
    }
}

#[test]
fn apply_prints_the_run_document_and_nothing_else_on_standard_output() {
    let stage = Stage::quick();
    let ran = stage.apply(GOOD, &["--wait", "outcome"]).expect(0);
    assert_eq!(ran.out.lines().count(), 1, "one document");
    let document = ran.json();
    assert_applied(&document);
    assert_eq!(counted(&document), of(&[("provisioned", 3)]));
    assert_eq!(document["status"], "completed");
    assert_eq!(document["file"], "workers.csv");
    assert_eq!((&document["source"], &document["target"]), (&json!("hr"), &json!("entra")));
    assert_eq!((&document["rows"], &document["bulk_requests"]), (&json!(3), &json!(1)));
    assert_eq!(document["changes"]["joiner"], 3);
    assert_eq!(document["changes"]["joiner_inactive"], 1);
    assert_eq!(document["held_by"], json!([]));
    assert_eq!(document["problem"], Value::Null);
    assert!(is_instant(&document["ended_at"]));

    // the same document from `status`, by id, by its beginning, and by the word
    let id = document["run"].as_str().unwrap();
    for word in [id, id.get(..20).unwrap(), "latest"] {
        assert_eq!(stage.run(&["status", word, "--json"]).expect(0).json(), stored(&document));
    }
    let unknown = stage.run(&["status", "01NOSUCHRUN", "--json"]).expect(1);
    assert_eq!(unknown.out, "");
}

#[test]
fn a_run_that_waits_for_nothing_is_delivering_and_has_no_end() {
    let stage = Stage::new(by_hand(), SOURCE);
    let document = stage.apply(MIXED, &["--wait", "none"]).expect(3).json();
    assert_applied(&document);
    assert_eq!(document["status"], "delivering");
    assert_eq!(document["ended_at"], Value::Null);
    assert_eq!(counted(&document), of(&[("rejected", 1), ("queued", 2)]));
    assert_eq!(stage.ask("stats")["calls"], 0, "nothing is sent");

    // the same file is that run, and this time it is gone on with
    let ran = stage.apply(MIXED, &[]).expect(3);
    let id = document["run"].as_str().unwrap();
    assert!(ran.err.contains(&format!("already applied as {id}")), "{}", ran.err);
    let document = ran.json();
    assert_applied(&document);
    assert_eq!(document["run"], id);
    assert_eq!(document["status"], "tracking");
    assert_eq!(counted(&document), of(&[("rejected", 1), ("accepted", 2)]));
}

#[test]
fn the_same_file_again_is_the_same_run_whatever_its_outcome() {
    let stage = Stage::quick();
    let first = stage.apply(MIXED, &["--wait", "outcome"]).expect(5).json();
    assert_applied(&first);
    let id = first["run"].as_str().unwrap();
    // under another name as well: the bytes count
    stage.place.write("copy.csv", MIXED);
    for name in ["workers.csv", "copy.csv"] {
        let ran = stage.run(&["apply", name, "--source", "hr", "--json"]).expect(0);
        assert!(ran.err.contains(&format!("already applied as {id}")), "{}", ran.err);
        // what was found out about the file was told when it was applied
        let mut again = ran.json();
        assert_eq!(again["findings"], json!([]));
        again["findings"] = first["findings"].clone();
        assert_eq!(again, first);
    }
    let plan = stage.run(&["plan", "workers.csv", "--source", "hr"]).expect(0);
    assert!(plan.err.contains(&format!("already applied as {id}")), "{}", plan.err);
    assert_eq!(stage.run(&["runs", "--json"]).json().as_array().unwrap().len(), 1);

    // another mapping makes another run of the same bytes
    let text = stage.place.read("scimport.toml").replace("title = \"JobTitle\"", "");
    stage.place.write("scimport.toml", text);
    let other = stage.apply(MIXED, &["--wait", "outcome"]).json();
    assert_ne!(other["run"], first["run"]);
}

#[test]
fn a_file_without_changes_is_a_completed_run_without_requests() {
    let stage = Stage::quick();
    stage.apply(GOOD, &["--wait", "outcome"]).expect(0);
    let calls = stage.ask("stats")["calls"].clone();
    let document = stage.apply(&format!("{GOOD}\n"), &["--wait", "outcome"]).expect(0).json();
    assert_applied(&document);
    assert_eq!(document["status"], "completed");
    assert_eq!(document["bulk_requests"], 0);
    assert_eq!(counted(&document), of(&[("unchanged", 3)]));
    assert!(is_instant(&document["ended_at"]));
    assert_eq!(stage.ask("stats")["calls"], calls);
}

#[test]
fn a_refused_file_is_a_failed_run_with_a_problem_and_is_tried_again() {
    let stage = Stage::quick();
    let broken = format!("{GOOD}E4,\"e4@contoso.example,Active,Dee,Clerk,E1,2020-01-01\n");
    let ran = stage.apply(&broken, &[]).expect(1);
    let document = ran.json();
    assert_applied(&document);
    assert_eq!(document["status"], "failed");
    assert_eq!((&document["rows"], &document["bulk_requests"]), (&json!(0), &json!(0)));
    assert_eq!(counted(&document), []);
    assert_eq!(document["file"], "workers.csv");
    let problem = document["problem"].as_object().unwrap();
    assert_eq!(problem.keys().collect::<Vec<_>>(), ["code", "place", "message", "hint"]);
    assert!(problem.values().all(Value::is_string), "{document:#}");
    assert_eq!(problem["place"], "workers.csv, line 5");
    assert!(is_instant(&document["ended_at"]));
    for part in ["place", "message", "hint", "code"] {
        assert!(ran.err.contains(problem[part].as_str().unwrap()), "{part}: {}", ran.err);
    }

    let again = stage.apply(&broken, &[]).expect(1);
    assert!(!again.err.contains("already applied"), "{}", again.err);
    assert_ne!(again.json()["run"], document["run"]);
    assert_eq!(stage.ask("stats")["calls"], 0, "a refused file has no effect");
    let words = stage.run(&["apply", "workers.csv", "--source", "hr"]).expect(1);
    assert_eq!(words.out, "");

    let good = stage.apply(GOOD, &["--wait", "outcome"]).expect(0).json();
    let runs = stage.run(&["runs", "--json"]).expect(0).json();
    let runs = runs.as_array().unwrap();
    assert_eq!(runs.len(), 4);
    assert_eq!(runs[0], stored(&good), "newest first");
    assert_eq!(runs[3], stored(&document));
    runs.iter().for_each(assert_run);
    let newest = stage.run(&["runs", "--json", "--limit", "1"]).json();
    assert_eq!(newest, json!([stored(&good)]));
    let status = stage.run(&["status", document["run"].as_str().unwrap(), "--json"]).expect(0);
    assert_eq!(status.json(), stored(&document));
    // a refused file hides nothing that was applied before it
    stage.apply(&broken, &[]).expect(1);
    let known = stage.apply(GOOD, &[]).expect(0);
    assert!(known.err.contains("already applied"), "{}", known.err);
}

#[test]
fn every_row_has_one_status_and_the_sum_is_the_rows() {
    let source =
        SOURCE.replace("[source.hr.mapping]", "rows = { pick = \"last\" }\n\n[source.hr.mapping]");
    let stage = Stage::new(crate::cli_support::quick(), &source);
    let text = format!(
        "{MIXED}E4,e4@contoso.example,Active,Old,Clerk,,\nE4,e4@contoso.example,Active,New,Clerk,,\n\
         E5,e5@contoso.example\n,e6@contoso.example,Active,Nobody,Clerk,,\n"
    );
    let document = stage.apply(&text, &["--wait", "outcome"]).expect(5).json();
    assert_applied(&document);
    assert_eq!(document["rows"], 7);
    let expected = of(&[("rejected", 3), ("provisioned", 2), ("failed", 1), ("superseded", 1)]);
    assert_eq!(counted(&document), expected);

    let lines = stage.run(&["status", "latest", "--json", "--operations"]).expect(0).json_lines();
    assert_eq!(lines.len(), 7);
    for line in &lines {
        assert_members(line, &OPERATION, &["run"]);
    }
    let seen: Vec<_> = lines
        .iter()
        .map(|line| {
            json!([
                line["row"],
                line["line"],
                line["externalId"],
                line["change"],
                line["status"],
                line["code"]
            ])
        })
        .collect();
    let expected = json!([
        [2, 2, "E1", "joiner", "provisioned", "created"],
        [3, 3, "E2", "joiner", "failed", "InvalidDomain"],
        [4, 4, "E3", null, "rejected", "mapping.unknown-word"],
        [5, 5, "E4", null, "superseded", null],
        [6, 6, "E4", "joiner", "provisioned", "created"],
        [7, 7, null, null, "rejected", "source.ragged-row"],
        [8, 8, null, null, "rejected", "mapping.no-external-id"],
    ]);
    assert_eq!(Value::Array(seen), expected);
    let failed = &lines[1];
    assert!(failed["reason"].is_string() && failed["advice"].is_string(), "{failed}");
    assert_eq!(failed["attempts"], 1);
    assert!(failed["bulk_request"].is_u64(), "{failed}");
    assert_eq!(lines[2]["attempts"], 0);
    assert_eq!(lines[2]["bulk_request"], Value::Null);
}

#[test]
fn row_and_line_differ_where_a_cell_has_line_breaks() {
    let stage = Stage::quick();
    let text = format!(
        "{HEADER}\nE1,e1@contoso.example,Active,\"A\nnn\",Chief,,\n\n\
         E3,e3@contoso.example,Sabbatical,Cy,Clerk,,\n"
    );
    stage.apply(&text, &["--wait", "outcome"]).expect(3);
    let lines = stage.run(&["status", "latest", "--json", "--operations"]).json_lines();
    let seen: Vec<_> = lines.iter().map(|line| (&line["row"], &line["line"])).collect();
    assert_eq!(seen, [(&json!(2), &json!(2)), (&json!(3), &json!(5))]);
}

#[test]
fn a_record_tells_one_persons_history() {
    let stage = Stage::quick();
    let first = stage.apply(GOOD, &["--wait", "outcome"]).expect(0).json();
    let moved = GOOD
        .replace("Ben,Clerk", "Ben,Director")
        .replace("E1,e1@contoso.example,Active", "E1,e1@contoso.example,Inactive");
    let second = stage.apply(&moved, &["--wait", "outcome"]).expect(0).json();
    assert_eq!((&second["changes"]["mover"], &second["changes"]["leaver"]), (&json!(1), &json!(1)));

    let record = stage.run(&["record", "E2", "--json"]).expect(0).json();
    let names: Vec<&str> = record.as_object().unwrap().keys().map(String::as_str).collect();
    let expected =
        ["source", "target", "externalId", "state", "last_sent", "next_effective_at", "history"];
    assert_eq!(names, expected);
    assert_eq!((&record["externalId"], &record["state"]), (&json!("E2"), &json!("active")));
    assert!(is_instant(&record["last_sent"]));
    assert_eq!(record["next_effective_at"], Value::Null);
    let history = record["history"].as_array().unwrap();
    assert_eq!(history.len(), 2);
    for each in history {
        assert_members(each, &OPERATION, &[]);
    }
    let mut runs: Vec<_> = history.iter().map(|each| each["run"].clone()).collect();
    runs.sort_by_key(ToString::to_string);
    assert_eq!(runs, [first["run"].clone(), second["run"].clone()]);

    assert_eq!(stage.run(&["record", "E1", "--json"]).json()["state"], "left");
    let unknown = stage.run(&["record", "E99", "--json"]).expect(1);
    assert_eq!(unknown.out, "");
    assert!(unknown.err.contains("`E99`"), "{}", unknown.err);
}

#[test]
fn work_prints_the_runs_it_touched() {
    let stage = Stage::quick();
    let idle = stage.run(&["work", "--json"]).expect(0);
    assert_eq!(idle.json(), json!([]));
    assert!(idle.err.contains("nothing is due"), "{}", idle.err);
    let waiting = stage.apply(ONE_REJECTED, &["--wait", "none"]).expect(3).json();
    let worked = stage.run(&["work", "--until", "settled", "--json"]).expect(3).json();
    let documents = worked.as_array().unwrap();
    assert_eq!(documents.len(), 1);
    assert_run(&documents[0]);
    assert_eq!(documents[0]["run"], waiting["run"]);
    assert_eq!(counted(&documents[0]), of(&[("rejected", 1), ("provisioned", 1)]));
    assert_eq!(stage.run(&["work", "--json"]).expect(0).json(), json!([]));
}

#[test]
fn the_plan_document_is_the_run_document_without_run_and_with_would_hold() {
    let stage = Stage::quick();
    stage.place.write("workers.csv", MIXED);
    let plan = stage.run(&["plan", "workers.csv", "--source", "hr", "--json"]).expect(3).json();
    let without = ["run", "kind", "decisions", "superseded_by"];
    assert_members(&stored(&plan), &RUN, &without);
    assert_counts(&plan);
    assert_eq!(plan["status"], "planned");
    assert_eq!((&plan["rows"], &plan["bulk_requests"]), (&json!(3), &json!(1)));
    assert_eq!(counted(&plan), of(&[("rejected", 1), ("queued", 2)]));
    assert_eq!(plan["would_hold"], json!([]));
    assert_eq!(plan["ended_at"], Value::Null);
    let applied = stage.apply(MIXED, &["--wait", "none"]).json();
    for member in ["rows", "without_row", "counts", "changes", "file", "source", "target"] {
        assert_eq!(plan[member], applied[member], "{member}: the plan is what is applied");
    }
}

#[test]
fn the_overview_is_one_document() {
    let stage = Stage::quick();
    let applied = stage.apply(GOOD, &["--wait", "outcome"]).json();
    let overview = stage.run(&["status", "--json"]).expect(0).json();
    assert_eq!(overview["runs"], json!([stored(&applied)]));
    assert_eq!(overview["targets"][0]["target"], "entra");
    assert_eq!(overview["targets"][0]["calls_24h"], 1);
}

#[test]
fn an_own_manager_is_left_out_with_a_warning_and_the_person_is_sent() {
    let stage = Stage::new(by_hand(), SOURCE);
    let text = format!("{HEADER}\nE1,e1@contoso.example,Active,Ann,Chief,E1,\n");
    stage.apply(&text, &["--wait", "none"]).expect(0);
    let lines = stage.run(&["status", "latest", "--json", "--operations"]).json_lines();
    assert_eq!(lines[0]["status"], "queued");
    assert_eq!(lines[0]["code"], "mapping.own-manager");
    assert!(lines[0]["reason"].as_str().unwrap().contains("manager"), "{}", lines[0]);
    stage.run(&["work"]).expect(0);
    stage.tell("cycle", &json!({}));
    assert_eq!(stage.ask("directory")[0]["manager"], Value::Null);
    let converted = stage.run(&["convert", "workers.csv", "--source", "hr", "-o", "-"]).expect(0);
    assert!(!converted.out.contains("manager"), "{}", converted.out);
    assert!(converted.out.contains("\"E1\""), "{}", converted.out);
}
