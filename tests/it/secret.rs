//! `secret`: what is put into the vault is used, listed without its value, replaced and removed; the
//! vault's key can be replaced while a daemon reads.

use serde_json::{Value, json};

use crate::cli_support::{GOOD, Place, Ran, SOURCE, config, offline, ran};

const KEY_FILE: &str = "\n[vault]\nkey = { file = \"vault.key\" }\n";
const VALUE: &str = "hunter2~Zq-canary";

/// A place whose target's secret is in the vault.
fn place() -> Place {
    let place = offline(SOURCE, GOOD);
    in_vault(&place, KEY_FILE);
    place
}

/// Lets the config look for its secret in a vault that it describes so.
fn in_vault(place: &Place, vault: &str) {
    let config = config("http://127.0.0.1:9", SOURCE)
        .replace("{ env = \"SCIMPORT_CLIENT_SECRET\" }", "{ vault = \"entra-secret\" }");
    assert!(config.contains("vault"));
    place.write("scimport.toml", format!("{config}{vault}"));
}

/// Runs `secret` with something on standard input.
fn secret(place: &Place, words: &[&str], input: &str) -> Ran {
    let words = [&["secret"], words].concat();
    let done = ran(place.command().args(words).write_stdin(input));
    assert!(!format!("{}{}", done.out, done.err).contains("hunter2"), "{done:#?}");
    done
}

fn listed(place: &Place) -> Value {
    secret(place, &["list", "--json"], "").expect(0).json()
}

/// What was said, without the folder.
fn said(place: &Place, ran: &Ran) -> String {
    let folder = place.path("").display().to_string();
    ran.err.replace(&folder, "").replace("./", "")
}

#[test]
fn the_first_secret_makes_the_vault_and_its_key_and_is_used() {
    let place = place();
    let missing = place.run(&["check"]).expect(2);
    assert!(missing.err.contains("there is no vault at"), "{}", missing.err);
    assert!(missing.err.contains("scimport.toml, line "), "{}", missing.err);
    let done = secret(&place, &["set", "entra-secret", "-vv"], &format!("{VALUE}\n")).expect(0);
    let said = said(&place, &done);
    for words in [
        "made the key of the vault, `vault.key`: keep a copy of it in a safe place",
        "made the vault `scimport.vault`",
        "set: secret `entra-secret` in the vault `scimport.vault`",
        "used by `target.entra.credential.client_secret`",
    ] {
        assert!(said.contains(words), "{words}\n{said}");
    }
    assert_eq!(done.out, "", "words, and no data");
    for name in place.names() {
        let bytes = std::fs::read(place.path(&name)).unwrap();
        assert!(!bytes.windows(7).any(|window| window == b"hunter2"), "in {name}");
    }
    let checked = place.run(&["check", "-vv"]).expect(0);
    assert!(checked.out.contains("opens, secrets 1, used by the config 1"), "{}", checked.out);
    assert!(!checked.err.contains("hunter2"), "{}", checked.err);
}

#[test]
fn a_list_says_what_is_known_and_never_a_value() {
    let place = place();
    let set = |words: &[&str]| secret(&place, &[&["set"], words].concat(), VALUE).expect(0);
    set(&["entra-secret", "--expires", "2999-01-31", "--note", "from the portal"]);
    let unused = set(&["spare"]);
    assert!(unused.err.contains("the config does not refer to it yet"), "{}", unused.err);
    let text = secret(&place, &["list"], "").expect(0).out;
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines[0].starts_with("entra-secret  set 2"), "{text}");
    let end =
        "  expires 2999-01-31  used by `target.entra.credential.client_secret`  (from the portal)";
    assert!(lines[0].ends_with(end), "{text}");
    assert!(lines[1].starts_with("spare         set 2"), "{text}");
    assert!(lines[1].ends_with("  expires -           used by nothing"), "{text}");
    let list = listed(&place);
    assert_eq!(list[0]["used_by"], json!(["target.entra.credential.client_secret"]));
    assert_eq!(list[0]["expires_at"], "2999-01-31T00:00:00Z");
    assert_eq!(list[0]["note"], "from the portal");
    assert_eq!((&list[1]["name"], &list[1]["used_by"]), (&json!("spare"), &json!([])));
    let members: Vec<&String> = list[0].as_object().unwrap().keys().collect();
    assert_eq!(members, ["name", "set_at", "expires_at", "note", "used_by"]);
}

#[test]
fn a_new_value_asks_for_its_end_where_the_old_one_had_one() {
    let place = place();
    let set = ["set", "entra-secret", "--expires", "2999-01-31", "--note", "n"];
    secret(&place, &set, VALUE).expect(0);
    let refused = secret(&place, &["rotate", "entra-secret"], VALUE).expect(2);
    assert!(refused.err.contains("ends on 2999-01-31"), "{}", refused.err);
    let past = ["rotate", "entra-secret", "--expires", "2001-01-31"];
    assert!(secret(&place, &past, VALUE).expect(2).err.contains("that day has passed"));
    secret(&place, &["rotate", "entra-secret", "--expires", "never"], VALUE).expect(0);
    assert_eq!(
        (&listed(&place)[0]["expires_at"], &listed(&place)[0]["note"]),
        (&Value::Null, &"n".into())
    );
    let unknown = secret(&place, &["rotate", "entra-secrt"], VALUE).expect(1);
    insta::assert_snapshot!(unknown.err, @r"
    error: there is no secret `entra-secrt` in the vault
    hint: did you mean `entra-secret`?
    ");
}

#[test]
fn a_secret_in_use_is_removed_by_force_only() {
    let place = place();
    secret(&place, &["set", "entra-secret"], VALUE).expect(0);
    let refused = secret(&place, &["remove", "entra-secret"], "").expect(1);
    insta::assert_snapshot!(refused.err, @r"
    error: the config refers to secret `entra-secret`: `target.entra.credential.client_secret`; nothing was changed
    hint: change the config first, or add --force
    ");
    assert_eq!(listed(&place).as_array().unwrap().len(), 1);
    let removed = secret(&place, &["remove", "entra-secret", "--force"], "").expect(0);
    assert!(removed.err.contains("warning: the config still refers to it"), "{}", removed.err);
    assert_eq!(listed(&place), json!([]));
    let lacking = place.run(&["check"]).expect(2);
    assert!(
        lacking.err.contains("there is no secret `entra-secret` in the vault"),
        "{}",
        lacking.err
    );
    let unknown = secret(&place, &["remove", "entra-secret", "--force"], "").expect(1);
    assert!(unknown.err.contains("there is no secret"), "{}", unknown.err);
}

#[test]
fn a_check_names_the_line_of_what_is_wrong() {
    let place = place();
    secret(&place, &["set", "entra-secrte"], VALUE).expect(0);
    let checked = place.run(&["check"]).expect(2);
    let said = said(&place, &checked);
    let problem = "scimport.toml, line 11: there is no secret `entra-secret` in the vault";
    assert!(said.contains(problem) && said.contains("did you mean `entra-secrte`?"), "{said}");
    // a key that opens nothing
    let vault = std::fs::read(place.path("scimport.vault")).unwrap();
    for name in ["scimport.vault", "vault.key"] {
        std::fs::remove_file(place.path(name)).unwrap();
    }
    secret(&place, &["set", "entra-secret"], VALUE).expect(0);
    place.write("scimport.vault", vault);
    let said = place.run(&["check"]).expect(2).err;
    assert!(
        said.contains("scimport.toml, line ")
            && said.contains("vault.key` does not open the vault"),
        "{said}"
    );
    assert!(said.contains("hint: put the key back with which it was written"), "{said}");
    place.write("scimport.vault", "age-encryption.org/v1\n-> X25519 hunter2");
    let said = place.run(&["check"]).expect(2).err;
    assert!(said.contains("is damaged") && !said.contains("hunter2"), "{said}");
    in_vault(&place, "");
    let said = place.run(&["check"]).expect(2).err;
    let words = "nothing says what opens the vault: `[vault]` has neither `key` nor `passphrase`";
    assert!(said.contains(words) && said.contains("scimport.toml, line "), "{said}");
}

#[test]
fn what_is_no_value_or_no_name_changes_nothing() {
    let place = place();
    let long = "x".repeat(64 * 1024 + 1);
    for (name, value, code, words) in [
        ("entra-secret", "", 1, "the value is empty"),
        ("entra-secret", "\n", 1, "the value is empty"),
        ("entra-secret", long.as_str(), 1, "more than 65536 bytes"),
        ("Hunter2", "v", 2, "that is no name for a secret"),
    ] {
        let refused = secret(&place, &["set", name], value).expect(code);
        assert!(refused.err.contains(words), "{}", refused.err);
    }
    assert!(!place.path("scimport.vault").exists());
    // a value is never an argument
    assert_eq!(secret(&place, &["set", "entra-secret", "v"], "").code, 2);
    in_vault(&place, "");
    let nobody = secret(&place, &["set", "entra-secret"], VALUE).expect(1);
    assert!(nobody.err.contains("nothing says what opens the vault"), "{}", nobody.err);
}

#[test]
fn a_passphrase_of_the_environment_opens_the_vault() {
    let place = offline(SOURCE, GOOD);
    in_vault(&place, "\n[vault]\npath = \"my.vault\"\npassphrase = { env = \"ZQ_WORDS\" }\n");
    let with = |words: &str, arguments: &[&str]| {
        let mut command = place.command();
        command.env("ZQ_WORDS", words).args(arguments).write_stdin(VALUE);
        ran(&mut command)
    };
    with("correct horse", &["secret", "set", "entra-secret"]).expect(0);
    assert!(place.path("my.vault").exists());
    with("correct horse", &["check"]).expect(0);
    let wrong = with("battery staple", &["check"]).expect(2);
    let words = "environment variable `ZQ_WORDS` does not open the vault";
    assert!(wrong.err.contains(words) && !wrong.err.contains("battery"), "{}", wrong.err);
    let refused = with("correct horse", &["secret", "rotate", "--key"]).expect(1);
    assert!(refused.err.contains("cannot be replaced by this command"), "{}", refused.err);
    let both = "correct horse\nbattery staple";
    with(both, &["secret", "rotate", "--key"]).expect(0);
    with("battery staple", &["check"]).expect(0);
    with("correct horse", &["check"]).expect(2);
}

#[test]
fn a_new_key_is_said_plainly_and_the_old_one_opens_nothing() {
    let place = place();
    secret(&place, &["set", "entra-secret"], VALUE).expect(0);
    let old = place.read("vault.key");
    let done = secret(&place, &["rotate", "--key"], "").expect(0);
    insta::assert_snapshot!(said(&place, &done), @r"
    encrypted the vault `scimport.vault` for a new key, secrets 1
    the new key is in `vault.key`, and the old one does not open the vault any more: keep a copy of the new one, and of the old one for as long as you keep copies of the vault that it opens
    other keys stay in that file, as another vault may need them: 1; where none does, `scimport secret rotate --key --drop-old` takes out what was replaced
    ");
    place.run(&["check"]).expect(0);
    let new = place.read("vault.key");
    assert!(new.starts_with(&old), "another vault may need it");
    place.write("vault.key", old);
    place.run(&["check"]).expect(2);
    place.write("vault.key", new);
    place.run(&["check"]).expect(0);
    let done = secret(&place, &["rotate", "--key", "--drop-old"], "").expect(0);
    insta::assert_snapshot!(said(&place, &done), @r"
    encrypted the vault `scimport.vault` for a new key, secrets 1
    the new key is in `vault.key`, and the old one is not any more: keep a copy of the new one, and of the old one for as long as you keep copies of the vault that it opens
    ");
    assert_eq!(place.read("vault.key").matches("AGE-SECRET-KEY-1").count(), 1);
    place.run(&["check"]).expect(0);
    assert_eq!(secret(&place, &["rotate", "entra-secret", "--drop-old"], VALUE).code, 2);
}

#[test]
fn a_new_passphrase_on_standard_input_is_not_short() {
    let place = offline(SOURCE, GOOD);
    in_vault(&place, "\n[vault]\npassphrase = { file = \"words\" }\n");
    place.write("words", "x\n");
    let refused = secret(&place, &["set", "entra-secret"], VALUE).expect(1);
    assert!(refused.err.contains("fewer than 12 characters"), "{}", refused.err);
    assert!(!place.path("scimport.vault").exists());
    place.write("words", "correct horse\n");
    secret(&place, &["set", "entra-secret"], VALUE).expect(0);
    let refused = secret(&place, &["rotate", "--key"], "y\n").expect(2);
    assert!(refused.err.contains("fewer than 12 characters"), "{}", refused.err);
    assert_eq!(place.read("words"), "correct horse\n");
}

#[cfg(unix)]
#[test]
fn a_vault_or_a_key_that_others_can_write_and_a_link_to_nowhere_are_told() {
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    let place = place();
    symlink(place.path("none.key"), place.path("vault.key")).unwrap();
    let refused = secret(&place, &["set", "entra-secret"], VALUE).expect(1);
    assert!(refused.err.contains("vault.key` is a link that leads nowhere"), "{}", refused.err);
    assert!(place.path("vault.key").is_symlink() && !place.path("none.key").exists());
    std::fs::remove_file(place.path("vault.key")).unwrap();
    let set = secret(&place, &["set", "entra-secret"], VALUE).expect(0);
    assert!(!set.err.contains("warning"), "{}", set.err);
    for (name, mode) in [("scimport.vault", 0o620), ("vault.key", 0o602)] {
        let chmod = |mode| {
            let mode = std::fs::Permissions::from_mode(mode);
            std::fs::set_permissions(place.path(name), mode).unwrap();
        };
        chmod(mode);
        for words in [&["check"][..], &["secret", "list"]] {
            let said = place.run(words).expect(0).err;
            let warning = format!("{name}` can be written by other users of this machine");
            assert!(said.contains(&warning) && said.contains("hint: "), "{words:?}: {said}");
        }
        chmod(0o600);
    }
}

/// What the audit trail says of secrets: the action, the subject, the details.
fn trail(place: &Place) -> Vec<(String, String, Value)> {
    let mut lines = place.run(&["audit", "export"]).expect(0).json_lines();
    let _how_many = lines.pop();
    let text = |line: &Value, member: &str| line[member].as_str().unwrap().to_owned();
    let each = lines
        .iter()
        .map(|line| (text(line, "action"), text(line, "subject"), line["details"].clone()));
    each.filter(|(action, ..)| action.starts_with("secret.") || action.starts_with("vault."))
        .collect()
}

#[test]
fn the_audit_trail_tells_what_was_done_and_no_value() {
    let place = place();
    secret(&place, &["set", "entra-secret", "--expires", "2999-01-31", "--note", "zqnote"], VALUE)
        .expect(0);
    secret(&place, &["rotate", "entra-secret", "--expires", "never"], VALUE).expect(0);
    secret(&place, &["rotate", "--key"], "").expect(0);
    secret(&place, &["remove", "entra-secret"], "").expect(1);
    secret(&place, &["remove", "entra-secret", "--force"], "").expect(0);
    secret(&place, &["remove", "entra-secret", "--force"], "").expect(1);
    let trail = trail(&place);
    let told: Vec<_> = trail
        .iter()
        .map(|(action, subject, details)| {
            (&**action, &**subject, details["state"].as_str().unwrap())
        })
        .collect();
    let expected = [
        ("secret.set", "secret entra-secret", "begun"),
        ("secret.set", "secret entra-secret", "done"),
        ("secret.rotated", "secret entra-secret", "begun"),
        ("secret.rotated", "secret entra-secret", "done"),
        ("vault.rekeyed", "vault", "begun"),
        ("vault.rekeyed", "vault", "done"),
        ("secret.removed", "secret entra-secret", "begun"),
        ("secret.removed", "secret entra-secret", "done"),
        ("secret.removed", "secret entra-secret", "begun"),
        ("secret.removed", "secret entra-secret", "failed"),
    ];
    assert_eq!(told, expected);
    assert_eq!(trail[1].2["made_vault"], true);
    for entry in &trail[..2] {
        assert_eq!(entry.2["expires_at"], "2999-01-31T00:00:00Z");
    }
    let text = format!("{trail:?}");
    assert!(!text.contains("hunter2") && !text.contains("zqnote"), "{text}");
}

#[test]
fn a_change_of_the_vault_stands_in_the_trail_below_the_config_that_it_was_made_with() {
    let place = place();
    secret(&place, &["set", "entra-secret"], VALUE).expect(0);
    let config = place.read("scimport.toml");
    place.write("scimport.toml", format!("{config}\n[retention]\nruns = \"400d\"\n"));
    secret(&place, &["rotate", "entra-secret"], VALUE).expect(0);
    let lines = place.run(&["audit", "export"]).expect(0).json_lines();
    let actions: Vec<_> = lines.iter().filter_map(|line| line["action"].as_str()).collect();
    let expected = [
        "config.changed",
        "secret.set",
        "secret.set",
        "config.changed",
        "secret.rotated",
        "secret.rotated",
    ];
    assert_eq!(actions, expected);
}

#[test]
fn what_the_trail_cannot_tell_of_is_not_done() {
    let place = place();
    secret(&place, &["set", "entra-secret"], VALUE).expect(0);
    let (vault, key) =
        (std::fs::read(place.path("scimport.vault")).unwrap(), place.read("vault.key"));
    let store = rusqlite::Connection::open(place.path("scimport.db")).unwrap();
    store
        .execute_batch(
            "CREATE TRIGGER broken BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'no'); END",
        )
        .unwrap();
    for words in [
        &["set", "entra-secret"][..],
        &["rotate", "entra-secret"],
        &["rotate", "--key"],
        &["remove", "entra-secret", "--force"],
    ] {
        let refused = secret(&place, words, VALUE).expect(1);
        assert!(refused.err.contains("nothing was changed"), "{}", refused.err);
        assert_eq!(std::fs::read(place.path("scimport.vault")).unwrap(), vault, "{words:?}");
        assert_eq!(place.read("vault.key"), key, "{words:?}");
    }
}

#[test]
fn the_key_of_the_store_is_set_before_the_store_is_there_and_not_replaced_under_it() {
    let place = offline(SOURCE, GOOD);
    in_vault(&place, KEY_FILE);
    let store = "url = \"sqlite:scimport.db\"";
    let sealed = format!("{store}\nkey = {{ vault = \"store-key\" }}");
    place.write("scimport.toml", place.read("scimport.toml").replace(store, &sealed));
    let early = secret(&place, &["set", "entra-secret"], VALUE);
    assert_ne!(early.code, 0);
    assert!(early.err.contains("store-key"), "{}", early.err);
    let key = "Bsqkt/SpTikWPaqo7yaEOzqWI6G3OrJdFzK0EsXfFT4=";
    secret(&place, &["set", "store-key"], key).expect(0);
    secret(&place, &["set", "entra-secret"], VALUE).expect(0);
    for words in [["set", "store-key"], ["rotate", "store-key"]] {
        let refused = secret(&place, &words, "another").expect(1);
        assert!(
            refused.err.contains("the store is encrypted with secret `store-key`"),
            "{}",
            refused.err
        );
    }
    let told: Vec<_> = trail(&place).into_iter().map(|(_, subject, _)| subject).collect();
    // the store can be written to only after its key is there
    assert_eq!(told, ["secret store-key", "secret entra-secret", "secret entra-secret"]);
}

#[cfg(unix)]
mod daemon {
    use serde_json::json;
    use tokio::io::AsyncWriteExt as _;

    use crate::hook_support::{SECRET, Sender, Signed, worker};
    use crate::serve_support::{Serving, stage_with};
    use crate::support::{Stage, UNGUARDED};

    const HOOK: &str = "webhook = { verify = \"standard-webhooks\", secrets = [{ vault = \"hr-hook\" }], records = \"/data\", coalesce = \"200ms\" }";
    const OTHER: &str = "whsec_b3RoZXItYnJpZGdlLXRlc3Qta2V5LTAwMDItMjQh";

    async fn secret(stage: &Stage, words: &[&str], value: &str) {
        let words = [&["secret"], words].concat();
        let mut command = stage.command(&words, &[]);
        let mut child = command.stdin(std::process::Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(value.as_bytes()).await.unwrap();
        let output = child.wait_with_output().await.unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    async fn answer(sender: &Sender, number: usize) -> u16 {
        let body = json!({"data": [worker(number, "D")]});
        sender.send(&Signed::now(&format!("m{number}"), &body)).await.status().as_u16()
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_daemon_uses_a_new_secret_at_once_and_never_misses_the_vault() {
        let vault = "[vault]\nkey = { file = \"vault.key\" }";
        let stage = stage_with(&format!("{HOOK}\n{UNGUARDED}\n{vault}"), 20).await;
        let keys = Sender::keys(&stage).await;
        secret(&stage, &["set", "hr-hook"], SECRET).await;
        let serving = Serving::start(&stage);
        let sender = Sender::of(&serving, keys).await;
        assert_eq!(answer(&sender, 1).await, 202);
        secret(&stage, &["rotate", "hr-hook"], OTHER).await;
        assert_eq!(answer(&sender, 2).await, 401, "what was signed with the old one");
        secret(&stage, &["set", "hr-hook"], SECRET).await;
        assert_eq!(answer(&sender, 2).await, 202);
        // the vault's key changes under deliveries that never stop
        let rotations = async {
            for _ in 0..4 {
                secret(&stage, &["rotate", "--key"], "").await;
            }
        };
        let deliveries = async {
            for number in 3..150 {
                assert_eq!(answer(&sender, number % 19 + 1).await / 100, 2, "{number}");
            }
        };
        tokio::join!(rotations, deliveries);
        let log = serving.stop().await;
        assert!(!log.contains("cannot be had") && !log.contains(&SECRET[6..]), "{log}");
    }
}
