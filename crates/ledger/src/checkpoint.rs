//! Checkpoints (C2SP tlog-checkpoint), and whom to trust for one.

use std::fmt;

use crate::merkle::Hash;
use crate::note::{KeyKind, Note, NoteError, SignerKey, VerifierKey};
use crate::text;

/// Longest line of a checkpoint in bytes.
pub const MAX_LINE: usize = 1024;
/// Most extension lines that are read.
pub const MAX_EXTENSIONS: usize = 16;

/// Why a checkpoint is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    /// The note around it.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// A line of it.
    #[error("checkpoint, line {line} {what}: ask the log for its checkpoint again")]
    Line {
        /// Counted from 1.
        line: usize,
        /// What is wrong.
        what: &'static str,
    },
    /// Over a limit.
    #[error("checkpoint has a line over 1024 bytes or more than 16 extension lines: such a log is not read")]
    Limit,
}

/// The head of a log: how many entries, and the root over them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// Unique name of the log.
    pub origin: String,
    /// Entries in the tree.
    pub size: u64,
    /// Root of the tree (RFC 6962).
    pub root: Hash,
    /// Opaque further lines; Canvass writes none.
    pub extensions: Vec<String>,
}

impl Checkpoint {
    /// Reads the text of a checkpoint, without signatures.
    ///
    /// # Errors
    /// [`CheckpointError`] naming the line at fault.
    pub fn parse(note_text: &str) -> Result<Self, CheckpointError> {
        let wrong = |line, what| CheckpointError::Line { line, what };
        let body = note_text.strip_suffix('\n').ok_or(wrong(1, "does not end in a newline"))?;
        let mut lines = body.split('\n');
        let origin = lines.next().filter(|l| !l.is_empty()).ok_or(wrong(1, "has no origin"))?;
        let size = lines.next().ok_or(wrong(2, "is missing"))?;
        let size = text::decimal(size).ok_or(wrong(2, "is not a tree size in plain decimal below 2^63"))?;
        let root = lines.next().ok_or(wrong(3, "is missing"))?;
        let root = text::decode_hash(root).ok_or(wrong(3, "is not a root hash of 32 bytes in base64"))?;
        let mut extensions = Vec::new();
        for (at, line) in lines.enumerate() {
            if line.is_empty() {
                return Err(wrong(4 + at, "is empty"));
            }
            if at >= MAX_EXTENSIONS || line.len() > MAX_LINE {
                return Err(CheckpointError::Limit);
            }
            extensions.push(line.to_owned());
        }
        if origin.len() > MAX_LINE {
            return Err(CheckpointError::Limit);
        }
        Ok(Self { origin: origin.to_owned(), size, root, extensions })
    }
}

impl fmt::Display for Checkpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}\n{}\n{}", self.origin, self.size, text::encode(&self.root))?;
        self.extensions.iter().try_for_each(|line| writeln!(f, "{line}"))
    }
}

/// A checkpoint and the note it came in. Reading one verifies nothing: use [`Trust::check`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedCheckpoint {
    /// What is signed.
    pub checkpoint: Checkpoint,
    /// The signed bytes and the signatures.
    pub note: Note,
}

impl SignedCheckpoint {
    /// Reads a signed checkpoint.
    ///
    /// # Errors
    /// [`CheckpointError`] naming what is malformed.
    pub fn parse(bytes: &[u8]) -> Result<Self, CheckpointError> {
        let note = Note::parse(bytes)?;
        Ok(Self { checkpoint: Checkpoint::parse(&note.text)?, note })
    }

    /// Signs a checkpoint as its log, and cosigns it with further keys of the operator.
    ///
    /// # Errors
    /// [`NoteError`] for keys of the wrong kind or an unfit time.
    pub fn sign(
        checkpoint: Checkpoint,
        signer: &SignerKey,
        cosigners: &[SignerKey],
        at: u64,
    ) -> Result<Self, NoteError> {
        let text = checkpoint.to_string();
        let mut signatures = vec![signer.sign(&text)?];
        for cosigner in cosigners {
            signatures.push(cosigner.cosign(&text, at)?);
        }
        Ok(Self { checkpoint, note: Note { text, signatures } })
    }
}

impl fmt::Display for SignedCheckpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.note.fmt(f)
    }
}

/// Why a checkpoint is not trusted, or a policy makes no sense.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TrustError {
    /// Malformed.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// Another log's.
    #[error("checkpoint is of log {found}, {expected} expected: check the address of the log")]
    Origin {
        /// The origin that is trusted.
        expected: String,
        /// The origin found.
        found: String,
    },
    /// Not signed by the log.
    #[error("checkpoint is not signed by the log's key: do not rely on it")]
    LogSignature,
    /// Too few known witnesses.
    #[error(
        "checkpoint is cosigned by {found} known witnesses, {needed} needed: wait for a cosigned checkpoint"
    )]
    Quorum {
        /// Witnesses that the policy asks for.
        needed: usize,
        /// Known witnesses that cosigned.
        found: usize,
    },
    /// The policy itself.
    #[error("trust policy: {0}")]
    Policy(&'static str),
}

impl From<NoteError> for TrustError {
    fn from(error: NoteError) -> Self {
        Self::Checkpoint(error.into())
    }
}

/// Whom to believe about one log: its key, and `quorum` of the named witnesses.
#[derive(Debug, Clone)]
pub struct Trust {
    origin: String,
    log: VerifierKey,
    witnesses: Vec<VerifierKey>,
    quorum: usize,
}

/// A checkpoint that a [`Trust`] accepts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trusted {
    /// The checkpoint with its note.
    pub signed: SignedCheckpoint,
    /// Names of the witnesses that cosigned, with the time in POSIX seconds.
    pub cosigned: Vec<(String, u64)>,
}

impl Trust {
    /// A policy; a quorum of 0 trusts the log alone.
    ///
    /// # Errors
    /// [`TrustError::Policy`] for keys of the wrong kind, the same witness key twice, or a quorum out of reach.
    pub fn new(
        origin: impl Into<String>,
        log: VerifierKey,
        witnesses: Vec<VerifierKey>,
        quorum: usize,
    ) -> Result<Self, TrustError> {
        if log.kind() != KeyKind::Log {
            return Err(TrustError::Policy("the log key must have type 1: take the log's own vkey"));
        }
        if witnesses.iter().any(|w| w.kind() != KeyKind::Cosigner) {
            return Err(TrustError::Policy(
                "witness keys must have type 4: take the witness's cosignature vkey",
            ));
        }
        // An Ed25519 cosignature does not name its key, so one key under two names would count twice.
        let mut publics: Vec<_> = witnesses.iter().map(VerifierKey::public).collect();
        publics.sort_unstable();
        publics.dedup();
        if publics.len() != witnesses.len() || publics.contains(&log.public()) {
            return Err(TrustError::Policy("the same public key stands twice: name each witness once"));
        }
        if quorum > witnesses.len() {
            return Err(TrustError::Policy("the quorum is larger than the number of witnesses: lower it"));
        }
        Ok(Self { origin: origin.into(), log, witnesses, quorum })
    }

    /// The log's origin.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// The log's key.
    #[must_use]
    pub fn log_key(&self) -> &VerifierKey {
        &self.log
    }

    /// Reads a signed checkpoint and checks origin, log signature and quorum.
    ///
    /// # Errors
    /// [`TrustError`] saying what is missing.
    pub fn check(&self, bytes: &[u8]) -> Result<Trusted, TrustError> {
        let signed = SignedCheckpoint::parse(bytes)?;
        if signed.checkpoint.origin != self.origin {
            let (expected, found) = (self.origin.clone(), signed.checkpoint.origin);
            return Err(TrustError::Origin { expected, found });
        }
        let keys: Vec<_> = std::iter::once(&self.log).chain(&self.witnesses).collect();
        let verified = match signed.note.verify(&keys) {
            Err(NoteError::Unsigned) => return Err(TrustError::LogSignature),
            other => other?,
        };
        if !verified.iter().any(|v| *v.key == self.log) {
            return Err(TrustError::LogSignature);
        }
        let cosigned: Vec<_> =
            verified.iter().filter_map(|v| Some((v.key.name().to_owned(), v.at?))).collect();
        if cosigned.len() < self.quorum {
            return Err(TrustError::Quorum { needed: self.quorum, found: cosigned.len() });
        }
        Ok(Trusted { signed, cosigned })
    }
}
