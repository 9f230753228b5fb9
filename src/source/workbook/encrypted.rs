//! Encrypted OOXML workbooks ([MS-OFFCRYPTO]), decrypted in memory.
//!
//! The library that knows the ciphers trusts the compound file around them. So the two streams are
//! read here, checked, and handed over in a compound file of our own making.

use std::io::{Read, Seek, SeekFrom};
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::compound::{Compound, build};
use super::fault::Fault;
use super::limits::WorkbookLimits;
use super::text::decoded;
use super::xml::{Token, Xml};

const INFO: &str = "EncryptionInfo";
const PACKAGE: &str = "EncryptedPackage";
/// Most bytes of the stream that says how the workbook is encrypted.
const INFO_BYTES: u64 = 64 * 1024;
/// The stream's version where the way of encryption is told in XML.
const AGILE: [u8; 4] = [4, 0, 4, 0];
/// Bytes of the package that give its length.
const LENGTH: usize = 8;
/// Bytes of a block of the cipher.
const BLOCK: usize = 16;
/// What every ZIP archive begins with.
const ARCHIVE: &[u8] = b"PK";

/// The workbook inside.
pub(super) fn decrypt<R: Read + Seek>(
    mut input: R,
    limits: &WorkbookLimits,
    password: Option<&str>,
) -> Result<Vec<u8>, Fault> {
    let Some(password) = password else {
        return Err(Fault::refused(
            "source.encrypted",
            "the workbook is encrypted, and no password is configured",
            "set `xlsx = { password = { env = \"…\" } }` of the source, or export without a password",
        ));
    };
    let bytes = input.seek(SeekFrom::End(0))?;
    let most = limits.whole_file_bytes;
    if bytes > most {
        return Err(Fault::ceiling(format!("more than {most} bytes while being encrypted")));
    }
    let mut compound = Compound::open(input)?;
    let mut info = compound.read(INFO, INFO_BYTES)?;
    let is_agile = info.starts_with(&AGILE);
    if is_agile {
        check_rounds(info.get(LENGTH..).unwrap_or_default(), limits)?;
        // blanks behind XML change nothing, and keep the stream out of the small sectors
        info.resize(info.len().max(4_096), b' ');
    }
    let mut package = compound.read(PACKAGE, most)?;
    drop(compound);
    let length = package.first_chunk().map(|bytes| u64::from_le_bytes(*bytes));
    let length = length.and_then(|length| usize::try_from(length).ok()).ok_or_else(cut)?;
    let needed = length.checked_next_multiple_of(BLOCK).and_then(|whole| whole.checked_add(LENGTH));
    let needed = needed.ok_or_else(cut)?;
    if length == 0 || package.len() < needed {
        return Err(cut());
    }
    package.truncate(needed);
    let clean = build(&[(INFO, &info), (PACKAGE, &package)]).ok_or_else(cut)?;
    drop(package);
    let plain =
        catch_unwind(AssertUnwindSafe(|| office_crypto::decrypt_from_bytes(clean, password)));
    match plain {
        Ok(Ok(plain)) if plain.starts_with(ARCHIVE) => Ok(plain),
        Ok(Ok(_)) => Err(Fault::refused(
            "source.encrypted",
            "the workbook is encrypted with another password than the configured one",
            "correct what `password` of the source's `xlsx` refers to",
        )),
        Ok(Err(office_crypto::DecryptError::Unimplemented(_))) => Err(Fault::refused(
            "source.encrypted",
            "the workbook is encrypted in a way that is not supported",
            "save it with the encryption of Office 2010 or later (AES-256, SHA-512)",
        )),
        Ok(Err(_)) | Err(_) => Err(Fault::broken("what says how it is encrypted cannot be read")),
    }
}

/// Refuses a password that would have to be hashed for hours.
fn check_rounds(xml: &[u8], limits: &WorkbookLimits) -> Result<(), Fault> {
    let mut xml = Xml::new(xml, limits);
    loop {
        match xml.next()? {
            Token::Open(tag) => {
                if let Some(rounds) = tag.attribute(b"spinCount") {
                    let rounds = decoded(rounds)?.trim().parse::<u64>().ok();
                    let most = limits.password_rounds;
                    if rounds.is_none_or(|rounds| rounds > u64::from(most)) {
                        return Err(Fault::ceiling(format!(
                            "a password that is hashed more than {most} times"
                        )));
                    }
                }
            }
            Token::End => return Ok(()),
            _ => {}
        }
    }
}

fn cut() -> Fault {
    Fault::broken("its encrypted part ends in the middle")
}
