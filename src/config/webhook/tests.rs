//! What is read of `webhook`, and what is refused.

use toml::de::DeTable;

use super::*;
use crate::config::document::Document;
use crate::config::node::Table;
use crate::config::section::Report;

/// What is read of `webhook = …`, and every problem found.
fn read_line(line: &str) -> (Option<WebhookConfig>, String) {
    let text = format!("webhook = {line}\n");
    let mut document = Document::new("scimport.toml", &text);
    let root = Table::from_file(DeTable::parse(&text).unwrap().into_inner());
    document.note_scalars(&root);
    document.note_places(&root);
    let report = Report::new(&document, Vec::new());
    let section = Section::root(&report, &root);
    let config = read(&section.get("webhook").unwrap(), Path::new("/etc/hr"));
    let problems: Vec<_> =
        report.into_found().0.into_iter().map(|problem| problem.to_string()).collect();
    (config, problems.join("\n"))
}

#[track_caller]
fn good(line: &str) -> WebhookConfig {
    let (config, problems) = read_line(line);
    assert_eq!(problems, "", "{line}");
    config.unwrap()
}

#[test]
fn a_preset_needs_its_name_and_secrets() {
    for (word, preset) in WebhookPreset::WORDS {
        if matches!(preset, WebhookPreset::Bearer | WebhookPreset::Unsigned) {
            continue;
        }
        let config = good(&format!(
            "{{ verify = \"{word}\", records = \"/data\", secrets = [{{ env = \"A\" }}, {{ file = \"b\" }}] }}"
        ));
        assert_eq!(config.verify, VerifyConfig::Preset(preset));
        assert_eq!(config.records, "/data");
        let secrets = [SecretRef::Env("A".into()), SecretRef::File("/etc/hr/b".into())];
        assert_eq!(config.secrets, secrets);
    }
    let bearer = good("{ verify = \"bearer\" }");
    assert_eq!((bearer.secrets.len(), bearer.records.as_str()), (0, ""));
}

#[test]
fn a_table_says_everything_or_leaves_it_at_what_is_usual() {
    let config = good(
        "{ verify = { header = \"X-Sig\", algorithm = \"ed25519\", signs = \"POST{id}.{timestamp}.{body}\", \
         encoding = \"base64\", prefix = \"v1=\", id_header = \"X-Id\", timestamp_header = \"X-Time\", \
         tolerance = \"90s\", secrets = [{ env = \"A\" }] } }",
    );
    let VerifyConfig::Signature(signature) = config.verify else { panic!("no table") };
    let expected = SignatureConfig {
        header: "x-sig".into(),
        algorithm: SignatureAlgorithm::Ed25519,
        signs: vec![
            SignedPart::Literal("POST".into()),
            SignedPart::Id,
            SignedPart::Literal(".".into()),
            SignedPart::Timestamp,
            SignedPart::Literal(".".into()),
            SignedPart::Body,
        ],
        encoding: SignatureEncoding::Base64,
        prefix: "v1=".into(),
        id_header: Some("x-id".into()),
        timestamp_header: Some("x-time".into()),
        tolerance: Duration::from_secs(90),
    };
    assert_eq!(signature, expected);
    assert_eq!(config.secrets, [SecretRef::Env("A".into())]);
    let usual = good(
        "{ verify = { header = \"x\", algorithm = \"hmac-sha256\" }, secrets = [{ env = \"A\" }] }",
    );
    let VerifyConfig::Signature(usual) = usual.verify else { panic!("no table") };
    assert_eq!((usual.signs, usual.encoding), (vec![SignedPart::Body], SignatureEncoding::Hex));
    assert_eq!((usual.prefix.as_str(), usual.id_header, usual.timestamp_header), ("", None, None));
    assert_eq!(usual.tolerance, DEFAULT_TOLERANCE);
}

/// What is refused, with words of the problem.
fn bad() -> Vec<(String, &'static str)> {
    let table = |more: &str| {
        format!(
            "{{ verify = {{ header = \"x\", algorithm = \"hmac-sha256\", {more} }}, secrets = [{{ env = \"A\" }}] }}"
        )
    };
    vec![
        ("{ }".to_owned(), "needs `verify`"),
        ("{ verify = \"github\" }".to_owned(), "needs `secrets`"),
        (
            "{ verify = \"githup\", secrets = [{ env = \"A\" }] }".to_owned(),
            "did you mean `github`?",
        ),
        ("{ verfy = \"github\" }".to_owned(), "did you mean `verify`?"),
        ("{ verify = 5 }".to_owned(), "`verify`"),
        ("{ verify = \"github\", secrets = [] }".to_owned(), "lists nothing"),
        ("{ verify = \"github\", secrets = \"hunter2\" }".to_owned(), "list of references"),
        ("{ verify = \"github\", secrets = [\"hunter2\"] }".to_owned(), "where the secret is"),
        (
            "{ verify = \"github\", secrets = [{ enf = \"hunter2\" }] }".to_owned(),
            "did you mean `env`?",
        ),
        (
            "{ verify = \"github\", secrets = [{ x = \"hunter2\" }] }".to_owned(),
            "needs `env`, `file`, `command` or `vault`",
        ),
        ("{ verify = \"github\", secrets = [[\"hunter2\"]] }".to_owned(), "where the secret is"),
        ("{ verify = \"bearer\", secrets = [{ env = \"A\" }] }".to_owned(), "scimport key create"),
        ("{ verify = \"bearer\", records = \"data\" }".to_owned(), "JSON Pointer"),
        ("{ verify = \"bearer\", hydrate = { url = \"https://x\" } }".to_owned(), "needs `{id}`"),
        (
            "{ verify = { algorithm = \"ed25519\" }, secrets = [{ env = \"A\" }] }".to_owned(),
            "needs `header`",
        ),
        (
            "{ verify = { header = \"x\" }, secrets = [{ env = \"A\" }] }".to_owned(),
            "needs `algorithm`",
        ),
        (
            "{ verify = { header = \"x y\", algorithm = \"ed25519\" } }".to_owned(),
            "no name of a header",
        ),
        ("{ verify = { header = \"x\", algorithm = \"hmac-sha1\" } }".to_owned(), "`hmac-sha256`"),
        (table("secrets = [{ env = \"B\" }]"), "twice"),
        (table("encoding = \"base32\""), "`base64`"),
        (table("hydrates = {}"), "unknown key"),
        (
            "{ verify = \"bearer\", hydrate = { url = \"https://x/{id}\" } }".to_owned(),
            "needs `id`",
        ),
        (
            "{ verify = \"bearer\", hydrate = { url = \"http://x/{id}\", id = \"/a\" } }"
                .to_owned(),
            "has to begin with `https://`",
        ),
        (table("signs = \"{timestamp}\""), "no `{body}`"),
        (table("signs = \"{id}.{body}\""), "needs `id_header`"),
        (table("signs = \"{bdy}\""), "did you mean `{body}`?"),
        (table("signs = \"{body\""), "other half"),
        (table("signs = \"body}{body}\""), "other half"),
        (table("timestamp_header = \"t\""), "proves nothing"),
        (table("tolerance = \"5m\""), "proves nothing"),
        (table("signs = \"{timestamp}{body}\", tolerance = \"0s\""), "longer than nothing"),
        (table("idheader = \"i\""), "did you mean `id_header`?"),
    ]
}

#[test]
fn what_makes_no_sense_is_refused_with_the_way_out() {
    for (line, words) in bad() {
        let (_, problems) = read_line(&line);
        assert!(problems.contains(words), "{line}\n{problems}");
        assert!(!problems.contains("hunter2"), "{line}\n{problems}");
    }
}

#[test]
fn the_schema_for_editors_takes_and_refuses_the_same() {
    let text = include_str!("../../../schemas/config.json");
    let mut schema: serde_json::Value = serde_json::from_str(text).unwrap();
    schema["$ref"] = "#/$defs/webhook".into();
    for member in ["type", "properties", "additionalProperties", "required"] {
        schema.as_object_mut().unwrap().remove(member);
    }
    // they lead to another file, and a webhook does not
    schema["$defs"].as_object_mut().unwrap().remove("source");
    let validator = jsonschema::validator_for(&schema).unwrap();
    let takes = |line: &str| {
        let document: serde_json::Value = toml::from_str(&format!("webhook = {line}")).unwrap();
        validator.is_valid(&document["webhook"])
    };
    for line in [
        "{ verify = \"bearer\" }",
        "{ verify = \"github\", records = \"/a~1b\", secrets = [{ env = \"A\" }] }",
        "{ verify = \"bearer\", hydrate = { url = \"https://hr.example/e/{id}?full=1\", id = \"/a/b\" } }",
        "{ verify = \"bearer\", hydrate = { url = \"http://[::1]:8/e('{id}')\", id = \"/a\", record = \"/d\", per_second = 9, auth = { basic = { user = \"me\", password = { env = \"A\" } } } } }",
        "{ verify = \"bearer\", hydrate = { url = \"https://x/{id}\", id = \"/a\", auth = { header = { name = \"X-Key\", value = { file = \"a\" } } } } }",
        "{ verify = { header = \"x\", algorithm = \"hmac-sha512\" }, secrets = [{ file = \"a\" }] }",
        "{ verify = { header = \"x\", algorithm = \"ed25519\", encoding = \"base64\", prefix = \"v1=\", signs = \"{id}.{timestamp}.{body}\", id_header = \"i\", tolerance = \"90s\", secrets = [{ env = \"A\" }] } }",
        "{ verify = { header = \"x\", algorithm = \"ed25519\", signs = \"POST{body}{timestamp}\", timestamp_header = \"t\" }, secrets = [{ env = \"A\" }] }",
    ] {
        assert_eq!(read_line(line).1, "");
        assert!(takes(line), "{line}");
    }
    for (line, _) in bad() {
        assert!(!takes(&line), "{line}");
    }
}
