"""Uploads and raw writes in turn; prints medians and the ratio raw / upload (1: as fast as the disk)."""
import base64, http.client, os, socket, statistics, sys, time

work, host, port, request, runs = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4], int(sys.argv[5])
SIZE, BLOCK = 1_000_000_000, 1 << 20
block = os.urandom(BLOCK)
for _ in range(100):
    try:
        socket.create_connection((host, port), 1).close()
        break
    except OSError:
        time.sleep(0.1)

def pieces():
    left = SIZE
    while left:
        piece = block[: min(BLOCK, left)]
        yield piece
        left -= len(piece)

def upload():
    key = base64.urlsafe_b64encode(os.urandom(32)).rstrip(b"=")
    meta = f"destination {base64.b64encode(request.encode()).decode()},offer_key {base64.b64encode(key).decode()}"
    connection = http.client.HTTPConnection(host, port)
    connection.request("POST", "/uploads", headers={"Tus-Resumable": "1.0.0", "Upload-Length": str(SIZE), "Upload-Metadata": meta})
    answer = connection.getresponse()
    body = answer.read()
    if answer.status != 201:
        sys.exit(f"creation: {answer.status} {body[:300]}")
    place = answer.headers["Location"]
    place = place[place.index("/uploads"):]
    start = time.monotonic()
    connection.request("PATCH", place, body=pieces(), headers={"Tus-Resumable": "1.0.0", "Upload-Offset": "0", "Content-Length": str(SIZE), "Content-Type": "application/offset+octet-stream"})
    answer = connection.getresponse()
    answer.read()
    took = time.monotonic() - start
    if answer.status != 204:
        sys.exit(f"upload: {answer.status}")
    connection.close()
    for root, _, files in os.walk(f"{work}/spool/done"):
        for name in files:
            os.remove(f"{root}/{name}")
    return took

def raw():
    path = f"{work}/raw"
    start = time.monotonic()
    with open(path, "wb", buffering=0) as out:
        for piece in pieces():
            out.write(piece)
        os.fsync(out.fileno())
    took = time.monotonic() - start
    os.remove(path)
    return took

rows = [(upload(), raw()) for _ in range(runs + 1)][1:]
ratio = statistics.median(b / a for a, b in rows)
ours, theirs = (SIZE / 1e6 / statistics.median(x[i] for x in rows) for i in range(2))
print(f"upload 1 GB durably: ours {ours:.0f} MB/s; raw write and fsync {theirs:.0f} MB/s; ratio {ratio:.2f} (median of {runs} pairs)")
