//! The domain of Canvass: what may be asked, given, opened, kept and destroyed, by whom, and what is written down of it.
//!
//! It knows no HTTP, SQL, files or sockets; time and chance are passed in. Each operation is one call on [`App`], which
//! loads what it needs through [`ports::Records`], decides purely, and commits one [`ports::Changeset`].

pub mod ports;
pub mod records;
pub mod ask;
pub mod feed;
