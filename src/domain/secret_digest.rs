//! The digest of a secret.

use aws_lc_rs::digest::{Context, SHA256};

/// SHA-256 of parts of which one is a secret, one after the other. Unlike a hash that lives on the stack
/// and is moved there, the library's leaves nothing of what it was given in memory.
#[must_use]
pub fn secret_digest(parts: &[&[u8]]) -> [u8; 32] {
    let mut context = Context::new(&SHA256);
    for part in parts {
        context.update(part);
    }
    let mut bytes = [0; 32];
    // a digest of this algorithm has as many
    bytes.copy_from_slice(context.finish().as_ref());
    bytes
}

#[cfg(test)]
mod tests {
    use sha2::{Digest as _, Sha256};

    use super::secret_digest;

    #[test]
    fn it_is_the_digest_of_all_parts_in_their_order() {
        let whole: [u8; 32] = Sha256::digest(b"salt and secret").into();
        assert_eq!(secret_digest(&[b"salt ", b"", b"and secret"]), whole);
        assert_ne!(secret_digest(&[b"and secret", b"salt "]), whole);
        assert_eq!(secret_digest(&[]), <[u8; 32]>::from(Sha256::digest(b"")));
    }
}
