//! The one certificate registered for client assertions: its thumbprints and its RSA public key.
//!
//! Reads just as much of X.509 (RFC 5280 section 4.1) as leads to the key. Whether the certificate
//! is in force is not judged: the service compares thumbprints.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::DecodingKey;
use sha2::{Digest, Sha256};

/// A registered certificate.
#[derive(Debug)]
pub(super) struct Certificate {
    /// `x5t#S256`: base64url of the SHA-256 of the DER.
    pub(super) sha256: String,
    /// `x5t`: base64url of the SHA-1 of the DER.
    pub(super) sha1: String,
    /// The `RSAPublicKey` of RFC 8017, DER.
    key: Vec<u8>,
}

const SEQUENCE: u8 = 0x30;
const BIT_STRING: u8 = 0x03;
/// `[0]`, the version of a certificate.
const VERSION: u8 = 0xa0;

impl Certificate {
    /// Reads PEM (the first certificate in it) or DER; `None` for anything else, and for a key
    /// that is not RSA.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let der = if bytes.first() == Some(&SEQUENCE) {
            bytes.to_vec()
        } else {
            let blocks = pem::parse_many(bytes).ok()?;
            blocks.into_iter().find(|block| block.tag() == "CERTIFICATE")?.into_contents()
        };
        let key = rsa_key(&der)?.to_vec();
        Some(Self {
            sha256: URL_SAFE_NO_PAD.encode(Sha256::digest(&der)),
            sha1: URL_SAFE_NO_PAD.encode(sha1(&der)),
            key,
        })
    }

    pub(super) fn decoding_key(&self) -> DecodingKey {
        DecodingKey::from_rsa_der(&self.key)
    }
}

/// Certificate → tbsCertificate → subjectPublicKeyInfo → subjectPublicKey.
fn rsa_key(der: &[u8]) -> Option<&[u8]> {
    let (certificate, _) = element(der, SEQUENCE)?;
    let (mut rest, _) = element(certificate, SEQUENCE)?;
    if rest.first() == Some(&VERSION) {
        rest = element(rest, VERSION)?.1;
    }
    // Serial number, signature algorithm, issuer, validity, subject.
    for _ in 0..5 {
        let tag = *rest.first()?;
        rest = element(rest, tag)?.1;
    }
    let (info, _) = element(rest, SEQUENCE)?;
    let (_, after_algorithm) = element(info, SEQUENCE)?;
    let (bits, _) = element(after_algorithm, BIT_STRING)?;
    let key = bits.strip_prefix(&[0])?;
    // An elliptic curve's point is no sequence.
    element(key, SEQUENCE).map(|_| key)
}

/// The content of the element with this tag at the start, and what follows it.
fn element(der: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (&found, rest) = der.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = if first < 0x80 {
        (usize::from(first), rest)
    } else {
        let (digits, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
        if digits.len() > 4 {
            return None;
        }
        (digits.iter().fold(0, |length, digit| (length << 8) | usize::from(*digit)), rest)
    };
    (found == tag).then_some(())?;
    rest.split_at_checked(length)
}

/// SHA-1 (FIPS 180-4 section 6.1), for the older `x5t` thumbprint alone.
#[expect(clippy::many_single_char_names, reason = "the standard's own names")]
fn sha1(message: &[u8]) -> [u8; 20] {
    let mut padded = message.to_vec();
    padded.push(0x80);
    while padded.len() % 64 != 56 {
        padded.push(0);
    }
    padded.extend((message.len() as u64 * 8).to_be_bytes());

    let mut state: [u32; 5] = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476, 0xc3d2_e1f0];
    for block in padded.chunks_exact(64) {
        let mut words: Vec<u32> = block
            .chunks_exact(4)
            .map(|word| word.iter().fold(0, |sum, byte| (sum << 8) | u32::from(*byte)))
            .collect();
        let [mut a, mut b, mut c, mut d, mut e] = state;
        for round in 0..80 {
            if round >= 16 {
                let word = [3, 8, 14, 16]
                    .iter()
                    .filter_map(|back| words.get(round - back))
                    .fold(0, |mixed, word| mixed ^ word);
                words.push(word.rotate_left(1));
            }
            let (mixed, constant) = match round {
                0..20 => ((b & c) | (!b & d), 0x5a82_7999),
                20..40 => (b ^ c ^ d, 0x6ed9_eba1),
                40..60 => ((b & c) | (b & d) | (c & d), 0x8f1b_bcdc_u32),
                _ => (b ^ c ^ d, 0xca62_c1d6),
            };
            let next = a
                .rotate_left(5)
                .wrapping_add(mixed)
                .wrapping_add(e)
                .wrapping_add(constant)
                .wrapping_add(words.get(round).copied().unwrap_or_default());
            (e, d, c, b, a) = (d, c, b.rotate_left(30), a, next);
        }
        for (sum, part) in state.iter_mut().zip([a, b, c, d, e]) {
            *sum = sum.wrapping_add(part);
        }
    }
    let mut digest = [0; 20];
    for (bytes, word) in digest.chunks_exact_mut(4).zip(state) {
        bytes.copy_from_slice(&word.to_be_bytes());
    }
    digest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sha1_gives_the_digests_of_the_standard() {
        let digest = [
            0xa9, 0x99, 0x3e, 0x36, 0x47, 0x06, 0x81, 0x6a, 0xba, 0x3e, 0x25, 0x71, 0x78, 0x50,
            0xc2, 0x6c, 0x9c, 0xd0, 0xd8, 0x9d,
        ];
        assert_eq!(sha1(b"abc"), digest);
        let digest = [
            0x84, 0x98, 0x3e, 0x44, 0x1c, 0x3b, 0xd2, 0x6e, 0xba, 0xae, 0x4a, 0xa1, 0xf9, 0x51,
            0x29, 0xe5, 0xe5, 0x46, 0x70, 0xf1,
        ];
        assert_eq!(sha1(b"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"), digest);
    }

    #[test]
    fn an_rsa_certificate_is_read_from_pem_and_der_alike() {
        let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_RSA_SHA256).unwrap();
        let made = rcgen::CertificateParams::new([]).unwrap().self_signed(&key).unwrap();
        let pem = Certificate::read(made.pem().as_bytes()).unwrap();
        let der = Certificate::read(made.der()).unwrap();
        assert_eq!(pem.sha256, der.sha256);
        assert_eq!(pem.key, der.key);
        assert_eq!(pem.sha1.len(), 27);
    }

    #[test]
    fn what_is_no_rsa_certificate_is_refused() {
        let key = rcgen::KeyPair::generate().unwrap();
        let made = rcgen::CertificateParams::new([]).unwrap().self_signed(&key).unwrap();
        assert!(Certificate::read(made.der()).is_none(), "an elliptic curve key");
        assert!(Certificate::read(b"").is_none());
        assert!(Certificate::read(b"-----BEGIN").is_none());
        assert!(Certificate::read(made.der().split_at(40).0).is_none(), "cut");
    }
}
