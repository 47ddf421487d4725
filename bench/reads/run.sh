#!/usr/bin/env bash
# Plate reads over HTTP from 200 cameras to a server of its own, on the same machine as the cameras: as many as it takes, then
# 7,700 a second with a hotlist on and somebody who listens to alerts. `SECONDS_EACH` says how long each runs (30), `ENTRIES` how
# many plates are on the hotlist besides (1,000,000). The peer of each figure is the same store called in one process
# (`bench/plates`), printed beside.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
cd "$root"
seconds="${SECONDS_EACH:-30}"; entries="${ENTRIES:-1000000}"; cameras="${CAMERAS:-200}"
cargo build --quiet --release -p canvass --bin canvass
cargo build --quiet --release -p canvass-bench --bin reads-bench --bin plates-bench
target=$(cargo metadata --format-version 1 --no-deps | python3 -c 'import json,sys; print(json.load(sys.stdin)["target_directory"])')
canvass="$target/release/canvass"
# Not in /tmp by default where that is memory: the disk is part of what is measured.
work=$(mktemp -d "${TMPDIR:-/var/tmp}/canvass-reads.XXXXXX")
trap 'kill $(jobs -p) 2>/dev/null || true; wait 2>/dev/null || true; rm -rf "$work"' EXIT
field() { python3 -c 'import json,sys; print(json.load(sys.stdin)["'"$1"'"])'; }
as() { local who=$1; shift; mkdir -p "$work/$who"; (cd "$work/$who" && CANVASS_SERVER=http://127.0.0.1:18420 CANVASS_TOKEN_FILE="$work/$who.token" CANVASS_KEYRING="$work/$who/keys" "$canvass" --json "$@"); }
member() { # BY NAME ROLE
  local id; id=$(as "$1" member add --name "$2" --role "$3" --agency "$agency" | field id)
  as "$1" member token "$id" --label bench --days 2 | field token >"$work/$2.token"
  printf '%s\n' "$id"
}
mkdir -p "$work/operator"
(cd "$work/operator" && "$canvass" --json init --data "$work/data" --operator Olive) | field token >"$work/operator.token"
"$canvass" serve --data "$work/data" --listen 127.0.0.1:18420 --public-listen 127.0.0.1:18421 >"$work/serve.log" 2>&1 &
for _ in $(seq 100); do curl -sf http://127.0.0.1:18420/readyz >/dev/null && break; sleep 0.2; done
cat >"$work/area.geojson" <<'J'
{"type":"Polygon","coordinates":[[[-71.7,43.1],[-71.4,43.1],[-71.4,43.4],[-71.7,43.4],[-71.7,43.1]]]}
J
agency=$(as operator agency register --name Bench --class municipal --subdivision US-TX --area "$work/area.geojson" | field id)
ada=$(member operator ada administrator)
member ada ines investigator >/dev/null; member ada sam supervisor >/dev/null
as operator agency verify "$agency" --public "$(as ada agency key new | field public)" >/dev/null
for number in $(seq "$cameras"); do
  id=$(as ada camera add "Camera $number" --use plates --at=-71.54,43.20 | field id)
  as ada camera token "$id" --member "$ada" | field token >>"$work/tokens"
done
as ines case create --title 26-77 >/dev/null
list=$(as ines hotlist add Stolen --source State --basis agency --for stolen --case-number 26-77 --purpose 'Vehicles stolen in Elm County since October' | field id)
# Plates of nine characters, which no read has, beside the ones that are seen.
python3 - "$work/list.csv" "$entries" <<'P'
import sys
with open(sys.argv[1], "w") as out:
    print("plate", file=out)
    for number in range(2000):
        print(f"HOT{number:04}", file=out)
    for number in range(int(sys.argv[2]) - 2000):
        print(f"ZZ{number:07}", file=out)
P
proposal=$(as ines hotlist import "$list" "$work/list.csv" --reason 'The file of the bench' | python3 -c 'import json,sys; print(json.load(sys.stdin)["version"]["proposal"])')
as sam hotlist approve "$proposal" >/dev/null
sleep 5
bench="$target/release/reads-bench"
"$bench" paced http://127.0.0.1:18420 "$work/tokens" "$seconds" 7700 "$work/ines.token" 2000 | tee "$work/lines"
"$bench" flood http://127.0.0.1:18420 "$work/tokens" "$seconds" | tee -a "$work/lines"
python3 - "$work/serve.log" "$(pgrep -f "$canvass serve --data $work" | head -1)" <<'P'
import sys
try:
    lines = open(f"/proc/{sys.argv[2]}/status").read().splitlines()
    print("server:", next(line for line in lines if line.startswith("VmHWM")).split(None, 1)[1], "resident at most")
except (OSError, StopIteration):
    pass
P
"$target/release/plates-bench" run segments "$work/alone" 1000000
