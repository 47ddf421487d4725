//! Tiles and entry bundles: their paths and their bytes (C2SP tlog-tiles).

use std::fmt;
use std::str::FromStr;

use crate::merkle::{Hash, Node, join, node_hash};

/// Longest entry in bytes: its length prefix is a `u16`.
pub const MAX_ENTRY: usize = 65_535;
/// Hashes of a full tile, entries of a full bundle.
pub const FULL: u16 = 256;
/// Longest entry bundle in bytes.
pub const MAX_BUNDLE: usize = 256 * (MAX_ENTRY + 2);

/// What a tile holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum TileKind {
    /// Hashes; level 0 holds leaf hashes, each level above the hashes of full tiles below.
    Hashes {
        /// 0 to 63.
        level: u8,
    },
    /// Entries, length-prefixed.
    Entries,
}

/// The path of a tile or of an entry bundle: `tile/<L>/<N>[.p/<W>]`, `tile/entries/<N>[.p/<W>]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct TilePath {
    kind: TileKind,
    index: u64,
    width: u16,
}

/// Why a path, a tile or a bundle is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TileError {
    /// Not a path of tlog-tiles.
    #[error("tile path: {part}: write tile/<level>/<index>[.p/<width>] or tile/entries/<index>[.p/<width>]")]
    Path {
        /// The part at fault.
        part: &'static str,
    },
    /// A hash tile has the wrong length.
    #[error("hash tile has {found} bytes, {expected} expected: fetch it again, or the store is damaged")]
    TileLength {
        /// Bytes that the width demands.
        expected: usize,
        /// Bytes found.
        found: usize,
    },
    /// A bundle ends within an entry.
    #[error("entry bundle ends inside entry {entry}: fetch it again, or the store is damaged")]
    BundleCut {
        /// Position in the bundle.
        entry: usize,
    },
    /// A bundle holds the wrong number of entries.
    #[error("entry bundle holds {found} entries, {expected} expected: fetch the bundle of this width")]
    BundleWidth {
        /// Entries that the width demands.
        expected: usize,
        /// Entries found; one more than expected stands for any surplus.
        found: usize,
    },
    /// An entry does not fit its length prefix.
    #[error(
        "entry {entry} has {length} bytes, at most 65535 fit: put a commitment in the log, not the content"
    )]
    EntryLength {
        /// Position in the list.
        entry: usize,
        /// Its bytes.
        length: usize,
    },
}

impl TilePath {
    /// A path; `None` where level is above 63 or width is not 1 to 256.
    #[must_use]
    pub fn new(kind: TileKind, index: u64, width: u16) -> Option<Self> {
        let level_fits = !matches!(kind, TileKind::Hashes { level } if level > 63);
        (level_fits && (1..=FULL).contains(&width)).then_some(Self { kind, index, width })
    }

    /// The path, at its width in a tree of `size` entries, of the tile with this index; `None` where the tree does
    /// not reach it.
    #[must_use]
    pub fn in_tree(kind: TileKind, index: u64, size: u64) -> Option<Self> {
        let level = match kind {
            TileKind::Hashes { level } => level,
            TileKind::Entries => 0,
        };
        let hashes = if level < 8 { size >> (8 * u32::from(level)) } else { 0 };
        let width = hashes.checked_sub(index.checked_mul(u64::from(FULL))?)?.min(u64::from(FULL));
        Self::new(kind, index, u16::try_from(width).ok()?)
    }

    /// What it holds.
    #[must_use]
    pub fn kind(&self) -> TileKind {
        self.kind
    }

    /// Index within its level.
    #[must_use]
    pub fn index(&self) -> u64 {
        self.index
    }

    /// Hashes or entries in it, 1 to 256.
    #[must_use]
    pub fn width(&self) -> u16 {
        self.width
    }

    /// Whether more will come.
    #[must_use]
    pub fn is_partial(&self) -> bool {
        self.width < FULL
    }

    /// The full tile in the same place.
    #[must_use]
    pub fn full(&self) -> Self {
        Self { width: FULL, ..*self }
    }
}

impl fmt::Display for TilePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            TileKind::Hashes { level } => write!(f, "tile/{level}/")?,
            TileKind::Entries => write!(f, "tile/entries/")?,
        }
        let mut groups = vec![self.index % 1000];
        let mut rest = self.index / 1000;
        while rest > 0 {
            groups.push(rest % 1000);
            rest /= 1000;
        }
        for (left, group) in groups.iter().enumerate().rev() {
            if left > 0 { write!(f, "x{group:03}/")? } else { write!(f, "{group:03}")? }
        }
        if self.is_partial() { write!(f, ".p/{}", self.width) } else { Ok(()) }
    }
}

impl FromStr for TilePath {
    type Err = TileError;

    fn from_str(path: &str) -> Result<Self, TileError> {
        let wrong = |part| TileError::Path { part };
        if path.len() > 64 {
            return Err(wrong("longer than 64 bytes"));
        }
        let rest = path.strip_prefix("tile/").ok_or(wrong("does not start with tile/"))?;
        let (kind, rest) = rest.split_once('/').ok_or(wrong("has no index"))?;
        let kind = if kind == "entries" {
            TileKind::Entries
        } else {
            let level = small(kind, 63).ok_or(wrong("level is not a number from 0 to 63"))?;
            TileKind::Hashes { level: u8::try_from(level).map_err(|_| wrong("level"))? }
        };
        let (index, width) = match rest.split_once(".p/") {
            None => (rest, FULL),
            Some((index, width)) => {
                let width = small(width, FULL - 1).filter(|w| *w > 0);
                (index, width.ok_or(wrong("width is not a number from 1 to 255"))?)
            }
        };
        let index = parse_index(index).ok_or(wrong("index is not in the x001/x234/067 form"))?;
        Ok(Self { kind, index, width })
    }
}

fn small(text: &str, most: u16) -> Option<u16> {
    crate::text::decimal(text).and_then(|n| u16::try_from(n).ok()).filter(|n| *n <= most)
}

fn parse_index(text: &str) -> Option<u64> {
    let (leading, last) = match text.rsplit_once('/') {
        Some((leading, last)) => (Some(leading), last),
        None => (None, text),
    };
    let mut index = 0_u64;
    if let Some(leading) = leading {
        for (at, group) in leading.split('/').enumerate() {
            let value = three_digits(group.strip_prefix('x')?)?;
            if at == 0 && value == 0 {
                return None;
            }
            index = index.checked_mul(1000)?.checked_add(value)?;
        }
    }
    index.checked_mul(1000)?.checked_add(three_digits(last)?)
}

fn three_digits(text: &str) -> Option<u64> {
    (text.len() == 3 && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse().ok())?
}

/// Bytes of a hash tile.
#[must_use]
pub fn encode_tile(hashes: &[Hash]) -> Vec<u8> {
    hashes.concat()
}

/// Hashes of a tile of this width.
///
/// # Errors
/// [`TileError::TileLength`].
pub fn decode_tile(bytes: &[u8], width: u16) -> Result<Vec<Hash>, TileError> {
    let (hashes, rest) = bytes.as_chunks::<32>();
    if hashes.len() != usize::from(width) || !rest.is_empty() {
        return Err(TileError::TileLength { expected: 32 * usize::from(width), found: bytes.len() });
    }
    Ok(hashes.to_vec())
}

/// Adds an entry to a bundle.
///
/// # Errors
/// [`TileError::EntryLength`] above [`MAX_ENTRY`] bytes.
pub fn push_entry(bundle: &mut Vec<u8>, entry: &[u8]) -> Result<(), TileError> {
    let length =
        u16::try_from(entry.len()).map_err(|_| TileError::EntryLength { entry: 0, length: entry.len() })?;
    bundle.extend_from_slice(&length.to_be_bytes());
    bundle.extend_from_slice(entry);
    Ok(())
}

/// Bytes of a bundle with these entries.
///
/// # Errors
/// [`TileError::EntryLength`] above [`MAX_ENTRY`] bytes.
pub fn encode_bundle<E: AsRef<[u8]>>(entries: &[E]) -> Result<Vec<u8>, TileError> {
    let mut bundle = Vec::new();
    for (at, entry) in entries.iter().enumerate() {
        push_entry(&mut bundle, entry.as_ref())
            .map_err(|_| TileError::EntryLength { entry: at, length: entry.as_ref().len() })?;
    }
    Ok(bundle)
}

/// Entries of a bundle that must hold exactly `width` of them.
///
/// # Errors
/// [`TileError::BundleCut`] or [`TileError::BundleWidth`].
pub fn decode_bundle(bytes: &[u8], width: usize) -> Result<Vec<&[u8]>, TileError> {
    let mut entries = Vec::new();
    let mut rest = bytes;
    while !rest.is_empty() {
        if entries.len() == width {
            return Err(TileError::BundleWidth { expected: width, found: width + 1 });
        }
        let cut = TileError::BundleCut { entry: entries.len() };
        let (length, after) = rest.split_first_chunk::<2>().ok_or(cut.clone())?;
        let (entry, after) = after.split_at_checked(usize::from(u16::from_be_bytes(*length))).ok_or(cut)?;
        entries.push(entry);
        rest = after;
    }
    if entries.len() == width {
        Ok(entries)
    } else {
        Err(TileError::BundleWidth { expected: width, found: entries.len() })
    }
}

/// Where a node's hash comes from: the tile that holds it or the hashes below it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    pub level: u8,
    pub tile: u64,
    first: usize,
    count: usize,
}

impl Place {
    pub(crate) fn of(node: Node) -> Self {
        let inside = u32::from(node.level % 8);
        let first = node.index << inside;
        Self {
            level: node.level / 8,
            tile: first / u64::from(FULL),
            first: usize::from(u8::try_from(first % u64::from(FULL)).unwrap_or(0)),
            count: 1 << inside,
        }
    }

    pub(crate) fn hash(&self, tile: &[Hash]) -> Option<Hash> {
        Some(perfect(tile.get(self.first..self.first + self.count)?))
    }
}

/// Root of a perfect subtree (a power of two of hashes).
pub(crate) fn perfect(hashes: &[Hash]) -> Hash {
    let mut row = hashes.to_vec();
    while row.len() > 1 {
        let (pairs, _) = row.as_chunks::<2>();
        row = pairs.iter().map(|[left, right]| node_hash(left, right)).collect();
    }
    row.first().copied().unwrap_or_default()
}

/// Root of the part of a tree under a partial tile, joined with what lies to its right.
pub(crate) fn join_partial(hashes: &[Hash], right: Option<Hash>) -> Option<Hash> {
    let mut subtrees = Vec::new();
    let mut rest = hashes;
    while !rest.is_empty() {
        let (head, tail) = rest.split_at(1 << rest.len().ilog2());
        subtrees.push(perfect(head));
        rest = tail;
    }
    subtrees.extend(right);
    join(&subtrees)
}
