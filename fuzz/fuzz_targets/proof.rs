//! A proof (C2SP tlog-proof) of any bytes: no panic, and what is accepted reads the same once written back.
#![no_main]

use canvass_ledger::Proof;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(proof) = Proof::parse(bytes) {
        let again = Proof::parse(proof.to_string().as_bytes());
        assert!(again.is_ok_and(|again| again == proof));
    }
});
