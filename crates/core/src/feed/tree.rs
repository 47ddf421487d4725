//! One proof for many entries: the hashes of those subtrees, and only those, in which none of the entries lies.
//!
//! The tree of RFC 6962 is walked from its root, left before right. A subtree that holds one of the entries is opened; one
//! that holds none is a hash of the proof, in the order of the walk. So there is exactly one proof for a set of entries,
//! and no room in it for a mark that tells one reader's copy from another's.

use std::collections::BTreeMap;

use canvass_ledger::{Hash, leaf_hash, node_hash};

/// First and one past the last entry of a subtree.
type Span = (u64, u64);

/// The subtrees known of a ledger's tree.
#[derive(Debug, Default)]
pub(super) struct Tree {
    size: u64,
    nodes: BTreeMap<Span, Hash>,
}

// The two halves of a subtree of more than one entry, as RFC 6962 section 2.1 splits it.
fn halves((low, high): Span) -> (Span, Span) {
    let middle = low + (high - low).next_power_of_two() / 2;
    ((low, middle), (middle, high))
}

// Siblings of the way from the root to an entry, the root's children first.
fn siblings(index: u64, size: u64) -> Vec<Span> {
    let (mut span, mut siblings) = ((0, size), Vec::new());
    while span.1 - span.0 > 1 {
        let (left, right) = halves(span);
        let (next, sibling) = if index < left.1 { (left, right) } else { (right, left) };
        siblings.push(sibling);
        span = next;
    }
    siblings
}

impl Tree {
    pub(super) fn new(size: u64) -> Self {
        Self { size, nodes: BTreeMap::new() }
    }

    /// Learns the hashes of an inclusion proof; `None` when their number is not that of this tree.
    pub(super) fn learn(&mut self, index: u64, path: &[Hash]) -> Option<()> {
        if index >= self.size {
            return None;
        }
        let siblings = siblings(index, self.size);
        if siblings.len() != path.len() {
            return None;
        }
        self.nodes.extend(siblings.into_iter().rev().zip(path.iter().copied()));
        Some(())
    }

    /// The hashes of the common proof for these entries (in order); `None` when one is not known.
    pub(super) fn common(&self, entries: &[u64]) -> Option<Vec<Hash>> {
        let mut hashes = Vec::new();
        if !entries.is_empty() {
            self.collect((0, self.size), entries, &mut hashes)?;
        }
        Some(hashes)
    }

    fn collect(&self, span: Span, entries: &[u64], hashes: &mut Vec<Hash>) -> Option<()> {
        if entries.is_empty() {
            hashes.push(*self.nodes.get(&span)?);
        } else if span.1 - span.0 > 1 {
            let (left, right) = halves(span);
            let (here, there) = entries.split_at_checked(entries.partition_point(|index| *index < left.1))?;
            self.collect(left, here, hashes)?;
            self.collect(right, there, hashes)?;
        }
        Some(())
    }

    /// Opens a common proof; gives the tree and its root, or `None` when there are too few or too many hashes, or an
    /// entry lies outside. Entries are in order, none twice.
    pub(super) fn open(size: u64, entries: &[(u64, &str)], hashes: &[Hash]) -> Option<(Self, Hash)> {
        if entries.is_empty() || entries.last().is_some_and(|(index, _)| *index >= size) {
            return None;
        }
        let leaves: Vec<_> =
            entries.iter().map(|(index, leaf)| (*index, leaf_hash(leaf.as_bytes()))).collect();
        let mut tree = Self::new(size);
        let mut rest = hashes.iter();
        let root = tree.fold((0, size), &leaves, &mut rest)?;
        rest.next().is_none().then_some((tree, root))
    }

    fn fold(
        &mut self,
        span: Span,
        leaves: &[(u64, Hash)],
        rest: &mut std::slice::Iter<'_, Hash>,
    ) -> Option<Hash> {
        let hash = match (leaves, span.1 - span.0) {
            ([], _) => *rest.next()?,
            ([(_, leaf)], 1) => *leaf,
            (_, 0 | 1) => return None,
            _ => {
                let (left, right) = halves(span);
                let (here, there) =
                    leaves.split_at_checked(leaves.partition_point(|(index, _)| *index < left.1))?;
                let left = self.fold(left, here, rest)?;
                node_hash(&left, &self.fold(right, there, rest)?)
            }
        };
        self.nodes.insert(span, hash);
        Some(hash)
    }

    /// The inclusion proof of one of the entries that the tree was opened with.
    pub(super) fn path(&self, index: u64) -> Option<Vec<Hash>> {
        siblings(index, self.size).iter().rev().map(|span| self.nodes.get(span).copied()).collect()
    }
}
