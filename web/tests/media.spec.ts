/**
 * The media tools in a real browser, on clips that ffmpeg makes: what a file is, cutting without re-encoding, hiding boxes for
 * good, and the player. Needs no server of Canvass: the modules are served by Vite.
 */
import { type Browser, chromium, expect, type Page, test } from "@playwright/test";
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createServer, type ViteDevServer } from "vite";

import type * as Harness from "./harness/media";

type Tools = typeof Harness;

const LONG = `${"n".repeat(200)}.mp4`;
let folder: string;
let server: ViteDevServer;
let browser: Browser;
let page: Page;
let base: string;

function ffmpeg(...args: string[]): void {
  execFileSync("ffmpeg", ["-v", "error", "-y", ...args], { cwd: folder });
}

/** Six seconds at 25 frames a second with a key frame every two, and a tone. */
function make(): void {
  const picture = ["-f", "lavfi", "-i", "testsrc2=size=320x180:rate=25:duration=6"];
  const sound = ["-f", "lavfi", "-i", "sine=frequency=440:duration=6"];
  const h264 = ["-c:v", "libx264", "-preset", "veryfast", "-g", "50", "-bf", "2", "-pix_fmt", "yuv420p"];
  const created = ["-metadata", "creation_time=2026-11-23T23:04:00Z"];
  ffmpeg(...picture, ...sound, ...h264, "-c:a", "aac", ...created, "-t", "6", "plain.mp4");
  ffmpeg(
    ...picture,
    ...sound,
    "-c:v",
    "libvpx-vp9",
    "-deadline",
    "realtime",
    "-cpu-used",
    "8",
    "-g",
    "50",
    "-c:a",
    "libopus",
    "vp9.webm",
  );
  ffmpeg("-i", "plain.mp4", "-c", "copy", "-metadata:s:v", "rotate=90", "rotated.mov");
  ffmpeg("-i", "plain.mp4", "-c", "copy", ...created, "plain.mkv");
  ffmpeg("-i", "plain.mp4", "-c", "copy", "-output_ts_offset", "100", "later.mkv");
  ffmpeg("-i", "plain.mp4", "-c", "copy", "stream.ts");
  ffmpeg(...picture, "-c:v", "mpeg4", "-t", "2", "old.avi");
  writeFileSync(join(folder, "empty.mp4"), "");
  writeFileSync(join(folder, "text.mp4"), "Hello, this is a text.\n".repeat(50));
  copyFileSync(join(folder, "plain.mp4"), join(folder, LONG));
  const whole = readFileSync(join(folder, "plain.mp4"));
  writeFileSync(join(folder, "cut-off.mp4"), whole.subarray(0, whole.length / 2));
}

test.beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "canvass-media-"));
  make();
  server = await createServer({
    root: join(import.meta.dirname, ".."),
    cacheDir: join(folder, "cache"),
    server: { port: 0, host: "127.0.0.1", hmr: false, watch: null },
    logLevel: "error",
  });
  await server.listen();
  base = server.resolvedUrls?.local[0] ?? "";
  browser = await chromium.launch({
    executablePath: process.env.CANVASS_CHROMIUM ?? "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-sync"],
  });
  page = await browser.newPage();
  await page.route("**/clips/*", (route) =>
    route.fulfill({
      body: readFileSync(join(folder, decodeURIComponent(route.request().url().split("/clips/")[1] ?? ""))),
    }),
  );
  await ready();
});

test.afterAll(async () => {
  await browser?.close();
  await server?.close();
  rmSync(folder, { recursive: true, force: true });
});

// Vite may find new dependencies at the first import, and then loads the page anew.
async function ready(): Promise<void> {
  for (let tries = 0; ; tries += 1) {
    await page.goto(new URL("/offer", base).href);
    const loaded = await page
      .evaluate(async () => {
        (window as unknown as { tools: Tools }).tools = (await import("/tests/harness/media.ts" as string)) as Tools;
        return true;
      })
      .catch(() => false);
    if (loaded) return;
    if (tries > 5) throw new Error("the media tools don't load");
    await page.waitForTimeout(2000);
  }
}

/** Runs something with the tools in the page. */
function use<A, R>(run: (tools: Tools, argument: A) => Promise<R>, argument: A): Promise<R> {
  return page.evaluate(
    ([source, given]) => {
      const { tools } = window as unknown as { tools: Tools };
      const made = (0, eval)(`(${source})`) as (tools: Tools, argument: unknown) => Promise<unknown>;
      return made(tools, given) as Promise<never>;
    },
    [run.toString(), argument] as const,
  ) as Promise<R>;
}

test("what a file is", async () => {
  const look = (name: string) => use(async (tools, file) => tools.probe(await tools.clip(file)), name);
  expect(await look("plain.mp4")).toMatchObject({
    kind: "video",
    playable: true,
    cuttable: true,
    width: 320,
    height: 180,
    video: "avc",
    audio: "aac",
  });
  const dated = await use(
    async (tools, names) => {
      const found = [];
      for (const name of names) found.push((await tools.probe(await tools.clip(name))).created?.toISOString());
      return found;
    },
    ["plain.mp4", "plain.mkv", LONG],
  );
  expect(dated).toEqual(Array(3).fill("2026-11-23T23:04:00.000Z"));
  expect(await look("rotated.mov")).toMatchObject({ width: 180, height: 320, editable: true });
  expect((await look("later.mkv")).duration).toBeCloseTo(6, 0);
  expect(await look("stream.ts")).toMatchObject({ kind: "video", cuttable: true });
  expect(await look("old.avi")).toMatchObject({ kind: "video", container: "AVI", playable: false, cuttable: false });
  expect(await look("text.mp4")).toMatchObject({ kind: "text", playable: false });
  expect(await look("empty.mp4")).toMatchObject({ kind: "unknown", playable: false });
  expect((await look("cut-off.mp4")).playable).toBe(false);
});

for (const name of ["plain.mp4", "vp9.webm", "rotated.mov", "plain.mkv", "later.mkv", "stream.ts"])
  test(`cutting ${name} copies the coded picture, from the key frame before`, async () => {
    const made = await use(async (tools, file) => {
      const copy = await tools.trim(await tools.clip(file), { from: 2.5, until: 4.5 });
      return { from: copy.from, until: copy.until, how: copy.how, probe: await tools.probe(copy.file) };
    }, name);
    expect(made.from).toBeGreaterThan(1.8);
    expect(made.from).toBeLessThanOrEqual(2.1);
    expect(made.how).toEqual(["trimmed"]);
    expect(made.probe.playable).toBe(true);
    expect(made.probe.duration).toBeCloseTo(4.5 - made.from, 0);
    expect(made.probe.video).toBe(name === "vp9.webm" ? "vp9" : "avc");
  });

test("a cut copy keeps when it was recorded", async () => {
  const created = await use(
    async (tools, names) => {
      const found = [];
      for (const name of names) {
        const copy = await tools.trim(await tools.clip(name), { from: 2, until: 4 });
        const probed = await tools.probe(copy.file);
        found.push(((probed.created?.getTime() ?? 0) - Date.UTC(2026, 10, 23, 23, 4)) / 1000 - copy.from);
      }
      return found;
    },
    ["plain.mp4", "plain.mkv"],
  );
  for (const off of created) expect(Math.abs(off)).toBeLessThan(0.1);
});

for (const name of ["plain.mp4", "vp9.webm", "rotated.mov", "later.mkv"])
  test(`what is covered in ${name} is gone from each of its frames, and from no other`, async () => {
    const { frames, sound, how } = await use(async (tools, file) => {
      const box = {
        id: "a",
        style: "cover" as const,
        from: 1,
        until: 3,
        keys: [{ at: 0, x: 0, y: 0, width: 0.5, height: 0.5 }],
      };
      const copy = await tools.renderBlur(await tools.clip(file), { boxes: [box], range: { from: 0.5, until: 5 } });
      return {
        frames: await tools.colours(copy.file, 0.2, 0.3),
        sound: (await tools.probe(copy.file)).audio,
        how: copy.how,
      };
    }, name);
    expect(how).toEqual(["trimmed", "blurred"]);
    expect(sound).not.toBeNull();
    expect(frames.length).toBeGreaterThan(100);
    // The copy begins half a second in.
    const black = (rgb: number[]) => Math.max(...rgb) < 24;
    for (const { at, rgb } of frames.filter(({ at }) => at >= 0.5 && at <= 2.5))
      expect(black(rgb), `at ${at}`).toBe(true);
    for (const { at, rgb } of frames.filter(({ at }) => at < 0.4 || at > 2.6))
      expect(black(rgb), `at ${at}`).toBe(false);
  });

test("a box that moves hides what it passes, and sound may be left out", async () => {
  const { first, last, sound } = await use(async (tools, file) => {
    const side = { y: 0, width: 0.3, height: 1 };
    const box = {
      id: "a",
      style: "cover" as const,
      from: 0,
      until: 6,
      keys: [
        { at: 0, x: 0, ...side },
        { at: 6, x: 0.7, ...side },
      ],
    };
    const copy = await tools.renderBlur(await tools.clip(file), { boxes: [box], mute: true });
    const at = async (x: number) => (await tools.colours(copy.file, x, 0.5)).map(({ rgb }) => Math.max(...rgb) < 24);
    return { first: await at(0.05), last: await at(0.95), sound: (await tools.probe(copy.file)).audio };
  }, "plain.mp4");
  expect([first[0], first.at(-1), last[0], last.at(-1)]).toEqual([true, false, false, true]);
  expect(sound).toBeNull();
});

test("what was cancelled or can't be done leaves no file", async () => {
  const { before, after, failures } = await use(
    async (tools, names) => {
      const before = await tools.kept();
      const stop = new AbortController();
      const box = {
        id: "a",
        style: "blur" as const,
        from: 0,
        until: 6,
        keys: [{ at: 0, x: 0, y: 0, width: 1, height: 1 }],
      };
      const cancelled = await tools
        .renderBlur(
          await tools.clip("plain.mp4"),
          { boxes: [box] },
          { signal: stop.signal, onProgress: () => stop.abort() },
        )
        .then(
          () => "made",
          (error: Error) => error.name,
        );
      const failures = [cancelled];
      for (const name of names)
        failures.push(
          await tools.trim(await tools.clip(name), { from: 0, until: 1 }).then(
            () => "made",
            (error: Error) => error.name,
          ),
        );
      return { before, after: await tools.kept(), failures };
    },
    ["old.avi", "text.mp4", "empty.mp4"],
  );
  expect(failures).toEqual(["AbortError", "Problem", "Problem", "Problem"]);
  expect(after.sort()).toEqual(before.sort());
});

interface Told {
  time: number;
  duration: number;
  range: { from: number; until: number } | null;
  boxes: { keys: { at: number; x: number; y: number; width: number }[]; from: number; until: number }[];
}

const told = async () => JSON.parse((await page.getByTestId("told").textContent()) ?? "") as Told;

for (const name of ["plain.mp4", "stream.ts", "later.mkv"])
  test(`the player steps through ${name} frame by frame`, async () => {
    await use((tools, file) => tools.show(file), name);
    await page.getByRole("button", { name: "Play" }).waitFor();
    const position = page.getByRole("slider", { name: /Position/ });
    await position.focus();
    await page.keyboard.press("ArrowRight");
    await expect.poll(async () => (await told()).time).toBeCloseTo(1, 1);
    let { time } = await told();
    for (let step = 0; step < 5; step += 1) {
      await page.keyboard.press(".");
      await expect.poll(async () => (await told()).time, { message: `step ${step}` }).toBeGreaterThan(time + 0.015);
      const next = (await told()).time;
      expect(next - time).toBeLessThan(0.065);
      time = next;
    }
    await page.keyboard.press(",");
    await expect.poll(async () => (await told()).time).toBeLessThan(time - 0.015);
    await page.keyboard.press("l");
    await expect.poll(async () => (await told()).time).toBeGreaterThan(time + 0.2);
    await page.keyboard.press("k");
    await expect(page.getByRole("button", { name: "Play" })).toBeVisible();
  });

test("boxes are drawn, moved in time and put right by keyboard", async () => {
  await use((tools, file) => tools.show(file), "plain.mp4");
  await page.getByRole("button", { name: "Play" }).waitFor();
  await page.getByRole("button", { name: "Draw a box" }).click();
  const stage = page.locator(".stage");
  await stage.scrollIntoViewIfNeeded();
  const place = await stage.boundingBox();
  if (!place) throw new Error("no stage");
  const at = (x: number, y: number) => [place.x + place.width * x, place.y + place.height * y] as const;
  await page.mouse.move(...at(0.2, 0.2));
  await page.mouse.down();
  await page.mouse.move(...at(0.5, 0.6), { steps: 4 });
  await page.mouse.up();
  await expect.poll(async () => (await told()).boxes.length).toBe(1);
  await expect(page.getByRole("button", { name: "Play" }), "drawing does not start it").toBeVisible();
  const [drawn] = (await told()).boxes;
  expect(drawn?.keys[0]?.x).toBeCloseTo(0.2, 1);
  expect([drawn?.from, Math.round(drawn?.until ?? 0)]).toEqual([0, 6]);
  const position = page.getByRole("slider", { name: /Position/ });
  await position.focus();
  for (let step = 0; step < 3; step += 1) await page.keyboard.press("ArrowRight");
  await page.getByRole("button", { name: /^Box 1\. / }).focus();
  await page.keyboard.press("ArrowRight");
  await expect.poll(async () => (await told()).boxes[0]?.keys.length).toBe(2);
  await page.getByRole("slider", { name: /Beginning/ }).focus();
  await page.keyboard.press("Shift+ArrowRight");
  await expect.poll(async () => (await told()).range?.from ?? 0).toBeGreaterThan(5);
  await page.getByRole("button", { name: "Remove box 1" }).click();
  await expect.poll(async () => (await told()).boxes.length).toBe(0);
});

test("a recording that only other players open says so", async () => {
  await use((tools, file) => tools.show(file), "old.avi");
  await expect(page.getByText("This browser can't show this recording.")).toBeVisible();
});
