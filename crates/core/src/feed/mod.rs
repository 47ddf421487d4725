//! The region feed: what everyone downloads whole, so that nobody learns who looked for what.
//!
//! The earth is cut into the cells of H3 at resolution 3 (about 12,400 km² each). A [`RegionBundle`] holds all that is asked
//! in one of them with the proofs from the requests ledger, in bytes that are the same for everybody and whenever nothing
//! changed. A reader trusts none of it: [`verify_bundle`] checks every part against a checkpoint. What a bundle can't
//! prove is that it left nothing out or is the newest: for that, readers compare the ledger itself.

mod bundle;
mod regions;
mod syndication;
mod tree;
mod verify;

pub use bundle::{
    BundleAgency, BundleError, BundleLeaf, BundleRequest, Entry, Expanded, FORM, MAX_BUNDLE, RegionBundle,
};
pub use regions::{RESOLUTION, regions};
pub use syndication::{RegionEntry, atom, geojson, index};
pub use verify::{VerifyError, verify_bundle};

#[cfg(test)]
mod tests;
