//! Resources as they lie in the database: compressed, so that the ledger keeps one for each worker.
//!
//! A version byte, then an LZ4 block (with its length before it) against a fixed dictionary: a SCIM
//! user is short and mostly attribute names, which a block of its own cannot learn. A dictionary that
//! has landed is never edited; a better one is a new version.

use crate::store::sqlite::connection::Failure;

/// LZ4 against `DICTIONARY`.
pub(super) const LZ4: u8 = 1;

/// The largest resource stored, and the most that unpacking may make, in bytes. A SCIM user is
/// some hundreds.
const CEILING: usize = 1 << 20;

/// Bytes of the length before the block.
const LENGTH: usize = 4;

/// A SCIM user with the attributes of RFC 7643 sections 4.1 and 4.3, in its order. What is most
/// frequent stands last, nearest to the text to be packed.
const DICTIONARY: &str = concat!(
    r#""x509Certificates":[{"value":""}],"roles":[{"value":"","primary":true}],"entitlements":[{"value":""}],"#,
    r#""photos":[{"value":"https://","type":"photo"}],"ims":[{"value":"","type":""}],"meta":{"resourceType":"User"},"#,
    r#""profileUrl":"https://","nickName":"","honorificPrefix":"Dr.","honorificSuffix":"","middleName":"","#,
    r#""locale":"de-DE","timezone":"Europe/Berlin","type":"home","type":"other","type":"fax","primary":false},"#,
    r#""urn:ietf:params:scim:schemas:extension:","urn:ietf:params:scim:schemas:extension:csv:1.0:User":{"#,
    r#""HireDate":"2020-01-01T00:00:00+00:00","TerminationDate":"T00:00:00Z","JobCode":"","CountryCode":"US","#,
    r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User","#,
    r#""urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"],"externalId":"","userName":"@contoso.com","#,
    r#""name":{"formatted":"","familyName":"","givenName":""},"displayName":"","title":"","userType":"Employee","#,
    r#""preferredLanguage":"en-US","active":false,"active":true,"emails":[{"value":"@","type":"work","primary":true}],"#,
    r#""phoneNumbers":[{"value":"+1","type":"work"},{"value":"+49","type":"mobile"}],"#,
    r#""addresses":[{"formatted":"","streetAddress":"","locality":"","region":"","postalCode":"","country":"","type":"work"}],"#,
    r#""urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"employeeNumber":"","costCenter":"","#,
    r#""organization":"","division":"","department":"","manager":{"value":""}}}"#,
);

/// Packs a resource.
pub(super) fn pack(resource: &[u8]) -> Result<Vec<u8>, Failure> {
    if resource.len() > CEILING {
        return Err(Failure::other("a resource or a rejected row is larger than 1 MiB"));
    }
    let block = lz4_flex::block::compress_prepend_size_with_dict(resource, DICTIONARY.as_bytes());
    let mut packed = Vec::with_capacity(block.len() + 1);
    packed.push(LZ4);
    packed.extend_from_slice(&block);
    Ok(packed)
}

/// Whether bytes say of themselves that they are packed, and not sealed.
pub(super) fn is_packed(stored: &[u8]) -> bool {
    stored.first() == Some(&LZ4)
}

/// Unpacks a resource; `None` for bytes that no version of `pack` made.
pub(super) fn unpack(packed: &[u8]) -> Option<Vec<u8>> {
    let (&LZ4, rest) = packed.split_first()? else { return None };
    let (length, block) = rest.split_first_chunk::<LENGTH>()?;
    let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
    if length > CEILING {
        return None;
    }
    let resource =
        lz4_flex::block::decompress_with_dict(block, length, DICTIONARY.as_bytes()).ok()?;
    (resource.len() == length).then_some(resource)
}

#[cfg(test)]
mod tests {
    use sha2::{Digest, Sha256};

    use super::*;

    const USER: &str = r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"],"externalId":"E1001","userName":"ada@contoso.example","name":{"familyName":"Lovelace","givenName":"Ada"},"displayName":"Ada Lovelace","active":true,"emails":[{"value":"ada@contoso.example","type":"work"}],"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"department":"Engines","manager":{"value":"E1000"}}}"#;

    #[test]
    fn a_resource_reads_back_as_it_was_and_is_a_third_of_its_size() {
        let packed = pack(USER.as_bytes()).unwrap();
        assert_eq!(unpack(&packed).unwrap(), USER.as_bytes());
        assert!(packed.len() * 3 < USER.len(), "{} of {}", packed.len(), USER.len());
    }

    #[test]
    fn every_length_reads_back() {
        for length in (0..200).chain([4_096, CEILING]) {
            let bytes: Vec<u8> = USER.bytes().cycle().take(length).collect();
            assert_eq!(unpack(&pack(&bytes).unwrap()).unwrap(), bytes);
        }
    }

    #[test]
    fn a_resource_above_the_ceiling_is_neither_packed_nor_unpacked() {
        assert!(pack(&vec![b'x'; CEILING + 1]).is_err());
        let mut bomb = vec![LZ4];
        bomb.extend_from_slice(&u32::MAX.to_le_bytes());
        bomb.extend_from_slice(&[0xff; 64]);
        assert_eq!(unpack(&bomb), None);
    }

    #[test]
    fn damaged_bytes_are_no_resource() {
        let packed = pack(USER.as_bytes()).unwrap();
        assert_eq!(unpack(&[]), None);
        assert_eq!(unpack(packed.get(..packed.len() - 3).unwrap()), None);
        let mut other_version = packed;
        other_version[0] = 9;
        assert_eq!(unpack(&other_version), None);
    }

    /// Stores out there were packed with it: if this fails, add a version instead.
    #[test]
    fn the_dictionary_of_version_1_is_never_edited() {
        let digest = Sha256::digest(DICTIONARY.as_bytes());
        let start = digest.iter().take(4).fold(0_u32, |sum, byte| sum << 8 | u32::from(*byte));
        assert_eq!(start, 0xe86d_ddeb);
    }
}
