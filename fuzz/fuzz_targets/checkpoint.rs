//! See `canvass_fuzz_bodies::ledger::checkpoint`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| canvass_fuzz_bodies::ledger::checkpoint(bytes));
