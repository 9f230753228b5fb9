//! `doctor`: a healthy target, and each step broken by itself, as the one who is woken reads it.

use std::fmt::Write as _;
use std::net::TcpListener;

use scimport::mock_entra::{CLIENT_ID, CLIENT_SECRET, SERVICE_PRINCIPAL_ID};
use serde_json::{Value, json};

use crate::cli_support::{Place, Ran, SECRET_VARIABLE, SOURCE, Stage, quick, ran};
use crate::doctor_support::{Shown, broken, inspecting_proxy, plain_proxy, refusing_proxy, steady};

const LEAST: [&str; 3] =
    ["SynchronizationData-User.Upload", "ProvisioningLog.Read.All", "Synchronization.Read.All"];

/// A stand-in with a source that writes nothing the job would not know.
fn healthy() -> Stage {
    let plain = SOURCE.lines().filter(|line| !line.contains("contoso"));
    Stage::new(quick(), &plain.collect::<Vec<_>>().join("\n"))
}

fn look(stage: &Stage) -> Ran {
    let found = stage.run(&["doctor"]);
    assert_keeps_secrets(&found);
    found
}

/// No secret, and nothing of a token.
#[track_caller]
fn assert_keeps_secrets(found: &Ran) {
    let said = format!("{}{}", found.out, found.err);
    for secret in [CLIENT_SECRET, "hunter2", "eyJ", "Bearer", "operator@contoso.example"] {
        assert!(!said.contains(secret), "{said}");
    }
}

fn settings(stage: &Stage, settings: &Value) {
    stage.tell("settings", settings);
}

fn edit(place: &Place, from: &str, to: &str) {
    let text = place.read("scimport.toml");
    assert!(text.contains(from), "{text}");
    place.write("scimport.toml", text.replace(from, to));
}

/// A config for Microsoft's own hosts, reached through a proxy: whatever is tried ends at the proxy.
fn through(proxy: &str, more: &str) -> Place {
    let place = Place::new();
    let config = crate::cli_support::config("http://127.0.0.1:9", SOURCE);
    let lines = config.lines();
    let lines = lines.filter(|line| !line.contains("_url = \"http") && !line.contains("contoso:"));
    let config: Vec<&str> = lines.collect();
    place.write(
        "scimport.toml",
        format!("{}\n[http]\nproxy = \"{proxy}\"\n{more}\n", config.join("\n")),
    );
    place
}

fn look_from(place: &Place) -> Ran {
    let found = ran(place.command().args(["doctor"]).env(SECRET_VARIABLE, CLIENT_SECRET));
    assert_keeps_secrets(&found);
    found
}

/// Looks after each change to a healthy stand-in, one below the other.
fn one_by_one(cases: &[(&str, Value)]) -> String {
    let mut text = String::new();
    for (title, change) in cases {
        let stage = healthy();
        settings(&stage, change);
        told(&mut text, title, &look(&stage));
    }
    text
}

fn told(text: &mut String, title: &str, found: &Ran) {
    // a step says it, and no line of the log in the midst of the steps
    assert!(!found.err.contains(" ERROR "), "{title}: {}", found.err);
    writeln!(text, "# {title}\n{}", broken(found)).unwrap();
}

#[test]
fn a_healthy_target_is_ok_from_the_network_to_the_log() {
    let stage = healthy();
    let found = look(&stage).expect(0);
    insta::assert_snapshot!("doctor_healthy", steady(&found));
    // what is asked leaves no trace: nothing is uploaded, and the job runs as it ran
    let stats = stage.ask("stats");
    assert_eq!((&stats["calls"], &stats["restarts"]), (&json!(0), &json!(0)), "{stats}");
    assert_eq!(stats["job"], "Active");
}

#[test]
fn the_config_and_its_credential_come_first() {
    let mut text = String::new();
    let place = through("http://127.0.0.1:9", "ca_file = \"own-ca.pem\"");
    told(&mut text, "`ca_file` is not there", &look_from(&place).expect(2));
    place.write("own-ca.pem", "no certificate");
    told(&mut text, "`ca_file` holds no certificate", &look_from(&place).expect(2));

    let stage = healthy();
    let found = stage.place.run(&["doctor"]).expect(2);
    told(&mut text, "the secret is not there", &found);
    edit(
        &stage.place,
        "{ client_secret = { env = \"SCIMPORT_CLIENT_SECRET\" } }",
        "{ certificate = { file = \"app.pem\" } }",
    );
    stage.place.write("app.pem", "hunter2");
    told(&mut text, "the certificate is none", &look(&stage).expect(2));
    edit(
        &stage.place,
        "certificate = { file = \"app.pem\" }",
        "federated_token = { file = \"sa.token\" }",
    );
    told(&mut text, "the federated token is not there", &look(&stage).expect(2));
    insta::assert_snapshot!("doctor_config", text);
}

#[test]
fn what_is_wrong_with_the_config_is_told_as_ever() {
    let stage = healthy();
    let found = stage.run(&["doctor", "entrra"]).expect(2);
    assert_eq!(found.out, "");
    assert!(found.err.contains("no target `entrra`") && found.err.contains("`entra`"), "{found:?}");
    edit(&stage.place, "tenant_id", "tenant");
    let found = stage.run(&["doctor", "--json"]).expect(2);
    assert_eq!(found.out, "");
    assert!(found.err.contains("scimport.toml, line "), "{found:?}");
    stage.place.write("scimport.toml", "");
    assert!(stage.run(&["doctor"]).expect(2).err.contains("scimport init"));
}

#[test]
fn names_ports_and_proxies_are_told_apart() {
    let mut text = String::new();
    let unheard = {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        format!("http://{}", listener.local_addr().unwrap())
    };
    let place = through("http://proxy.invalid:8080", "");
    told(&mut text, "the proxy's name is not known", &look_from(&place).expect(1));
    told(&mut text, "the proxy does not run", &look_from(&through(&unheard, "")).expect(1));
    let proxy = refusing_proxy("407 Proxy Authentication Required");
    told(&mut text, "the proxy wants a user name", &look_from(&through(&proxy, "")).expect(1));
    let proxy = refusing_proxy("403 Forbidden");
    told(&mut text, "the proxy lets nobody through", &look_from(&through(&proxy, "")).expect(1));
    let place = through("http://unused.invalid", "");
    edit(&place, "proxy = \"http://unused.invalid\"", "");
    let mut command = place.command();
    command.env("HTTPS_PROXY", format!("http://me:hunter2@{}", &proxy["http://".len()..]));
    let found = ran(command.arg("doctor").env(SECRET_VARIABLE, CLIENT_SECRET)).expect(1);
    assert_keeps_secrets(&found);
    told(&mut text, "a proxy of the environment lets nobody through", &found);
    let stage = healthy();
    edit(&stage.place, &stage.url(), &unheard);
    told(&mut text, "the stand-in does not run", &look(&stage).expect(1));
    insta::assert_snapshot!("doctor_network", text);
}

#[test]
fn whoever_stands_in_between_is_named() {
    let stage = healthy();
    let origin = stage.url()["http://".len()..].to_owned();
    let mut text = String::new();
    let (proxy, authority) = inspecting_proxy(&origin, Shown::Right);
    told(&mut text, "the proxy inspects", &look_from(&through(&proxy, "")).expect(1));
    let (_, other) = inspecting_proxy(&origin, Shown::Right);
    let place = through(&proxy, "ca_file = \"own-ca.pem\"");
    place.write("own-ca.pem", other);
    told(&mut text, "`ca_file` has another authority", &look_from(&place).expect(1));
    for (title, shown) in
        [("another name", Shown::OtherName), ("a certificate that has expired", Shown::Expired)]
    {
        let (proxy, authority) = inspecting_proxy(&origin, shown);
        let place = through(&proxy, "ca_file = \"own-ca.pem\"");
        place.write("own-ca.pem", authority);
        told(&mut text, title, &look_from(&place).expect(1));
    }
    told(&mut text, "no TLS behind the proxy", &look_from(&through(&plain_proxy(), "")).expect(1));
    let silent = refusing_proxy("200 OK");
    told(&mut text, "nothing behind the proxy", &look_from(&through(&silent, "")).expect(1));
    insta::assert_snapshot!("doctor_tls", text);

    let place = through(&proxy, "ca_file = \"own-ca.pem\"");
    place.write("own-ca.pem", authority);
    insta::assert_snapshot!("doctor_healthy_through_a_proxy", steady(&look_from(&place).expect(0)));
}

#[test]
fn a_clock_is_told_by_the_answers_and_may_be_a_little_off() {
    let offset = |seconds: i64| json!({ "date_offset_s": seconds });
    let text = one_by_one(&[
        ("40 seconds", offset(40)),
        ("90 seconds behind", offset(90)),
        ("10 minutes behind", offset(600)),
        ("3 hours ahead", offset(-10_800)),
    ]);
    insta::assert_snapshot!("doctor_clock", text);
}

#[test]
fn without_a_token_nothing_at_graph_is_tried() {
    let mut text = String::new();
    let stage = healthy();
    let wrong = ran(stage.command().arg("doctor").env(SECRET_VARIABLE, "hunter2")).expect(1);
    assert_keeps_secrets(&wrong);
    told(&mut text, "a wrong secret", &wrong);
    edit(&stage.place, CLIENT_ID, "99999999-3333-4444-8555-666666666666");
    told(&mut text, "a wrong client id", &look(&stage).expect(1));
    text += &one_by_one(&[("an expired secret", json!({ "secret_expired": true }))]);
    let stage = healthy();
    stage.tell("faults", &json!(["token-error:1"]));
    told(&mut text, "the authority is out of order", &look(&stage).expect(6));
    insta::assert_snapshot!("doctor_token", text);
}

#[test]
fn permissions_are_held_against_the_least() {
    let roles = |roles: &[&str]| json!({ "roles": roles });
    let [upload, log, health] = LEAST;
    let text = one_by_one(&[
        ("no consent at all", roles(&[])),
        ("no upload", roles(&[log, health])),
        ("no log", roles(&[upload, health])),
        ("no health", roles(&[upload, log])),
        ("more than is needed", roles(&[upload, log, health, "Directory.ReadWrite.All"])),
        ("an opaque token", json!({ "opaque_tokens": true })),
        ("an opaque token without consent", json!({ "opaque_tokens": true, "roles": [] })),
    ]);
    insta::assert_snapshot!("doctor_permissions", text);
}

#[test]
fn two_credentials_are_tried_apart() {
    let stage = healthy();
    edit(
        &stage.place,
        "credential = { client_secret = { env = \"SCIMPORT_CLIENT_SECRET\" } }",
        "credential = [{ client_secret = { env = \"FIRST\" } }, { client_secret = { env = \"SECOND\" } }]",
    );
    let look = |first, second| {
        let mut command = stage.command();
        let found = ran(command.arg("doctor").env("FIRST", first).env("SECOND", second));
        assert_keeps_secrets(&found);
        found
    };
    let mut text = String::new();
    let both = look(CLIENT_SECRET, CLIENT_SECRET).expect(0);
    writeln!(text, "# both work\n{}\n", steady(&both)).unwrap();
    told(&mut text, "the first is refused", &look("hunter2", CLIENT_SECRET).expect(1));
    told(&mut text, "the second is refused", &look(CLIENT_SECRET, "hunter2").expect(1));
    told(&mut text, "the second is not there", &look(CLIENT_SECRET, "").expect(2));
    insta::assert_snapshot!("doctor_two_credentials", text);
}

#[test]
fn a_managed_identity_needs_no_authority() {
    let stage = healthy();
    edit(
        &stage.place,
        "{ client_secret = { env = \"SCIMPORT_CLIENT_SECRET\" } }",
        "\"managed_identity\"",
    );
    let client_id = format!("client_id = \"{CLIENT_ID}\"\n");
    edit(&stage.place, &client_id, "");
    let mut text = String::new();
    writeln!(text, "# works\n{}\n", steady(&look(&stage).expect(0))).unwrap();
    settings(&stage, &json!({ "roles": ["ProvisioningLog.Read.All", "Directory.Read.All"] }));
    told(&mut text, "other permissions", &look(&stage).expect(1));
    settings(&stage, &json!({ "managed_identity": false }));
    told(&mut text, "the machine has none", &look(&stage).expect(1));
    insta::assert_snapshot!("doctor_managed_identity", text);
}

#[test]
fn app_and_job_are_found_or_the_right_id_is_told() {
    let mut text = String::new();
    let stage = healthy();
    edit(&stage.place, SERVICE_PRINCIPAL_ID, "99999999-4444-4555-8666-777777777777");
    told(&mut text, "no such app", &look(&stage).expect(1));
    let stage = healthy();
    edit(
        &stage.place,
        "9a9a9a9a-0000-4000-8000-00000000000a",
        "9a9a9a9a-0000-4000-8000-00000000000b",
    );
    told(&mut text, "no such job", &look(&stage).expect(1));
    text += &one_by_one(&[("another connector's job", json!({ "job_template": "Workday2AD" }))]);
    let stage = healthy();
    let roles = [&LEAST[..], &["Application.Read.All"]].concat();
    settings(&stage, &json!({ "roles": roles }));
    writeln!(text, "# an app that may look at apps\n{}\n", steady(&look(&stage).expect(0)))
        .unwrap();
    insta::assert_snapshot!("doctor_app_and_job", text);
}

#[test]
fn a_job_for_active_directory_has_an_agent() {
    let admin = [&LEAST[..], &["Synchronization.ReadWrite.All"]].concat();
    let template = "API2AD";
    let text = one_by_one(&[
        ("no permission to look", json!({ "job_template": template })),
        ("the agent answers", json!({ "job_template": template, "roles": admin })),
        (
            "the agent is silent",
            json!({ "job_template": template, "roles": admin, "agent_active": false }),
        ),
        (
            "an opaque token without the permission",
            json!({ "job_template": template, "opaque_tokens": true }),
        ),
    ]);
    insta::assert_snapshot!("doctor_active_directory", text);
}

#[test]
fn a_job_that_stands_still_is_the_other_sides() {
    let mut text = String::new();
    for code in ["Paused", "NotConfigured", "NotRun"] {
        let stage = healthy();
        stage.set_job(code);
        told(&mut text, code, &look(&stage).expect(if code == "NotRun" { 0 } else { 6 }));
    }
    for reason in ["EncounteredQuarantineException", "TooManyDeletes"] {
        let stage = healthy();
        stage.tell("job", &json!({ "code": "Quarantine", "reason": reason }));
        told(&mut text, &format!("Quarantine, {reason}"), &look(&stage).expect(6));
    }
    let stage = healthy();
    stage.set_job("Paused");
    settings(&stage, &json!({ "roles": ["SynchronizationData-User.Upload"] }));
    told(&mut text, "paused, and a permission is missing", &look(&stage).expect(1));
    insta::assert_snapshot!("doctor_job_state", text);
}

#[test]
fn who_is_told_of_a_quarantine_shows_to_an_app_that_may_look() {
    let admin = [&LEAST[..], &["Synchronization.ReadWrite.All"]].concat();
    let stage = healthy();
    settings(&stage, &json!({ "roles": admin }));
    let mut text = format!("# somebody is told\n{}\n\n", steady(&look(&stage).expect(0)));
    settings(&stage, &json!({ "notification_email": false }));
    told(&mut text, "nobody is told", &look(&stage).expect(1));
    insta::assert_snapshot!("doctor_notification", text);
}

#[test]
fn a_log_that_cannot_be_read_says_why() {
    let mut text = one_by_one(&[("no licence", json!({ "premium": false }))]);
    let stage = healthy();
    stage.tell("faults", &json!(["log-error:1"]));
    told(&mut text, "the log is out of order", &look(&stage).expect(6));
    told(&mut text, "the log is read too often", &look(&stage).expect(6));
    insta::assert_snapshot!("doctor_log", text);
}

#[test]
fn what_the_job_does_not_know_is_named() {
    let mut text = String::new();
    let stage = Stage::quick();
    told(&mut text, "an unknown attribute", &look(&stage).expect(1));
    settings(&stage, &json!({ "opaque_tokens": true, "roles": ["ProvisioningLog.Read.All"] }));
    told(&mut text, "a schema that may not be read", &look(&stage).expect(0));
    settings(&stage, &json!({ "opaque_tokens": false, "roles": LEAST }));
    let mut schema = stage.ask("schema");
    let attributes = &mut schema["directories"][0]["objects"][0]["attributes"];
    let name = "urn:ietf:params:scim:schemas:extension:contoso:1.0:User:HireDate";
    let mut known = attributes[0].clone();
    known["name"] = json!(name);
    known["type"] = json!("Integer");
    attributes.as_array_mut().unwrap().push(known);
    stage.tell("schema", &schema);
    told(&mut text, "another type", &look(&stage).expect(1));
    let written = schema.to_string();
    stage.tell("schema", &serde_json::from_str(&written.replace("HireDate", "hireDate")).unwrap());
    told(&mut text, "other letters", &look(&stage).expect(1));
    stage.tell("schema", &serde_json::from_str(&written.replace("Integer", "DateTime")).unwrap());
    let found = look(&stage).expect(0);
    assert!(found.out.contains("  ok      attributes          the job knows the one"), "{found:?}");
    stage.tell("schema", &json!({ "directories": [], "synchronizationRules": [] }));
    told(&mut text, "a schema without rules", &look(&stage).expect(1));
    insta::assert_snapshot!("doctor_attributes", text);
}

#[test]
fn one_target_is_a_document_and_all_of_them_an_array() {
    let stage = healthy();
    settings(&stage, &json!({ "roles": ["ProvisioningLog.Read.All"] }));
    stage.set_job("Paused");
    let found = stage.run(&["doctor", "entra", "--json"]).expect(1);
    assert_keeps_secrets(&found);
    assert_eq!(found.err, "");
    let one = found.json();
    insta::assert_snapshot!("doctor_json", steady(&Ran { out: format!("{one:#}"), ..found }));
    for step in one["steps"].as_array().unwrap() {
        let keys: Vec<_> = step.as_object().unwrap().keys().collect();
        assert_eq!(keys, ["step", "status", "found", "advice", "because"]);
    }
    let text = stage.place.read("scimport.toml");
    let target = text.split("[target.entra]").nth(1).unwrap().split("[source.hr]").next().unwrap();
    let second = target.replace(CLIENT_ID, "99999999-3333-4444-8555-666666666666");
    stage.place.write("scimport.toml", format!("{text}\n[target.second]{second}"));
    let all = stage.run(&["doctor", "--json"]).expect(1).json();
    let names: Vec<_> = all.as_array().unwrap().iter().map(|one| &one["target"]).collect();
    assert_eq!(names, ["entra", "second"]);
    assert_eq!(all[0]["steps"].as_array().unwrap().len(), one["steps"].as_array().unwrap().len());
    assert_eq!(all[1]["counts"]["failed"], 1, "{all:#}");
    let words = look(&stage).expect(1).out;
    assert!(
        words.contains("target `entra`\n") && words.contains("\n\ntarget `second`\n"),
        "{words}"
    );
}
