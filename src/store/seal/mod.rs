//! Encryption of what lies in a store: keys, and the sealing of one value.
//!
//! A sealed value is a version byte, the id of its key, a random nonce, and `XChaCha20-Poly1305`'s
//! ciphertext with its tag. Everything before the ciphertext is authenticated with it, and so is the
//! [`Place`] where the value lies: bytes that were put somewhere else do not open. Random nonces of
//! 24 bytes do not meet, however many values one key seals.
//!
//! What is sealed for whom: people's resources, the cells of rejected rows, and bodies of webhook
//! deliveries. External ids, digests, statuses, codes, counts, dates and Entra's reasons lie as they
//! are: statements look for them.

mod key;
mod problem;
mod sealed;

pub use key::{SealKey, SealKeyError, SealKeyId, SealKeys};
pub use problem::SealProblem;
pub(in crate::store) use sealed::{Place, SealTrouble, key_id_of, open, prefix, seal};
