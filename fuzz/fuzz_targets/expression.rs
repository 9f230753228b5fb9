//! Expressions: no text makes the compiler panic or hang, and what compiles gives every row an answer
//! in time. The input is an expression, a zero byte, and the cells of a row, each ended by one.
#![no_main]

use jiff::tz::TimeZone;
use libfuzzer_sys::fuzz_target;
use scimport::domain::Row;
use scimport::mapping::{
    AttributeConfig, Literal, Mapping, MappingConfig, RuleConfig, Scratch, ValueSource,
};

const HEADERS: [&str; 5] = ["ID", "First", "Last Name", "Hired", "Grade"];

fuzz_target!(|text: &str| {
    let mut parts = text.split('\0');
    let expression = parts.next().unwrap_or_default();
    let line =
        |path: &str, value| AttributeConfig { path: path.to_owned(), rule: RuleConfig::new(value) };
    let config = MappingConfig {
        attributes: vec![
            line("externalId", ValueSource::Column("ID".to_owned())),
            line("userName", ValueSource::Column("ID".to_owned())),
            line("active", ValueSource::Const(Literal::Boolean(true))),
            line("title", ValueSource::Expression(expression.to_owned())),
        ],
        scope: Some(expression.to_owned()),
        ..MappingConfig::default()
    };
    let Ok(mapping) = Mapping::compile(&config, Some(&TimeZone::UTC)) else {
        // as a value alone, where it is no condition
        let alone = MappingConfig { scope: None, ..config };
        if let Ok(mapping) = Mapping::compile(&alone, Some(&TimeZone::UTC)) {
            answer(&mapping, parts);
        }
        return;
    };
    answer(&mapping, parts);
});

fn answer<'a>(mapping: &Mapping, cells: impl Iterator<Item = &'a str>) {
    let Ok(bound) = mapping.bind(&HEADERS) else { return };
    let (mut text, mut ends) = (String::from("E1"), vec![2]);
    for cell in cells.chain(std::iter::repeat("")).take(HEADERS.len() - 1) {
        text.push_str(cell);
        ends.push(text.len());
    }
    let mut scratch = Scratch::new();
    let row = Row::new(&text, &ends, 2, Some(2));
    let _ = bound.in_scope(&row, &mut scratch);
    let _ = bound.apply(&row, &mut scratch, &mut Vec::new());
}
