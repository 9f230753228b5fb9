//! When certificates end.
//!
//! Reads as little of X.509 (RFC 5280 section 4.1) as that takes: the validity of each certificate. That
//! a certificate is any good is for those who use it.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

const SEQUENCE: u8 = 0x30;
const VERSION: u8 = 0xa0;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
const LABEL: &str = "CERTIFICATE";

/// When the first of the certificates in a PEM text ends; `None` where there is none that can be read.
#[must_use]
pub fn certificate_ends(pem: &str) -> Option<Timestamp> {
    let blocks = pem::parse_many(pem).ok()?;
    let certificates = blocks.iter().filter(|block| block.tag() == LABEL);
    certificates.filter_map(|block| not_after(block.contents())).min()
}

/// `notAfter` of a certificate in DER.
fn not_after(certificate: &[u8]) -> Option<Timestamp> {
    let (outer, _) = value(certificate, SEQUENCE)?;
    let (mut fields, _) = value(outer, SEQUENCE)?;
    if fields.first() == Some(&VERSION) {
        fields = next(fields)?.2;
    }
    // serial number, signature algorithm, issuer
    for _ in 0..3 {
        fields = next(fields)?.2;
    }
    let (validity, _) = value(fields, SEQUENCE)?;
    let (_, _, after_begin) = next(validity)?;
    let (tag, end, _) = next(after_begin)?;
    instant(tag, std::str::from_utf8(end).ok()?)
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
    use rcgen::{CertificateParams, KeyPair, date_time_ymd};

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

    proptest::proptest! {
        #[test]
        fn any_bytes_are_read_without_harm(bytes in proptest::collection::vec(0_u8.., 0..200)) {
            let _ = certificate_ends(&pem::encode(&pem::Pem::new(LABEL, bytes)));
        }
    }
}
