//! Footage: who and what cameras and evidence show, searched by description.
//!
//! ```text
//! machine's token ── sighting_feed ──► SightingFeed ── add_sightings ──► durable
//! agency's device ── looks through an item, seals ── put_sightings ──► kept with the item; the server can't open it
//! member ── search_footage ── refused by a rule: an entry with the rule, without the words
//!                └─► an entry for each owner ──► GrantedFootage ── footage_found ──► moments of cameras, sealed sightings of items
//! clock ── forget_sightings ──► rows and pictures go ──► an entry
//! ```
//! A description that speaks of people takes a second person's approval (`crate::plates::Question::Footage`).

mod ask;
mod feed;
mod kept;
mod rules;
mod sealed;
mod search;

pub use ask::{FOOTAGE_REFUSED, SearchFootage, Understood, UnderstoodClause, UnderstoodWant};
pub use feed::{AddedSightings, MOST_CUT, MOST_SIGHTINGS, NewEmbedding, NewSighting, SightingFeed};
pub use rules::{FootageRule, FootageRules, footage_rules};
pub use sealed::{MOST_SEALED, PutSightings, SealedSightingsView};
pub use search::{FootageFound, FootageMoment, GrantedFootage, SealedEvidence, SealedIndex};
