#!/usr/bin/env bash
# Accuracy and costs of reading plates, and frames a second of a video of 1280 × 720 against the same models in Python, turn by
# turn. The argument, else CANVASS_EVAL, is the folder of development data; PEER_PYTHON an interpreter with numpy,
# opencv-python-headless and onnxruntime 1.32.0, without which there is no peer. RUNS says how many pairs.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
data=${1:-${CANVASS_EVAL:-$root/../shared/eval}}
if [ ! -d "$data/plates-dev" ]; then
  echo "skipped: no development data; name its folder, or set CANVASS_EVAL to it"
  exit 0
fi
data=$(cd "$data" && pwd)
cd "$root"
export CANVASS_MODELS=${CANVASS_MODELS:-$root/.cache/models}
cargo xtask models --folder "$CANVASS_MODELS"
cargo build --quiet --release -p canvass-vision
vision="${CARGO_TARGET_DIR:-$root/target}/release/vision"
"$vision" bench "$data/plates-dev"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
clip=$work/clip.mp4
ffmpeg -v error -i "$data/clips/car-detection.mp4" -vf scale=1280:720 -c:v libx264 -preset veryfast "$clip"
for _ in $(seq "${RUNS:-3}"); do
  "$vision" speed "$clip"
  if [ -n "${PEER_PYTHON:-}" ]; then
    printf 'peer: '
    "$PEER_PYTHON" bench/vision/peer.py "$clip" "$CANVASS_MODELS/plate-detector/clp_det.onnx" models/plate-reader/plate-reader.onnx
  fi
done
