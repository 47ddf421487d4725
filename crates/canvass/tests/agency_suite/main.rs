//! The agency's commands, tried on the executable itself against a server of its own with a witness.
#![cfg(test)]

mod brought;
mod evidence;
mod feeding;
mod footage;
mod full_disk;
mod governance;
mod memory;
mod mistakes;
mod reads;
mod story;
mod told;
mod town;
mod watching;
