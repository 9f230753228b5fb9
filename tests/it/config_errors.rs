//! What is wrong with a config is told all at once, with line, caret and a way out.

use std::path::Path;

use scimport::config::Config;

use crate::config_reading::SMALL;

fn problems(text: &str) -> String {
    match Config::parse(text, Path::new("."), []) {
        Ok(_) => "no problem".to_owned(),
        Err(errors) => errors.to_string(),
    }
}

/// The small config with further lines in its target.
fn with_target(lines: &str) -> String {
    SMALL.replace("job_id = \"j\"", &format!("job_id = \"j\"\n{lines}"))
}

/// The small config with further lines in its source.
fn with_source(lines: &str) -> String {
    SMALL.replace("target = \"entra\"", &format!("target = \"entra\"\n{lines}"))
}

/// The small config with further lines in its mapping.
fn with_mapping(lines: &str) -> String {
    format!("{SMALL}{lines}")
}

#[test]
#[expect(clippy::too_many_lines, reason = "one config and everything that is said of it")]
fn all_mistakes_are_told_at_once() {
    let text = r#"[target.entra]
tenant_id = "t"
client_id = 5
burts = "40/5s"
cloud = "publik"
burst = "forty"
daily_calls = 0
tracking = { first_poll = "-5m", poll = "0s", pol = "1s" }
credential = { client_secret = { env = "S" } }

[source.hr]
target = "entre"
format = "xslx"
export = "ful"
time_zone = "Europe/Berln"
csv = { delimiter = ";;", encoding = "windows-125", header_row = "1", quote = "x" }
rows = { pick = "newest", by = ["x"] }
guard = { max_leaver = "5%" }

[source.hr.mapping]
active = true
userName = { from = "U", case = "lowr", paf = 8 }

[sources.x]
"#;
    insta::assert_snapshot!(problems(text), @r#"
    scimport.toml, line 1: `[target.entra]` needs `service_principal_id`
      1 | [target.entra]
        |         ^^^^^
    scimport.toml, line 1: `[target.entra]` needs `job_id`
      1 | [target.entra]
        |         ^^^^^
    scimport.toml, line 3: `client_id` has to be text in quotes, found a whole number
      3 | client_id = …
        | ^^^^^^^^^
    scimport.toml, line 4: unknown key `burts` in `[target.entra]`
      4 | burts = …
        | ^^^^^
      hint: did you mean `burst`?
    scimport.toml, line 5: `cloud` has to be `public`, `usgov`, `dod` or `china`
      5 | cloud = "publik"
        |         ^^^^^^^^
      hint: did you mean `public`?
    scimport.toml, line 6: `burst` is no number of calls and length of time
      6 | burst = "forty"
        |         ^^^^^^^
      hint: write it like `40/5s`: so many calls in so long a time
    scimport.toml, line 7: `daily_calls` has to be from 1 to 4294967295
      7 | daily_calls = 0
        |               ^
    scimport.toml, line 8: `first_poll` is no length of time
      8 | tracking = { first_poll = "-5m" …
        |                           ^^^^^
      hint: write it like `30s`, `5m 30s` or `500ms`
    scimport.toml, line 8: `poll` has to be longer than nothing
      8 | tracking = { first_poll = …, poll = "0s" …
        |                                     ^^^^
    scimport.toml, line 8: unknown key `pol` in `tracking` of `[target.entra]`
      8 | tracking = { first_poll = …, poll = …, pol = …
        |                                        ^^^
      hint: did you mean `poll`?
    scimport.toml, line 12: `target` names no target of this config
      12 | target = "entre"
         |          ^^^^^^^
      hint: did you mean `entra`?
    scimport.toml, line 13: `format` has to be `csv`, `xlsx` or `json`
      13 | format = "xslx"
         |          ^^^^^^
      hint: did you mean `xlsx`?
    scimport.toml, line 14: `export` has to be `full` or `changes`
      14 | export = "ful"
         |          ^^^^^
      hint: did you mean `full`?
    scimport.toml, line 15: `time_zone` is no time zone of the IANA database
      15 | time_zone = "Europe/Berln"
         |             ^^^^^^^^^^^^^^
      hint: did you mean `Europe/Berlin`?
    scimport.toml, line 16: `delimiter` has to be `auto` or one ASCII character other than a quote
      16 | csv = { delimiter = ";;" …
         |                     ^^^^
      hint: a tab is written "\t", in double quotes
    scimport.toml, line 16: `encoding` is no encoding that is known here
      16 | csv = { delimiter = …, encoding = "windows-125" …
         |                                   ^^^^^^^^^^^^^
      hint: did you mean `windows-1250`?
    scimport.toml, line 16: `header_row` has to be a whole number, found text
      16 | csv = { delimiter = …, encoding = …, header_row = …
         |                                      ^^^^^^^^^^
    scimport.toml, line 16: `quote` has to be `auto`, `none` or one ASCII punctuation mark
      16 | csv = { delimiter = …, encoding = …, header_row = …, quote = "x" …
         |                                                              ^^^
      hint: a double quote is written '"', in single quotes
    scimport.toml, line 17: `pick` has to be `first`, `last` or `error`
      17 | rows = { pick = "newest" …
         |                 ^^^^^^^^
    scimport.toml, line 17: `by` has to be a column in quotes or a table with `column` and `date`, found a list
      17 | rows = { pick = …, by = …
         |                    ^^
    scimport.toml, line 18: unknown key `max_leaver` in `guard` of `[source.hr]`
      18 | guard = { max_leaver = …
         |           ^^^^^^^^^^
      hint: did you mean `max_leavers`?
    scimport.toml, line 21: `active` has to be a column in quotes or a table of rules, found a boolean
      21 | active = …
         | ^^^^^^
      hint: a value for everybody is written `{ const = … }`
    scimport.toml, line 22: `case` has to be `lower`, `upper` or `title`
      22 | userName = { from = …, case = "lowr" …
         |                               ^^^^^^
      hint: did you mean `lower`?
    scimport.toml, line 22: unknown key `paf` in `userName` of `[source.hr.mapping]`
      22 | userName = { from = …, case = …, paf = …
         |                                  ^^^
      hint: did you mean `pad`?
    scimport.toml, line 24: unknown key `sources` in the config
      24 | [sources …
         |  ^^^^^^^
      hint: did you mean `source`?
    "#);
}

#[test]
fn a_folder_is_watched_for_one_source_only() {
    let again = "folder = [{ path = \"inbox\" }, { path = \"x/../inbox/\" }]";
    let text = problems(&with_source(again));
    assert!(text.contains("this folder is watched already, for source `hr`"), "{text}");
    let other = SMALL.replace("[source.hr", "[source.pay");
    let other = &other[other.find("[source.pay]").expect("a source")..];
    let two = format!("{}{other}", with_source("folder = { path = \"inbox\" }"));
    let two = two.replacen("[source.pay]", "[source.pay]\nfolder = { path = \"./inbox\" }", 1);
    let text = problems(&two);
    assert!(text.contains("this folder is watched already, for source `hr`"), "{text}");
}

#[test]
fn a_schedule_says_which_field_of_its_times_is_wrong() {
    let hour = "time_zone = \"UTC\"\nschedule = { cron = \"0 25 * * *\", file = \"w.csv\" }";
    insta::assert_snapshot!(problems(&with_source(hour)), @r#"
    scimport.toml, line 12: `cron` has an odd hour: `25`
      12 | schedule = { cron = "0 25 * * *" …
         |                     ^^^^^^^^^^^^
      hint: hour: 0 to 23; `*` is any, `1-5` a range, `*/15` a step
    "#);
    let never = problems(&with_source("schedule = { cron = \"0 5 30 2 *\", file = \"w.csv\" }"));
    assert!(never.contains("`cron` is a time that never comes"), "{never}");
    assert!(never.contains("needs `time_zone`, because the source has none"), "{never}");
}

#[test]
fn a_scheduled_file_is_not_watched_as_well_and_what_is_fetched_has_no_name() {
    let both = "time_zone = \"UTC\"\nfolder = { path = \"in\", pattern = \"*.csv\" }\n\
                schedule = { cron = \"0 5 * * *\", file = \"./in/w.csv\" }";
    insta::assert_snapshot!(problems(&with_source(both)), @r#"
    scimport.toml, line 13: the file of `schedule` lies in a folder that is watched
      13 | schedule = …
         | ^^^^^^^^
      hint: let one of them take it: to be told when it does not come, give `folder` an `expected`
    "#);
    let named = "time_zone = \"UTC\"\nas_of = { name = \"w-%Y%m%d.csv\" }\n\
                 schedule = { cron = \"0 5 * * *\", hydrate = { url = \"https://hr.example/r\" } }";
    let text = problems(&with_source(named));
    assert!(text.contains("`as_of` reads a file's name, and what is fetched has none"), "{text}");
    let twice = "time_zone = \"UTC\"\nschedule = [{ cron = \"@daily\", file = \"w.csv\" }, \
                 { cron = \"@daily\", file = \"w.csv\" }]";
    let text = problems(&with_source(twice));
    assert!(text.contains("`schedule` lists the same twice"), "{text}");
    // beside the folder, or under a name that it does not take, it may lie
    for file in ["w.csv", "in/w.xlsx"] {
        let text = both.replace("./in/w.csv", file);
        assert!(Config::parse(&with_source(&text), Path::new("."), []).is_ok(), "{file}");
    }
}

#[test]
fn the_name_of_a_secret_in_the_vault_has_a_shape() {
    for name in ["hr-token", "a", "a1-"] {
        let text = SMALL.replace("{ env = \"SECRET\" }", &format!("{{ vault = \"{name}\" }}"));
        assert!(Config::parse(&text, Path::new("."), []).is_ok(), "{name}");
    }
    for name in ["", "1a", "hunter2_Zk", "Hunter2Zk", "hunter2~Zk", "../hunter2Zk"] {
        let text = SMALL.replace("{ env = \"SECRET\" }", &format!("{{ vault = \"{name}\" }}"));
        let text = problems(&text);
        assert!(text.contains("`vault` is"), "{text}");
        assert!(!text.to_lowercase().contains("hunter2"), "{text}");
        assert_eq!(text.matches("line ").count(), 1, "{text}");
    }
}

#[test]
fn a_credential_is_one_thing_and_whole() {
    let secret = "{ client_secret = { env = \"SECRET\" } }";
    for (credential, words) in [
        ("\"managed_identity\"", "`client_id` says nothing beside a managed identity"),
        ("{ managed_identity = {} }", "`client_id` says nothing beside a managed identity"),
        ("{ federated_token = \"hunter2\" }", "`federated_token` has to be a table, found text"),
        ("{ federated_token = {} }", "needs `file`"),
        ("{ federated_token = { file = \" \" } }", "`file` is empty"),
        ("{ federated_token = { fil = \"hunter2\", file = \"f\" } }", "unknown key `fil`"),
        ("{ federated_token = { file = \"f\" }, key = { env = \"A\" } }", "takes `key` beside"),
        ("{ federated_token = { file = \"f\" }, client_secret = { env = \"A\" } }", "takes one of"),
        ("{ certificate = { env = \"A\" }, client_secret = { env = \"A\" } }", "not both"),
        (
            "{ client_secret = { env = \"A\" }, password = { env = \"A\" } }",
            "takes `password` beside",
        ),
        ("{ client_secret = { env = \"A\" }, expires = \"hunter2\" }", "`expires` is no day"),
        ("{ client_secret = { env = \"A\" }, expires = \"2027-02-30\" }", "`expires` is no day"),
        (
            "{ certificate = { env = \"A\" }, signature = \"hunter2\" }",
            "neither `PS256` nor `RS256`",
        ),
        ("{ expires = \"2027-02-03\" }", "has `expires` without `client_secret`"),
        ("\"hunter2\"", "has to say where the secret is"),
        ("{}", "needs `client_secret`, `certificate`, `federated_token` or `managed_identity`"),
    ] {
        let text = problems(&SMALL.replace(secret, credential));
        assert!(text.contains(words), "{credential}: {text}");
        assert!(!text.contains("hunter2"), "{text}");
        assert_eq!(text.matches("line ").count(), 1, "{text}");
    }
    let managed = SMALL.replace("client_id = \"c\"\n", "");
    for credential in
        ["{ managed_identity = \"hunter2\" }", "{ managed_identity = { id = \"hunter2\" } }"]
    {
        let text = problems(&managed.replace(secret, credential));
        assert!(text.contains("managed_identity") && !text.contains("hunter2"), "{text}");
    }
}

#[test]
fn mistakes_in_a_command_are_told_without_its_words() {
    for (secret, words) in [
        (
            "{ command = \"op read hunter2\" }",
            "`command` has to be a list like [\"…\"], found text",
        ),
        ("{ command = [] }", "`command` names no program"),
        ("{ command = [\" \", \"hunter2\"] }", "`command` is empty"),
        ("{ command = [\"op\", 5, \"hunter2\"] }", "`command` has to be text in quotes, found"),
        ("{ command = [\"op\", \"hunter2\"], timeout = \"hunter2\" }", "`timeout` is no length"),
        ("{ command = [\"op\", \"hunter2\"], timeout = \"0s\" }", "`timeout` is no length"),
        (
            "{ command = [\"op\", \"hunter2\"], file = \"f\" }",
            "takes one of `env`, `file`, `command` and",
        ),
        ("{ env = \"A\", timeout = \"5s\" }", "takes `timeout` beside `command` only"),
        ("{ timeout = \"5s\" }", "needs `env`, `file`, `command` or `vault`"),
    ] {
        let text = problems(&SMALL.replace("{ env = \"SECRET\" }", secret));
        assert!(text.contains(words), "{secret}: {text}");
        assert!(!text.contains("hunter2"), "{text}");
        assert_eq!(text.matches("line ").count(), 1, "{text}");
    }
}

#[test]
fn mistakes_in_the_alerts_are_told_with_the_way_out_and_without_an_address() {
    let lines = r#"[alerts]
webhook = [{ url = "https://hooks.example/hunter2", format = "team" }, "https://hooks.example/hunter2"]
email = { to = ["Hunter Two <hunter2@x>"], from = "hunter2", smtp = { host = "smtp.example", tls = "none", user = "u" } }
on = ["run_hold"]
reject_share = "110%"
credential_expires = ["1 month"]
repeat = "0s"
"#;
    let text = problems(lines);
    assert!(!text.contains("hunter2"), "{text}");
    insta::assert_snapshot!(text);
}

#[test]
fn the_server_listens_beyond_this_machine_only_with_an_admin_token() {
    insta::assert_snapshot!(problems("[server]\nlisten = \"0.0.0.0:8080\""), @r#"
    scimport.toml, line 2: `listen` reaches beyond this machine, and there is no `admin_token`
      2 | listen = "0.0.0.0:8080"
        |          ^^^^^^^^^^^^^^
      hint: add `admin_token = { env = "NAME" }`, or listen on `127.0.0.1:8080` alone
    "#);
    for address in ["[::]:8080", "192.0.2.1:80", "[2001:db8::1]:443"] {
        let text = problems(&format!("[server]\nlisten = \"{address}\""));
        assert!(text.contains("there is no `admin_token`"), "{address}: {text}");
    }
}

#[test]
fn mistakes_in_the_server_are_told_with_the_way_out() {
    let lines = r#"[server]
lisen = "127.0.0.1:8080"
listen = "localhost"
reader_token = "zq-pasted"
max_body = "64 mb"
max_connections = 0
timeout = "0s"
"#;
    let text = problems(lines);
    insta::assert_snapshot!(text, @r#"
    scimport.toml, line 2: unknown key `lisen` in `[server]`
      2 | lisen = …
        | ^^^^^
      hint: did you mean `listen`?
    scimport.toml, line 3: `listen` is no IP address with a port
      3 | listen = "localhost"
        |          ^^^^^^^^^^^
      hint: write it like `127.0.0.1:8080`, `0.0.0.0:8080` or `[::1]:8080`
    scimport.toml, line 4: `reader_token` has to say where the secret is, not what it is
      4 | reader_token = …
        | ^^^^^^^^^^^^
      hint: write `{ env = "NAME" }` or `{ file = "path" }`
    scimport.toml, line 5: `max_body` is no size
      5 | max_body = "64 mb"
        |            ^^^^^^^
      hint: write it like `64MiB` or `500KB`
    scimport.toml, line 6: `max_connections` has to be from 1 to 4294967295
      6 | max_connections = 0
        |                   ^
    scimport.toml, line 7: `timeout` has to be longer than nothing
      7 | timeout = "0s"
        |           ^^^^
    "#);
    assert!(!text.contains("zq-pasted"));
}

#[test]
fn a_guard_that_could_never_trip_is_refused() {
    let lines = r#"guard.max_leavers = true
guard.max_joiners = ["5%", "6%"]
guard.max_changes = []
guard.max_rejects = "5 %"
guard.max_inactive = "101%"
guard.min_rows = "many"
guard.attributes = { titel = "5%", "enterprise:manager" = "15%", externalId = 0 }
"#;
    insta::assert_snapshot!(problems(&with_source(lines)), @r#"
    scimport.toml, line 11: `max_leavers` is on without `true`
      11 | guard.max_leavers = true
         |                     ^^^^
      hint: write it like `500`, `"5%"` or `["500", "5%"]`; `false` turns it off
    scimport.toml, line 12: `max_joiners` lists two limits of one kind
      12 | guard.max_joiners = …
         |       ^^^^^^^^^^^
      hint: write it like `500`, `"5%"` or `["500", "5%"]`; `false` turns it off
    scimport.toml, line 13: `max_changes` lists nothing
      13 | guard.max_changes = …
         |       ^^^^^^^^^^^
      hint: write it like `500`, `"5%"` or `["500", "5%"]`; `false` turns it off
    scimport.toml, line 14: `max_rejects` is neither a number nor a percentage
      14 | guard.max_rejects = "5 %"
         |                     ^^^^^
      hint: write it like `500`, `"5%"` or `["500", "5%"]`; `false` turns it off
    scimport.toml, line 15: `max_inactive` is more than 100 % and could never trip
      15 | guard.max_inactive = "101%"
         |                      ^^^^^^
      hint: write it like `500`, `"5%"` or `["500", "5%"]`; `false` turns it off
    scimport.toml, line 16: `min_rows` has to be a number of rows, or `false`, found text
      16 | guard.min_rows = …
         |       ^^^^^^^^
    scimport.toml, line 17: `titel` is no attribute: the core user schema has no attribute `titel` (at character 1)
      17 | guard.attributes = { titel = …
         |                      ^^^^^
      hint: did you mean `title`?
    scimport.toml, line 17: `enterprise:manager` is not mapped, so its guard could never trip
      17 | guard.attributes = { titel = …, "enterprise:manager" = …
         |                                 ^^^^^^^^^^^^^^^^^^^^
    scimport.toml, line 17: `externalId` has to be from 1 to 4294967295
      17 | guard.attributes = { titel = …, "enterprise:manager" = …, externalId = 0 …
         |                                                                        ^
    "#);
}

#[test]
fn a_guard_says_nothing_of_a_mapping_line_with_a_mistake_of_its_own() {
    let text = with_source("guard = { attributes = { title = \"5%\", name.givenName = 9 } }");
    let lines = "title = { from = \"A\", case = \"lowr\" }\n\"name.givenName\" = true";
    let text = problems(&format!("{text}{lines}"));
    assert!(!text.contains("not mapped"), "{text}");
    assert_eq!(text.matches("line ").count(), 2, "{text}");
}

#[test]
fn who_is_missing_and_what_a_file_is_worth_has_to_make_sense() {
    let lines = r#"leavers = { when_missing = "deactivate", after = 0, grace = "2" }
complete = { min_share = "110%", trailer = 5 }
as_of = "workers-%Y.csv"
"#;
    insta::assert_snapshot!(problems(&with_source(lines)), @r#"
    scimport.toml, line 11: `when_missing` cannot deactivate anybody, because a file names only changes
      11 | leavers = { when_missing = "deactivate" …
         |                            ^^^^^^^^^^^^
      hint: set `export = "full"` if each file names everybody, else take this out
    scimport.toml, line 11: `after` has to be from 1 to 4294967295
      11 | leavers = { when_missing = …, after = 0 …
         |                                       ^
    scimport.toml, line 11: `grace` is no length of time
      11 | leavers = { when_missing = …, after = …, grace = "2" …
         |                                                  ^^^
      hint: write it like `30s`, `5m 30s` or `500ms`
    scimport.toml, line 12: `min_share` is no percentage up to 100 %
      12 | complete = { min_share = "110%" …
         |                          ^^^^^^
      hint: write it like `"90%"`
    scimport.toml, line 12: `trailer` has to be a table, found a whole number
      12 | complete = { min_share = …, trailer = …
         |                             ^^^^^^^
    scimport.toml, line 13: `as_of` has to be `arrival` or a table with `name` or `column`
      13 | as_of = "workers-%Y.csv"
         |         ^^^^^^^^^^^^^^^^
      hint: write `"arrival"`, `{ name = "workers-%Y%m%d.csv" }` or `{ column = "ExportDate" }`
    "#);
    let as_of = |value: &str| problems(&with_source(&format!("as_of = {value}")));
    insta::assert_snapshot!(as_of("{ name = \"in/%F.csv\" }"), @r#"
    scimport.toml, line 11: `name` is no pattern of a file's name: it has a folder in it, and only the name of a file is looked at
      11 | as_of = { name = "in/%F.csv" …
         |                  ^^^^^^^^^^^
      hint: write it like `workers-%Y%m%d.csv`
    "#);
    insta::assert_snapshot!(as_of("{ nam = \"%F.csv\" }"), @"
    scimport.toml, line 11: unknown key `nam` in `as_of` of `[source.hr]`
      11 | as_of = { nam = …
         |           ^^^
      hint: did you mean `name`?
    ");
    insta::assert_snapshot!(as_of("{ name = \"%F.csv\", date = [\"%F\"] }"), @r#"
    scimport.toml, line 9: `[source.hr]` needs `time_zone`, because `as_of` reads a date
      9 | [source.hr]
        |         ^^
      hint: write it like `time_zone = "Europe/Berlin"`
    scimport.toml, line 11: `date` goes with `column`; a `name` has its date in it
      11 | as_of = { name = …, date = …
         |                     ^^^^
      hint: write `"arrival"`, `{ name = "workers-%Y%m%d.csv" }` or `{ column = "ExportDate" }`
    "#);
    insta::assert_snapshot!(as_of("{ name = \"%F.csv\", column = \"A\" }"), @"
    scimport.toml, line 11: `as_of` of `[source.hr]` takes `name` or `column`, not both
      11 | as_of = …
         | ^^^^^
    ");
    insta::assert_snapshot!(as_of("5"), @"
    scimport.toml, line 11: `as_of` has to be `arrival` in quotes or a table with `name` or `column`, found a whole number
      11 | as_of = …
         | ^^^^^
    ");
    let misspelt =
        problems(&with_source("export = \"ful\"\nleavers = { when_missing = \"deactivate\" }"));
    assert_eq!(misspelt.matches("line ").count(), 1, "{misspelt}");
}

#[test]
fn two_days_are_two_columns_and_need_a_time_zone() {
    let active = |rule: &str| {
        let line = format!("active = {{ {rule} }}");
        problems(&SMALL.replace("active = { const = true }", &line))
    };
    insta::assert_snapshot!(active("between = [\"A\"], end = \"inclusiv\""), @r#"
    scimport.toml, line 14: `between` names two columns, not 1
      14 | active = { between = …
         |            ^^^^^^^
      hint: write it like `between = ["HireDate", "TerminationDate"]`
    scimport.toml, line 14: `end` has to be `inclusive` or `exclusive`
      14 | active = { between = […], end = "inclusiv" …
         |                                 ^^^^^^^^^^
      hint: did you mean `inclusive`?
    "#);
    insta::assert_snapshot!(active("between = \"A\""), @r#"
    scimport.toml, line 14: `between` has to be a list like ["…"], found text
      14 | active = { between = …
         |            ^^^^^^^
    "#);
    insta::assert_snapshot!(active("between = [\"A\", \" \"]"), @r#"
    scimport.toml, line 14: `between` is empty
      14 | active = { between = […, " " …
         |                          ^^^
    "#);
    insta::assert_snapshot!(active("between = [\"A\", \"B\"]"), @r#"
    scimport.toml, line 9: `[source.hr]` needs `time_zone`, because `active` reads a date
      9 | [source.hr]
        |         ^^
      hint: write it like `time_zone = "Europe/Berlin"`
    "#);
    insta::assert_snapshot!(active("from = \"A\", end = \"exclusive\""), @"
    scimport.toml, line 14: `end` says which day is the last of `between`, which is not here
      14 | active = { from = …, end = …
         |                      ^^^
    ");
}

#[test]
fn a_missing_key_is_told_at_its_section() {
    insta::assert_snapshot!(problems("[target.entra]\njob_id = \" \"\n[source.hr]\n"), @r#"
    scimport.toml, line 1: `[target.entra]` needs `tenant_id`
      1 | [target.entra]
        |         ^^^^^
    scimport.toml, line 1: `[target.entra]` needs `client_id`
      1 | [target.entra]
        |         ^^^^^
    scimport.toml, line 1: `[target.entra]` needs `service_principal_id`
      1 | [target.entra]
        |         ^^^^^
    scimport.toml, line 1: `[target.entra]` needs `credential`
      1 | [target.entra]
        |         ^^^^^
    scimport.toml, line 2: `job_id` is empty
      2 | job_id = …
        | ^^^^^^
    scimport.toml, line 3: `[source.hr]` needs `target`
      3 | [source.hr]
        |         ^^
    scimport.toml, line 3: `[source.hr]` needs `mapping`
      3 | [source.hr]
        |         ^^
    "#);
}

#[test]
fn a_mapping_line_takes_one_source() {
    let lines = r#"title = { case = "lower" }
nickName = { from = "A", const = "B" }
name = { givenName = "First", from = "x" }
locale = { frm = "Locale" }
userType = {}
"" = "Empty"
"name.x" = "A"
name.x = "B"
department = { from = "D", map = { A.B = true }, otherwise = 1.5, default = [1] }
employeeType = { from = "E", map = {}, date = [], empty_words = [1], on_empty = "drop" }
"#;
    insta::assert_snapshot!(problems(&with_mapping(&lines.replace("name = {", "names = {"))), @r#"
    scimport.toml, line 15: `title` of `[source.hr.mapping]` needs `from`, `template`, `const`, `expr` or `between`
      15 | title = …
         | ^^^^^
    scimport.toml, line 16: `nickName` of `[source.hr.mapping]` takes one of `from`, `template`, `const`, `expr` and `between`
      16 | nickName = …
         | ^^^^^^^^
    scimport.toml, line 17: unknown key `givenName` in `names` of `[source.hr.mapping]`
      17 | names = { givenName = …
         |           ^^^^^^^^^
      hint: rules and attributes do not mix in a table; an attribute path with a dot in it is one key in quotes, such as `"name.givenName"`
    scimport.toml, line 18: unknown key `frm` in `locale` of `[source.hr.mapping]`
      18 | locale = { frm = …
         |            ^^^
      hint: did you mean `from`?
    scimport.toml, line 19: `userType` of `[source.hr.mapping]` needs `from`, `template`, `const`, `expr` or `between`
      19 | userType = …
         | ^^^^^^^^
    scimport.toml, line 20: the name of an attribute is empty
      20 | "" = …
         | ^^
    scimport.toml, line 22: `name.x` is mapped a second time
      22 | name.x = …
         |      ^
    scimport.toml, line 23: `A` has to be text in quotes, a boolean or a whole number, found a table
      23 | department = { from = …, map = { A …
         |                                  ^
    scimport.toml, line 23: `otherwise` has to be text in quotes, a boolean or a whole number, found a number with a fraction
      23 | department = { from = …, map = { A.B = … }, otherwise = …
         |                                             ^^^^^^^^^
    scimport.toml, line 23: `default` has to be text in quotes, a boolean or a whole number, found a list
      23 | department = { from = …, map = { A.B = … }, otherwise = …, default = …
         |                                                            ^^^^^^^
    scimport.toml, line 24: `map` has no entries
      24 | employeeType = { from = …, map = …
         |                            ^^^
    scimport.toml, line 24: `date` lists nothing
      24 | employeeType = { from = …, map = {}, date = …
         |                                      ^^^^
    scimport.toml, line 24: `empty_words` has to be text in quotes, found a whole number
      24 | employeeType = { from = …, map = {}, date = [], empty_words = [1 …
         |                                                                ^
    scimport.toml, line 24: `on_empty` has to be `omit` or `null`
      24 | …eType = { from = …, map = {}, date = [], empty_words = […], on_empty = "drop" …
         |                                                                         ^^^^^^
    "#);
}

#[test]
fn a_date_needs_a_time_zone() {
    let text = with_mapping("\"urn:x:User:Hired\" = { from = \"H\", date = [\"%Y\"] }");
    insta::assert_snapshot!(problems(&text), @r#"
    scimport.toml, line 9: `[source.hr]` needs `time_zone`, because `urn:x:User:Hired` reads a date
      9 | [source.hr]
        |         ^^
      hint: write it like `time_zone = "Europe/Berlin"`
    "#);
}

#[test]
fn the_day_of_a_row_needs_a_time_zone() {
    let text = with_source("rows = { by = \"From\" }");
    insta::assert_snapshot!(problems(&text), @r#"
    scimport.toml, line 9: `[source.hr]` needs `time_zone`, because `rows.by` reads a date
      9 | [source.hr]
        |         ^^
      hint: write it like `time_zone = "Europe/Berlin"`
    "#);
}

#[test]
fn what_is_said_about_files_is_checked() {
    let lines = r#"csv = { delimiter = "'", quote = "'", encoding = "ansi-7" }
xlsx = { sheet = 0, merged = "spred", password = "hunter2", hedder_row = 1 }
json = { records = "data/workers" }
complete = { trailer = { count = 0, total = { field = 1 } }, min_share = "90%" }
"#;
    insta::assert_snapshot!(problems(&with_source(lines)), @r#"
    scimport.toml, line 11: `quote` and `delimiter` are the same character
      11 | csv = …
         | ^^^
    scimport.toml, line 11: `encoding` is no encoding that is known here
      11 | csv = { delimiter = …, quote = …, encoding = "ansi-7" …
         |                                              ^^^^^^^^
      hint: write it like `utf-8`, `utf-16le` or `windows-1252`, or `auto`
    scimport.toml, line 12: `sheet` has to be from 1 to 4294967295
      12 | xlsx = { sheet = 0 …
         |                  ^
    scimport.toml, line 12: `merged` has to be `reject`, `spread` or `empty`
      12 | xlsx = { sheet = …, merged = "spred" …
         |                              ^^^^^^^
      hint: did you mean `spread`?
    scimport.toml, line 12: `password` has to say where the secret is, not what it is
      12 | xlsx = { sheet = …, merged = …, password = …
         |                                 ^^^^^^^^
      hint: write `{ env = "NAME" }` or `{ file = "path" }`
    scimport.toml, line 12: unknown key `hedder_row` in `xlsx` of `[source.hr]`
      12 | xlsx = { sheet = …, merged = …, password = …, hedder_row = …
         |                                               ^^^^^^^^^^
      hint: did you mean `header_row`?
    scimport.toml, line 13: `records` is no JSON Pointer: it has to begin with `/`
      13 | json = { records = "data/workers" …
         |                    ^^^^^^^^^^^^^^
      hint: write it like `/data/workers`
    scimport.toml, line 14: `trailer` of `complete` of `[source.hr]` needs `starts_with`
      14 | complete = { trailer = …
         |              ^^^^^^^
    scimport.toml, line 14: `count` has to be from 1 to 4294967295
      14 | complete = { trailer = { count = 0 …
         |                                  ^
    scimport.toml, line 14: `total` of `trailer` of `complete` of `[source.hr]` needs `of`
      14 | complete = { trailer = { count = …, total = …
         |                                     ^^^^^
    "#);
    insta::assert_snapshot!(problems(&with_source("json = { records = \"/a~b\" }")), @r#"
    scimport.toml, line 11: `records` is no JSON Pointer: `~` stands before `0` or `1`
      11 | json = { records = "/a~b" …
         |                    ^^^^^^
      hint: in a member's name, `~` is written `~0` and `/` is written `~1`
    "#);
}

#[test]
fn a_verified_domain_has_no_at_sign() {
    let text = with_target("verified_domains = [\"@contoso.com\"]");
    insta::assert_snapshot!(problems(&text), @r#"
    scimport.toml, line 7: `verified_domains` lists what is no domain
      7 | verified_domains = …
        | ^^^^^^^^^^^^^^^^
      hint: write it like ["contoso.com"]
    "#);
}

#[test]
fn targets_of_one_tenant_must_not_state_different_limits() {
    let first = with_target("daily_calls = 2000\nburst = \"40/5s\"");
    let second = SMALL[..SMALL.find("[source").unwrap()].replace("entra", "pilot");
    let text = format!("{first}{second}daily_calls = 6000\nburst = \"40/5s\"\n");
    insta::assert_snapshot!(problems(&text), @r#"
    scimport.toml, line 25: `daily_calls` is not what `[target.entra]` of this tenant states
      25 | daily_calls = 6000
         |               ^^^^
      hint: the limit is the tenant's: state it once, or the same in each target
    "#);
}

#[test]
fn names_and_references_are_checked() {
    let text = SMALL.replace("[target.entra]", "[target.Entra]").replace("source.hr", "source.1");
    insta::assert_snapshot!(problems(&text), @r#"
    scimport.toml, line 2: `Entra` is no name for a target
      2 | [target.Entra]
        |         ^^^^^
      hint: a name begins with `a` to `z` and goes on with those, digits and `-`
    scimport.toml, line 9: `1` is no name for a source
      9 | [source.1]
        |         ^
      hint: a name begins with `a` to `z` and goes on with those, digits and `-`
    scimport.toml, line 10: `target` names no target of this config
      10 | target = "entra"
         |          ^^^^^^^
      hint: did you mean `Entra`?
    "#);
    let text = with_source("takes_over = [\"hr\", \"Old HR\"]");
    insta::assert_snapshot!(problems(&text), @r#"
    scimport.toml, line 11: a source cannot take over from itself
      11 | takes_over = …
         | ^^^^^^^^^^
    scimport.toml, line 11: `takes_over` lists what is no name of a source
      11 | takes_over = …
         | ^^^^^^^^^^
      hint: a name begins with `a` to `z` and goes on with those, digits and `-`
    "#);
}

#[test]
fn a_store_is_a_file_of_ours() {
    for (url, part) in [
        ("postgres://u:p@h/db", "until that backend exists"),
        ("postgresql://h/db", "until that backend exists"),
        ("scimport.db", "has to begin with `sqlite:`"),
        ("sqlite:", "names no file"),
        ("sqlite://scimport.db", "without `//`"),
        ("sqlite::memory:", "a file on disk"),
    ] {
        let text = problems(&format!("[store]\nurl = \"{url}\""));
        assert!(text.contains(part), "{url}: {text}");
        assert!(!text.contains(&format!("\"{url}")), "{text}");
    }
}

#[test]
fn retries_must_be_able_to_grow() {
    insta::assert_snapshot!(problems(&with_target("retry = { base = \"10m\" }")), @r#"
    scimport.toml, line 7: `cap` is shorter than `base` in `retry` of `[target.entra]`
      7 | retry = …
        | ^^^^^
    "#);
}

#[test]
fn text_that_is_no_toml_is_told_by_line_and_column() {
    insta::assert_snapshot!(problems("[store]\nurl = sqlite:x\n"), @r#"
    scimport.toml, line 2: not TOML at column 7: string values must be quoted, expected literal string
      2 | url = …
        | ^^^
      hint: text stands in quotes
    "#);
    insta::assert_snapshot!(problems("[store]\nurl = 'a'\n\n[store]\n"), @r#"
    scimport.toml, line 4: this key or section stands here a second time
      4 | [store]
        | ^^^^^^^
    "#);
    insta::assert_snapshot!(problems("[target.entra\nburst = \"40/5s\"\n"), @r#"
    scimport.toml, line 1: not TOML at column 14: unclosed table, expected `]`
      1 | [target.entra
        | ^^^^^^^^^^^^^
    "#);
    insta::assert_snapshot!(problems("a = 1\na.b = 2\n"), @"scimport.toml, line 2: not TOML at column 1: cannot extend value of type integer with a dotted key");
}

#[test]
fn a_file_that_cannot_be_a_config_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("c.toml");
    let refuse = |bytes: &[u8]| {
        std::fs::write(&path, bytes).unwrap();
        Config::load(&path, []).unwrap_err().to_string()
    };
    assert_eq!(refuse(b"\xff\xfea\0"), "c.toml: is not UTF-8 text\n  hint: save it as UTF-8");
    assert_eq!(refuse(&vec![b'#'; 1024 * 1024 + 1]), "c.toml: is larger than 1048576 bytes");
}
