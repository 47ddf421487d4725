//! The verifiable log: leaves, tiles, checkpoints, proofs, and the code that checks them.
//!
//! Formats are those of C2SP (tlog-tiles, tlog-checkpoint, signed-note, tlog-cosignature, tlog-witness,
//! tlog-proof) over the Merkle tree of RFC 6962, so that anyone's tools can check a Canvass ledger.
//! The crate does no I/O of its own: a log writes through [`store::TileStore`] and [`store::HeadStore`], an
//! auditor reads through [`store::TileSource`]. It knows no clock and no chance: times are passed in as POSIX seconds.

pub mod checkpoint;
mod edge;
pub mod jcs;
pub mod log;
pub mod merkle;
pub mod note;
pub mod proof;
pub mod reader;
pub mod store;
mod text;
pub mod tile;
pub mod verify;
pub mod witness;

pub use checkpoint::{Checkpoint, CheckpointError, SignedCheckpoint, Trust, TrustError, Trusted};
pub use jcs::{CanonicalError, canonical};
pub use log::{Appended, Log, LogConfig, LogError};
pub use merkle::{Hash, MerkleError, leaf_hash, node_hash};
pub use note::{KeyError, KeyKind, Note, NoteError, NoteSignature, SignerKey, VerifierKey};
pub use proof::{Proof, ProofError};
pub use store::{HeadStore, MemStore, StoreError, SwapError, TileSource, TileStore};
pub use tile::{MAX_ENTRY, TilePath};
pub use verify::{AuditError, AuditReport, audit};
