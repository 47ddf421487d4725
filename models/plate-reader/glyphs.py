"""A drawn family of plate lettering: skeletons of A-Z and 0-9, stroked at random weights, widths and roundness.

Stamped plates have an even stroke, round ends and narrow, square-shouldered bowls, which few free fonts have. Points are
in a unit box, y down; the third number is how far a corner is rounded (0 sharp, 1 as far as the family rounds).
"""
import math
import random

from PIL import Image, ImageDraw

R = 1


def skeleton(c, rng):
    v = rng.random
    m = rng.uniform(0.42, 0.54)
    k = rng.uniform(0.14, 0.28)
    table = {
        "0": [[(0, 0, R), (1, 0, R), (1, 1, R), (0, 1, R), "z"]],
        "O": [[(0, 0, R), (1, 0, R), (1, 1, R), (0, 1, R), "z"]],
        "Q": [[(0, 0, R), (1, 0, R), (1, 1, R), (0, 1, R), "z"], [(0.55, 0.7, 0), (1.05, 1.06, 0)]],
        "D": [[(0, 0, 0), (1, 0, R), (1, 1, R), (0, 1, 0), "z"]],
        "2": [[(0, k + 0.05, 0), (0, 0, R), (1, 0, R), (1, m, 0.6), (0, 0.95, 0), (0, 1, 0), (1, 1, 0)]],
        "4": [[(0.72, 1, 0), (0.72, 0, 0), (0, 0.7, 0), (1, 0.7, 0)]],
        "5": [[(0.95, 0, 0), (0.06, 0, 0), (0.02, m, 0), (0.1, m - 0.06, 0.3), (1, m - 0.06, R), (1, 1, R), (0, 1, R),
               (0, 1 - k, 0)]],
        "6": [[(1, k, 0), (1, 0, R), (0, 0, R), (0, 1, R), (1, 1, R), (1, m - 0.04, R), (0, m - 0.04, 0.5)]],
        "7": [[(0, 0, 0), (1, 0, 0), (1, 0.06, 0), (0.33, 1, 0)]],
        "8": [[(0.05, 0, R), (0.95, 0, R), (0.95, m, R), (0.05, m, R), "z"], [(0, m, R), (1, m, R), (1, 1, R), (0, 1, R), "z"]],
        "A": [[(0, 1, 0), (0.46, 0, 0), (0.54, 0, 0), (1, 1, 0)], [(0.18, 0.68, 0), (0.82, 0.68, 0)]],
        "B": [[(0, 0, 0), (0.93, 0, R), (0.93, m, R), (0, m, 0), "z"], [(0, m, 0), (1, m, R), (1, 1, R), (0, 1, 0), "z"]],
        "C": [[(1, k + 0.05, 0), (1, 0, R), (0, 0, R), (0, 1, R), (1, 1, R), (1, 0.95 - k, 0)]],
        "E": [[(1, 0, 0), (0, 0, 0), (0, 1, 0), (1, 1, 0)], [(0, m, 0), (0.82, m, 0)]],
        "F": [[(1, 0, 0), (0, 0, 0), (0, 1, 0)], [(0, m, 0), (0.82, m, 0)]],
        "G": [[(1, k + 0.05, 0), (1, 0, R), (0, 0, R), (0, 1, R), (1, 1, R), (1, m + 0.06, 0), (0.5, m + 0.06, 0)]],
        "H": [[(0, 0, 0), (0, 1, 0)], [(1, 0, 0), (1, 1, 0)], [(0, m, 0), (1, m, 0)]],
        "J": [[(1, 0, 0), (1, 1, R), (0, 1, R), (0, 0.72, 0)]],
        "K": [[(0, 0, 0), (0, 1, 0)], [(1, 0, 0), (0, 0.6, 0)], [(0.35, 0.4, 0), (1, 1, 0)]],
        "L": [[(0, 0, 0), (0, 1, 0), (1, 1, 0)]],
        "M": [[(0, 1, 0), (0, 0, 0), (0.5, 0.62, 0), (1, 0, 0), (1, 1, 0)]],
        "N": [[(0, 1, 0), (0, 0, 0), (1, 1, 0), (1, 0, 0)]],
        "P": [[(0, 1, 0), (0, 0, 0), (1, 0, R), (1, m + 0.08, R), (0, m + 0.08, 0)]],
        "R": [[(0, 1, 0), (0, 0, 0), (1, 0, R), (1, m + 0.04, R), (0, m + 0.04, 0)], [(0.5, m + 0.04, 0), (1, 1, 0)]],
        "S": [[(1, k, 0), (1, 0, R), (0, 0, R), (0, m, R), (1, m, R), (1, 1, R), (0, 1, R), (0, 1 - k, 0)]],
        "T": [[(0, 0, 0), (1, 0, 0)], [(0.5, 0, 0), (0.5, 1, 0)]],
        "U": [[(0, 0, 0), (0, 1, R), (1, 1, R), (1, 0, 0)]],
        "V": [[(0, 0, 0), (0.5, 1, 0), (1, 0, 0)]],
        "W": [[(0, 0, 0), (0.22, 1, 0), (0.5, 0.3, 0), (0.78, 1, 0), (1, 0, 0)]],
        "X": [[(0, 0, 0), (1, 1, 0)], [(1, 0, 0), (0, 1, 0)]],
        "Y": [[(0, 0, 0), (0.5, 0.5, 0), (1, 0, 0)], [(0.5, 0.5, 0), (0.5, 1, 0)]],
        "Z": [[(0, 0, 0), (1, 0, 0), (0, 1, 0), (1, 1, 0)]],
    }
    if c == "1":
        return rng.choice([
            [[(0.5, 0, 0), (0.5, 1, 0)]],
            [[(0.2, 0.2, 0), (0.55, 0, 0), (0.55, 1, 0)]],
            [[(0.15, 0.18, 0), (0.5, 0, 0), (0.5, 1, 0)], [(0.15, 1, 0), (0.85, 1, 0)]],
        ])
    if c == "I":
        return [[(0.5, 0, 0), (0.5, 1, 0)]] + ([[(0.15, 0, 0), (0.85, 0, 0)], [(0.15, 1, 0), (0.85, 1, 0)]] if v() < 0.5 else [])
    if c == "3":
        if v() < 0.25:
            return [[(0, 0, 0), (1, 0, 0), (0.45, 0.4, 0), (1, 0.44, R), (1, 1, R), (0, 1, R), (0, 1 - k, 0)]]
        return [[(0, k, 0), (0, 0, R), (0.96, 0, R), (0.96, m, R), (0.3, m, 0)],
                [(0.3, m, 0), (1, m, R), (1, 1, R), (0, 1, R), (0, 1 - k, 0)]]
    if c == "6" and v() < 0.3:
        return [[(0.75, 0, 0), (0, 0.55, 0.8), (0, 1, R), (1, 1, R), (1, m, R), (0.05, m, R)]]
    if c == "9":
        table["9"] = [[tuple([1 - p[0], 1 - p[1], p[2]]) if p != "z" else p for p in s] for s in skeleton("6", rng)]
    if c == "A" and v() < 0.2:
        return [[(0, 1, 0), (0, 0, R), (1, 0, R), (1, 1, 0)], [(0, 0.58, 0), (1, 0.58, 0)]]
    if c == "M" and v() < 0.3:
        return [[(0, 1, 0), (0, 0, 0), (0.5, 1, 0), (1, 0, 0), (1, 1, 0)]]
    if c == "J" and v() < 0.3:
        return table["J"] + [[(0.4, 0, 0), (1, 0, 0)]]
    return table[c]


def rounded(points, radius):
    closed = points[-1] == "z"
    p = points[:-1] if closed else points
    n, out = len(p), []
    for i in range(n):
        x, y, r = p[i]
        if r == 0 or (not closed and i in (0, n - 1)):
            out.append((x, y))
            continue
        (ax, ay, ar), (bx, by, br) = p[i - 1], p[(i + 1) % n]
        da, db = math.hypot(ax - x, ay - y), math.hypot(bx - x, by - y)
        t = min(radius * r, da * (0.5 if ar else 0.95), db * (0.5 if br else 0.95))
        a = (x + (ax - x) * t / da, y + (ay - y) * t / da)
        b = (x + (bx - x) * t / db, y + (by - y) * t / db)
        # A cubic close to a quarter circle.
        c1 = (a[0] + (x - a[0]) * 0.55, a[1] + (y - a[1]) * 0.55)
        c2 = (b[0] + (x - b[0]) * 0.55, b[1] + (y - b[1]) * 0.55)
        for s in range(9):
            u = s / 8
            w = [(1 - u) ** 3, 3 * u * (1 - u) ** 2, 3 * u * u * (1 - u), u ** 3]
            out.append((w[0] * a[0] + w[1] * c1[0] + w[2] * c2[0] + w[3] * b[0],
                        w[0] * a[1] + w[1] * c1[1] + w[2] * c2[1] + w[3] * b[1]))
    if closed:
        out.append(out[0])
        out.append(out[1])
    return out


def family(seed, height=72):
    """Masks of 36 glyphs in one drawn style: a dict of character to 'L' image of that height."""
    rng = random.Random(seed)
    aspect, weight, radius = rng.uniform(0.42, 0.66), rng.uniform(0.09, 0.2), rng.uniform(0.15, 0.5)
    thin = rng.random() < 0.5
    out, s = {}, 2
    for c in "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789":
        h = height * s
        wide = {"M": 1.12, "W": 1.2, "Q": 1.02, "I": 0.8, "1": 0.8}.get(c, 1) * aspect * (rng.uniform(0.9, 1.0) if c.isdigit() and thin else 1)
        w = max(12, int(h * wide))
        t = max(2, weight * h)
        im = Image.new("L", (w, h), 0)
        d = ImageDraw.Draw(im)
        for stroke in skeleton(c, rng):
            px = [(p[0] * (w - t) + t / 2, p[1] * (h - t) + t / 2, p[2]) if p != "z" else p for p in stroke]
            line = rounded(px, radius * (w - t) * 2 * rng.uniform(0.9, 1.1) if c in "0OQ" else radius * (w - t) * 1.6)
            d.line(line, fill=255, width=round(t), joint="curve")
            for x, y in (line[0], line[-1]):
                d.ellipse([x - t / 2, y - t / 2, x + t / 2, y + t / 2], fill=255)
        out[c] = im.resize((max(6, w // s), height), Image.BILINEAR)
    return out
