#!/usr/bin/env bash
# postgres.sh BENCH FOLDER ROWS: a cluster of its own, on a socket in a folder, without a port; prints a line of JSON.
set -euo pipefail
bench=$1 folder=$2 rows=$3
bin=$(ls -d /usr/lib/postgresql/15/bin)
mkdir -p "$folder"
as=()
if [ "$(id -u)" = 0 ]; then
  chmod 711 "$(dirname "$folder")"; chown postgres "$folder"
  as=(setpriv --reuid postgres --regid postgres --clear-groups)
fi
"${as[@]}" "$bin/initdb" -D "$folder/data" -A trust --no-instructions > /dev/null
"${as[@]}" "$bin/pg_ctl" -D "$folder/data" -w -l "$folder/log" start \
  -o "-c listen_addresses='' -c unix_socket_directories='$folder' -c shared_buffers=2GB -c max_wal_size=8GB" > /dev/null
stop() { "${as[@]}" "$bin/pg_ctl" -D "$folder/data" -m fast stop > /dev/null 2>&1 || true; }
trap stop EXIT
ask=("${as[@]}" psql -X -q -h "$folder" -d postgres -v ON_ERROR_STOP=1)
begin=$(date +%s.%N)
"$bench" sql "$rows" | "${ask[@]}"
end=$(date +%s.%N)
"${ask[@]}" -c 'VACUUM ANALYZE reads' -c CHECKPOINT
size=$("${ask[@]}" -At -c "SELECT sum(pg_total_relation_size(inhrelid)) FROM pg_inherits WHERE inhparent = 'reads'::regclass")
"$bench" questions "$rows" | "${ask[@]}" -A > "$folder/answers"
dropping=$(date +%s.%N)
"${ask[@]}" -c 'DROP TABLE reads_0'
dropped=$(date +%s.%N)
python3 - "$folder/answers" "$rows" "$begin" "$end" "$size" "$dropping" "$dropped" <<'PY'
import json, math, re, sys
answers, rows, begin, end, size, dropping, dropped = sys.argv[1], *map(float, sys.argv[2:])
warm, kind, times, found, last = {}, None, [], 0, 0
def close():
    if kind is None: return
    times.sort()
    at = lambda part: times[math.ceil(len(times) * part) - 1]
    warm[kind] = {"p50_ms": at(.5), "p99_ms": at(.99), "found": found}
for line in open(answers):
    if line.startswith("kind "):
        close(); kind, times, found = line[5:].strip(), [], 0
    elif match := re.match(r"\((\d+) rows?\)", line): last = int(match[1])
    # Only the second, timed answer to a question is followed by a time.
    elif match := re.match(r"Time: ([\d.]+) ms", line): times.append(float(match[1])); found += last
close()
print(json.dumps({"store": "postgres", "rows": int(rows), "wall_reads_per_s": rows / (end - begin), "bytes_per_row": size / rows,
                  "warm": warm, "cold": {}, "erase_s": dropped - dropping}))
PY
