//! The domain of Canvass: what may be asked, given, opened, kept and destroyed, by whom, and what is written down of it.
//!
//! It knows no HTTP, SQL, files or sockets; time and chance are passed in. Each operation is one call on [`App`], which
//! loads what it needs through [`ports::Records`], decides purely, and commits one [`ports::Changeset`].

pub mod access;
pub mod agencies;
pub mod alerts;
mod app;
pub mod ask;
pub mod asked;
pub mod breakglass;
pub mod cameras;
pub mod cases;
pub mod custody;
mod derived;
pub mod disclosure;
mod error;
pub mod feed;
pub mod footage;
pub mod hotlists;
pub mod inbox;
pub mod intake;
pub mod invitations;
pub mod keys;
pub mod members;
pub mod misuse;
pub mod plates;
pub mod policy;
pub mod portals;
pub mod ports;
pub mod proposals;
pub mod publishing;
pub mod records;
pub mod requests;
pub mod retention;
pub mod safelist;
pub mod sharing;
pub mod signin;
mod sources;
pub mod transparency;

pub use app::App;
pub use error::{CoreError, problem};
