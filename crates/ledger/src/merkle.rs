//! The Merkle tree of RFC 6962, section 2.1: hashes, proofs, and how to check them.
//!
//! Making a proof does no reading: a [`Plan`] names the [`Node`]s needed, the caller fetches them and
//! [`Plan::assemble`] puts the proof together.

use std::ops::Range;

use sha2::{Digest as _, Sha256};

/// A SHA-256 hash of a leaf, a node or a root.
pub type Hash = [u8; 32];

/// The largest tree (2^63 - 1 entries): the largest that every implementation can count.
pub const MAX_SIZE: u64 = i64::MAX.unsigned_abs();

/// The most hashes any proof can have.
pub const MAX_PROOF: usize = 63;

/// Why a proof does not hold or can't be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MerkleError {
    /// The entry is not in a tree of that size.
    #[error(
        "index {index} lies outside a tree of {size} entries: ask for a larger checkpoint or another entry"
    )]
    Outside {
        /// Zero-based index of the entry.
        index: u64,
        /// Entries in the tree.
        size: u64,
    },
    /// A consistency proof runs from the smaller tree to the larger.
    #[error("old size {old} is larger than new size {new}: the log shrank, or the two are swapped")]
    Shrunk {
        /// Size said to be the older.
        old: u64,
        /// Size said to be the newer.
        new: u64,
    },
    /// Too few or too many hashes for these sizes.
    #[error("proof has the wrong number of hashes for these sizes: fetch it again for exactly these sizes")]
    Length,
    /// The hashes lead to another root.
    #[error("proof leads to another root: the entry, the proof or the checkpoint was altered")]
    Root,
}

/// Hash of an entry: SHA-256(0x00 || entry).
#[must_use]
pub fn leaf_hash(entry: &[u8]) -> Hash {
    let mut hasher = Sha256::new();
    hasher.update([0]);
    hasher.update(entry);
    hasher.finalize().into()
}

/// Hash of an inner node: SHA-256(0x01 || left || right).
#[must_use]
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    let mut hasher = Sha256::new();
    hasher.update([1]);
    hasher.update(left);
    hasher.update(right);
    hasher.finalize().into()
}

/// Root of the tree with no entries: SHA-256 of nothing.
#[must_use]
pub fn empty_root() -> Hash {
    Sha256::digest([]).into()
}

/// A tree that only remembers what it needs to grow: at most 63 hashes.
#[derive(Debug, Clone, Default)]
pub struct Frontier {
    size: u64,
    // One perfect subtree for each set bit of `size`, largest first.
    peaks: Vec<Hash>,
}

impl Frontier {
    /// Entries so far.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Adds a leaf by its hash.
    pub fn push(&mut self, leaf: Hash) {
        let mut hash = leaf;
        let mut carry = self.size;
        while carry & 1 == 1 {
            if let Some(left) = self.peaks.pop() {
                hash = node_hash(&left, &hash);
            }
            carry >>= 1;
        }
        self.peaks.push(hash);
        self.size += 1;
    }

    /// Root of the tree so far.
    #[must_use]
    pub fn root(&self) -> Hash {
        join(&self.peaks).unwrap_or_else(empty_root)
    }
}

/// Root of a tree with these leaves, given by their hashes.
#[must_use]
pub fn root_of(leaves: &[Hash]) -> Hash {
    let mut tree = Frontier::default();
    for leaf in leaves {
        tree.push(*leaf);
    }
    tree.root()
}

// Joins neighbouring subtrees, largest first, as RFC 6962 does: from the right.
pub(crate) fn join(subtrees: &[Hash]) -> Option<Hash> {
    let (last, rest) = subtrees.split_last()?;
    Some(rest.iter().rev().fold(*last, |right, left| node_hash(left, &right)))
}

/// A perfect subtree: the `2^level` entries from `index * 2^level`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Node {
    /// Height above the leaves, 0 to 62.
    pub level: u8,
    /// Position among the nodes of that height.
    pub index: u64,
}

/// The nodes that a proof is made of, step by step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    steps: Vec<Vec<Node>>,
}

impl Plan {
    /// The inclusion proof of RFC 6962, section 2.1.1.
    ///
    /// # Errors
    /// [`MerkleError::Outside`].
    pub fn inclusion(index: u64, size: u64) -> Result<Self, MerkleError> {
        if index >= size || size > MAX_SIZE {
            return Err(MerkleError::Outside { index, size });
        }
        let (mut low, mut high) = (0, size);
        let mut ranges = Vec::new();
        while high - low > 1 {
            let middle = low + split(high - low);
            if index < middle {
                ranges.push(middle..high);
                high = middle;
            } else {
                ranges.push(low..middle);
                low = middle;
            }
        }
        Ok(Self::of(ranges))
    }

    /// The consistency proof of RFC 6962, section 2.1.2. Empty from size 0 and between equal sizes.
    ///
    /// # Errors
    /// [`MerkleError::Shrunk`], or [`MerkleError::Outside`] above [`MAX_SIZE`].
    pub fn consistency(old: u64, new: u64) -> Result<Self, MerkleError> {
        if old > new {
            return Err(MerkleError::Shrunk { old, new });
        }
        if new > MAX_SIZE {
            return Err(MerkleError::Outside { index: old, size: new });
        }
        if old == 0 {
            return Ok(Self { steps: Vec::new() });
        }
        let (mut low, mut high) = (0, new);
        let mut ranges = Vec::new();
        let mut whole_old_tree = true;
        while old != high {
            let middle = low + split(high - low);
            if old <= middle {
                ranges.push(middle..high);
                high = middle;
            } else {
                ranges.push(low..middle);
                low = middle;
                whole_old_tree = false;
            }
        }
        if !whole_old_tree {
            ranges.push(low..high);
        }
        Ok(Self::of(ranges))
    }

    fn of(ranges: Vec<Range<u64>>) -> Self {
        Self { steps: ranges.into_iter().rev().map(cover).collect() }
    }

    /// Every node needed.
    pub fn nodes(&self) -> impl Iterator<Item = Node> + '_ {
        self.steps.iter().flatten().copied()
    }

    /// The proof, from a lookup of nodes; `None` where the lookup lacks one.
    pub fn assemble(&self, mut lookup: impl FnMut(Node) -> Option<Hash>) -> Option<Vec<Hash>> {
        let mut proof = Vec::with_capacity(self.steps.len());
        for step in &self.steps {
            let hashes = step.iter().map(|node| lookup(*node)).collect::<Option<Vec<_>>>()?;
            proof.push(join(&hashes)?);
        }
        Some(proof)
    }
}

// Largest power of two smaller than n, for n > 1.
fn split(n: u64) -> u64 {
    1 << (63 - (n - 1).leading_zeros())
}

// The perfect subtrees of a range, largest first (its start is aligned as RFC 6962 splits trees).
fn cover(range: Range<u64>) -> Vec<Node> {
    let mut nodes = Vec::new();
    let mut start = range.start;
    while start < range.end {
        let fits = 63 - (range.end - start).leading_zeros();
        let level = fits.min(start.trailing_zeros());
        nodes.push(Node { level: u8::try_from(level).unwrap_or(62), index: start >> level });
        start += 1 << level;
    }
    nodes
}

/// Checks that a leaf is at an index of the tree with this root (RFC 9162, section 2.1.3.2).
///
/// # Errors
/// [`MerkleError`] saying what does not fit.
pub fn verify_inclusion(
    leaf: &Hash,
    index: u64,
    size: u64,
    proof: &[Hash],
    root: &Hash,
) -> Result<(), MerkleError> {
    if index >= size {
        return Err(MerkleError::Outside { index, size });
    }
    let (mut node, mut last) = (index, size - 1);
    let mut hash = *leaf;
    for sibling in proof {
        if last == 0 {
            return Err(MerkleError::Length);
        }
        if node & 1 == 1 || node == last {
            hash = node_hash(sibling, &hash);
            while node & 1 == 0 && node != 0 {
                node >>= 1;
                last >>= 1;
            }
        } else {
            hash = node_hash(&hash, sibling);
        }
        node >>= 1;
        last >>= 1;
    }
    if last != 0 {
        return Err(MerkleError::Length);
    }
    if hash == *root { Ok(()) } else { Err(MerkleError::Root) }
}

/// Checks that the new tree continues the old one (RFC 9162, section 2.1.4.2). From size 0 and between equal sizes
/// the proof must be empty.
///
/// # Errors
/// [`MerkleError`] saying what does not fit.
pub fn verify_consistency(
    old: u64,
    old_root: &Hash,
    new: u64,
    new_root: &Hash,
    proof: &[Hash],
) -> Result<(), MerkleError> {
    if old > new {
        return Err(MerkleError::Shrunk { old, new });
    }
    if old == 0 || old == new {
        let same = if old == new { old_root == new_root } else { *old_root == empty_root() };
        return match (proof.is_empty(), same) {
            (false, _) => Err(MerkleError::Length),
            (true, false) => Err(MerkleError::Root),
            (true, true) => Ok(()),
        };
    }
    let mut hashes = proof.iter();
    let start = if old.is_power_of_two() { Some(old_root) } else { hashes.next() };
    let (Some(start), false) = (start, proof.is_empty()) else {
        return Err(MerkleError::Length);
    };
    let shift = (old - 1).trailing_ones();
    let (mut node, mut last) = ((old - 1) >> shift, (new - 1) >> shift);
    let (mut old_hash, mut new_hash) = (*start, *start);
    for sibling in hashes {
        if last == 0 {
            return Err(MerkleError::Length);
        }
        if node & 1 == 1 || node == last {
            old_hash = node_hash(sibling, &old_hash);
            new_hash = node_hash(sibling, &new_hash);
            while node & 1 == 0 && node != 0 {
                node >>= 1;
                last >>= 1;
            }
        } else {
            new_hash = node_hash(&new_hash, sibling);
        }
        node >>= 1;
        last >>= 1;
    }
    if last != 0 {
        return Err(MerkleError::Length);
    }
    if old_hash == *old_root && new_hash == *new_root { Ok(()) } else { Err(MerkleError::Root) }
}
