//! What is typed: help, usage, where the config comes from, and how the log looks.

use scimport::mock_entra::CLIENT_SECRET;
use serde_json::Value;

use crate::cli_support::{GOOD, Place, SECRET_VARIABLE, SOURCE, Stage, config, offline, ran};

const COMMANDS: [&str; 23] = [
    "demo",
    "check",
    "doctor",
    "convert",
    "plan",
    "apply",
    "work",
    "approve",
    "cancel",
    "retry",
    "runs",
    "status",
    "record",
    "report",
    "forget",
    "store",
    "key",
    "audit",
    "schema",
    "secret",
    "alerts",
    "import-mapping",
    "mock-entra",
];

/// Commands of a command.
const SUBCOMMANDS: [[&str; 2]; 15] = [
    ["store", "rekey"],
    ["secret", "set"],
    ["secret", "list"],
    ["secret", "rotate"],
    ["secret", "remove"],
    ["key", "create"],
    ["key", "list"],
    ["key", "rotate"],
    ["key", "revoke"],
    ["alerts", "test"],
    ["audit", "verify"],
    ["audit", "export"],
    ["schema", "diff"],
    ["schema", "push"],
    ["schema", "restore"],
];

/// Every command, as words.
fn commands() -> impl Iterator<Item = Vec<&'static str>> {
    let subcommands = SUBCOMMANDS.into_iter().map(Vec::from);
    COMMANDS.into_iter().map(|command| vec![command]).chain(subcommands)
}

fn help(arguments: &[&str]) -> String {
    let ran = Place::new().run(arguments).expect(0);
    assert_eq!(ran.err, "");
    ran.out.replace("scimport.exe", "scimport")
}

#[test]
fn every_command_has_a_help_with_an_example() {
    let overview = help(&["--help"]);
    for command in COMMANDS {
        assert!(overview.contains(&format!("\n  {command}")), "{command} in\n{overview}");
    }
    for command in commands() {
        let text = help(&[command.as_slice(), &["--help"]].concat());
        let (_, example) = text.split_once("Example:\n").unwrap_or_else(|| panic!("{text}"));
        assert!(example.contains(&format!("  scimport {}", command.join(" "))), "{text}");
        insta::assert_snapshot!(format!("help_{}", command.join("_")), text);
    }
    insta::assert_snapshot!("help", overview);
}

#[test]
fn every_example_of_a_help_is_understood() {
    for command in commands() {
        let text = help(&[command.as_slice(), &["--help"]].concat());
        let (_, examples) = text.split_once("Example:\n").unwrap();
        let lines = examples.lines().filter_map(|line| line.trim().strip_prefix("scimport "));
        for line in lines {
            // what stands after a pipe, an arrow or a hash is the shell's
            let typed = line.split(['|', '<', '>', '#']).next().unwrap();
            let mut words: Vec<&str> = typed.split_whitespace().collect();
            words.push("--help");
            Place::new().run(&words).expect(0);
        }
    }
}

#[test]
fn wrong_usage_is_2_and_says_what_is_right() {
    let place = offline(SOURCE, GOOD);
    for (arguments, words) in [
        (&["aply"][..], "'apply'"),
        (&["apply", "workers.csv"], "--source"),
        (&["apply", "--source", "hr"], "<FILE>"),
        (&["apply", "workers.csv", "--source", "hr", "--wait", "ever"], "outcome"),
        (&["apply", "workers.csv", "--source", "hr", "--timeout", "soon"], "1h 30m"),
        (&["apply", "workers.csv", "--source", "hr", "--timeout=-5s"], "negative"),
        (&["status", "--operations"], "<RUN>"),
        (&["plan", "workers.csv", "--source", "hr", "--show-values"], "--diff"),
        (&["report", "latest", "--format", "pdf"], "csv"),
        (&["work", "--until", "later"], "settled"),
        (&["demo", "--records", "3"], "10"),
        (&["runs", "-q", "-v"], "--verbose"),
        (&["runs", "--log-format", "xml"], "json"),
    ] {
        let ran = place.run(arguments).expect(2);
        assert_eq!(ran.out, "", "{arguments:?}");
        assert!(ran.err.contains(words), "{arguments:?}: {}", ran.err);
    }
    assert_eq!(place.names(), ["scimport.toml", "workers.csv"]);
    Place::new().run(&[]).expect(2);
}

#[test]
fn without_a_config_the_way_out_is_told() {
    let ran = Place::new().run(&["check"]).expect(2);
    assert!(ran.err.contains("--config") && ran.err.contains("SCIMPORT_CONFIG"), "{}", ran.err);
    // a way out has to exist
    for command in ran.err.split("`scimport ").skip(1) {
        let word = command.split([' ', '`']).next().unwrap();
        assert!(COMMANDS.contains(&word), "`scimport {word}` does not exist: {}", ran.err);
    }
}

#[test]
fn config_mistakes_are_2_with_line_caret_and_suggestion_for_every_command() {
    let place = offline(SOURCE, GOOD);
    let text = place.read("scimport.toml").replace("tracking =", "trakcing =");
    place.write("scimport.toml", text);
    let record: &[&str] = &["record", "E1"];
    for arguments in [
        &["check"][..],
        &["convert", "workers.csv", "--source", "hr"],
        &["plan", "workers.csv", "--source", "hr"],
        &["apply", "workers.csv", "--source", "hr"],
        &["work"],
        &["runs"],
        &["status"],
        &["report", "latest"],
        record,
    ] {
        let ran = place.run(arguments).expect(2);
        assert_eq!(ran.out, "", "{arguments:?}");
        assert!(ran.err.contains("scimport.toml, line 12: unknown key `trakcing`"), "{}", ran.err);
        assert!(ran.err.contains("^^^^^^^^"), "{}", ran.err);
        assert!(ran.err.contains("did you mean `tracking`?"), "{}", ran.err);
    }
    assert_eq!(place.names(), ["scimport.toml", "workers.csv"]);
}

#[test]
fn mapping_mistakes_are_config_mistakes_all_told_at_once() {
    let source = SOURCE.replace("displayName", "displayNmae").replace("title =", "titel =");
    let place = offline(&source, GOOD);
    let ran = place.run(&["check"]).expect(2);
    assert!(ran.err.contains("did you mean `displayName`?"), "{}", ran.err);
    assert!(ran.err.contains("did you mean `title`?"), "{}", ran.err);
    assert!(ran.err.contains("2 mistakes"), "{}", ran.err);
    assert!(ran.err.contains("^^^"), "{}", ran.err);
}

#[test]
fn an_unknown_source_is_2_and_nothing_is_stored() {
    let place = offline(SOURCE, GOOD);
    for command in ["apply", "plan", "convert"] {
        let ran = place.run(&[command, "workers.csv", "--source", "hrr"]).expect(2);
        assert!(ran.err.contains("no source `hrr`"), "{}", ran.err);
        assert_eq!(ran.out, "");
        assert_eq!(place.names(), ["scimport.toml", "workers.csv"], "{command}");
    }
}

#[test]
fn a_missing_secret_is_2_names_the_variable_and_nothing_is_stored() {
    let place = offline(SOURCE, GOOD);
    for arguments in [
        &["apply", "workers.csv", "--source", "hr"][..],
        &["apply", "workers.csv", "--source", "hr", "--json", "--wait", "outcome"],
        &["check"],
    ] {
        let ran = place.run(arguments).expect(2);
        assert!(ran.err.contains(SECRET_VARIABLE), "{}", ran.err);
        assert_eq!(ran.out.matches("is right").count(), 0, "{}", ran.out);
        assert_eq!(place.names(), ["scimport.toml", "workers.csv"], "{arguments:?}");
    }
    // an empty secret is none
    let mut command = place.command();
    let empty = command.env(SECRET_VARIABLE, "").args(["apply", "workers.csv", "--source", "hr"]);
    ran(empty).expect(2);
}

#[test]
fn check_says_what_it_looked_at_without_a_network_or_a_store() {
    let place = offline(SOURCE, GOOD);
    let mut command = place.command();
    let done = ran(command.env(SECRET_VARIABLE, CLIENT_SECRET).arg("check")).expect(0);
    assert!(
        done.out.contains("target `entra`") && done.out.contains("source `hr`"),
        "{}",
        done.out
    );
    assert_eq!(place.names(), ["scimport.toml", "workers.csv"]);
}

#[test]
fn the_config_is_found_in_the_order_argument_variable_folder() {
    let place = offline(SOURCE, GOOD);
    let named = |name: &str| config("http://127.0.0.1:9", &SOURCE.replace("source.hr", name));
    place.write("other/b.toml", named("source.from-variable"));
    place.write("other/c.toml", named("source.from-argument"));
    let sources = |variable: Option<&str>, arguments: &[&str]| {
        let mut command = place.command();
        command.env(SECRET_VARIABLE, CLIENT_SECRET);
        if let Some(variable) = variable {
            command.env("SCIMPORT_CONFIG", variable);
        }
        ran(command.arg("check").args(arguments)).expect(0).out
    };
    assert!(sources(None, &[]).contains("source `hr`"));
    assert!(sources(Some("other/b.toml"), &[]).contains("source `from-variable`"));
    let out = sources(Some("other/b.toml"), &["--config", "other/c.toml"]);
    assert!(out.contains("source `from-argument`"), "{out}");
    assert!(sources(Some(""), &[]).contains("source `hr`"));
}

#[test]
fn paths_in_the_config_start_at_the_config_and_arguments_at_the_working_directory() {
    let stage = Stage::quick();
    let text = stage.place.read("scimport.toml");
    stage.place.write("etc/hr.toml", text.replace("sqlite:scimport.db", "sqlite:hr.db"));
    stage.place.write("inbox/workers.csv", GOOD);
    let arguments =
        ["apply", "inbox/workers.csv", "--source", "hr", "--config", "etc/hr.toml", "--json"];
    let document = stage.run(&arguments).expect(0).json();
    assert_eq!(document["file"], "workers.csv", "the name without folders");
    assert!(stage.place.path("etc/hr.db").is_file());
    assert!(!stage.place.path("scimport.db").exists() && !stage.place.path("hr.db").exists());
    stage
        .run(&["convert", "inbox/workers.csv", "--source", "hr", "--config", "etc/hr.toml"])
        .expect(0);
    assert!(stage.place.path("workers-bulk/bulk-00001.json").is_file());
}

#[test]
fn a_variable_overrides_a_key() {
    let stage = Stage::quick();
    stage.place.write("workers.csv", GOOD);
    let apply = ["apply", "workers.csv", "--source", "hr"];
    let mut command = stage.command();
    command.env("SCIMPORT__STORE__URL", "sqlite:elsewhere.db").args(apply);
    ran(&mut command).expect(0);
    assert!(stage.place.path("elsewhere.db").is_file());
    assert!(!stage.place.path("scimport.db").exists());
    let mut command = stage.command();
    command.env("SCIMPORT__TARGET__ENTRA__CLIENT_IDD", "hunter2").args(apply);
    let wrong = ran(&mut command).expect(2);
    assert!(wrong.err.contains("SCIMPORT__TARGET__ENTRA__CLIENT_IDD"), "{}", wrong.err);
    assert!(!wrong.err.contains("hunter2"), "{}", wrong.err);
}

#[test]
fn no_colour_code_is_written_where_nobody_watches() {
    let stage = Stage::quick();
    stage.place.write("workers.csv", GOOD);
    let mut command = stage.command();
    command.args(["apply", "workers.csv", "--source", "hr", "-vv"]);
    let plain = ran(&mut command).expect(0);
    let mut command = stage.command();
    command.env("NO_COLOR", "1").args(["work", "-vv"]);
    let without = ran(&mut command).expect(0);
    for text in [plain.out, plain.err, without.out, without.err] {
        assert!(!text.contains('\u{1b}'), "{text:?}");
    }
}

/// The log lines among the words on standard error.
fn log_lines(err: &str) -> Vec<Value> {
    let lines = err.lines().filter(|line| line.starts_with('{'));
    lines.map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}"))).collect()
}

#[test]
fn a_json_log_line_is_one_object_with_time_level_and_message() {
    let stage = Stage::quick();
    stage.place.write("workers.csv", GOOD);
    let arguments = ["apply", "workers.csv", "--source", "hr", "--wait", "outcome", "--json"];
    let mut command = stage.command();
    command.args(arguments).args(["-vv", "--log-format", "json"]);
    let ran = ran(&mut command).expect(0);
    ran.json();
    let lines = log_lines(&ran.err);
    assert!(lines.len() > 3, "{}", ran.err);
    for line in &lines {
        for member in ["timestamp", "level", "message"] {
            assert!(line[member].is_string(), "{line}");
        }
    }
    let committed = lines.iter().find(|line| line["message"] == "run committed").unwrap();
    assert!(committed["run.id"].is_string() && committed["rows"] == 3, "{committed}");
    assert!(lines.iter().any(|line| line["level"] == "DEBUG"));
    // no log line in the other form slips through
    for word in [" INFO ", " DEBUG ", " WARN "] {
        assert!(!ran.err.contains(word), "{}", ran.err);
    }
}

#[test]
fn quiet_says_only_what_is_wrong_and_verbose_says_more() {
    let stage = Stage::quick();
    let apply = |name: &str, more: &[&str]| {
        stage.place.write(name, GOOD.replace("Chief", name));
        let mut arguments = vec!["apply", name, "--source", "hr", "--json"];
        arguments.extend(more);
        stage.run(&arguments).expect(0).err
    };
    let usual = apply("a.csv", &[]);
    assert!(usual.contains("INFO run committed") && !usual.contains("DEBUG"), "{usual}");
    assert!(apply("b.csv", &["-v"]).contains("DEBUG"));
    assert_eq!(apply("c.csv", &["-q"]), "");
    let again = stage.run(&["apply", "c.csv", "--source", "hr", "--json", "-q"]).expect(0);
    assert_eq!(again.err, "");
    let converted = stage.run(&["convert", "c.csv", "--source", "hr", "-q"]).expect(0);
    assert_eq!(converted.err, "");
    let report = stage.run(&["report", "latest", "-o", "r.csv", "-q"]).expect(0);
    assert_eq!(report.err, "");
    let missing = stage.run(&["apply", "d.csv", "--source", "hr", "-q"]).expect(1);
    assert!(missing.err.contains("error: d.csv: "), "{}", missing.err);
}
