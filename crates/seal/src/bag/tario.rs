//! A tar reader that gives a hostile archive nothing to work with: one pass, bounded headers, regular files and
//! directories only, nothing hidden after the end. And the validator of a bag in such a stream.

use std::io::{self, Read};

use tar::Header;

use super::check::{Collector, Limits, Report, SeenFile, is_judged_tag};
use super::defect::DefectKind;
use super::hash::{Algorithm, MultiHasher};
use super::path::MAX_PATH_BYTES;

const BLOCK: usize = 512;
const MAX_PAX_BYTES: u64 = 64 * 1024;
/// Most extension headers before one entry.
const MAX_EXTENSIONS: usize = 8;
/// Read in one go.
const BUFFER_BYTES: usize = 256 * 1024;

/// Why a tar stream is refused. Nothing of it should be kept.
#[derive(Debug, thiserror::Error)]
pub enum TarError {
    /// A header whose fields don't parse or whose checksum is wrong.
    #[error("tar: malformed header at byte {at} ({reason}); ask the sender for the archive again")]
    Malformed {
        /// Offset of the header.
        at: u64,
        /// What doesn't parse.
        reason: &'static str,
    },
    /// The stream ends inside an entry or without the end marker.
    #[error("tar: the archive ends early, at byte {at}; transfer it again")]
    Truncated {
        /// Where it ends.
        at: u64,
    },
    /// A link.
    #[error(
        "tar: entry {entry} is a link; only regular files may stand in a bag, ask the sender for another"
    )]
    Link {
        /// Which entry, counted from 1.
        entry: usize,
    },
    /// A device, pipe or other special entry.
    #[error(
        "tar: entry {entry} has the special type {kind:?}; only regular files may stand in a bag, ask the sender for another"
    )]
    Special {
        /// Which entry, counted from 1.
        entry: usize,
        /// The type flag.
        kind: char,
    },
    /// An absolute path.
    #[error("tar: entry {entry} has an absolute path; don't unpack this archive, ask the sender for another")]
    Absolute {
        /// Which entry, counted from 1.
        entry: usize,
    },
    /// A path that climbs out, or that another system reads so.
    #[error("tar: entry {entry}: {reason}; don't unpack this archive, ask the sender for another")]
    Traversal {
        /// Which entry, counted from 1.
        entry: usize,
        /// What the path does.
        reason: &'static str,
    },
    /// A name that isn't UTF-8.
    #[error("tar: entry {entry} has a name that isn't UTF-8; rename the file before you archive it")]
    NotUtf8 {
        /// Which entry, counted from 1.
        entry: usize,
    },
    /// The same path twice.
    #[error(
        "tar: entry {entry} repeats the path of an earlier one; don't unpack this archive, ask the sender for another"
    )]
    Duplicate {
        /// Which entry, counted from 1.
        entry: usize,
    },
    /// Too many entries.
    #[error("tar: more than {limit} entries; raise the limit if this is expected")]
    TooManyEntries {
        /// The limit.
        limit: usize,
    },
    /// A tag file that is too large.
    #[error(
        "tar: the tag file {name:?} has {size} bytes and at most {limit} are read; put large files under data/"
    )]
    TagTooLarge {
        /// Which.
        name: String,
        /// Its size in bytes.
        size: u64,
        /// The limit in bytes.
        limit: u64,
    },
    /// Too much payload.
    #[error("tar: more than {limit} bytes of payload; raise the limit if this is expected")]
    PayloadTooLarge {
        /// The limit in bytes.
        limit: u64,
    },
    /// Entries outside of the one base directory.
    #[error("tar: entry {entry} stands outside of the bag's directory; archive the bag's directory alone")]
    Outside {
        /// Which entry, counted from 1.
        entry: usize,
    },
    /// Bytes after the end.
    #[error("tar: there are data after the end of the archive, from byte {at}; ask the sender for another")]
    Trailing {
        /// Where they start.
        at: u64,
    },
    /// Reading failed.
    #[error("tar: reading failed: {0}; check the source, then read it again")]
    Io(#[source] io::Error),
}

/// A regular file or directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) path: String,
    pub(crate) size: u64,
    pub(crate) directory: bool,
    /// Which entry, counted from 1.
    pub(crate) number: usize,
}

pub(crate) struct TarReader<R> {
    inner: R,
    at: u64,
    left: u64,
    padding: u64,
    entries: usize,
    limit: usize,
}

/// What an extension header changes.
#[derive(Default)]
struct Extension {
    path: Option<Vec<u8>>,
    size: Option<u64>,
}

impl<R: Read> TarReader<R> {
    pub(crate) fn new(inner: R, entry_limit: usize) -> Self {
        Self { inner, at: 0, left: 0, padding: 0, entries: 0, limit: entry_limit }
    }

    /// The next file or directory; nothing at the end of the archive, once all that follows is read and is zeros.
    pub(crate) fn next(&mut self) -> Result<Option<Entry>, TarError> {
        self.skip_rest()?;
        let mut extension = Extension::default();
        for _ in 0..MAX_EXTENSIONS {
            let start = self.at;
            let Some(block) = self.header_block()? else {
                return Ok(None);
            };
            let header = Header::from_byte_slice(&block);
            let malformed = |reason| TarError::Malformed { at: start, reason };
            check_sum(header, &block).ok_or(malformed("the checksum doesn't hold"))?;
            let size = header.entry_size().map_err(|_| malformed("the size isn't a number"))?;
            let kind = block.get(156).copied().unwrap_or_default();
            match kind {
                b'L' => extension.path = Some(trim_nul(self.small(size, MAX_PATH_BYTES as u64, start)?)),
                b'x' => read_pax(&self.small(size, MAX_PAX_BYTES, start)?, &mut extension)
                    .ok_or(malformed("the pax header doesn't parse"))?,
                b'g' => {
                    let mut global = Extension::default();
                    read_pax(&self.small(size, MAX_PAX_BYTES, start)?, &mut global)
                        .ok_or(malformed("the pax header doesn't parse"))?;
                    if global.path.is_some() || global.size.is_some() {
                        return Err(malformed("a global header sets a path or size"));
                    }
                }
                _ => return self.entry(header, kind, size, extension).map(Some),
            }
        }
        Err(TarError::Malformed { at: self.at, reason: "too many extension headers" })
    }

    fn entry(
        &mut self,
        header: &Header,
        kind: u8,
        size: u64,
        extension: Extension,
    ) -> Result<Entry, TarError> {
        self.entries = self.entries.saturating_add(1);
        let entry = self.entries;
        if entry > self.limit {
            return Err(TarError::TooManyEntries { limit: self.limit });
        }
        let directory = match kind {
            b'0' | 0 | b'7' => false,
            b'5' => true,
            b'1' | b'2' | b'K' => return Err(TarError::Link { entry }),
            other => return Err(TarError::Special { entry, kind: char::from(other) }),
        };
        let bytes = extension.path.unwrap_or_else(|| header.path_bytes().into_owned());
        let path = String::from_utf8(bytes).map_err(|_| TarError::NotUtf8 { entry })?;
        if path.starts_with(['/', '\\']) {
            return Err(TarError::Absolute { entry });
        }
        let path = path.strip_prefix("./").unwrap_or(&path);
        let path = if directory { path.trim_end_matches('/') } else { path };
        let root = directory && (path.is_empty() || path == ".");
        if let Some(reason) = super::path::unsafe_reason(path).filter(|_| !root) {
            return Err(TarError::Traversal { entry, reason });
        }
        if path.ends_with('/') {
            return Err(TarError::Traversal { entry, reason: "a file's path ends in a separator" });
        }
        let size = extension.size.unwrap_or(size);
        self.left = if directory { 0 } else { size };
        if directory && size > 0 {
            return Err(TarError::Malformed { at: self.at, reason: "a directory with contents" });
        }
        self.padding = padding(size);
        Ok(Entry { path: path.to_owned(), size: self.left, directory, number: entry })
    }

    /// Bytes of the current entry; 0 at its end.
    pub(crate) fn read_data(&mut self, buffer: &mut [u8]) -> Result<usize, TarError> {
        let want = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        if want == 0 {
            return Ok(0);
        }
        let n = self.read_some(buffer.get_mut(..want).unwrap_or_default())?;
        if n == 0 {
            return Err(TarError::Truncated { at: self.at });
        }
        self.left = self.left.saturating_sub(n as u64);
        Ok(n)
    }

    fn skip_rest(&mut self) -> Result<(), TarError> {
        let mut buffer = vec![0; if self.left > 0 { BUFFER_BYTES } else { BLOCK }];
        while self.left > 0 {
            self.read_data(&mut buffer)?;
        }
        self.left = std::mem::take(&mut self.padding);
        while self.left > 0 {
            self.read_data(&mut buffer)?;
        }
        Ok(())
    }

    /// A header block; nothing at the end marker, after which the rest must be zeros.
    fn header_block(&mut self) -> Result<Option<[u8; BLOCK]>, TarError> {
        let mut block = [0; BLOCK];
        self.fill(&mut block)?;
        if block.iter().any(|b| *b != 0) {
            return Ok(Some(block));
        }
        self.fill(&mut block)?;
        if block.iter().any(|b| *b != 0) {
            return Err(TarError::Trailing { at: self.at.saturating_sub(BLOCK as u64) });
        }
        let mut buffer = vec![0; 16 * 1024];
        loop {
            let start = self.at;
            let n = self.read_some(&mut buffer)?;
            if n == 0 {
                return Ok(None);
            }
            if buffer.get(..n).unwrap_or_default().iter().any(|b| *b != 0) {
                return Err(TarError::Trailing { at: start });
            }
        }
    }

    /// The whole of a small extension header.
    fn small(&mut self, size: u64, limit: u64, start: u64) -> Result<Vec<u8>, TarError> {
        if size > limit {
            return Err(TarError::Malformed { at: start, reason: "an extension header is too long" });
        }
        let mut bytes = vec![0; usize::try_from(size).unwrap_or_default()];
        self.fill(&mut bytes)?;
        self.padding = padding(size);
        self.skip_rest()?;
        Ok(bytes)
    }

    fn fill(&mut self, mut buffer: &mut [u8]) -> Result<(), TarError> {
        while !buffer.is_empty() {
            let n = self.read_some(buffer)?;
            if n == 0 {
                return Err(TarError::Truncated { at: self.at });
            }
            buffer = buffer.get_mut(n..).unwrap_or_default();
        }
        Ok(())
    }

    fn read_some(&mut self, buffer: &mut [u8]) -> Result<usize, TarError> {
        loop {
            match self.inner.read(buffer) {
                Ok(n) => {
                    self.at = self.at.saturating_add(n as u64);
                    return Ok(n);
                }
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(TarError::Io(e)),
            }
        }
    }
}

pub(crate) fn padding(size: u64) -> u64 {
    let block = BLOCK as u64;
    block.saturating_sub(size % block) % block
}

fn check_sum(header: &Header, block: &[u8; BLOCK]) -> Option<()> {
    let bytes = block.iter().enumerate();
    let sum: u32 = bytes.map(|(i, b)| if (148..156).contains(&i) { 32 } else { u32::from(*b) }).sum();
    (header.cksum().ok()? == sum).then_some(())
}

fn trim_nul(mut bytes: Vec<u8>) -> Vec<u8> {
    while bytes.last() == Some(&0) {
        bytes.pop();
    }
    bytes
}

/// `LENGTH KEY=VALUE\n` records (POSIX pax). Sparse files aren't read: what they hold isn't what stands in the stream.
fn read_pax(bytes: &[u8], extension: &mut Extension) -> Option<()> {
    let mut rest = bytes;
    while rest.first().is_some_and(|b| *b != 0) {
        let space = rest.iter().position(|b| *b == b' ')?;
        let length: usize = std::str::from_utf8(rest.get(..space)?).ok()?.parse().ok()?;
        let record = rest.get(space.checked_add(1)?..length)?;
        let record = record.strip_suffix(b"\n")?;
        let equals = record.iter().position(|b| *b == b'=')?;
        let (key, value) = (record.get(..equals)?, record.get(equals.checked_add(1)?..)?);
        match key {
            b"path" if value.len() > MAX_PATH_BYTES => return None,
            b"path" => extension.path = Some(value.to_vec()),
            b"size" => extension.size = Some(std::str::from_utf8(value).ok()?.parse().ok()?),
            k if k.starts_with(b"GNU.sparse") => return None,
            _ => {}
        }
        rest = rest.get(length..)?;
    }
    Some(())
}

/// Takes the entries of a bag as they pass, and gathers what the judge needs.
pub(crate) struct TarBag {
    limits: Limits,
    algorithms: Vec<Algorithm>,
    /// Base directory with its slash; empty for a bag without one; unknown before the first entry.
    base: Option<String>,
    payload: u64,
    kept: u64,
    pub(crate) seen: Collector,
}

/// Where the bytes of one file go, besides the digests.
pub(crate) trait PayloadSink {
    /// A payload file starts. `path` is relative to the bag.
    fn start(&mut self, path: &str, size: u64) -> Result<(), TarError>;
    /// Its next bytes.
    fn bytes(&mut self, bytes: &[u8]) -> Result<(), TarError>;
    /// It is complete.
    fn end(&mut self) -> Result<(), TarError>;
}

struct NoSink;

impl PayloadSink for NoSink {
    fn start(&mut self, _: &str, _: u64) -> Result<(), TarError> {
        Ok(())
    }
    fn bytes(&mut self, _: &[u8]) -> Result<(), TarError> {
        Ok(())
    }
    fn end(&mut self) -> Result<(), TarError> {
        Ok(())
    }
}

impl TarBag {
    pub(crate) fn new(limits: Limits, algorithms: &[Algorithm]) -> Self {
        Self {
            limits,
            algorithms: algorithms.to_vec(),
            base: None,
            payload: 0,
            kept: 0,
            seen: Collector::default(),
        }
    }

    /// Reads to the end. Kept is the text of the tag files that judging needs, and of those in `also`.
    pub(crate) fn run<R: Read>(
        &mut self,
        input: R,
        also: &[&str],
        sink: &mut dyn PayloadSink,
    ) -> Result<(), TarError> {
        let mut tar = TarReader::new(input, self.limits.entries);
        let mut buffer = vec![0; BUFFER_BYTES];
        while let Some(entry) = tar.next()? {
            let Some(path) = self.inside(&entry)? else { continue };
            if entry.directory {
                self.seen.has_payload |= path == "data";
                continue;
            }
            if self.seen.files.contains_key(&path) {
                return Err(TarError::Duplicate { entry: entry.number });
            }
            self.seen.admit(&path);
            let payload = path.starts_with("data/");
            let keep = !payload && (also.contains(&path.as_str()) || is_judged_tag(&path));
            self.weigh(&entry, &path, payload, keep)?;
            if payload {
                sink.start(&path, entry.size)?;
            }
            let mut hasher = MultiHasher::new(&self.algorithms);
            let mut kept = Vec::new();
            loop {
                let n = tar.read_data(&mut buffer)?;
                let bytes = buffer.get(..n).unwrap_or_default();
                if n == 0 {
                    break;
                }
                hasher.update(bytes);
                if payload {
                    sink.bytes(bytes)?;
                } else if keep {
                    kept.extend_from_slice(bytes);
                }
            }
            if payload {
                sink.end()?;
            } else if keep {
                self.seen.tags.insert(path.clone(), kept);
            }
            self.seen.files.insert(path, SeenFile { size: entry.size, digests: hasher.finish() });
        }
        Ok(())
    }

    fn weigh(&mut self, entry: &Entry, path: &str, payload: bool, keep: bool) -> Result<(), TarError> {
        let too_large = |limit| TarError::TagTooLarge { name: path.to_owned(), size: entry.size, limit };
        if !payload && entry.size > self.limits.tag_file_bytes {
            return Err(too_large(self.limits.tag_file_bytes));
        }
        if keep {
            self.kept = self.kept.saturating_add(entry.size);
            if self.kept > self.limits.tag_bytes {
                return Err(too_large(self.limits.tag_bytes));
            }
        }
        if payload {
            self.payload = self.payload.saturating_add(entry.size);
            if self.payload > self.limits.payload_bytes {
                return Err(TarError::PayloadTooLarge { limit: self.limits.payload_bytes });
            }
        }
        Ok(())
    }

    /// The path relative to the bag. The first entry decides whether there is a base directory.
    fn inside(&mut self, entry: &Entry) -> Result<Option<String>, TarError> {
        if entry.directory && (entry.path.is_empty() || entry.path == ".") {
            return Ok(None);
        }
        let base = match &self.base {
            Some(base) => base.clone(),
            None => {
                let base = match entry.path.split_once('/') {
                    Some((first, _)) if first != "data" => format!("{first}/"),
                    None if entry.directory && entry.path != "data" => format!("{}/", entry.path),
                    _ => {
                        self.seen.warn(DefectKind::Layout, &entry.path, "the archive has no base directory");
                        String::new()
                    }
                };
                self.base = Some(base.clone());
                base
            }
        };
        if entry.directory && format!("{}/", entry.path) == base {
            return Ok(None);
        }
        let path = entry.path.strip_prefix(&base).ok_or(TarError::Outside { entry: entry.number })?;
        Ok(Some(path.to_owned()))
    }
}

/// Validates a bag in a tar stream in one pass. `algorithms` are computed for every file, since the manifests may
/// come last; a manifest of another algorithm is a defect.
///
/// # Errors
/// [`TarError`] when the stream isn't a tar that may be read on; what is wrong with the bag is in the [`Report`].
pub fn validate_tar<R: Read>(input: R, algorithms: &[Algorithm], limits: Limits) -> Result<Report, TarError> {
    let mut bag = TarBag::new(limits, algorithms);
    bag.run(input, &[], &mut NoSink)?;
    Ok(bag.seen.judge())
}
