//! What status words mean for an account, in seven languages.

use crate::mapping::propose::words::key_of;

/// What a word says about somebody's account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum StatusWord {
    /// They work here.
    Active,
    /// They work here and are away for a while; accounts usually stay on.
    Away,
    /// They left.
    Left,
    /// A yes, which says so only in a column that asks.
    Yes,
    /// A no.
    No,
}

const ACTIVE: &[&str] = &[
    "active",
    "a",
    "act",
    "employed",
    "current",
    "in service",
    "working",
    "full time",
    "part time",
    "probation",
    "aktiv",
    "beschäftigt",
    "angestellt",
    "tätig",
    "Probezeit",
    "eingestellt",
    "actif",
    "active",
    "présent",
    "en poste",
    "en activité",
    "titulaire",
    "période d'essai",
    "activo",
    "activa",
    "alta",
    "de alta",
    "vigente",
    "en activo",
    "actief",
    "in dienst",
    "werkzaam",
    "proeftijd",
    "ativo",
    "ativa",
    "em exercício",
    "attivo",
    "attiva",
    "in forza",
    "in servizio",
    "in prova",
];
const AWAY: &[&str] = &[
    "on leave",
    "leave",
    "loa",
    "leave of absence",
    "parental leave",
    "maternity leave",
    "sick leave",
    "sabbatical",
    "beurlaubt",
    "Elternzeit",
    "Mutterschutz",
    "freigestellt",
    "in Elternzeit",
    "langzeitkrank",
    "en congé",
    "congé",
    "congé parental",
    "congé maternité",
    "arrêt maladie",
    "excedencia",
    "licencia",
    "de permiso",
    "baja médica",
    "permiso",
    "verlof",
    "ouderschapsverlof",
    "met verlof",
    "ziek",
    "licença",
    "férias",
    "afastado",
    "de licença",
    "aspettativa",
    "in aspettativa",
    "maternità",
    "congedo",
    "in congedo",
];
const LEFT: &[&str] = &[
    "inactive",
    "i",
    "term",
    "terminated",
    "t",
    "left",
    "leaver",
    "resigned",
    "retired",
    "deceased",
    "dismissed",
    "ended",
    "former",
    "separated",
    "withdrawn",
    "inaktiv",
    "ausgetreten",
    "ausgeschieden",
    "gekündigt",
    "entlassen",
    "verrentet",
    "Rentner",
    "in Rente",
    "pensioniert",
    "verstorben",
    "Austritt",
    "inactif",
    "inactive",
    "sorti",
    "sortie",
    "parti",
    "partie",
    "démissionné",
    "démissionnaire",
    "licencié",
    "retraité",
    "fin de contrat",
    "inactivo",
    "inactiva",
    "baja",
    "de baja",
    "cesado",
    "despedido",
    "jubilado",
    "retirado",
    "baja definitiva",
    "inactief",
    "uit dienst",
    "vertrokken",
    "gepensioneerd",
    "ontslagen",
    "inativo",
    "inativa",
    "desligado",
    "demitido",
    "aposentado",
    "rescindido",
    "inattivo",
    "inattiva",
    "cessato",
    "cessata",
    "dimesso",
    "dimessa",
    "licenziato",
    "pensionato",
    "non attivo",
    "non in forza",
];
const YES: &[&str] = &[
    "yes",
    "y",
    "true",
    "1",
    "x",
    "ja",
    "j",
    "wahr",
    "oui",
    "o",
    "vrai",
    "sí",
    "si",
    "s",
    "verdadero",
    "waar",
    "sim",
    "verdadeiro",
    "sì",
    "vero",
    "enabled",
    "on",
];
const NO: &[&str] = &[
    "no", "n", "false", "0", "nein", "falsch", "non", "faux", "falso", "nee", "onwaar", "não",
    "nao", "disabled", "off",
];

/// What a word means; `None` for words that nobody here knows.
pub(super) fn status(word: &str) -> Option<StatusWord> {
    let key = key_of(word);
    if key.is_empty() {
        return None;
    }
    let lists = [
        (ACTIVE, StatusWord::Active),
        (AWAY, StatusWord::Away),
        (LEFT, StatusWord::Left),
        (YES, StatusWord::Yes),
        (NO, StatusWord::No),
    ];
    let has = |words: &[&str]| words.iter().any(|word| key_of(word) == key);
    lists.into_iter().find(|(words, _)| has(words)).map(|(_, meaning)| meaning)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_means_the_same_in_seven_languages() {
        for word in ["Active", "AKTIV", "actif", "Activo", "actief", "Ativo", "attivo", "In forza"]
        {
            assert_eq!(status(word), Some(StatusWord::Active), "{word}");
        }
        for word in ["Terminated", "Ausgetreten", "sorti", "Baja", "uit dienst", "Cessato"] {
            assert_eq!(status(word), Some(StatusWord::Left), "{word}");
        }
        assert_eq!(status("Elternzeit"), Some(StatusWord::Away));
        assert_eq!((status("Oui"), status("não")), (Some(StatusWord::Yes), Some(StatusWord::No)));
        assert_eq!((status("Berlin"), status("—")), (None, None));
    }
}
