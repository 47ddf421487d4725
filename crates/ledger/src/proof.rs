//! Proofs that need no network (C2SP tlog-proof): an entry is in a log, and witnesses saw the log.

use std::fmt;

use crate::checkpoint::{CheckpointError, SignedCheckpoint, Trust, TrustError, Trusted};
use crate::merkle::{Hash, MAX_PROOF, MerkleError, verify_inclusion};
use crate::note::MAX_NOTE;
use crate::text;

const FIRST_LINE: &str = "c2sp.org/tlog-proof@v1";
/// Most bytes of opaque extra data.
pub const MAX_EXTRA: usize = 65_536;
/// Longest proof in bytes.
pub const MAX_PROOF_TEXT: usize = MAX_NOTE + 128 * 1024;

/// Why a proof is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// A line is malformed.
    #[error("proof, line {line} {what}: take the proof file exactly as it was issued")]
    Line {
        /// Counted from 1.
        line: usize,
        /// What is wrong.
        what: &'static str,
    },
    /// Over a limit.
    #[error(
        "proof is over the limit of 655360 bytes, 65536 bytes of extra data or 63 hashes: not a proof of ours"
    )]
    Limit,
    /// The checkpoint in it is malformed.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// The checkpoint in it is not trusted.
    #[error(transparent)]
    Trust(#[from] TrustError),
    /// The hashes do not lead to the root.
    #[error(transparent)]
    Merkle(#[from] MerkleError),
}

/// A self-contained proof of inclusion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    /// Opaque data that travels along and proves nothing.
    pub extra: Option<Vec<u8>>,
    /// Zero-based index of the entry.
    pub index: u64,
    /// Siblings from the leaf to the root.
    pub hashes: Vec<Hash>,
    /// The log's checkpoint, with its signatures.
    pub checkpoint: SignedCheckpoint,
}

impl Proof {
    /// Reads a proof. This verifies nothing: use [`Proof::verify`].
    ///
    /// # Errors
    /// [`ProofError`] naming the line at fault.
    pub fn parse(bytes: &[u8]) -> Result<Self, ProofError> {
        let wrong = |line, what| ProofError::Line { line, what };
        if bytes.len() > MAX_PROOF_TEXT {
            return Err(ProofError::Limit);
        }
        let proof = std::str::from_utf8(bytes).map_err(|_| wrong(1, "is not UTF-8"))?;
        let (head, checkpoint) =
            proof.split_once("\n\n").ok_or(wrong(1, "is followed by no blank line and checkpoint"))?;
        let mut lines = head.split('\n').enumerate().map(|(at, line)| (at + 1, line)).peekable();
        if lines.next() != Some((1, FIRST_LINE)) {
            return Err(wrong(1, "is not c2sp.org/tlog-proof@v1"));
        }
        let mut extra = None;
        if let Some((line, encoded)) = lines.peek().and_then(|(n, l)| Some((*n, l.strip_prefix("extra ")?))) {
            let decoded = text::decode(encoded).ok_or(wrong(line, "has extra data that is not base64"))?;
            if decoded.len() > MAX_EXTRA {
                return Err(ProofError::Limit);
            }
            extra = Some(decoded);
            lines.next();
        }
        let (line, index) = lines.next().ok_or(wrong(2, "is missing"))?;
        let index = index.strip_prefix("index ").and_then(text::decimal);
        let index = index.ok_or(wrong(line, "is not an index in plain decimal below 2^63"))?;
        let mut hashes = Vec::new();
        for (line, encoded) in lines {
            if hashes.len() == MAX_PROOF {
                return Err(ProofError::Limit);
            }
            let hash = text::decode_hash(encoded);
            hashes.push(hash.ok_or(wrong(line, "is not a hash of 32 bytes in base64"))?);
        }
        let checkpoint = SignedCheckpoint::parse(checkpoint.as_bytes())?;
        Ok(Self { extra, index, hashes, checkpoint })
    }

    /// Checks that the leaf is in a log that the policy trusts, at this index.
    ///
    /// # Errors
    /// [`ProofError::Trust`] or [`ProofError::Merkle`].
    pub fn verify(&self, leaf: &Hash, trust: &Trust) -> Result<Trusted, ProofError> {
        let trusted = trust.check(self.checkpoint.to_string().as_bytes())?;
        let head = &trusted.signed.checkpoint;
        verify_inclusion(leaf, self.index, head.size, &self.hashes, &head.root)?;
        Ok(trusted)
    }
}

impl fmt::Display for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{FIRST_LINE}")?;
        if let Some(extra) = &self.extra {
            writeln!(f, "extra {}", text::encode(extra))?;
        }
        writeln!(f, "index {}", self.index)?;
        self.hashes.iter().try_for_each(|hash| writeln!(f, "{}", text::encode(hash)))?;
        write!(f, "\n{}", self.checkpoint)
    }
}
