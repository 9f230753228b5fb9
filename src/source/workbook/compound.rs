//! OLE compound files ([MS-CFB]): just enough to list streams and read them, under ceilings.
//!
//! Old workbooks and encrypted new ones are such files. The libraries that read them further trust
//! what a file says of itself, so this is looked at first, with nothing trusted.

use std::io::{Read, Seek, SeekFrom};

use super::fault::Fault;

/// What the first bytes of every compound file are.
pub(in crate::source) const MAGIC: &[u8] = &[0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1];

/// Sectors from here on are marks, not places.
const LAST_SECTOR: u32 = 0xffff_fffa;
const HEADER_BYTES: usize = 512;
/// Most directory entries.
const ENTRIES: usize = 4_096;
const ENTRY_BYTES: usize = 128;
/// Most sectors of a file: 2 GiB in small ones.
const SECTORS: usize = 4 * 1024 * 1024;
/// Small streams are kept in sectors of this size.
const SMALL_SECTOR: usize = 64;
/// Most sectors of the table of small sectors.
const SMALL_TABLE_SECTORS: usize = 1_024;
/// Kinds of directory entries.
const STREAM: u8 = 2;
const ROOT: u8 = 5;

/// An opened compound file.
pub(in crate::source) struct Compound<R> {
    input: R,
    sector_bytes: usize,
    table: Vec<u32>,
    small_table_start: u32,
    small_from: u64,
    entries: Vec<Entry>,
}

struct Entry {
    name: String,
    kind: u8,
    start: u32,
    bytes: u64,
}

impl<R: Read + Seek> Compound<R> {
    /// Reads the directory. The sector table takes a 128th of the file at most.
    pub(in crate::source) fn open(mut input: R) -> Result<Self, Fault> {
        let length = input.seek(SeekFrom::End(0))?;
        input.seek(SeekFrom::Start(0))?;
        let mut header = [0; HEADER_BYTES];
        input.read_exact(&mut header)?;
        if !header.starts_with(MAGIC) {
            return Err(broken());
        }
        let sector_bytes = match u16_at(&header, 30) {
            Some(9) => 512,
            Some(12) => 4_096,
            _ => return Err(broken()),
        };
        let sectors = length / u64::try_from(sector_bytes).unwrap_or(512);
        let mut compound = Self {
            input,
            sector_bytes,
            table: Vec::new(),
            small_table_start: u32::MAX,
            small_from: u64::from(u32_at(&header, 56).ok_or_else(broken)?),
            entries: Vec::new(),
        };
        compound.read_table(&header, sectors)?;
        let field = |at: usize| u32_at(&header, at).ok_or_else(broken);
        let directory = chain(&compound.table, field(48)?, ENTRIES * ENTRY_BYTES / sector_bytes)?;
        let directory = compound.sectors(&directory)?;
        for entry in directory.chunks_exact(ENTRY_BYTES).take(ENTRIES) {
            compound.entries.extend(Entry::parse(entry, sector_bytes));
        }
        compound.small_table_start = field(60)?;
        Ok(compound)
    }

    fn read_table(&mut self, header: &[u8], sectors: u64) -> Result<(), Fault> {
        let most = usize::try_from(sectors).unwrap_or(usize::MAX).min(SECTORS);
        let mut places = words(header.get(76..).unwrap_or_default());
        let mut next = u32_at(header, 68).unwrap_or(u32::MAX);
        while next < LAST_SECTOR {
            let more = words(&self.sectors(&[next])?);
            let (last, more) = more.split_last().ok_or_else(broken)?;
            places.extend_from_slice(more);
            next = *last;
            // more of the table than the file has sectors: the list goes in circles
            if places.len() > 2 * 109 + most / 64 {
                return Err(broken());
            }
        }
        for place in places.into_iter().filter(|place| *place < LAST_SECTOR) {
            if self.table.len() > most {
                break;
            }
            let more = words(&self.sectors(&[place])?);
            self.table.extend_from_slice(&more);
        }
        Ok(())
    }

    /// The names of the streams.
    pub(in crate::source) fn streams(&self) -> impl Iterator<Item = &str> {
        let streams = self.entries.iter().filter(|entry| entry.kind == STREAM);
        streams.map(|entry| entry.name.as_str())
    }

    /// A stream of so many bytes at most, by name.
    pub(in crate::source) fn read(&mut self, name: &str, most: u64) -> Result<Vec<u8>, Fault> {
        let mut streams = self.entries.iter().filter(|entry| entry.kind == STREAM);
        let found = streams.find(|entry| entry.name.eq_ignore_ascii_case(name));
        let (start, bytes) = found.map(|it| (it.start, it.bytes)).ok_or_else(broken)?;
        if bytes > most {
            return Err(Fault::ceiling(format!("a stream of more than {most} bytes")));
        }
        let length = usize::try_from(bytes).map_err(|_| broken())?;
        let mut stream = if bytes < self.small_from {
            self.small_stream(start, length)?
        } else {
            let chain = chain(&self.table, start, length.div_ceil(self.sector_bytes))?;
            self.sectors(&chain)?
        };
        if stream.len() < length {
            return Err(broken());
        }
        stream.truncate(length);
        Ok(stream)
    }

    /// A stream in the small sectors that are kept in a stream of their own.
    fn small_stream(&mut self, start: u32, length: usize) -> Result<Vec<u8>, Fault> {
        let table = chain(&self.table, self.small_table_start, SMALL_TABLE_SECTORS)?;
        let table = words(&self.sectors(&table)?);
        let root = self.entries.iter().find(|entry| entry.kind == ROOT).ok_or_else(broken)?;
        let homes = chain(&self.table, root.start, self.table.len())?;
        let mut stream = Vec::with_capacity(length);
        for sector in chain(&table, start, length.div_ceil(SMALL_SECTOR))? {
            let at = usize::try_from(sector).ok().and_then(|it| it.checked_mul(SMALL_SECTOR));
            let at = at.ok_or_else(broken)?;
            let home = *homes.get(at / self.sector_bytes).ok_or_else(broken)?;
            let bytes = self.sectors(&[home])?;
            let from = at % self.sector_bytes;
            stream.extend_from_slice(bytes.get(from..from + SMALL_SECTOR).ok_or_else(broken)?);
        }
        Ok(stream)
    }

    fn sectors(&mut self, places: &[u32]) -> Result<Vec<u8>, Fault> {
        let mut bytes = Vec::with_capacity(places.len() * self.sector_bytes);
        let size = u64::try_from(self.sector_bytes).map_err(|_| broken())?;
        for &place in places {
            self.input.seek(SeekFrom::Start((u64::from(place) + 1) * size))?;
            let read = self.input.by_ref().take(size).read_to_end(&mut bytes)?;
            if read == 0 {
                return Err(broken());
            }
            // the last sector of a file may be cut short
            bytes.resize(bytes.len() + self.sector_bytes - read, 0);
        }
        Ok(bytes)
    }
}

/// The sectors of a chain, so many at most.
fn chain(table: &[u32], start: u32, most: usize) -> Result<Vec<u32>, Fault> {
    let mut chain = Vec::new();
    let mut next = start;
    while next < LAST_SECTOR && chain.len() < most {
        // a chain that is longer than the table goes in circles
        if chain.len() > table.len() {
            return Err(broken());
        }
        chain.push(next);
        let at = usize::try_from(next).map_err(|_| broken())?;
        next = *table.get(at).ok_or_else(broken)?;
    }
    Ok(chain)
}

impl Entry {
    fn parse(entry: &[u8], sector_bytes: usize) -> Option<Self> {
        let length = usize::from(u16_at(entry, 64)?).checked_sub(2)?.min(62);
        let units = entry.get(..length)?.chunks_exact(2);
        let units: Vec<u16> = units.filter_map(|unit| u16_at(unit, 0)).collect();
        let high = if sector_bytes == 512 { 0 } else { u32_at(entry, 124)? };
        Some(Self {
            name: String::from_utf16_lossy(&units),
            kind: *entry.get(66)?,
            start: u32_at(entry, 116)?,
            bytes: u64::from(u32_at(entry, 120)?) | u64::from(high) << 32,
        })
    }
}

/// A number in two bytes, the lowest first.
pub(in crate::source) fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..)?.first_chunk().map(|bytes| u16::from_le_bytes(*bytes))
}

/// A number in four bytes, the lowest first.
pub(in crate::source) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().map(|bytes| u32::from_le_bytes(*bytes))
}

fn words(bytes: &[u8]) -> Vec<u32> {
    bytes.as_chunks().0.iter().map(|bytes| u32::from_le_bytes(*bytes)).collect()
}

fn broken() -> Fault {
    Fault::broken("its compound file cannot be read")
}

/// A compound file with these streams and nothing else. Streams of less than 4,096 bytes get blanks
/// behind them, so that there are no small sectors.
pub(super) fn build(streams: &[(&str, &[u8])]) -> Option<Vec<u8>> {
    const SECTOR: usize = 4_096;
    /// Marks in the sector table: the end of a chain, and a sector of the table itself.
    const LAST: u32 = u32::MAX - 1;
    const TABLE: u32 = u32::MAX - 2;
    let mut body: Vec<u8> = Vec::new();
    let mut table: Vec<u32> = Vec::new();
    let mut directory = vec![0; SECTOR];
    let place = |body: &mut Vec<u8>, table: &mut Vec<u32>, bytes: &[u8]| {
        let start = u32::try_from(body.len() / SECTOR).ok()?;
        body.extend_from_slice(bytes);
        body.resize(body.len().next_multiple_of(SECTOR).max(body.len()), b' ');
        let end = u32::try_from(body.len() / SECTOR).ok()?;
        table.extend((start + 1..end).chain([LAST]));
        Some(start)
    };
    for (index, (name, bytes)) in streams.iter().enumerate() {
        let start = place(&mut body, &mut table, bytes)?;
        let next =
            if index + 1 < streams.len() { u32::try_from(index + 2).ok()? } else { u32::MAX };
        let length = u32::try_from(bytes.len().max(SECTOR)).ok()?;
        let links = [u32::MAX, next, u32::MAX];
        entry(&mut directory, index + 1, name, STREAM, links, start, length)?;
    }
    entry(&mut directory, 0, "Root Entry", ROOT, [u32::MAX, u32::MAX, 1], LAST, 0)?;
    let directory_at = place(&mut body, &mut table, &directory)?;
    // the table lists its own sectors too
    let table_at = u32::try_from(table.len()).ok()?;
    let mut own = 1;
    while (table.len() + own).div_ceil(SECTOR / 4) > own {
        own += 1;
    }
    table.extend(std::iter::repeat_n(TABLE, own));
    table.resize(own * SECTOR / 4, u32::MAX);
    body.extend(table.iter().flat_map(|word| word.to_le_bytes()));
    let own = u32::try_from(own).ok()?;
    let mut file = MAGIC.to_vec();
    file.resize(24, 0);
    for word in [0x3e_u16, 4, 0xfffe, 12, 6, 0, 0, 0] {
        file.extend_from_slice(&word.to_le_bytes());
    }
    for word in [1, own, directory_at, 0, 4_096, LAST, 0, LAST, 0] {
        file.extend_from_slice(&word.to_le_bytes());
    }
    let places = (0..109).map(|index| if index < own { table_at + index } else { u32::MAX });
    file.extend(places.flat_map(u32::to_le_bytes));
    file.resize(SECTOR, 0);
    file.append(&mut body);
    (own <= 109).then_some(file)
}

fn entry(
    directory: &mut [u8],
    index: usize,
    name: &str,
    kind: u8,
    links: [u32; 3],
    start: u32,
    length: u32,
) -> Option<()> {
    let entry = directory.get_mut(index * ENTRY_BYTES..(index + 1) * ENTRY_BYTES)?;
    let mut bytes: Vec<u8> = name.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let name_length = u16::try_from(bytes.len() + 2).ok()?;
    bytes.resize(64, 0);
    bytes.extend_from_slice(&name_length.to_le_bytes());
    bytes.extend_from_slice(&[kind, 1]);
    bytes.extend(links.iter().flat_map(|link| link.to_le_bytes()));
    bytes.resize(116, 0);
    bytes.extend_from_slice(&start.to_le_bytes());
    bytes.extend_from_slice(&length.to_le_bytes());
    bytes.resize(ENTRY_BYTES, 0);
    entry.copy_from_slice(&bytes);
    Some(())
}
