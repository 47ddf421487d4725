//! Signed notes and their keys (C2SP signed-note, tlog-cosignature).
//!
//! Two signature types: Ed25519 over the text (`0x01`, what a log signs with) and timestamped Ed25519 cosignatures of
//! checkpoints (`0x04`, what a witness signs with).

use std::fmt;

use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use sha2::{Digest as _, Sha256};
use zeroize::{Zeroize as _, Zeroizing};

use crate::text;

/// Longest note in bytes: room for [`MAX_SIGNATURES`] post-quantum ones.
pub const MAX_NOTE: usize = 512 * 1024;
/// Most signature lines of a note.
pub const MAX_SIGNATURES: usize = 64;
/// Longest key name in bytes.
pub const MAX_NAME: usize = 255;
/// Latest time of a cosignature, in POSIX seconds (2^63 - 1).
pub const MAX_TIME: u64 = i64::MAX.unsigned_abs();

/// Why a note is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// Too long or too many signatures.
    #[error("note is over the limit of 524288 bytes or 64 signatures: drop signatures that nobody checks")]
    Limit,
    /// Not the text of a note.
    #[error("note {0}: take the bytes exactly as they were signed")]
    Form(&'static str),
    /// A signature line is malformed.
    #[error(
        "note, signature line {line} {what}: write an em dash, a space, the key name, a space and base64"
    )]
    Line {
        /// Counted from 1 after the blank line.
        line: usize,
        /// What is wrong with it.
        what: &'static str,
    },
    /// A known key's signature does not verify.
    #[error("note, signature by known key {key} does not verify: the text was altered, refuse the note")]
    BadSignature {
        /// Name of the key.
        key: String,
    },
    /// No known key signed.
    #[error("note carries no signature by a known key: check which key you trust, or ask for a signed note")]
    Unsigned,
    /// The key signs other things.
    #[error(
        "key {key} has the wrong type: log keys (type 1) sign notes, witness keys (type 4) cosign checkpoints"
    )]
    WrongKind {
        /// Name of the key.
        key: String,
    },
    /// A cosignature needs a time from 1 to 2^63 - 1.
    #[error("cosignature time is outside 1 to 2^63 - 1 seconds: check the clock")]
    Time,
}

/// Why a key is refused. Secret material is never part of the message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Not in the form of a key.
    #[error("key {0}: copy the whole line as its owner published it")]
    Form(&'static str),
    /// The hash in the key does not belong to it.
    #[error("key id does not match name and key: the line was altered or mistyped, copy it again")]
    Id,
    /// A signature type that is not used here.
    #[error("key has signature type {0}, only 1 (Ed25519) and 4 (cosignature/v1) are used: take another key")]
    Type(u8),
    /// Not a sound Ed25519 public key.
    #[error("key is not a sound Ed25519 public key: make a new key")]
    Weak,
}

/// What a key signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyKind {
    /// Notes (signature type `0x01`): a log's key.
    Log,
    /// Timestamped cosignatures of checkpoints (signature type `0x04`): a witness's key.
    Cosigner,
}

impl KeyKind {
    /// The signature type byte.
    #[must_use]
    pub fn byte(self) -> u8 {
        match self {
            Self::Log => 1,
            Self::Cosigner => 4,
        }
    }

    fn from_byte(byte: u8) -> Result<Self, KeyError> {
        match byte {
            1 => Ok(Self::Log),
            4 => Ok(Self::Cosigner),
            other => Err(KeyError::Type(other)),
        }
    }
}

/// Whether a text may name a key: not empty, no Unicode space, no plus, no control character, at most 255 bytes.
#[must_use]
pub fn is_key_name(name: &str) -> bool {
    let clean = |c: char| !c.is_whitespace() && c != '+' && c >= ' ';
    !name.is_empty() && name.len() <= MAX_NAME && name.chars().all(clean)
}

fn key_id(name: &str, kind: KeyKind, public: &[u8; 32]) -> u32 {
    let mut hasher = Sha256::new();
    hasher.update(name.as_bytes());
    hasher.update([b'\n', kind.byte()]);
    hasher.update(public);
    let digest: [u8; 32] = hasher.finalize().into();
    let [a, b, c, d, ..] = digest;
    u32::from_be_bytes([a, b, c, d])
}

// name, id and key material of a key line
fn split_key(line: &str) -> Result<(&str, u32, Zeroizing<Vec<u8>>), KeyError> {
    let mut parts = line.splitn(3, '+');
    let (Some(name), Some(id), Some(material)) = (parts.next(), parts.next(), parts.next()) else {
        return Err(KeyError::Form("does not have the three parts name+id+key"));
    };
    if !is_key_name(name) {
        return Err(KeyError::Form("name is empty, too long, or has a space or control character"));
    }
    if id.len() != 8 || !id.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) {
        return Err(KeyError::Form("id is not 8 lowercase hex digits"));
    }
    let id = u32::from_str_radix(id, 16).map_err(|_| KeyError::Form("id is not hex"))?;
    if material.len() > 64 {
        return Err(KeyError::Form("material is too long"));
    }
    let material = text::decode(material).ok_or(KeyError::Form("material is not base64"))?;
    Ok((name, id, Zeroizing::new(material)))
}

/// A public key that verifies signatures (a *vkey*).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifierKey {
    name: String,
    id: u32,
    kind: KeyKind,
    key: VerifyingKey,
}

impl VerifierKey {
    /// A key from its parts.
    ///
    /// # Errors
    /// [`KeyError`] for an unfit name or a weak key.
    pub fn new(name: &str, kind: KeyKind, public: &[u8; 32]) -> Result<Self, KeyError> {
        if !is_key_name(name) {
            return Err(KeyError::Form("name is empty, too long, or has a space or control character"));
        }
        let key = VerifyingKey::from_bytes(public).map_err(|_| KeyError::Weak)?;
        if key.is_weak() {
            return Err(KeyError::Weak);
        }
        Ok(Self { name: name.to_owned(), id: key_id(name, kind, public), kind, key })
    }

    /// Reads `name+id+base64(type || key)`.
    ///
    /// # Errors
    /// [`KeyError`] naming the part at fault.
    pub fn parse(vkey: &str) -> Result<Self, KeyError> {
        let (name, id, material) = split_key(vkey)?;
        let (kind, public) = material.split_first().ok_or(KeyError::Form("material is empty"))?;
        let kind = KeyKind::from_byte(*kind)?;
        let public =
            public.try_into().map_err(|_| KeyError::Form("material is not 32 bytes after its type"))?;
        let key = Self::new(name, kind, public)?;
        if key.id == id { Ok(key) } else { Err(KeyError::Id) }
    }

    /// Name of the key.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The 32-bit id that signature lines carry.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.id
    }

    /// What it verifies.
    #[must_use]
    pub fn kind(&self) -> KeyKind {
        self.kind
    }

    /// The Ed25519 public key (RFC 8032).
    #[must_use]
    pub fn public(&self) -> &[u8; 32] {
        self.key.as_bytes()
    }

    /// Whether a signature line claims to be by this key.
    #[must_use]
    pub fn claims(&self, signature: &NoteSignature) -> bool {
        signature.id == self.id && signature.name == self.name
    }

    /// Checks a signature of a text. For a cosignature, the time it was made, in POSIX seconds.
    ///
    /// # Errors
    /// [`NoteError::BadSignature`].
    pub fn verify(&self, text: &str, signature: &NoteSignature) -> Result<Option<u64>, NoteError> {
        let bad = || NoteError::BadSignature { key: self.name.clone() };
        if !self.claims(signature) {
            return Err(bad());
        }
        match self.kind {
            KeyKind::Log => {
                let signature = Signature::from_slice(&signature.bytes).map_err(|_| bad())?;
                self.key.verify_strict(text.as_bytes(), &signature).map_err(|_| bad())?;
                Ok(None)
            }
            KeyKind::Cosigner => {
                let (time, signature) = signature.bytes.split_first_chunk::<8>().ok_or_else(bad)?;
                let time = u64::from_be_bytes(*time);
                if time == 0 || time > MAX_TIME {
                    return Err(bad());
                }
                let signature = Signature::from_slice(signature).map_err(|_| bad())?;
                self.key.verify_strict(cosigned(text, time).as_bytes(), &signature).map_err(|_| bad())?;
                Ok(Some(time))
            }
        }
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut material = vec![self.kind.byte()];
        material.extend_from_slice(self.public());
        write!(f, "{}+{:08x}+{}", self.name, self.id, text::encode(&material))
    }
}

fn cosigned(text: &str, time: u64) -> String {
    format!("cosignature/v1\ntime {time}\n{text}")
}

/// A secret key that signs. Wiped when dropped; never shown by `Debug`.
#[derive(Clone)]
pub struct SignerKey {
    public: VerifierKey,
    key: SigningKey,
}

impl SignerKey {
    /// A key from 32 random bytes.
    ///
    /// # Errors
    /// [`KeyError`] for an unfit name.
    pub fn from_seed(name: &str, kind: KeyKind, seed: &[u8; 32]) -> Result<Self, KeyError> {
        let key = SigningKey::from_bytes(seed);
        Ok(Self { public: VerifierKey::new(name, kind, key.verifying_key().as_bytes())?, key })
    }

    /// Reads `PRIVATE+KEY+name+id+base64(type || seed)`.
    ///
    /// # Errors
    /// [`KeyError`] naming the part at fault.
    pub fn parse(skey: &str) -> Result<Self, KeyError> {
        let line = skey.strip_prefix("PRIVATE+KEY+").ok_or(KeyError::Form("lacks PRIVATE+KEY+ in front"))?;
        let (name, id, material) = split_key(line)?;
        let (kind, seed) = material.split_first().ok_or(KeyError::Form("material is empty"))?;
        let kind = KeyKind::from_byte(*kind)?;
        let seed = seed.try_into().map_err(|_| KeyError::Form("material is not 32 bytes after its type"))?;
        let key = Self::from_seed(name, kind, seed)?;
        if key.public.id == id { Ok(key) } else { Err(KeyError::Id) }
    }

    /// The secret key as one line, for the file it is kept in.
    #[must_use]
    pub fn to_secret_text(&self) -> Zeroizing<String> {
        let mut material = vec![self.public.kind.byte()];
        material.extend_from_slice(self.key.as_bytes());
        let encoded = Zeroizing::new(text::encode(&material));
        material.zeroize();
        Zeroizing::new(format!("PRIVATE+KEY+{}+{:08x}+{}", self.public.name, self.public.id, *encoded))
    }

    /// The key that verifies.
    #[must_use]
    pub fn verifier(&self) -> &VerifierKey {
        &self.public
    }

    /// Signs a note's text, which ends in a newline.
    ///
    /// # Errors
    /// [`NoteError::WrongKind`] with a witness's key.
    pub fn sign(&self, text: &str) -> Result<NoteSignature, NoteError> {
        if self.public.kind != KeyKind::Log {
            return Err(NoteError::WrongKind { key: self.public.name.clone() });
        }
        Ok(self.line(self.key.sign(text.as_bytes()).to_bytes().to_vec()))
    }

    /// Cosigns a checkpoint's text at a time in POSIX seconds (tlog-cosignature, Ed25519).
    ///
    /// # Errors
    /// [`NoteError::WrongKind`] with a log's key, [`NoteError::Time`].
    pub fn cosign(&self, checkpoint: &str, at: u64) -> Result<NoteSignature, NoteError> {
        if self.public.kind != KeyKind::Cosigner {
            return Err(NoteError::WrongKind { key: self.public.name.clone() });
        }
        if at == 0 || at > MAX_TIME {
            return Err(NoteError::Time);
        }
        let mut bytes = at.to_be_bytes().to_vec();
        bytes.extend_from_slice(&self.key.sign(cosigned(checkpoint, at).as_bytes()).to_bytes());
        Ok(self.line(bytes))
    }

    fn line(&self, bytes: Vec<u8>) -> NoteSignature {
        NoteSignature { name: self.public.name.clone(), id: self.public.id, bytes }
    }
}

impl fmt::Debug for SignerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignerKey").field("public", &self.public).finish_non_exhaustive()
    }
}

/// One signature line of a note.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoteSignature {
    /// Name of the key.
    pub name: String,
    /// Id of the key.
    pub id: u32,
    /// The signature; for a cosignature its time comes first.
    pub bytes: Vec<u8>,
}

impl NoteSignature {
    /// Reads one line without its newline.
    ///
    /// # Errors
    /// [`NoteError::Line`] with the number passed in.
    pub fn parse(text: &str, line: usize) -> Result<Self, NoteError> {
        let wrong = |what| NoteError::Line { line, what };
        let rest =
            text.strip_prefix("\u{2014} ").ok_or(wrong("does not start with an em dash and a space"))?;
        let (name, encoded) = rest.split_once(' ').ok_or(wrong("has no signature after the name"))?;
        if !is_key_name(name) {
            return Err(wrong("has an unfit key name"));
        }
        let decoded = text::decode(encoded).ok_or(wrong("has a signature that is not base64"))?;
        match decoded.split_first_chunk::<4>() {
            Some((id, bytes)) if !bytes.is_empty() => {
                Ok(Self { name: name.to_owned(), id: u32::from_be_bytes(*id), bytes: bytes.to_vec() })
            }
            _ => Err(wrong("has a signature of fewer than 5 bytes")),
        }
    }

    /// Reads lines that each end in a newline, as a witness answers them.
    ///
    /// # Errors
    /// [`NoteError`] naming the line at fault.
    pub fn parse_lines(lines: &str) -> Result<Vec<Self>, NoteError> {
        let body = lines.strip_suffix('\n').ok_or(NoteError::Form("does not end in a newline"))?;
        if body.split('\n').count() > MAX_SIGNATURES {
            return Err(NoteError::Limit);
        }
        body.split('\n').enumerate().map(|(at, line)| Self::parse(line, at + 1)).collect()
    }
}

impl fmt::Display for NoteSignature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = self.id.to_be_bytes().to_vec();
        bytes.extend_from_slice(&self.bytes);
        write!(f, "\u{2014} {} {}", self.name, text::encode(&bytes))
    }
}

/// A text with the signatures under it. Reading one verifies nothing: use [`Note::verify`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// The signed text, with its final newline.
    pub text: String,
    /// The signatures in their order.
    pub signatures: Vec<NoteSignature>,
}

/// A signature that verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verified<'k> {
    /// The key it is by.
    pub key: &'k VerifierKey,
    /// POSIX seconds of a cosignature.
    pub at: Option<u64>,
}

impl Note {
    /// Reads a note.
    ///
    /// # Errors
    /// [`NoteError`] naming what is malformed.
    pub fn parse(bytes: &[u8]) -> Result<Self, NoteError> {
        if bytes.len() > MAX_NOTE {
            return Err(NoteError::Limit);
        }
        let note = std::str::from_utf8(bytes).map_err(|_| NoteError::Form("is not UTF-8"))?;
        if note.chars().any(|c| c < ' ' && c != '\n') {
            return Err(NoteError::Form("has a control character"));
        }
        if !note.ends_with('\n') {
            return Err(NoteError::Form("does not end in a newline"));
        }
        let (text, lines) = note
            .rfind("\n\n")
            .and_then(|at| Some((note.get(..=at)?, note.get(at + 2..)?)))
            .ok_or(NoteError::Form("has no blank line between text and signatures"))?;
        if lines.is_empty() {
            return Err(NoteError::Form("has no signature lines"));
        }
        Ok(Self { text: text.to_owned(), signatures: NoteSignature::parse_lines(lines)? })
    }

    /// Checks every signature that claims to be by one of the keys. Unknown signatures are ignored.
    ///
    /// # Errors
    /// [`NoteError::BadSignature`] if a known key's signature fails, [`NoteError::Unsigned`] if no known key signed.
    pub fn verify<'k>(&self, keys: &[&'k VerifierKey]) -> Result<Vec<Verified<'k>>, NoteError> {
        let mut verified: Vec<Verified<'k>> = Vec::new();
        for signature in &self.signatures {
            for key in keys.iter().filter(|key| key.claims(signature)) {
                let at = key.verify(&self.text, signature)?;
                // A key counts once, however often it signed.
                if !verified.iter().any(|seen| seen.key == *key) {
                    verified.push(Verified { key, at });
                }
            }
        }
        if verified.is_empty() { Err(NoteError::Unsigned) } else { Ok(verified) }
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.text)?;
        self.signatures.iter().try_for_each(|signature| writeln!(f, "{signature}"))
    }
}
