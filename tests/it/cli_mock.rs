//! `mock-entra` as a program of its own.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use scimport::mock_entra::{CLIENT_SECRET, FaultKind};

use crate::cli_support::{GOOD, Place, SECRET_VARIABLE, SOURCE, counted, of, ran};

/// A stand-in in a process of its own; killed when dropped.
pub struct MockProcess {
    child: Child,
    pub url: String,
    /// Kept open, so that the process can write on.
    _out: BufReader<std::process::ChildStdout>,
}

impl MockProcess {
    pub fn start(more: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_scimport"))
            .args(["mock-entra", "--listen", "127.0.0.1:0"])
            .args(more)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        out.read_line(&mut line).unwrap();
        let at = line.find("http://127.0.0.1:").unwrap_or_else(|| panic!("no URL in {line:?}"));
        let url = line.get(at..).unwrap().trim().to_owned();
        Self { child, url, _out: out }
    }

    fn address(&self) -> &str {
        self.url.strip_prefix("http://").unwrap()
    }
}

impl Drop for MockProcess {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_free_port_is_told_and_the_printed_config_fits() {
    let mock = MockProcess::start(&[]);
    let place = Place::new();
    let printed =
        place.run(&["mock-entra", "--listen", mock.address(), "--print-config"]).expect(0);
    assert_eq!(printed.err, "");
    place.write("scimport.toml", format!("{}{SOURCE}", printed.out));
    place.write("workers.csv", GOOD);
    let with_secret = |arguments: &[&str]| {
        let mut command = place.command();
        ran(command.env(SECRET_VARIABLE, CLIENT_SECRET).args(arguments))
    };
    with_secret(&["check"]).expect(0);
    let apply = ["apply", "workers.csv", "--source", "hr", "--wait", "outcome", "--json"];
    let document = with_secret(&apply).expect(0).json();
    assert_eq!(counted(&document), of(&[("provisioned", 3)]));
    // the comments say how the secret is set
    assert!(
        printed.out.contains(&format!("{SECRET_VARIABLE}='{CLIENT_SECRET}'")),
        "{}",
        printed.out
    );
}

#[test]
fn a_printed_config_names_a_port_even_where_any_will_do() {
    let place = Place::new();
    let printed = place.run(&["mock-entra", "--listen", "127.0.0.1:0", "--print-config"]).expect(0);
    let port = printed.out.split("http://127.0.0.1:").nth(1).unwrap();
    let port: String = port.chars().take_while(char::is_ascii_digit).collect();
    assert!(port.parse::<u16>().unwrap() > 0, "{}", printed.out);
    assert!(!printed.out.contains("127.0.0.1:0\""), "{}", printed.out);
    assert!(printed.err.contains(&format!("--listen 127.0.0.1:{port}")), "{}", printed.err);
}

#[test]
fn domains_and_faults_from_the_command_line_are_in_force() {
    let mock = MockProcess::start(&["--domain", "other.example", "--fault", "throttle:2"]);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let read = |route: &str| {
        let url = format!("{}/_mock/{route}", mock.url);
        runtime.block_on(async {
            let client = reqwest::Client::builder().no_proxy().build().unwrap();
            client.get(url).send().await.unwrap().text().await.unwrap()
        })
    };
    assert_eq!(read("faults"), "[\"throttle:2\"]");
    assert!(read("settings").contains("\"domains\":[\"other.example\"]"), "{}", read("settings"));
}

#[test]
fn what_cannot_be_is_2_and_says_what_can() {
    let place = Place::new();
    for (arguments, words) in [
        (["--fault", "boom:1"], "`boom` is no kind of fault"),
        (["--fault", "throttle"], "`throttle:5`"),
        (["--fault", "throttle:0"], "not a number from 1"),
        (["--profile", "slow"], "`fast`, `real`"),
        (["--listen", "here"], "--listen"),
        (["--latency", "long"], "--latency"),
    ] {
        let mut all = vec!["mock-entra"];
        all.extend(arguments);
        let ran = place.run(&all).expect(2);
        assert_eq!(ran.out, "");
        assert!(ran.err.contains(words), "{arguments:?}: {}", ran.err);
    }
    let ran = place.run(&["mock-entra", "--fault", "boom:1"]).expect(2);
    for kind in FaultKind::ALL {
        assert!(ran.err.contains(kind.as_str()), "{kind} in {}", ran.err);
    }
}

#[test]
fn a_taken_port_is_1() {
    let mock = MockProcess::start(&[]);
    let ran = Place::new().run(&["mock-entra", "--listen", mock.address()]).expect(1);
    assert!(ran.err.contains(mock.address()), "{}", ran.err);
}

#[cfg(unix)]
#[test]
fn ctrl_c_stops_it_with_130_and_the_directory_is_kept() {
    let place = Place::new();
    let state = place.path("state.json");
    let state = state.to_str().unwrap();
    let mut mock = MockProcess::start(&["--state", state]);
    place.write("scimport.toml", crate::cli_support::config(&mock.url, SOURCE));
    place.write("workers.csv", GOOD);
    let mut command = place.command();
    command.env(SECRET_VARIABLE, CLIENT_SECRET);
    command.args(["apply", "workers.csv", "--source", "hr", "--wait", "outcome"]);
    ran(&mut command).expect(0);
    let id = mock.child.id().to_string();
    assert!(Command::new("sh").args(["-c", "kill -INT $0", &id]).status().unwrap().success());
    assert_eq!(mock.child.wait().unwrap().code(), Some(130));
    assert!(place.read("state.json").contains("e1@contoso.example"));
}

#[test]
fn the_real_profile_has_the_pace_of_the_service_and_so_has_its_printed_target() {
    let mock = MockProcess::start(&["--profile", "real"]);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let settings = runtime.block_on(async {
        let client = crate::mock_client::client();
        let url = format!("{}/_mock/settings", mock.url);
        client.get(url).send().await.unwrap().text().await.unwrap()
    });
    assert!(settings.contains("\"cycle_ms\":2400000"), "{settings}");
    let place = Place::new();
    let printed = place.run(&["mock-entra", "--profile", "real", "--print-config"]).expect(0).out;
    assert!(printed.contains("burst = ") && !printed.contains("tracking"), "{printed}");
    place.write("scimport.toml", format!("{printed}\n{SOURCE}"));
    place.write("workers.csv", GOOD);
    ran(place.command().env(SECRET_VARIABLE, CLIENT_SECRET).arg("check")).expect(0);
}
