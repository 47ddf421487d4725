// Opens a page the way a mid phone on a slow network does, and says what it took.

/** What Lighthouse calls mobile: 150 ms to and fro, 1.6 Mbit/s down, 0.75 up, the CPU four times slower. */
const LATENCY = 150;
const DOWN = 1_600_000;
const UP = 750_000;
const SLOWER = 4;
/** The network has been silent for so long, in ms, when a page counts as loaded. */
const SILENT = 1_500;
/** A page that takes longer than this, in ms, has failed. */
const PATIENCE = 60_000;

/** Runs in the page before anything else. Shifts are added up in windows, as CLS is defined: gaps under 1 s, 5 s at most. */
function observe() {
  globalThis.measured = { lcp: 0, shift: 0 };
  let [sum, first, last] = [0, 0, 0];
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) globalThis.measured.lcp = entry.startTime;
  }).observe({ type: "largest-contentful-paint", buffered: true });
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      if (entry.hadRecentInput) continue;
      const goesOn = entry.startTime - last < 1_000 && entry.startTime - first < 5_000;
      sum = goesOn ? sum + entry.value : entry.value;
      if (!goesOn) first = entry.startTime;
      last = entry.startTime;
      globalThis.measured.shift = Math.max(globalThis.measured.shift, sum);
    }
  }).observe({ type: "layout-shift", buffered: true });
}

/** Runs in the page: presses what is named as soon as it is there, until the page answers. Gives the time of the answer in ms. */
function answer([selector, done, patience]) {
  return new Promise((resolve, reject) => {
    let pressed = -Infinity;
    const turn = () => {
      const now = performance.now();
      if (document.querySelector(done)) return resolve(now);
      if (now > patience) return reject(new Error(`${selector} was not answered`));
      const control = document.querySelector(selector);
      if (control && now - pressed > 250) {
        pressed = now;
        control.click();
      }
      requestAnimationFrame(turn);
    };
    turn();
  });
}

export class Meter {
  words = `${LATENCY} ms, ${DOWN / 1e6} Mbit/s, CPU ${SLOWER} times slower`;

  constructor(browser) {
    this.browser = browser;
  }

  async #open(page, { script = true } = {}) {
    const context = await this.browser.newContext({ ...page.device, locale: "en-US", timezoneId: "America/New_York" });
    const tab = await context.newPage();
    if (page.member) await signIn(tab, page);
    const client = await context.newCDPSession(tab);
    await client.send("Network.enable");
    await client.send("Network.setCacheDisabled", { cacheDisabled: true });
    await client.send("Network.emulateNetworkConditions", {
      offline: false,
      latency: LATENCY,
      downloadThroughput: DOWN / 8,
      uploadThroughput: UP / 8,
    });
    await client.send("Emulation.setCPUThrottlingRate", { rate: SLOWER });
    // The page as a browser without script shows it; the observer still runs.
    if (!script) await client.send("Network.setBlockedURLs", { urls: ["*.js"] });
    return { context, tab };
  }

  /** Loads a page until its network is silent. Times in ms, bytes as they came over the wire, with headers. */
  async load(page, { script = true } = {}) {
    const { context, tab } = await this.#open(page, { script });
    const [asked, ended] = [[], []];
    let moved = Date.now();
    tab.on("request", (request) => {
      asked.push(request);
      moved = Date.now();
    });
    for (const event of ["requestfinished", "requestfailed"]) {
      tab.on(event, (request) => {
        ended.push(request);
        moved = Date.now();
      });
    }
    await tab.addInitScript(observe);
    await tab.goto(page.url, { timeout: PATIENCE });
    const start = Date.now();
    while (Date.now() - moved < SILENT || ended.length < asked.length) {
      if (Date.now() - start > PATIENCE) throw new Error(`${page.name}: the network does not fall silent`);
      await new Promise((done) => setTimeout(done, 100));
    }
    const { lcp, shift } = await tab.evaluate(() => globalThis.measured);
    const files = await sizesOf(asked);
    await context.close();
    return { lcp, shift, bytes: files.reduce((sum, file) => sum + file.bytes, 0), files };
  }

  /** Time in ms until the page answers the first press of a control of its own, and the bytes of script that it had asked for by then, without the map's. */
  async interact(page) {
    const { context, tab } = await this.#open(page);
    const asked = [];
    tab.on("request", (request) => asked.push(request));
    await tab.goto(page.url, { timeout: PATIENCE, waitUntil: "commit" });
    const interactive = await tab.evaluate(answer, [page.act, page.done, PATIENCE]);
    const files = await sizesOf([...asked]);
    await context.close();
    const scripts = files.filter(({ kind, url }) => kind === "script" && !url.includes("/maplibre"));
    return { interactive, script: scripts.reduce((sum, { body }) => sum + body, 0) };
  }
}

async function sizesOf(requests) {
  const files = [];
  for (const request of requests) {
    if (!request.url().startsWith("http")) continue;
    const response = await request.response().catch(() => null);
    if (!response) continue;
    const sizes = await request.sizes();
    const body = sizes.responseBodySize;
    files.push({ url: request.url(), kind: request.resourceType(), body, bytes: body + sizes.responseHeadersSize });
  }
  return files;
}

/** The tab keeps the session; what was loaded here is not measured. */
async function signIn(tab, { url, member }) {
  await tab.goto(url);
  await tab.locator("#token").fill(member.token);
  await tab.locator("form .button.primary").click();
  await tab.locator("#main h1").waitFor();
}
