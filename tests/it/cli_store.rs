//! The store encrypted, rekeyed, kept short, and people forgotten: as an admin does it and reads it.

use std::fmt::Write as _;
use std::path::Path;

use serde_json::{Value, json};

use crate::cli_support::{
    GOOD, HEADER, Place, Ran, SOURCE, Stage, assert_counts, counted, of, offline,
};

const KEY: &str = "k1bUyIO0b0WnL1TQvZ9yE3mG7cR2hXqA5sDfJpNwVxk=";
const OTHER: &str = "c3f1a2b4059687d8e9fa0b1c2d3e4f5061728394a5b6c7d8e9f00112233445ff";

/// Gives `[store]` more lines.
fn store_says(place: &Place, lines: &str) {
    let config = place.read("scimport.toml");
    let begin = config.find("\n\n").unwrap();
    let store = format!("[store]\nurl = \"sqlite:scimport.db\"\n{lines}");
    place.write("scimport.toml", format!("{store}{}", &config[begin..]));
}

/// A place with both keys in files, and a store that somebody is in.
fn encrypted() -> Place {
    let place = offline(SOURCE, GOOD);
    place.write("store.key", format!("{KEY}\n"));
    place.write("other.key", OTHER);
    store_says(&place, "key = { file = \"store.key\" }");
    place.run(&["key", "create", "--source", "hr", "--expires", "90d"]).expect(0);
    place
}

/// Whether the database or its log has these bytes.
fn holds(place: &Place, needle: &str) -> bool {
    ["scimport.db", "scimport.db-wal"].iter().any(|name| {
        let bytes = std::fs::read(place.path(name)).unwrap_or_default();
        bytes.windows(needle.len()).any(|window| window == needle.as_bytes())
    })
}

/// What was typed, and what came of it.
fn transcript(place: &Place, commands: &[&[&str]]) -> String {
    let mut text = String::new();
    for arguments in commands {
        let Ran { code, out, err } = place.run(arguments);
        // the log begins with the time of day
        let err: String = err
            .lines()
            .filter(|line| !line.starts_with(|first: char| first.is_ascii_digit()))
            .fold(String::new(), |text, line| text + line + "\n");
        write!(text, "$ scimport {}\n{out}{err}[{code}]\n\n", arguments.join(" ")).unwrap();
    }
    let folder = place.path("");
    let real = std::fs::canonicalize(&folder).unwrap_or_else(|_| folder.clone());
    for path in [real.as_path(), folder.as_path()] {
        text = text.replace(&format!("{}{}", shown(path), std::path::MAIN_SEPARATOR), "/PLACE/");
    }
    text.trim_end().to_owned()
}

fn shown(path: &Path) -> String {
    path.display().to_string().trim_end_matches(std::path::MAIN_SEPARATOR).to_owned()
}

#[cfg(unix)]
#[test]
fn what_an_admin_reads_of_encryption() {
    use std::os::unix::fs::PermissionsExt as _;
    let place = encrypted();
    for name in ["store.key", "other.key", "workers.csv"] {
        let private = std::fs::Permissions::from_mode(0o600);
        std::fs::set_permissions(place.path(name), private).unwrap();
    }
    let rekey: &[&str] = &["store", "rekey"];
    let mut told = vec![];
    let mut then = |lines: &str, commands: &[&[&str]]| {
        store_says(&place, lines);
        told.push(format!("--- {lines}\n{}", transcript(&place, commands)));
    };
    then("key = { file = \"store.key\" }", &[rekey, &["store", "rekey", "--json"]]);
    then("", &[&["runs"], rekey, &["store", "rekey", "--plain", "--yes"]]);
    then("key = { file = \"other.key\" }", &[&["runs"], &["work"], rekey]);
    then("key = { env = \"NOWHERE\" }", &[&["runs"], &["check"]]);
    then("key = { file = \"workers.csv\" }", &[&["runs"]]);
    then(
        "key = { file = \"other.key\" }\nold_keys = [{ file = \"store.key\" }]",
        &[rekey, &["store", "rekey", "--plain", "--yes"]],
    );
    then(
        "old_keys = [{ file = \"other.key\" }]",
        &[
            &["work"],
            &["runs"],
            &["store", "rekey", "--plain"],
            &["store", "rekey", "--plain", "--yes"],
        ],
    );
    then("", &[&["runs"]]);
    place.write("weak.key", "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=");
    let private = std::fs::Permissions::from_mode(0o600);
    std::fs::set_permissions(place.path("weak.key"), private).unwrap();
    then("key = { file = \"weak.key\" }", &[&["check"]]);
    let told = told.join("\n\n");
    assert!(!told.contains(&KEY[..10]) && !told.contains(&OTHER[..10]), "{told}");
    insta::assert_snapshot!(told);
}

const PEOPLE: [(&str, &str); 4] =
    [("E1", "Ada Wolkenstein"), ("E2", "Ben Wolkenstein"), ("E3", "Cy Wolkenstein"), ("E4", "Di")];

/// Days of files: somebody joins, moves, leaves, comes back, and one row is wrong.
fn days() -> Vec<String> {
    let day = |rows: &[(usize, &str, &str)]| {
        let mut text = format!("{HEADER}\n");
        for (person, status, title) in rows {
            let (id, name) = PEOPLE[*person];
            let login = format!("{}@contoso.example", id.to_lowercase());
            let manager = if *person == 0 { "" } else { "E1" };
            writeln!(text, "{id},{login},{status},{name},{title},{manager},2020-01-01").unwrap();
        }
        text
    };
    vec![
        day(&[(0, "Active", "Chief"), (1, "Active", "Clerk"), (2, "Active", "Clerk")]),
        day(&[(0, "Active", "Chief"), (1, "Inactive", "Clerk"), (2, "Active", "Lead")]),
        day(&[(0, "Active", "Chief"), (1, "Inactive", "Clerk"), (2, "Sabbatical", "Lead")]),
        day(&[
            (0, "Active", "Boss"),
            (1, "Active", "Clerk"),
            (2, "Active", "Lead"),
            (3, "Active", "Clerk"),
        ]),
    ]
}

/// The directory without the ids that a directory makes up.
fn directory(stage: &Stage) -> Value {
    let mut users = stage.ask("directory");
    let users = users.as_array_mut().unwrap();
    for user in users.iter_mut() {
        user.as_object_mut().unwrap().remove("id");
    }
    users.sort_by_key(|user| user["externalId"].to_string());
    Value::Array(std::mem::take(users))
}

#[test]
fn days_over_an_encrypted_store_end_as_over_a_plain_one() {
    let [plain, sealed] = [Stage::quick(), Stage::quick()];
    sealed.place.write("store.key", KEY);
    sealed.place.write("other.key", OTHER);
    store_says(&sealed.place, "key = { file = \"store.key\" }");
    for (number, day) in days().iter().enumerate() {
        let wait = ["--wait", "outcome"];
        let [one, two] = [&plain, &sealed].map(|stage| {
            let ran = stage.apply(day, &wait);
            (ran.code, counted(&ran.json()), ran.json()["changes"].clone())
        });
        assert_eq!(one, two, "day {number}");
        assert_eq!(directory(&plain), directory(&sealed), "day {number}");
        let reports = [&plain, &sealed]
            .map(|stage| stage.run(&["report", "latest", "--format", "csv"]).expect(0).out);
        assert_eq!(reports[0], reports[1], "day {number}");
        // on the second night the key is changed
        if number == 1 {
            store_says(
                &sealed.place,
                "key = { file = \"other.key\" }\nold_keys = [{ file = \"store.key\" }]",
            );
            let done = sealed.run(&["store", "rekey", "--json"]).expect(0).json();
            assert_eq!((&done["rewritten"], &done["finished"]), (&json!(3), &json!(true)));
            store_says(&sealed.place, "key = { file = \"other.key\" }");
        }
    }
    assert!(holds(&plain.place, "Wolkenste"));
    assert!(!holds(&sealed.place, "Wolkenste"));
    // the log is as it may be while the program runs: it was not emptied for the looks above
    let history = sealed.run(&["record", "E2", "--json"]).expect(0).json();
    assert_eq!(history["history"].as_array().unwrap().len(), 3);
}

#[test]
fn a_file_of_yesterday_is_read_from_the_ledger_that_was_encrypted_meanwhile() {
    let stage = Stage::quick();
    let days = days();
    stage.apply(&days[0], &["--wait", "outcome"]).expect(0);
    assert!(holds(&stage.place, "Wolkenste"));
    stage.place.write("store.key", KEY);
    store_says(&stage.place, "key = { file = \"store.key\" }");
    let done = stage.run(&["store", "rekey", "--json"]).expect(0).json();
    assert_eq!((&done["rewritten"], &done["nothing_left_behind"]), (&json!(3), &json!(true)));
    assert!(!holds(&stage.place, "Wolkenste"));
    stage.place.write("workers.csv", &days[1]);
    let plan = stage.run(&["plan", "workers.csv", "--source", "hr", "--diff"]).expect(0);
    // the title alone is another, so what was there before has been read
    assert!(plan.out.contains("E3 mover\n  title: (hidden)"), "{plan:?}");
    assert!(!plan.out.contains("displayName"), "{plan:?}");
    assert!(!holds(&stage.place, "Wolkenste"));
}

/// A person who left is erased; the runs go on counting them, and the next file is told apart.
#[test]
fn what_an_admin_reads_of_forgetting_somebody() {
    let stage = Stage::new(
        crate::cli_support::quick(),
        &SOURCE.replace(
            "[source.hr.mapping]",
            "folder = { path = \"inbox\", pattern = \"*.csv\" }\n\n[source.hr.mapping]",
        ),
    );
    let place = &stage.place;
    let people = GOOD.replace(",Cy,", ",Cyrano,");
    place.write("inbox/done/yesterday.csv", &people);
    place.write("inbox/done/old.xlsx", b"PK\x03\x04");
    place.write("inbox/done/other.csv", "E30\n");
    let run = stage.apply(&people, &["--wait", "outcome"]).expect(0).json();
    let before = stage.run(&["status", "latest", "--json"]).expect(0).json();
    assert!(holds(place, "Cyrano"));

    let told = transcript(
        place,
        &[
            &["forget", "E3"],
            &["forget", "E1", "--yes"],
            &["forget", "E9", "--yes"],
            &["forget", "E3", "--target", "entra", "--yes"],
            &["forget", "E3", "--source", "hr", "--yes"],
            &["record", "E3"],
        ],
    );
    insta::assert_snapshot!(told);
    assert!(!holds(place, "Cyrano"));
    let after = stage.run(&["status", "latest", "--json"]).expect(0).json();
    assert_eq!(after, before);
    assert_counts(&after);
    let lines = stage.run(&["status", "latest", "--json", "--operations"]).expect(0);
    assert_eq!(lines.json_lines().len(), 2, "of 3 people in run {}", run["run"]);

    // whoever is in the next file is somebody new, and Entra knows the account by its id
    let next = stage.apply(&format!("{people}\n"), &["--wait", "outcome"]).json();
    assert_eq!(next["changes"]["joiner"], json!(1));
    let done = stage.run(&["forget", "E1", "--yes", "--even-active", "--json"]).expect(0).json();
    assert_eq!((&done["operations"], &done["record"]), (&json!(1), &json!(true)));
    assert_eq!(done["files"].as_array().unwrap().len(), 1);
}

/// A value that lies under the right key and is broken is found, although nothing is to be written.
#[test]
fn rekeying_reads_what_lies_as_it_should() {
    let stage = Stage::quick();
    stage.place.write("store.key", KEY);
    store_says(&stage.place, "key = { file = \"store.key\" }");
    stage.apply(GOOD, &["--wait", "outcome"]).expect(0);
    let done = stage.run(&["store", "rekey", "--json"]).expect(0).json();
    assert_eq!((&done["read"], &done["rewritten"]), (&json!(3), &json!(0)));
    let raw = rusqlite::Connection::open(stage.place.path("scimport.db")).unwrap();
    let flip = "UPDATE records
        SET resource = CAST(substr(resource, 1, 40) || x'ff' || substr(resource, 42) AS BLOB)
        WHERE external_id = 'E2'";
    assert_eq!(raw.execute(flip, []).unwrap(), 1);
    let ran = stage.run(&["store", "rekey"]).expect(1);
    assert!(
        ran.err.contains("`records.resource` of E2 is not what was encrypted there"),
        "{ran:?}"
    );
    assert!(!ran.out.contains("everything"), "{ran:?}");
}

/// Whoever brings the store under a key is in the trail with the config that names the key.
#[test]
fn a_new_key_is_a_change_of_the_config_when_it_is_first_used() {
    let place = offline(SOURCE, GOOD);
    place.run(&["key", "create", "--source", "hr", "--expires", "90d"]).expect(0);
    place.write("store.key", KEY);
    store_says(&place, "key = { file = \"store.key\" }");
    place.run(&["store", "rekey"]).expect(0);
    let lines = place.run(&["audit", "export"]).expect(0).json_lines();
    let told: Vec<(&Value, &Value)> =
        lines[2..4].iter().map(|line| (&line["action"], &line["details"]["changed"])).collect();
    let expected =
        [(json!("config.changed"), json!(["store.key"])), (json!("store.encrypted"), Value::Null)];
    assert_eq!(told, [(&expected[0].0, &expected[0].1), (&expected[1].0, &expected[1].1)]);
}

#[test]
fn nobody_is_forgotten_while_something_of_theirs_is_on_its_way() {
    let stage = Stage::new(crate::cli_support::by_hand(), SOURCE);
    stage.apply(GOOD, &["--wait", "none"]).expect(0);
    let ran = stage.run(&["forget", "E3", "--yes"]).expect(1);
    assert!(ran.err.contains("is queued in target `entra`"), "{ran:?}");
    assert!(ran.err.contains("scimport work --until settled"), "{ran:?}");
    let runs = stage.run(&["runs", "--json"]).expect(0).json();
    assert_eq!(counted(&runs[0]), of(&[("queued", 3)]));
}
