#!/usr/bin/env bash
# Requests a second for one region bundle, our public role against nginx serving the same files, turn by turn, wrk on the same two cores.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
cd "$root"
cargo build --quiet --release -p canvass-server --example public_role
target=$(cargo metadata --format-version 1 --no-deps | python3 -c 'import json,sys; print(json.load(sys.stdin)["target_directory"])')
nginx=$(command -v nginx || echo /usr/sbin/nginx)
work=$(mktemp -d); chmod 755 "$work"; trap 'kill $(jobs -p) 2>/dev/null || true; rm -rf "$work"' EXIT
mkdir -p "$work/public/feed" "$work/spool" "$work/nginx"
python3 - "$work/public/feed/832a10fffffffff.json" <<'P'
import gzip, json, random, sys
random.seed(7)
words = "the a man woman car grey blue left right street door window saw please between near after before".split()
bundle = {"requests": [{"id": i, "details": " ".join(random.choices(words, k=120))} for i in range(30)]}
text = json.dumps(bundle).encode()
open(sys.argv[1], "wb").write(text)
open(sys.argv[1] + ".gz", "wb").write(gzip.compress(text, 9, mtime=0))
P
cat >"$work/nginx.conf" <<C
worker_processes 2; daemon off; pid $work/nginx/pid; error_log $work/nginx/error.log;
events { worker_connections 1024; }
http { access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000; gzip_static on; open_file_cache max=1000 inactive=60s; types { application/json json; }
  client_body_temp_path $work/nginx/a; proxy_temp_path $work/nginx/b; fastcgi_temp_path $work/nginx/c; uwsgi_temp_path $work/nginx/d; scgi_temp_path $work/nginx/e;
  server { listen 127.0.0.1:18083; root $work/public; etag on; } }
C
"$nginx" -e "$work/nginx/error.log" -c "$work/nginx.conf" &
"$target/release/examples/public_role" "$work/public" "$work/spool" 127.0.0.1:18082 2>/dev/null &
sleep 1
rate() { wrk -t1 -c32 -d"${SECONDS_EACH:-5}s" -H 'Accept-Encoding: gzip' "http://127.0.0.1:$1/feed/832a10fffffffff.json" | awk '/Requests\/sec/ {print $2} /Non-2xx/ {print "errors:", $0 >"/dev/stderr"; exit 1}'; }
rate 18082 >/dev/null; rate 18083 >/dev/null
for _ in $(seq "${RUNS:-5}"); do echo "$(rate 18082) $(rate 18083)"; done | python3 -c '
import statistics, sys
rows = [tuple(map(float, line.split())) for line in sys.stdin]
a, b = (statistics.median(x[i] for x in rows) for i in range(2))
print(f"feed: ours {a:.0f} requests/s; nginx {b:.0f} requests/s; ratio {statistics.median(x / y for x, y in rows):.2f} (median of {len(rows)} pairs)")'
