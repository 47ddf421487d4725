#!/usr/bin/env bash
# Sealing and opening 1 GB against rage: wall and CPU time of whole processes, turn by turn, and the largest resident memory.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
cd "$root"
cargo build --quiet --release -p canvass-bench --bin seal-bench
bench=$(cargo metadata --format-version 1 --no-deps | python3 -c 'import json,sys; print(json.load(sys.stdin)["target_directory"])')/release/seal-bench
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
exec python3 bench/seal/pair.py "$bench" "$work" "${RUNS:-5}"
