//! Keys set from the environment.

use std::path::Path;

use scimport::config::{Config, ConfigErrors, CredentialConfig, SecretRef};

use crate::config_reading::{FULL, SMALL};

fn read(text: &str, variables: &[(&str, &str)]) -> Result<Config, ConfigErrors> {
    let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    Config::parse(text, Path::new("."), variables.iter().map(own))
}

#[test]
fn a_variable_sets_and_overrides_a_key() {
    let variables = [
        ("SCIMPORT__TARGET__ENTRA__CLIENT_ID", "from-env"),
        ("SCIMPORT__TARGET__ENTRA__DAILY_CALLS", "6000"),
        ("SCIMPORT__TARGET__ENTRA__TRACKING__POLL", "1s"),
        ("SCIMPORT__TARGET__ENTRA__CREDENTIAL__CLIENT_SECRET__ENV", "OTHER"),
        ("SCIMPORT__TARGET__ENTRA__JOB_ID", "12345"),
        ("SCIMPORT__SOURCE__HR__TAKES_OVER", "[\"old\"]"),
        ("SCIMPORT__SOURCE__HR__CSV", "{ delimiter = \";\" }"),
        ("SCIMPORT__SOURCE__HR__CSV__HEADER_ROW", "2"),
        ("SCIMPORT__STORE__URL", "sqlite:env.db"),
        ("SCIMPORT_CLIENT_SECRET", "not ours"),
        ("PATH", "/bin"),
    ];
    let config = read(SMALL, &variables).unwrap();
    let target = config.target("entra").unwrap();
    assert_eq!((target.client_id.as_deref(), target.daily_calls), (Some("from-env"), 6000));
    assert_eq!(target.tracking.poll.as_secs(), 1);
    assert_eq!(target.job_id, "12345");
    assert_eq!(
        target.credential,
        CredentialConfig::ClientSecret { secret: SecretRef::Env("OTHER".into()), expires: None }
    );
    assert_eq!(config.store.path, Path::new(".").join("env.db"));
    let source = config.source("hr").unwrap();
    assert_eq!((source.takes_over.len(), source.format.csv.header_row), (1, Some(2)));
}

#[test]
fn a_hyphen_in_a_name_is_an_underscore_in_a_variable() {
    let config = read(FULL, &[("SCIMPORT__SOURCE__HR_SOUTH__FORMAT", "json")]).unwrap();
    let format = config.source("hr-south").unwrap().format.format;
    assert_eq!(format, Some(scimport::source::Format::Json));
}

#[test]
fn problems_name_the_variable_and_never_its_value() {
    let names = [
        "SCIMPORT__TARGET__ENTRA__BURST",
        "SCIMPORT__TARGET__ENTRA__CLOUD",
        "SCIMPORT__TARGET__ENTRA__DAILY_CALLS",
        "SCIMPORT__TARGET__ENTRA__CREDENTIAL__CLIENT_SECRET",
        "SCIMPORT__TARGET__ENTRA__CREDENTIALS",
        "SCIMPORT__TARGET__ENTAR__CLIENT_ID",
        "SCIMPORT__TARGET__OTHER__CLIENT_ID",
        "SCIMPORT__TARGET__ENTRA__JOB_ID__X",
        "SCIMPORT__TARGET__ENTRA",
        "SCIMPORT__TARGET",
        "SCIMPORT__SOURCE__HR__MAPPING__TITLE",
        "SCIMPORT__HTPP__PROXY",
        "SCIMPORT__HTTP__PROXY",
        "SCIMPORT__",
        "SCIMPORT__STORE____URL",
    ];
    let variables: Vec<_> = names.iter().map(|name| (*name, "hunter2 { = ")).collect();
    let text = read(SMALL, &variables).unwrap_err().to_string();
    assert!(!text.contains("hunter2"), "{text}");
    for name in names {
        assert!(text.contains(&format!("environment variable `{name}`: ")), "{name} in\n{text}");
    }
    insta::assert_snapshot!(text, @r#"
    environment variable `SCIMPORT__`: sets no key of the config
      hint: name it `SCIMPORT__SECTION__KEY`
    environment variable `SCIMPORT__SOURCE__HR__MAPPING__TITLE`: the mapping cannot be set from the environment
    environment variable `SCIMPORT__STORE____URL`: sets no key of the config
      hint: name it `SCIMPORT__SECTION__KEY`
    environment variable `SCIMPORT__TARGET`: sets no key of the config
      hint: set the keys of the section one by one
    environment variable `SCIMPORT__TARGET__ENTAR__CLIENT_ID`: sets no key of the config
      hint: did you mean `ENTRA`?
    environment variable `SCIMPORT__TARGET__ENTRA`: sets no key of the config
      hint: set the keys of the section one by one
    environment variable `SCIMPORT__TARGET__ENTRA__JOB_ID__X`: sets no key of the config
    environment variable `SCIMPORT__TARGET__OTHER__CLIENT_ID`: sets no key of the config
      hint: the file has no `[target.other]`
    environment variable `SCIMPORT__HTPP__PROXY`: unknown key `htpp` in the config
      hint: did you mean `HTTP`?
    environment variable `SCIMPORT__TARGET__ENTRA__CREDENTIALS`: unknown key `credentials` in `[target.entra]`
      hint: did you mean `CREDENTIAL`?
    environment variable `SCIMPORT__TARGET__ENTRA__CLOUD`: `cloud` has to be `public`, `usgov`, `dod` or `china`
    environment variable `SCIMPORT__TARGET__ENTRA__CREDENTIAL__CLIENT_SECRET`: `client_secret` has to say where the secret is, not what it is
      hint: write `{ env = "NAME" }` or `{ file = "path" }`
    environment variable `SCIMPORT__TARGET__ENTRA__DAILY_CALLS`: `daily_calls` has to be a whole number, found text
    environment variable `SCIMPORT__TARGET__ENTRA__BURST`: `burst` is no number of calls and length of time
      hint: write it like `40/5s`: so many calls in so long a time
    environment variable `SCIMPORT__HTTP__PROXY`: `proxy` is no http or https URL
      hint: write it like `http://proxy.example:8080`
    "#);
}

#[test]
fn a_federated_token_takes_what_is_missing_from_azures_variables() {
    let federated =
        SMALL.replace("{ client_secret = { env = \"SECRET\" } }", "\"federated_token\"");
    let bare = federated
        .replace("client_id = \"c\"\n", "")
        .replace("tenant_id = \"contoso.example\"\n", "");
    assert!(bare.len() < federated.len() - 20);
    let variables = [
        ("AZURE_FEDERATED_TOKEN_FILE", "/var/run/token"),
        ("AZURE_TENANT_ID", "azure-tenant"),
        ("AZURE_CLIENT_ID", "azure-client"),
        ("AZURE_AUTHORITY_HOST", "https://login.microsoftonline.com/"),
    ];
    let of = |text: &str, variables: &[(&str, &str)]| {
        let target = read(text, variables).unwrap().target("entra").unwrap().clone();
        let CredentialConfig::FederatedToken { file } = target.credential else { panic!() };
        let file = file.to_str().unwrap().to_owned();
        (file, target.tenant_id, target.client_id.unwrap(), target.authority_url)
    };
    let owned = str::to_owned;
    let authority = Some(owned("https://login.microsoftonline.com/"));
    assert_eq!(
        of(&bare, &variables),
        (owned("/var/run/token"), owned("azure-tenant"), owned("azure-client"), authority.clone())
    );
    // what stands in the file is the stronger one
    let (_, tenant, client, _) = of(&federated, &variables);
    assert_eq!((tenant.as_str(), client.as_str()), ("contoso.example", "c"));
    let (file, _, _, authority) = of(&federated, &[("AZURE_FEDERATED_TOKEN_FILE", "")]);
    assert_eq!(file, "/var/run/secrets/azure/tokens/azure-identity-token");
    assert_eq!(authority, None);
    // nothing of the kind touches another credential
    let other = read(SMALL, &variables).unwrap();
    assert_eq!(other.target("entra").unwrap().authority_url, None);
    let missing = read(&bare, &variables[..2]).err().unwrap().to_string();
    assert!(missing.contains("needs `client_id`"), "{missing}");
    // the word may come from the environment itself
    let by_variable = [variables[0], ("SCIMPORT__TARGET__ENTRA__CREDENTIAL", "federated_token")];
    assert_eq!(of(SMALL, &by_variable).0, "/var/run/token");
}
