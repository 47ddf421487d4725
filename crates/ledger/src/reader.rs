//! Reads tiles and makes proofs from them: for a log about itself, and for anyone with its public files.

use std::collections::BTreeMap;

use crate::merkle::{Hash, MerkleError, Plan};
use crate::store::{StoreError, TileSource};
use crate::tile::{FULL, MAX_BUNDLE, Place, TileError, TileKind, TilePath, decode_bundle, decode_tile};

/// Why a log's files could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A file that the tree needs is not there.
    #[error("file {path} is missing: the log must serve it for this checkpoint, ask its operator")]
    Missing {
        /// Path of the file.
        path: String,
    },
    /// A file is malformed.
    #[error("file {path} is malformed ({source}): the log is damaged or altered, ask its operator")]
    Malformed {
        /// Path of the file.
        path: String,
        /// What is wrong.
        source: TileError,
    },
    /// The proof asked for can't exist.
    #[error(transparent)]
    Merkle(#[from] MerkleError),
}

// A file at its width, or the beginning of the full one where the partial file was cleaned up.
async fn read_either<S: TileSource>(source: &S, path: TilePath) -> Result<(Vec<u8>, TilePath), ReadError> {
    if let Some(bytes) = source.read(&path.to_string()).await? {
        return Ok((bytes, path));
    }
    let full = path.full();
    if path.is_partial()
        && let Some(bytes) = source.read(&full.to_string()).await?
    {
        return Ok((bytes, full));
    }
    Err(ReadError::Missing { path: path.to_string() })
}

/// Hashes of a tile in a tree of `size` entries.
///
/// # Errors
/// [`ReadError`] naming the file.
pub async fn read_tile<S: TileSource>(
    source: &S,
    level: u8,
    index: u64,
    size: u64,
) -> Result<Vec<Hash>, ReadError> {
    let path = TilePath::in_tree(TileKind::Hashes { level }, index, size)
        .ok_or(MerkleError::Outside { index, size })?;
    let (bytes, found) = read_either(source, path).await?;
    let mut hashes = decode_tile(&bytes, found.width())
        .map_err(|source| ReadError::Malformed { path: found.to_string(), source })?;
    hashes.truncate(usize::from(path.width()));
    Ok(hashes)
}

/// Entries of a bundle in a tree of `size` entries. They are as the source has them: an auditor compares them
/// with the tree.
///
/// # Errors
/// [`ReadError`] naming the file.
pub async fn read_bundle<S: TileSource>(
    source: &S,
    index: u64,
    size: u64,
) -> Result<Vec<Vec<u8>>, ReadError> {
    let path =
        TilePath::in_tree(TileKind::Entries, index, size).ok_or(MerkleError::Outside { index, size })?;
    let (bytes, found) = read_either(source, path).await?;
    let malformed = |source| ReadError::Malformed { path: found.to_string(), source };
    if bytes.len() > MAX_BUNDLE {
        return Err(malformed(TileError::BundleWidth { expected: 256, found: 257 }));
    }
    let entries = decode_bundle(&bytes, usize::from(found.width())).map_err(malformed)?;
    Ok(entries.into_iter().take(usize::from(path.width())).map(<[u8]>::to_vec).collect())
}

/// Follows a plan with the tiles of a tree of `size` entries, which may be larger than the plan's.
pub(crate) async fn follow<S: TileSource>(
    source: &S,
    plan: &Plan,
    size: u64,
) -> Result<Vec<Hash>, ReadError> {
    let mut tiles = BTreeMap::new();
    for node in plan.nodes() {
        let place = Place::of(node);
        if let std::collections::btree_map::Entry::Vacant(slot) = tiles.entry((place.level, place.tile)) {
            slot.insert(read_tile(source, place.level, place.tile, size).await?);
        }
    }
    let lookup = |node| {
        let place = Place::of(node);
        place.hash(tiles.get(&(place.level, place.tile))?)
    };
    Ok(plan.assemble(lookup).ok_or(MerkleError::Length)?)
}

/// The inclusion proof of an entry in the tree of `size` entries (RFC 6962, section 2.1.1). The source must have the
/// tiles of that size or of a larger one.
///
/// # Errors
/// [`ReadError`].
pub async fn prove_inclusion<S: TileSource>(
    source: &S,
    index: u64,
    size: u64,
) -> Result<Vec<Hash>, ReadError> {
    follow(source, &Plan::inclusion(index, size)?, size).await
}

/// The consistency proof between the trees of `old` and `new` entries (RFC 6962, section 2.1.2).
///
/// # Errors
/// [`ReadError`].
pub async fn prove_consistency<S: TileSource>(
    source: &S,
    old: u64,
    new: u64,
) -> Result<Vec<Hash>, ReadError> {
    follow(source, &Plan::consistency(old, new)?, new).await
}

/// Index of the bundle that holds an entry.
#[must_use]
pub fn bundle_of(entry: u64) -> u64 {
    entry / u64::from(FULL)
}
