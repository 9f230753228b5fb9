//! The JSON Schemas for editors accept what the loader accepts, and nothing else.

#![expect(clippy::unwrap_used, reason = "helpers of tests may fail as tests do")]

use std::path::Path;

use scimport::config::Config;
use serde_json::Value;

use crate::config_reading::{FULL, SMALL};

const CONFIG: &str = include_str!("../../schemas/config.json");
const MAPPING: &str = include_str!("../../schemas/mapping.json");
const BASE: &str = "json-schema:///config.json";

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

/// Says of a TOML text whether the loader and whether the schema takes it.
fn judged(validator: &jsonschema::Validator, text: &str) -> (bool, bool) {
    let value: Value = toml::from_str(text).unwrap();
    (Config::parse(text, Path::new("."), []).is_ok(), validator.is_valid(&value))
}

fn with_validator(check: impl FnOnce(&jsonschema::Validator)) {
    let registry = jsonschema::Registry::new()
        .add("json-schema:///mapping.json", parsed(MAPPING))
        .unwrap()
        .prepare()
        .unwrap();
    let validator = jsonschema::options()
        .with_draft(jsonschema::Draft::Draft202012)
        .with_base_uri(BASE)
        .with_registry(&registry)
        .build(&parsed(CONFIG))
        .unwrap();
    check(&validator);
}

/// Lines for the target, the source and the mapping of the small config.
fn changed(part: &str, line: &str) -> String {
    match part {
        "target" => SMALL.replace("job_id = \"j\"", &format!("job_id = \"j\"\n{line}")),
        "source" => SMALL.replace("target = \"entra\"", &format!("target = \"entra\"\n{line}")),
        "mapping" => format!("{SMALL}{line}"),
        "active" => {
            let dated =
                SMALL.replace("target = \"entra\"", "target = \"entra\"\ntime_zone = \"UTC\"");
            dated.replace("active = { const = true }", &format!("active = {line}"))
        }
        "credential" => SMALL.replace("{ client_secret = { env = \"SECRET\" } }", line),
        "managed" => {
            let nameless = SMALL.replace("client_id = \"c\"\n", "");
            nameless.replace("{ client_secret = { env = \"SECRET\" } }", line)
        }
        "file" => format!("{line}\n{SMALL}"),
        other => panic!("no part `{other}`"),
    }
}

#[test]
fn both_are_schemas() {
    for text in [CONFIG, MAPPING] {
        jsonschema::meta::validate(&parsed(text)).unwrap();
    }
}

#[test]
#[expect(clippy::too_many_lines, reason = "a list of what is taken")]
fn the_schema_takes_what_the_loader_takes() {
    let good = [
        ("target", "burst = \"1/1m 30s\""),
        ("target", "tracking = { first_poll = \"0s\" }"),
        ("target", "tracking = { unconfirmed_after = \"1d2h3m4s5ms\" }"),
        ("target", "cloud = \"china\"\ndaily_calls = 1"),
        ("credential", "{ client_secret = { file = \"s\" } }"),
        ("file", "[store]\nkey = { file = \"k\" }\nold_keys = []"),
        ("file", "[store]\nold_keys = [{ env = \"K\" }, { command = [\"op\"] }]"),
        ("file", "[retention]\nruns = \"400d\"\nleft = \"90d\""),
        ("credential", "{ client_secret = { command = [\"op\", \"read\", \"\"] } }"),
        ("credential", "{ client_secret = { command = [\"op\"], timeout = \"1m 5s\" } }"),
        ("credential", "[{ client_secret = { env = \"A\" } }, { certificate = { env = \"B\" } }]"),
        (
            "credential",
            "[{ federated_token = { file = \"f\" } }, { client_secret = { env = \"A\" } }]",
        ),
        ("credential", "\"federated_token\""),
        ("credential", "{ federated_token = { file = \"f\" } }"),
        ("managed", "\"managed_identity\""),
        ("managed", "{ managed_identity = {} }"),
        ("managed", "{ managed_identity = { client_id = \"c\" } }"),
        ("credential", "{ certificate = { file = \"s\" } }"),
        ("credential", "{ certificate = { file = \"s\" }, key = { env = \"_K1\" } }"),
        ("source", "format = \"csv\"\nexport = \"full\"\ntakes_over = []"),
        ("source", "csv = { delimiter = \" \" }"),
        ("source", "csv = { delimiter = \"\\t\" }"),
        ("source", "csv = {}\nrows = {}"),
        ("source", "rows = { pick = \"first\" }"),
        ("source", "format = \"xlsx\"\nxlsx = { sheet = \"2026\", merged = \"empty\" }"),
        ("source", "format = \"json\"\njson = { records = \"/a~0/b~1/0\" }"),
        ("source", "xlsx = { sheet = 1, password = { env = \"P\" } }"),
        ("source", "json = { records = \"\" }"),
        ("source", "csv = { encoding = \"Windows-1252\", quote = \"'\" }"),
        ("source", "csv = { encoding = \"utf-16be\", quote = \"none\" }"),
        ("source", "scope = 'A == \"B\"'\nrows = { prefer = \"A\" }"),
        ("source", "time_zone = \"UTC\"\nrows = { by = \"A\" }"),
        ("source", "time_zone = \"UTC\"\nrows = { by = { column = \"A\", date = [\"%d\"] } }"),
        ("source", "complete = {}"),
        ("source", "complete = { min_share = \"90%\" }"),
        ("source", "complete = { min_share = \"100.00%\" }"),
        ("source", "guard = {}"),
        ("source", "guard = { max_leavers = false, max_joiners = 5, max_changes = \"5\" }"),
        ("source", "guard = { max_leavers = \"100%\", max_joiners = \"250%\", min_rows = false }"),
        ("source", "guard = { max_inactive = [\"500\", \"0.05%\"], max_rejects = [\"5%\", 5] }"),
        (
            "source",
            "guard = { max_inactive = [\"500\"], max_changes = [\"200%\", 5], min_rows = 9 }",
        ),
        ("source", "guard = { attributes = { externalId = \"15%\", active = [5, \"5%\"] } }"),
        ("source", "folder = { path = \"inbox\" }"),
        (
            "source",
            "folder = [{ path = \"a\" }, { path = \"b\", pattern = [\"*.csv\", \"*.xlsx\"] }]",
        ),
        (
            "source",
            "folder = { path = \"in\", pattern = \"w-?.csv\", settle = \"2s\", poll = \"1s\", keep = \"90d\" }",
        ),
        (
            "source",
            "folder = { path = \"in\", expected = { cron = \"0 6 * * 1-5\", time_zone = \"UTC\", within = \"1h\" } }",
        ),
        (
            "source",
            "time_zone = \"UTC\"\nschedule = { cron = \"0 5 * * MON-FRI\", file = \"w.csv\" }",
        ),
        (
            "source",
            "schedule = { cron = \"@daily\", time_zone = \"UTC\", file = \"w\", overdue_after = \"1h\", settle = \"1s\" }",
        ),
        (
            "source",
            "time_zone = \"UTC\"\nschedule = [{ cron = \"5 4 L * *\", hydrate = { url = \"https://hr.example/r?all=1\" } }, \
             { cron = \"*/5 * * * 1#1\", hydrate = { url = \"http://127.0.0.1:80/r\", per_second = 1, auth = { bearer = { env = \"A\" } } } }]",
        ),
        ("source", "leavers = {}"),
        ("source", "leavers = { when_missing = \"ignore\", after = 2 }"),
        (
            "source",
            "export = \"full\"\nleavers = { when_missing = \"deactivate\", grace = \"2d\" }",
        ),
        ("source", "as_of = \"arrival\""),
        ("source", "time_zone = \"UTC\"\nas_of = { name = \"w-%Y%m%d %H%M%S 100%%.csv\" }"),
        ("source", "time_zone = \"UTC\"\nas_of = { name = \"%d.%m.%Y.csv\" }"),
        ("source", "time_zone = \"UTC\"\nas_of = { column = \"A\" }"),
        ("source", "time_zone = \"UTC\"\nas_of = { column = \"A\", date = [\"%d\"] }"),
        ("source", "complete = { trailer = { starts_with = \"T\" } }"),
        (
            "source",
            "complete = { trailer = { starts_with = \"T\", count = 2, total = { field = 3, of = \"F\" } } }",
        ),
        ("target", "verified_domains = [\"contoso.com\", \"Müller.example\"]"),
        ("active", "{ between = [\"A\", \"B\"] }"),
        ("active", "{ between = [\"A\", \"B\"], end = \"exclusive\", date = [\"%d.%m.%Y\"] }"),
        ("mapping", "title = { expr = 'Join(\" \", A, B)' }"),
        ("mapping", "title = { from = \"A\", pad = 8, ascii = true, max = 5, truncate = true }"),
        ("mapping", "title = { from = \"A\", type = \"boolean\" }"),
        ("mapping", "title = { const = 5 }"),
        ("mapping", "name.givenName = \"A\"\nname.familyName = { from = \"B\" }"),
        ("mapping", "title = { from = \"A\", map = { x = 1 }, otherwise = \"reject\" }"),
        ("file", "[http]\nproxy = \"https://p.example:1/\"\n[store]\nurl = \"sqlite:/a b\""),
        ("file", "[store]"),
        ("file", "[vault]"),
        ("file", "[vault]\npath = \"v\"\nkey = { file = \"k\" }"),
        ("file", "[vault]\npassphrase = { env = \"P\" }"),
        ("credential", "{ client_secret = { vault = \"hr-1\" } }"),
        ("file", "[server]"),
        ("file", "[server]\nlisten = \"[::1]:0\"\nmax_body = \"64 MiB\"\nmax_connections = 9"),
        ("file", "[server]\nlisten = \"127.8.8.8:80\"\ntimeout = \"5s\"\nupload_timeout = \"1h\""),
        ("file", "[server]\ntls = { certificate = { file = \"c.pem\" } }"),
        ("file", "[server]\ntls = { certificate = { file = \"c\" }, key = { env = \"K\" } }"),
        ("file", "[server]\nlisten = \"0.0.0.0:80\"\nadmin_token = { file = \"t\" }"),
    ];
    with_validator(|validator| {
        assert_eq!(judged(validator, ""), (true, true));
        assert_eq!(judged(validator, FULL), (true, true));
        assert_eq!(judged(validator, SMALL), (true, true));
        for (part, line) in good {
            assert_eq!(judged(validator, &changed(part, line)), (true, true), "{part}: {line}");
        }
    });
}

#[test]
#[expect(clippy::too_many_lines, reason = "a list of what is refused")]
fn the_schema_refuses_what_the_loader_refuses() {
    let bad = [
        ("target", "burts = \"40/5s\""),
        ("target", "burst = \"0/5s\""),
        ("target", "burst = \"40/0s\""),
        ("target", "burst = \"40\""),
        ("target", "burst = \"40/\""),
        ("target", "daily_calls = 0"),
        ("target", "daily_calls = \"2000\""),
        ("target", "cloud = \"Public\""),
        ("target", "job_check = \"0s\""),
        ("target", "job_check = \"5m \""),
        ("target", "job_check = \"30s 5m\""),
        ("target", "job_check = \"\""),
        ("target", "job_check = 5"),
        ("target", "graph_url = \" \""),
        ("target", "tracking = { pol = \"1s\" }"),
        ("target", "retry = { base = \"-1s\" }"),
        ("credential", "\"managed_identity\""),
        ("credential", "{ managed_identity = {} }"),
        ("credential", "[]"),
        ("credential", "[{ client_secret = { env = \"A\" } }]"),
        ("credential", "[{ client_secret = { env = \"A\" } }, \"managed_identity\"]"),
        ("credential", "[{ client_secret = { env = \"A\" } }, \"federated_token\"]"),
        ("credential", "[{ client_secret = { env = \"A\" } }, { managed_identity = {} }]"),
        ("credential", "\"hunter2\""),
        ("credential", "{ federated_token = \"f\" }"),
        ("credential", "{ federated_token = {} }"),
        ("credential", "{ federated_token = { file = \"f\" }, key = { env = \"A\" } }"),
        ("managed", "{ client_secret = { env = \"A\" } }"),
        ("managed", "{ managed_identity = \"c\" }"),
        ("managed", "{ managed_identity = { client_id = 5 } }"),
        ("managed", "{ managed_identity = { object_id = \"c\" } }"),
        ("credential", "{}"),
        ("credential", "{ client_secret = \"hunter2\" }"),
        ("credential", "{ client_secret = {} }"),
        ("credential", "{ client_secret = { env = \"A\", file = \"b\" } }"),
        ("credential", "{ client_secret = { env = \"1 A\" } }"),
        ("credential", "{ client_secret = { vault = \"A\" } }"),
        ("credential", "{ client_secret = { vault = \"a\", env = \"A\" } }"),
        ("file", "[vault]\nkey = { vault = \"a\" }"),
        ("file", "[vault]\nkey = { file = \"k\" }\npassphrase = { env = \"P\" }"),
        ("file", "[vault]\npath = \" \""),
        ("file", "[vault]\nkeys = { file = \"k\" }"),
        ("file", "[vault]\nkey = \"AGE-SECRET-KEY-1\""),
        ("credential", "{ client_secret = { command = \"op\" } }"),
        ("credential", "{ client_secret = { command = [] } }"),
        ("credential", "{ client_secret = { command = [\" \", \"read\"] } }"),
        ("credential", "{ client_secret = { command = [\"op\", 5] } }"),
        ("credential", "{ client_secret = { command = [\"op\"], timeout = \"0s\" } }"),
        ("credential", "{ client_secret = { command = [\"op\"], timeout = 5 } }"),
        ("credential", "{ client_secret = { command = [\"op\"], env = \"A\" } }"),
        ("credential", "{ client_secret = { env = \"A\", timeout = \"5s\" } }"),
        ("credential", "{ client_secret = { env = \"A\" }, certificate = { env = \"B\" } }"),
        ("credential", "{ client_secret = { env = \"A\" }, key = { env = \"B\" } }"),
        ("credential", "{ key = { env = \"B\" } }"),
        ("source", "format = \"xls\""),
        ("source", "export = true"),
        ("source", "scope = \"\""),
        ("source", "scope = true"),
        ("source", "guard = { max_leavers = true }"),
        ("source", "guard = { max_leavers = 0 }"),
        ("source", "guard = { max_leavers = \"0\" }"),
        ("source", "guard = { max_leavers = \"0%\" }"),
        ("source", "guard = { max_leavers = \"101%\" }"),
        ("source", "guard = { max_rejects = \"100.01%\" }"),
        ("source", "guard = { max_leavers = \"5 %\" }"),
        ("source", "guard = { max_leavers = \"1234567890\" }"),
        ("source", "guard = { max_leavers = 5.5 }"),
        ("source", "guard = { max_leavers = [] }"),
        ("source", "guard = { max_leavers = [5, \"6\"] }"),
        ("source", "guard = { max_leavers = [\"5%\", \"6%\"] }"),
        ("source", "guard = { max_leavers = [5, \"5%\", 6] }"),
        ("source", "guard = { max_leavers = [false] }"),
        ("source", "guard = { max_joiners = \"10000%\" }"),
        ("source", "guard = { min_rows = 0 }"),
        ("source", "guard = { min_rows = \"5%\" }"),
        ("source", "guard = { min_rows = true }"),
        ("source", "guard = { max_leaver = 5 }"),
        ("source", "guard = { attributes = \"5%\" }"),
        ("source", "guard = { attributes = { externalId = \"101%\" } }"),
        ("source", "guard = false"),
        ("source", "leavers = { when_missing = \"delete\" }"),
        ("source", "leavers = { when_missing = \"deactivate\" }"),
        ("source", "export = \"changes\"\nleavers = { when_missing = \"deactivate\" }"),
        ("source", "leavers = { after = 0 }"),
        ("source", "leavers = { grace = \"2\" }"),
        ("source", "leavers = { grace = 2 }"),
        ("source", "complete = { min_share = 90 }"),
        ("source", "complete = { min_share = \"90\" }"),
        ("source", "complete = { min_share = \"0%\" }"),
        ("source", "complete = { min_share = \"110%\" }"),
        ("source", "as_of = \"name\""),
        ("source", "as_of = true"),
        ("source", "as_of = { column = \"A\" }"),
        ("source", "as_of = { name = \"w-%Y%m%d.csv\" }"),
        ("source", "time_zone = \"UTC\"\nas_of = {}"),
        ("source", "time_zone = \"UTC\"\nas_of = { name = \"workers.csv\" }"),
        ("source", "time_zone = \"UTC\"\nas_of = { name = \"%Y%m.csv\" }"),
        ("source", "time_zone = \"UTC\"\nas_of = { name = \"%y%m%d.csv\" }"),
        ("source", "time_zone = \"UTC\"\nas_of = { name = \"a/%F.csv\" }"),
        ("source", "time_zone = \"UTC\"\nas_of = { name = \"%F.csv\", column = \"A\" }"),
        ("source", "time_zone = \"UTC\"\nas_of = { name = \"%F.csv\", date = [\"%F\"] }"),
        ("source", "time_zone = \"UTC\"\nas_of = { column = \"A\", date = [] }"),
        ("source", "folder = \"inbox\""),
        ("source", "folder = {}"),
        ("source", "folder = []"),
        ("source", "folder = { path = \" \" }"),
        ("source", "folder = { path = \"inbox\", pattern = \"in/w.csv\" }"),
        ("source", "folder = { path = \"inbox\", pattern = \" \" }"),
        ("source", "folder = { path = \"inbox\", pattern = \"[ab]*\" }"),
        ("source", "folder = { path = \"inbox\", pattern = [] }"),
        ("source", "folder = { path = \"inbox\", pattern = [\"*.csv\", \"{a}\"] }"),
        ("source", "folder = { path = \"inbox\", settle = \"0s\" }"),
        ("source", "folder = { path = \"inbox\", poll = 5 }"),
        ("source", "folder = { path = \"inbox\", keep = \"forever\" }"),
        ("source", "folder = { path = \"inbox\", settel = \"5s\" }"),
        ("source", "schedule = \"0 5 * * *\""),
        ("source", "time_zone = \"UTC\"\nschedule = []"),
        ("source", "time_zone = \"UTC\"\nschedule = { file = \"w.csv\" }"),
        ("source", "time_zone = \"UTC\"\nschedule = { cron = \"0 5 * * *\" }"),
        ("source", "time_zone = \"UTC\"\nschedule = { cron = \"0 5 * *\", file = \"w.csv\" }"),
        ("source", "time_zone = \"UTC\"\nschedule = { cron = \"@noon\", file = \"w.csv\" }"),
        (
            "source",
            "time_zone = \"UTC\"\nschedule = { cron = \"0 5 * * *\", file = \"w\", at = 5 }",
        ),
        (
            "source",
            "time_zone = \"UTC\"\nschedule = { cron = \"0 5 * * *\", file = \"w\", hydrate = { url = \"https://x\" } }",
        ),
        (
            "source",
            "time_zone = \"UTC\"\nschedule = { cron = \"0 5 * * *\", settle = \"1s\", hydrate = { url = \"https://x\" } }",
        ),
        (
            "source",
            "time_zone = \"UTC\"\nschedule = { cron = \"0 5 * * *\", hydrate = { url = \"http://x\" } }",
        ),
        (
            "source",
            "time_zone = \"UTC\"\nschedule = { cron = \"0 5 * * *\", hydrate = { url = \"https://x/{id}\" } }",
        ),
        (
            "source",
            "time_zone = \"UTC\"\nschedule = { cron = \"0 5 * * *\", hydrate = { url = \"https://x\", auth = \"s\" } }",
        ),
        (
            "source",
            "time_zone = \"UTC\"\nschedule = { cron = \"0 5 * * *\", file = \"w.csv\", overdue_after = \"0s\" }",
        ),
        ("source", "time_zone = \"UTC\"\nfolder = { path = \"in\", expected = {} }"),
        ("source", "time_zone = \"UTC\"\nfolder = { path = \"in\", expected = \"@daily\" }"),
        ("source", "webhook = { verify = \"none\" }"),
        ("source", "webhook = { verify = \"bearer\", rate = \"0/1s\" }"),
        ("source", "webhook = { verify = \"bearer\", coalesce = \"2\" }"),
        ("source", "webhook = { verify = \"bearer\", schema = \"\" }"),
        ("target", "delete_threshold = 500"),
        ("source", "csv = { delimiter = \"\\\"\" }"),
        ("source", "csv = { delimiter = \"ab\" }"),
        ("source", "csv = { encoding = \" \" }"),
        ("source", "csv = { quote = \"ab\" }"),
        ("source", "csv = { quote = \"a\" }"),
        ("source", "csv = { quote = \"\" }"),
        ("source", "xlsx = { sheet = 0 }"),
        ("source", "xlsx = { sheet = \"\" }"),
        ("source", "xlsx = { sheet = true }"),
        ("source", "xlsx = { merged = \"keep\" }"),
        ("source", "xlsx = { header_row = 0 }"),
        ("source", "xlsx = { password = \"hunter2\" }"),
        ("source", "xlsx = { pasword = { env = \"P\" } }"),
        ("source", "json = { records = \"data\" }"),
        ("source", "json = { records = \"/a~2\" }"),
        ("source", "json = { records = \"/a~\" }"),
        ("source", "json = { record = \"/a\" }"),
        ("source", "complete = { trailer = {} }"),
        ("source", "complete = { trailer = { starts_with = \"T\", count = 0 } }"),
        ("source", "complete = { trailer = { starts_with = \"T\", total = { field = 1 } } }"),
        ("source", "complete = { trailer = { starts_with = \"T\", total = { of = \"F\" } } }"),
        ("source", "csv = { header_row = 0 }"),
        ("source", "rows = { pick = \"newest\" }"),
        ("source", "rows = { by = \"x\" }"),
        ("source", "time_zone = \"UTC\"\nrows = { by = 5 }"),
        ("source", "time_zone = \"UTC\"\nrows = { by = { date = [\"%Y\"] } }"),
        ("source", "time_zone = \"UTC\"\nrows = { by = { column = \"A\", date = [] } }"),
        ("source", "rows = { prefer = \"\" }"),
        ("target", "verified_domains = []"),
        ("target", "verified_domains = [\"@contoso.com\"]"),
        ("target", "verified_domains = [\"contoso\"]"),
        ("target", "verified_domains = \"contoso.com\""),
        ("source", "takes_over = \"a\""),
        ("source", "takes_over = [\"A\"]"),
        ("mapping", "title = true"),
        ("mapping", "title = \"\""),
        ("mapping", "title = {}"),
        ("mapping", "\"\" = \"A\""),
        ("mapping", "title = { case = \"lower\" }"),
        ("mapping", "title = { from = \"A\", const = 1 }"),
        ("mapping", "title = { from = \"A\", case = \"lowr\" }"),
        ("mapping", "title = { from = \"A\", pad = 0 }"),
        ("mapping", "title = { from = \"A\", pad = \"8\" }"),
        ("mapping", "title = { from = \"A\", expr = \"x\" }"),
        ("mapping", "title = { expr = \"\" }"),
        ("mapping", "title = { from = \"A\", type = \"text\" }"),
        ("mapping", "title = { from = \"A\", ascii = \"yes\" }"),
        ("mapping", "title = { from = \"A\", truncate = 1 }"),
        ("mapping", "title = { between = [\"A\", \"B\"] }"),
        ("active", "{ between = [\"A\"] }"),
        ("active", "{ between = [\"A\", \"B\", \"C\"] }"),
        ("active", "{ between = \"A\" }"),
        ("active", "{ between = [\"A\", \" \"] }"),
        ("active", "{ between = [\"A\", \"B\"], end = \"open\" }"),
        ("active", "{ between = [\"A\", \"B\"], from = \"A\" }"),
        ("active", "{ between = [\"A\", \"B\"], date = [] }"),
        ("active", "{ from = \"A\", end = \"exclusive\" }"),
        ("mapping", "title = { from = \"A\", max = 0 }"),
        ("mapping", "title = { from = \"A\", map = {} }"),
        ("mapping", "title = { from = \"A\", map = { B.C = 1 } }"),
        ("mapping", "title = { from = \"A\", date = [] }"),
        ("mapping", "title = { from = \"A\", date = [\"%Y\"] }"),
        ("mapping", "title = { from = \"A\", trim = \"yes\" }"),
        ("mapping", "title = { from = \"A\", default = 1.5 }"),
        ("mapping", "name = { givenName = \"A\", from = \"B\" }"),
        ("file", "[store]\nurl = \"postgres://h/db\""),
        ("file", "[store]\nurl = \"sqlite:\""),
        ("file", "[store]\nurl = \"sqlite://a\""),
        ("file", "[store]\nurl = \"sqlite::memory:\""),
        ("file", "[http]\nproxy = \"http://u:p@h\""),
        ("file", "[http]\nproxy = \"socks5://h\""),
        ("file", "[server]\nlisten = \"0.0.0.0:8080\""),
        ("file", "[server]\nlisten = \"[::]:8080\"\nreader_token = { env = \"R\" }"),
        ("file", "[server]\nlisten = \"localhost:8080\""),
        ("file", "[server]\nlisten = 8080"),
        ("file", "[server]\nadmin_token = \"hunter2\""),
        ("file", "[server]\nmax_body = \"0MB\""),
        ("file", "[server]\nmax_body = 5"),
        ("file", "[server]\nmax_connections = 0"),
        ("file", "[server]\ntimeout = \"0s\""),
        ("file", "[server]\ntls = true"),
        ("file", "[server]\ntls = {}"),
        ("file", "[server]\ntls = { key = { env = \"K\" } }"),
        ("file", "[server]\ntls = { certificate = \"c.pem\" }"),
        ("file", "[server]\ntls = { certificate = { file = \"c\" }, keys = { env = \"K\" } }"),
        ("file", "[target.Entra]"),
        ("file", "[source.hr-2]\ntarget = \"entra\""),
        ("file", "[[target]]\nname = \"x\""),
    ];
    with_validator(|validator| {
        for (part, line) in bad {
            let text = changed(part, line);
            let text = if line.starts_with("[[") { line.to_owned() } else { text };
            assert_eq!(judged(validator, &text), (false, false), "{part}: {line}");
        }
    });
}

#[test]
fn schema_and_loader_take_and_refuse_the_same_alerts() {
    let good = [
        "",
        "webhook = { url = { env = \"U\" } }\non = [\"run_held\"]",
        "webhook = [{ url = { file = \"u\" }, format = \"teams\" }, { url = { env = \"U\" }, format = \"slack\" }]",
        "reject_share = \"2.5%\"\nrepeat = \"12h\"\nnothing_settled_after = \"90m\"",
        "credential_expires = [\"60d\", \"1d\"]",
        "email = { to = \"ops@contoso.example\", from = \"a-b.c+d@x\", smtp = { host = \"smtp.x\" } }",
        "email = { to = [\"a@x\", \"b@x\"], from = \"c@x\", smtp = { host = \"::1\", port = 2525, tls = \"none\" } }",
        "email = { to = \"a@x\", from = \"c@x\", smtp = { host = \"127.8.8.8\", tls = \"none\", user = \"u\", password = { env = \"P\" } } }",
    ];
    let bad = [
        "webhook = \"https://hooks.example/x\"",
        "webhook = []",
        "webhook = {}",
        "webhook = [{ url = \"https://hooks.example/x\" }]",
        "webhook = { url = { env = \"U\" }, format = \"Teams\" }",
        "webhook = { url = { env = \"U\" }, formt = \"teams\" }",
        "on = []",
        "on = [\"run-held\"]",
        "on = \"run_held\"",
        "reject_share = \"101%\"",
        "reject_share = 10",
        "repeat = \"0s\"",
        "nothing_settled_after = \"0s\"",
        "credential_expires = []",
        "credential_expires = [\"0d\"]",
        "email = { to = \"a@x\", from = \"b@x\" }",
        "email = { to = [], from = \"b@x\", smtp = { host = \"s\" } }",
        "email = { to = \"Ann <a@x>\", from = \"b@x\", smtp = { host = \"s\" } }",
        "email = { to = \"a\", from = \"b@x\", smtp = { host = \"s\" } }",
        "email = { to = \"a@x\", from = \"b@x@y\", smtp = { host = \"s\" } }",
        "email = { to = \"a@x\", from = \"b@x\", smtp = { host = \"s/1\" } }",
        "email = { to = \"a@x\", from = \"b@x\", smtp = { host = \"s\", tls = \"none\" } }",
        "email = { to = \"a@x\", from = \"b@x\", smtp = { host = \"s\", port = 65536 } }",
        "email = { to = \"a@x\", from = \"b@x\", smtp = { host = \"s\", user = \"u\" } }",
        "email = { to = \"a@x\", from = \"b@x\", smtp = { host = \"s\", user = \"u\", password = \"hunter2\" } }",
        "webhok = { url = { env = \"U\" } }",
    ];
    with_validator(|validator| {
        let judged = |lines: &str| judged(validator, &format!("[alerts]\n{lines}\n{SMALL}"));
        for lines in good {
            assert_eq!(judged(lines), (true, true), "{lines}");
        }
        for lines in bad {
            assert_eq!(judged(lines), (false, false), "{lines}");
        }
    });
}
