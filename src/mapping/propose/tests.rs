//! What is proposed for small files of many kinds.

use crate::mapping::propose::proposal::Proposal;
use crate::mapping::propose::sample::tests::table;
use crate::mapping::propose::{propose, rule_text};
use crate::mapping::{Mapping, MappingConfig};

fn proposal(text: &str) -> Proposal {
    propose(&table(text))
}

fn line<'p>(proposal: &'p Proposal, path: &str) -> Option<(String, Option<&'p str>)> {
    let line = proposal.lines.iter().find(|line| line.path == path)?;
    Some((rule_text(&line.rule), line.doubt.as_ref().map(|doubt| doubt.reason.as_str())))
}

fn rule(proposal: &Proposal, path: &str) -> String {
    line(proposal, path).map(|(rule, _)| rule).unwrap_or_default()
}

fn doubt(proposal: &Proposal, path: &str) -> String {
    line(proposal, path).and_then(|(_, doubt)| doubt).unwrap_or_default().to_owned()
}

#[test]
fn a_name_means_what_the_other_half_of_it_leaves() {
    let rows = "\n1 | Kern | Anna | Aktiv\n2 | Lang | Ben | Aktiv\n3 | Roth | Cy | Aktiv";
    let german = proposal(&format!("Personalnummer | Name | Vorname | Status{rows}"));
    assert_eq!(rule(&german, "name.familyName"), "\"Name\"");
    let italian = proposal(&format!("Matricola | Cognome | Nome | Stato{rows}"));
    assert_eq!(rule(&italian, "name.givenName"), "\"Nome\"");
    assert_eq!(rule(&italian, "displayName"), "\"{Nome} {Cognome}\"");
    let alone = proposal("Id | Name | Status\n1 | Ann Lee | Active\n2 | Ben Ray | Active");
    assert_eq!(
        (rule(&alone, "displayName"), rule(&alone, "name.familyName")),
        ("\"Name\"".into(), String::new())
    );
}

#[test]
fn zeros_that_a_spreadsheet_ate_are_put_back_with_a_doubt() {
    let eaten = proposal(
        "Id | Manager | Status\n004711 | | Active\n12345 | 4711 | Active\n004713 | 4711 | Active",
    );
    assert_eq!(rule(&eaten, "externalId"), "{ from = \"Id\", pad = 6 }");
    assert_eq!(rule(&eaten, "enterprise:manager"), "{ from = \"Manager\", pad = 6 }");
    assert!(doubt(&eaten, "externalId").contains("leading zeros"));
    let even = proposal("Id | Status\n004711 | Active\n004712 | Active\n004713 | Active");
    assert_eq!(line(&even, "externalId"), Some(("\"Id\"".into(), None)));
}

#[test]
fn a_status_is_known_by_its_words_and_never_by_its_name_alone() {
    let marital =
        proposal("Id | Status | Zone\n1 | Berlin | Aktiv\n2 | Paris | Inaktiv\n3 | Rom | Aktiv");
    assert_eq!(
        rule(&marital, "active"),
        "{ from = \"Zone\", map = { Aktiv = true, Inaktiv = false } }"
    );
    assert!(doubt(&marital, "active").contains("only its words"));
    let unknown = proposal("Id | Status\n1 | Active\n2 | Ruhend\n3 | Active");
    assert_eq!(rule(&unknown, "active"), "{ from = \"Status\", map = { Active = true } }");
    assert!(doubt(&unknown, "active").contains("`Ruhend`"));
    let inverted = proposal("Id | Ausgeschieden\n1 | nein\n2 | ja\n3 | nein");
    assert_eq!(
        rule(&inverted, "active"),
        "{ from = \"Ausgeschieden\", map = { nein = true, ja = false } }"
    );
    let plain = proposal("Id | Active\n1 | true\n2 | FALSE\n3 | true");
    assert_eq!(line(&plain, "active"), Some(("\"Active\"".into(), None)));
    let none = proposal("Id | Town\n1 | Berlin\n2 | Paris\n3 | Rom");
    assert_eq!(rule(&none, "active"), "{ const = true }");
    assert!(doubt(&none, "active").contains("nobody who leaves"));
}

#[test]
fn a_user_name_is_a_principal_name_or_what_comes_nearest() {
    let upn =
        proposal("Id | UPN | Email\n1 | a@x.example | b@x.example\n2 | c@x.example | d@x.example");
    assert_eq!(line(&upn, "userName"), Some(("{ from = \"UPN\", case = \"lower\" }".into(), None)));
    let email = proposal("Id | Login | Email\n1 | ann | b@x.example\n2 | ben | d@x.example");
    assert_eq!(rule(&email, "userName"), "{ from = \"Email\", case = \"lower\" }");
    assert!(doubt(&email, "userName").contains("e-mail address"));
    let login = proposal("Id | Login\n1 | ann\n2 | ben");
    assert!(doubt(&login, "userName").contains("no domain"));
    let none = proposal("Id | Town\n1 | Berlin\n2 | Paris");
    assert!(none.remarks.iter().any(|remark| remark.contains("userName")));
}

#[test]
fn a_manager_is_whoever_has_a_workers_id() {
    let rows = "Id | Status | Chain\nE10 | Active |\nE11 | Active | E10\nE12 | Active | E10\nE13 | Active | E11\nE14 | Active | E10";
    let found = proposal(rows);
    assert_eq!(rule(&found, "enterprise:manager"), "\"Chain\"");
    assert!(doubt(&found, "enterprise:manager").contains("only its values"));
    let named = proposal("Id | Manager\nE10 |\nE11 | Ann Lee\nE12 | Ann Lee");
    assert_eq!(line(&named, "enterprise:manager"), None);
    let why = named.unmapped.iter().find(|column| column.header == "Manager").unwrap();
    assert!(why.why.as_ref().unwrap().contains("no ids"));
}

#[test]
fn dates_without_proof_follow_a_column_that_has_one() {
    let alone = proposal("Id | Hire date\n1 | 03/04/2024\n2 | 05/06/2024");
    let path = "urn:ietf:params:scim:schemas:extension:contoso:1.0:User:HireDate";
    assert!(doubt(&alone, path).contains("day or the month"));
    let proven =
        proposal("Id | Hire date | End date\n1 | 03/04/2024 | 12/25/2025\n2 | 05/06/2024 |");
    assert_eq!(
        line(&proven, path),
        Some(("{ from = \"Hire date\", date = [\"%m/%d/%Y\"] }".into(), None))
    );
    let both = proposal("Id | Hire date\n1 | 25/12/2024\n2 | 12/25/2024");
    assert_eq!(line(&both, path), None);
    assert!(
        both.unmapped
            .iter()
            .any(|column| column.why.as_ref().is_some_and(|why| why.contains("correct")))
    );
}

#[test]
fn namesakes_blanks_and_private_columns_are_left_alone() {
    let found = proposal(
        "Id | Email | Email | | IBAN | Konto X\n1 | a@x.example | b@x.example | x | y | DE02120300000000202051",
    );
    assert_eq!(line(&found, "emails[type eq \"work\"].value"), None);
    assert_eq!(found.unmapped.len(), 5);
    let shown = found.unmapped.iter().filter(|column| column.sample.is_some());
    assert_eq!(shown.count(), 0);
}

#[test]
fn another_way_takes_the_place_of_the_proposal() {
    let mut found = proposal("Id | Login\n1 | ann\n2 | ben");
    let at = found.lines.iter().position(|line| line.path == "userName").unwrap();
    let count = found.lines.len();
    let mut other = found.clone();
    found.settle(at, Some(0));
    assert_eq!(
        rule(&found, "userName"),
        "{ template = \"{Login}@contoso.com\", case = \"lower\" }"
    );
    assert_eq!(doubt(&found, "userName"), "");
    other.settle(at, Some(1));
    assert_eq!((other.lines.len(), rule(&other, "userName")), (count - 1, String::new()));
}

proptest::proptest! {
    // each case folds the whole lexicon
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(48))]
    #[test]
    fn whatever_is_proposed_compiles(
        headers in proptest::collection::vec(
            "Id|Name|Vorname|Status|E-Mail|Login|Manager|Hire date|Land|[a-zA-Zäß{}\" .]{0,8}", 1..7,
        ),
        rows in proptest::collection::vec(
            proptest::collection::vec("[0-9]{1,6}|Aktiv|[a-z]{1,4}@x.de|0[1-9]/1[0-2]/2024|-|\\PC{0,6}", 1..7),
            0..8,
        ),
    ) {
        let plain = |cells: &[String]| {
            let cells: Vec<String> = cells.iter().map(|cell| cell.replace(['|', '\n'], " ")).collect();
            cells.join("|")
        };
        let lines: Vec<String> =
            std::iter::once(plain(&headers)).chain(rows.iter().map(|row| plain(row))).collect();
        let proposed = proposal(&lines.join("\n"));
        let has_id = proposed.lines.iter().any(|line| line.path == "externalId");
        let attributes = proposed.lines.iter().map(|line| crate::mapping::AttributeConfig {
            path: line.path.to_owned(),
            rule: line.rule.clone(),
        });
        let config = MappingConfig { attributes: attributes.collect(), ..MappingConfig::default() };
        let compiled = Mapping::compile(&config, Some(&jiff::tz::TimeZone::UTC));
        if has_id {
            proptest::prop_assert!(compiled.is_ok(), "{:?}", compiled.err());
        }
    }
}
