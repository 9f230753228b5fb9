//! Columns whose values are nobody's business here: they are not mapped, and not shown.

use crate::mapping::propose::words::{key, words};

/// Whole words.
const WORDS: &[&str] = &[
    "dob", "bic", "swift", "bank", "konto", "rib", "ssn", "nss", "nir", "dni", "nie", "nif",
    "niss", "curp", "rfc", "bsn", "cpf", "pis", "rg", "sex", "sexe", "sexo", "sesso", "age",
    "alter", "edad", "eta", "idade", "leeftijd", "tax", "home", "private", "privat", "prive",
    "privada", "privado", "privato", "privata", "gender", "race", "photo", "foto", "wage", "lohn",
    "pay", "loon", "bonus", "sueldo", "kirche", "hijos", "figli", "filhos", "krank", "health",
    "steuer", "iban", "union", "password", "passwort",
];
/// Parts of words, none of which stands in a harmless one.
const PARTS: &[&str] = &[
    "birth",
    "geburt",
    "naissance",
    "nacimiento",
    "geboorte",
    "nascita",
    "nascimento",
    "salar",
    "gehalt",
    "compensation",
    "remuner",
    "retribuzion",
    "stipend",
    "ordenado",
    "vencimento",
    "socialsecurity",
    "sozialversicherung",
    "svnummer",
    "svnr",
    "rentenversicherung",
    "securitesociale",
    "seguridadsocial",
    "segurancasocial",
    "burgerservice",
    "codicefiscale",
    "steuernummer",
    "steuerid",
    "nationalid",
    "passport",
    "reisepass",
    "personalausweis",
    "passeport",
    "pasaporte",
    "paspoort",
    "passaport",
    "religion",
    "konfession",
    "geschlecht",
    "geslacht",
    "marital",
    "familienstand",
    "etatcivil",
    "estadocivil",
    "burgerlijke",
    "statocivil",
    "ethnic",
    "nationality",
    "nationalit",
    "staatsangehorig",
    "nacionali",
    "nazionalita",
    "citizenship",
    "disab",
    "behinder",
    "handicap",
    "discapac",
    "deficien",
    "medical",
    "emergency",
    "notfall",
    "urgence",
    "emergenc",
    "emergenza",
    "children",
    "kinder",
    "enfants",
    "gewerkschaft",
    "wohnort",
    "woonplaats",
    "bankverbindung",
    "bankkonto",
    "kontonummer",
];
/// How people are reached; `personal` before one of these means at home.
const REACHED_BY: &[&str] = &[
    "email",
    "mail",
    "phone",
    "mobile",
    "tel",
    "telephone",
    "address",
    "cell",
    "correo",
    "telefono",
    "indirizzo",
    "adresse",
    "telefone",
    "street",
    "city",
];
const PERSONAL: &[&str] =
    &["personal", "personnel", "personnelle", "particular", "pessoal", "personale"];

/// Whether a header names something that should not be looked at.
pub(super) fn is_sensitive(header: &str) -> bool {
    let words = words(header);
    let has = |list: &[&str]| words.iter().any(|word| list.contains(&word.as_str()));
    let key = key(&words);
    has(WORDS)
        || PARTS.iter().any(|part| key.contains(part))
        || (has(PERSONAL) && (has(REACHED_BY) || key.contains("mail")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_private_is_known_by_its_header() {
        let private = [
            "IBAN",
            "Salary",
            "SSN",
            "BirthDate",
            "Geburtsdatum",
            "Date de naissance",
            "Fecha nacimiento",
            "Codice fiscale",
            "Konfession",
            "Private E-Mail",
            "Personal email",
            "HomePhone",
            "Sozialversicherungsnummer",
            "Gehaltsgruppe",
            "Familienstand",
            "Gender",
            "Email personal",
        ];
        for header in private {
            assert!(is_sensitive(header), "{header}");
        }
        let ours = [
            "Personalnummer",
            "WorkEmail",
            "Department",
            "Benutzerkonto",
            "Personalbereich",
            "Manager",
            "Numéro de personnel",
            "Status",
            "Company",
            "Page",
        ];
        for header in ours {
            assert!(!is_sensitive(header), "{header}");
        }
    }
}
