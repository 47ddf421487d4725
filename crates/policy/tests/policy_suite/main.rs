//! The policies that ship, and the code that reads them.
#![cfg(test)]

mod decisions;
mod files;
mod law;
mod matrix;
mod purposes;
mod support;
