//! Policy as code: who may do what, to whose data, for which purpose, under which law.
//!
//! The rules are readable files under `policies/`: [Cedar](https://www.cedarpolicy.com) policies, a table of roles, and one
//! profile for each state law. [`PolicySet::load`] reads and checks them all at once; [`PolicySet::decide`] answers a
//! [`Question`] with the rules that decided and, where a second person, a warrant or an open case is all that is missing, with
//! what is needed. [`dry_run`] tells whose rights a change alters before it is made.
//!
//! The crate does no input or output and reads no clock: files come in as texts, the moment as a fact of the question.

mod bundle;
mod check;
mod decide;
mod error;
mod frame;
mod group;
mod load;
mod profile;
mod purpose;
mod question;
mod rights;
mod rule;
mod sharing;
mod table;
mod words;

pub use bundle::{Texts, shipped_texts};
pub use decide::{Decision, PolicySet};
pub use error::{PolicyError, PolicyErrors};
pub use group::{Cell, GroupedRow, group};
pub use profile::{
    Checked, DEFAULT, Law, LogField, LogFields, Period, Profile, ProfileHotlists, ProfilePurposes,
    ProfileRetention, ProfileSharing, Report, WordRule,
};
pub use purpose::{Offence, Purpose, PurposeClass, PurposeProblem, Purposes, is_code};
pub use question::{Facts, Method, Party, Question, Subject};

pub use rights::{Outcome, Relation, RightChange, Who, dry_run, matrix, summary};
pub use rule::{Need, Rule};
pub use sharing::{SharingFacts, SharingRule, SharingScope};
pub use table::{Reach, Row, Table, roles_cedar};
