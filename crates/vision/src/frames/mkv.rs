//! Frames and sound as a Matroska stream of bare pictures and samples: how the encoding process gets them with their times.

use crate::Picture;
use std::io::{Result, Write};
use std::time::Duration;

/// Samples of a second.
pub(super) const RATE: u32 = 48_000;
/// Channels.
pub(super) const CHANNELS: u8 = 2;
/// One count of time, in nanoseconds.
const COUNT: u64 = 100_000;

/// An element: its id, its length, its content.
fn element(id: u32, content: &[u8]) -> Vec<u8> {
    let mut all: Vec<u8> = id.to_be_bytes().into_iter().skip_while(|byte| *byte == 0).collect();
    all.extend((content.len() as u64 | 1 << 56).to_be_bytes());
    all.extend(content);
    all
}

fn number(id: u32, value: u64) -> Vec<u8> {
    element(id, &value.to_be_bytes())
}

fn track(number_of: u64, kind: u64, codec: &str, id: u32, settings: &[Vec<u8>]) -> Vec<u8> {
    let parts = [
        number(0xD7, number_of),
        number(0x73C5, number_of),
        number(0x83, kind),
        element(0x86, codec.as_bytes()),
        element(id, &settings.concat()),
    ];
    element(0xAE, &parts.concat())
}

/// What stands before the first frame.
pub(super) fn start(to: &mut impl Write, width: u32, height: u32, sound: bool) -> Result<()> {
    let kind = [
        number(0x4286, 1),
        number(0x42F7, 1),
        number(0x42F2, 4),
        number(0x42F3, 8),
        element(0x4282, b"matroska"),
        number(0x4287, 4),
        number(0x4285, 2),
    ];
    to.write_all(&element(0x1A45_DFA3, &kind.concat()))?;
    // A segment of a length that nobody knows yet.
    to.write_all(&[0x18, 0x53, 0x80, 0x67, 0x01, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF])?;
    let info = [number(0x2A_D7B1, COUNT), element(0x4D80, b"canvass"), element(0x5741, b"canvass")];
    to.write_all(&element(0x1549_A966, &info.concat()))?;
    let picture = [number(0xB0, width.into()), number(0xBA, height.into()), element(0x2E_B524, b"RGB\x18")];
    let mut tracks = track(1, 1, "V_UNCOMPRESSED", 0xE0, &picture);
    if sound {
        let samples = [
            element(0xB5, &f64::from(RATE).to_be_bytes()),
            number(0x9F, CHANNELS.into()),
            number(0x6264, 16),
        ];
        tracks.extend(track(2, 2, "A_PCM/INT/LIT", 0xE1, &samples));
    }
    to.write_all(&element(0x1654_AE6B, &tracks))
}

/// One frame, shown from `time` for `length`.
pub(super) fn frame(to: &mut impl Write, picture: &Picture, time: Duration, length: Duration) -> Result<()> {
    let counts = |time: Duration| (time.as_nanos() / u128::from(COUNT)) as u64;
    cluster(to, 1, counts(time), counts(length).max(1), picture.rgb())
}

/// Samples from a moment on.
pub(super) fn samples(to: &mut impl Write, bytes: &[u8], first: u64) -> Result<()> {
    let counts = |samples: u64| samples.saturating_mul(1_000_000_000 / COUNT) / u64::from(RATE);
    let length = bytes.len() as u64 / (u64::from(CHANNELS) * 2);
    cluster(to, 2, counts(first), counts(length).max(1), bytes)
}

/// Each block is a cluster of its own: its time can then be any.
fn cluster(to: &mut impl Write, track: u8, time: u64, length: u64, data: &[u8]) -> Result<()> {
    let head = [0x80 | track, 0, 0, 0];
    let length = number(0x9B, length);
    let block = head.len() + data.len();
    let group = 9 + block + length.len();
    let time = number(0xE7, time);
    let mut start = Vec::with_capacity(64);
    start.extend([0x1F, 0x43, 0xB6, 0x75]);
    start.extend(((time.len() + 9 + group) as u64 | 1 << 56).to_be_bytes());
    start.extend(time);
    for (id, size) in [(0xA0, group), (0xA1, block)] {
        start.push(id);
        start.extend((size as u64 | 1 << 56).to_be_bytes());
    }
    start.extend(head);
    to.write_all(&start)?;
    to.write_all(data)?;
    to.write_all(&length)
}
