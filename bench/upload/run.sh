#!/usr/bin/env bash
# A tus upload of 1 GB to durable disk (the public role, loopback) against writing the same bytes with one fsync.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
cd "$root"
cargo build --quiet --release -p canvass-server --example public_role
target=$(cargo metadata --format-version 1 --no-deps | python3 -c 'import json,sys; print(json.load(sys.stdin)["target_directory"])')
work=$(mktemp -d); trap 'kill $(jobs -p) 2>/dev/null || true; rm -rf "$work"' EXIT
mkdir -p "$work/public/requests" "$work/spool"
request=req_aaaaaaaaaaaaaaaaaaaaaaaaaa
echo "{\"state\":\"published\",\"closes\":\"2100-01-01T00:00:00Z\"}" >"$work/public/requests/$request.json"
"$target/release/examples/public_role" "$work/public" "$work/spool" 127.0.0.1:18081 2>/dev/null &
python3 bench/upload/pair.py "$work" 127.0.0.1 18081 "$request" "${RUNS:-5}"
