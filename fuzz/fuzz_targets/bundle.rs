//! A bundle of entries (C2SP tlog-tiles) of any bytes and width: no panic, and one encoding only.
#![no_main]

use canvass_ledger::tile::{decode_bundle, encode_bundle};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (u8, &[u8])| {
    let (width, bytes) = input;
    if let Ok(entries) = decode_bundle(bytes, usize::from(width)) {
        assert!(encode_bundle(&entries).is_ok_and(|again| again == bytes));
    }
});
