"""Synthetic number plates: flat pictures with what stands around a plate, and the truth.

A plate is drawn in units of its own outline; `canvas()` pastes it into a picture of CANVAS with its outline at PLATE, so that
the training step (on the GPU) can cut it out from any side, turn it, blur it and spoil it.
"""
import os
import random
import tomllib

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageFont

import glyphs

HERE = os.path.dirname(os.path.abspath(__file__))
CHARS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
CANVAS = (320, 128)
PLATE = (72, 32, 248, 96)
SUPER = 1.5
STYLES = ["us", "eu", "gb", "br", "br-mercosul", "ar", "ar-mercosul", "other"]
W, H = int((PLATE[2] - PLATE[0]) * SUPER), int((PLATE[3] - PLATE[1]) * SUPER)

SERIAL_FONTS = [
    ("routed-gothic", 4), ("routed-gothic-narrow", 6), ("OSP-DIN", 3), ("NimbusSansNarrow-Bold", 3), ("NimbusSans-Bold", 1),
    ("barlow-condensed-latin-500", 3), ("barlow-condensed-latin-600", 4), ("barlow-condensed-latin-700", 2),
    ("barlow-semi-condensed-latin-500", 3), ("barlow-semi-condensed-latin-600", 3), ("barlow-latin-500", 2),
    ("saira-condensed-latin-500", 2), ("saira-semi-condensed-latin-500", 2), ("oswald-latin-400", 2), ("oswald-latin-500", 2),
    ("roboto-condensed-latin-500", 3), ("roboto-condensed-latin-700", 3), ("sofia-sans-extra-condensed-latin-600", 3),
    ("sofia-sans-condensed-latin-600", 2), ("archivo-narrow-latin-600", 2), ("overpass-latin-700", 2), ("b612-mono-latin-700", 1),
    ("share-tech-mono-latin-400", 2), ("rajdhani-latin-600", 2), ("antonio-latin-500", 1), ("teko-latin-500", 1),
    ("big-shoulders-display-latin-600", 2), ("pathway-gothic-one-latin-400", 2), ("fjalla-one-latin-400", 1),
    ("DejaVuSansCondensed-Bold", 1), ("LiberationSansNarrow-Bold", 2), ("LiberationSans-Bold", 1), ("Dosis-Bold", 1),
    ("Play-Bold", 1), ("Cabin-Bold", 1), ("Lato-Bold", 1), ("Inconsolata", 1), ("Roboto-Bold", 2), ("Roboto-Medium", 2),
]
SCRIPT_FONTS = ["Z003-MediumItalic", "URWBookman-DemiItalic", "NimbusRoman-BoldItalic", "P052-BoldItalic", "C059-BdIta"]
WORD_FONTS = ["NimbusSans-Bold", "NimbusRoman-Bold", "roboto-condensed-latin-700", "Cabin-Bold", "barlow-latin-500", "Lato-Bold"]
SLOGANS = """The Natural State|The Lone Star State|Sunshine State|Show-Me State|Empire State|Garden State|dmv.ca.gov|MyFlorida.com
Grand Canyon State|Land of Lincoln|Live Free or Die|Sweet Home|10,000 lakes|Scenic|First in Flight|Peach State|In God We Trust
Famous Potatoes|Big Sky Country|The Golden State|Great Lakes|Heart of Dixie|Birthplace of Aviation|Volunteer State|Treasure State
America's Dairyland|Centennial|Evergreen State|Constitution State|Keystone State|Ocean State|Wild, Wonderful|The Silver State
Sportsman's Paradise|Corn State|Bluegrass State|Land of Enchantment|Discover the Spirit|Vacationland|Aloha State|Explore""".replace("\n", "|").split("|")
DEALERS = """MOTORS|HONDA|TOYOTA|FORD|CHEVROLET|AUTO MALL|NISSAN OF|CARS.COM|THE AUTO STORE|SUBARU|KIA|MAZDA|BMW OF|LEXUS|UNIVERSITY
ALUMNI|AUTOHAUS|AUTO MOBIL|GRUPPE|CONCESIONARIO|MOTOR CO|(555) 010-0199|(555) 010-4477|I LOVE MY DOG|GO TEAM|VETERAN|ENGINEERS
ELITE MOTORS, INC.|CAPITOL|DODGE JEEP RAM|VOLKSWAGEN|MERCEDES|HYUNDAI|PRESTIGE|FAMILY|SALES & SERVICE|www.example.com""".replace("\n", "|").split("|")
WORDS = """CEMENT LUV2SKI GOCATS MYBABY ZOOM FAST CARGUY HOTROD MOMSVAN BEACH SURFER GOLFER TRUCK1 COFFEE DRAGON EAGLE1 FISHON GOBIG
HAPPY JEEPIN KITTY LUCKY7 MUSTNG NURSE PILOT QUEEN ROCKET SUNNY TEACH VETTE WILDCAT XPLORE YOGA ZEBRA DOCTOR BAKER SMILE PEACE""".split()


# How often a place's plates are drawn, where that is not once.
WEIGHTS = {"US": 3, "US-CA": 4, "US-FL": 2, "US-GA": 2, "US-IL": 2, "US-MO": 4, "US-NY": 2, "US-TX": 3, "FR": 3, "DE": 4, "IT": 3,
           "NL": 2, "PL": 2, "SK": 3, "ES": 3, "GB": 3, "BR": 3, "AR": 3}
STATES = """AL Alabama|AK Alaska|AZ Arizona|AR Arkansas|CA California|CO Colorado|CT Connecticut|DE Delaware|DC District of Columbia|FL Florida
GA Georgia|HI Hawaii|ID Idaho|IL Illinois|IN Indiana|IA Iowa|KS Kansas|KY Kentucky|LA Louisiana|ME Maine|MD Maryland|MA Massachusetts
MI Michigan|MN Minnesota|MS Mississippi|MO Missouri|MT Montana|NE Nebraska|NV Nevada|NH New Hampshire|NJ New Jersey|NM New Mexico
NY New York|NC North Carolina|ND North Dakota|OH Ohio|OK Oklahoma|OR Oregon|PA Pennsylvania|RI Rhode Island|SC South Carolina
SD South Dakota|TN Tennessee|TX Texas|UT Utah|VT Vermont|VA Virginia|WA Washington|WV West Virginia|WI Wisconsin|WY Wyoming"""
NAMES = {"US-" + row[:2]: row[3:] for row in STATES.replace("\n", "|").split("|")}
EUROPE = "AT BE BG CH CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL NO PL PT RO SE SI SK".split()


def formats():
    """Serials by place: L a letter, N a digit."""
    with open(os.path.join(HERE, "../../crates/plates/data/formats.toml"), "rb") as f:
        rows = tomllib.load(f)["format"]
    places = {}
    for row in rows:
        code, pattern = row["region"], row["pattern"].replace("D", "N")
        drawn = code.startswith("US") or code in EUROPE or code in ("GB", "BR", "AR")
        # A place that is one letter itself is drawn as any letter.
        pattern = "".join("L" if sign.islower() else sign for sign in pattern)
        if drawn and len(pattern) <= 10 and set(pattern) <= {"L", "N"}:
            place = places.setdefault(code, {"code": code, "name": NAMES.get(code, code), "patterns": [], "weight": WEIGHTS.get(code, 1)})
            if pattern not in place["patterns"]:
                place["patterns"].append(pattern)
    return list(places.values())


class Fonts:
    """Every font found below the folders, by file name without ending; glyph masks cut to their ink and kept."""

    def __init__(self, folders, families=48, seed=1):
        self.files = {}
        for folder in folders:
            for root, _, names in os.walk(folder):
                for name in names:
                    if name.endswith((".ttf", ".otf", ".woff")):
                        self.files[name.rsplit(".", 1)[0].removesuffix("-normal")] = os.path.join(root, name)
        self.serial = [(n, w) for n, w in SERIAL_FONTS if n in self.files]
        self.total = sum(w for _, w in self.serial)
        self.masks, self.fonts, self.words, self.count, self.seed = {}, {}, {}, families, seed

    def pick(self, rng):
        if rng.random() < 0.45:
            return f"#{rng.randrange(self.count)}"
        return rng.choices([n for n, _ in self.serial], [w for _, w in self.serial])[0]

    def family(self, name):
        if name not in self.masks:
            if name.startswith("#"):
                self.masks[name] = glyphs.family(self.seed * 1000 + int(name[1:]))
            else:
                font, out = ImageFont.truetype(self.files[name], 100), {}
                for c in CHARS:
                    box = font.getbbox(c)
                    im = Image.new("L", (box[2] + 8, box[3] + 8), 0)
                    ImageDraw.Draw(im).text((4, 0), c, font=font, fill=255)
                    im = im.crop(im.getbbox())
                    out[c] = im.resize((max(4, round(im.width * 72 / im.height)), 72), Image.BILINEAR)
                self.masks[name] = out
        return self.masks[name]

    def word(self, name, size):
        if (name, size) not in self.fonts:
            self.fonts[name, size] = ImageFont.truetype(self.files[name], size)
        return self.fonts[name, size]


def colour(rng, base, spread):
    return tuple(max(0, min(255, round(b + rng.gauss(0, spread)))) for b in base)


def random_text(pattern, rng, without=""):
    letters = [c for c in CHARS[:26] if c not in without]
    return "".join(rng.choice(letters) if p == "L" else rng.choice("0123456789") for p in pattern)


def line(im, fonts, rng, name, groups, box, ink, shrink=1.0, squeeze=None):
    """Draws groups of characters with gaps between (a gap is a float of the height, or a drawing) into `box`; returns ink box."""
    x0, y0, x1, y1 = box
    family, h = fonts.family(name), y1 - y0
    sx = rng.uniform(0.8, 1.15)
    gap = rng.uniform(0.05, 0.2)
    items, width = [], 0.0
    fixed = rng.random() < 0.35
    cell = 72 * sx * rng.uniform(0.5, 0.62)
    for g in groups:
        if isinstance(g, str):
            for c in g:
                w = family[c].width * sx
                adv = max(cell, w) if fixed else w
                items.append((c, w, adv))
                width += adv / 72 + gap
        else:
            items.append((g[0], 0, g[1]))
            width += g[1]
    width -= gap
    scale = min(h, (x1 - x0) / width)
    stretch_y = h / scale
    if stretch_y > 1.5:
        stretch_y = rng.uniform(1.2, 1.6)
    hh = scale * stretch_y
    x = x0 + ((x1 - x0) - width * scale) / 2
    y = y0 + (h - hh) / 2
    mask = Image.new("L", im.size, 0)
    start = x
    for c, w, adv in items:
        if len(c) == 1 and c in CHARS:
            gw, a = max(2, round(w / 72 * scale)), adv / 72 * scale
            gm = family[c].resize((gw, max(4, round(hh))), Image.BILINEAR)
            px = x + (a - gw) / 2
            mask.paste(255, (round(px), round(y)), gm)
            x += a + gap * scale
        else:
            w = adv * scale
            ornament(im, mask, rng, c, (x - gap * scale, y, x + w, y + hh), ink)
            x += w
    r = rng.random()
    if r < 0.12 and hh > 30:
        mask = mask.filter(ImageFilter.MaxFilter(3))
    elif r < 0.2 and hh > 40:
        mask = mask.filter(ImageFilter.MinFilter(3))
    if rng.random() < 0.5:
        d = rng.choice([-1, 1, 2])
        light = rng.randrange(60, 256) if rng.random() < 0.5 else rng.randrange(0, 120)
        shade = ImageChops.offset(mask, d, rng.choice([-1, 1]))
        im.paste((light,) * 3, (0, 0), shade.point(lambda v, k=rng.uniform(0.15, 0.6): int(v * k)))
    im.paste(ink, (0, 0), mask)
    return (start, y, x - gap * scale, y + hh)


def ornament(im, mask, rng, kind, box, ink):
    x0, y0, x1, y1 = box
    w, h, cx, cy = x1 - x0, y1 - y0, (x0 + x1) / 2, (y0 + y1) / 2
    d = ImageDraw.Draw(im)
    if kind == "dash":
        t = max(1, h * rng.uniform(0.03, 0.07))
        l = w * rng.uniform(0.2, 0.36)
        ImageDraw.Draw(mask).rectangle([cx - l, cy - t, cx + l, cy + t], fill=255)
    elif kind == "dot":
        r = h * rng.uniform(0.04, 0.1)
        ImageDraw.Draw(mask).ellipse([cx - r, cy - r, cx + r, cy + r], fill=255)
    elif kind == "shape":  # the thin outline of a state, a star, a key: lines that are no character
        tone = colour(rng, rng.choice([(150, 150, 160), (90, 110, 170), (190, 120, 110), (60, 60, 70)]), 20)
        n = rng.randrange(3, 8)
        pts = [(cx + w * rng.uniform(-0.4, 0.4), cy + h * rng.uniform(-0.45, 0.45)) for _ in range(n)]
        d.line(pts + pts[:1], fill=tone, width=rng.choice([1, 2]))
    elif kind == "blob":
        tone = colour(rng, rng.choice([(200, 120, 40), (60, 120, 60), (70, 80, 160), (160, 60, 50), (130, 130, 130)]), 25)
        rx, ry = w * rng.uniform(0.25, 0.48), h * rng.uniform(0.15, 0.42)
        n = rng.randrange(5, 11)
        pts = [(cx + rx * rng.uniform(0.5, 1) * np.cos(6.283 * i / n), cy + ry * rng.uniform(0.5, 1) * np.sin(6.283 * i / n)) for i in range(n)]
        d.polygon(pts, fill=tone)
    elif kind == "stickers":
        s = min(w * 0.4, h * 0.26)
        for k in (-1, 1) if rng.random() < 0.7 else (0,):
            oy = cy + k * s * rng.uniform(1.0, 1.35)
            tone = colour(rng, rng.choice([(220, 60, 40), (230, 130, 40), (50, 80, 190), (60, 150, 70), (235, 210, 50), (160, 160, 160)]), 25)
            if rng.random() < 0.5:
                d.ellipse([cx - s, oy - s, cx + s, oy + s], fill=tone)
            else:
                d.rectangle([cx - s, oy - s, cx + s, oy + s], fill=tone)
                small(im, rng, str(rng.randrange(10, 30)), (cx - s, oy - s, cx + s, oy + s), (20, 20, 20), "NimbusSans-Bold")
    elif kind == "arms":
        tone = colour(rng, rng.choice([(200, 40, 40), (60, 70, 160), (120, 110, 90)]), 30)
        r = min(w * 0.4, h * 0.32)
        d.polygon([(cx - r, cy - r), (cx + r, cy - r), (cx + r, cy + r * 0.3), (cx, cy + r), (cx - r, cy + r * 0.3)], fill=tone)
        d.line([cx, cy - r * 0.6, cx, cy + r * 0.5], fill=(230, 230, 230), width=2)


FONTS = None


def small(im, rng, text, box, ink, name, align="c"):
    """Writing that is not the serial, scaled to fit the box."""
    x0, y0, x1, y1 = box
    if name not in FONTS.files or x1 - x0 < 3 or y1 - y0 < 3 or not text:
        return
    m = FONTS.words.get((name, text))
    if m is None:
        font = FONTS.word(name, 28)
        b = font.getbbox(text)
        m = Image.new("L", (b[2] - b[0] + 2, b[3] - b[1] + 2), 0)
        ImageDraw.Draw(m).text((1 - b[0], 1 - b[1]), text, font=font, fill=255)
        FONTS.words[name, text] = m
    h = y1 - y0
    w = min(x1 - x0, m.width * h / m.height * rng.uniform(0.8, 1.4))
    m = m.resize((max(1, round(w)), max(1, round(h))), Image.BILINEAR)
    x = x0 + ((x1 - x0) - w) / 2 if align == "c" else x0
    im.paste(ink, (round(x), round(y0)), m)


def ground(rng, base, size=(W, H)):
    """An even ground; light and its falling off are added by the training step."""
    return Image.new("RGB", size, tuple(max(0, min(255, int(v))) for v in base))


def bolts(im, rng, spots, tone=None):
    d = ImageDraw.Draw(im)
    for x, y in spots:
        t = tone or rng.choice([(30, 30, 30), (90, 90, 90), (170, 170, 170), (220, 220, 220)])
        r = H * rng.uniform(0.02, 0.045)
        d.ellipse([x * W - r, y * H - r, x * W + r, y * H + r], fill=t)


def us(rng, regions):
    region = rng.choices(regions, [r.get("weight", 1) for r in regions])[0]
    pattern = rng.choice(region["patterns"])
    roll = rng.random()
    if roll < 0.06:
        text = rng.choice(WORDS)
        if rng.random() < 0.7:
            text = "".join(rng.choice("AEIOU" if i % 2 else "BCDFGHJKLMNPRSTVWXZ") for i in range(rng.randrange(3, 8)))
            if rng.random() < 0.4:
                text += rng.choice("0123456789")
    elif roll < 0.14:
        text = random_text("".join(rng.choice("LN") for _ in range(rng.choice([5, 6, 6, 7, 7, 7, 8]))), rng)
    else:
        text = random_text(pattern, rng)
    base = rng.choices([(240, 240, 238), (225, 232, 240), (240, 225, 200), (235, 215, 120), (200, 215, 235), (215, 235, 215), (40, 60, 130), (35, 35, 40), (30, 90, 60)],
                       [10, 4, 3, 1, 2, 1, 1, 0.6, 0.4])[0]
    dark = sum(base) < 300
    im = ground(rng, colour(rng, base, 8))
    if rng.random() < 0.35:  # a printed scene behind the serial
        d = ImageDraw.Draw(im)
        for _ in range(rng.randrange(1, 6)):
            x, y, r = rng.uniform(0, W), rng.uniform(0.2 * H, H), rng.uniform(8, 60)
            tone = colour(rng, (np.array(base) * rng.uniform(0.75, 1.02)).tolist(), 20)
            if rng.random() < 0.5:
                d.ellipse([x - r, y - r / 2, x + r, y + r / 2], fill=tone)
            else:
                d.polygon([(x - r, y + r / 2), (x, y - r / 2), (x + r, y + r / 2)], fill=tone)
        im = im.filter(ImageFilter.BoxBlur(rng.uniform(1, 6)))
    if not dark and rng.random() < 0.25:
        band = Image.new("L", (W, H), 0)
        ImageDraw.Draw(band).rectangle([0, 0, W, H * rng.uniform(0.15, 0.28)], fill=200)
        im.paste(colour(rng, rng.choice([(40, 70, 150), (180, 40, 50), (220, 180, 60), (60, 130, 90), (130, 180, 220)]), 20), (0, 0), band.filter(ImageFilter.BoxBlur(rng.choice([0, 2, 6]))))
    ink = colour(rng, rng.choices([(30, 35, 90), (25, 25, 30), (120, 25, 35), (20, 80, 50), (40, 60, 130)], [6, 6, 1.2, 1, 2])[0], 10) if not dark else colour(rng, (235, 235, 220), 10)
    word = colour(rng, rng.choice([(170, 30, 40), (30, 50, 130), (30, 30, 35), (20, 100, 60), (90, 90, 90)]), 15)
    name = rng.choice(SCRIPT_FONTS) if rng.random() < 0.4 else rng.choice(WORD_FONTS)
    top = region["name"] if region["code"] != "US" else rng.choice(["TRUCK", "Commercial", "Dealer", "Apportioned"])
    top = top.upper() if rng.random() < 0.4 else top
    half = rng.uniform(0.12, 0.36)
    small(im, rng, top, (W * (0.5 - half), H * rng.uniform(0.03, 0.08), W * (0.5 + half), H * rng.uniform(0.16, 0.25)), word, name)
    if rng.random() < 0.75:
        half = rng.uniform(0.12, 0.34)
        y = rng.uniform(0.84, 0.9)
        small(im, rng, rng.choice(SLOGANS), (W * (0.5 - half), H * y, W * (0.5 + half), H * min(0.98, y + rng.uniform(0.06, 0.1))), word, rng.choice(WORD_FONTS))
    ya, yb = rng.uniform(0.2, 0.32), rng.uniform(0.74, 0.87)
    sep = rng.choices(["dash", "dot", "blob", "stickers", "shape", "space"], [2, 3, 4, 2, 2, 4])[0]
    wide = {"dash": 0.35, "dot": 0.3, "blob": rng.uniform(0.35, 0.65), "stickers": rng.uniform(0.35, 0.5), "shape": rng.uniform(0.3, 0.6), "space": rng.uniform(0.1, 0.45)}[sep]
    groups = [text]
    if len(text) >= 4 and (region["code"] == "US-MO" or rng.random() < 0.6):
        cut = 3 if region["code"] in ("US-MO", "US-TX") or rng.random() < 0.7 else rng.randrange(2, len(text) - 1)
        if region["code"] == "US-MO":
            sep, wide = rng.choice(["stickers", "blob", "dot"]), rng.uniform(0.3, 0.5)
        groups = [text[:cut], (sep, wide), text[cut:]]
    m = rng.uniform(0.03, 0.1)
    box = (W * m, H * ya, W * (1 - m), H * yb)
    font = FONTS.pick(rng)
    if rng.random() < 0.05 and len(text) >= 6:  # two small letters one above the other before or after the serial
        s, rest = text[:2], text[2:]
        tail = rng.random() < 0.3
        if tail:
            rest, s = text[:-2], text[-2:]
        cw = W * rng.uniform(0.1, 0.14)
        sx = W * (1 - m) - cw if tail else W * m
        body = (W * m, H * ya, W * (1 - m) - cw, H * yb) if tail else (W * m + cw, H * ya, W * (1 - m), H * yb)
        ink_box = line(im, FONTS, rng, font, [rest], body, ink)
        mid = (ya + yb) / 2
        sx = ink_box[2] + 3 if tail else max(W * 0.02, ink_box[0] - cw - 3)
        line(im, FONTS, rng, font, [s[0]], (sx, H * ya, sx + cw, H * (mid - 0.02)), ink)
        line(im, FONTS, rng, font, [s[1]], (sx, H * (mid + 0.02), sx + cw, H * yb), ink)
        ink_box = (min(sx, ink_box[0]), H * ya, max(sx + cw, ink_box[2]), H * yb)
    else:
        ink_box = line(im, FONTS, rng, font, groups, box, ink)
    spots = [(x, y) for x in (rng.uniform(0.16, 0.24), rng.uniform(0.76, 0.84)) for y in (0.06, 0.94)]
    bolts(im, rng, [s for s in spots if rng.random() < 0.6])
    for x in (0.02, 0.86):  # month and year in the corners
        if rng.random() < 0.4:
            y, w, h = rng.choice([0.02, 0.02, 0.84]), rng.uniform(0.07, 0.12), rng.uniform(0.12, 0.18)
            tone = colour(rng, rng.choice([(235, 200, 40), (220, 80, 40), (60, 110, 190), (70, 160, 80), (240, 240, 240)]), 20)
            b = (W * x, H * y, W * (x + w), H * min(1, y + h))
            ImageDraw.Draw(im).rectangle(b, fill=tone)
            small(im, rng, rng.choice(["11", "1", "12", "JAN", "SEP", "JUL", "15", "08"]), (b[0] + 2, b[1] + 2, b[2] - 2, b[3] - 2), (20, 20, 20), "NimbusSans-Bold")
    if rng.random() < 0.5:
        ImageDraw.Draw(im).rectangle([1, 1, W - 2, H - 2], outline=tuple(ink) if rng.random() < 0.6 else (230, 230, 230), width=rng.choice([1, 2, 3]))
    return im, text, ink_box, "us"


def eu(rng, regions):
    region = rng.choices(regions, [r.get("weight", 1) for r in regions])[0]
    gb = region["code"] == "GB"
    pattern = rng.choice(region["patterns"])
    text = random_text(pattern, rng, {"ES": "AEIOUQN", "FR": "IOU", "IT": "IOQU", "GB": "IQ"}.get(region["code"], "") if rng.random() < 0.8 else "")
    base = rng.choices([(238, 238, 235), (240, 200, 50), (30, 60, 150), (30, 30, 34)], [10, 8 if gb else 1.0, 0.8, 0.3])[0]
    dark = sum(base) < 300
    im = ground(rng, colour(rng, base, 7))
    ink = colour(rng, (235, 235, 230) if dark else (20, 20, 24), 8)
    if rng.random() < 0.06:
        ink = colour(rng, rng.choice([(150, 30, 40), (20, 90, 60), (30, 50, 140)]), 10)
    left = 0.02
    d = ImageDraw.Draw(im)
    if rng.random() < (0.35 if gb else 0.8):
        bw = rng.uniform(0.06, 0.1)
        blue = colour(rng, (25, 60, 160), 15) if rng.random() < 0.85 else colour(rng, base, 3)
        d.rectangle([0, 0, W * bw, H], fill=blue)
        sy = rng.uniform(0.2, 0.38)
        for k in range(8):
            r = W * bw * 0.3
            px, py = W * bw / 2 + r * np.cos(k * 0.785), H * sy + r * np.sin(k * 0.785)
            d.ellipse([px - 1, py - 1, px + 1, py + 1], fill=(240, 210, 40))
        if rng.random() < 0.3:
            d.polygon([(W * bw * 0.2, H * 0.15), (W * bw * 0.8, H * 0.15), (W * bw * 0.8, H * 0.45), (W * bw / 2, H * 0.55), (W * bw * 0.2, H * 0.45)], fill=colour(rng, (190, 40, 50), 20))
        small(im, rng, region["code"] if not gb else "GB", (W * 0.01, H * rng.uniform(0.6, 0.68), W * (bw - 0.01), H * rng.uniform(0.8, 0.9)), (240, 240, 240) if blue[2] > 120 else (30, 30, 30), "NimbusSans-Bold")
        left = bw + 0.01
    right = 0.985
    if rng.random() < 0.15 and region["code"] in ("FR", "IT", "PT"):
        d.rectangle([W * 0.93, 0, W, H], fill=colour(rng, (25, 60, 160), 15))
        small(im, rng, str(rng.randrange(10, 96)), (W * 0.94, H * 0.6, W * 0.99, H * 0.85), (240, 240, 240), "NimbusSans-Bold")
        right = 0.92
    cut = len(text)
    for i in range(1, len(text)):  # letters and digits stand in groups
        if pattern[i] != pattern[i - 1]:
            cut = i
            break
    if cut == len(text):
        cut = 2
    sep = rng.choices(["dash", "dot", "stickers", "arms", "space"], [4, 1.5, 4 if region["code"] in ("DE", "SK", "CZ", "PL", "AT", "HU", "SI") else 0.6, 3 if region["code"] in ("SK", "AT", "HR", "CH", "SI", "CZ") else 0.4, 4])[0]
    if gb:
        cut, sep = (4 if pattern == "LLNNLLL" else cut), "space"
    wide = {"dash": rng.uniform(0.3, 0.5), "dot": 0.35, "stickers": rng.uniform(0.4, 0.6), "arms": rng.uniform(0.5, 0.75), "space": rng.uniform(0.2, 0.5)}[sep]
    groups = [text[:cut], (sep, wide)]
    rest = text[cut:]
    cut2 = next((i for i in range(1, len(rest)) if pattern[cut + i] != pattern[cut + i - 1]), 0)
    if cut2 and rng.random() < 0.5:
        groups += [rest[:cut2], (rng.choice(["space", "dash", "dot"]), rng.uniform(0.2, 0.45)), rest[cut2:]]
    else:
        groups += [rest]
    ya, yb = rng.uniform(0.1, 0.2), rng.uniform(0.8, 0.92)
    im2 = im
    if rng.random() < 0.06 and len(text) >= 5:  # two rows
        ink_box = rows(im2, rng, [text[:cut], text[cut:]], (W * max(left, 0.1), H * 0.06, W * 0.95, H * 0.95), ink)
    else:
        ink_box = line(im2, FONTS, rng, FONTS.pick(rng), groups, (W * left + 2, H * ya, W * right, H * yb), ink)
    if rng.random() < 0.6:
        d.rectangle([0, 0, W - 1, H - 1], outline=(20, 20, 20) if not dark else (230, 230, 230), width=rng.choice([1, 2, 3]))
    bolts(im, rng, [s for s in [(rng.uniform(0.12, 0.3), 0.5), (rng.uniform(0.7, 0.9), 0.5)] if rng.random() < 0.12])
    return im, text, ink_box, "gb" if gb else "eu"


def rows(im, rng, parts, box, ink):
    x0, y0, x1, y1 = box
    mid, font = (y0 + y1) / 2, FONTS.pick(rng)
    a = line(im, FONTS, rng, font, [parts[0]], (x0, y0, x1, mid - H * 0.03), ink)
    b = line(im, FONTS, rng, font, [parts[1]], (x0, mid + H * 0.03, x1, y1), ink)
    return (min(a[0], b[0]), a[1], max(a[2], b[2]), b[3])


CITIES = "SALVADOR BRASILIA SAO PAULO|RIO DE JANEIRO|CURITIBA|RECIFE|MANAUS|BELEM|GOIANIA|CAMPINAS|NATAL|FORTALEZA|PORTO ALEGRE".split("|")


def br(rng, regions):
    mercosul = rng.random() < 0.35
    text = random_text("LLLNLNN" if mercosul else "LLLNNNN", rng)
    d = None
    if mercosul:
        im = mercosul_ground(rng, "BRASIL")
        box = (W * 0.09, H * rng.uniform(0.32, 0.4), W * 0.97, H * rng.uniform(0.86, 0.94))
        ink_box = line(im, FONTS, rng, FONTS.pick(rng), [text], box, colour(rng, (20, 20, 24), 8))
        return im, text, ink_box, "br-mercosul"
    base = rng.choices([(175, 175, 175), (200, 195, 180), (180, 40, 45), (235, 235, 235)], [8, 4, 1, 1])[0]
    dark = base[1] < 100
    im = ground(rng, colour(rng, base, 10))
    ink = colour(rng, (235, 235, 235) if dark else (25, 25, 28), 10)
    small(im, rng, rng.choice(["BA", "DF", "SP", "RJ", "MG", "PR", "RS"]) + rng.choice([" ", "-", " - "]) + rng.choice(CITIES), (W * 0.25, H * rng.uniform(0.05, 0.1), W * 0.75, H * rng.uniform(0.17, 0.24)), ink, "NimbusSans-Bold")
    if rng.random() < 0.06:
        ink_box = rows(im, rng, [text[:3], text[3:]], (W * 0.08, H * 0.22, W * 0.92, H * 0.96), ink)
    else:
        ink_box = line(im, FONTS, rng, FONTS.pick(rng), [text[:3], (rng.choice(["dash", "dot", "dot", "space"]), rng.uniform(0.25, 0.4)), text[3:]],
                       (W * rng.uniform(0.04, 0.07), H * rng.uniform(0.25, 0.32), W * rng.uniform(0.93, 0.97), H * rng.uniform(0.84, 0.92)), ink)
    bolts(im, rng, [(rng.uniform(0.25, 0.4), rng.uniform(0.9, 0.95)), (rng.uniform(0.6, 0.75), rng.uniform(0.9, 0.95))][: rng.randrange(3)], (25, 25, 25))
    return im, text, ink_box, "br"


def mercosul_ground(rng, word):
    im = ground(rng, colour(rng, (236, 236, 234), 7))
    b = rng.uniform(0.2, 0.3)
    ImageDraw.Draw(im).rectangle([0, 0, W, H * b], fill=colour(rng, (30, 60, 150), 18))
    small(im, rng, word, (W * 0.2, H * 0.05, W * 0.8, H * (b - 0.05)), (240, 240, 240), rng.choice(["NimbusSans-Bold", "Cabin-Bold"]))
    ImageDraw.Draw(im).rectangle([W * 0.9, H * 0.05, W * 0.96, H * (b - 0.04)], fill=colour(rng, (150, 190, 220), 20))
    return im


def ar(rng, regions):
    roll = rng.random()
    if roll < 0.45:  # 1995: white on black, a white rim with the country's name
        text = random_text("LLLNNN", rng)
        im = ground(rng, colour(rng, (225, 225, 225), 12))
        d = ImageDraw.Draw(im)
        top, bottom = rng.uniform(0.18, 0.26), rng.uniform(0.84, 0.94)
        d.rounded_rectangle([W * 0.04, H * top, W * 0.96, H * bottom], 6, fill=colour(rng, (28, 28, 30), 12))
        small(im, rng, "ARGENTINA", (W * 0.3, H * 0.05, W * 0.7, H * (top - 0.04)), (60, 90, 150), "NimbusSans-Bold")
        sep = rng.choice(["space", "space", "dup"])
        ink = colour(rng, (225, 225, 225), 15)
        pad = rng.uniform(0.04, 0.07)
        ink_box = line(im, FONTS, rng, FONTS.pick(rng), [text[:3], ("space", rng.uniform(0.25, 0.5)), text[3:]], (W * (0.04 + pad / 2), H * (top + pad), W * (0.96 - pad / 2), H * (bottom - pad)), ink)
        if sep == "dup":  # the small letter of a duplicate, no part of the serial
            cx, cy, s = (ink_box[0] + ink_box[2]) / 2, H * (top + bottom) / 2, H * 0.07
            small(im, rng, rng.choice("DTC"), (cx - s, cy - s, cx + s, cy + s), ink, "NimbusSans-Bold")
        bolts(im, rng, [(rng.uniform(0.15, 0.25), 0.1), (rng.uniform(0.75, 0.85), 0.1)])
        return im, text, ink_box, "ar"
    two = roll > 0.86
    text = random_text("LNNNLLL" if two else "LLNNNLL", rng)
    if two and rng.random() < 0.3:
        text = random_text("NNNLLL", rng)
    im = mercosul_ground(rng, "REPUBLICA ARGENTINA")
    ink = colour(rng, (20, 20, 24), 8)
    if two:
        ink_box = rows(im, rng, [text[:3], text[3:]], (W * 0.1, H * 0.28, W * 0.9, H * 0.95), ink)
    else:
        g = rng.uniform(0.25, 0.5)
        ink_box = line(im, FONTS, rng, FONTS.pick(rng), [text[:2], ("space", g), text[2:5], (rng.choice(["space", "space", "dot"]), g), text[5:]], (W * 0.04, H * rng.uniform(0.32, 0.4), W * 0.96, H * rng.uniform(0.84, 0.93)), ink)
    return im, text, ink_box, "ar-mercosul"


def other(rng, regions):
    """Any writing at all on any plate, so that the reader knows more than the formats."""
    text = random_text("".join(rng.choice("LN") for _ in range(rng.randrange(4, 9))), rng)
    im = ground(rng, tuple(rng.randrange(0, 256) for _ in range(3)))
    mean = sum(im.getpixel((W // 2, H // 2))) / 3
    ink = colour(rng, (25, 25, 30) if mean > 128 else (235, 235, 230), 15)
    cut = rng.randrange(1, len(text))
    ink_box = line(im, FONTS, rng, FONTS.pick(rng), [text[:cut], (rng.choice(["space", "dash", "dot", "blob"]), rng.uniform(0.05, 0.5)), text[cut:]], (W * 0.05, H * rng.uniform(0.08, 0.3), W * 0.95, H * rng.uniform(0.72, 0.93)), ink)
    return im, text, ink_box, "other"


def surroundings(rng, size):
    """A bumper, a boot lid, a grille: bands, edges and blobs of any tone."""
    w, h = size
    base = rng.choice([rng.randrange(10, 80), rng.randrange(60, 200), rng.randrange(180, 250)])
    tint = [base + rng.gauss(0, 20) for _ in range(3)]
    im = ground(rng, tuple(max(0, min(255, v)) for v in tint), size)
    d = ImageDraw.Draw(im)
    for _ in range(rng.randrange(0, 6)):
        k = rng.uniform(0.3, 1.6)
        tone = tuple(max(0, min(255, int(t * k))) for t in tint)
        y = rng.uniform(0, h)
        t = rng.uniform(1, 30)
        slope = rng.gauss(0, 12)
        d.polygon([(0, y), (w, y + slope), (w, y + slope + t), (0, y + t)], fill=tone)
    for _ in range(rng.randrange(0, 5)):
        x, y, rx, ry = rng.uniform(0, w), rng.uniform(0, h), rng.uniform(4, 70), rng.uniform(3, 30)
        tone = tuple(rng.randrange(0, 256) for _ in range(3))
        (d.ellipse if rng.random() < 0.5 else d.rectangle)([x - rx, y - ry, x + rx, y + ry], fill=tone)
    if rng.random() < 0.5:
        im = im.filter(ImageFilter.BoxBlur(rng.uniform(0.5, 3)))
    if rng.random() < 0.25:  # other writing on the car
        y = rng.choice([rng.uniform(0, h * 0.14), rng.uniform(h * 0.82, h * 0.95)])
        small(im, rng, rng.choice(DEALERS), (w * rng.uniform(0, 0.4), y, w * rng.uniform(0.5, 1), y + h * 0.1), tuple(rng.randrange(0, 256) for _ in range(3)), rng.choice(WORD_FONTS))
    return im


def canvas(rng, groups):
    """One plate in its surroundings: picture (RGB array), text, ink box in canvas pixels, style number."""
    kind = rng.choices(["us", "eu", "br", "ar", "other"], [42, 26, 11, 15, 6])[0]
    im, text, box, style = {"us": us, "eu": eu, "br": br, "ar": ar, "other": other}[kind](rng, groups[kind])
    size = (int(CANVAS[0] * SUPER), int(CANVAS[1] * SUPER))
    back = surroundings(rng, CANVAS).resize(size, Image.BILINEAR)
    px, py = round(PLATE[0] * SUPER), round(PLATE[1] * SUPER)
    mask = Image.new("L", (W, H), 0)
    r = rng.choice([0, 3, 6, 10, 14])
    ImageDraw.Draw(mask).rounded_rectangle([0, 0, W - 1, H - 1], r, fill=255)
    d = ImageDraw.Draw(back)
    if rng.random() < 0.5:  # the holder or a shadow behind
        g = rng.uniform(2, 14)
        tone = rng.choice([(15, 15, 18), (40, 40, 42), (150, 150, 155), (220, 220, 222), (90, 40, 40)])
        d.rounded_rectangle([px - g, py - g * rng.uniform(0.6, 1.2), px + W + g, py + H + g * rng.uniform(0.6, 1.6)], r + 3, fill=tone)
    back.paste(im, (px, py), mask)
    if rng.random() < (0.5 if style == "us" else 0.3):  # a frame with a dealer's name, over the edges
        tone = rng.choice([(20, 20, 22), (20, 20, 22), (200, 200, 205), (150, 150, 155), (170, 40, 40), (40, 60, 130)])
        pen = (235, 235, 235) if sum(tone) < 380 else (25, 25, 28)
        ink_top, ink_bottom = py + box[1], py + box[3]
        for up in (True, False):
            t = H * rng.uniform(0.08, 0.24)
            if up:
                y1 = min(py + H * rng.uniform(0.0, 0.14), ink_top - 1)
                b = (px - 6, y1 - t, px + W + 6, y1)
            else:
                y0 = max(py + H * rng.uniform(0.86, 1.0), ink_bottom + 1)
                b = (px - 6, y0, px + W + 6, y0 + t)
            if rng.random() < 0.85:
                d.rectangle(b, fill=tone)
                if rng.random() < 0.7:
                    i = rng.uniform(0.05, 0.3) * W
                    small(back, rng, rng.choice(DEALERS), (b[0] + i, b[1] + 2, b[2] - i, b[3] - 2), pen, rng.choice(WORD_FONTS))
        side = rng.uniform(2, 10)
        for x in (px - side, px + W):
            d.rectangle([x, py - 4, x + side, py + H + 4], fill=tone)
    for _ in range(rng.choice([0, 0, 0, 1, 2])):  # dirt, a bolt, glare spots over the plate, never wide enough to hide a character
        x, y, s = px + rng.uniform(0, W), py + rng.uniform(0, H), rng.uniform(1.5, 5)
        d.ellipse([x - s, y - s * rng.uniform(0.5, 2), x + s, y + s], fill=tuple([rng.randrange(0, 256)] * 3))
    out = back.resize(CANVAS, Image.BOX if rng.random() < 0.5 else Image.BILINEAR)
    ink = ((px + box[0]) / SUPER, (py + box[1]) / SUPER, (px + box[2]) / SUPER, (py + box[3]) / SUPER)
    return np.asarray(out), text, ink, STYLES.index(style)


def groups():
    all_regions = formats()
    pick = lambda f: [r for r in all_regions if f(r["code"])]
    return {
        "us": pick(lambda c: c.startswith("US")),
        "eu": pick(lambda c: not c.startswith("US") and c not in ("BR", "AR")),
        "br": None, "ar": None, "other": None,
    }


def start(folders, seed=1):
    global FONTS
    FONTS = Fonts(folders, seed=seed)
    if not FONTS.serial:
        raise SystemExit("no fonts found: see README.md for the packages")


def encode(text, slots=10):
    out = np.full(slots, 36, np.int64)
    for i, c in enumerate(text[:slots]):
        out[i] = CHARS.index(c)
    return out
