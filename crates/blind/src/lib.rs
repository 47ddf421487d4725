//! "Was I searched?": the private check for a plate's owner.
//!
//! Whoever holds an epoch's key can compute one output for each plate; whoever asks learns the output of one plate
//! without showing it (RFC 9497, VOPRF mode, ristretto255-SHA512), with a proof that the key is the published one. A
//! search that named a plate leaves a [`Mark`]: a tag and sealed details, both derived from the output. So only who
//! knows the plate and asked for its output finds the mark among the others of its day.
//!
//! No I/O, no clock; chance is handed in. `docs/ref/asked.md` describes the formats.

mod epoch;
mod mark;
mod oprf;
mod plate;
mod wire;

#[cfg(test)]
mod tests;

pub use epoch::{Epoch, day_of};
pub use mark::{COUNTERS, Cameras, DETAIL_BYTES, Detail, MARK_BYTES, Mark, TAG_BYTES, filler, find};
pub use oprf::{Blinded, ELEMENT_BYTES, EpochKey, MOST_ELEMENTS, Output, PROOF_BYTES, PublicKey};
pub use plate::Plate;
pub use wire::{DayFile, DaysFile, Evaluate, Evaluated, KeyFile, KeyOf};

/// Name of the suite of RFC 9497.
pub const SUITE: &str = "ristretto255-SHA512";

/// Why something of a blind check can't be used. No message names what was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BlindError {
    /// The plate.
    #[error("plate: it is no plate's text; write 1 to 12 of the letters A-Z and the digits 0-9")]
    Plate,
    /// The plate has letters that only look like those of a plate.
    #[error(
        "plate: it has a letter that is not A-Z or 0-9, or only looks like one; type it anew on a plain keyboard"
    )]
    Lookalike,
    /// The quarter of a year.
    #[error("epoch: it is no quarter; write it like 2026-Q4")]
    Epoch,
    /// How many elements were sent.
    #[error("elements: their number is out of range; send 1 to {MOST_ELEMENTS}")]
    Count,
    /// An element.
    #[error(
        "elements: one is no element of ristretto255, or is its identity; send 32 bytes of base64url each, made by RFC 9497's Blind"
    )]
    Element,
    /// A key.
    #[error("key: it is no key of this check; put it back from where you keep the keys")]
    Key,
    /// The proof.
    #[error(
        "proof: the answer was not made with the published key; do not rely on it, and tell the overseers of this server"
    )]
    Proof,
    /// The details of a search.
    #[error(
        "detail: agency and purpose do not fit the {DETAIL_BYTES} bytes of a mark; shorten the purpose's class"
    )]
    Detail,
    /// A file.
    #[error("file: it is not of the form that this check reads; get a newer version of the program")]
    Form,
}
