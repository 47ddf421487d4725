//! Plates: reads of cameras come in, are searched with a purpose, and are forgotten on time.
//!
//! ```text
//! machine's token ── feed ──► Feed ── prepare ──► Batch ── Reads::add ──► durable
//! member ── search_plates ──► an entry for each owner ──► Granted ── Reads::search ──► Found
//! member ── ask_approval ──► another approves ──► run_approved ──► GrantedQuestion ── Reads::run ──► FoundQuestion
//! member ── keep_granted ──► GrantedKeep ── Reads::pick ──► keep_reads: a file in the case
//! clock ── reads_due ──► Reads::erase (the keys of slices) ──► reads_erased: an entry
//! ```
//! [`Reads`] is the one door to stored reads. Its search takes a [`Granted`], which exists only once the entries of the
//! search are durable with every owner of a camera in scope. A picture takes a [`PictureLeave`], which follows from a search's
//! results or from an alert.

mod answered;
mod approvals;
mod classes;
mod erasure;
mod feed;
mod keep;
mod kept;
mod pictures;
mod question;
mod reads;
mod scope;
mod search;
mod together;
mod wire;

pub use answered::{Answered, FoundQuestion, GrantedQuestion};
pub(crate) use approvals::Approved;
pub use approvals::{
    APPROVED_HOURS, ApprovalDetail, ApprovalFilter, ApprovalView, AskedQuestion, OwnerPlanned,
    RefuseApproval, RunApproved, SearchPlan, WAITS_HOURS,
};
pub(crate) use classes::kept_seconds;
pub use classes::{HITS, KeptFor, SEEN};
pub use erasure::DueReads;
pub use feed::{Batch, Feed, Hit, MOST_ROWS, Row};
pub use keep::{
    FoundKeep, GrantedKeep, KeepApproved, KeepReads, KeptFile, KeptRead, KeptReadsDetail, KeptReadsView,
    MOST_KEPT,
};
pub use kept::{ClassErased, ClassKept, KeptWhat};
pub(crate) use pictures::Shown;
pub use pictures::{MOST_SHOWN, Picture, PictureKind, PictureLeave, SHOWN_SECONDS, is_picture};
pub use question::{PlaceAsked, Question, QuestionKind, SearchConvoy, SearchPlaces};
pub use reads::{Found, Reads, ReadsError};
pub(crate) use scope::ScopeOfSearch;
pub use scope::{LeftOut, WhoseCameras};
pub(crate) use search::{AHEAD, Asked, DAYS, FOOTAGE};
pub use search::{
    FoundRead, Granted, HistoryOfPlate, PlatesFound, RESULT, SearchPlates, SearchedOwner, hits_of_results,
};
pub use together::{
    AtPlace, CompanionFound, ConvoyFound, FoundConvoy, FoundPlaces, GrantedConvoy, GrantedPlaces,
    MeetingFound, PlacesFound, VisitorFound,
};
pub(crate) use wire::plate_fault;
pub use wire::{LicensePlateInfo, Likely, NewRead, VehicleInfo};

pub use crate::sources::{MOST_PROBLEMS, RowProblem, SourceId};

/// Most letters and digits of a plate that is stored or searched for: what the private check of plate owners takes.
pub const MOST_CHARACTERS: usize = 12;
