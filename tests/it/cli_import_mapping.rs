//! `import-mapping`: a mapping file of CSV2SCIM in, a section of the config out.

use scimport::config::Config;
use scimport::mapping::psd1::{Line, Psd1};
use scimport::mapping::{Mapping, ValueSource};

use crate::cli_support::Place;

const FULL: &str = include_str!("../fixtures/mapping/own-full.psd1");
const REFUSED: &str = include_str!("../fixtures/mapping/own-refused.txt");
/// What a section needs around it.
const AROUND: &str = r#"
[target.entra]
tenant_id = "11111111-2222-4333-8444-555555555555"
client_id = "22222222-3333-4444-8555-666666666666"
service_principal_id = "33333333-4444-4555-8666-777777777777"
job_id = "API2AAD.1"
credential = { client_secret = { env = "SECRET" } }

[source.hr]
target = "entra"
time_zone = "Europe/Berlin"

"#;
/// A mapping file without gaps and without anything that needs an expression.
const WHOLE: &str = r"@{
    externalId = 'Worker ID'
    active = { $_.Status -in 'A', 'L' }
    userName = { $_.Login.ToLower() }
    displayName = { '{0} {1}' -f $_.First, $_.Last }
    emails = @( @{ type = { 'work' }; value = 'Mail'; primary = { $true } } )
    'urn:ietf:params:scim:schemas:extension:acme:1.0:User' = @{
        HireDate = { [datetime]::ParseExact($_.Hired, 'dd.MM.yyyy', $null).ToString('s') }
        Office = { if ($_.Site -eq 'HQ') { 'Main' } else { 'Branch' } }
    }
}";

#[test]
fn the_full_example_becomes_this_section_and_a_list_of_gaps() {
    let place = Place::new();
    place.write("AttributeMapping.psd1", FULL);
    let ran = place.run(&["import-mapping", "AttributeMapping.psd1"]).expect(3);
    insta::assert_snapshot!("import_mapping_full", ran.out);
    insta::assert_snapshot!("import_mapping_full_gaps", ran.err);
}

#[test]
fn a_section_without_gaps_is_a_config() {
    let place = Place::new();
    place.write("m.psd1", WHOLE);
    let ran = place.run(&["import-mapping", "m.psd1", "-o", "out.toml"]).expect(0);
    assert_eq!(ran.out, "");
    assert!(ran.err.contains("8 lines translated, 0 left"), "{}", ran.err);
    let text = format!("{AROUND}{}", place.read("out.toml"));
    let config = Config::parse(&text, std::path::Path::new("."), []).unwrap();
    let source = &config.sources[0];
    let zone = jiff::tz::TimeZone::UTC;
    let mapping = Mapping::compile(&source.mapping, Some(&zone)).unwrap();
    assert_eq!(mapping.columns().len(), 8);
    // what is read back is what was meant
    let translation = Psd1::parse(WHOLE).unwrap().translate();
    let lines: Vec<&Line> = translation.lines().collect();
    assert_eq!(lines.len(), source.mapping.attributes.len());
    for (line, read) in lines.iter().zip(&source.mapping.attributes) {
        assert!(!matches!(line.rule.value, ValueSource::Expression(_)));
        assert_eq!((&line.path, &line.rule), (&read.path, &read.rule));
    }
    // a file that is there is left alone
    let again = place.run(&["import-mapping", "m.psd1", "-o", "out.toml"]).expect(2);
    assert!(again.err.contains("is there already"), "{}", again.err);
}

#[test]
fn what_powershell_refuses_is_1_with_line_and_text_and_writes_nothing() {
    for line in REFUSED.lines().skip(1).filter(|line| !line.trim().is_empty()) {
        let place = Place::new();
        place.write("m.psd1", format!("# a mapping\n{line}\n"));
        let ran = place.run(&["import-mapping", "m.psd1", "-o", "out.toml"]).expect(1);
        assert_eq!(ran.out, "");
        assert!(ran.err.starts_with("error: m.psd1, line "), "{}", ran.err);
        if line.contains("@{") {
            assert!(ran.err.contains("line 2: "), "{}", ran.err);
            assert!(ran.err.contains(line), "{}", ran.err);
        }
        assert_eq!(place.names(), ["m.psd1"]);
    }
    Place::new().run(&["import-mapping", "absent.psd1"]).expect(1);
}

#[test]
fn the_file_may_be_in_the_encodings_that_powershell_writes() {
    let text = "@{ externalId = 'Nümmer'; active = 'Aktiv' }";
    let utf16: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let latin: Vec<u8> = text.chars().map(|letter| u8::try_from(letter).unwrap()).collect();
    for bytes in [
        [&[0xEF, 0xBB, 0xBF], text.as_bytes()].concat(),
        [&[0xFF, 0xFE][..], &utf16].concat(),
        latin,
    ] {
        let place = Place::new();
        place.write("m.psd1", bytes);
        let ran = place.run(&["import-mapping", "m.psd1", "--source", "berlin"]).expect(0);
        assert!(ran.out.contains("externalId = \"Nümmer\""), "{}", ran.out);
        assert!(ran.out.contains("[source.berlin.mapping]"), "{}", ran.out);
    }
    let place = Place::new();
    place.write("m.psd1", "@{}");
    place.run(&["import-mapping", "m.psd1", "--source", "HR!"]).expect(2);
}
