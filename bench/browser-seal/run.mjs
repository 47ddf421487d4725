// Native and browser in turn on the same clip. Prints medians, native / browser (1: as fast as native), and how flat the page's memory is.
import { execFileSync, spawnSync } from "node:child_process";
import { randomFillSync } from "node:crypto";
import { closeSync, openSync, readFileSync, readdirSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";

import { build, require, serve } from "./serve.mjs";

const [bench, work, runs, bytes] = [process.argv[2], process.argv[3], Number(process.argv[4]), Number(process.argv[5])];
const { chromium } = require("@playwright/test");
const clip = join(work, "clip.mp4");
const chunk = new Uint8Array(1_000_000);
const out = openSync(clip, "w");
for (let done = 0; done < bytes; done += chunk.length) writeSync(out, randomFillSync(chunk), 0, Math.min(chunk.length, bytes - done));
closeSync(out);

await build(join(work, "page"));
const server = await serve(join(work, "page"));
const profile = join(work, "profile");
const context = await chromium.launchPersistentContext(profile, {
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  headless: true,
  args: ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});
const page = await context.newPage();
await page.goto(`http://127.0.0.1:${server.address().port}/`);
await page.setInputFiles("#clips", clip);
const key = await page.evaluate(() => globalThis.seal.newIdentity());

/** The browser's processes: what `read` makes of each, added up. */
function processes(kind, read) {
  let sum = 0;
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      const command = readFileSync(`/proc/${pid}/cmdline`, "utf8");
      if (command.includes(kind) && command.includes(profile)) sum += read(pid);
    } catch {
      // The process ended meanwhile.
    }
  }
  return sum;
}

/** Anonymous memory of the pages' processes, workers and WebAssembly included, in MiB. */
const anonymous = () => processes("--type=renderer", (pid) => Number(/RssAnon:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0) / 1024);

/** CPU seconds of the whole browser so far; a clock tick is 10 ms. */
const cpu = () =>
  processes("", (pid) => {
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1].split(" ");
    return (Number(fields[11]) + Number(fields[12])) / 100;
  });

async function browser(keep) {
  const samples = [];
  const before = cpu();
  const timer = setInterval(() => samples.push(anonymous()), 50);
  const took = await page.evaluate(
    async ([recipient, keep]) => {
      const tools = globalThis.seal;
      const clips = [{ name: "clip-01.mp4", file: document.querySelector("#clips").files[0] }];
      const agency = { id: "agy_a", name: "A", class: "municipal" };
      const request = { body: { id: "req_a", agency, recipient }, digest: "", key: "", signature: "" };
      const consent = tools.makeConsent(request, clips, ["measured"]);
      const start = performance.now();
      const sealed = await tools.sealEnvelope({ request, recipient, consent, clips, mailbox: false, secret: tools.newOffer().text });
      const took = (performance.now() - start) / 1000;
      if (keep) globalThis.sealed = sealed;
      else await tools.removeSealed(sealed.name);
      return took;
    },
    [key.recipient, keep],
  );
  clearInterval(timer);
  return { took, samples, cpu: cpu() - before };
}

function native() {
  rmSync(join(work, "native.age"), { force: true });
  const timed = ["-c", 'TIMEFORMAT="%R %U %S"; time "$@" >/dev/null', "timed", bench, "seal", key.recipient, clip, join(work, "native.age")];
  const { status, stderr } = spawnSync("bash", timed, { encoding: "utf8" });
  if (status !== 0) throw new Error(stderr);
  const [native, user, system] = stderr.trim().split("\n").at(-1).split(" ").map(Number);
  return { native, nativeCpu: user + system };
}

const median = (list) => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)];
const rows = [];
for (let turn = 0; turn <= runs; turn += 1) {
  const row = { ...native(), ...(await browser(turn === runs)) };
  if (turn > 0) rows.push(row);
}

const alone = await page.evaluate(() => globalThis.stages(document.querySelector("#clips").files[0]));

// What the browser made opens with the command line's code.
const waiting = page.waitForEvent("download");
await page.evaluate(() => {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(globalThis.sealed.file);
  link.download = "browser.age";
  link.click();
});
await (await waiting).saveAs(join(work, "browser.age"));
await context.close();
server.close();
const identity = openSync(join(work, "key.txt"), "w");
writeSync(identity, `${key.secret}\n`);
closeSync(identity);
execFileSync(bench, ["open", join(work, "key.txt"), join(work, "browser.age"), join(work, "opened")], { stdio: "ignore" });

const quarters = (samples) => [1, 2, 3, 4].map((n) => Math.round(Math.max(...samples.slice(((n - 1) * samples.length) / 4, (n * samples.length) / 4))));
const [ours, peer] = [median(rows.map((row) => row.took)), median(rows.map((row) => row.native))];
const ratio = median(rows.map((row) => row.native / row.took));
const peak = Math.max(...rows.flatMap((row) => row.samples));
console.log(
  `browser-seal: browser ${ours.toFixed(2)} s, ${median(rows.map((row) => row.cpu)).toFixed(1)} s CPU, ${(bytes / ours / 1e6).toFixed(0)} MB/s; native ${peer.toFixed(2)} s, ${median(rows.map((row) => row.nativeCpu)).toFixed(1)} s CPU; ratio native/browser ${ratio.toFixed(2)} (median of ${runs} pairs)`,
);
console.log(`  memory of the page: at most ${peak.toFixed(0)} MiB; by quarters of the last run ${quarters(rows.at(-1).samples).join(", ")} MiB`);
console.log(
  `  each stage alone, one thread: ${Object.entries(alone)
    .map(([name, rate]) => `${name} ${rate.toFixed(0)} MB/s`)
    .join(", ")}`,
);
