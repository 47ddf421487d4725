#!/usr/bin/env bash
# Sealing 1 GB in Chromium, as Give does it, against the command line's code on the same file, turn by turn; and the largest anonymous memory of the page.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
cd "$root"
cargo build --quiet --release -p canvass-bench --bin seal-bench
bench=$(cargo metadata --format-version 1 --no-deps | python3 -c 'import json,sys; print(json.load(sys.stdin)["target_directory"])')/release/seal-bench
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
node bench/browser-seal/run.mjs "$bench" "$work" "${RUNS:-5}" "${BYTES:-1000000000}"
