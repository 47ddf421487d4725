//! The path of a tile (C2SP tlog-tiles): no panic, and no two paths for one tile.
#![no_main]

use canvass_ledger::TilePath;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok(path) = text.parse::<TilePath>() {
        assert_eq!(path.to_string(), text);
    }
});
