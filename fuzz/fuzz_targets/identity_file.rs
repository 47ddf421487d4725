//! See `canvass_fuzz_bodies::seal::identity_file`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| canvass_fuzz_bodies::seal::identity_file(bytes));
