//! See `canvass_fuzz_bodies::seal::offer_secret`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| canvass_fuzz_bodies::seal::offer_secret(bytes));
