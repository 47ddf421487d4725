//! A log that grows: one writer at a time per head, any number tried, none able to fork it.
//!
//! An append at size *n* first stores its entries under `staging/<n>`. Objects never change, so the first writer to
//! get there decides, for ever, what follows entry *n*: whoever comes later (a retry, another process, the next start
//! after a crash) finishes that batch before its own. Only then are bundles and tiles written, the checkpoint signed
//! and the head swapped. Hence every checkpoint ever signed, even one whose swap was lost, lies on one line of growth,
//! and a failed append may be called again with the same entries.
//!
//! `staging/` is not part of the public files; objects there below the head's size may be deleted at any time.

use std::collections::VecDeque;
use std::ops::Range;

use sha2::{Digest as _, Sha256};

use crate::checkpoint::{Checkpoint, CheckpointError, SignedCheckpoint};
use crate::edge::Edge;
use crate::merkle::{Hash, MerkleError, Plan, empty_root, leaf_hash, verify_consistency};
use crate::note::{KeyKind, MAX_SIGNATURES, NoteError, NoteSignature, SignerKey, VerifierKey};
use crate::proof::{MAX_EXTRA, Proof};
use crate::reader::{ReadError, bundle_of, follow, read_bundle};
use crate::store::{HeadStore, StoreError, SwapError, TileSource, TileStore};
use crate::tile::{FULL, TileError, TileKind, TilePath, decode_bundle, encode_bundle};
use crate::verify::read_edge;

/// Most entries of one append or one read.
pub const MAX_BATCH: usize = 65_536;
/// Most bytes of one append, length prefixes included.
pub const MAX_BATCH_BYTES: usize = 64 * 1024 * 1024;
// Batches of others that one append finishes before it gives up.
const MAX_TURNS: usize = 16;
// Failed appends that are remembered for their retry.
const MAX_UNSETTLED: usize = 64;

/// Why the log could not do it. An append that failed may yet have happened: call it again with the same entries.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// Storage failed; the append may or may not have happened.
    #[error("log storage: {0}; call again with the same entries")]
    Store(#[from] StoreError),
    /// Reading the log's files failed.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// A batch or an entry is over its limit, or the batch is empty.
    #[error("append of {entries} entries, {bytes} bytes: give 1 to 65536 entries and at most 67108864 bytes")]
    Limit {
        /// Entries given.
        entries: usize,
        /// Their bytes.
        bytes: usize,
    },
    /// An entry is too long.
    #[error(transparent)]
    Entry(#[from] TileError),
    /// The settings of the log.
    #[error("log settings: {0}")]
    Settings(&'static str),
    /// There is no log yet.
    #[error("the head store holds no checkpoint: create the log once, or restore the head from a backup")]
    NoHead,
    /// There is a log already.
    #[error("the store already holds a log: open it, or choose an empty store")]
    Exists,
    /// The stored checkpoint is not this log's.
    #[error("stored checkpoint: {0}; restore it from a backup, never start over")]
    Head(#[from] CheckpointError),
    /// Tiles and checkpoint disagree.
    #[error(
        "stored tiles do not lead to the stored checkpoint of {size} entries: restore both from one backup"
    )]
    Damaged {
        /// Size of the checkpoint.
        size: u64,
    },
    /// The head went back.
    #[error(
        "stored head has {found} entries, {known} were signed before: restore the newer head, never sign on"
    )]
    RolledBack {
        /// Size that this log knows of.
        known: u64,
        /// Size found.
        found: u64,
    },
    /// The head is on another line of growth.
    #[error(
        "stored head of {size} entries does not continue what this log signed: stop, and compare the stores"
    )]
    Diverged {
        /// Size of the head found.
        size: u64,
    },
    /// The entries do not belong at this index.
    #[error(
        "entries expected at index {expected} are not there, the log has {size}: load it and decide again"
    )]
    Conflict {
        /// Index asked for.
        expected: u64,
        /// Entries in the log.
        size: u64,
    },
    /// Others kept winning.
    #[error("other writers kept this log busy: wait a moment and call again with the same entries")]
    Busy,
    /// A cosignature does not fit the head.
    #[error("cosignature: {0}")]
    Cosignature(#[from] NoteError),
}

impl From<MerkleError> for LogError {
    fn from(error: MerkleError) -> Self {
        Self::Read(error.into())
    }
}

/// Who a log is and what it signs with.
#[derive(Debug, Clone)]
pub struct LogConfig {
    /// Unique name; should be the address of its files without a scheme.
    pub origin: String,
    /// The log's key (type 1).
    pub signer: SignerKey,
    /// Further keys of the operator that cosign every checkpoint (type 4); may be empty.
    pub cosigners: Vec<SignerKey>,
}

impl LogConfig {
    fn checked(self) -> Result<Self, LogError> {
        let empty = self.head(0, empty_root()).to_string();
        if Checkpoint::parse(&empty).map(|c| c.origin).as_deref() != Ok(&self.origin) {
            return Err(LogError::Settings("the origin must be one line of 1 to 1024 bytes: choose another"));
        }
        if self.origin.chars().any(|c| c < ' ') {
            return Err(LogError::Settings("the origin has a control character: choose another"));
        }
        if self.signer.verifier().kind() != KeyKind::Log {
            return Err(LogError::Settings("the signer must have type 1: make a log key"));
        }
        if self.cosigners.iter().any(|key| key.verifier().kind() != KeyKind::Cosigner) {
            return Err(LogError::Settings("cosigners must have type 4: make witness keys"));
        }
        Ok(self)
    }

    fn head(&self, size: u64, root: Hash) -> Checkpoint {
        Checkpoint { origin: self.origin.clone(), size, root, extensions: Vec::new() }
    }

    fn parse_head(&self, text: &str) -> Result<SignedCheckpoint, LogError> {
        let signed = SignedCheckpoint::parse(text.as_bytes())?;
        signed.note.verify(&[self.signer.verifier()]).map_err(CheckpointError::from)?;
        if signed.checkpoint.origin != self.origin {
            return Err(LogError::Settings(
                "the stored checkpoint is of another origin: open the right store",
            ));
        }
        Ok(signed)
    }
}

/// What an append gives back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Appended {
    /// Index of the first entry; the others follow.
    pub first_index: u64,
    /// A signed checkpoint that includes them.
    pub checkpoint: SignedCheckpoint,
}

/// A log open for appending.
#[derive(Debug)]
pub struct Log<T, H> {
    config: LogConfig,
    tiles: T,
    heads: H,
    edge: Edge,
    // The head as it is stored, and what it says.
    stored: String,
    head: SignedCheckpoint,
    // A swap failed and its outcome is not known.
    stale: bool,
    // Appends that failed: the size they were staged at, and a digest of the batch.
    unsettled: VecDeque<(u64, Hash)>,
}

// The files of a log, with its edge served from memory.
struct Files<'a, T> {
    tiles: &'a T,
    edge: &'a Edge,
}

impl<T: TileStore> TileSource for Files<'_, T> {
    async fn read(&self, path: &str) -> Result<Option<Vec<u8>>, StoreError> {
        if let Some(bytes) = path.parse().ok().and_then(|path| self.edge.tile(path)) {
            return Ok(Some(bytes));
        }
        self.tiles.get(path).await
    }
}

fn staging(size: u64) -> String {
    format!("staging/{size}")
}

fn encode_batch<E: AsRef<[u8]>>(entries: &[E]) -> Result<Vec<u8>, LogError> {
    let bytes = entries.iter().map(|e| e.as_ref().len() + 2).sum();
    let limit = LogError::Limit { entries: entries.len(), bytes };
    if entries.is_empty() || entries.len() > MAX_BATCH || bytes > MAX_BATCH_BYTES {
        return Err(limit);
    }
    let count = u32::try_from(entries.len()).map_err(|_| limit)?;
    let mut body = count.to_be_bytes().to_vec();
    body.extend(encode_bundle(entries)?);
    Ok(body)
}

fn decode_batch(body: &[u8]) -> Option<Vec<&[u8]>> {
    let (count, bundle) = body.split_first_chunk::<4>()?;
    let count = usize::try_from(u32::from_be_bytes(*count)).ok()?;
    if count == 0 || count > MAX_BATCH {
        return None;
    }
    decode_bundle(bundle, count).ok()
}

async fn load<T: TileStore, H: HeadStore>(
    config: &LogConfig,
    tiles: &T,
    heads: &H,
) -> Result<(String, SignedCheckpoint, Edge), LogError> {
    let stored = heads.load().await?.ok_or(LogError::NoHead)?;
    let head = config.parse_head(&stored)?;
    let size = head.checkpoint.size;
    let nothing = Edge::default();
    let files = Files { tiles, edge: &nothing };
    let mut edge = read_edge(&files, size).await?;
    if edge.root() != head.checkpoint.root {
        return Err(LogError::Damaged { size });
    }
    if !size.is_multiple_of(u64::from(FULL)) {
        let entries = read_bundle(&files, bundle_of(size), size).await?;
        let leaves = edge.levels.first().map(Vec::as_slice).unwrap_or_default();
        if !entries.iter().map(|entry| leaf_hash(entry)).eq(leaves.iter().copied()) {
            return Err(LogError::Damaged { size });
        }
        edge.bundle = encode_bundle(&entries)?;
    }
    Ok((stored, head, edge))
}

impl<T: TileStore, H: HeadStore> Log<T, H> {
    /// Starts a log in an empty store, with a signed checkpoint of size 0.
    ///
    /// # Errors
    /// [`LogError::Exists`] where a head or a tile is there already: a log whose head was lost must be restored, for
    /// starting over would sign a second history.
    pub async fn create(config: LogConfig, tiles: T, heads: H, at: u64) -> Result<Self, LogError> {
        let config = config.checked()?;
        for width in (1..=FULL).rev() {
            let path = TilePath::new(TileKind::Hashes { level: 0 }, 0, width);
            if let Some(path) = path
                && tiles.get(&path.to_string()).await?.is_some()
            {
                return Err(LogError::Exists);
            }
        }
        let empty = config.head(0, empty_root());
        let signed = SignedCheckpoint::sign(empty, &config.signer, &config.cosigners, at)?;
        match heads.swap(None, &signed.to_string()).await {
            Ok(()) => Self::open(config, tiles, heads, at).await,
            Err(SwapError::Lost { .. }) => Err(LogError::Exists),
            Err(SwapError::Store(error)) => Err(error.into()),
        }
    }

    /// Opens a log, and finishes an append that a crash interrupted. `at` is now, in POSIX seconds.
    ///
    /// # Errors
    /// [`LogError::NoHead`], [`LogError::Damaged`], or what storage gives.
    pub async fn open(config: LogConfig, tiles: T, heads: H, at: u64) -> Result<Self, LogError> {
        let config = config.checked()?;
        let (stored, head, edge) = load(&config, &tiles, &heads).await?;
        let unsettled = VecDeque::new();
        let mut log = Self { config, tiles, heads, edge, stored, head, stale: false, unsettled };
        log.finish_staged(at).await?;
        Ok(log)
    }

    /// Opens the log, or starts it where both stores are empty.
    ///
    /// # Errors
    /// Those of [`Log::open`] and [`Log::create`].
    pub async fn open_or_create(config: LogConfig, tiles: T, heads: H, at: u64) -> Result<Self, LogError> {
        if heads.load().await?.is_some() {
            return Self::open(config, tiles, heads, at).await;
        }
        Self::create(config, tiles, heads, at).await
    }

    /// Entries in the log.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.edge.size
    }

    /// The signed head, with its cosignatures.
    #[must_use]
    pub fn checkpoint(&self) -> &SignedCheckpoint {
        &self.head
    }

    /// The key that verifies this log.
    #[must_use]
    pub fn verifier(&self) -> &VerifierKey {
        self.config.signer.verifier()
    }

    /// The store of objects.
    pub fn tiles(&self) -> &T {
        &self.tiles
    }

    /// The store of the head.
    pub fn heads(&self) -> &H {
        &self.heads
    }

    /// Loads the head again, as after another process wrote, and checks that it continues this one.
    ///
    /// # Errors
    /// [`LogError::RolledBack`], [`LogError::Diverged`], or what storage gives.
    pub async fn refresh(&mut self) -> Result<(), LogError> {
        let (stored, head, edge) = load(&self.config, &self.tiles, &self.heads).await?;
        let (known, found) = (self.edge.size, edge.size);
        if found < known {
            return Err(LogError::RolledBack { known, found });
        }
        self.must_continue(known, self.edge.root(), &edge).await?;
        (self.stored, self.head, self.edge, self.stale) = (stored, head, edge, false);
        Ok(())
    }

    async fn must_continue(&self, size: u64, root: Hash, later: &Edge) -> Result<(), LogError> {
        let files = Files { tiles: &self.tiles, edge: later };
        let proof = follow(&files, &Plan::consistency(size, later.size)?, later.size).await?;
        verify_consistency(size, &root, later.size, &later.root(), &proof)
            .map_err(|_| LogError::Diverged { size: later.size })
    }

    /// Appends entries at the end and signs. `at` is now, in POSIX seconds (used by cosigners).
    ///
    /// After an error call again with the same entries: this log then does not add them twice.
    ///
    /// # Errors
    /// [`LogError`]; nothing is signed that does not continue the log.
    pub async fn append<E>(&mut self, entries: &[E], at: u64) -> Result<Appended, LogError>
    where
        E: AsRef<[u8]> + Sync,
    {
        self.append_batch(None, entries, at).await
    }

    /// Appends entries that must come to stand at `first_index`. Where they stand there already, nothing is added: so
    /// a caller that recorded the index can retry even after a crash.
    ///
    /// # Errors
    /// [`LogError::Conflict`] where other entries stand there or the log is shorter; else as [`Log::append`].
    pub async fn append_at<E>(
        &mut self,
        first_index: u64,
        entries: &[E],
        at: u64,
    ) -> Result<Appended, LogError>
    where
        E: AsRef<[u8]> + Sync,
    {
        self.append_batch(Some(first_index), entries, at).await
    }

    async fn append_batch<E>(
        &mut self,
        expected: Option<u64>,
        entries: &[E],
        at: u64,
    ) -> Result<Appended, LogError>
    where
        E: AsRef<[u8]> + Sync,
    {
        let body = encode_batch(entries)?;
        let digest: Hash = Sha256::digest(&body).into();
        if self.stale {
            self.refresh().await?;
        }
        if expected.is_none()
            && let Some(place) = self.unsettled.iter().position(|(_, failed)| *failed == digest)
            && let Some((first_index, _)) = self.unsettled.get(place).copied()
            && first_index != self.edge.size
        {
            let held = self.holds(first_index, entries).await?;
            self.unsettled.remove(place);
            if held {
                return Ok(Appended { first_index, checkpoint: self.head.clone() });
            }
        }
        for _ in 0..MAX_TURNS {
            let size = self.edge.size;
            if let Some(first_index) = expected
                && first_index != size
            {
                return if self.holds(first_index, entries).await? {
                    Ok(Appended { first_index, checkpoint: self.head.clone() })
                } else {
                    Err(LogError::Conflict { expected: first_index, size })
                };
            }
            let outcome = match self.tiles.put(&staging(size), body.clone()).await {
                Ok(()) => self.commit(entries, at).await,
                Err(StoreError::Changed { .. }) => {
                    self.finish_staged(at).await?;
                    continue;
                }
                Err(error) => Err(error.into()),
            };
            self.unsettled.retain(|(_, failed)| *failed != digest);
            if outcome.is_err() {
                self.unsettled.truncate(MAX_UNSETTLED - 1);
                self.unsettled.push_front((size, digest));
            }
            return outcome;
        }
        Err(LogError::Busy)
    }

    // Commits the batch that is staged at the present size, if any.
    async fn finish_staged(&mut self, at: u64) -> Result<(), LogError> {
        let path = staging(self.edge.size);
        let Some(body) = self.tiles.get(&path).await? else { return Ok(()) };
        let Some(entries) = decode_batch(&body) else {
            return Err(StoreError::failed(&path, "not a batch of entries").into());
        };
        self.commit(&entries, at).await.map(drop)
    }

    // Writes what the staged entries make, signs and swaps the head.
    async fn commit<E>(&mut self, entries: &[E], at: u64) -> Result<Appended, LogError>
    where
        E: AsRef<[u8]> + Sync,
    {
        let first_index = self.edge.size;
        let mut next = self.edge.clone();
        for write in next.extend(entries)? {
            self.tiles.put(&write.path.to_string(), write.bytes).await?;
        }
        let checkpoint = self.config.head(next.size, next.root());
        let signed = SignedCheckpoint::sign(checkpoint, &self.config.signer, &self.config.cosigners, at)?;
        let text = signed.to_string();
        for _ in 0..MAX_TURNS {
            let found = match self.heads.swap(Some(&self.stored), &text).await {
                Ok(()) => text.clone(),
                Err(SwapError::Lost { found }) => found.ok_or(LogError::NoHead)?,
                Err(SwapError::Store(error)) => match self.heads.load().await {
                    Ok(Some(found)) if found == text => found,
                    outcome => {
                        self.stale = outcome.ok().flatten().as_deref() != Some(&self.stored);
                        return Err(error.into());
                    }
                },
            };
            let head = self.config.parse_head(&found)?;
            let Checkpoint { size, root, .. } = head.checkpoint;
            if (size, root) == (next.size, next.root()) {
                (self.stored, self.head, self.edge) = (found, head, next);
            } else if (size, root) == (self.edge.size, self.edge.root()) {
                // Somebody attached cosignatures meanwhile.
                (self.stored, self.head) = (found, head);
                continue;
            } else if size > next.size {
                let (known, root) = (next.size, next.root());
                self.refresh().await?;
                self.must_continue(known, root, &self.edge).await?;
            } else {
                self.stale = true;
                return Err(LogError::Diverged { size });
            }
            return Ok(Appended { first_index, checkpoint: self.head.clone() });
        }
        Err(LogError::Busy)
    }

    async fn holds<E: AsRef<[u8]>>(&self, first: u64, entries: &[E]) -> Result<bool, LogError> {
        let end = u64::try_from(entries.len()).ok().and_then(|count| first.checked_add(count));
        match end.filter(|end| *end <= self.edge.size) {
            None => Ok(false),
            Some(end) => {
                let found = self.entries(first..end).await?;
                Ok(found.iter().map(Vec::as_slice).eq(entries.iter().map(AsRef::as_ref)))
            }
        }
    }

    /// Entries of a range, at most [`MAX_BATCH`].
    ///
    /// # Errors
    /// [`MerkleError::Outside`] beyond the end, [`LogError::Limit`], or what reading gives.
    pub async fn entries(&self, range: Range<u64>) -> Result<Vec<Vec<u8>>, LogError> {
        let size = self.edge.size;
        if range.end > size {
            return Err(MerkleError::Outside { index: range.end, size }.into());
        }
        let count = usize::try_from(range.end.saturating_sub(range.start)).unwrap_or(usize::MAX);
        if count > MAX_BATCH {
            return Err(LogError::Limit { entries: count, bytes: 0 });
        }
        let files = Files { tiles: &self.tiles, edge: &self.edge };
        let mut entries = Vec::with_capacity(count);
        let mut next = range.start;
        while next < range.end {
            let bundle = read_bundle(&files, bundle_of(next), size).await?;
            let skip = usize::try_from(next % u64::from(FULL)).unwrap_or(0);
            let before = entries.len();
            entries.extend(bundle.into_iter().skip(skip).take(count - before));
            next += u64::try_from(entries.len() - before).unwrap_or(0);
        }
        Ok(entries)
    }

    /// The inclusion proof of an entry in the tree of `size` entries.
    ///
    /// # Errors
    /// [`MerkleError::Outside`] beyond the end, or what reading gives.
    pub async fn inclusion_proof(&self, index: u64, size: u64) -> Result<Vec<Hash>, LogError> {
        self.prove(&Plan::inclusion(index, size)?, size).await
    }

    /// The consistency proof between the trees of `old` and `new` entries.
    ///
    /// # Errors
    /// [`MerkleError`] for sizes that can't be, or what reading gives.
    pub async fn consistency_proof(&self, old: u64, new: u64) -> Result<Vec<Hash>, LogError> {
        self.prove(&Plan::consistency(old, new)?, new).await
    }

    async fn prove(&self, plan: &Plan, size: u64) -> Result<Vec<Hash>, LogError> {
        if size > self.edge.size {
            return Err(MerkleError::Outside { index: size, size: self.edge.size }.into());
        }
        let files = Files { tiles: &self.tiles, edge: &self.edge };
        Ok(follow(&files, plan, self.edge.size).await?)
    }

    /// A proof of an entry that verifies offline, against the present head and its cosignatures (tlog-proof).
    ///
    /// # Errors
    /// As [`Log::inclusion_proof`]; [`LogError::Settings`] for extra data over 65,536 bytes.
    pub async fn proof(&self, index: u64, extra: Option<Vec<u8>>) -> Result<Proof, LogError> {
        if extra.as_ref().is_some_and(|extra| extra.len() > MAX_EXTRA) {
            return Err(LogError::Settings("extra data of a proof is over 65536 bytes: shorten it"));
        }
        let hashes = self.inclusion_proof(index, self.edge.size).await?;
        Ok(Proof { extra, index, hashes, checkpoint: self.head.clone() })
    }

    /// Adds cosignatures of the present head by known witnesses, replacing older ones of the same keys; says how many
    /// were added. Signatures by other keys are ignored.
    ///
    /// # Errors
    /// [`LogError::Cosignature`] where a known witness's signature is not of this head (it may have grown since),
    /// [`LogError::Busy`] where the head moved meanwhile.
    pub async fn attach_cosignatures(
        &mut self,
        signatures: &[NoteSignature],
        witnesses: &[VerifierKey],
    ) -> Result<usize, LogError> {
        if self.stale {
            self.refresh().await?;
        }
        let mut head = self.head.clone();
        let mut added = 0;
        for signature in signatures {
            let claimed = |w: &&VerifierKey| w.kind() == KeyKind::Cosigner && w.claims(signature);
            let Some(witness) = witnesses.iter().find(claimed) else { continue };
            let at = witness.verify(&head.note.text, signature)?;
            let of_witness = |s: &NoteSignature| witness.claims(s);
            let held = head.note.signatures.iter().find(|s| of_witness(s));
            if held.and_then(|held| witness.verify(&head.note.text, held).ok()).is_some_and(|old| old >= at) {
                continue;
            }
            head.note.signatures.retain(|s| !of_witness(s));
            if head.note.signatures.len() >= MAX_SIGNATURES {
                return Err(NoteError::Limit.into());
            }
            head.note.signatures.push(signature.clone());
            added += 1;
        }
        if added == 0 {
            return Ok(0);
        }
        let text = head.to_string();
        match self.heads.swap(Some(&self.stored), &text).await {
            Ok(()) => {
                (self.stored, self.head) = (text, head);
                Ok(added)
            }
            Err(error) => {
                self.stale = true;
                match error {
                    SwapError::Lost { .. } => Err(LogError::Busy),
                    SwapError::Store(error) => Err(error.into()),
                }
            }
        }
    }
}
