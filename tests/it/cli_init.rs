//! `init`: from a file that nobody has described to a config that works at once.

use std::path::{Path, PathBuf};

use crate::cli_support::{Place, Ran, SECRET_VARIABLE, ran};

fn messy(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("samples/messy").join(name)
}

/// Proposes a config for one of the files, as on a machine in Berlin.
fn init(place: &Place, file: &Path) -> Ran {
    let mut command = place.command();
    ran(command.env("TZ", "Europe/Berlin").args(["init", "--from"]).arg(file))
}

/// What follows the target, which is the same for all.
fn source_part(config: &str) -> &str {
    &config[config.find("verified_domains").unwrap()..]
}

/// Proposes, checks and converts; gives the proposal, what is said of the conversion, and why rows
/// were rejected.
fn journey(name: &str) -> String {
    let place = Place::new();
    let file = messy(name);
    init(&place, &file).expect(0);
    ran(place.command().env(SECRET_VARIABLE, "x").arg("check")).expect(0);
    let arguments = ["convert", "--source", "hr", "-o", "out", "--strict"];
    let converted = ran(place.command().args(arguments).arg(&file));
    assert!(matches!(converted.code, 0 | 3), "{converted:#?}");
    let config = place.read("scimport.toml");
    let (config, said) = (source_part(&config), &converted.err);
    let rejects = place.read("out/rejects.csv");
    let why = rejects.lines().skip(1).map(|line| {
        let fields: Vec<&str> = line.split(',').collect();
        format!("row {}: {}\n", fields[0], fields[3])
    });
    format!("{config}\n---\n{said}{}", why.collect::<String>())
}

#[test]
fn a_german_export_of_a_large_system_is_understood() {
    insta::assert_snapshot!(journey("sap-personalstamm.csv"), @r#"
    verified_domains = ["contoso.com"]   # tells rows with another domain before they are sent

    # sap-personalstamm.csv: CSV text, 24 rows, 15 columns
    # the letters are windows-1252 (99 % sure, by 38 words beyond ASCII, which are not UTF-8)
    # fields are separated by `;`
    # the first line says what separates the fields, and is no header
    # the headers stand in record 3
    # the trailer counts 24 rows, and they are there
    [source.hr]
    target = "entra"
    format = "csv"
    export = "changes"       # "full" where every file names everybody
    # leavers = { when_missing = "deactivate", after = 2 }   # with "full": who is missing from 2 complete files in a row is deactivated
    time_zone = "Europe/Berlin"  # ? this machine's: dates in the file are meant where the people work
    complete = { trailer = { starts_with = "TRL", count = 2 } }

    [source.hr.mapping]
    externalId = "Personalnummer"  # 00000470
    # ? no column holds a user principal name; the e-mail address usually is the same
    # ? or leave it out
    userName = { from = "E-Mail dienstlich", case = "lower" }  # joerg.weisshaupt@contoso.ex…
    active = { from = "Status", map = { Aktiv = true, Ausgetreten = false } }  # Aktiv
    displayName = "{Vorname} {Nachname}"  # Jörg Weißhaupt
    "name.givenName" = "Vorname"  # Jörg
    "name.familyName" = "Nachname"  # Weißhaupt
    title = "Planstelle"  # Geschäftsführer
    'emails[type eq "work"].value' = "E-Mail dienstlich"  # joerg.weisshaupt@contoso.ex…
    'phoneNumbers[type eq "work"].value' = "Telefon"  # +49 89 5550 100
    "enterprise:costCenter" = "Kostenstelle"  # 4100
    "enterprise:department" = "Organisationseinheit"  # Geschäftsführung
    "enterprise:manager" = "Vorgesetzter (Pers.Nr.)"  # 00000470
    "urn:ietf:params:scim:schemas:extension:contoso:1.0:User:HireDate" = { from = "Eintritt", date = ["%d.%m.%Y"] }  # 01.01.2005  (an attribute of your own: declare it in the provisioning app, or take it out)
    "urn:ietf:params:scim:schemas:extension:contoso:1.0:User:TerminationDate" = { from = "Austritt", empty_words = ["31.12.9999"], date = ["%d.%m.%Y"] }  # 30.09.2026  (an attribute of your own: declare it in the provisioning app, or take it out)

    # Columns that are not mapped:
    #   "Beschäftigungsgrad"  1,0
    #   "IBAN"  (it looks private, so no value is shown)
    #   "Geburtsdatum"  (it looks private, so no value is shown)

    ---
    24 rows: 24 users in 1 bulk request to `out`, 0 rejected
    "#);
}

#[test]
fn a_french_list_of_contracts_is_understood() {
    insta::assert_snapshot!(journey("contrats-unicode.txt"), @r#"
    verified_domains = ["contoso.com"]   # tells rows with another domain before they are sent

    # contrats-unicode.txt: CSV text, 16 rows, 15 columns
    # the letters are UTF-16LE (certain, by the byte-order mark)
    # fields are separated by tabs
    [source.hr]
    target = "entra"
    format = "csv"
    export = "changes"       # "full" where every file names everybody
    # leavers = { when_missing = "deactivate", after = 2 }   # with "full": who is missing from 2 complete files in a row is deactivated
    time_zone = "Europe/Berlin"  # ? this machine's: dates in the file are meant where the people work
    # ? 4 rows name a worker whom an earlier row names; without `rows` all of them are rejected
    rows = { by = { column = "Date début contrat", date = ["%d/%m/%Y"] }, prefer = 'row["Contrat principal"] == "Oui"' }

    [source.hr.mapping]
    externalId = "Matricule"  # M1040
    # ? no column holds a user principal name; the e-mail address usually is the same
    # ? or leave it out
    userName = { from = "Courriel professionnel", case = "lower" }  # aurelie.lefevre@contoso.exa…
    active = { from = "Statut", map = { "Présent" = true, Sorti = false } }  # Présent
    displayName = "{Prénom} {Nom}"  # Aurélie Lefèvre
    "name.givenName" = "Prénom"  # Aurélie
    "name.familyName" = "Nom"  # Lefèvre
    title = "Intitulé du poste"  # Présidente
    userType = "Type de contrat"  # CDI
    'emails[type eq "work"].value' = "Courriel professionnel"  # aurelie.lefevre@contoso.exa…
    'phoneNumbers[type eq "work"].value' = "Téléphone"  # 01 55 50 01 10
    "enterprise:organization" = "Société"  # Aldergate France
    "enterprise:department" = "Service"  # Direction générale
    "enterprise:manager" = "Matricule N+1"  # M1040
    "urn:ietf:params:scim:schemas:extension:contoso:1.0:User:TerminationDate" = { from = "Date fin contrat", date = ["%d/%m/%Y"] }  # 14/01/2020  (an attribute of your own: declare it in the provisioning app, or take it out)

    # Columns that are not mapped:
    #   "Date début contrat"  01/01/2010  (it tells several rows of one worker apart)
    #   "Contrat principal"  Oui  (it tells several rows of one worker apart)
    #   "Salaire annuel brut"  (it looks private, so no value is shown)

    ---
    16 rows: 12 users in 1 bulk request to `out`, 0 rejected, 4 superseded by another row
    "#);
}

#[test]
fn a_workbook_with_a_cover_sheet_is_understood() {
    insta::assert_snapshot!(journey("staff.xlsx"), @r#"
    verified_domains = ["contoso.com"]   # tells rows with another domain before they are sent

    # staff.xlsx: an XLSX workbook, 14 rows, 13 columns
    # read sheet `Staff 2026` of 2, with its headers in row 3
    # 1 hidden rows are read like the others
    [source.hr]
    target = "entra"
    format = "xlsx"
    export = "changes"       # "full" where every file names everybody
    # leavers = { when_missing = "deactivate", after = 2 }   # with "full": who is missing from 2 complete files in a row is deactivated
    time_zone = "Europe/Berlin"  # ? this machine's: dates in the file are meant where the people work
    # ? cells of `Department` are merged over several rows: each row gets the value of the range
    xlsx = { merged = "spread" }

    [source.hr.mapping]
    externalId = "Employee No."  # 004100
    # ? no column holds a user principal name; the e-mail address usually is the same
    # ? or leave it out
    userName = { from = "Work e-mail", case = "lower" }  # ilse.marchetti@contoso.exam…
    # ? `On leave` keeps the account on
    # ? or `On leave` switches the account off:  active = { from = "Employee status", map = { Employed = true, "On leave" = false, Left = false } }
    active = { from = "Employee status", map = { Employed = true, "On leave" = true, Left = false } }  # Employed
    displayName = "{First name} {Surname}"  # Ilse Marchetti
    "name.givenName" = "First name"  # Ilse
    "name.familyName" = "Surname"  # Marchetti
    title = "Job title"  # Managing Director
    'emails[type eq "work"].value' = "Work e-mail"  # ilse.marchetti@contoso.exam…
    'phoneNumbers[type eq "work"].value' = "Phone"  # +44 20 5550 0120
    'addresses[type eq "work"].locality' = "Office"  # Leeds
    "enterprise:department" = "Department"  # Board
    "enterprise:manager" = "Manager No."  # 004100
    "urn:ietf:params:scim:schemas:extension:contoso:1.0:User:HireDate" = { from = "Start date", date = ["%Y-%m-%d"] }  # 2012-01-15  (an attribute of your own: declare it in the provisioning app, or take it out)
    "urn:ietf:params:scim:schemas:extension:contoso:1.0:User:TerminationDate" = { from = "End date", date = ["%Y-%m-%d"] }  # 2026-09-30  (an attribute of your own: declare it in the provisioning app, or take it out)

    # Columns that are not mapped:
    #   "Annual salary"  (it looks private, so no value is shown)

    ---
    note: staff.xlsx, sheet `Staff 2026`: 1 hidden rows are read like the others  [source.hidden-rows]
    14 rows: 13 users in 1 bulk request to `out`, 1 rejected
    row 13: source.cell-error
    "#);
}

#[test]
fn the_answer_of_an_api_is_understood() {
    insta::assert_snapshot!(journey("workers-api.json"), @r#"
    verified_domains = ["contoso.com"]   # tells rows with another domain before they are sent

    # workers-api.json: JSON, 14 rows, 22 columns
    # the records are those at `/data/workers`
    [source.hr]
    target = "entra"
    format = "json"
    export = "changes"       # "full" where every file names everybody
    # leavers = { when_missing = "deactivate", after = 2 }   # with "full": who is missing from 2 complete files in a row is deactivated
    time_zone = "Europe/Berlin"  # ? this machine's: dates in the file are meant where the people work
    json = { records = "/data/workers" }

    [source.hr.mapping]
    externalId = "id"  # W-2001
    # ? no column holds a user principal name; the e-mail address usually is the same
    # ? or leave it out
    userName = { from = "contact.workEmail", case = "lower" }  # imani.castellanos@contoso.e…
    # ? `LEAVE` keeps the account on
    # ? or `LEAVE` switches the account off:  active = { from = "employment.status", map = { ACTIVE = true, LEAVE = false, TERMINATED = false } }
    active = { from = "employment.status", map = { ACTIVE = true, LEAVE = true, TERMINATED = false } }  # ACTIVE
    displayName = "name.display"  # Imani Castellanos
    "name.givenName" = "name.first"  # Imani
    "name.familyName" = "name.last"  # Castellanos
    title = "employment.jobTitle"  # Chief Executive
    userType = "employment.type"  # Employee
    'emails[type eq "work"].value' = "contact.workEmail"  # imani.castellanos@contoso.e…
    'phoneNumbers[type eq "work"].value' = "contact.phones.0.number"  # +1 555 010 0020
    'addresses[type eq "work"].locality' = "location.city"  # Lisbon
    'addresses[type eq "work"].country' = "location.country"  # PT
    "enterprise:costCenter" = "org.costCenter"  # CC-100
    "enterprise:department" = "org.department"  # Board
    "enterprise:manager" = "org.managerId"  # W-2001
    "urn:ietf:params:scim:schemas:extension:contoso:1.0:User:HireDate" = { from = "employment.startDate", date = ["%Y-%m-%d"] }  # 2014-01-10  (an attribute of your own: declare it in the provisioning app, or take it out)
    "urn:ietf:params:scim:schemas:extension:contoso:1.0:User:TerminationDate" = { from = "employment.endDate", date = ["%Y-%m-%d"] }  # 2026-10-31  (an attribute of your own: declare it in the provisioning app, or take it out)

    # Columns that are not mapped:
    #   "contact.phones.0.type"  work
    #   "contact.phones.1.type"  mobile
    #   "contact.phones.1.number"  +1 555 017 0021
    #   "compensation.salary"  (it looks private, so no value is shown)
    #   "compensation.currency"  (it looks private, so no value is shown)
    #   "birthDate"  (it looks private, so no value is shown)

    ---
    14 rows: 14 users in 1 bulk request to `out`, 0 rejected
    "#);
}

#[test]
fn two_dutch_exports_in_one_file_are_understood() {
    insta::assert_snapshot!(journey("medewerkers-samengevoegd.csv"), @r#"
    verified_domains = ["contoso.com"]   # tells rows with another domain before they are sent

    # medewerkers-samengevoegd.csv: CSV text, 16 rows, 15 columns
    # the letters are UTF-8 (certain, by the byte-order mark)
    # fields are separated by `|`
    # the header comes again here and was left out; the file seems to be made of several exports
    [source.hr]
    target = "entra"
    format = "csv"
    export = "changes"       # "full" where every file names everybody
    # leavers = { when_missing = "deactivate", after = 2 }   # with "full": who is missing from 2 complete files in a row is deactivated
    time_zone = "Europe/Berlin"  # ? this machine's: dates in the file are meant where the people work

    [source.hr.mapping]
    externalId = "Personeelsnummer"  # 2100
    # ? no column holds a user principal name; the e-mail address usually is the same
    # ? or leave it out
    userName = { from = "E-mail werk", case = "lower" }  # femke.vandermeulen@contoso.…
    # ? `Ouderschapsverlof` keeps the account on
    # ? or `Ouderschapsverlof` switches the account off:  active = { from = "Status", map = { "In dienst" = true, "Uit dienst" = false, Ouderschapsverlof = false } }
    active = { from = "Status", map = { "In dienst" = true, "Uit dienst" = false, Ouderschapsverlof = true } }  # In dienst
    displayName = "{Voornaam} {Tussenvoegsel} {Achternaam}"  # Femke van der Meulen
    "name.givenName" = "Voornaam"  # Femke
    "name.familyName" = "{Tussenvoegsel} {Achternaam}"  # van der Meulen
    title = "Functie"  # Directeur
    'emails[type eq "work"].value' = "E-mail werk"  # femke.vandermeulen@contoso.…
    'phoneNumbers[type eq "work"].value' = { from = "Telefoon werk", empty_words = ["-"] }  # 020 555 0100
    'addresses[type eq "work"].country' = "Land"  # NL
    "enterprise:costCenter" = { from = "Kostenplaats", empty_words = ["n.v.t."] }  # KP20
    "enterprise:department" = "Afdeling"  # Directie
    "enterprise:manager" = "Leidinggevende"  # 2100
    "urn:ietf:params:scim:schemas:extension:contoso:1.0:User:HireDate" = { from = "Datum in dienst", date = ["%d/%m/%Y"] }  # 03/04/2012  (an attribute of your own: declare it in the provisioning app, or take it out)
    "urn:ietf:params:scim:schemas:extension:contoso:1.0:User:TerminationDate" = { from = "Datum uit dienst", empty_words = ["n.v.t."], date = ["%d/%m/%Y"] }  # 31/10/2026  (an attribute of your own: declare it in the provisioning app, or take it out)

    # Columns that are not mapped:
    #   "BSN"  (it looks private, so no value is shown)

    ---
    note: medewerkers-samengevoegd.csv, row 11, line 11: the header comes again here and was left out; the file seems to be made of several exports  [source.repeated-header]
    16 rows: 16 users in 1 bulk request to `out`, 0 rejected
    "#);
}

#[test]
fn without_a_file_there_is_a_config_to_start_from() {
    let place = Place::new();
    let said = ran(place.command().env("TZ", "Europe/Berlin").arg("init")).expect(0);
    assert!(said.out.contains("wrote `scimport.toml`"), "{said:#?}");
    let config = place.read("scimport.toml");
    assert!(config.contains("PLACEHOLDERS") && config.contains("\"Europe/Berlin\""), "{config}");
    ran(place.command().env(SECRET_VARIABLE, "x").arg("check")).expect(0);
}

#[test]
fn what_is_suggested_for_leavers_works_with_whole_files() {
    let place = Place::new();
    place.run(&["init"]).expect(0);
    let whole = place.read("scimport.toml").replace("# leavers = ", "leavers = ");
    let check = || ran(place.command().env(SECRET_VARIABLE, "x").arg("check"));
    place.write("scimport.toml", &whole);
    assert!(check().expect(2).err.contains("cannot deactivate anybody"));
    place.write("scimport.toml", whole.replace("export = \"changes\"", "export = \"full\""));
    check().expect(0);
}

#[test]
fn a_config_that_is_there_is_not_overwritten() {
    let place = Place::new();
    place.write("scimport.toml", "mine");
    let said = init(&place, &messy("sap-personalstamm.csv")).expect(2);
    assert!(said.err.contains("is there already"), "{said:#?}");
    assert_eq!(place.read("scimport.toml"), "mine");
    let arguments = ["init", "-o", "other.toml"];
    place.run(&arguments).expect(0);
    assert_eq!(place.names(), ["other.toml", "scimport.toml"]);
}

#[cfg(unix)]
#[test]
fn a_proposal_with_values_of_people_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let place = Place::new();
    init(&place, &messy("sap-personalstamm.csv")).expect(0);
    let mode = std::fs::metadata(place.path("scimport.toml")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn the_config_can_go_to_standard_output() {
    let place = Place::new();
    let said = place.run(&["init", "-o", "-"]).expect(0);
    assert!(said.out.contains("[source.hr.mapping]"), "{said:#?}");
    assert!(place.names().is_empty());
}

#[test]
fn a_file_that_is_none_of_ours_is_refused_and_nothing_is_written() {
    let place = Place::new();
    let file = place.write("hr.csv", b"%PDF-1.7\n");
    init(&place, &file).expect(1);
    init(&place, &place.path("nowhere.csv")).expect(1);
    assert_eq!(place.names(), ["hr.csv"]);
}

#[test]
fn private_values_are_nowhere_in_a_proposal() {
    let place = Place::new();
    let text = "Id,Name,Status,IBAN,Salary,Konto-Nr\n\
                1,Ann Lee,Active,DE02120300000000202051,81234,DE02120300000000202051\n\
                2,Ben Ray,Active,DE02500105170137075030,81235,DE02500105170137075030\n\
                3,Cy Fox,Inactive,DE88100900001234567892,81236,DE88100900001234567892\n";
    let file = place.write("hr.csv", text);
    let said = init(&place, &file).expect(0);
    for text in [&said.out, &said.err, &place.read("scimport.toml")] {
        assert!(!text.contains("DE02") && !text.contains("8123"), "{text}");
    }
}

/// Writes the workbook among the samples anew; its bytes are under version control, so that the
/// reader is tried on what is there.
#[test]
#[ignore = "writes samples/messy/staff.xlsx"]
fn write_the_workbook() {
    use rust_xlsxwriter::{ExcelDateTime, Format, Formula, Workbook};
    const PEOPLE: [(&str, &str); 14] = [
        ("Ilse", "Marchetti"),
        ("Bruno", "Achterberg"),
        ("Salma", "Idrissi"),
        ("Piotr", "Zieliński"),
        ("Greta", "Sandoval"),
        ("Hugo", "Lindgren"),
        ("Amina", "Diallo"),
        ("Luca", "Ferrante"),
        ("Nadia", "Petrov"),
        ("Owen", "Carrick"),
        ("Rania", "Haddad"),
        ("Stefan", "Ostrowski"),
        ("Tara", "Whitlock"),
        ("Viktor", "Kessler"),
    ];
    const UNITS: [&str; 4] = ["Board", "Finance", "Production", "Sales"];
    let mut book = Workbook::new();
    let cover = book.add_worksheet().set_name("Cover").unwrap();
    for (row, text) in ["Aldergate Group", "Staff list", "Status: final", "23 November 2026"]
        .into_iter()
        .enumerate()
    {
        cover.write(u32::try_from(row).unwrap() * 2, 1, text).unwrap();
    }
    let sheet = book.add_worksheet().set_name("Staff 2026").unwrap();
    let (number, day) =
        (Format::new().set_num_format("000000"), Format::new().set_num_format("dd/mm/yyyy"));
    sheet.write(0, 0, "Staff list, confidential").unwrap();
    let headers = [
        "Employee No.",
        "First name",
        "Surname",
        "Department",
        "Job title",
        "Work e-mail",
        "Phone",
        "Manager No.",
        "Start date",
        "End date",
        "Employee status",
        "Office",
        "Annual salary",
    ];
    for (column, header) in headers.into_iter().enumerate() {
        sheet.write(2, u16::try_from(column).unwrap(), header).unwrap();
    }
    let id = |index: usize| 4_100 + u32::try_from(index).unwrap() * 13;
    for (index, (given, family)) in PEOPLE.into_iter().enumerate() {
        let row = u32::try_from(index).unwrap() + 3;
        let year = 2012 + u16::try_from(index).unwrap();
        let month = u8::try_from(1 + index % 12).unwrap();
        sheet.write_with_format(row, 0, id(index), &number).unwrap();
        sheet.write(row, 1, given).unwrap();
        sheet.write(row, 2, family).unwrap();
        sheet.write(row, 4, if index == 0 { "Managing Director" } else { "Specialist" }).unwrap();
        let local = format!("{given}.{family}").to_lowercase().replace('ń', "n");
        sheet.write(row, 5, format!("{local}@contoso.example")).unwrap();
        sheet.write(row, 6, format!("+44 20 5550 {:04}", 120 + index)).unwrap();
        match index {
            0 => {}
            9 => {
                let look_up = Formula::new("=VLOOKUP(\"Nobody\",A1:B2,1,FALSE)").set_result("#N/A");
                sheet.write_formula(row, 7, look_up).unwrap();
            }
            _ => {
                let manager = if index < 4 { 0 } else { 1 + index % 3 };
                sheet.write_with_format(row, 7, id(manager), &number).unwrap();
            }
        }
        let started = ExcelDateTime::from_ymd(year, month, 15).unwrap();
        sheet.write_datetime_with_format(row, 8, &started, &day).unwrap();
        if index == 11 {
            let ended = ExcelDateTime::from_ymd(2026, 9, 30).unwrap();
            sheet.write_datetime_with_format(row, 9, &ended, &day).unwrap();
        }
        let status = match index {
            6 => "On leave",
            11 => "Left",
            _ => "Employed",
        };
        sheet.write(row, 10, status).unwrap();
        sheet.write(row, 11, ["Leeds", "Porto", "Ghent"][index % 3]).unwrap();
        sheet.write(row, 12, 41_000 + 900 * u32::try_from(index).unwrap()).unwrap();
    }
    let plain = Format::new();
    sheet.write(3, 3, UNITS[0]).unwrap();
    for (unit, (first, last)) in UNITS.into_iter().skip(1).zip([(4, 8), (9, 12), (13, 16)]) {
        sheet.merge_range(first, 3, last, 3, unit, &plain).unwrap();
    }
    sheet.set_row_hidden(10).unwrap();
    book.save(messy("staff.xlsx")).unwrap();
}
