//! PFX files (PKCS#12, RFC 7292), as Windows and Azure Key Vault export a certificate with its key.

use p12_keystore::Pkcs12Archive;
use p12_keystore::error::Error;
use pem::Pem;
use secrecy::SecretString;
use zeroize::Zeroizing;

use crate::entra::CertificateProblem;

/// The tag of a DER SEQUENCE, which a PFX is; no PEM text begins with it.
const SEQUENCE: u8 = 0x30;
/// Certificates looked at in a file; a chain has three or four.
const MOST_CERTIFICATES: usize = 32;

/// Whether bytes are a PFX file rather than PEM text.
#[must_use]
pub fn is_pfx(bytes: &[u8]) -> bool {
    // no UTF-8 text has a length of more than 127 bytes as DER writes it
    matches!(bytes, [SEQUENCE, 0x80..=0x84, ..])
}

/// The certificates and the key of a PFX file as PEM text, which is what everything else reads.
///
/// Both the encryption of today (PBES2 with AES) and that of older Windows (SHA-1 and triple DES, or
/// RC2) are read. A file without a password has an empty one.
///
/// # Errors
///
/// When it is no PFX, the password does not open it, it asks for too many rounds, or it holds no key.
pub fn pem_of_pfx(bytes: &[u8], password: &str) -> Result<SecretString, CertificateProblem> {
    let archive = Pkcs12Archive::from_pkcs12(bytes, password).map_err(|error| problem(&error))?;
    if archive.keys.is_empty() {
        return Err(CertificateProblem::NoKeyInPfx);
    }
    let mut text = Zeroizing::new(String::new());
    for key in &archive.keys {
        let der = key.key.as_der();
        text.push_str(&Zeroizing::new(pem::encode(&Pem::new("PRIVATE KEY", der))));
    }
    for bag in archive.certs.iter().take(MOST_CERTIFICATES) {
        text.push_str(&pem::encode(&Pem::new("CERTIFICATE", bag.cert.as_der())));
    }
    Ok(SecretString::from(text.as_str()))
}

fn problem(error: &Error) -> CertificateProblem {
    match error {
        // the MAC does not fit, or what was decrypted is no padding
        Error::MacError(_) | Error::UnpadError | Error::Pkcs5Error(_) => {
            CertificateProblem::PfxPassword
        }
        Error::UnsupportedEncryptionScheme | Error::UnsupportedMacAlgorithm => {
            CertificateProblem::PfxEncryption
        }
        // its ceilings of a million rounds for the key and for the MAC, or rounds that are not said
        Error::InvalidParameters => CertificateProblem::PfxRounds,
        _ => CertificateProblem::NotPfx,
    }
}

#[cfg(test)]
mod tests {
    use p12_keystore::{
        Certificate, EncryptionAlgorithm, KeyStore, KeyStoreEntry, MacAlgorithm, PrivateKey,
        PrivateKeyChain,
    };
    use rcgen::{CertificateParams, KeyPair, PKCS_RSA_SHA256};
    use secrecy::ExposeSecret as _;

    use super::*;
    use crate::entra::AssertionSignature;
    use crate::entra::assertion::Signer;

    const PASSWORD: &str = "hunter2 \u{e4}";

    fn pfx(encryption: EncryptionAlgorithm, mac: MacAlgorithm) -> (Vec<u8>, String) {
        pfx_with(encryption, mac, 10)
    }

    fn pfx_with(
        encryption: EncryptionAlgorithm,
        mac: MacAlgorithm,
        rounds: u32,
    ) -> (Vec<u8>, String) {
        let key = KeyPair::generate_for(&PKCS_RSA_SHA256).unwrap();
        let params = CertificateParams::new(vec!["scimport.example".to_owned()]).unwrap();
        let certificate = params.self_signed(&key).unwrap();
        let chain = PrivateKeyChain::new(
            "1",
            PrivateKey::from_der(&key.serialize_der()).unwrap(),
            [Certificate::from_der(certificate.der()).unwrap()],
        );
        let mut store = KeyStore::new();
        store.add_entry("scimport", KeyStoreEntry::PrivateKeyChain(chain));
        let writer = store.writer(PASSWORD).encryption_algorithm(encryption);
        let bytes =
            writer.encryption_iterations(10).mac_algorithm(mac).mac_iterations(rounds).write();
        (bytes.unwrap(), certificate.pem())
    }

    #[test]
    fn a_file_of_today_and_one_of_older_windows_give_certificate_and_key() {
        for (encryption, mac) in [
            (EncryptionAlgorithm::PbeWithHmacSha256AndAes256, MacAlgorithm::HmacSha256),
            (EncryptionAlgorithm::PbeWithShaAnd3KeyTripleDesCbc, MacAlgorithm::HmacSha1),
        ] {
            let (bytes, certificate) = pfx(encryption, mac);
            assert!(is_pfx(&bytes));
            let pem = pem_of_pfx(&bytes, PASSWORD).unwrap();
            Signer::from_pem(pem.expose_secret(), AssertionSignature::Ps256).unwrap();
            let der = |pem: &str| {
                let blocks = pem::parse_many(pem).unwrap();
                let found = blocks.into_iter().find(|block| block.tag() == "CERTIFICATE");
                found.unwrap().into_contents()
            };
            assert_eq!(der(pem.expose_secret()), der(&certificate));
            let wrong = pem_of_pfx(&bytes, "hunter3").unwrap_err();
            assert_eq!(wrong, CertificateProblem::PfxPassword);
            assert!(pem_of_pfx(&bytes, "").is_err());
        }
    }

    #[test]
    fn a_file_that_asks_for_too_many_rounds_says_so() {
        let (mut bytes, _) = pfx_with(
            EncryptionAlgorithm::PbeWithHmacSha256AndAes256,
            MacAlgorithm::HmacSha256,
            70_000,
        );
        // the rounds of the MAC stand at the very end, in three bytes
        let at = bytes.len() - 5;
        assert_eq!(bytes[at..], [0x02, 0x03, 0x01, 0x11, 0x70]);
        bytes[at..].copy_from_slice(&[0x02, 0x03, 0x3f, 0xff, 0xff]);
        let problem = pem_of_pfx(&bytes, PASSWORD).unwrap_err();
        assert_eq!(problem, CertificateProblem::PfxRounds);
        assert!(problem.advice().contains("-iter"));
    }

    #[test]
    fn what_is_no_pfx_is_refused_without_a_panic() {
        let (bytes, certificate) =
            pfx(EncryptionAlgorithm::PbeWithHmacSha256AndAes256, MacAlgorithm::HmacSha256);
        assert!(!is_pfx(certificate.as_bytes()) && !is_pfx(b"") && !is_pfx(b"0"));
        assert_eq!(pem_of_pfx(b"hunter2", PASSWORD).unwrap_err(), CertificateProblem::NotPfx);
        for end in (0..bytes.len()).step_by(7) {
            assert!(pem_of_pfx(&bytes[..end], PASSWORD).is_err(), "cut at {end}");
        }
        for place in (0..bytes.len()).step_by(31) {
            let mut flipped = bytes.clone();
            flipped[place] ^= 0x10;
            // its MAC covers what matters; that none of it is a panic is the point
            drop(pem_of_pfx(&flipped, PASSWORD));
        }
    }
}
