//! Opening: reader and ciphertext hash ‖ age ‖ tar, digests and sink. Every manifest is verified in the same pass.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read, Write};
use std::thread;

use sha2::{Digest, Sha256};

use super::sink::EnvelopeSink;
use super::{CLIPS, Clip, MAX_ENTRIES, MAX_TAG_BYTES};
use crate::bag::tario::{PayloadSink, TarBag};
use crate::bag::{Algorithm, Defect, DefectKind, Limits, Report, Severity, TarError, Verdict, listed_paths};
use crate::crypt::{DecryptError, DecryptReader, Identity, Recipient, Wrapping};
use crate::names::{NameError, check_name, fold};
use crate::pipe::{self, PipeReader, PipeWriter};

/// The tag files of an envelope; it has no others.
const TAGS: [&str; 8] = [
    "bagit.txt",
    "bag-info.txt",
    "manifest-sha256.txt",
    "tagmanifest-sha256.txt",
    "request.json",
    "consent.json",
    "contact.json",
    "mailbox.txt",
];

/// Limits and expectations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpenOptions {
    /// Most bytes of clips in all.
    pub max_payload_bytes: u64,
    /// Length of the ciphertext where it is known (from the receipt).
    pub expected_len: Option<u64>,
    /// SHA-256 of the ciphertext where it is known (from the receipt).
    pub expected_sha256: Option<[u8; 32]>,
}

impl OpenOptions {
    /// At most this many bytes of clips; nothing known about the ciphertext.
    #[must_use]
    pub fn with_limit(max_payload_bytes: u64) -> Self {
        Self { max_payload_bytes, expected_len: None, expected_sha256: None }
    }
}

/// An envelope that was opened and verified.
#[derive(Clone, PartialEq, Eq)]
pub struct Opened {
    /// The clips, in the order of the envelope.
    pub clips: Vec<Clip>,
    /// `request.json`, byte for byte. Its signature is for the caller to check.
    pub request: Vec<u8>,
    /// `consent.json`, byte for byte.
    pub consent: Vec<u8>,
    /// `contact.json`, where the resident chose to be named.
    pub contact: Option<Vec<u8>>,
    /// Where answers may be sealed to.
    pub mailbox: Option<Recipient>,
    /// Labels and values of `bag-info.txt`.
    pub info: Vec<(String, String)>,
    /// Remarks; none of them makes the envelope invalid.
    pub defects: Vec<Defect>,
    /// SHA-256 of the ciphertext.
    pub ciphertext_sha256: [u8; 32],
    /// Length of the ciphertext in bytes.
    pub ciphertext_len: u64,
}

/// Why an envelope isn't opened. Nothing of it is kept.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The age layer.
    #[error(transparent)]
    Decrypt(#[from] DecryptError),
    /// The tar layer.
    #[error(transparent)]
    Tar(#[from] TarError),
    /// A clip's name.
    #[error(transparent)]
    Name(#[from] NameError),
    /// The bag layer: every defect.
    #[error("envelope: the bag inside is invalid: {}; ask the sender to seal it again", summary(.0))]
    Bag(Vec<Defect>),
    /// A file that must be there.
    #[error("envelope: {0} is missing from the bag; ask the sender to seal it again")]
    Missing(&'static str),
    /// `mailbox.txt` holds something else.
    #[error("envelope: mailbox.txt isn't an age1… recipient; ask the sender to seal it again")]
    Mailbox,
    /// Not the ciphertext that the receipt names.
    #[error("envelope: its SHA-256 isn't the one in the receipt; fetch it again from the inbox")]
    OtherCiphertext,
    /// The sink failed.
    #[error("opened clips: writing failed: {0}; free space or choose another directory, then open it again")]
    Sink(#[source] io::Error),
    /// A thread died, which is a bug here.
    #[error("opening stopped without a reason; report this as a bug")]
    Stopped,
}

fn summary(defects: &[Defect]) -> String {
    let mut errors = defects.iter().filter(|d| d.severity == Severity::Error);
    let first = errors.next().map(ToString::to_string).unwrap_or_default();
    let more = errors.count();
    if more == 0 { first } else { format!("{first} (and {more} more)") }
}

/// Opens an envelope, verifies all of it, and only then commits the sink.
///
/// Memory: about 16 MiB, and what the tag files and names take.
///
/// # Errors
/// See [`OpenError`]. The sink is discarded.
pub fn open<R: Read + Send>(
    ciphertext: R,
    identities: &[Identity],
    options: OpenOptions,
    sink: &mut dyn EnvelopeSink,
) -> Result<Opened, OpenError> {
    let result = read_all(ciphertext, identities, options, sink).and_then(|opened| {
        sink.commit().map_err(OpenError::Sink)?;
        Ok(opened)
    });
    if result.is_err() {
        sink.discard();
    }
    result
}

fn read_all<R: Read + Send>(
    ciphertext: R,
    identities: &[Identity],
    options: OpenOptions,
    sink: &mut dyn EnvelopeSink,
) -> Result<Opened, OpenError> {
    let limits = Limits {
        entries: MAX_ENTRIES,
        tag_file_bytes: MAX_TAG_BYTES,
        tag_bytes: MAX_TAG_BYTES.saturating_mul(TAGS.len() as u64),
        payload_bytes: options.max_payload_bytes,
    };
    let (cipher_in, cipher_out) = pipe::pipe();
    let (plain_in, plain_out) = pipe::pipe();
    let mut clips = ClipWriter { sink, failed: None, names: Vec::new(), folded: BTreeSet::new() };
    let mut bag = TarBag::new(limits, &[Algorithm::Sha256]);
    let (sha256, length) = thread::scope(|scope| {
        let reading = scope.spawn(move || hash_through(ciphertext, cipher_in));
        let decrypting = scope.spawn(move || decrypt(cipher_out, identities, options.expected_len, plain_in));
        let taken = bag.run(plain_out, &TAGS, &mut clips);
        let decrypted = decrypting.join().map_err(|_| OpenError::Stopped)?;
        let read = reading.join().map_err(|_| OpenError::Stopped)?;
        settle(read, decrypted, taken, &mut clips.failed)
    })?;
    if options.expected_sha256.is_some_and(|expected| expected != sha256) {
        return Err(OpenError::OtherCiphertext);
    }
    let names = clips.names;
    let mut tags = bag.seen.tags.clone();
    check_profile(&mut bag, &tags);
    let report = bag.seen.judge();
    if report.verdict() == Verdict::Invalid {
        return Err(OpenError::Bag(report.defects));
    }
    let clips = clip_list(&report, names);
    let mut take = |name: &'static str| tags.remove(name);
    Ok(Opened {
        clips,
        request: take("request.json").ok_or(OpenError::Missing("request.json"))?,
        consent: take("consent.json").ok_or(OpenError::Missing("consent.json"))?,
        contact: take("contact.json"),
        mailbox: take("mailbox.txt").map(|b| mailbox(&b)).transpose()?,
        info: report.info,
        defects: report.defects,
        ciphertext_sha256: sha256,
        ciphertext_len: length,
    })
}

/// Of several failures, the one that the others echo.
fn settle(
    read: io::Result<([u8; 32], u64)>,
    decrypted: Result<(), DecryptError>,
    taken: Result<(), TarError>,
    failed: &mut Option<OpenError>,
) -> Result<([u8; 32], u64), OpenError> {
    if let Some(error) = failed.take() {
        return Err(error);
    }
    match taken {
        Err(TarError::Io(e)) if pipe::is_broken(&e) => {}
        Err(e) => return Err(e.into()),
        Ok(()) => {}
    }
    let broken = match decrypted {
        Err(DecryptError::Io(e)) if pipe::is_broken(&e) => true,
        Err(e) => return Err(e.into()),
        Ok(()) => false,
    };
    match read {
        Ok(_) if broken => Err(OpenError::Stopped),
        Ok(done) => Ok(done),
        Err(e) => Err(DecryptError::Io(e).into()),
    }
}

fn hash_through<R: Read>(mut input: R, mut out: PipeWriter) -> io::Result<([u8; 32], u64)> {
    let mut hasher = Sha256::new();
    let mut length = 0_u64;
    let mut buffer = vec![0; 256 * 1024];
    loop {
        let n = match input.read(&mut buffer) {
            Ok(0) => break,
            Ok(n) => n,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
            Err(e) => return Err(e),
        };
        let bytes = buffer.get(..n).unwrap_or_default();
        hasher.update(bytes);
        length = length.saturating_add(n as u64);
        out.write_all(bytes)?;
    }
    out.finish()?;
    Ok((hasher.finalize().into(), length))
}

fn decrypt(
    input: PipeReader,
    identities: &[Identity],
    expected_len: Option<u64>,
    mut out: PipeWriter,
) -> Result<(), DecryptError> {
    let mut reader = DecryptReader::new(input, identities, Wrapping::Binary, expected_len)?;
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let n = reader.read_some(&mut buffer)?;
        if n == 0 {
            break;
        }
        out.write_all(buffer.get(..n).unwrap_or_default()).map_err(DecryptError::Io)?;
    }
    out.finish().map_err(DecryptError::Io)
}

/// Hands payload on to the sink, under names that are checked.
struct ClipWriter<'a> {
    sink: &'a mut dyn EnvelopeSink,
    /// What failed that isn't a fault of the tar.
    failed: Option<OpenError>,
    names: Vec<String>,
    folded: BTreeSet<String>,
}

impl ClipWriter<'_> {
    fn stop(&mut self, error: OpenError) -> TarError {
        self.failed = Some(error);
        TarError::Io(io::Error::other("the clip was refused"))
    }
}

impl PayloadSink for ClipWriter<'_> {
    fn start(&mut self, path: &str, size: u64) -> Result<(), TarError> {
        let index = self.names.len().saturating_add(1);
        let Some(name) = path.strip_prefix(CLIPS) else {
            let found = "an envelope has payload under data/clips/ only".to_owned();
            let defect = Defect {
                severity: Severity::Error,
                kind: DefectKind::MisplacedPath,
                file: path.to_owned(),
                line: None,
                found,
            };
            return Err(self.stop(OpenError::Bag(vec![defect])));
        };
        if let Err(e) = check_name(index, name) {
            return Err(self.stop(e.into()));
        }
        if !self.folded.insert(fold(name)) {
            return Err(self.stop(NameError::Duplicate { index }.into()));
        }
        self.names.push(name.to_owned());
        self.sink.begin(name, size).map_err(|e| self.stop(OpenError::Sink(e)))
    }

    fn bytes(&mut self, bytes: &[u8]) -> Result<(), TarError> {
        self.sink.write(bytes).map_err(|e| self.stop(OpenError::Sink(e)))
    }

    fn end(&mut self) -> Result<(), TarError> {
        self.sink.end().map_err(|e| self.stop(OpenError::Sink(e)))
    }
}

/// What an envelope asks beyond RFC 8493: SHA-256 manifests, nothing to fetch, and no file that no manifest covers.
fn check_profile(bag: &mut TarBag, tags: &BTreeMap<String, Vec<u8>>) {
    for name in ["manifest-sha256.txt", "tagmanifest-sha256.txt", "bag-info.txt"] {
        if !tags.contains_key(name) {
            bag.seen.error(DefectKind::MissingFile, name, "an envelope has this file");
        }
    }
    if let Some(bytes) = tags.get("bagit.txt").filter(|b| !b.starts_with(b"BagIt-Version: 1.0")) {
        let found = format!("an envelope is a bag of version 1.0 ({} bytes found)", bytes.len());
        bag.seen.error(DefectKind::UnsupportedVersion, "bagit.txt", found);
    }
    let listed = tags
        .get("tagmanifest-sha256.txt")
        .map(|b| listed_paths(&String::from_utf8_lossy(b)))
        .unwrap_or_default();
    let others: Vec<String> = bag.seen.files.keys().filter(|f| !f.starts_with("data/")).cloned().collect();
    for name in others {
        if !TAGS.contains(&name.as_str()) {
            bag.seen.error(DefectKind::MisplacedPath, &name, "an envelope has no such file");
        } else if name != "tagmanifest-sha256.txt" && !listed.contains(&name) {
            bag.seen.error(DefectKind::UnlistedFile, &name, "isn't listed in tagmanifest-sha256.txt");
        }
    }
}

fn clip_list(report: &Report, names: Vec<String>) -> Vec<Clip> {
    let clip = |name: String| {
        let file = report.files.get(&format!("{CLIPS}{name}"))?;
        let sha256 = file.digest(Algorithm::Sha256)?.try_into().ok()?;
        Some(Clip { name, size: file.size, sha256 })
    };
    names.into_iter().filter_map(clip).collect()
}

fn mailbox(bytes: &[u8]) -> Result<Recipient, OpenError> {
    std::str::from_utf8(bytes).ok().and_then(|t| t.parse().ok()).ok_or(OpenError::Mailbox)
}
