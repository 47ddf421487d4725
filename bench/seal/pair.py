"""Runs ours and rage in turn on the same gigabyte and prints medians and the ratio rage / ours (above 1: ours is faster)."""
import os, re, resource, shutil, statistics, subprocess, sys, time

bench, work, runs = sys.argv[1], sys.argv[2], int(sys.argv[3])
rage, keygen = shutil.which("rage"), shutil.which("rage-keygen")
if not rage or not keygen:
    sys.exit("rage is not on the PATH: run `cargo xtask setup --for bench`")

def timed(*command):
    """Wall seconds, CPU seconds and peak resident MiB of one process."""
    start = time.monotonic()
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(child.pid, 0)
    if status:
        sys.exit(f"{command[0]} failed")
    return time.monotonic() - start, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024

clip, key = f"{work}/clip", f"{work}/key.txt"
with open(clip, "wb") as out:
    for _ in range(1000):
        out.write(os.urandom(1_000_000))
subprocess.run([keygen, "-o", key], check=True, stderr=subprocess.DEVNULL)
recipient = re.search(r"age1[a-z0-9]+", open(key).read()).group()

def opened():
    shutil.rmtree(f"{work}/opened", ignore_errors=True)
    return timed(bench, "open", key, f"{work}/ours.age", f"{work}/opened")

jobs = {
    "seal": (lambda: timed(bench, "seal", recipient, clip, f"{work}/ours.age"), lambda: timed(rage, "-r", recipient, "-o", f"{work}/rage.age", clip)),
    "open": (opened, lambda: timed(rage, "-d", "-i", key, "-o", f"{work}/rage.out", f"{work}/rage.age")),
}
for name, (ours, theirs) in jobs.items():
    rows = []
    for turn in range(runs + 1):
        for leftover in ("rage.out",) + (("ours.age", "rage.age") if name == "seal" else ()):
            if os.path.exists(f"{work}/{leftover}"):
                os.remove(f"{work}/{leftover}")
        pair = ours(), theirs()
        if turn:
            rows.append(pair)
    wall = statistics.median(b[0] / a[0] for a, b in rows)
    a, b = ([statistics.median(x[i][j] for x in rows) for j in range(3)] for i in range(2))
    print(f"{name} 1 GB: ours {a[0]:.2f} s wall, {a[1]:.2f} s CPU, {max(x[0][2] for x in rows):.0f} MiB; "
          f"rage {b[0]:.2f} s wall, {b[1]:.2f} s CPU; ratio rage/ours {wall:.2f} (median of {runs} pairs)")
