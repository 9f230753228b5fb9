//! `schema`: what an admin reads, for everything that a job's schema may be.

use std::fmt::Write as _;

use scimport::mock_entra::MockConfig;
use serde_json::{Value, json};

use crate::cli_support::{Ran, Stage};
use crate::schema_support::{CUSTOM, SOURCE, writable};

/// A second source that writes one attribute of the first as something else, and others of its own.
const PAYROLL: &str = r#"
[source.payroll]
target = "entra"

[source.payroll.mapping]
externalId = "Id"
active = { from = "Status", map = { Active = true, Left = false } }
"urn:contoso:hr:1.0:User:Level" = "Grade"
"urn:contoso:hr:1.0:User:CostUnit" = "Unit"
"urn:contoso:hr:1.0:User:Bonus" = { from = "Bonus", type = "integer" }
"#;

fn stage() -> Stage {
    Stage::new(writable(), SOURCE)
}

/// What somebody sees, without what differs from run to run.
fn seen(ran: &Ran) -> String {
    let text = format!("exit {}\n--- out\n{}--- err\n{}", ran.code, ran.out, ran.err);
    let id = regex::Regex::new("request-id `[^`]+`").unwrap();
    let text = id.replace_all(&text, "request-id `ID`").replace("scimport.exe", "scimport");
    // the log has the time in it
    let lines: Vec<&str> = text.lines().filter(|line| !line.contains(" INFO ")).collect();
    lines.join("\n")
}

/// Changes the job's schema behind the program's back.
fn change(stage: &Stage, change: impl FnOnce(&mut Value)) {
    let mut schema = stage.ask("schema");
    change(&mut schema);
    stage.tell("schema", &schema);
}

fn add(schema: &mut Value, attribute: Value) {
    let attributes = &mut schema["directories"][0]["objects"][0]["attributes"];
    attributes.as_array_mut().unwrap().push(attribute);
}

#[test]
fn diff_says_what_does_not_arrive() {
    let stage = Stage::new(writable(), &format!("{SOURCE}{PAYROLL}"));
    change(&stage, |schema| {
        add(schema, json!({"name": "urn:contoso:hr:1.0:User:costunit", "type": "String"}));
        add(schema, json!({"name": "urn:contoso:hr:1.0:User:Bonus", "type": "String"}));
        add(schema, json!({"name": "urn:contoso:hr:1.0:User:Badge", "type": "string"}));
        add(schema, json!({"name": "urn:contoso:old:1.0:User:Locker", "type": "String"}));
    });
    insta::assert_snapshot!("diff", seen(&stage.run(&["schema", "diff", "entra"])));
    let document = stage.run(&["schema", "diff", "entra", "--json"]).expect(3).json();
    insta::assert_json_snapshot!("diff_json", document);
    assert!(!stage.place.names().contains(&"scimport.db".to_owned()), "a look needs no store");
}

#[test]
fn push_asks_for_a_yes_shows_adds_and_keeps_what_was_before() {
    let stage = stage();
    let before = stage.ask("schema");
    insta::assert_snapshot!(
        "push_dry_run",
        seen(&stage.run(&["schema", "push", "entra", "--dry-run"]))
    );
    insta::assert_snapshot!(
        "push_without_terminal",
        seen(&stage.run(&["schema", "push", "entra"]))
    );
    assert_eq!(stage.ask("schema"), before);
    assert_eq!(stage.ask("schema/puts"), json!([]));
    let pushed = stage.run(&["schema", "push", "entra", "--yes", "--backup", "before.json"]);
    insta::assert_snapshot!("push", seen(&pushed));
    let backup: Value = serde_json::from_str(&stage.place.read("before.json")).unwrap();
    assert_eq!(backup, before);
    insta::assert_snapshot!("diff_after_push", seen(&stage.run(&["schema", "diff", "entra"])));
    insta::assert_snapshot!("push_again", seen(&stage.run(&["schema", "push", "entra", "--yes"])));
    assert_eq!(stage.ask("schema/puts").as_array().unwrap().len(), 1, "nothing was sent again");
    let attributes = stage.ask("schema")["directories"][0]["objects"][0]["attributes"].clone();
    for (name, kind) in CUSTOM {
        let found = attributes.as_array().unwrap().iter().filter(|known| known["name"] == name);
        let kinds: Vec<_> = found.map(|known| known["type"].clone()).collect();
        assert_eq!(kinds, [json!(kind)]);
    }
}

#[test]
fn a_backup_is_private_and_never_overwrites() {
    let stage = stage();
    stage.place.write("before.json", "mine");
    let ran = stage.run(&["schema", "push", "entra", "--yes", "--backup", "before.json"]);
    insta::assert_snapshot!("push_backup_exists", seen(&ran));
    assert_eq!(stage.place.read("before.json"), "mine");
    stage.run(&["schema", "push", "entra", "--yes"]).expect(0);
    let names = stage.place.names();
    let backup = names.iter().find(|name| name.starts_with("schema-entra-20")).unwrap();
    assert!(backup.ends_with("Z.json"), "{backup}");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(stage.place.path(backup)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}

#[test]
fn restore_shows_what_it_changes_and_puts_it_back() {
    let stage = stage();
    let before = stage.ask("schema");
    stage.run(&["schema", "push", "entra", "--yes", "--backup", "before.json"]).expect(0);
    change(&stage, |schema| schema["synchronizationRules"][0]["priority"] = json!(7));
    let restore = ["schema", "restore", "entra", "--from", "before.json"];
    insta::assert_snapshot!("restore_without_terminal", seen(&stage.run(&restore)));
    let more = ["--yes", "--backup", "pushed.json"];
    insta::assert_snapshot!("restore", seen(&stage.run(&[&restore[..], &more].concat())));
    let mut after = stage.ask("schema");
    after["version"] = before["version"].clone();
    assert_eq!(after, before);
    let pushed: Value = serde_json::from_str(&stage.place.read("pushed.json")).unwrap();
    assert_eq!(pushed["synchronizationRules"][0]["priority"], 7);
    insta::assert_snapshot!("restore_again", seen(&stage.run(&restore)));
    let more = ["--from", "pushed.json", "--yes", "--backup", "b.json", "--json"];
    let document =
        stage.run(&[&["schema", "restore", "entra"], &more[..]].concat()).expect(0).json();
    insta::assert_json_snapshot!("restore_json", document);
}

#[test]
fn documents_of_a_push() {
    let stage = stage();
    let dry = stage.run(&["schema", "push", "entra", "--dry-run", "--json"]).expect(0).json();
    assert_eq!(
        (&dry["pushed"], &dry["backup"], &dry["added"]),
        (&json!(false), &json!(null), &json!([]))
    );
    assert_eq!(dry["missing"].as_array().unwrap().len(), CUSTOM.len());
    let words = ["schema", "push", "entra", "--yes", "--backup", "before.json", "--json"];
    insta::assert_json_snapshot!("push_json", stage.run(&words).expect(0).json());
}

#[test]
fn what_goes_wrong_says_what_to_do() {
    let push = ["schema", "push", "entra", "--yes", "--backup", "before.json"];
    let mut told = String::new();
    let mut tell = |name: &str, ran: &Ran| writeln!(told, "=== {name}\n{}", seen(ran)).unwrap();

    let no_write = MockConfig { roles: vec!["Synchronization.Read.All".to_owned()], ..writable() };
    tell("may read and not write", &Stage::new(no_write, SOURCE).run(&push));
    let no_read =
        MockConfig { roles: vec!["SynchronizationData-User.Upload".to_owned()], ..writable() };
    tell("may not read", &Stage::new(no_read, SOURCE).run(&["schema", "diff", "entra"]));
    for fault in [
        "schema-change:2",
        "schema-refused:1",
        "schema-error:1",
        "schema-ignored:1",
        "schema-broken:1",
    ] {
        let stage = stage();
        stage.tell("faults", &json!([fault]));
        tell(fault, &stage.run(&push));
    }
    let stage = stage();
    change(&stage, |schema| schema["synchronizationRules"] = json!([]));
    tell("no rule", &stage.run(&push));
    stage.tell("schema", &json!({"directories": 7}));
    tell("no rule and no directory", &stage.run(&push));
    told_of_directories(&self::stage(), &mut tell);
    told_of_backups(&self::stage(), &mut tell);
    tell("no such target", &stage.run(&["schema", "diff", "elsewhere"]));
    stage.place.write("other.json", "{\"directories\": [");
    tell("no backup", &stage.run(&["schema", "restore", "entra", "--from", "other.json", "--yes"]));
    tell("no file", &stage.run(&["schema", "restore", "entra", "--from", "none.json", "--yes"]));
    assert!(!stage.place.names().iter().any(|name| name.ends_with("Z.json")));
    insta::assert_snapshot!("faults", told);
}

/// Backups that are none of this job, and an answer of Graph's that is as odd.
fn told_of_backups(stage: &Stage, tell: &mut impl FnMut(&str, &Ran)) {
    let schema = stage.ask("schema");
    let mut restore = |name: &str, text: &str| {
        stage.place.write("backup.json", text);
        tell(name, &stage.run(&["schema", "restore", "entra", "--from", "backup.json", "--yes"]));
    };
    let mut other = schema.clone();
    other.as_object_mut().unwrap().remove("id");
    restore("a backup of nobody knows what", &other.to_string());
    other["id"] = json!("API2AAD.other\u{1b}[2J");
    restore("a backup of another job", &other.to_string());
    restore("a list", "[1, 2]");
    let doubled =
        schema.to_string().replacen("\"readOnly\":", "\"readOnly\":true,\"readOnly\":", 1);
    restore("a member twice in the backup", &doubled);
    stage.place.write("doubled.json", &doubled);
    assert_eq!(stage.ask("schema/puts"), json!([]));
}

fn told_of_directories(stage: &Stage, tell: &mut impl FnMut(&str, &Ran)) {
    let push = ["schema", "push", "entra", "--yes", "--backup", "before.json"];
    change(stage, |schema| schema["directories"][0]["readOnly"] = json!(true));
    tell("read-only directory", &stage.run(&push));
    change(stage, |schema| schema["directories"][0]["name"] = json!("Api"));
    tell("no such directory", &stage.run(&push));
    change(stage, |schema| {
        schema["directories"][0]["name"] = json!("API");
        let mut other = schema["synchronizationRules"][0].clone();
        other["sourceDirectoryName"] = json!("Microsoft Entra ID");
        schema["synchronizationRules"].as_array_mut().unwrap().push(other);
    });
    tell("several sources", &stage.run(&["schema", "diff", "entra"]));
    tell("another directory", &stage.run(&["schema", "diff", "entra", "--directory", "X"]));
    let asked =
        stage.run(&["schema", "diff", "entra", "--directory", "API", "--json"]).expect(3).json();
    assert_eq!(asked["directory"], "API");
}

#[test]
fn a_schema_beyond_the_ceiling_is_told() {
    let stage = stage();
    change(&stage, |schema| schema["padding"] = json!("x".repeat(9 * 1024 * 1024)));
    let ran = stage.run(&["schema", "diff", "entra"]);
    insta::assert_snapshot!("too_long", seen(&ran));
    stage.place.write("large.json", "x".repeat(9 * 1024 * 1024));
    let ran = stage.run(&["schema", "restore", "entra", "--from", "large.json", "--yes"]).expect(1);
    assert!(ran.err.contains("it is longer than 8388608 bytes"), "{}", ran.err);
}
