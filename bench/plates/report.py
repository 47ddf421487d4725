"""Prints the table of a run, and fails when two stores answered the same questions with different numbers of reads."""
import json
import sys

KINDS = ["exact", "A?C12*", "one edit", "*C12*"]
lines = [json.loads(line) for line in open(sys.argv[1])]
if not lines:
    sys.exit("nothing was measured")


def times(line, part, kind):
    one = line[part].get(kind)
    return f"{one['p50_ms']:.2f}/{one['p99_ms']:.2f}" if one else "–"


print("| store | rows | durable reads/s | with making them | B/row | peak MiB | " + " | ".join(f"{kind} warm; cold" for kind in KINDS) + " | a day erased |")
print("| --- " * (7 + len(KINDS)) + "|")
for line in lines:
    rate = f"{line['reads_per_s']:,.0f}" if "reads_per_s" in line else "–"
    asked = " | ".join(f"{times(line, 'warm', kind)}; {times(line, 'cold', kind)}" for kind in KINDS)
    erased = f"{line['erase_s']:.3f} s" if line.get("erased", 0) is not None else "–"
    print(f"| {line['store']} | {line['rows']:,} | {rate} | {line['wall_reads_per_s']:,.0f} | {line['bytes_per_row']:.1f} | {line.get('peak_mib') or '–'} | {asked} | {erased} |")
ours = next((line for line in lines if line["store"] == "segments"), None)
for line in lines:
    if ours and line is not ours and line["rows"] == ours["rows"]:
        ratios = [f"writing {ours['wall_reads_per_s'] / line['wall_reads_per_s']:.1f}", f"bytes {line['bytes_per_row'] / ours['bytes_per_row']:.1f}"]
        for kind in KINDS:
            if line["warm"].get(kind):
                ratios.append(f"{kind} p99 {line['warm'][kind]['p99_ms'] / ours['warm'][kind]['p99_ms']:.1f}")
        print(f"plates: ratio to {line['store']}, above 1 is in our favour: " + ", ".join(ratios))

wrong = []
for line in lines:
    for part in ("warm", "cold"):
        for kind in KINDS:
            theirs, mine = line[part].get(kind), ours and ours[part].get(kind)
            if theirs and mine and line["rows"] == ours["rows"] and theirs["found"] != mine["found"]:
                wrong.append(f"{line['store']} found {theirs['found']} for {kind} ({part}), the segments {mine['found']}")
if wrong:
    sys.exit("stores disagree: " + "; ".join(wrong))
