#!/usr/bin/env bash
# Every kind of page as a mid phone sees it: a town on this machine, Debian's Chromium with its CPU slowed down and its network narrowed.
# The peer is the page that the same server gives to a reader without script. Fails when a resident's page needs more than 150 KB of
# script before the map, or when a page moves by more than 0.1.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
cd "$root"
if [ -z "${CANVASS_BIN:-}" ]; then
  cargo xtask web
  cargo build --quiet --release -p canvass
  CANVASS_BIN=$(cargo metadata --format-version 1 --no-deps | python3 -c 'import json,sys; print(json.load(sys.stdin)["target_directory"])')/release/canvass
fi
export CANVASS_BIN
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
node bench/pages/run.mjs "$work" "${RUNS:-3}" "${REQUESTS:-12}"
