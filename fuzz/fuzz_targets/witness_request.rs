//! See `canvass_fuzz_bodies::ledger::witness_request`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| canvass_fuzz_bodies::ledger::witness_request(bytes));
