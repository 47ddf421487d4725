//! age v1 (C2SP age.md) behind types of our own: recipients, identities, an encrypting writer and a decrypting reader
//! whose failures say what is wrong and where.

use std::fmt;
use std::io::{self, BufRead, BufReader, Chain, Cursor, Read, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use age::armor::{ArmoredReader, ArmoredWriter, Format};
use age::secrecy::{ExposeSecret, SecretString};
use bech32::{Bech32, Hrp};
use zeroize::{Zeroize, Zeroizing};

/// Most recipients that one file is encrypted to.
pub const MAX_RECIPIENTS: usize = 64;
/// Longest age header read, in bytes and lines. The parser behind starts over with every line, so that a header's
/// cost is one times the other; these allow for over a hundred recipients.
const MAX_HEADER_BYTES: u64 = 16 * 1024;
const MAX_HEADER_LINES: usize = 400;
const BUFFER_BYTES: usize = 16 * 1024;
/// An encrypted chunk of an age payload: 64 KiB and a tag of 16 bytes.
const CHUNK_BYTES: u64 = 64 * 1024 + 16;
/// Highest scrypt work factor tried (2^N): some seconds of work, 1 GiB of memory at most.
const MAX_WORK_FACTOR: u8 = 20;

/// Why a key in text form is refused. The text itself is never repeated.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Not `age1…`.
    #[error("recipient: not an age recipient; it starts with age1 and is 62 characters long, copy it whole")]
    NotRecipient,
    /// `age1…` whose checksum or length is wrong.
    #[error("recipient: the age1… text is damaged ({0}); copy it again")]
    DamagedRecipient(&'static str),
    /// Not `AGE-SECRET-KEY-1…`.
    #[error("line {line}: not an age identity; a line starts with AGE-SECRET-KEY-1 or with # for a comment")]
    NotIdentity {
        /// Line in the identity file, counted from 1.
        line: usize,
    },
    /// `AGE-SECRET-KEY-1…` whose checksum or length is wrong.
    #[error("line {line}: the age identity is damaged ({reason}); restore the file from its backup")]
    DamagedIdentity {
        /// Line in the identity file, counted from 1.
        line: usize,
        /// What doesn't hold.
        reason: &'static str,
    },
    /// A recipient where the secret half is needed.
    #[error(
        "line {line}: this is a recipient (age1…), the public half; give the file with AGE-SECRET-KEY-1…"
    )]
    PublicHalf {
        /// Line in the identity file, counted from 1.
        line: usize,
    },
    /// A kind of identity that isn't opened here.
    #[error(
        "line {line}: plugin and post-quantum identities aren't supported yet; give an X25519 identity (AGE-SECRET-KEY-1…)"
    )]
    Unsupported {
        /// Line in the identity file, counted from 1.
        line: usize,
    },
    /// A file with comments only.
    #[error("identity file: no identity in it; give the file that age-keygen wrote")]
    NoIdentity,
    /// More than a sensible number of lines.
    #[error("identity file: more than {0} lines; give a file with identities only")]
    TooLong(usize),
}

/// The public half of an X25519 key, `age1…`. It can only seal.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Recipient(String);

impl Recipient {
    /// The `age1…` text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn key(&self) -> Result<age::x25519::Recipient, KeyError> {
        self.0.parse().map_err(KeyError::DamagedRecipient)
    }
}

impl std::str::FromStr for Recipient {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let text = text.trim();
        if !text.starts_with("age1") || text.len() > 90 {
            return Err(KeyError::NotRecipient);
        }
        let key: age::x25519::Recipient = text.parse().map_err(KeyError::DamagedRecipient)?;
        Ok(Self(key.to_string()))
    }
}

impl fmt::Display for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A secret that opens. It has no `Debug` and no `Display`, and is wiped when dropped.
#[derive(Clone)]
pub struct Identity(Kind);

#[derive(Clone)]
enum Kind {
    X25519(age::x25519::Identity),
    Passphrase(SecretString),
}

impl Identity {
    /// The X25519 identity whose 32 secret bytes these are (clamped in use, RFC 7748).
    ///
    /// # Errors
    /// [`KeyError::DamagedIdentity`] should the encoding fail, which 32 bytes never do.
    pub fn from_secret_bytes(secret: &[u8; 32]) -> Result<Self, KeyError> {
        let damaged = |reason| KeyError::DamagedIdentity { line: 1, reason };
        let hrp = Hrp::parse("age-secret-key-").map_err(|_| damaged("prefix"))?;
        let mut text = bech32::encode_upper::<Bech32>(hrp, secret).map_err(|_| damaged("encoding"))?;
        let key = text.parse().map_err(damaged);
        text.zeroize();
        Ok(Self(Kind::X25519(key?)))
    }

    /// An identity that opens what was encrypted with a passphrase (`age -p`), such as a kept recovery file.
    #[must_use]
    pub fn from_passphrase(passphrase: &str) -> Self {
        Self(Kind::Passphrase(SecretString::from(passphrase.to_owned())))
    }

    /// Reads one `AGE-SECRET-KEY-1…`.
    ///
    /// # Errors
    /// A [`KeyError`] that says what the text is instead.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        Self::parse_line(1, text.trim())
    }

    pub(crate) fn parse_line(line: usize, text: &str) -> Result<Self, KeyError> {
        if text.starts_with("age1") {
            return Err(KeyError::PublicHalf { line });
        }
        if text.starts_with("AGE-PLUGIN-") || text.starts_with("AGE-SECRET-KEY-PQ-") {
            return Err(KeyError::Unsupported { line });
        }
        if !text.starts_with("AGE-SECRET-KEY-1") {
            return Err(KeyError::NotIdentity { line });
        }
        let key = text.parse().map_err(|reason| KeyError::DamagedIdentity { line, reason })?;
        Ok(Self(Kind::X25519(key)))
    }

    /// The public half, or nothing for a passphrase.
    #[must_use]
    pub fn recipient(&self) -> Option<Recipient> {
        match &self.0 {
            Kind::X25519(key) => Some(Recipient(key.to_public().to_string())),
            Kind::Passphrase(_) => None,
        }
    }

    /// The `AGE-SECRET-KEY-1…` text, wiped when dropped; nothing for a passphrase.
    #[must_use]
    pub fn secret_text(&self) -> Option<Zeroizing<String>> {
        match &self.0 {
            Kind::X25519(key) => Some(Zeroizing::new(key.to_string().expose_secret().to_owned())),
            Kind::Passphrase(_) => None,
        }
    }

    fn boxed(&self) -> Box<dyn age::Identity + Send> {
        match &self.0 {
            Kind::X25519(key) => Box::new(key.clone()),
            Kind::Passphrase(text) => {
                let mut key = age::scrypt::Identity::new(text.clone());
                key.set_max_work_factor(MAX_WORK_FACTOR);
                Box::new(key)
            }
        }
    }
}

/// Why nothing could be encrypted.
#[derive(Debug, thiserror::Error)]
pub enum EncryptError {
    /// Nobody could open it.
    #[error("recipients: none given; name at least one age1… recipient")]
    NoRecipients,
    /// More than [`MAX_RECIPIENTS`].
    #[error("recipients: {0} given and at most {MAX_RECIPIENTS} fit; use a group's request key instead")]
    TooManyRecipients(usize),
    /// One of the recipients isn't one.
    #[error("recipient {index}: {source}")]
    Recipient {
        /// Which, counted from 1.
        index: usize,
        /// What is wrong with it.
        source: KeyError,
    },
    /// The age library refused.
    #[error("encryption: {0}; check the recipients")]
    Refused(String),
    /// Writing failed.
    #[error("encrypted output: {0}; free space or check the destination, then seal again")]
    Io(#[from] io::Error),
}

/// Encrypts what is written to it. [`EncryptWriter::finish`] must be called, or the file is cut short.
pub struct EncryptWriter<W: Write>(age::stream::StreamWriter<W>);

impl<W: Write> EncryptWriter<W> {
    /// Writes the age header for these recipients to `out`.
    ///
    /// # Errors
    /// See [`EncryptError`].
    pub fn new(recipients: &[Recipient], out: W) -> Result<Self, EncryptError> {
        Ok(Self(encryptor(recipients)?.wrap_output(out)?))
    }

    /// Writes the last chunk and hands the output back.
    ///
    /// # Errors
    /// An I/O error of the output.
    pub fn finish(self) -> io::Result<W> {
        self.0.finish()
    }
}

impl<W: Write> Write for EncryptWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

fn encryptor(recipients: &[Recipient]) -> Result<age::Encryptor, EncryptError> {
    if recipients.is_empty() {
        return Err(EncryptError::NoRecipients);
    }
    if recipients.len() > MAX_RECIPIENTS {
        return Err(EncryptError::TooManyRecipients(recipients.len()));
    }
    let mut keys = Vec::with_capacity(recipients.len());
    for (at, recipient) in recipients.iter().enumerate() {
        let index = at.saturating_add(1);
        keys.push(recipient.key().map_err(|source| EncryptError::Recipient { index, source })?);
    }
    age::Encryptor::with_recipients(keys.iter().map(|k| k as &dyn age::Recipient))
        .map_err(|e| EncryptError::Refused(e.to_string()))
}

/// Parses `age1…` texts.
///
/// # Errors
/// [`EncryptError::Recipient`] for the first that isn't one, or the limits of [`EncryptError`].
pub fn parse_recipients<S: AsRef<str>>(texts: &[S]) -> Result<Vec<Recipient>, EncryptError> {
    if texts.is_empty() {
        return Err(EncryptError::NoRecipients);
    }
    if texts.len() > MAX_RECIPIENTS {
        return Err(EncryptError::TooManyRecipients(texts.len()));
    }
    let parse = |(at, text): (usize, &S)| {
        let index = at.saturating_add(1);
        text.as_ref().parse().map_err(|source| EncryptError::Recipient { index, source })
    };
    texts.iter().enumerate().map(parse).collect()
}

/// Encrypts a small text into armored age (C2SP age.md, ASCII armor).
///
/// # Errors
/// See [`EncryptError`].
pub fn encrypt_armored(bytes: &[u8], recipients: &[Recipient]) -> Result<String, EncryptError> {
    let armor = ArmoredWriter::wrap_output(Vec::new(), Format::AsciiArmor)?;
    let mut writer = encryptor(recipients)?.wrap_output(armor)?;
    writer.write_all(bytes)?;
    let text = writer.finish()?.finish()?;
    String::from_utf8(text).map_err(|e| EncryptError::Refused(e.to_string()))
}

/// Why an age file can't be opened. Offsets count bytes of the file as given.
#[derive(Debug, thiserror::Error)]
pub enum DecryptError {
    /// It doesn't start as an age file does.
    #[error("encrypted file: not an age v1 file; check that the whole, unchanged file was given")]
    NotAge,
    /// It starts as one, and the header breaks the format.
    #[error("encrypted file: the age header is malformed; ask for the file again")]
    BadHeader,
    /// The armor around it breaks the format.
    #[error("encrypted file: the age armor is malformed; copy the text again, from BEGIN to END")]
    BadArmor,
    /// A key opened it, and the header was changed afterwards.
    #[error("encrypted file: the age header was altered after sealing; ask for the file again")]
    HeaderAltered,
    /// Nobody given can open it.
    #[error(
        "encrypted file: none of the {identities} identities given opens it; use the one whose recipient the request names"
    )]
    NoMatch {
        /// How many were tried.
        identities: usize,
    },
    /// It ends before its end.
    #[error("encrypted file: cut short at byte {at}; transfer it again")]
    Truncated {
        /// Length of what there is.
        at: u64,
    },
    /// A chunk doesn't verify.
    #[error(
        "encrypted file: altered near byte {near}; transfer it again, and compare its SHA-256 with the receipt"
    )]
    Altered {
        /// Start of the chunk of 64 KiB that doesn't verify.
        near: u64,
    },
    /// The last chunk doesn't verify, and without the expected length nobody can tell which it was.
    #[error("encrypted file: its end, from byte {near}, is cut short or altered; transfer it again")]
    DamagedEnd {
        /// Start of the last chunk.
        near: u64,
    },
    /// More plaintext than the caller allows.
    #[error("encrypted file: holds more than {limit} bytes; raise the limit if this is expected")]
    TooLarge {
        /// The limit, in bytes.
        limit: u64,
    },
    /// Reading failed.
    #[error("encrypted file: reading failed: {0}; check the disk or connection, then open it again")]
    Io(#[source] io::Error),
}

/// How the bytes are wrapped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wrapping {
    /// Raw age, as envelopes are.
    Binary,
    /// ASCII armor, as small texts are.
    Armored,
}

struct Counter<R> {
    inner: R,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    read: AtomicU64,
    ended: AtomicBool,
}

impl<R: Read> Read for Counter<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(buffer)?;
        self.shared.read.fetch_add(n as u64, Ordering::Relaxed);
        if n == 0 && !buffer.is_empty() {
            self.shared.ended.store(true, Ordering::Relaxed);
        }
        Ok(n)
    }
}

/// Plaintext of an age file, in order, each chunk authenticated before it is released.
pub struct DecryptReader<R: Read> {
    stream: age::stream::StreamReader<Chain<Cursor<Vec<u8>>, Unwrapped<R>>>,
    shared: Arc<Shared>,
    expected_len: Option<u64>,
    armored: bool,
}

/// The first line, read to look at it, and the rest.
type Prefixed<R> = Chain<Cursor<Vec<u8>>, BufReader<Counter<R>>>;

enum Unwrapped<R: Read> {
    Binary(BufReader<Counter<R>>),
    Armored(Box<ArmoredReader<BufReader<Prefixed<R>>>>),
}

impl<R: Read> Read for Unwrapped<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Binary(r) => r.read(buffer),
            Self::Armored(r) => r.read(buffer),
        }
    }
}

impl<R: Read> BufRead for Unwrapped<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        match self {
            Self::Binary(r) => r.fill_buf(),
            Self::Armored(r) => r.fill_buf(),
        }
    }

    fn consume(&mut self, n: usize) {
        match self {
            Self::Binary(r) => r.consume(n),
            Self::Armored(r) => r.consume(n),
        }
    }
}

impl<R: Read> DecryptReader<R> {
    /// Reads the header and finds the identity that opens it. `expected_len` (from a receipt) lets a damaged end be
    /// called cut short or altered.
    ///
    /// # Errors
    /// See [`DecryptError`].
    pub fn new(
        input: R,
        identities: &[Identity],
        wrapping: Wrapping,
        expected_len: Option<u64>,
    ) -> Result<Self, DecryptError> {
        let shared = Arc::new(Shared::default());
        let counter =
            BufReader::with_capacity(BUFFER_BYTES, Counter { inner: input, shared: Arc::clone(&shared) });
        let armored = wrapping == Wrapping::Armored;
        let mut buffered = match wrapping {
            Wrapping::Binary => Unwrapped::Binary(counter),
            Wrapping::Armored => armor(counter)?,
        };
        let header = read_header(&mut buffered, armored)?;
        let buffered = Cursor::new(header).chain(buffered);
        let fail = |e| header_error(e, identities.len(), armored);
        let decryptor = age::Decryptor::new_buffered(buffered).map_err(fail)?;
        let keys: Vec<_> = identities.iter().map(Identity::boxed).collect();
        let stream =
            decryptor.decrypt(keys.iter().map(|k| k.as_ref() as &dyn age::Identity)).map_err(fail)?;
        Ok(Self { stream, shared, expected_len, armored })
    }

    /// Reads up to `buffer.len()` bytes; 0 only once the end has verified.
    ///
    /// # Errors
    /// See [`DecryptError`].
    pub fn read_some(&mut self, buffer: &mut [u8]) -> Result<usize, DecryptError> {
        loop {
            match self.stream.read(buffer) {
                Ok(n) => return Ok(n),
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(self.payload_error(e)),
            }
        }
    }

    fn payload_error(&self, error: io::Error) -> DecryptError {
        if error.get_ref().is_some_and(|e| e.is::<age::armor::ArmoredReadError>()) {
            return DecryptError::BadArmor;
        }
        let read = self.shared.read.load(Ordering::Relaxed);
        let ended = self.shared.ended.load(Ordering::Relaxed);
        match error.kind() {
            io::ErrorKind::UnexpectedEof => DecryptError::Truncated { at: read },
            io::ErrorKind::InvalidData if self.armored => DecryptError::DamagedEnd { near: 0 },
            io::ErrorKind::InvalidData => {
                let near = read.saturating_sub(CHUNK_BYTES);
                match self.expected_len {
                    Some(expected) if ended && read < expected => DecryptError::Truncated { at: read },
                    None if ended => DecryptError::DamagedEnd { near },
                    _ => DecryptError::Altered { near },
                }
            }
            _ => DecryptError::Io(error),
        }
    }
}

/// Skips white space before the armor, as the format allows, and refuses what isn't armor: the reader behind would
/// take that for a binary file.
fn armor<R: Read>(mut input: BufReader<Counter<R>>) -> Result<Unwrapped<R>, DecryptError> {
    const MAX_BLANK: usize = 1024;
    let mut skipped = 0_usize;
    loop {
        let start = input.fill_buf().map_err(DecryptError::Io)?;
        let blank = start.iter().take_while(|b| b.is_ascii_whitespace()).count();
        skipped = skipped.saturating_add(blank);
        if blank == 0 || skipped > MAX_BLANK {
            let mut first = Vec::new();
            input.by_ref().take(MAX_BLANK as u64).read_until(b'\n', &mut first).map_err(DecryptError::Io)?;
            if !first.starts_with(b"-----BEGIN AGE ENCRYPTED FILE-----") {
                return Err(DecryptError::BadArmor);
            }
            let whole = Cursor::new(first).chain(input);
            return Ok(Unwrapped::Armored(Box::new(ArmoredReader::new(whole))));
        }
        input.consume(blank);
    }
}

/// Reads the header, up to its MAC line, and refuses what the parser behind is lenient about: a body whose last line
/// isn't shorter than 64 characters.
fn read_header<R: Read>(input: &mut Unwrapped<R>, armored: bool) -> Result<Vec<u8>, DecryptError> {
    const INTRO: &[u8] = b"age-encryption.org/v1";
    let mut header = Vec::new();
    let mut in_body = false;
    for _ in 0..MAX_HEADER_LINES {
        let start = header.len();
        let room = MAX_HEADER_BYTES.saturating_sub(start as u64);
        input.by_ref().take(room).read_until(b'\n', &mut header).map_err(|e| read_error(e, armored))?;
        if start == 0 && !header.starts_with(INTRO) {
            return Err(DecryptError::NotAge);
        }
        let Some(line) = header.get(start..).unwrap_or_default().strip_suffix(b"\n") else {
            break;
        };
        if in_body && line.starts_with(b"-") {
            return Err(DecryptError::BadHeader);
        }
        if start == 0 && line != INTRO {
            return Err(DecryptError::NotAge);
        }
        if line.starts_with(b"---") {
            return Ok(header);
        }
        in_body = line.starts_with(b"->") || (in_body && line.len() >= 64);
    }
    Err(DecryptError::BadHeader)
}

fn read_error(error: io::Error, armored: bool) -> DecryptError {
    match error.kind() {
        io::ErrorKind::InvalidData if armored => DecryptError::BadArmor,
        io::ErrorKind::InvalidData => DecryptError::BadHeader,
        io::ErrorKind::UnexpectedEof => DecryptError::BadHeader,
        _ => DecryptError::Io(error),
    }
}

fn header_error(error: age::DecryptError, identities: usize, armored: bool) -> DecryptError {
    match error {
        age::DecryptError::NoMatchingKeys | age::DecryptError::DecryptionFailed => {
            DecryptError::NoMatch { identities }
        }
        age::DecryptError::KeyDecryptionFailed => DecryptError::NoMatch { identities },
        age::DecryptError::InvalidMac => DecryptError::HeaderAltered,
        age::DecryptError::Io(e) => read_error(e, armored),
        // Also `UnknownFormat`: the version line was checked, so it means that what follows doesn't parse.
        _ => DecryptError::BadHeader,
    }
}

/// Opens a small armored text of at most `limit` bytes. The answer is wiped when dropped.
///
/// # Errors
/// See [`DecryptError`].
pub fn decrypt_armored(
    text: &str,
    identities: &[Identity],
    limit: u64,
) -> Result<Zeroizing<Vec<u8>>, DecryptError> {
    if !text.trim_start().starts_with("-----BEGIN AGE ENCRYPTED FILE-----") {
        return Err(DecryptError::NotAge);
    }
    let mut reader = DecryptReader::new(text.as_bytes(), identities, Wrapping::Armored, None)?;
    let mut plain = Zeroizing::new(Vec::new());
    let mut buffer = Zeroizing::new(vec![0; 8 * 1024]);
    loop {
        let n = reader.read_some(&mut buffer)?;
        if n == 0 {
            return Ok(plain);
        }
        if (plain.len() as u64).saturating_add(n as u64) > limit {
            return Err(DecryptError::TooLarge { limit });
        }
        plain.extend_from_slice(buffer.get(..n).unwrap_or_default());
    }
}
