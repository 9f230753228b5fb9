//! `import-mapping`: a mapping of CSV2SCIM as a mapping of the config. Offline; nothing is run.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::path::Path;

use crate::cli::args::ImportMappingArgs;
use crate::cli::context::Failed;
use crate::cli::exit::Exit;
use crate::cli::terminal::{remark, tell};
use crate::cli::words::plural;
use crate::mapping::psd1::{Gap, MAX_PSD1_BYTES, Psd1, Psd1Error};

/// Translates a mapping file.
pub fn run(args: &ImportMappingArgs) -> Result<Exit, Failed> {
    let name = args.file.file_name().unwrap_or(args.file.as_os_str()).to_string_lossy();
    let bytes = read(&args.file).map_err(|error| {
        tell(format!("error: `{}` cannot be read\n  because {error}", args.file.display()));
        Failed(Exit::Error)
    })?;
    let text = decode(&bytes).ok_or_else(|| {
        tell(format!("error: {name} is no text"));
        Failed(Exit::Error)
    })?;
    let file = Psd1::parse(&text).map_err(|error| {
        refused(&name, &error);
        Failed(Exit::Error)
    })?;
    let translation = file.translate();
    write(args, &translation.to_toml(&name, &args.source))?;
    for found in translation.gaps() {
        gap(&name, found);
    }
    let (lines, gaps) = (translation.lines().count(), translation.gaps().count());
    remark(format!(
        "{lines} line{} translated, {gaps} left to write by hand",
        plural(u64::try_from(lines).unwrap_or(u64::MAX))
    ));
    Ok(if gaps > 0 { Exit::Rejected } else { Exit::Success })
}

/// Reads one byte more than a mapping file may have, so that a larger one is seen as such.
fn read(path: &Path) -> std::io::Result<Vec<u8>> {
    let most = u64::try_from(MAX_PSD1_BYTES).unwrap_or(u64::MAX);
    let mut bytes = Vec::new();
    File::open(path)?.take(most + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// By the byte-order mark, else UTF-8; else as Windows PowerShell reads a file without a mark.
fn decode(bytes: &[u8]) -> Option<String> {
    let (encoding, rest) = match encoding_rs::Encoding::for_bom(bytes) {
        Some((encoding, length)) => (encoding, bytes.get(length..).unwrap_or_default()),
        None if std::str::from_utf8(bytes).is_ok() => (encoding_rs::UTF_8, bytes),
        None => (encoding_rs::WINDOWS_1252, bytes),
    };
    let text = encoding.decode_without_bom_handling_and_without_replacement(rest)?;
    (!text.contains('\0')).then(|| text.into_owned())
}

fn refused(name: &str, error: &Psd1Error) {
    tell(format!("error: {name}, {error}"));
    if !error.text.is_empty() {
        tell(format!("  {}", printable(&error.text)));
    }
    if let Some(hint) = &error.hint {
        tell(format!("hint: {hint}"));
    }
}

fn gap(name: &str, gap: &Gap) {
    match gap.line {
        Some(line) => {
            let first = gap.text.lines().next().unwrap_or_default();
            let (key, message) = (printable(&gap.key), printable(&gap.message));
            tell(format!("{name}, line {line}: not translated: `{key}`: {message}"));
            tell(format!("  {}", printable(first)));
        }
        None => tell(format!("{name}: missing: `{}`: {}", gap.key, gap.message)),
    }
    if let Some(hint) = &gap.hint {
        tell(format!("  hint: {}", printable(hint)));
    }
}

/// Terminals obey control characters; a mapping file has no say over the terminal.
fn printable(text: &str) -> String {
    const MOST: usize = 200;
    let mut letters = text.chars().map(|letter| if letter.is_control() { ' ' } else { letter });
    let mut shown: String = letters.by_ref().take(MOST).collect();
    if letters.next().is_some() {
        shown.push('…');
    }
    shown
}

/// Writes the result. A file that is there is left alone: it may be somebody's config.
fn write(args: &ImportMappingArgs, toml: &str) -> Result<(), Failed> {
    let path = args.output.as_deref().filter(|path| *path != Path::new("-"));
    let written = match path {
        None => std::io::stdout().lock().write_all(toml.as_bytes()),
        Some(path) => OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(path)
            .and_then(|mut file| file.write_all(toml.as_bytes())),
    };
    match (written, path) {
        (Ok(()), Some(path)) => {
            remark(format!("wrote `{}`", path.display()));
            Ok(())
        }
        (Ok(()), None) => Ok(()),
        (Err(error), Some(path)) if error.kind() == ErrorKind::AlreadyExists => {
            tell(format!(
                "error: `{}` is there already\nhint: name a new file with `-o`",
                path.display()
            ));
            Err(Failed(Exit::Usage))
        }
        // whoever reads standard output has seen enough
        (Err(error), None) if error.kind() == ErrorKind::BrokenPipe => Err(Failed(Exit::Success)),
        (Err(error), _) => {
            tell(format!("error: the mapping cannot be written\n  because {error}"));
            Err(Failed(Exit::Error))
        }
    }
}
