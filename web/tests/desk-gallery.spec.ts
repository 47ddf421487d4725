/** Each page of the desk for each role: axe, width and pictures at three sizes, in Spanish and in the dark. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { accessible, expect, type Page, test } from "./fixtures";
import { asks, canvass, type Town, until } from "./town";

interface Made {
  offer: string;
  case: string;
  item: string;
  member: string;
}

const OPENING = "Grey pickup that struck a parked car on Route 3";

const VARIANTS = [
  { name: "en", locale: "en-US", colorScheme: "light", sizes: [360, 768, 1280] },
  { name: "es", locale: "es-US", colorScheme: "light", sizes: [360, 1280] },
  { name: "dark", locale: "en-US", colorScheme: "dark", sizes: [360, 1280] },
] as const;

/** Pages besides those of the rail. */
const MORE: Record<string, (town: Town, made: Made) => Record<string, string>> = {
  ivo: ({ requests }, made) => ({
    "request-new": "/desk/requests/new",
    request: `/desk/requests/${requests.collision}`,
    offer: `/desk/inbox/${made.offer}`,
    case: `/desk/cases/${made.case}`,
    "case-timeline": `/desk/cases/${made.case}?view=timeline`,
    "case-links": `/desk/cases/${made.case}?view=links`,
    "case-bundle": `/desk/cases/${made.case}?view=bundle`,
    item: `/desk/items/${made.item}`,
  }),
  sol: (_, made) => ({ case: `/desk/cases/${made.case}`, offer: `/desk/inbox/${made.offer}` }),
  bea: (_, made) => ({ member: `/desk/people/${made.member}` }),
  mo: ({ requests }) => ({
    decide: `/desk/moderation/${requests.waiting}`,
    past: "/desk/moderation/past",
    refused: `/desk/requests/${requests.refused}`,
  }),
  oona: ({ requests }) => ({ request: `/desk/requests/${requests.collision}` }),
  operator: ({ agencies }) => ({ agency: `/desk/agencies/${agencies.county}` }),
};

/** An offer of the county with one clip accepted, one declined, and something on every part of the page; made once. */
async function prepare(town: Town): Promise<Made> {
  const kept = join(town.folder, "gallery.json");
  if (existsSync(kept)) return JSON.parse(readFileSync(kept, "utf8")) as Made;
  const [rosa, ivo, bea] = [town.people.rosa!, town.people.ivo!, town.people.bea!];
  const clips = [town.clips["porch.mp4"]!, town.clips["garage.mkv"]!];
  const seal = ["seal", "--request", town.requests.collision, "--out", "gallery", "--yes", "--include-outside"];
  await canvass(rosa, [...seal, ...clips]);
  await canvass(rosa, ["give", "gallery"]);
  const { offer } = JSON.parse(readFileSync(join(rosa.home, "gallery.receipt.json"), "utf8")) as { offer: string };
  await until("taking in", async () => (await canvass(ivo, ["inbox"])).includes(offer.slice(0, 10)));
  await canvass(ivo, ["open", offer, "--for", "triage", "--purpose", OPENING, "--out", "gallery"]);
  const made = await asks<{ id: string }>(ivo, [
    "case",
    "create",
    "--title",
    "Route 3",
    "--destination",
    town.requests.collision,
  ]);
  await canvass(ivo, ["triage", offer, "accept", "--case", made.id, "--dir", "gallery", "1"]);
  await canvass(ivo, ["triage", offer, "decline", "--reason", "Shows another street.", "2"]);
  await canvass(ivo, ["ask", offer, "Is the clock of your camera right?"]);
  const shown = JSON.stringify(await asks(ivo, ["case", "show", made.id]));
  const me = JSON.stringify(await asks(bea, ["member", "list"]));
  const state = {
    offer,
    case: made.id,
    item: /itm_[a-z2-7]{26}/.exec(shown)![0],
    member: /mbr_[a-z2-7]{26}/.exec(me)![0],
  };
  writeFileSync(kept, JSON.stringify(state));
  return state;
}

/** Everything that a page says has words: no key of a text shows. */
async function worded(page: Page, name: string): Promise<void> {
  const text = await page.locator("body").innerText();
  expect(text, `texts of ${name}`).not.toMatch(/\b(desk|evidence|common|map|player|state|role)\.[a-z]+(\.[a-z]+)*\b/);
  expect(text, `texts of ${name}`).not.toMatch(/undefined|\[object|NaN|Invalid Date/);
}

for (const variant of VARIANTS) {
  test.describe(`in ${variant.name}`, () => {
    test.use({ locale: variant.locale, colorScheme: variant.colorScheme });
    for (const who of ["ivo", "sol", "bea", "mo", "oona", "operator"]) {
      test(`every page of ${who} @long`, async ({ page, town }) => {
        test.setTimeout(600_000);
        const made = await prepare(town);
        await page.goto(`${town.desk}/desk/`);
        await page.locator("#token").fill(town.people[who]!.token!);
        await page.locator("#token").press("Enter");
        const links = page.locator(".rail nav a");
        await expect(links.first()).toBeAttached();
        const rail = await links.evaluateAll((all) => all.map((each) => each.getAttribute("href") ?? ""));
        const pages = {
          ...Object.fromEntries(rail.map((href) => [href.split("/").at(-1)!, href])),
          ...MORE[who]!(town, made),
        };
        for (const [name, path] of Object.entries(pages)) {
          // The page of alerts listens for as long as it is open.
          await page.goto(`${town.desk}${path}`, { waitUntil: path === "/desk/alerts" ? "load" : "networkidle" });
          await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
          if (path === "/desk/alerts") await expect(page.locator("main [role=status] .tag.good")).toBeVisible();
          const full = `desk-${who}-${name}-${variant.name}`;
          await worded(page, full);
          for (const width of variant.sizes) {
            await page.setViewportSize({ width, height: width < 500 ? 740 : 900 });
            await page.screenshot({ path: join("screenshots", `${full}-${width}.png`), fullPage: true });
            await accessible(page, `${full} at ${width}`);
          }
        }
      });
    }
  });
}
