//! People paste secrets into configs. None of them is ever printed.

use std::path::Path;

use scimport::config::Config;

use crate::config_reading::SMALL;

fn problems(text: &str) -> String {
    match Config::parse(text, Path::new("."), []) {
        Ok(_) => panic!("was not refused:\n{text}"),
        Err(errors) => format!("{errors}\n{errors:?}"),
    }
}

#[test]
fn a_literal_secret_is_refused_unseen() {
    let reference = "{ client_secret = { env = \"SECRET\" } }";
    for credential in [
        "\"hunter2~Zk\"",
        "[\"hunter2~Zk\"]",
        "[\"hunter2~Zk\", \"hunter2~Zk\"]",
        "[{ client_secret = \"hunter2~Zk\" }, { client_secret = { env = \"hunter2~Zk\" } }]",
        "[{ client_secret = { env = \"A\" } }, { managed_identity = { client_id = \"hunter2~Zk\" } }]",
        "{ client_secret = \"hunter2~Zk\" }",
        "{ client_secret = \"\"\"\nhunter2~Zk\n\"\"\", certificate = 5 }",
        "{ client_secret = \"hunter2~Zk\", fooo = 1 }",
        "{ client_secret = { env = \"hunter2~Zk\" } }",
        "{ client_secret = { value = \"hunter2~Zk\" } }",
        "{ client_secret = { env = \"A\", value = \"hunter2~Zk\", vaul = 5 } }",
        "{ secret = \"hunter2~Zk\" } # hunter2~Zk",
        "{ client_secret = { command = \"hunter2~Zk\" } }",
        "{ client_secret = { command = [\"hunter2~Zk\", 5, \"hunter2~Zk\"] } }",
        "{ client_secret = { command = [\"\", \"hunter2~Zk\"] } }",
        "{ client_secret = { command = [\"op\", \"hunter2~Zk\"], timeout = \"hunter2~Zk\" } }",
        "{ client_secret = { command = [\"op\", \"hunter2~Zk\"], env = \"hunter2~Zk\" } }",
        "{ client_secret = { comand = [\"op\", \"hunter2~Zk\"] } }",
        "{ certificate = { file = \"a\" }, key = \"hunter2~Zk\" }",
        "{ certificate = { file = \"a\" }, client_secret = { fil = \"hunter2~Zk\" } }",
        "{ certificate = { file = \"a\" }, client_secret = { env = [\"hunter2~Zk\"] } }",
    ] {
        let text = problems(&SMALL.replace(reference, credential));
        assert!(!text.contains("hunter2"), "{credential}:\n{text}");
        assert!(text.contains("line "), "{text}");
    }
}

#[test]
fn a_secret_under_a_wrong_key_is_refused_unseen() {
    for line in [
        "client_secert = \"hunter2~Zk\"",
        "password = \"hunter2~Zk\"",
        "credential = { client_secret = \"hunter2~Zk\", x = 1 }, y = 2",
        "graph = { a = \"hunter2~Zk\", b = [1, \"hunter2~Zk\"] }",
        "cloud = \"usgof\" # hunter2~Zk",
        "tracking = { password = \"hunter2~Zk\", poll = \"0s\" }",
    ] {
        let text = problems(&SMALL.replace("job_id", &format!("{line}\njob_id")));
        assert!(!text.contains("hunter2"), "{line}:\n{text}");
    }
    for section in [
        "[store]\nurl = \"postgres://u:hunter2~Zk@h/d\"",
        "[store]\nurl = \"sqlite://u:hunter2~Zk@h/d\"",
        "[http]\nproxy = \"http://u:hunter2~Zk@proxy:1\"",
        "[http]\nproxy = \"socks5://u:hunter2~Zk@proxy:1\"",
        "[alerts]\nwebhook = \"https://h/hunter2~Zk\"",
        "[alerts]\nwebhook = [\"https://h/hunter2~Zk\"]",
        "[alerts]\nwebhook = [{ url = { env = \"https://h/hunter2~Zk\" } }]",
        "[alerts]\nwebhook = { adress = \"https://h/hunter2~Zk\", url = 5 }",
        "[alerts]\nemail = { to = \"a@x\", from = \"b@x\", smtp = { host = \"smtps://u:hunter2~Zk@h\" } }",
        "[alerts]\nemail = { smtp = { host = \"h\", user = \"u\", password = \"hunter2~Zk\" } }",
    ] {
        let text = problems(&format!("{SMALL}{section}"));
        assert!(!text.contains("hunter2"), "{section}:\n{text}");
    }
}

#[test]
fn a_broken_line_shows_its_key_and_nothing_more() {
    for broken in [
        "client_secret = hunter2~Zk",
        "client_secret = \"hunter2~Zk",
        "client_secret = \"a\"hunter2~Zk\"",
        "credential = { client_secret = \"hunter2~Zk\" ",
        "hunter2~Zk",
        "hunter2~Zk = ",
        "\"hunter2~Zk\" \"x\"",
        "client_secret = \"\"\"\nhunter2~Zk==\n\\q\n\"\"\"",
        "client_secret = \"\"\"\nhunter2~Zk= \\q\n\"\"\"",
        "client_secret = 'hunter2~Zk\nclient_id = 5",
        "[hunter2~Zk",
        "x = [\n\"hunter2~Zk\"\n\"b\"]",
        "client_secret = \"\\hunter2~Zk\"",
        "a = 1\na.hunter2 = 1",
    ] {
        let text = problems(&format!("{SMALL}{broken}\n"));
        assert!(!text.contains("hunter2"), "{broken}:\n{text}");
        assert!(text.contains("line "), "{text}");
    }
}

#[test]
fn a_problem_found_later_hides_what_may_be_a_secret() {
    let text = SMALL
        .replace("job_id = \"j\"", "job_id = \"j\"\ngraph_url = \"http://u:hunter2~Zk@127.0.0.1\"")
        .replace("{ env = \"SECRET\" }", "{ file = \"hunter2~Zk\" }");
    let config = Config::parse(&text, Path::new("."), []).unwrap();
    for path in
        ["graph_url", "credential", "credential.client_secret", "credential.client_secret.file"]
    {
        let shown = config.problem_at(&format!("target.entra.{path}"), "is wrong", None);
        assert!(shown.snippet.is_some());
        assert!(!format!("{shown}{shown:?}").contains("hunter2"), "{shown}");
    }
}

#[test]
fn a_command_is_shown_without_its_arguments() {
    let command = "{ command = [\"op\", \"read\", \"hunter2~Zk\"], timeout = \"1s\" }";
    let text = SMALL.replace("{ env = \"SECRET\" }", command);
    let config = Config::parse(&text, Path::new("."), []).unwrap();
    assert!(!format!("{config:?}").contains("hunter2"), "{config:?}");
    for path in ["credential", "credential.client_secret", "credential.client_secret.command"] {
        let shown = config.problem_at(&format!("target.entra.{path}"), "is wrong", None);
        assert!(!format!("{shown}{shown:?}").contains("hunter2"), "{shown}");
    }
}
