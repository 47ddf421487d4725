#!/usr/bin/env bash
# Durable ledger appends a second, each with an inclusion proof that is made and verified, beside a file that is only fsynced.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
cd "$root"
cargo build --quiet --release -p canvass-bench --bin ledger-bench
target=$(cargo metadata --format-version 1 --no-deps | python3 -c 'import json,sys; print(json.load(sys.stdin)["target_directory"])')
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
"$target/release/ledger-bench" "$work" "${APPENDS:-20000}"
