//! Witnessing (C2SP tlog-witness, `add-checkpoint`): both sides of the call, without HTTP.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::{Mutex, PoisonError};

use crate::checkpoint::{Checkpoint, SignedCheckpoint};
use crate::merkle::{Hash, MAX_PROOF, empty_root, verify_consistency};
use crate::note::{KeyKind, MAX_NOTE, NoteError, NoteSignature, SignerKey, VerifierKey};
use crate::store::{StoreError, SwapError};
use crate::text;

/// Longest request body in bytes.
pub const MAX_BODY: usize = MAX_NOTE + 4096;
/// Content type of a 409 answer.
pub const SIZE_TYPE: &str = "text/x.tlog.size";

/// What a witness must not forget: for each log the latest checkpoint it cosigned.
pub trait WitnessState: Send + Sync {
    /// The latest cosigned checkpoint of a log, with the log's signature and the cosignatures.
    fn latest(&self, origin: &str) -> impl Future<Output = Result<Option<String>, StoreError>> + Send;
    /// Replaces it if it is exactly `expected`, durably and atomically.
    fn swap(
        &self,
        origin: &str,
        expected: Option<&str>,
        new: &str,
    ) -> impl Future<Output = Result<(), SwapError>> + Send;
}

/// A witness's memory that does not survive; for tests and simulation.
#[derive(Debug, Default)]
pub struct MemWitnessState(Mutex<BTreeMap<String, String>>);

impl WitnessState for MemWitnessState {
    async fn latest(&self, origin: &str) -> Result<Option<String>, StoreError> {
        Ok(self.0.lock().unwrap_or_else(PoisonError::into_inner).get(origin).cloned())
    }

    async fn swap(&self, origin: &str, expected: Option<&str>, new: &str) -> Result<(), SwapError> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = state.get(origin).cloned();
        if found.as_deref() != expected {
            return Err(SwapError::Lost { found });
        }
        state.insert(origin.to_owned(), new.to_owned());
        Ok(())
    }
}

/// Why a witness refuses: an HTTP status and words for the log's operator.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{status}: {reason}")]
pub struct Refusal {
    /// 400, 403, 404, 422 or 500.
    pub status: u16,
    /// What to do about it.
    pub reason: &'static str,
}

/// A witness's answer to `add-checkpoint`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// 200: signature lines.
    Cosigned(String),
    /// 409: the size the witness knows, with content type [`SIZE_TYPE`].
    Conflict(u64),
    /// Any other status.
    Refused(Refusal),
}

impl Answer {
    /// The HTTP status.
    #[must_use]
    pub fn status(&self) -> u16 {
        match self {
            Self::Cosigned(_) => 200,
            Self::Conflict(_) => 409,
            Self::Refused(refusal) => refusal.status,
        }
    }

    /// The body.
    #[must_use]
    pub fn body(&self) -> String {
        match self {
            Self::Cosigned(lines) => lines.clone(),
            Self::Conflict(size) => format!("{size}\n"),
            Self::Refused(refusal) => format!("{}\n", refusal.reason),
        }
    }

    /// The content type.
    #[must_use]
    pub fn content_type(&self) -> &'static str {
        match self {
            Self::Conflict(_) => SIZE_TYPE,
            _ => "text/plain; charset=utf-8",
        }
    }
}

/// A parsed `add-checkpoint` body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddCheckpoint {
    /// Size the log believes the witness knows.
    pub old: u64,
    /// Consistency proof from there.
    pub proof: Vec<Hash>,
    /// The new checkpoint.
    pub checkpoint: SignedCheckpoint,
}

impl AddCheckpoint {
    /// Reads a request body.
    ///
    /// # Errors
    /// A [`Refusal`] with status 400.
    pub fn parse(body: &[u8]) -> Result<Self, Refusal> {
        let bad = |reason| Refusal { status: 400, reason };
        if body.len() > MAX_BODY {
            return Err(bad("the body is too long: drop signatures the witness does not need"));
        }
        let body = std::str::from_utf8(body).map_err(|_| bad("the body is not UTF-8"))?;
        let (head, checkpoint) =
            body.split_once("\n\n").ok_or(bad("no empty line before the checkpoint: add one"))?;
        let mut lines = head.split('\n');
        let old = lines.next().and_then(|line| text::decimal(line.strip_prefix("old ")?));
        let old = old.ok_or(bad("the first line is not `old <size>` in plain decimal"))?;
        let mut proof = Vec::new();
        for line in lines {
            if proof.len() == MAX_PROOF {
                return Err(bad("more than 63 proof lines"));
            }
            proof.push(text::decode_hash(line).ok_or(bad("a proof line is not a hash in base64"))?);
        }
        let checkpoint = SignedCheckpoint::parse(checkpoint.as_bytes())
            .map_err(|_| bad("the checkpoint is malformed: send it as the log signed it"))?;
        Ok(Self { old, proof, checkpoint })
    }

    /// The request body.
    #[must_use]
    pub fn to_body(&self) -> String {
        let proof: String = self.proof.iter().map(|hash| text::encode(hash) + "\n").collect();
        format!("old {}\n{proof}\n{}", self.old, self.checkpoint)
    }
}

/// A witness: its keys, the logs it knows, and its memory.
#[derive(Debug)]
pub struct Witness<S> {
    keys: Vec<SignerKey>,
    logs: BTreeMap<String, Vec<VerifierKey>>,
    state: S,
}

impl<S: WitnessState> Witness<S> {
    /// A witness with cosigner keys, and log keys by origin.
    ///
    /// # Errors
    /// [`NoteError::WrongKind`] for keys of the wrong type, [`NoteError::Unsigned`] without any key of its own.
    pub fn new(
        keys: Vec<SignerKey>,
        logs: BTreeMap<String, Vec<VerifierKey>>,
        state: S,
    ) -> Result<Self, NoteError> {
        let own = keys.iter().map(|key| (key.verifier(), KeyKind::Cosigner));
        let theirs = logs.values().flatten().map(|key| (key, KeyKind::Log));
        if let Some((key, _)) = own.chain(theirs).find(|(key, kind)| key.kind() != *kind) {
            return Err(NoteError::WrongKind { key: key.name().to_owned() });
        }
        if keys.is_empty() {
            return Err(NoteError::Unsigned);
        }
        Ok(Self { keys, logs, state })
    }

    /// The witness's memory.
    pub fn state(&self) -> &S {
        &self.state
    }

    /// Answers `POST <prefix>/add-checkpoint`. `at` is now, in POSIX seconds. The new checkpoint is in the state before
    /// this returns a cosignature.
    pub async fn add_checkpoint(&self, body: &[u8], at: u64) -> Answer {
        match self.decide(body, at).await {
            Ok(answer) => answer,
            Err(refusal) => Answer::Refused(refusal),
        }
    }

    async fn decide(&self, body: &[u8], at: u64) -> Result<Answer, Refusal> {
        let refuse = |status, reason| Refusal { status, reason };
        let broken = |_| refuse(500, "the witness can't read its memory: try again later");
        let AddCheckpoint { old, proof, checkpoint: mut signed } = AddCheckpoint::parse(body)?;
        let Checkpoint { origin, size, root, .. } = signed.checkpoint.clone();
        let keys = self.logs.get(&origin).ok_or(refuse(404, "this log is not known here: register it"))?;
        let keys: Vec<&VerifierKey> = keys.iter().collect();
        signed.note.verify(&keys).map_err(|_| refuse(403, "no sound signature by a known key of the log"))?;
        if old > size {
            return Err(refuse(400, "the old size is larger than the checkpoint's"));
        }
        let stored = self.state.latest(&origin).await.map_err(|e| broken(SwapError::Store(e)))?;
        let latest = stored.as_deref().map(|text| SignedCheckpoint::parse(text.as_bytes())).transpose();
        let latest = latest.map_err(|_| refuse(500, "the witness's memory is damaged: tell its operator"))?;
        let latest = latest.map(|latest| latest.checkpoint);
        let known = latest.as_ref().map_or(0, |latest| latest.size);
        if old != known {
            return Ok(Answer::Conflict(known));
        }
        if size == 0 && root != empty_root() {
            return Err(refuse(422, "the root of an empty tree is the hash of nothing"));
        }
        let old_root = latest.map_or_else(empty_root, |latest| latest.root);
        verify_consistency(old, &old_root, size, &root, &proof)
            .map_err(|_| refuse(422, "the proof does not show that the log only grew"))?;

        // Only signatures that were checked go into the memory, so that it stays small.
        let text = signed.note.text.clone();
        signed.note.signatures.retain(|s| keys.iter().any(|key| key.claims(s)));
        let mut lines = String::new();
        for key in &self.keys {
            let signature = key.cosign(&text, at).map_err(|_| refuse(500, "the witness's clock is wrong"))?;
            lines.push_str(&format!("{signature}\n"));
            signed.note.signatures.push(signature);
        }
        match self.state.swap(&origin, stored.as_deref(), &signed.to_string()).await {
            Ok(()) => Ok(Answer::Cosigned(lines)),
            Err(SwapError::Lost { found }) => {
                let now = found.as_deref().map(|text| SignedCheckpoint::parse(text.as_bytes()));
                Ok(Answer::Conflict(now.and_then(Result::ok).map_or(0, |now| now.checkpoint.size)))
            }
            Err(error) => Err(broken(error)),
        }
    }
}

/// What a log learns from a witness.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Verified cosignatures; attach them to the head.
    Cosigned(Vec<NoteSignature>),
    /// The witness knows another size: send a proof from there.
    Conflict(u64),
}

/// Why a witness's answer is of no use.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OutcomeError {
    /// The witness refused.
    #[error(
        "witness answered {0}: 403 and 404 need its operator, 422 means that the log forked, else try later"
    )]
    Refused(u16),
    /// The answer is malformed.
    #[error("witness's answer is malformed: try later, or tell its operator")]
    Malformed,
    /// The cosignature does not verify or is by nobody known.
    #[error(transparent)]
    Signature(#[from] NoteError),
}

/// Interprets a witness's answer to a checkpoint with this text.
///
/// # Errors
/// [`OutcomeError`].
pub fn read_answer(
    status: u16,
    body: &[u8],
    checkpoint: &str,
    keys: &[VerifierKey],
) -> Result<Outcome, OutcomeError> {
    if body.len() > MAX_BODY {
        return Err(OutcomeError::Malformed);
    }
    let body = std::str::from_utf8(body).map_err(|_| OutcomeError::Malformed)?;
    match status {
        200 => {
            let mut known = Vec::new();
            for signature in NoteSignature::parse_lines(body)? {
                if let Some(key) = keys.iter().find(|key| key.claims(&signature)) {
                    key.verify(checkpoint, &signature)?;
                    known.push(signature);
                }
            }
            if known.is_empty() { Err(NoteError::Unsigned.into()) } else { Ok(Outcome::Cosigned(known)) }
        }
        409 => {
            let size = body.strip_suffix('\n').and_then(text::decimal);
            Ok(Outcome::Conflict(size.ok_or(OutcomeError::Malformed)?))
        }
        status => Err(OutcomeError::Refused(status)),
    }
}
