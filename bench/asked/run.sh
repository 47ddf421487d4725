#!/usr/bin/env bash
# Blind evaluations with proof a second on one core: ours (crates/blind) and a peer, @noble/curves in Node.js.
set -euo pipefail
cd "$(dirname "$0")/../.."
count="${1:-2000}"
cargo build --quiet --release -p canvass-blind --example evaluate
target="${CARGO_TARGET_DIR:-target}"
pin=(); command -v taskset >/dev/null && pin=(taskset -c 0)
"${pin[@]}" "$target/release/examples/evaluate" "$count"
"${pin[@]}" node bench/asked/peer.mjs "$((count / 10))"
