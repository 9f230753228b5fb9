//! A config that is right is read as it is meant.

use std::path::{Path, PathBuf};
use std::time::Duration;

use scimport::config::{
    AlertFormat, AlertWebhook, AssertionConfig, Burst, Config, CredentialConfig, Export,
    RetryConfig, SecretCommand, SecretRef, ServerConfig, ServerTls, SmtpConfig, SmtpLogin, SmtpTls,
    TrackingConfig,
};
use scimport::domain::AlertKind;
use scimport::mapping::{
    Between, Case, End, Literal, OnEmpty, Otherwise, RuleConfig, ValueSource, ValueType,
};
use scimport::plan::{AsOf, Bound, CompleteConfig, Guards, LeaversConfig, Percent, WhenMissing};
use scimport::source::{
    CsvConfig, Delimiter, Format, FormatConfig, JsonConfig, Merged, Pick, Quote, SheetChoice,
    TrailerConfig, WorkbookConfig,
};

pub const FULL: &str = r#"
[store]
url = "sqlite:data/ledger.db"

[target.entra]
tenant_id = "11111111-1111-1111-1111-111111111111"
client_id = "22222222-2222-2222-2222-222222222222"
service_principal_id = "33333333-3333-3333-3333-333333333333"
job_id = "API2AAD.1"
cloud = "usgov"
authority_url = "http://127.0.0.1:8081"
graph_url = "http://127.0.0.1:8081"
credential = { certificate = { file = "app.pem" }, key = { env = "APP_KEY" } }
daily_calls = 6000
burst = "30/5s"
tracking = { first_poll = "0s", poll = "500ms", unconfirmed_after = "1h 30m" }
retry = { base = "1s", cap = "2m", bucket_pause = "1m" }
job_check = "10m"
verified_domains = ["contoso.com", "Fabrikam.Example"]

[http]
proxy = "http://proxy.example:8080"
ca_file = "ca.pem"
timeout = "20s"

[server]
listen = "0.0.0.0:8443"
admin_token = { env = "ADMIN" }
reader_token = { file = "reader.txt" }
tls = { certificate = { file = "c.pem" }, key = { env = "KEY" } }
max_body = "64MiB"
max_connections = 50
timeout = "10s"
upload_timeout = "1h"

[source.hr-south]
target = "entra"
format = "csv"
export = "full"
time_zone = "Europe/Berlin"
csv = { delimiter = "\t", encoding = "utf-16le", header_row = 3, quote = "none" }
xlsx = { sheet = "Staff", header_row = 2, merged = "spread", password = { file = "book.txt" } }
json = { records = "/data/a~1b" }
rows = { per = "WorkerID", pick = "last", by = { column = "From", date = ["%d.%m.%Y"] }, prefer = "Main == 'Y'" }
scope = 'Type != "Contractor"'
leavers = { when_missing = "deactivate", after = 2, grace = "1d" }
as_of = { column = "Exported", date = ["%d/%m/%Y"] }
guard = { max_leavers = ["500", "5%"], max_joiners = 20, max_changes = false, max_rejects = "7.5%", max_inactive = "80", min_rows = 100, attributes = { title = "15%", name.familyName = [9] } }
complete = { min_share = "95%", trailer = { starts_with = "TRL", count = 2, total = { field = 3, of = "FTE" } } }
takes_over = ["old-hr"]

[source.hr-south.mapping]
externalId = "WorkerID"
userName = { from = "UserID", case = "lower", trim = false, max = 64, optional = true }
active = { from = "Status", map = { Zulu = true, Alpha = false, "In. active" = 0 }, otherwise = false }
displayName = "{First} {Last}"
"name.familyName" = { from = "Last", required = true, empty_words = ["N/A", "-"] }
'emails[type eq "work"].value' = { template = "{User}@example.com", on_empty = "null" }
"urn:ietf:params:scim:schemas:extension:contoso:1.0:User:HireDate" = { from = "Hired", date = ["%Y-%m-%d"], time = "08:00" }
title = { const = "Worker", default = "None", otherwise = "reject" }
nickName = { expr = 'Join(" ", First, Last)', ascii = true, max = 10, truncate = true }
"urn:ietf:params:scim:schemas:extension:contoso:1.0:User:Grade" = { from = "Grade", pad = 8, type = "integer" }
"#;

/// The least that reads.
pub const SMALL: &str = r#"
[target.entra]
tenant_id = "contoso.example"
client_id = "c"
service_principal_id = "s"
job_id = "j"
credential = { client_secret = { env = "SECRET" } }

[source.hr]
target = "entra"

[source.hr.mapping]
externalId = "WorkerID"
active = { const = true }
"#;

fn read(text: &str) -> Config {
    Config::parse(text, Path::new("conf"), []).unwrap_or_else(|errors| panic!("{errors}"))
}

fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

#[test]
fn every_key_of_a_target_is_read() {
    let config = read(FULL);
    let target = config.target("entra").unwrap();
    assert_eq!(target.tenant_id, "11111111-1111-1111-1111-111111111111");
    assert_eq!((target.job_id.as_str(), target.cloud.as_str()), ("API2AAD.1", "usgov"));
    assert_eq!(target.authority_url.as_deref(), Some("http://127.0.0.1:8081"));
    assert_eq!(target.graph_url.as_deref(), Some("http://127.0.0.1:8081"));
    let certificate = SecretRef::File(Path::new("conf").join("app.pem"));
    let key = Some(SecretRef::Env("APP_KEY".into()));
    assert_eq!(
        target.credential,
        CredentialConfig::Certificate {
            certificate,
            key,
            password: None,
            signature: AssertionConfig::Ps256
        }
    );
    assert_eq!(target.daily_calls, 6000);
    assert_eq!(target.burst, Burst { calls: 30, window: seconds(5) });
    let (poll, unconfirmed_after) = (Duration::from_millis(500), seconds(5400));
    let tracking = TrackingConfig {
        first_poll: Duration::ZERO,
        poll,
        unconfirmed_after,
        ..TrackingConfig::default()
    };
    assert_eq!(target.tracking, tracking);
    let retry = RetryConfig { base: seconds(1), cap: seconds(120), bucket_pause: seconds(60) };
    assert_eq!(target.retry, retry);
    assert_eq!(target.job_check, seconds(600));
    assert_eq!(target.verified_domains, ["contoso.com", "fabrikam.example"]);
}

#[test]
fn paths_start_from_the_folder_of_the_config() {
    let config = read(FULL);
    assert_eq!(config.store.path, Path::new("conf").join("data/ledger.db"));
    assert_eq!(config.http.ca_file, Some(Path::new("conf").join("ca.pem")));
    assert_eq!(config.http.proxy.as_deref(), Some("http://proxy.example:8080"));
    assert_eq!(config.http.timeout, seconds(20));
    assert_eq!(read("").store.path, Path::new("conf").join("scimport.db"));
}

#[test]
fn every_key_of_the_alerts_is_read() {
    assert_eq!(read("").alerts, None);
    let default = read("[alerts]").alerts.unwrap();
    assert_eq!((default.webhooks.len(), default.email, default.on.len()), (0, None, 13));
    assert_eq!(default.reject_share.to_string(), "10%");
    let days = |count: u64| Duration::from_hours(24 * count);
    assert_eq!(default.expires, [30, 14, 7, 1].map(days));
    assert_eq!((default.nothing_settled_after, default.repeat), (Duration::from_hours(4), days(1)));

    let all = r#"
[alerts]
webhook = [{ url = { env = "TEAMS" }, format = "teams" }, { url = { file = "hook" } }]
email = { to = ["a@x.example", "b@x.example"], from = "c@x.example", smtp = { host = "smtp.x.example", port = 26, tls = "implicit", user = "u", password = { env = "P" } } }
on = ["run_held", "store_trouble", "run_held"]
reject_share = "2.5%"
nothing_settled_after = "90m"
credential_expires = ["1d", "60d", "1d"]
repeat = "12h"
"#;
    let config = read(all).alerts.unwrap();
    let hook = |url, format| AlertWebhook { url, format };
    let [teams, json] = [
        hook(SecretRef::Env("TEAMS".into()), AlertFormat::Teams),
        hook(SecretRef::File("conf/hook".into()), AlertFormat::Json),
    ];
    assert_eq!(config.webhooks, [teams, json]);
    let email = config.email.unwrap();
    assert_eq!((email.to.len(), email.from.as_str()), (2, "c@x.example"));
    let login = SmtpLogin { user: "u".into(), password: SecretRef::Env("P".into()) };
    let (host, tls) = ("smtp.x.example".into(), SmtpTls::Implicit);
    assert_eq!(email.smtp, SmtpConfig { host, port: 26, tls, login: Some(login) });
    let kinds: Vec<_> = config.on.into_iter().collect();
    assert_eq!(kinds, [AlertKind::RunHeld, AlertKind::StoreTrouble]);
    assert_eq!(config.reject_share.to_string(), "2.5%");
    assert_eq!(config.nothing_settled_after, Duration::from_mins(90));
    assert_eq!(
        (config.expires, config.repeat),
        (vec![days(60), days(1)], Duration::from_hours(12))
    );
    for (tls, port) in [("starttls", 587), ("implicit", 465), ("none", 25)] {
        let smtp = format!("smtp = {{ host = \"127.0.0.1\", tls = \"{tls}\" }}");
        let text = format!("[alerts]\nemail = {{ to = \"a@x\", from = \"b@x\", {smtp} }}");
        assert_eq!(read(&text).alerts.unwrap().email.unwrap().smtp.port, port, "{tls}");
    }
}

#[test]
fn every_key_of_the_server_is_read() {
    let expected = ServerConfig {
        listen: "0.0.0.0:8443".parse().unwrap(),
        admin_token: Some(SecretRef::Env("ADMIN".into())),
        reader_token: Some(SecretRef::File(Path::new("conf").join("reader.txt"))),
        tls: Some(ServerTls {
            certificate: SecretRef::File(Path::new("conf").join("c.pem")),
            key: Some(SecretRef::Env("KEY".into())),
        }),
        max_body: 64 * 1024 * 1024,
        max_connections: 50,
        timeout: seconds(10),
        upload_timeout: seconds(3600),
    };
    assert_eq!(read(FULL).server, expected);
    let default = read("").server;
    assert_eq!(default, ServerConfig::default());
    assert_eq!(default.listen.to_string(), "127.0.0.1:8080");
    assert_eq!(read("[server]").server, default);
}

#[test]
fn a_file_is_loaded_with_its_folder() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("my.toml");
    std::fs::write(&path, format!("\u{feff}{}", SMALL.replace('\n', "\r\n"))).unwrap();
    let config = Config::load(&path, []).unwrap();
    assert_eq!((config.path, config.folder.as_path()), (path, folder.path()));
    assert_eq!(config.store.path, folder.path().join("scimport.db"));
}

#[test]
fn every_key_of_a_source_is_read() {
    let config = read(FULL);
    let source = config.source("hr-south").unwrap();
    assert_eq!(source.target.as_str(), "entra");
    assert_eq!(source.export, Export::Full);
    assert_eq!(source.time_zone.as_ref().unwrap().name, "Europe/Berlin");
    assert_eq!(source.rows.per.as_deref(), Some("WorkerID"));
    assert_eq!(source.rows.pick, Pick::Last);
    let names: Vec<_> = source.takes_over.iter().map(ToString::to_string).collect();
    assert_eq!(names, ["old-hr"]);
    let by = source.mapping.by.as_ref().unwrap();
    assert_eq!((by.column.as_str(), by.date.as_slice()), ("From", &["%d.%m.%Y".to_owned()][..]));
    assert_eq!(source.mapping.prefer.as_deref(), Some("Main == 'Y'"));
    assert_eq!(source.mapping.scope.as_deref(), Some("Type != \"Contractor\""));
}

#[test]
fn every_key_about_what_may_happen_is_read() {
    let config = read(FULL);
    let source = config.source("hr-south").unwrap();
    let percent = |text: &str| Some(Percent::parse(text).unwrap());
    let guards = Guards {
        max_leavers: Bound { count: Some(500), percent: percent("5%") },
        max_joiners: Bound::count(20),
        max_changes: Bound::OFF,
        max_rejects: Bound { count: None, percent: percent("7.5%") },
        max_inactive: Bound::count(80),
        min_rows: Some(100),
        attributes: vec![
            ("title".into(), Bound::percent(15)),
            ("name.familyName".into(), Bound::count(9)),
        ],
    };
    assert_eq!(source.guards, guards);
    let grace = Duration::from_hours(24);
    let when_missing = WhenMissing::Deactivate;
    assert_eq!(source.leavers, LeaversConfig { when_missing, after: 2, grace });
    assert_eq!(source.complete, CompleteConfig { min_share: Percent::whole(95) });
    let (column, date) = ("Exported".to_owned(), vec!["%d/%m/%Y".to_owned()]);
    let by = source.mapping.as_of.as_ref().unwrap();
    assert_eq!((&by.column, &by.date), (&column, &date));
    assert_eq!(source.as_of, AsOf::Column { column, date });
}

#[test]
fn a_guard_is_set_from_the_environment_as_text_too() {
    let text = SMALL.replace("target = \"entra\"", "target = \"entra\"\nguard = { min_rows = 5 }");
    let variables = [
        ("MAX_LEAVERS", "7%"),
        ("MAX_JOINERS", "false"),
        ("MAX_CHANGES", "[\"500\", \"5%\"]"),
        ("MAX_REJECTS", "12"),
    ];
    let variables =
        variables.map(|(key, value)| (format!("SCIMPORT__SOURCE__HR__GUARD__{key}"), value.into()));
    let config = Config::parse(&text, Path::new("conf"), variables).unwrap();
    let guards = Guards {
        max_leavers: Bound::percent(7),
        max_joiners: Bound::OFF,
        max_changes: Bound { count: Some(500), ..Bound::percent(5) },
        max_rejects: Bound::count(12),
        min_rows: Some(5),
        ..Guards::default()
    };
    assert_eq!(config.source("hr").unwrap().guards, guards);
}

#[test]
fn every_key_about_files_is_read() {
    let config = read(FULL);
    let source = config.source("hr-south").unwrap();
    let format = &source.format;
    assert_eq!(format.format, Some(Format::Csv));
    let csv = CsvConfig {
        delimiter: Delimiter::Byte(b'\t'),
        quote: Quote::None,
        encoding: Some("utf-16le".into()),
        header_row: Some(3),
    };
    assert_eq!(format.csv, csv);
    let sheet = SheetChoice::Name("Staff".into());
    let xlsx = WorkbookConfig { sheet, header_row: Some(2), merged: Merged::Spread };
    assert_eq!(format.xlsx, xlsx);
    let password = SecretRef::File(Path::new("conf").join("book.txt"));
    assert_eq!(source.workbook_password, Some(password));
    assert_eq!(
        format.json,
        JsonConfig { records: Some("/data/a~1b".into()), ..JsonConfig::default() }
    );
    let total = Some((3, "FTE".to_owned()));
    let trailer = TrailerConfig { starts_with: "TRL".into(), count: Some(2), total };
    assert_eq!(format.trailer, Some(trailer));
}

#[test]
fn a_sheet_has_a_name_or_a_number_and_a_quote_is_a_character() {
    let with = |line: &str| {
        let line = format!("target = \"entra\"\ntime_zone = \"UTC\"\n{line}");
        let config = read(&SMALL.replace("target = \"entra\"", &line));
        config.source("hr").unwrap().clone()
    };
    let sheet = |line| with(line).format.xlsx.sheet;
    assert_eq!(sheet("xlsx = { sheet = 2 }"), SheetChoice::Number(2));
    assert_eq!(sheet("xlsx = { sheet = \"2\" }"), SheetChoice::Name("2".into()));
    assert_eq!(sheet("xlsx = {}"), SheetChoice::Fitting);
    assert_eq!(with("csv = { quote = \"'\" }").format.csv.quote, Quote::Byte(b'\''));
    assert_eq!(with("csv = { quote = \"auto\" }").format.csv.quote, Quote::Auto);
    assert_eq!(with("csv = { encoding = \"auto\" }").format.csv.encoding, None);
    assert_eq!(with("json = { records = \"\" }").format.json.records.as_deref(), Some(""));
    for line in ["rows = { by = \"From\" }", "rows = { by = { column = \"From\" } }"] {
        let by = with(line).mapping.by.unwrap();
        assert_eq!((by.column.as_str(), by.date), ("From", vec!["%Y-%m-%d".to_owned()]));
    }
}

#[test]
fn what_is_not_said_has_its_default() {
    let config = read(SMALL);
    let target = config.target("entra").unwrap();
    assert_eq!((target.cloud.as_str(), target.daily_calls), ("public", 2000));
    assert_eq!(target.burst, Burst { calls: 40, window: seconds(5) });
    let (first_poll, poll, unconfirmed_after) = (seconds(300), seconds(30), seconds(5400));
    assert_eq!(
        target.tracking,
        TrackingConfig { first_poll, poll, unconfirmed_after, ..TrackingConfig::default() }
    );
    let retry = RetryConfig { base: seconds(5), cap: seconds(300), bucket_pause: seconds(300) };
    assert_eq!((target.retry, target.job_check), (retry, seconds(300)));
    assert_eq!(config.http.timeout, seconds(60));
    let source = config.source("hr").unwrap();
    assert_eq!(source.export, Export::Changes);
    assert_eq!(source.format, FormatConfig::default());
    assert_eq!((&source.mapping.scope, &source.workbook_password), (&None, &None));
    assert!(target.verified_domains.is_empty());
    assert_eq!((source.rows.per.as_ref(), source.rows.pick), (None, Pick::Error));
    assert!(source.time_zone.is_none() && source.takes_over.is_empty());
    assert_eq!((&source.guards, &source.as_of), (&Guards::default(), &AsOf::Arrival));
    assert_eq!((source.leavers, source.complete), Default::default());
    assert_eq!(source.mapping.as_of, None);
}

#[test]
fn a_mapping_keeps_the_order_of_the_file_and_all_its_rules() {
    let config = read(FULL);
    let lines = &config.source("hr-south").unwrap().mapping.attributes;
    let paths: Vec<_> = lines.iter().map(|line| line.path.as_str()).collect();
    assert_eq!(
        paths,
        [
            "externalId",
            "userName",
            "active",
            "displayName",
            "name.familyName",
            r#"emails[type eq "work"].value"#,
            "urn:ietf:params:scim:schemas:extension:contoso:1.0:User:HireDate",
            "title",
            "nickName",
            "urn:ietf:params:scim:schemas:extension:contoso:1.0:User:Grade",
        ]
    );
    let column = |name: &str| RuleConfig::new(ValueSource::Column(name.into()));
    let text = |text: &str| Literal::Text(text.into());
    let rule = |index: usize| lines[index].rule.clone();
    assert_eq!(rule(0), column("WorkerID"));
    let user = RuleConfig { case: Some(Case::Lower), max: Some(64), ..column("UserID") };
    assert_eq!(rule(1), RuleConfig { trim: false, optional: true, ..user });
    let map = vec![
        ("Zulu".to_owned(), Literal::Boolean(true)),
        ("Alpha".to_owned(), Literal::Boolean(false)),
        ("In. active".to_owned(), Literal::Integer(0)),
    ];
    let otherwise = Otherwise::Value(Literal::Boolean(false));
    assert_eq!(rule(2), RuleConfig { map: Some(map), otherwise, ..column("Status") });
    assert_eq!(rule(3).value, ValueSource::Template("{First} {Last}".into()));
    let empty_words = vec!["N/A".to_owned(), "-".to_owned()];
    assert_eq!(rule(4), RuleConfig { required: true, empty_words, ..column("Last") });
    let mail = RuleConfig::new(ValueSource::Template("{User}@example.com".into()));
    assert_eq!(rule(5), RuleConfig { on_empty: OnEmpty::Null, ..mail });
    let (date, time) = (vec!["%Y-%m-%d".to_owned()], Some("08:00".to_owned()));
    assert_eq!(rule(6), RuleConfig { date, time, ..column("Hired") });
    let title = RuleConfig::new(ValueSource::Const(text("Worker")));
    assert_eq!(rule(7), RuleConfig { default: Some(text("None")), ..title });
    let joined = RuleConfig::new(ValueSource::Expression("Join(\" \", First, Last)".into()));
    assert_eq!(rule(8), RuleConfig { ascii: true, max: Some(10), truncate: true, ..joined });
    let kind = Some(ValueType::Integer);
    assert_eq!(rule(9), RuleConfig { pad: Some(8), kind, ..column("Grade") });
}

#[test]
fn active_is_read_as_two_days() {
    let days = |rule: &str| {
        let dated = SMALL.replace("target = \"entra\"", "target = \"entra\"\ntime_zone = \"UTC\"");
        let text = dated.replace("{ const = true }", rule);
        read(&text).source("hr").unwrap().mapping.attributes[1].rule.clone()
    };
    let between = |end_is| {
        let (start, end) = ("HireDate".to_owned(), "TerminationDate".to_owned());
        RuleConfig::new(ValueSource::Between(Box::new(Between { start, end, end_is })))
    };
    let both = "between = [\"HireDate\", \"TerminationDate\"]";
    assert_eq!(days(&format!("{{ {both} }}")), between(End::Inclusive));
    assert_eq!(days(&format!("{{ {both}, end = \"inclusive\" }}")), between(End::Inclusive));
    let date = vec!["%d.%m.%Y".to_owned()];
    assert_eq!(
        days(&format!("{{ {both}, end = \"exclusive\", date = [\"%d.%m.%Y\"] }}")),
        RuleConfig { date, ..between(End::Exclusive) }
    );
}

#[test]
fn unquoted_dots_in_a_mapping_make_the_same_path() {
    let dotted = r#"name.givenName = "First"
        name.familyName.from = "Last"
        [source.hr.mapping.addresses]
        locality = { from = "City", required = true }
        [source.hr.mapping.title]
        from = "Title""#;
    let config = read(&format!("{SMALL}{dotted}"));
    let lines = &config.source("hr").unwrap().mapping.attributes;
    let paths: Vec<_> = lines.iter().skip(2).map(|line| line.path.as_str()).collect();
    assert_eq!(paths, ["name.givenName", "name.familyName", "addresses.locality", "title"]);
    assert_eq!(lines[3].rule, RuleConfig::new(ValueSource::Column("Last".into())));
    assert!(lines[4].rule.required);
}

#[test]
fn targets_of_one_tenant_share_what_one_of_them_states() {
    let second = SMALL[..SMALL.find("[source").unwrap()]
        .replace("entra", "pilot")
        .replace("contoso", "CONTOSO");
    let text = format!("{SMALL}{second}daily_calls = 6000\nburst = \"20/5s\"");
    let config = read(&text);
    let limits = |name| config.target(name).map(|target| (target.daily_calls, target.burst.calls));
    assert_eq!(limits("entra"), Some((6000, 20)));
    assert_eq!(limits("pilot"), Some((6000, 20)));
}

#[test]
fn a_problem_found_later_is_shown_with_its_line() {
    let config = read(FULL);
    let show = |path: &str| config.problem_at(path, "is wrong", Some("mend it".into())).to_string();
    insta::assert_snapshot!(show("target.entra.graph_url"), @r#"
    scimport.toml, line 12: is wrong
      12 | graph_url = "http://127.0.0.1:8081"
         |             ^^^^^^^^^^^^^^^^^^^^^^^
      hint: mend it
    "#);
    insta::assert_snapshot!(show("source.hr-south.mapping.name.familyName.required"), @r#"
    scimport.toml, line 57: is wrong
      57 | "name.familyName" = { from = …, required = true …
         |                                            ^^^^
      hint: mend it
    "#);
    insta::assert_snapshot!(show("source.hr-south.mapping.displayName"), @r#"
    scimport.toml, line 56: is wrong
      56 | displayName = "{First} {Last}"
         |               ^^^^^^^^^^^^^^^^
      hint: mend it
    "#);
    insta::assert_snapshot!(show("source.hr-south.mapping.nickName"), @"
    scimport.toml, line 61: is wrong
      61 | nickName = …
         | ^^^^^^^^
      hint: mend it
    ");
    assert_eq!(show("nowhere.at.all"), "scimport.toml: is wrong\n  hint: mend it");
}

#[test]
fn the_working_directory_is_a_folder_too() {
    assert_eq!(
        Config::load(Path::new("no-such.toml"), []).unwrap_err().to_string(),
        "no-such.toml: cannot be read: entity not found\n  \
         hint: the config was looked for at `no-such.toml`"
    );
    assert_eq!(read(SMALL).path, PathBuf::from("conf").join("scimport.toml"));
}

#[test]
fn a_watched_folder_has_its_defaults() {
    let folder = "folder = [{ path = \"inbox\" }, { path = \"/in\", pattern = [\"*.csv\", \"b?\"], settle = \"2s\", poll = \"1s\", keep = \"90d\" }]";
    let text = SMALL.replace("target = \"entra\"", &format!("target = \"entra\"\n{folder}"));
    let config = Config::parse(&text, Path::new("base"), []).unwrap();
    let [plain, full] = config.sources[0].folders.as_slice() else { panic!("two folders") };
    assert_eq!(plain.path, Path::new("base/inbox"));
    assert!(plain.takes("anything"));
    let seconds = |folder: &scimport::config::FolderConfig| {
        (folder.settle.as_secs(), folder.poll.as_secs(), folder.keep.map(|keep| keep.as_secs()))
    };
    assert_eq!(seconds(plain), (10, 5, None));
    assert_eq!(full.path, Path::new("/in"));
    assert!(full.takes("A.CSV") && full.takes("b1") && !full.takes("a.xlsx"));
    assert_eq!(seconds(full), (2, 1, Some(90 * 86_400)));
}

#[test]
fn a_command_is_read_with_its_time_out_and_found_beside_the_config() {
    let credential = |command: &str| {
        let config = read(&SMALL.replace("{ env = \"SECRET\" }", command));
        config.target("entra").unwrap().credential.clone()
    };
    let of = |command| CredentialConfig::ClientSecret {
        secret: SecretRef::Command(command),
        expires: None,
    };
    let plain = SecretCommand::new("op", &["read", "op://hr/entra", ""]);
    assert_eq!(
        credential("{ command = [\"op\", \"read\", \"op://hr/entra\", \"\"], timeout = \"30s\" }"),
        of(plain.clone().with_timeout(seconds(30)))
    );
    let usual = credential("{ command = [\"op\", \"read\", \"op://hr/entra\", \"\"] }");
    assert_eq!(usual, of(plain.with_timeout(seconds(10))));
    let beside = Path::new("conf").join("./get.sh");
    assert_eq!(
        credential("{ command = [\"./get.sh\"] }"),
        of(SecretCommand::new(beside.to_str().unwrap(), &[]))
    );
    assert_eq!(credential("{ command = [\"/get\"] }"), of(SecretCommand::new("/get", &[])));
}

#[test]
fn a_credential_may_be_a_federated_token_or_a_managed_identity() {
    let federated = read(&SMALL.replace(
        "{ client_secret = { env = \"SECRET\" } }",
        "{ federated_token = { file = \"token\" } }",
    ));
    let target = federated.target("entra").unwrap();
    let file = Path::new("conf").join("token");
    assert_eq!(target.credential, CredentialConfig::FederatedToken { file });
    assert_eq!(target.client_id.as_deref(), Some("c"));
    for (credential, expected) in [
        ("\"managed_identity\"", None),
        ("{ managed_identity = {} }", None),
        ("{ managed_identity = { client_id = \"i\" } }", Some("i".to_owned())),
    ] {
        let nameless = SMALL.replace("client_id = \"c\"\n", "");
        let config =
            read(&nameless.replace("{ client_secret = { env = \"SECRET\" } }", credential));
        let target = config.target("entra").unwrap();
        assert_eq!(target.credential, CredentialConfig::ManagedIdentity { client_id: expected });
        assert_eq!(target.client_id, None);
    }
}

#[test]
fn a_credential_may_have_a_second_in_its_place() {
    let two = "[{ client_secret = { env = \"OLD\" } }, { client_secret = { env = \"NEW\" } }]";
    let config = read(&SMALL.replace("{ client_secret = { env = \"SECRET\" } }", two));
    let target = config.target("entra").unwrap();
    let of = |name: &str| CredentialConfig::ClientSecret {
        secret: SecretRef::Env(name.into()),
        expires: None,
    };
    assert_eq!((&target.credential, &target.second_credential), (&of("OLD"), &Some(of("NEW"))));
    assert_eq!(read(SMALL).target("entra").unwrap().second_credential, None);
}
