//! See `canvass_fuzz_bodies::domain::content`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| canvass_fuzz_bodies::domain::content(bytes));
