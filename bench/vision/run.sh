#!/usr/bin/env bash
# How often seeing is right (plates, attributes, searches), what each stage costs, and frames a second of a video of 1280 × 720
# against the same models in Python, turn by turn.
#
#     cargo xtask bench vision [FOLDER] [--report] [--minutes N] [--passing]
#
# FOLDER, else CANVASS_EVAL, is the folder of development data. --report writes docs/measured/vision.json and leaves it at that;
# --minutes N searches the video for so long and prints the memory by quarters; --passing lets every photo slide through a still
# view and stop there, and compares what is read when only changes are searched with what is read otherwise. PEER_PYTHON is an interpreter with numpy,
# opencv-python-headless and onnxruntime 1.32.0, without which there is no peer. RUNS says how many pairs.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
data=${CANVASS_EVAL:-$root/../shared/eval}
minutes=0
only_report=
passing=
while [ $# -gt 0 ]; do
  case $1 in
    --report) only_report=1 ;;
    --minutes) minutes=$2; shift ;;
    --passing) passing=1 ;;
    *) data=$1 ;;
  esac
  shift
done
if [ ! -d "$data/plates-dev" ]; then
  echo "skipped: no development data; name its folder, or set CANVASS_EVAL to it"
  exit 0
fi
data=$(cd "$data" && pwd)
cd "$root"
cache=${CANVASS_CACHE:-$root/.cache}
export CANVASS_MODELS=${CANVASS_MODELS:-$cache/models}
cargo xtask models --folder "$CANVASS_MODELS"
cargo build --quiet --release -p canvass-vision
vision="${CARGO_TARGET_DIR:-$root/target}/release/vision"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# A pedestrian video of Debian's package opencv-doc, unpacked without installing it.
walkers=$cache/opencv-doc/vtest.avi
if [ ! -f "$walkers" ] && (cd "$work" && apt-get download -q opencv-doc >/dev/null 2>&1); then
  dpkg-deb --fsys-tarfile "$work"/opencv-doc_*.deb |
    tar -x -C "$work" ./usr/share/doc/opencv-doc/examples/data/vtest.avi
  mkdir -p "$(dirname "$walkers")"
  mv "$work/usr/share/doc/opencv-doc/examples/data/vtest.avi" "$walkers"
fi
walk=()
if [ -f "$walkers" ]; then walk=(--walkers "$walkers"); else echo "without vtest.avi: apt-get can't download opencv-doc"; fi

"$vision" report "$data" "${walk[@]}" --date "$(date -I)" --out docs/measured/vision.json
if [ -n "$only_report" ]; then exit 0; fi

echo "Each stage on one thread, so that its time is processor time:"
"$vision" --threads 1 bench "$data/plates-dev" | sed -n '/^| stage/,$p'

clip=$work/clip.mp4
ffmpeg -v error -i "$data/clips/car-detection.mp4" -vf scale=1280:720 -c:v libx264 -preset veryfast "$clip"
ours=() theirs=() whole=()
for _ in $(seq "${RUNS:-3}"); do
  line=$("$vision" --threads 2 speed "$clip")
  echo "ours: $line"
  ours+=("${line%% *}")
  line=$("$vision" --threads 2 speed --whole "$clip")
  echo "ours, all of every frame searched: $line"
  whole+=("${line%% *}")
  if [ -n "${PEER_PYTHON:-}" ]; then
    line=$("$PEER_PYTHON" bench/vision/peer.py "$clip" "$CANVASS_MODELS/plate-detector/clp_det.onnx" \
      models/plate-reader/plate-reader.onnx 2)
    echo "peer: $line"
    theirs+=("${line%% *}")
  fi
done
median() { printf '%s\n' "$@" | sort -g | awk '{ all[NR] = $1 } END { print all[int((NR + 1) / 2)] }'; }
mine=$(median "${ours[@]}")
awk -v f="$mine" 'BEGIN { printf "median: %s frames a second at 1280 × 720 (wanted: 8): %s\n", f, (f >= 8 ? "reached" : "missed") }'
if [ ${#theirs[@]} -gt 0 ]; then
  awk -v a="$mine" -v b="$(median "${theirs[@]}")" 'BEGIN { printf "ratio to the peer: %.2f (%s to %s)\n", a / b, a, b }'
  awk -v a="$(median "${whole[@]}")" -v b="$(median "${theirs[@]}")" 'BEGIN { printf "with all of every frame searched: %.2f (%s)\n", a / b, a }'
fi
if [ "$minutes" -gt 0 ]; then "$vision" --threads 2 soak "$clip" --minutes "$minutes"; fi

if [ -n "$passing" ]; then bash bench/vision/passing.sh "$data/plates-dev" "$vision" "$work"; fi
