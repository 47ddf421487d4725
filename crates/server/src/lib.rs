//! The server side of Canvass, told apart by role: what a role may touch is decided by what it is handed at start.
//!
//! [`public`] faces the street: it serves static files and takes sealed uploads into a write-only spool, and holds no
//! database credentials.

pub mod problem;
pub mod public;
