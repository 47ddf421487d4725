//! What a log sends to a witness (C2SP tlog-witness), of any bytes: no panic.
#![no_main]

use canvass_ledger::witness::AddCheckpoint;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = AddCheckpoint::parse(bytes);
});
