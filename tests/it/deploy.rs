//! What lies in `samples/deploy/` fits the program and itself.

use std::path::{Path, PathBuf};
use std::process::Command;

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("samples/deploy").join(name)
}

fn text(name: &str) -> String {
    std::fs::read_to_string(path(name)).unwrap()
}

/// The values of a key of the unit.
fn values<'a>(unit: &'a str, key: &str) -> Vec<&'a str> {
    unit.lines().filter_map(|line| line.strip_prefix(key)?.strip_prefix('=')).collect()
}

/// Where the unit hands over what the config names.
const CREDENTIALS: &str = "/run/credentials/scimport.service/";

#[test]
fn the_unit_serves_the_config_and_hands_over_every_secret_that_it_names() {
    let (unit, config) = (text("scimport.service"), text("scimport.toml"));
    let start: Vec<&str> = values(&unit, "ExecStart")[0].split(' ').collect();
    let last = start.last().unwrap();
    assert_eq!((start[0], *last), ("/usr/local/bin/scimport", "serve"));
    // the program takes these words
    let mut check = Command::new(assert_cmd::cargo::cargo_bin!("scimport"));
    let helped = check.args(&start[1..]).arg("--help").output().unwrap();
    assert!(helped.status.success(), "{helped:?}");
    assert!(values(&unit, "ExecReload")[0].contains("-HUP"));
    assert_eq!(values(&unit, "Type"), ["notify"]);
    let named: Vec<&str> =
        config.split(CREDENTIALS).skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
    let given: Vec<&str> = values(&unit, "LoadCredential")
        .iter()
        .map(|value| value.split(':').next().unwrap())
        .collect();
    assert_eq!(named.len(), 2, "{named:?}");
    assert!(named.iter().all(|name| given.contains(name)), "{named:?} {given:?}");
    // what it writes lies where the unit lets it
    let state = format!("/var/lib/{}/", values(&unit, "StateDirectory")[0]);
    assert_eq!(config.matches(&format!("sqlite:{state}")).count(), 1);
    assert_eq!(config.matches(&format!("path = \"{state}")).count(), 1);
}

#[test]
fn the_config_passes_check_once_its_secrets_are_there() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    for name in ["client_secret", "admin_token"] {
        std::fs::write(at(name), "zq0123456789abcdef0123456789").unwrap();
    }
    let secrets = format!("{}/", folder.path().display());
    std::fs::write(at("scimport.toml"), text("scimport.toml").replace(CREDENTIALS, &secrets))
        .unwrap();
    let checked = Command::new(assert_cmd::cargo::cargo_bin!("scimport"))
        .arg("--config")
        .arg(at("scimport.toml"))
        .arg("check")
        .output()
        .unwrap();
    assert!(checked.status.success(), "{checked:?}");
}

#[test]
fn the_container_is_built_from_what_is_there_and_serves() {
    let file = text("Containerfile");
    let top = Path::new(env!("CARGO_MANIFEST_DIR"));
    let copied: Vec<&str> = file
        .lines()
        .filter_map(|line| line.strip_prefix("COPY "))
        .filter(|words| !words.starts_with("--from"))
        .flat_map(|words| words.split(' '))
        .filter(|word| *word != "./")
        .collect();
    for name in &copied {
        assert!(top.join(name).exists(), "{name}");
    }
    let manifest = std::fs::read_to_string(top.join("Cargo.toml")).unwrap();
    for needed in ["Cargo.toml", "Cargo.lock", "src", "tests", "benches", "schemas", "samples"] {
        assert!(copied.contains(&needed), "{needed}");
    }
    // the compiler is not older than what the manifest asks for
    let wanted = manifest.split("rust-version = \"").nth(1).unwrap().split('"').next().unwrap();
    assert!(file.contains(&format!("/rust:{wanted}-")), "{wanted}");
    assert!(file.lines().any(|line| line.starts_with("CMD") && line.ends_with("\"serve\"]")));
    assert!(file.lines().any(|line| line.starts_with("USER ") && !line.contains("root")));
}
