// Builds the town of the browser tests, opens each page with nothing in the cache, prints medians, and fails where a limit is passed.
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

import { Meter } from "./meter.mjs";

const [work, runs, more] = [process.argv[2], Number(process.argv[3]), Number(process.argv[4])];
const web = resolve(import.meta.dirname, "../../web");
const require = createRequire(join(web, "package.json"));
const { chromium } = require("@playwright/test");

/** Bytes of compressed script that a resident's page may need before the map. */
const MOST_SCRIPT = 150_000;
/** Largest layout shift of a page that counts as good (web.dev/articles/cls). */
const MOST_SHIFT = 0.1;
const PHONE = { viewport: { width: 360, height: 740 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true };
const DESK = { viewport: { width: 1280, height: 800 } };

async function buildTown() {
  const { runnerImport } = await import(pathToFileURL(require.resolve("vite")));
  const { module } = await runnerImport(join(web, "tests/town.ts"), { configFile: false, root: web, logLevel: "error" });
  const { town, server } = await module.build(work);
  try {
    const start = Math.floor(Date.now() / 1000) - 30 * 3600;
    for (let n = 0; n < more; n += 1) {
      const place = module.square(-71.56 + 0.004 * (n % 4), 43.19 + 0.004 * Math.floor(n / 4), 0.006);
      const words = `Tools were taken from a shed behind house ${n + 1}. We look for a red estate car that stood there with its boot open and then left to the north.`;
      const id = await module.ask(town.people.ines, module.draft(`26-0050${10 + n}`, "theft", words, place, [start, start + 5400]));
      await module.canvass(town.people.mo, ["moderate", "approve", id, "--reason", "One garden, ninety minutes, a clear matter."]);
    }
    await module.until("publishing", async () => {
      const { regions } = await (await fetch(`${town.public}/feed/index.json`)).json();
      return regions.some((each) => each.requests >= 2 + more);
    });
  } catch (error) {
    server.kill("SIGKILL");
    throw error;
  }
  return { town, server };
}

/** The pages, and in each what is pressed first and how one sees that the page took it. */
function pagesOf(town) {
  const region = `${town.public}/r/${town.region}`;
  return [
    {
      name: "home",
      url: `${town.public}/`,
      device: PHONE,
      reading: true,
      act: "#main button[aria-expanded]",
      done: "#main button[aria-expanded=true]",
    },
    { name: "region", url: region, device: PHONE, reading: true, act: "#main button[aria-haspopup=dialog]", done: "#main dialog[open]" },
    {
      name: "request",
      url: `${region}#${town.requests.burglary}`,
      device: PHONE,
      act: "#main button[aria-haspopup=dialog]",
      done: "#main dialog[open]",
    },
    {
      name: "give",
      url: `${region}#${town.requests.burglary}/give`,
      device: PHONE,
      act: "#main .actions .button.primary",
      done: "#main [role=alert]",
    },
    {
      name: "transparency",
      url: `${town.public}/ledger`,
      device: PHONE,
      act: "#main nav li:nth-child(2) a",
      done: "#main nav li:nth-child(2) a[aria-current]",
    },
    { name: "desk: sign in", url: `${town.desk}/desk/`, device: DESK, desk: true, act: "form .button.primary", done: "form .error" },
    {
      name: "desk: inbox",
      url: `${town.desk}/desk/inbox`,
      device: DESK,
      desk: true,
      member: town.people.ines,
      // A view of the list; it is pressed once the list is there.
      act: "#main:has(a[href^='/desk/inbox/off_']) nav li:nth-child(3) button",
      done: "#main nav li:nth-child(3) button[aria-pressed=true]",
    },
  ];
}

const median = (list) => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)];
const { town, server } = await buildTown();
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: [
    "--no-sandbox",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
  ].concat(
    // Maps are drawn with WebGL, and there may be no graphics card.
    ["--use-angle=swiftshader", "--enable-unsafe-swiftshader"],
  ),
});
const meter = new Meter(browser);
const rows = [];
try {
  for (const page of pagesOf(town)) {
    const seen = [];
    for (let run = 0; run < runs; run += 1) {
      const peer = page.reading ? await meter.load(page, { script: false }) : null;
      seen.push({ ...(await meter.load(page)), ...(await meter.interact(page)), peer });
    }
    const of = (name) => median(seen.map((each) => each[name]));
    const ofPeer = (name) => (page.reading ? median(seen.map((each) => each.peer[name])) : null);
    rows.push({
      page,
      lcp: of("lcp"),
      shift: of("shift"),
      bytes: of("bytes"),
      script: of("script"),
      interactive: of("interactive"),
      peerLcp: ofPeer("lcp"),
      peerBytes: ofPeer("bytes"),
    });
  }
} finally {
  await browser.close();
  server.kill("SIGTERM");
}

const seconds = (ms) => (ms === null ? "" : `${(ms / 1000).toFixed(2)} s`);
const kilo = (bytes) => (bytes === null ? "" : `${(bytes / 1000).toFixed(0)} KB`);
console.log(`pages: ${meter.words}; medians of ${runs} runs, nothing cached`);
console.log(
  "| page | LCP | layout shift | first press answered | script until then | all bytes | without script: LCP, bytes | LCP ratio |",
);
console.log("| --- | --- | --- | --- | --- | --- | --- | --- |");
for (const row of rows) {
  const peer = row.peerLcp === null ? ["", ""] : [`${seconds(row.peerLcp)}, ${kilo(row.peerBytes)}`, (row.peerLcp / row.lcp).toFixed(2)];
  console.log(
    `| ${[row.page.name, seconds(row.lcp), row.shift.toFixed(3), seconds(row.interactive), kilo(row.script), kilo(row.bytes), ...peer].join(" | ")} |`,
  );
}
const faults = rows.flatMap(({ page, script, shift }) => [
  ...(!page.desk && script > MOST_SCRIPT
    ? [`${page.name} needs ${kilo(script)} of script before the map and its first answer; at most ${kilo(MOST_SCRIPT)}`]
    : []),
  ...(shift > MOST_SHIFT ? [`${page.name} moves by ${shift.toFixed(3)}; at most ${MOST_SHIFT}`] : []),
]);
for (const fault of faults) console.error(`pages: ${fault}`);
process.exitCode = faults.length > 0 ? 1 : 0;
