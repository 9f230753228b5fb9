//! Which letters beyond ASCII the languages of people's names have, for each encoding that is
//! looked for.

use encoding_rs::Encoding;

/// An encoding that a file may turn out to have, without saying so.
pub(super) struct Candidate {
    pub(super) encoding: &'static Encoding,
    /// How much less likely it is than the likeliest before anything was read (see
    /// [`letters`](super::letters) for the unit).
    pub(super) prior: u32,
    pub(super) languages: &'static [Language],
}

/// The letters of a language beyond ASCII, in lower case.
pub(super) struct Language {
    /// Those that names are full of.
    pub(super) common: &'static str,
    /// Those that a name may have.
    pub(super) rare: &'static str,
    /// How much less likely it is than the others of its encoding.
    pub(super) prior: u32,
}

const fn language(common: &'static str, rare: &'static str) -> Language {
    Language { common, rare, prior: 0 }
}

/// A language of few people.
const fn small_language(common: &'static str, rare: &'static str) -> Language {
    Language { common, rare, prior: 20 }
}

/// Everything that is looked for, the likeliest first.
pub(super) const CANDIDATES: [Candidate; 11] = [
    Candidate { encoding: encoding_rs::WINDOWS_1252, prior: 0, languages: &WESTERN },
    Candidate { encoding: encoding_rs::WINDOWS_1250, prior: 15, languages: &CENTRAL },
    Candidate { encoding: encoding_rs::WINDOWS_1251, prior: 20, languages: &CYRILLIC },
    Candidate { encoding: encoding_rs::WINDOWS_1253, prior: 25, languages: &GREEK },
    Candidate { encoding: encoding_rs::WINDOWS_1254, prior: 25, languages: &TURKISH },
    Candidate { encoding: encoding_rs::WINDOWS_1257, prior: 35, languages: &BALTIC },
    Candidate { encoding: encoding_rs::WINDOWS_1255, prior: 35, languages: &HEBREW },
    Candidate { encoding: encoding_rs::WINDOWS_1256, prior: 35, languages: &ARABIC },
    Candidate { encoding: encoding_rs::ISO_8859_2, prior: 45, languages: &CENTRAL },
    Candidate { encoding: encoding_rs::ISO_8859_7, prior: 45, languages: &GREEK },
    Candidate { encoding: encoding_rs::ISO_8859_15, prior: 60, languages: &WESTERN },
];

const WESTERN: [Language; 10] = [
    // German
    language("äöüß", "é"),
    // French
    language("éèçêëïôâ", "àîûùœÿæü"),
    // Spanish
    language("áéíóúñªº", "üç"),
    // Portuguese
    language("ãçáéíóúêâôªº", "õà"),
    // Italian
    language("àèìòù", "é"),
    // Danish and Norwegian
    language("æøå", "éöü"),
    // Swedish and Finnish
    language("åäöé", "ü"),
    // Estonian
    small_language("äöõü", "šž"),
    // Icelandic and Faroese
    small_language("áéíóúýþðæöø", ""),
    // Dutch
    language("ëïéö", "üèä"),
];

const CENTRAL: [Language; 8] = [
    // Polish
    language("ąćęłńóśż", "ź"),
    // Czech
    language("áčéěířšžýů", "ďťňúó"),
    // Slovak
    language("áčéíšžýľúň", "äĺŕóťôď"),
    // Hungarian
    language("áéíóöőüúű", ""),
    // Croatian, Slovene and Serbian
    language("čćđšž", ""),
    // Romanian
    language("ăâîşţ", ""),
    // German
    language("äöüß", "é"),
    // French, as far as it can be written
    language("éçëôâ", "îü"),
];

const TURKISH: [Language; 4] = [
    // Turkish
    language("çğıöşüi", "âîû"),
    // German
    language("äöüß", "é"),
    // French
    language("éèçêëïôâ", "àîûùœÿæü"),
    // Spanish
    language("áéíóúñ", "üç"),
];

const BALTIC: [Language; 4] = [
    // Lithuanian
    language("ąčęėįšųūž", ""),
    // Latvian
    language("āčēģīķļņšūž", "ŗō"),
    // Estonian
    language("äöõü", "šž"),
    // German
    language("äöüß", "é"),
];

const CYRILLIC: [Language; 3] = [
    // Russian
    language("оеаинтсрвлкмдпуяыьгз", "бчйхжшюцщэфёъ"),
    // Ukrainian
    language("оеаинтсрвлкмдпуяьгзі", "бчйхжшюцщфїєґ"),
    // Bulgarian, Serbian and Macedonian
    language("оеаинтсрвлкмдпугз", "бчйхжшцщфъьюяјљњћђџќѓѕ"),
];

const GREEK: [Language; 1] = [language("αοιετσνηυρπκμλςωδγχθφάέήίόύώ", "βξζψϊϋ")];

const HEBREW: [Language; 1] = [language("אבגדהוזחטיכלמנסעפצקרשתםןךףץ", "")];

const ARABIC: [Language; 2] = [
    language("ابتثجحخدذرزسشصضطظعغفقكلمنهويىةءأإ", "آؤئپچژگ"),
    // French, which the encoding has beside Arabic
    language("éèçêëôâ", "àîûùœ"),
];
