#!/usr/bin/env bash
# Precision and recall of misuse detection on simulated agencies with planted misuse. FIRST_SEED=1000 takes the seeds that the rules were tuned on.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
cd "$root"
cargo test --quiet -p canvass-misuse --test simulation table -- --ignored --nocapture
