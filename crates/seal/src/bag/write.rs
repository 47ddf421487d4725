//! Writers of bags: streaming into tar, and into a directory. Version 1.0, SHA-256, UTF-8.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::{self, Read, Write};
use std::path::Path;

use sha2::{Digest, Sha256};
use tar::{EntryType, Header};

use super::{hex, path, tario};
use crate::disk::Staged;
use crate::names::fold;

const BUFFER_BYTES: usize = 256 * 1024;
const DECLARATION: &[u8] = b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n";

/// Why a bag can't be written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// A path that can't be in a bag.
    #[error("bag path {path:?}: {reason}; rename the file")]
    Path {
        /// The path.
        path: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The same path again.
    #[error("bag path {path:?}: added twice; add each file once")]
    Duplicate {
        /// The path.
        path: String,
    },
    /// A file that isn't as long as was said.
    #[error(
        "bag path {path:?}: the file {change} while it was read ({expected} bytes expected); wait until it is complete, then start again"
    )]
    SizeChanged {
        /// The path.
        path: String,
        /// "grew" or "shrank".
        change: &'static str,
        /// The size said before.
        expected: u64,
    },
    /// A `bag-info.txt` label or value with a line end or without text.
    #[error("bag-info.txt, {label:?}: the label or value is empty or has a line end; write it on one line")]
    Info {
        /// The label.
        label: String,
    },
    /// Reading a source failed.
    #[error("bag path {path:?}: reading failed: {source}; check the file, then start again")]
    Read {
        /// The path.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// Writing the bag failed.
    #[error("bag output: {0}; free space or check the destination, then start again")]
    Io(#[from] io::Error),
}

/// What goes into `bag-info.txt` besides `Payload-Oxum`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BagInfo {
    /// `Bagging-Date`, YYYY-MM-DD.
    pub bagging_date: String,
    /// `Bag-Software-Agent`.
    pub software_agent: String,
    /// `External-Identifier`.
    pub external_identifier: Option<String>,
    /// More labels and values, in order.
    pub more: Vec<(String, String)>,
}

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BagSummary {
    /// Payload files: path below `data/`, size in bytes, SHA-256.
    pub payload: Vec<(String, u64, [u8; 32])>,
    /// SHA-256 of the tag manifest, which names everything else.
    pub tagmanifest_sha256: [u8; 32],
}

/// Paths and digests on the way to the manifests.
#[derive(Default)]
struct Lists {
    payload: Vec<(String, u64, [u8; 32])>,
    tags: Vec<(String, [u8; 32])>,
    names: BTreeSet<String>,
}

impl Lists {
    fn admit(&mut self, file: &str) -> Result<(), WriteError> {
        if let Some(reason) = path::unsafe_reason(file).or_else(|| path::unportable_reason(file)) {
            return Err(WriteError::Path { path: file.to_owned(), reason });
        }
        // RFC 8493 has `%` encoded in manifests; bagit-python doesn't decode it. Without it both agree.
        if file.contains('%') {
            return Err(WriteError::Path { path: file.to_owned(), reason: "the path contains %" });
        }
        if !self.names.insert(fold(file)) {
            return Err(WriteError::Duplicate { path: file.to_owned() });
        }
        Ok(())
    }

    fn admit_tag(&mut self, name: &str) -> Result<(), WriteError> {
        let own = name.starts_with("manifest-") || name.starts_with("tagmanifest-") || name == "fetch.txt";
        if own || name == "data" || name.starts_with("data/") {
            return Err(WriteError::Path {
                path: name.to_owned(),
                reason: "the name belongs to the bag itself",
            });
        }
        self.admit(name)
    }

    fn manifest(&self) -> String {
        let mut text = String::new();
        for (file, _, digest) in &self.payload {
            // Writing to a String can't fail.
            let _ = writeln!(text, "{}  data/{}", hex(digest), file);
        }
        text
    }

    fn tagmanifest(&self) -> String {
        let mut text = String::new();
        for (file, digest) in &self.tags {
            let _ = writeln!(text, "{}  {}", hex(digest), file);
        }
        text
    }

    fn info(&self, info: &BagInfo) -> Result<String, WriteError> {
        let octets = self.payload.iter().fold(0_u64, |sum, (_, size, _)| sum.saturating_add(*size));
        let oxum = format!("{octets}.{}", self.payload.len());
        let mut rows = vec![
            ("Bag-Software-Agent", info.software_agent.as_str()),
            ("Bagging-Date", info.bagging_date.as_str()),
            ("Payload-Oxum", oxum.as_str()),
        ];
        rows.extend(info.external_identifier.as_deref().map(|id| ("External-Identifier", id)));
        rows.extend(info.more.iter().map(|(label, value)| (label.as_str(), value.as_str())));
        let mut text = String::new();
        for (label, value) in rows {
            let broken = |s: &str| s.trim() != s || s.is_empty() || s.contains(['\r', '\n']);
            if broken(label) || broken(value) || label.contains(':') {
                return Err(WriteError::Info { label: label.to_owned() });
            }
            let _ = writeln!(text, "{label}: {value}");
        }
        Ok(text)
    }
}

fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// How the archive looks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TarOptions {
    /// The base directory (RFC 8493 section 4). One plain name.
    pub base: String,
    /// Modification time of every entry, in seconds since 1970.
    pub mtime: u64,
}

/// Writes a bag into a tar stream: `bagit.txt`, the payload as it is added, then manifests and tag files.
pub struct BagTarWriter<W: Write> {
    out: W,
    options: TarOptions,
    lists: Lists,
    buffer: Vec<u8>,
}

impl<W: Write> BagTarWriter<W> {
    /// Starts the archive.
    ///
    /// # Errors
    /// [`WriteError::Path`] for a base that isn't one plain name, or an I/O error.
    pub fn new(out: W, options: TarOptions) -> Result<Self, WriteError> {
        if crate::names::check_name(0, &options.base).is_err() || options.base == "data" {
            return Err(WriteError::Path {
                path: options.base,
                reason: "the base directory isn't a plain name",
            });
        }
        let mut writer = Self { out, options, lists: Lists::default(), buffer: vec![0; BUFFER_BYTES] };
        writer.tag("bagit.txt", DECLARATION)?;
        Ok(writer)
    }

    /// Adds a payload file of exactly `size` bytes as `data/<path>`; answers its SHA-256.
    ///
    /// # Errors
    /// See [`WriteError`]. The archive is of no use afterwards.
    pub fn payload(&mut self, path: &str, size: u64, source: &mut dyn Read) -> Result<[u8; 32], WriteError> {
        let full = format!("data/{path}");
        self.lists.admit(&full)?;
        self.header(&full, size)?;
        let mut hasher = Sha256::new();
        let mut left = size;
        loop {
            let n = read_some(source, &mut self.buffer)
                .map_err(|source| WriteError::Read { path: full.clone(), source })?;
            let changed = |change| WriteError::SizeChanged { path: full.clone(), change, expected: size };
            if n == 0 && left > 0 {
                return Err(changed("shrank"));
            }
            if n as u64 > left {
                return Err(changed("grew"));
            }
            if n == 0 {
                break;
            }
            let bytes = self.buffer.get(..n).unwrap_or_default();
            hasher.update(bytes);
            self.out.write_all(bytes)?;
            left = left.saturating_sub(n as u64);
        }
        self.pad(size)?;
        let digest: [u8; 32] = hasher.finalize().into();
        self.lists.payload.push((path.to_owned(), size, digest));
        Ok(digest)
    }

    /// Adds a tag file at the root of the bag.
    ///
    /// # Errors
    /// See [`WriteError`].
    pub fn tag(&mut self, name: &str, bytes: &[u8]) -> Result<(), WriteError> {
        self.lists.admit_tag(name)?;
        self.small(name, bytes)?;
        self.lists.tags.push((name.to_owned(), sha256(bytes)));
        Ok(())
    }

    /// Writes `bag-info.txt`, the manifests and the end of the archive.
    ///
    /// # Errors
    /// See [`WriteError`].
    pub fn finish(mut self, info: &BagInfo) -> Result<(W, BagSummary), WriteError> {
        let text = self.lists.info(info)?;
        self.tag("bag-info.txt", text.as_bytes())?;
        let manifest = self.lists.manifest();
        self.small("manifest-sha256.txt", manifest.as_bytes())?;
        self.lists.tags.push(("manifest-sha256.txt".to_owned(), sha256(manifest.as_bytes())));
        let tagmanifest = self.lists.tagmanifest();
        self.small("tagmanifest-sha256.txt", tagmanifest.as_bytes())?;
        self.out.write_all(&[0; 1024])?;
        self.out.flush()?;
        let summary =
            BagSummary { payload: self.lists.payload, tagmanifest_sha256: sha256(tagmanifest.as_bytes()) };
        Ok((self.out, summary))
    }

    fn small(&mut self, name: &str, bytes: &[u8]) -> Result<(), WriteError> {
        let size = bytes.len() as u64;
        self.header(name, size)?;
        self.out.write_all(bytes)?;
        self.pad(size)
    }

    /// A GNU header; longer paths in a long-name entry before it, sizes from 8 GiB in base 256.
    fn header(&mut self, path: &str, size: u64) -> Result<(), WriteError> {
        let path = format!("{}/{path}", self.options.base);
        let mut header = Header::new_gnu();
        let field = header.as_old().name.len();
        if path.len() > field {
            let mut long = Header::new_gnu();
            long.set_entry_type(EntryType::GNULongName);
            let length = (path.len() as u64).saturating_add(1);
            self.fill(&mut long, "././@LongLink", length);
            self.out.write_all(long.as_bytes())?;
            self.out.write_all(path.as_bytes())?;
            self.out.write_all(&[0])?;
            self.pad(length)?;
        }
        header.set_entry_type(EntryType::Regular);
        self.fill(&mut header, &path, size);
        self.out.write_all(header.as_bytes())?;
        Ok(())
    }

    fn fill(&self, header: &mut Header, path: &str, size: u64) {
        for (to, from) in header.as_old_mut().name.iter_mut().zip(path.bytes()) {
            *to = from;
        }
        header.set_mode(0o644);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(self.options.mtime);
        header.set_size(size);
        header.set_cksum();
    }

    fn pad(&mut self, size: u64) -> Result<(), WriteError> {
        let zeros = [0; 512];
        let n = usize::try_from(tario::padding(size)).unwrap_or_default();
        self.out.write_all(zeros.get(..n).unwrap_or_default())?;
        Ok(())
    }
}

fn read_some(source: &mut dyn Read, buffer: &mut [u8]) -> io::Result<usize> {
    loop {
        match source.read(buffer) {
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            other => return other,
        }
    }
}

/// Writes a bag into a directory, which gets its name only once it is complete.
pub struct BagDirWriter {
    staged: Staged,
    lists: Lists,
    buffer: Vec<u8>,
}

impl BagDirWriter {
    /// Starts the bag; `dir` must not exist. It is filled as `<dir>.part`.
    ///
    /// # Errors
    /// An I/O error, also when `dir` or `<dir>.part` exists.
    pub fn new(dir: &Path) -> Result<Self, WriteError> {
        let mut writer =
            Self { staged: Staged::create(dir)?, lists: Lists::default(), buffer: vec![0; BUFFER_BYTES] };
        writer.tag("bagit.txt", DECLARATION)?;
        Ok(writer)
    }

    /// Adds a payload file as `data/<path>`; answers its SHA-256.
    ///
    /// # Errors
    /// See [`WriteError`].
    pub fn payload(&mut self, path: &str, source: &mut dyn Read) -> Result<[u8; 32], WriteError> {
        let full = format!("data/{path}");
        self.lists.admit(&full)?;
        let mut file = self.staged.file(&full)?;
        let mut hasher = Sha256::new();
        let mut size = 0_u64;
        loop {
            let n = read_some(source, &mut self.buffer)
                .map_err(|source| WriteError::Read { path: full.clone(), source })?;
            if n == 0 {
                break;
            }
            let bytes = self.buffer.get(..n).unwrap_or_default();
            hasher.update(bytes);
            file.write_all(bytes)?;
            size = size.saturating_add(n as u64);
        }
        file.sync_all()?;
        let digest: [u8; 32] = hasher.finalize().into();
        self.lists.payload.push((path.to_owned(), size, digest));
        Ok(digest)
    }

    /// Adds a tag file; its name may name directories outside of `data/`.
    ///
    /// # Errors
    /// See [`WriteError`].
    pub fn tag(&mut self, name: &str, bytes: &[u8]) -> Result<(), WriteError> {
        self.lists.admit_tag(name)?;
        self.staged.write(name, bytes)?;
        self.lists.tags.push((name.to_owned(), sha256(bytes)));
        Ok(())
    }

    /// Writes `bag-info.txt` and the manifests, and gives the directory its name.
    ///
    /// # Errors
    /// See [`WriteError`].
    pub fn finish(mut self, info: &BagInfo) -> Result<BagSummary, WriteError> {
        let text = self.lists.info(info)?;
        self.tag("bag-info.txt", text.as_bytes())?;
        if self.lists.payload.is_empty() {
            self.staged.directory("data")?;
        }
        let manifest = self.lists.manifest();
        self.staged.write("manifest-sha256.txt", manifest.as_bytes())?;
        self.lists.tags.push(("manifest-sha256.txt".to_owned(), sha256(manifest.as_bytes())));
        let tagmanifest = self.lists.tagmanifest();
        self.staged.write("tagmanifest-sha256.txt", tagmanifest.as_bytes())?;
        self.staged.commit()?;
        let tagmanifest_sha256 = sha256(tagmanifest.as_bytes());
        Ok(BagSummary { payload: std::mem::take(&mut self.lists.payload), tagmanifest_sha256 })
    }
}
