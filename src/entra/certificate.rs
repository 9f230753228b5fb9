//! When certificates end, and who has issued them.
//!
//! Reads as little of X.509 (RFC 5280 section 4.1) as that takes. That a certificate is any good is for
//! those who use it.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use crate::entra::shown::shown;

const SEQUENCE: u8 = 0x30;
const VERSION: u8 = 0xa0;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
const LABEL: &str = "CERTIFICATE";
const SET: u8 = 0x31;
const OBJECT_ID: u8 = 0x06;
/// `UTF8String`, `PrintableString`, `TeletexString`, `IA5String`.
const TEXTS: [u8; 4] = [0x0c, 0x13, 0x14, 0x16];
/// 2.5.4.3 and 2.5.4.10, by which people know an authority.
const COMMON_NAME: [u8; 3] = [0x55, 0x04, 0x03];
const ORGANIZATION: [u8; 3] = [0x55, 0x04, 0x0a];
/// The longest name that is shown; an authority's has some dozen letters.
const MAX_NAME: usize = 100;

/// When the first of the certificates in a PEM text ends; `None` where there is none that can be read.
#[must_use]
pub fn certificate_ends(pem: &str) -> Option<Timestamp> {
    let blocks = pem::parse_many(pem).ok()?;
    let certificates = blocks.iter().filter(|block| block.tag() == LABEL);
    certificates.filter_map(|block| not_after(block.contents())).min()
}

/// `notAfter` of a certificate in DER.
fn not_after(certificate: &[u8]) -> Option<Timestamp> {
    let (_, _, after_issuer) = next(after_algorithm(certificate)?)?;
    let (validity, _) = value(after_issuer, SEQUENCE)?;
    let (_, _, after_begin) = next(validity)?;
    let (tag, end, _) = next(after_begin)?;
    instant(tag, std::str::from_utf8(end).ok()?)
}

/// The issuer's common name and organization.
pub(super) fn issuer_of(der: &[u8]) -> Option<String> {
    let (mut names, _) = value(after_algorithm(der)?, SEQUENCE)?;
    let (mut common, mut organization) = (None, None);
    while !names.is_empty() {
        let (set, after) = value(names, SET)?;
        names = after;
        let (pair, _) = value(set, SEQUENCE)?;
        let (kind, name) = value(pair, OBJECT_ID)?;
        // one of another tag may be of a length that is not read here
        if !TEXTS.contains(name.first()?) {
            continue;
        }
        let text = shown(&String::from_utf8_lossy(next(name)?.1), MAX_NAME);
        if kind == COMMON_NAME {
            common = Some(text);
        } else if kind == ORGANIZATION {
            organization = Some(text);
        }
    }
    let known: Vec<_> = [common, organization].into_iter().flatten().collect();
    (!known.is_empty()).then(|| known.join(", "))
}

/// The fields of a certificate that follow its serial number and the algorithm of its signature: issuer,
/// validity and others.
fn after_algorithm(certificate: &[u8]) -> Option<&[u8]> {
    let (outer, _) = value(certificate, SEQUENCE)?;
    let (mut fields, _) = value(outer, SEQUENCE)?;
    if fields.first() == Some(&VERSION) {
        fields = next(fields)?.2;
    }
    for _ in 0..2 {
        fields = next(fields)?.2;
    }
    Some(fields)
}

/// The value with this tag at the beginning, and what follows it.
fn value(bytes: &[u8], wanted: u8) -> Option<(&[u8], &[u8])> {
    let (tag, value, rest) = next(bytes)?;
    (tag == wanted).then_some((value, rest))
}

/// The first value: its tag, its content, and what follows.
fn next(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (tag, bytes) = bytes.split_first()?;
    let (first, bytes) = bytes.split_first()?;
    let (length, bytes) = match first {
        0..=0x7f => (usize::from(*first), bytes),
        // the length itself has so many bytes; a certificate has no more than four
        0x81..=0x84 => {
            let (digits, bytes) = bytes.split_at_checked(usize::from(first & 0x7f))?;
            let length = digits.iter().fold(0, |length, digit| (length << 8) | usize::from(*digit));
            (length, bytes)
        }
        _ => return None,
    };
    let (value, rest) = bytes.split_at_checked(length)?;
    Some((*tag, value, rest))
}

/// `YYMMDDHHMMSSZ` until 2049, `YYYYMMDDHHMMSSZ` after that (RFC 5280 section 4.1.2.5).
fn instant(tag: u8, text: &str) -> Option<Timestamp> {
    let text = match tag {
        UTC_TIME => {
            let century = if text.get(..2)?.parse::<u8>().ok()? < 50 { "20" } else { "19" };
            format!("{century}{text}")
        }
        GENERALIZED_TIME => text.to_owned(),
        _ => return None,
    };
    let civil = DateTime::strptime("%Y%m%d%H%M%SZ", text).ok()?;
    Some(civil.to_zoned(TimeZone::UTC).ok()?.timestamp())
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair, date_time_ymd};

    use super::*;

    fn certificate(year: i32) -> String {
        let mut params = CertificateParams::new(vec!["scimport.example".to_owned()]).unwrap();
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(year, 3, 14);
        params.self_signed(&KeyPair::generate().unwrap()).unwrap().pem()
    }

    #[test]
    fn the_first_certificate_of_a_chain_that_ends_counts() {
        let key = KeyPair::generate().unwrap().serialize_pem();
        let end = |year: i32| format!("{year}-03-14T00:00:00Z").parse().ok();
        assert_eq!(certificate_ends(&certificate(2027)), end(2027));
        assert_eq!(certificate_ends(&certificate(2061)), end(2061), "another kind of date");
        let chain = format!("{}{key}{}", certificate(2040), certificate(2027));
        assert_eq!(certificate_ends(&chain), end(2027));
    }

    #[test]
    fn what_is_no_certificate_has_no_end() {
        let key = KeyPair::generate().unwrap().serialize_pem();
        let whole = pem::parse(certificate(2027)).unwrap().into_contents();
        assert_eq!(certificate_ends(""), None);
        assert_eq!(certificate_ends(&key), None);
        for length in 0..whole.len() {
            let cut = pem::encode(&pem::Pem::new(LABEL, whole.get(..length).unwrap()));
            assert_eq!(certificate_ends(&cut), None, "{length}");
        }
    }

    fn named(names: &[(DnType, &str)]) -> Vec<u8> {
        let mut params = CertificateParams::new(vec!["a.example".to_owned()]).unwrap();
        params.distinguished_name = DistinguishedName::new();
        for (kind, text) in names {
            params.distinguished_name.push(kind.clone(), *text);
        }
        params.self_signed(&KeyPair::generate().unwrap()).unwrap().der().to_vec()
    }

    #[test]
    fn an_authority_is_known_by_common_name_and_organization() {
        let both = named(&[
            (DnType::CountryName, "DE"),
            (DnType::OrganizationName, "Contoso"),
            (DnType::CommonName, "Inspection \u{1b}[31mroot"),
        ]);
        assert_eq!(issuer_of(&both).as_deref(), Some("Inspection \u{fffd}[31mroot, Contoso"));
        let one = named(&[(DnType::OrganizationName, "Contoso")]);
        assert_eq!(issuer_of(&one).as_deref(), Some("Contoso"));
        assert_eq!(issuer_of(&named(&[])), None);
    }

    #[test]
    fn half_a_certificate_and_any_other_bytes_are_survived() {
        let whole = named(&[(DnType::CommonName, "Root")]);
        for end in 0..whole.len() {
            let cut = &whole[..end];
            assert!(issuer_of(cut).is_none(), "{end}");
        }
        for bytes in [&b""[..], b"0", b"0\x80", b"0\x85\xff\xff\xff\xff\xff", b"<html>"] {
            assert_eq!(issuer_of(bytes), None);
        }
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_read_without_harm(bytes in proptest::collection::vec(0_u8.., 0..200)) {
            let _ = certificate_ends(&pem::encode(&pem::Pem::new(LABEL, bytes)));
        }
    }
}
