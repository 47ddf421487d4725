//! Envelopes: what a resident sends. One age file, holding a bag in tar:
//!
//! ```text
//! envelope/bagit.txt                 first
//! envelope/data/clips/<name>         the clips
//! envelope/request.json              the signed request it answers, byte for byte
//! envelope/consent.json              the consent given, byte for byte
//! envelope/contact.json              optional
//! envelope/mailbox.txt               optional: an age recipient for answers to the resident
//! envelope/bag-info.txt, manifest-sha256.txt, tagmanifest-sha256.txt
//! ```
//!
//! RFC 8493 section 4 asks for the base directory; envelopes without one are opened too.

mod open;
mod seal;
mod sink;

pub use open::{OpenError, OpenOptions, Opened, open};
pub use seal::{ClipSource, MetaFiles, SealError, SealPlan, Sealed, seal};
pub use sink::{DirSink, EnvelopeSink, MemorySink, NullSink};

/// Base directory in the archive.
pub const BASE: &str = "envelope";
/// Where the clips are.
pub const CLIPS: &str = "data/clips/";
/// Most clips in one envelope that are sealed or opened.
pub const MAX_CLIPS: usize = 1_000;
/// Most entries in the tar of an envelope.
pub const MAX_ENTRIES: usize = 10_000;
/// Largest tag file, in bytes.
pub const MAX_TAG_BYTES: u64 = 1024 * 1024;

/// A clip that was sealed or opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clip {
    /// Its file name.
    pub name: String,
    /// Size in bytes.
    pub size: u64,
    /// SHA-256 of its bytes.
    pub sha256: [u8; 32],
}
