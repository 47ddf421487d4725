//! A note (C2SP signed-note) of any bytes: no panic, and what is accepted is written back unchanged.
#![no_main]

use canvass_ledger::Note;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(note) = Note::parse(bytes) {
        assert_eq!(note.to_string().as_bytes(), bytes);
    }
});
