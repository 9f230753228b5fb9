//! What is read of `hydrate`, and what is refused.

use toml::de::DeTable;

use super::*;
use crate::config::document::Document;
use crate::config::node::Table;
use crate::config::section::Report;

/// What is read of `hydrate = …`, and every problem found.
fn read_line(line: &str, has_id: bool) -> (Option<HydrateConfig>, String) {
    let text = format!("hydrate = {line}\n");
    let mut document = Document::new("scimport.toml", &text);
    let root = Table::from_file(DeTable::parse(&text).unwrap().into_inner());
    document.note_scalars(&root);
    document.note_places(&root);
    let report = Report::new(&document, Vec::new());
    let field = Section::root(&report, &root).get("hydrate").unwrap();
    let folder = Path::new("/etc/hr");
    let config = if has_id {
        read(&field, folder)
    } else {
        read_all(&field, folder).map(|fetch| HydrateConfig {
            fetch,
            id: String::new(),
            record: String::new(),
        })
    };
    let problems: Vec<_> =
        report.into_found().0.into_iter().map(|problem| problem.to_string()).collect();
    (config, problems.join("\n"))
}

#[track_caller]
fn good(line: &str) -> HydrateConfig {
    let (config, problems) = read_line(line, true);
    assert_eq!(problems, "", "{line}");
    config.unwrap()
}

fn env(name: &str) -> SecretRef {
    SecretRef::Env(name.into())
}

#[test]
fn an_address_with_an_id_is_enough_where_everybody_may_ask() {
    let config = good("{ url = \"https://hr.example/employees/{id}\", id = \"/data/employeeId\" }");
    assert_eq!(config.fetch.url, "https://hr.example/employees/{id}");
    assert_eq!((config.id.as_str(), config.record.as_str()), ("/data/employeeId", ""));
    assert_eq!((config.fetch.auth, config.fetch.per_second), (None, 5));
    for url in [
        "http://127.0.0.1:8080/e/{id}",
        "http://[::1]/e/{id}.json",
        "https://hr.example/odata/Workers('{id}')?full=1",
        "https://hr.example/report?worker={id}&format=json",
    ] {
        assert_eq!(good(&format!("{{ url = \"{url}\", id = \"/id\" }}")).fetch.url, url);
    }
}

#[test]
fn there_are_three_ways_to_prove_who_we_are() {
    let auth = |auth: &str| {
        let line = format!(
            "{{ url = \"https://hr.example/{{id}}\", id = \"/id\", auth = {auth}, record = \"/a\", per_second = 50 }}"
        );
        let config = good(&line);
        assert_eq!((config.record.as_str(), config.fetch.per_second), ("/a", 50));
        config.fetch.auth.unwrap()
    };
    assert_eq!(auth("{ bearer = { env = \"A\" } }"), AuthConfig::Bearer(env("A")));
    assert_eq!(
        auth("{ basic = { user = \"me\", password = { file = \"p\" } } }"),
        AuthConfig::Basic {
            user: UserConfig::Text("me".into()),
            password: SecretRef::File("/etc/hr/p".into())
        }
    );
    assert_eq!(
        auth("{ basic = { user = { env = \"U\" }, password = { env = \"P\" } } }"),
        AuthConfig::Basic { user: UserConfig::Secret(env("U")), password: env("P") }
    );
    assert_eq!(
        auth("{ header = { name = \"X-API-Key\", value = { env = \"K\" } } }"),
        AuthConfig::Header { name: "x-api-key".into(), value: env("K") }
    );
}

#[test]
fn an_address_that_may_lead_elsewhere_is_refused() {
    for (url, says) in [
        ("https://hr.example/employees", "needs `{id}` once"),
        ("https://hr.example/{id}/{id}", "needs `{id}` once"),
        ("https://{id}.hr.example/employees", "in the name of its host"),
        ("https://hr.example{id}/employees", "in the name of its host"),
        ("{id}://hr.example/employees", "is no URL"),
        ("https://hr.example/{id}/{name}", "has a brace in it"),
        ("https://hr.example/a#{id}", "has a `#` in it"),
        ("https://me:hunter2@hr.example/{id}", "has a user name or password"),
        ("https://me@hr.example/{id}", "has a user name or password"),
        ("http://hr.example/{id}", "has to begin with `https://`"),
        ("http://localhost/{id}", "has to begin with `https://`"),
        ("ftp://hr.example/{id}", "has to begin with `https://`"),
        ("/employees/{id}", "is no URL"),
    ] {
        let (config, problems) = read_line(&format!("{{ url = \"{url}\", id = \"/id\" }}"), true);
        assert!(config.is_none() && problems.contains(says), "{url}: {problems}");
        assert!(!problems.contains("hunter2"), "{problems}");
    }
}

#[test]
fn everybody_is_asked_for_without_an_id() {
    let (config, problems) = read_line("{ url = \"https://hr.example/report?format=csv\" }", false);
    assert_eq!((config.is_some(), problems.as_str()), (true, ""));
    for (line, says) in [
        ("{ url = \"https://hr.example/{id}\" }", "a schedule asks for everybody"),
        ("{ url = \"https://hr.example\", id = \"/id\" }", "unknown key `id`"),
        ("{}", "needs `url`"),
    ] {
        let (_, problems) = read_line(line, false);
        assert!(problems.contains(says), "{line}: {problems}");
    }
}

#[test]
fn what_is_missing_or_too_much_is_told_and_no_secret_is_shown() {
    let url = "url = \"https://hr.example/{id}\"";
    for (rest, says) in [
        ("", "needs `id`"),
        ("id = \"\"", "`id` has to lead to a member"),
        ("id = \"data\"", "`id` is no JSON Pointer"),
        ("id = \"/id\", record = \"data\"", "`record` is no JSON Pointer"),
        ("id = \"/id\", per_second = 0", "`per_second` has to be from 1"),
        ("id = \"/id\", per_second = 1001", "`per_second` has to be from 1 to 1000"),
        ("id = \"/id\", rate = 5", "unknown key `rate`"),
        ("id = \"/id\", auth = \"hunter2\"", "has to say where the secret is"),
        ("id = \"/id\", auth = { bearer = \"hunter2\" }", "has to say where the secret is"),
        ("id = \"/id\", auth = { basic = \"hunter2\" }", "`basic` has to be a table"),
        ("id = \"/id\", auth = { header = \"hunter2\" }", "`header` has to be a table"),
        ("id = \"/id\", auth = {}", "takes one of `bearer`, `basic`, `header`"),
        ("id = \"/id\", auth = { basic = { user = \"me\" } }", "needs `password`"),
        (
            "id = \"/id\", auth = { basic = { user = \"a:hunter2\", password = { env = \"P\" } } }",
            "has a `:` in it",
        ),
        (
            "id = \"/id\", auth = { bearer = { env = \"A\" }, header = { name = \"X\", value = { env = \"B\" } } }",
            "takes one of",
        ),
        (
            "id = \"/id\", auth = { header = { name = \"X Y\", value = { env = \"B\" } } }",
            "`name` is no name of a header",
        ),
    ] {
        let (_, problems) = read_line(&format!("{{ {url}, {rest} }}"), true);
        assert!(problems.contains(says), "{rest}: {problems}");
        assert!(!problems.contains("hunter2"), "{problems}");
    }
}
