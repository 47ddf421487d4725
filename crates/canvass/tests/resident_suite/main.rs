//! The resident's, the stranger's and the operator's commands, tried on the executable itself.
#![cfg(test)]

mod give;
mod ledger;
mod receipt;
mod searched;
mod serve;
mod support;
