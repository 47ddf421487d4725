#!/usr/bin/env bash
# Plate reads: our segments beside time-sliced SQLite, fjall and PostgreSQL 15, on the same reads and questions, one after
# another. `ROWS` says how many (1,000,000); `STORES` which (segments sqlite fjall postgres). `OUT` keeps the lines of JSON.
# Cold questions drop the system's file cache, which takes root; without that they are cold in the process alone.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
cd "$root"
rows="${ROWS:-1000000}"
stores="${STORES:-segments sqlite fjall postgres}"
cargo build --quiet --release -p canvass-bench --bin plates-bench --features fjall
target=$(cargo metadata --format-version 1 --no-deps | python3 -c 'import json,sys; print(json.load(sys.stdin)["target_directory"])')
bench="$target/release/plates-bench"
# Not in /tmp by default where that is memory: the disk is part of what is measured.
work=$(mktemp -d "${TMPDIR:-/var/tmp}/canvass-plates.XXXXXX"); trap 'rm -rf "$work"' EXIT
for store in $stores; do
  if [ "$store" = postgres ]; then
    bash bench/plates/postgres.sh "$bench" "$work/postgres" "$rows" >> "$work/lines" ||
      echo "PostgreSQL was not measured: its packages are postgresql-15 and postgresql-contrib-15" >&2
  else
    "$bench" run "$store" "$work/$store" "$rows" >> "$work/lines"
    rm -rf "${work:?}/$store"
  fi
done
if [ -n "${OUT:-}" ]; then cat "$work/lines" >> "$OUT"; fi
python3 bench/plates/report.py "$work/lines"
