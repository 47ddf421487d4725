/**
 * Every page and state of the resident's side, twice: on the smallest phone in Spanish in the dark, and on a desk in English in
 * the light. Axe finds nothing, nothing is wider than the window, no text is missing. Pictures go to `screenshots/gallery-…`.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";

import { type Browser, expect, Guard, type Page, test } from "./fixtures";
import { type Look, LOOKS, shoot, wordsOf } from "./gallery";
import { publish } from "./giving";
import { asks, canvass, type Town, until } from "./town";

type Words = ReturnType<typeof wordsOf>;
interface State {
  name: string;
  /** Path with fragment, on the town's public address. */
  at: (town: Town, made: Made) => string;
  /** What is done before the picture. */
  act?: (page: Page, words: Words, town: Town) => Promise<void>;
  /** Answers that this state brings about. */
  allow?: RegExp[];
}
/** What the states need besides the town. */
interface Made {
  resolved: string;
  portal: string;
  closed: string;
}

let made: Made;

test.beforeAll(async () => {
  const town = JSON.parse(readFileSync(process.env.CANVASS_TOWN ?? "", "utf8")) as Town;
  const ines = town.people.ines!;
  const resolved = await publish(town, `26-GALLERY-${process.pid}`);
  await canvass(ines, ["request", "resolve", resolved]);
  // The agency's key lies with its investigator; opening a portal is for a supervisor.
  const sam = town.people.sam!;
  const more = [
    "--contact-name",
    "Front desk",
    "--phone",
    "603-555-0100",
    "--key",
    join(ines.home, "keyring", "agency-signing.key"),
  ];
  const open = (details: string) => asks<{ id: string }>(sam, ["portal", "open", "--details", details, ...more]);
  // One portal of an agency is open at a time; after a failed test it may still be.
  for (const { id, open: still } of await asks<{ id: string; open: boolean }[]>(sam, ["portal", "list"]))
    if (still) await canvass(sam, ["portal", "close", id]);
  const closed = await open(
    "For recordings of the flood of last spring. We collect them to see where the water stood.",
  );
  await canvass(sam, ["portal", "close", closed.id]);
  const portal = await open(
    "Send us recordings that we did not ask for. Somebody looks at each of them within a week.",
  );
  made = { resolved, portal: portal.id, closed: closed.id };
  for (const [id, state] of [
    [portal.id, "open"],
    [closed.id, "closed"],
  ])
    await until(`the portal ${id} to be ${state}`, async () => {
      const answer = await fetch(`${town.public}/portals/${id}.json`);
      return answer.ok && ((await answer.json()) as { state: string }).state === state;
    });
  await until("the request to be resolved", async () =>
    (await (await fetch(`${town.public}/requests/${resolved}.json`)).text()).includes('"state":"resolved"'),
  );
});

const region = (town: Town) => `/r/${town.region}`;
const button = (page: Page, name: string) => page.getByRole("button", { name, exact: true }).first();

const chooseClips = async (page: Page, town: Town) => {
  const names = ["porch.mp4", "garage.mkv", "shop.avi"];
  await page
    .locator('input[type="file"]')
    .first()
    .setInputFiles(names.map((name) => town.clips[name]!));
  await expect(page.getByRole("article")).toHaveCount(3);
};
const nextStep = async (page: Page, title: string) => {
  await page.locator(".actions .button.primary").click();
  await expect(page.getByRole("heading", { level: 1, name: title })).toBeVisible();
};
const openOffer = async (page: Page, words: Words, town: Town) => {
  await page.locator('input[type="file"]').first().setInputFiles(town.offer.secretFile);
  await expect(page.getByRole("heading", { name: words("offer.line") })).toBeVisible();
  await expect(page.getByText(words("give.receipt.holds"), { exact: true })).toBeVisible();
};
const give = (town: Town) => `${region(town)}#${town.requests.burglary}/give`;

const STATES: State[] = [
  { name: "home", at: () => "/" },
  {
    name: "home-search",
    at: () => "/",
    act: async (page, words) => {
      await page.getByRole("combobox", { name: words("look.home.search") }).fill("Concord");
      await expect(page.getByRole("listbox").getByRole("option").first()).toBeVisible();
    },
  },
  {
    name: "home-map",
    at: () => "/",
    act: async (page, words) => {
      await button(page, words("look.home.map")).click();
      await expect(page.locator("canvas").first()).toBeVisible();
    },
  },
  { name: "region", at: region },
  {
    name: "region-map",
    at: region,
    act: async (page, words) => {
      const map = button(page, words("look.mode.map"));
      if (await map.isVisible()) await map.click();
      await expect(page.locator("canvas").first()).toBeVisible();
    },
  },
  {
    name: "region-filters",
    at: region,
    act: async (page, words) => {
      const more = page.getByRole("button", { name: words("look.filter.more") }).first();
      if (await more.isVisible()) await more.click();
      await page.getByLabel(words("look.filter.text")).fill("zeppelin");
      await expect(page.getByText(words("look.noMatch.title"))).toBeVisible();
    },
  },
  {
    name: "region-proof",
    at: region,
    act: async (page, words) => {
      await page
        .getByRole("button", { name: new RegExp(words("look.proof.ok")) })
        .first()
        .click();
      await expect(page.getByRole("dialog")).toBeVisible();
    },
  },
  { name: "region-empty", at: () => "/r/832a30fffffffff", allow: [/404/] },
  { name: "region-bad", at: () => "/r/000000000000000" },
  { name: "request", at: (town) => `${region(town)}#${town.requests.burglary}` },
  { name: "request-resolved", at: (town, { resolved }) => `${region(town)}#${resolved}` },
  { name: "request-missing", at: (town) => `${region(town)}#req_${"a".repeat(26)}` },
  {
    name: "request-refused",
    at: (town) => `${region(town)}#${town.requests.refused}`,
    act: async (page, words) => {
      await button(page, words("look.missing.ask")).click();
      await expect(page.getByText(words("look.refused.text"))).toBeVisible();
    },
  },
  { name: "portal", at: (_, { portal }) => `/#${portal}` },
  { name: "portal-closed", at: (_, { closed }) => `/#${closed}` },
  { name: "give-shut", at: (town, { resolved }) => `${region(town)}#${resolved}/give` },
  { name: "give-portal", at: (_, { portal }) => `/#${portal}/give` },
  { name: "give-empty", at: give },
  { name: "give-clips", at: give, act: (page, _, town) => chooseClips(page, town) },
  {
    name: "give-edit",
    at: give,
    act: async (page, words, town) => {
      await chooseClips(page, town);
      await nextStep(page, words("give.edit.title"));
      await button(page, words("give.edit.open")).click();
      await button(page, words("give.edit.only")).or(page.locator("video")).first().waitFor();
    },
  },
  {
    name: "give-reach",
    at: give,
    act: async (page, words, town) => {
      await chooseClips(page, town);
      await nextStep(page, words("give.edit.title"));
      await nextStep(page, words("give.reach.title"));
      await page.getByText(words("give.reach.named")).click();
      await page.getByLabel(words("give.reach.email")).fill("rosa");
      await page.locator(".actions .button.primary").click();
      await expect(page.getByText(words("give.reach.email.bad")).first()).toBeVisible();
    },
  },
  {
    name: "give-share",
    at: give,
    act: async (page, words, town) => {
      await chooseClips(page, town);
      await nextStep(page, words("give.edit.title"));
      await nextStep(page, words("give.reach.title"));
      await nextStep(page, words("give.share.title"));
    },
  },
  {
    name: "give-receipt",
    at: (_, { portal }) => `/#${portal}/give`,
    act: async (page, words, town) => {
      await chooseClips(page, town);
      await nextStep(page, words("give.edit.title"));
      await nextStep(page, words("give.reach.title"));
      await nextStep(page, words("give.share.title"));
      await page.getByLabel(words("give.share.read")).check();
      await button(page, words("give.share.next")).click();
      await expect(page.getByText(words("give.receipt.holds"), { exact: true })).toBeVisible({ timeout: 90_000 });
    },
  },
  { name: "offer", at: () => "/offer" },
  { name: "offer-open", at: () => "/offer", act: openOffer },
  { name: "ledger-counts", at: () => "/ledger" },
  { name: "ledger-entries", at: () => "/ledger#view=ledger" },
  { name: "ledger-agencies", at: () => "/ledger#view=agencies" },
  { name: "ledger-settings", at: () => "/ledger#view=settings" },
  { name: "check", at: () => "/check" },
  {
    name: "check-receipt",
    at: () => "/check",
    act: async (page, words, town) => {
      for (const promise of await page.locator(".promises summary").all()) await promise.click();
      await page.locator('input[type="file"]').first().setInputFiles(town.offer.receiptFile);
      await expect(
        page
          .getByText(/sha256|SHA-256/)
          .or(page.locator(".notice.good"))
          .first(),
      ).toBeVisible();
    },
  },
  { name: "notify-off", at: () => "/notify" },
  { name: "searched", at: () => "/searched" },
  { name: "footage-rules", at: () => "/footage/rules" },
  { name: "footage-error-rates", at: () => "/footage/error-rates" },
  {
    name: "missing",
    at: () => "/check",
    act: async (page, words) => {
      // As a stale link within the pages leads there; the server itself answers other addresses without a page.
      await page.evaluate(() => {
        history.pushState({}, "", "/nothing");
        dispatchEvent(new PopStateEvent("popstate"));
      });
      await expect(page.getByRole("heading", { level: 1, name: words("common.missing") })).toBeVisible();
    },
  },
];

async function visit(browser: Browser, town: Town, look: Look, state: State): Promise<void> {
  const context = await browser.newContext({ ...look.context });
  const guard = new Guard([town.public]);
  guard.allow(...(state.allow ?? []));
  try {
    const page = await context.newPage();
    guard.watch(page);
    await page.goto(town.public + state.at(town, made));
    await expect(page.getByRole("heading", { level: 1 })).toHaveCount(1);
    await expect(page.locator(".loading, .ghost")).toHaveCount(0);
    await state.act?.(page, wordsOf(look.language), town);
    await shoot(page, join("screenshots", `gallery-${state.name}-${look.name}.png`), look);
    guard.check();
  } finally {
    await context.close();
  }
}

// The narrow Spanish look finds most; the wide one is for the long round.
for (const look of LOOKS)
  for (const state of STATES)
    test(`${state.name}, ${look.name}${look.language === "en" ? " @long" : ""}`, async ({ browser, town }) =>
      visit(browser, town, look, state));
