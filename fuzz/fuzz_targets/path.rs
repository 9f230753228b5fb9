//! Attribute paths: what parses has a canonical notation that parses to the same path.
#![no_main]

use libfuzzer_sys::fuzz_target;
use scimport::scim::AttributePath;

fuzz_target!(|text: &str| {
    match AttributePath::parse(text) {
        Ok(path) => {
            let written = path.to_string();
            let again = AttributePath::parse(&written).expect("the canonical notation is a path");
            assert_eq!(path, again);
            assert_eq!(written, again.to_string());
        }
        Err(error) => assert!(error.position <= text.chars().count() + 1),
    }
});
