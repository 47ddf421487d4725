//! Files held in memory with their headers already built. An entry is looked at again (one stat for the file and each
//! compressed sibling) at most every [`RECHECK_MS`] milliseconds.

use std::collections::HashMap;
use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use axum::http::{HeaderMap, HeaderValue, header};
use bytes::Bytes;
use sha2::{Digest, Sha256};

use super::path::Target;
use crate::pages::Page;
use crate::public::headers;

/// Milliseconds between two looks at the same file.
pub(super) const RECHECK_MS: i64 = 250;
/// Entries beyond this make room for each other, whatever their size.
const MAX_ENTRIES: usize = 16_384;
/// What an entry costs beside its bytes: three header maps and the key.
const ENTRY_COST: usize = 4_096;

/// What tells one version of a file from the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stamp {
    seconds: i64,
    nanoseconds: i64,
    len: u64,
    inode: u64,
}

impl Stamp {
    pub(super) fn of(metadata: &Metadata) -> Self {
        Self {
            seconds: metadata.mtime(),
            nanoseconds: metadata.mtime_nsec(),
            len: metadata.len(),
            inode: metadata.ino(),
        }
    }

    pub(super) fn look(path: &Path) -> Option<Self> {
        path.symlink_metadata().ok().filter(Metadata::is_file).map(|found| Self::of(&found))
    }

    const fn not_before(self, other: Self) -> bool {
        self.seconds > other.seconds
            || (self.seconds == other.seconds && self.nanoseconds >= other.nanoseconds)
    }
}

/// Where the bytes of a variant are.
#[derive(Debug, Clone)]
pub(super) enum Stored {
    Memory(Bytes),
    /// Too large to hold: opened for each answer, and refused if it is no longer the file that was hashed.
    Disk {
        path: PathBuf,
        stamp: Stamp,
    },
}

/// One representation of a file: as it is, or compressed.
#[derive(Debug)]
pub(super) struct Variant {
    pub(super) headers: HeaderMap,
    pub(super) unchanged: HeaderMap,
    pub(super) etag: String,
    pub(super) len: u64,
    pub(super) stored: Stored,
}

/// A file with its compressed siblings.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) plain: Variant,
    pub(super) br: Option<Variant>,
    pub(super) gzip: Option<Variant>,
    watched: Vec<Watched>,
    weight: usize,
    checked: AtomicI64,
    used: AtomicI64,
}

/// A file that an entry was made from: it is made anew when this changes, comes or goes.
pub(super) type Watched = (PathBuf, Option<Stamp>);

/// What the headers of an answer say of its content.
#[derive(Debug)]
pub(super) struct Look {
    pub(super) content_type: &'static str,
    pub(super) cache_control: &'static str,
    /// What a page, or a script of one, may do (Content-Security-Policy); files of data may do nothing.
    pub(super) policy: Option<HeaderValue>,
    /// Too large to be read whole for its tag when it is not held: the tag comes from when it was written.
    pub(super) vast: bool,
}

impl Look {
    fn of(target: Target<'_>) -> Self {
        let cache_control = target.freshness.cache_control();
        let vast = target.relative.starts_with("maps/");
        Self { content_type: target.content_type, cache_control, policy: None, vast }
    }
}

/// A cache bounded by bytes and by number.
pub(super) struct Cache {
    entries: RwLock<HashMap<Box<str>, Arc<Entry>>>,
    max_bytes: usize,
}

impl Cache {
    pub(super) fn new(max_bytes: usize) -> Self {
        Self { entries: RwLock::new(HashMap::new()), max_bytes }
    }

    /// The entry, if it is held and still what is on disk.
    pub(super) fn get(&self, path: &str, now: i64) -> Option<Arc<Entry>> {
        let entry = Arc::clone(self.entries.read().unwrap_or_else(PoisonError::into_inner).get(path)?);
        let checked = entry.checked.load(Ordering::Relaxed);
        if (0..RECHECK_MS).contains(&now.saturating_sub(checked)) {
            return Some(entry);
        }
        // One caller looks; the others go on with what is held until it has.
        let mine = entry.checked.compare_exchange(checked, now, Ordering::Relaxed, Ordering::Relaxed).is_ok();
        entry.used.store(now, Ordering::Relaxed);
        if !mine || entry.current() {
            return Some(entry);
        }
        self.entries.write().unwrap_or_else(PoisonError::into_inner).remove(path);
        None
    }

    /// Holds an entry, making room by dropping what was used longest ago.
    pub(super) fn put(&self, path: &str, entry: Arc<Entry>) {
        let mut entries = self.entries.write().unwrap_or_else(PoisonError::into_inner);
        entries.insert(path.into(), entry);
        let mut held: usize = entries.values().map(|e| e.weight).sum();
        if held <= self.max_bytes && entries.len() <= MAX_ENTRIES {
            return;
        }
        let mut by_age: Vec<(i64, usize, Box<str>)> =
            entries.iter().map(|(k, e)| (e.used.load(Ordering::Relaxed), e.weight, k.clone())).collect();
        by_age.sort_unstable();
        // Down to three quarters, so that a full cache does not sort at every miss.
        for (_, weight, key) in by_age {
            if held <= self.max_bytes / 4 * 3 && entries.len() <= MAX_ENTRIES / 4 * 3 {
                break;
            }
            entries.remove(&key);
            held = held.saturating_sub(weight);
        }
    }

    /// Bytes held, for metrics and tests.
    #[cfg(test)]
    pub(super) fn weight(&self) -> usize {
        self.entries.read().unwrap_or_else(PoisonError::into_inner).values().map(|e| e.weight).sum()
    }
}

impl Entry {
    fn current(&self) -> bool {
        self.watched.iter().all(|(path, stamp)| Stamp::look(path) == *stamp)
    }

    /// An entry over bytes that are at hand.
    pub(super) fn held(look: &Look, page: Page, watched: Vec<Watched>, now: i64) -> Self {
        // What stands in the executable costs no memory that could be given back.
        let weight = if page.made { page.weight() } else { 0 } + ENTRY_COST;
        let variant = |bytes: Bytes, encoding| Variant::held(look, bytes, encoding);
        Self {
            plain: variant(page.plain, None),
            br: page.br.map(|bytes| variant(bytes, Some("br"))),
            gzip: page.gzip.map(|bytes| variant(bytes, Some("gzip"))),
            watched,
            weight,
            checked: AtomicI64::new(now),
            used: AtomicI64::new(now),
        }
    }

    /// Reads a file and its siblings. `Ok(None)`: no such file (or a link, a folder, anything not plain).
    ///
    /// # Errors
    /// Reading failed for another reason than absence.
    pub(super) fn load(root: &Path, target: Target<'_>, memory: u64, now: i64) -> io::Result<Option<Self>> {
        if !folders_are_plain(root, target.relative) {
            return Ok(None);
        }
        let plain_path = root.join(target.relative);
        let sibling = |suffix: &str| root.join(format!("{}{suffix}", target.relative));
        let paths = [plain_path, sibling(".br"), sibling(".gz")];
        let [plain_path, br_path, gzip_path] = &paths;
        let look = Look::of(target);
        let Some((plain, stamp)) = Variant::load(plain_path, &look, None, memory)? else { return Ok(None) };
        // A sibling older than the file was made from the version before it.
        let fresh = |found: Option<(Variant, Stamp)>| match found {
            Some((variant, own)) if own.not_before(stamp) => (Some(variant), Some(own)),
            Some((_, own)) => (None, Some(own)),
            None => (None, None),
        };
        let (br, br_stamp) = fresh(Variant::load(br_path, &look, Some("br"), memory)?);
        let (gzip, gzip_stamp) = fresh(Variant::load(gzip_path, &look, Some("gzip"), memory)?);
        let held = [Some(&plain), br.as_ref(), gzip.as_ref()];
        let weight = held.into_iter().flatten().map(Variant::weight).sum::<usize>() + ENTRY_COST;
        Ok(Some(Self {
            plain,
            br,
            gzip,
            watched: paths.into_iter().zip([Some(stamp), br_stamp, gzip_stamp]).collect(),
            weight,
            checked: AtomicI64::new(now),
            used: AtomicI64::new(now),
        }))
    }
}

impl Variant {
    const fn weight(&self) -> usize {
        match &self.stored {
            Stored::Memory(bytes) => bytes.len(),
            Stored::Disk { .. } => 0,
        }
    }

    fn load(
        path: &Path,
        look: &Look,
        encoding: Option<&'static str>,
        memory: u64,
    ) -> io::Result<Option<(Self, Stamp)>> {
        let mut file = match open_plain(path) {
            Ok(file) => file,
            Err(error) if absent(&error) => return Ok(None),
            Err(error) => return Err(error),
        };
        let metadata = file.metadata()?;
        if !metadata.is_file() {
            return Ok(None);
        }
        let stamp = Stamp::of(&metadata);
        let mut hash = Sha256::new();
        let stored = if stamp.len <= memory {
            let mut bytes = Vec::with_capacity(usize::try_from(stamp.len).unwrap_or(0));
            file.take(memory).read_to_end(&mut bytes)?;
            hash.update(&bytes);
            Stored::Memory(Bytes::from(bytes))
        } else if look.vast {
            hash.update(format!("{stamp:?}"));
            Stored::Disk { path: path.to_owned(), stamp }
        } else {
            let mut buffer = vec![0; 1 << 18];
            loop {
                let read = file.read(&mut buffer)?;
                if read == 0 {
                    break;
                }
                hash.update(buffer.get(..read).unwrap_or_default());
            }
            Stored::Disk { path: path.to_owned(), stamp }
        };
        let len = if let Stored::Memory(bytes) = &stored { bytes.len() as u64 } else { stamp.len };
        Ok(Some((Self::new(look, encoding, &hash.finalize(), len, stored), stamp)))
    }

    fn held(look: &Look, bytes: Bytes, encoding: Option<&'static str>) -> Self {
        let digest = Sha256::digest(&bytes);
        Self::new(look, encoding, &digest, bytes.len() as u64, Stored::Memory(bytes))
    }

    fn new(look: &Look, encoding: Option<&'static str>, digest: &[u8], len: u64, stored: Stored) -> Self {
        let etag = etag(digest);
        let headers = headers_for(look, encoding, &etag, len);
        let mut unchanged = headers.clone();
        for name in
            [header::CONTENT_TYPE, header::CONTENT_LENGTH, header::CONTENT_ENCODING, header::ACCEPT_RANGES]
        {
            unchanged.remove(name);
        }
        Self { headers, unchanged, etag, len, stored }
    }
}

fn headers_for(look: &Look, encoding: Option<&'static str>, etag: &str, len: u64) -> HeaderMap {
    let mut map = HeaderMap::with_capacity(16);
    map.insert(header::CONTENT_TYPE, HeaderValue::from_static(look.content_type));
    map.insert(header::CONTENT_LENGTH, HeaderValue::from(len));
    map.insert(header::CACHE_CONTROL, HeaderValue::from_static(look.cache_control));
    map.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    if let Ok(value) = HeaderValue::from_str(etag) {
        map.insert(header::ETAG, value);
    }
    match encoding {
        Some(encoding) => map.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding)),
        None => map.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes")),
    };
    match &look.policy {
        Some(policy) => headers::page(&mut map, policy.clone()),
        None => {
            map.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, headers::EXPOSED);
            headers::secure(&mut map);
        }
    }
    map
}

/// A strong tag: the first 128 bits of the SHA-256 of the bytes that are sent.
fn etag(digest: &[u8]) -> String {
    use std::fmt::Write;
    let mut tag = String::with_capacity(34);
    tag.push('"');
    for byte in digest.iter().take(16) {
        let _ = write!(tag, "{byte:02x}");
    }
    tag.push('"');
    tag
}

/// Opens a file, never through a link.
pub(in crate::public) fn open_plain(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK).open(path)
}

/// Whether every folder between the root and the file is a folder and no link.
fn folders_are_plain(root: &Path, relative: &str) -> bool {
    let mut at = root.to_owned();
    let mut names = relative.split('/').peekable();
    while let Some(name) = names.next() {
        if names.peek().is_none() {
            break;
        }
        at.push(name);
        if !at.symlink_metadata().is_ok_and(|found| found.is_dir()) {
            return false;
        }
    }
    true
}

fn absent(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory | io::ErrorKind::InvalidInput
    ) || error.raw_os_error() == Some(libc::ELOOP)
}
