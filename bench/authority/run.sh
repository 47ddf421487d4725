#!/usr/bin/env bash
# What asking costs: 200 readings of evidence a second, each decided by the policies and entered in the ledger before it is
# given out, beside the same change stored without a decision and an entry; and how long a stranger takes to verify a ledger of
# a million entries, beside hashing the same files once.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
cd "$root"
cargo build --quiet --release -p canvass-bench --bin authority-bench -p canvass --bin canvass
target=$(cargo metadata --format-version 1 --no-deps | python3 -c 'import json,sys; print(json.load(sys.stdin)["target_directory"])')
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
"$target/release/authority-bench" asks "$work/asks" "${SECONDS_EACH:-20}"
"$target/release/authority-bench" ledger "$work/ledger" "${ENTRIES:-1000000}"
time_of() { local begin end; begin=$(date +%s.%N); "$@" > /dev/null; end=$(date +%s.%N); python3 -c "print($end - $begin)"; }
sync; ours=$(time_of "$target/release/canvass" verify ledger "$work/ledger/public" --log oversight --keys "$work/ledger/keys.json" --remember "$work/seen.json")
peer=$(time_of bash -c "find '$work/ledger/public' -type f -print0 | xargs -0 cat | sha256sum")
python3 -c "print(f'verify: ${ENTRIES:-1000000} oversight entries in {$ours:.1f} s; ratio to sha256sum over the same files: {$ours / $peer:.1f}')"
