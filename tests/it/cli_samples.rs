//! The samples and the demo: what a person tries first.

use scimport::mock_entra::{CLIENT_SECRET, target_config};

use crate::cli_support::{Place, Ran, SECRET_VARIABLE, counted, ran};

const CONFIG: &str = include_str!("../../samples/scimport.toml");

/// The samples in a folder of their own, so that the store is not made beside the originals.
fn samples() -> Place {
    let place = Place::new();
    place.write("samples/scimport.toml", CONFIG);
    for name in ["workers.csv", "workers-next-day.csv"] {
        let original = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("samples").join(name);
        place.write(&format!("samples/{name}"), std::fs::read(original).unwrap());
    }
    place
}

fn with_secret(place: &Place, arguments: &[&str]) -> Ran {
    let mut command = place.command();
    ran(command.env(SECRET_VARIABLE, CLIENT_SECRET).args(arguments))
}

#[test]
fn the_sample_config_is_right_and_nothing_is_warned_of() {
    let place = samples();
    let ran = with_secret(&place, &["check", "--config", "samples/scimport.toml"]).expect(0);
    assert_eq!(ran.err, "");
}

#[test]
fn its_target_is_the_one_the_stand_in_prints() {
    let target = |text: &str| {
        let table: toml::Table = text.parse().unwrap();
        let mut target = table["target"]["entra"].as_table().unwrap().clone();
        for pacing in ["burst", "tracking", "retry"] {
            target.remove(pacing);
        }
        target
    };
    let url = target(CONFIG)["graph_url"].as_str().unwrap().to_owned();
    assert_eq!(target(CONFIG), target(&target_config(&url)));
}

/// The commands in the comment at the top of the sample config.
fn commands() -> Vec<Vec<&'static str>> {
    let comment = CONFIG.lines().take_while(|line| line.starts_with('#'));
    let typed =
        comment.filter_map(|line| line.trim_start_matches('#').trim().strip_prefix("scimport "));
    typed.map(|line| line.split_whitespace().collect()).collect()
}

#[test]
fn the_session_in_its_comment_works_as_it_is_typed() {
    assert!(CONFIG.contains(&format!("export {SECRET_VARIABLE}='{CLIENT_SECRET}'")));
    let commands = commands();
    let (listen, rest) = commands.split_first().unwrap();
    let address = listen.last().unwrap();
    assert_eq!(*listen, ["mock-entra", "--listen", address]);
    assert!(CONFIG.contains(&format!("graph_url = \"http://{address}\"")));
    let mock = crate::cli_mock::MockProcess::start(&[]);
    let place = samples();
    // only the port is another one: the usual one may be taken on this machine
    let text = CONFIG.replace(&format!("http://{address}"), &mock.url);
    place.write("samples/scimport.toml", text);
    assert_eq!(rest.len(), 1);
    for command in rest {
        let ran = with_secret(&place, command).expect(5);
        assert!(ran.out.contains("completed"), "{}", ran.out);
    }
    let config = ["--config", "samples/scimport.toml"];
    let run = |arguments: &[&str]| with_secret(&place, &[&config, arguments].concat());
    let first = run(&["status", "latest", "--json"]).expect(0).json();
    assert_eq!(counted(&first)[0], ("rejected".to_owned(), 5));
    let plan = run(&["plan", "samples/workers-next-day.csv", "--source", "hr", "--json"]).json();
    let next =
        ["apply", "samples/workers-next-day.csv", "--source", "hr", "--wait", "outcome", "--json"];
    let second = run(&next).json();
    assert_eq!(second["changes"], plan["changes"]);
    assert_eq!(second["counts"]["rejected"], 0);
    run(&["record", "E1006"]).expect(0);
    assert!(run(&["report", "latest"]).expect(0).out.contains("E1006"));
    // beside the config, where its path is relative to
    assert!(place.path("samples/scimport.db").is_file());
}

#[test]
fn the_demo_shows_successes_a_skip_failures_with_advice_and_what_comes_next() {
    let place = Place::new();
    let ran = place.run(&["demo"]).expect(0);
    let line = |id: &str, words: &[&str]| {
        let found = ran
            .out
            .lines()
            .any(|line| line.contains(id) && words.iter().all(|word| line.contains(word)));
        assert!(found, "{id} {words:?} in\n{}", ran.out);
    };
    line("E1001", &["joiner", "provisioned", "created"]);
    line("E1013", &["skipped"]);
    line("E1011", &["failed", "InvalidDomain"]);
    line("E1014", &["rejected"]);
    line("E1006", &["leaver", "provisioned", "disabled"]);
    line("E1017", &["rehire", "provisioned", "enabled"]);
    // the failure is followed by its reason and by what to do
    let lines: Vec<&str> = ran.out.lines().collect();
    let at = lines.iter().position(|line| line.contains("E1011")).unwrap();
    assert!(!lines[at + 1].trim().is_empty() && !lines[at + 1].contains("E1012"), "{}", ran.out);
    assert!(lines[at + 2].contains('→'), "{}", ran.out);
    let (_, next) = ran.out.split_once("What to try next:").unwrap();
    assert!(next.contains("scimport mock-entra") && next.contains("scimport plan"), "{next}");
    assert_eq!(place.names(), [""; 0], "nothing is left behind");
}

#[test]
fn the_demo_of_generated_workers_comes_out_as_foretold() {
    let ran = Place::new().run(&["demo", "--records", "200"]).expect(0);
    assert!(ran.out.contains("200 generated workers"), "{}", ran.out);
    assert!(ran.out.contains("all of it as foretold"), "{}", ran.out);
    assert!(ran.out.contains("InvalidDomain") && ran.out.contains("rejected"), "{}", ran.out);
}
