//! What makes two resources equal: their bytes, held against each other by a digest.

use sha2::{Digest as _, Sha256};

/// SHA-256 of the resource's bytes, cut to 128 bits. Equal resources have equal bytes, because
/// members always stand in the same order.
#[must_use]
pub fn digest(resource: &[u8]) -> [u8; 16] {
    let whole: [u8; 32] = Sha256::digest(resource).into();
    let mut cut = [0; 16];
    cut.iter_mut().zip(whole).for_each(|(to, from)| *to = from);
    cut
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_first_half_of_sha_256() {
        // FIPS 180-2, appendix B.1: SHA-256 of "abc".
        assert_eq!(
            digest(b"abc"),
            *b"\xba\x78\x16\xbf\x8f\x01\xcf\xea\x41\x41\x40\xde\x5d\xae\x22\x23"
        );
        assert_ne!(digest(b"abc"), digest(b"abd"));
    }
}
