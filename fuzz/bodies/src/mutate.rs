//! Changes to an input, from a seed alone: a run can be repeated exactly.

/// Longest input.
const MOST: usize = 256 * 1024;

/// Pieces that formats of ours turn on.
const PIECES: &[&[u8]] = &[
    b"\n",
    b"\n\n",
    b"\r\n",
    b" ",
    b"\0",
    b"+",
    b"/",
    b"..",
    b"%0A",
    b"\xef\xbb\xbf",
    b"\xe2\x80\x94 ",
    b"\xcc\x81",
    b"0",
    b"-1",
    b"1e308",
    b"18446744073709551615",
    b"9007199254740993",
    b"null",
    b"{}",
    b"[]",
    b"\"",
    b"\\u0000",
    b"\xff",
];

/// A generator of numbers (SplitMix64, public domain by its author).
pub struct Chance(u64);

impl Chance {
    /// From a seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Any number.
    pub fn any(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `end`, or 0.
    pub fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.any() % (end.max(1) as u64)).unwrap_or(0)
    }
}

/// One to four changes to one of the seeds.
#[must_use]
pub fn mutated(seeds: &[Vec<u8>], chance: &mut Chance) -> Vec<u8> {
    let pick = |chance: &mut Chance| seeds.get(chance.below(seeds.len())).cloned().unwrap_or_default();
    let mut bytes = pick(chance);
    for _ in 0..=chance.below(4) {
        let (at, other) =
            (chance.below(bytes.len().saturating_add(1)), chance.below(bytes.len().saturating_add(1)));
        let (from, to) = (at.min(other), at.max(other));
        match chance.below(9) {
            0 => flip(&mut bytes, at, 1 << chance.below(8)),
            1 => flip(&mut bytes, at, u8::try_from(chance.below(256)).unwrap_or(1)),
            2 => drop(bytes.drain(from..to.min(from.saturating_add(8)))),
            3 => drop(bytes.drain(from..to)),
            4 => {
                let piece = PIECES.get(chance.below(PIECES.len())).copied().unwrap_or_default();
                bytes.splice(at..at, piece.iter().copied());
            }
            5 => {
                let copy = bytes.get(from..to.min(from.saturating_add(64))).unwrap_or_default().to_vec();
                bytes.splice(other..other, copy);
            }
            6 => {
                let tail = pick(chance);
                let cut = chance.below(tail.len().saturating_add(1));
                bytes.truncate(at);
                bytes.extend_from_slice(tail.get(cut..).unwrap_or_default());
            }
            7 => {
                let digit =
                    bytes.iter().skip(at).position(u8::is_ascii_digit).map(|next| at.saturating_add(next));
                if let Some(byte) = digit.and_then(|digit| bytes.get_mut(digit)) {
                    *byte = b'0' + u8::try_from(chance.below(10)).unwrap_or(0);
                }
            }
            _ => {
                if let Some(byte) = bytes.get_mut(at) {
                    byte.make_ascii_uppercase();
                }
            }
        }
    }
    bytes.truncate(MOST);
    bytes
}

fn flip(bytes: &mut [u8], at: usize, with: u8) {
    if let Some(byte) = bytes.get_mut(at) {
        *byte ^= with;
    }
}
