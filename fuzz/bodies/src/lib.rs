//! What is done with bytes from outside, one function for each parser: read them, and where they are accepted, hold
//! what was read to its promises (it is written back unchanged, there is one form for each thing, nothing altered opens).
//!
//! Two drivers share these functions: the targets of `fuzz/fuzz_targets` under libFuzzer, and `tests/brief.rs`, which runs
//! every vector and some seeded mutations of it with the stable compiler, so that `cargo xtask test` always does.

pub mod domain;
pub mod ledger;
pub mod mutate;
pub mod seal;
pub mod seeds;
pub mod wire;

use seeds::Take;

/// A fuzz target.
#[derive(Clone, Copy)]
pub struct Target {
    /// Its name, also that of the file in `fuzz/fuzz_targets`.
    pub name: &'static str,
    /// What it does with its bytes. It panics when a promise does not hold.
    pub run: fn(&[u8]),
    /// Files below `vectors/` that its first inputs come from, and what to take of each.
    pub vectors: &'static [(&'static str, Take)],
    /// First inputs that are made here.
    pub made: fn() -> Vec<Vec<u8>>,
    /// Mutations in the brief run: cheap bodies get many.
    pub mutations: u32,
}

const fn target(
    name: &'static str,
    run: fn(&[u8]),
    vectors: &'static [(&'static str, Take)],
    mutations: u32,
) -> Target {
    Target { name, run, vectors, made: Vec::new, mutations }
}

const INPUT: Take = Take::Texts("input");

/// All targets, in the order of the crates that they look into.
pub const TARGETS: &[Target] = &[
    target("note", ledger::note, &[("ledger/notes.json", INPUT)], 20_000),
    target(
        "checkpoint",
        ledger::checkpoint,
        &[("ledger/checkpoints.json", INPUT), ("ledger/notes.json", INPUT)],
        20_000,
    ),
    target("proof", ledger::proof, &[("ledger/proofs.json", INPUT)], 20_000),
    target("tile_path", ledger::tile_path, &[("ledger/paths.json", INPUT)], 20_000),
    target("bundle", ledger::bundle, &[("ledger/bundles.json", Take::Widths)], 20_000),
    target("witness_request", ledger::witness_request, &[("ledger/witness.json", INPUT)], 20_000),
    target(
        "keys",
        ledger::keys,
        &[
            ("ledger/vkeys.json", INPUT),
            ("ledger/skeys.json", INPUT),
            ("seal/vkeys.json", Take::Texts("text")),
            ("seal/offers.json", Take::Texts("mailbox")),
            ("seal/offers.json", Take::Texts("public_key")),
        ],
        10_000,
    ),
    Target { made: seal::bags, ..target("bag", seal::bag, &[], 4_000) },
    Target { made: seal::envelopes, ..target("envelope", seal::envelope, &[], 500) },
    Target { made: seal::files, ..target("age_file", seal::age_file, &[], 1_000) },
    target("receipt", seal::receipt, &[("seal/receipts.json", Take::Texts("text"))], 3_000),
    target("offer_secret", seal::offer_secret, &[("seal/offers.json", Take::Texts("text"))], 10_000),
    target("message", seal::message, &[("seal/messages.json", Take::Objects("message"))], 2_000),
    target("name", seal::name, &[("seal/names.json", Take::Texts("name"))], 20_000),
    Target { made: seal::identities, ..target("identity_file", seal::identity_file, &[], 1_000) },
    target(
        "area",
        wire::area,
        &[("requests/jurisdiction.json", Take::Whole), ("requests/place.json", Take::Objects("/area"))],
        10_000,
    ),
    Target {
        made: wire::texts,
        ..target("value", wire::value, &[("requests/time.json", Take::Texts("/start"))], 20_000)
    },
    Target {
        made: wire::records,
        ..target(
            "record",
            wire::record,
            &[
                ("requests/base.json", Take::Whole),
                ("requests/feed-bundle.json", Take::Elements("requests")),
                ("requests/feed-bundle.json", Take::Elements("agencies")),
            ],
            8_000,
        )
    },
    target(
        "draft",
        domain::draft,
        &[
            ("requests/base.json", Take::Whole),
            ("requests/form.json", Take::Patches),
            ("requests/place.json", Take::Patches),
            ("requests/time.json", Take::Patches),
        ],
        3_000,
    ),
    target("content", domain::content, &[("requests/content.tsv", Take::Columns)], 3_000),
    target("feed", domain::feed, &[("requests/feed-bundle.json", Take::Whole)], 1_000),
    Target { made: domain::tables, ..target("roles", domain::roles, &[], 3_000) },
];

/// Splits the first byte off, as a number that steers a body.
pub(crate) fn steer(bytes: &[u8]) -> (u8, &[u8]) {
    bytes.split_first().map_or((0, bytes), |(first, rest)| (*first, rest))
}

/// The bytes as text, when they are UTF-8.
pub(crate) fn text(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes).ok()
}
