//! Every target over all its vectors and some seeded mutations of them, with the stable compiler, in every run of the tests.

#![expect(clippy::unwrap_used, reason = "a test: a missing part is a failure")]

use canvass_fuzz_bodies::mutate::{Chance, mutated};
use canvass_fuzz_bodies::{TARGETS, domain, seal, seeds};

fn brief(name: &str) {
    let target = TARGETS.iter().find(|target| target.name == name).unwrap();
    let seeds = seeds::of(target).unwrap();
    let held = |bytes: &[u8], which: &str| {
        let done = std::panic::catch_unwind(|| (target.run)(bytes));
        assert!(done.is_ok(), "{name} breaks on {which}: {:?}", String::from_utf8_lossy(bytes));
    };
    for (number, bytes) in seeds.iter().enumerate() {
        held(bytes, &format!("vector {number}"));
    }
    let more = if std::env::var_os("CANVASS_LONG").is_some() { 20 } else { 1 };
    for number in 0..u64::from(target.mutations) * more {
        held(&mutated(&seeds, &mut Chance::new(number)), &format!("mutation {number}"));
    }
}

macro_rules! briefs {
    ($($name:ident)*) => {
        $(#[test] fn $name() { brief(stringify!($name)); })*
        const NAMED: &[&str] = &[$(stringify!($name)),*];
    };
}

briefs! {
    note checkpoint proof tile_path bundle witness_request keys
    bag envelope age_file receipt offer_secret message name identity_file
    area value record draft content feed roles
}

#[test]
fn every_target_is_run_here_and_under_lib_fuzzer() {
    let names: Vec<_> = TARGETS.iter().map(|target| target.name).collect();
    assert_eq!(names, NAMED);
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let manifest = std::fs::read_to_string(folder.join("Cargo.toml")).unwrap();
    for name in names {
        let text = std::fs::read_to_string(folder.join(format!("fuzz_targets/{name}.rs"))).unwrap();
        assert!(text.contains("canvass_fuzz_bodies::"), "{name}");
        assert!(manifest.contains(&format!("name = \"{name}\"")), "{name} is missing in fuzz/Cargo.toml");
    }
    let files = std::fs::read_dir(folder.join("fuzz_targets")).unwrap().count();
    assert_eq!(files, NAMED.len());
}

/// Words that rules turn on, in one sentence as long as is read, with nothing between them.
#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "measures a cost; a wide margin keeps a busy machine from failing it"
)]
fn content_rules_cost_no_square_of_the_text() {
    let cost = |text: &str, letters: usize| {
        let text: String = text.chars().cycle().take(letters).collect();
        let of_one = |_| {
            let begun = std::time::Instant::now();
            domain::content(text.as_bytes());
            begun.elapsed()
        };
        (0..3).map(of_one).min().unwrap_or_default()
    };
    for text in [
        "protest ",
        "ICE ",
        "Aa ",
        "11 ",
        "march for ",
        "black man ",
        "gay men ",
        "a b ",
        "people of the ",
        "the Muslim man ",
    ] {
        let (short, long) = (cost(text, 2_500), cost(text, 20_000));
        println!("{text:?}: {short:?} for 2500 characters, {long:?} for 20000");
        // Eight times the text: in line it costs 8 times as much, squared 64 times.
        assert!(
            long < short * 24 + std::time::Duration::from_millis(50),
            "{text:?}: {short:?}, then {long:?}"
        );
    }
}

#[test]
fn the_fixed_parts_of_bodies_are_there() {
    assert!(seal::ready() && domain::ready());
}
