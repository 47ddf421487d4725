"""Draws what a search costs against how many rows there are, as SVG: `plot.py LINES OUT`, lines as plates-bench prints them.

One curve for each kind of question, p99, warm and cold, on scales of tens.
"""
import json
import math
import sys

KINDS = {"exact": "#0f5c59", "A?C12*": "#1d4f91", "one edit": "#a3201d", "*C12*": "#7a4a00"}
WIDTH, HEIGHT, LEFT, TOP, RIGHT, BOTTOM = 760, 440, 70, 40, 190, 60
lines = sorted((json.loads(line) for line in open(sys.argv[1])), key=lambda line: line["rows"])
lines = [line for line in lines if line["store"] == "segments"]
if len(lines) < 2:
    sys.exit("two runs of the segments with different ROWS are needed")
rows = [line["rows"] for line in lines]
values = [line[part][kind]["p99_ms"] for line in lines for part in ("warm", "cold") for kind in KINDS]
low, high = math.floor(math.log10(max(min(values), 0.01))), math.ceil(math.log10(max(values)))
first, last = math.log10(rows[0]), math.log10(rows[-1])


def x(count):
    return LEFT + (math.log10(count) - first) / (last - first) * (WIDTH - LEFT - RIGHT)


def y(value):
    return TOP + (high - math.log10(max(value, 0.01))) / (high - low) * (HEIGHT - TOP - BOTTOM)


def text(at, words, anchor="middle", more=""):
    return f'<text x="{at[0]:.0f}" y="{at[1]:.0f}" text-anchor="{anchor}" {more}>{words.replace("&", "&amp;").replace("<", "&lt;")}</text>'


out = [
    f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="system-ui, sans-serif" font-size="13" fill="#1b1f23" role="img">',
    "<title>What a plate search costs against rows: p99 in milliseconds, a window of 7 days of 30, warm and cold</title>",
    f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
    text((LEFT, 22), "p99 of a search, ms (2 cores, 30 slices, a window of 7)", "start", 'font-weight="600"'),
]
for power in range(low, high + 1):
    at = y(10**power)
    out.append(f'<path d="M{LEFT} {at:.1f}H{WIDTH - RIGHT}" stroke="#d3d8da"/>')
    out.append(text((LEFT - 8, at + 4), f"{10**power:g}", "end"))
for count in rows:
    out.append(f'<path d="M{x(count):.1f} {TOP}V{HEIGHT - BOTTOM}" stroke="#d3d8da"/>')
    out.append(text((x(count), HEIGHT - BOTTOM + 20), f"{count / 1e6:g} M"))
out.append(text(((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 14), "rows"))
labels = []
for kind, colour in KINDS.items():
    for part, dash in (("warm", ""), ("cold", ' stroke-dasharray="6 5"')):
        points = [(x(line["rows"]), y(line[part][kind]["p99_ms"])) for line in lines]
        path = "L".join(f"{a:.1f} {b:.1f}" for a, b in points)
        out.append(f'<path d="M{path}" fill="none" stroke="{colour}" stroke-width="2"{dash}/>')
        out.extend(f'<circle cx="{a:.1f}" cy="{b:.1f}" r="3.5" fill="{colour}"/>' for a, b in points)
        labels.append([points[-1][1], f"{kind}, {part}: {lines[-1][part][kind]['p99_ms']:.3g}", colour])
labels.sort()
for before, label in zip(labels, labels[1:]):
    label[0] = max(label[0], before[0] + 16)
out.extend(text((WIDTH - RIGHT + 10, at + 4), words, "start", f'fill="{colour}"') for at, words, colour in labels)
out.append("</svg>")
with open(sys.argv[2], "w") as file:
    file.write("\n".join(out) + "\n")
