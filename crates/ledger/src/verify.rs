//! The auditor: checks a whole log from its public files, in constant memory.
//!
//! It trusts nothing but the keys in a [`Trust`] and a checkpoint it remembers. Hash tiles are checked from the root
//! down, then every entry against its leaf hash, then the root is computed once more from all entries.

use crate::checkpoint::{Checkpoint, SignedCheckpoint, Trust, TrustError, Trusted};
use crate::edge::Edge;
use crate::merkle::{Frontier, Hash, MerkleError, empty_root, leaf_hash, verify_consistency};
use crate::note::MAX_NOTE;
use crate::reader::{ReadError, prove_consistency, read_bundle, read_tile};
use crate::store::{StoreError, TileSource};
use crate::tile::{FULL, TileKind, TilePath, perfect};

/// What an audit found wrong. Each is a reason to stop relying on the log.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// The log serves no checkpoint.
    #[error("the log serves no checkpoint: check the address, or ask its operator")]
    NoCheckpoint,
    /// The checkpoint is not trusted.
    #[error(transparent)]
    Trust(#[from] TrustError),
    /// A file is missing or malformed, or the source failed.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The log shrank.
    #[error("rollback: the log has {found} entries, {remembered} were seen before: publish both checkpoints")]
    Rollback {
        /// Size remembered.
        remembered: u64,
        /// Size served.
        found: u64,
    },
    /// The log shows different trees to different people, or rewrote its past.
    #[error("split view: the log's first {size} entries are not those seen before: publish both checkpoints")]
    SplitView {
        /// Size of the remembered checkpoint.
        size: u64,
    },
    /// The remembered checkpoint is of another log.
    #[error("remembered checkpoint is of log {found}, {expected} expected: keep one memory per log")]
    OtherLog {
        /// Origin of the log.
        expected: String,
        /// Origin remembered.
        found: String,
    },
    /// A hash tile does not fit the tree above it.
    #[error("tile {path} does not lead to the signed root: it was altered or damaged, ask the operator")]
    TamperedTile {
        /// Path of the tile.
        path: String,
    },
    /// The tiles at the tree's right edge do not lead to the root; one of them is wrong.
    #[error("the partial tiles of a tree of {size} entries do not lead to the signed root: one was altered")]
    TamperedEdge {
        /// Size of the tree.
        size: u64,
    },
    /// An entry is not the one in the tree.
    #[error("entry {index} is not the one in the tree: its bundle was altered or damaged, ask the operator")]
    TamperedEntry {
        /// Zero-based index.
        index: u64,
    },
    /// The caller's own check of an entry failed.
    #[error("entry {index}: {reason}")]
    Entry {
        /// Zero-based index.
        index: u64,
        /// What the caller said.
        reason: String,
    },
}

/// What a successful audit established.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditReport {
    /// The checkpoint; remember it for the next audit.
    pub trusted: Trusted,
    /// Entries checked.
    pub entries: u64,
    /// Bytes of all entries.
    pub bytes: u64,
}

/// Reads the checkpoint a source serves and checks it against a policy.
///
/// # Errors
/// [`AuditError::NoCheckpoint`], [`AuditError::Read`] or [`AuditError::Trust`].
pub async fn fetch_checkpoint<S: TileSource>(source: &S, trust: &Trust) -> Result<Trusted, AuditError> {
    let bytes = source.read("checkpoint").await.map_err(ReadError::Store)?;
    let bytes = bytes.ok_or(AuditError::NoCheckpoint)?;
    if bytes.len() > MAX_NOTE {
        let error = StoreError::failed("checkpoint", "longer than 524288 bytes");
        return Err(ReadError::Store(error).into());
    }
    Ok(trust.check(&bytes)?)
}

/// Checks, with a few tiles instead of every entry, that a log continues what was seen before.
///
/// # Errors
/// [`AuditError::Rollback`], [`AuditError::SplitView`], or what reading gives.
pub async fn check_growth<S: TileSource>(
    source: &S,
    remembered: &Checkpoint,
    now: &Checkpoint,
) -> Result<(), AuditError> {
    refuse_rollback(remembered, now)?;
    let proof = prove_consistency(source, remembered.size, now.size).await?;
    match verify_consistency(remembered.size, &remembered.root, now.size, &now.root, &proof) {
        Ok(()) => Ok(()),
        Err(MerkleError::Shrunk { old, new }) => Err(AuditError::Rollback { remembered: old, found: new }),
        Err(_) => Err(AuditError::SplitView { size: remembered.size }),
    }
}

fn refuse_rollback(remembered: &Checkpoint, now: &Checkpoint) -> Result<(), AuditError> {
    if remembered.origin != now.origin {
        let (expected, found) = (now.origin.clone(), remembered.origin.clone());
        return Err(AuditError::OtherLog { expected, found });
    }
    if now.size < remembered.size {
        return Err(AuditError::Rollback { remembered: remembered.size, found: now.size });
    }
    if now.size == remembered.size && now.root != remembered.root {
        return Err(AuditError::SplitView { size: now.size });
    }
    Ok(())
}

/// Audits a whole log: checkpoint, signatures and quorum, every hash tile, every entry, and that it continues the
/// remembered checkpoint. `on_entry` gets each entry in order and may refuse it with a reason.
///
/// Memory is one tile a level and one bundle, however large the log.
///
/// # Errors
/// [`AuditError`], the first thing found wrong.
pub async fn audit<S, F>(
    source: &S,
    trust: &Trust,
    remembered: Option<&Checkpoint>,
    mut on_entry: F,
) -> Result<AuditReport, AuditError>
where
    S: TileSource,
    F: FnMut(u64, &[u8]) -> Result<(), String> + Send,
{
    let trusted = fetch_checkpoint(source, trust).await?;
    let SignedCheckpoint { checkpoint: head, .. } = &trusted.signed;
    if let Some(remembered) = remembered {
        refuse_rollback(remembered, head)?;
    }
    let mut tiles = Descent::begin(source, head).await?;
    let mut tree = Frontier::default();
    let mut bytes = 0_u64;
    refuse_split(remembered, &tree)?;
    for bundle in 0..head.size.div_ceil(u64::from(FULL)) {
        let leaves = tiles.leaves(bundle).await?;
        let entries = read_bundle(source, bundle, head.size).await?;
        for (entry, leaf) in entries.iter().zip(leaves) {
            let index = tree.size();
            if leaf_hash(entry) != leaf {
                return Err(AuditError::TamperedEntry { index });
            }
            on_entry(index, entry).map_err(|reason| AuditError::Entry { index, reason })?;
            tree.push(leaf);
            bytes = bytes.saturating_add(u64::try_from(entry.len()).unwrap_or(u64::MAX));
            refuse_split(remembered, &tree)?;
        }
    }
    if tree.size() != head.size || tree.root() != head.root {
        return Err(AuditError::TamperedEdge { size: head.size });
    }
    Ok(AuditReport { entries: tree.size(), bytes, trusted })
}

// Once the recomputed tree is as large as the remembered one, their roots must agree.
fn refuse_split(remembered: Option<&Checkpoint>, tree: &Frontier) -> Result<(), AuditError> {
    match remembered {
        Some(seen) if seen.size == tree.size() && seen.root != tree.root() => {
            Err(AuditError::SplitView { size: seen.size })
        }
        _ => Ok(()),
    }
}

/// Walks the full tiles from the root down, keeping one tile a level.
struct Descent<'a, S> {
    source: &'a S,
    size: u64,
    // Partial tiles, which together lead to the root.
    edge: Edge,
    // For each level, the full tile last read and its index.
    held: Vec<Option<(u64, Vec<Hash>)>>,
}

/// Reads the partial tiles of a tree, unchecked.
pub(crate) async fn read_edge<S: TileSource>(source: &S, size: u64) -> Result<Edge, ReadError> {
    let mut edge = Edge { size, ..Edge::default() };
    for level in 0_u8..8 {
        let hashes = size >> (8 * u32::from(level));
        if hashes == 0 {
            break;
        }
        let partial = if hashes.is_multiple_of(u64::from(FULL)) {
            Vec::new()
        } else {
            read_tile(source, level, hashes / u64::from(FULL), size).await?
        };
        edge.levels.push(partial);
    }
    Ok(edge)
}

impl<'a, S: TileSource> Descent<'a, S> {
    async fn begin(source: &'a S, head: &Checkpoint) -> Result<Self, AuditError> {
        let edge = read_edge(source, head.size).await?;
        let root = if head.size == 0 { empty_root() } else { edge.root() };
        if root != head.root {
            return Err(AuditError::TamperedEdge { size: head.size });
        }
        let held = vec![None; edge.levels.len()];
        Ok(Self { source, size: head.size, edge, held })
    }

    /// Leaf hashes of a level 0 tile, proven by the tiles above.
    async fn leaves(&mut self, tile: u64) -> Result<Vec<Hash>, AuditError> {
        let top = u8::try_from(self.edge.levels.len()).unwrap_or(8);
        for level in (0..top).rev() {
            let index = tile >> (8 * u32::from(level));
            let path = TilePath::in_tree(TileKind::Hashes { level }, index, self.size);
            let full = path.is_some_and(|path| !path.is_partial());
            let held = self.held.get(usize::from(level)).and_then(Option::as_ref);
            if !full || held.is_some_and(|(at, _)| *at == index) {
                continue;
            }
            let hashes = read_tile(self.source, level, index, self.size).await?;
            if self.hash(level + 1, index) != Some(perfect(&hashes)) {
                let path = path.map(|path| path.to_string()).unwrap_or_default();
                return Err(AuditError::TamperedTile { path });
            }
            if let Some(slot) = self.held.get_mut(usize::from(level)) {
                *slot = Some((index, hashes));
            }
        }
        match self.held.first() {
            Some(Some((at, hashes))) if *at == tile => Ok(hashes.clone()),
            _ => Ok(self.edge.levels.first().cloned().unwrap_or_default()),
        }
    }

    // A hash of a level, from the full tile held or from the edge.
    fn hash(&self, level: u8, index: u64) -> Option<Hash> {
        let (tile, at) = (index / u64::from(FULL), usize::try_from(index % u64::from(FULL)).ok()?);
        match self.held.get(usize::from(level)) {
            Some(Some((held, hashes))) if *held == tile => hashes.get(at).copied(),
            _ => self.edge.levels.get(usize::from(level))?.get(at).copied(),
        }
    }
}
