//! Ceilings of workbooks. A workbook that passes one is refused, with the ceiling's name and size.

/// How large a workbook and its parts may be.
///
/// The defaults hold every export of people that a worksheet can hold, and keep what is in memory
/// at one time (shared strings, one row, the formats) under 200 MB.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WorkbookLimits {
    /// Most bytes of the file as it lies on the disk.
    pub file_bytes: u64,
    /// Most bytes of a file that can only be read whole (XLS and encrypted workbooks).
    pub whole_file_bytes: u64,
    /// Most entries of the ZIP archive.
    pub entries: usize,
    /// Most bytes of one part, unpacked.
    pub part_bytes: u64,
    /// Most bytes of all parts that are read, unpacked.
    pub total_bytes: u64,
    /// Most bytes that one packed byte may become, from 16 MiB of a part on.
    pub ratio: u64,
    /// Most bytes of the parts that describe the workbook (its list of sheets, its formats).
    pub small_part_bytes: u64,
    /// Most sheets.
    pub sheets: usize,
    /// Most rows of a sheet: as many as a worksheet has.
    pub rows: u32,
    /// Most columns of a sheet: as many as a worksheet has.
    pub columns: u32,
    /// Most cells of a sheet.
    pub cells: u64,
    /// Most cells of a workbook that can only be read whole, empty ones between others counted.
    pub whole_cells: u64,
    /// Most shared strings.
    pub shared_strings: usize,
    /// Most bytes of all shared strings together.
    pub shared_string_bytes: usize,
    /// Most bytes of one text: 32,767 characters, three bytes each.
    pub string_bytes: usize,
    /// Most bytes of the mapped cells of one row.
    pub row_bytes: usize,
    /// Most cell formats.
    pub styles: usize,
    /// Most merged ranges.
    pub merged_ranges: usize,
    /// Deepest nesting of XML elements.
    pub xml_depth: u32,
    /// Most bytes of one XML tag or one run of text.
    pub xml_token_bytes: usize,
    /// Most rounds of hashing a password; Office writes 100,000.
    pub password_rounds: u32,
}

impl Default for WorkbookLimits {
    fn default() -> Self {
        Self {
            file_bytes: 512 * 1024 * 1024,
            whole_file_bytes: 32 * 1024 * 1024,
            entries: 10_000,
            part_bytes: 4 * 1024 * 1024 * 1024,
            total_bytes: 8 * 1024 * 1024 * 1024,
            // deflate reaches 1,030 on one repeated byte; a worksheet hardly passes 30
            ratio: 200,
            small_part_bytes: 32 * 1024 * 1024,
            sheets: 1_000,
            rows: 1_048_576,
            columns: 16_384,
            cells: 100_000_000,
            whole_cells: 4_000_000,
            shared_strings: 8_000_000,
            shared_string_bytes: 112 * 1024 * 1024,
            string_bytes: 3 * 32_767,
            row_bytes: 1024 * 1024,
            styles: 100_000,
            merged_ranges: 100_000,
            xml_depth: 64,
            xml_token_bytes: 1024 * 1024,
            password_rounds: 1_000_000,
        }
    }
}
