//! Mapping files of CSV2SCIM: no text makes the reader panic or hang, and what is translated is TOML.
#![no_main]

use libfuzzer_sys::fuzz_target;
use scimport::mapping::psd1::Psd1;

fuzz_target!(|text: &str| {
    let Ok(file) = Psd1::parse(text) else { return };
    let translation = file.translate();
    let written = translation.to_toml("AttributeMapping.psd1", "hr");
    let read = written.parse::<toml::Table>();
    assert!(read.is_ok(), "{read:?} in:\n{written}");
});
