/** Builds the town once for all browser tests, and stops its server afterwards. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { build } from "./town";

export default async function setup(): Promise<() => Promise<void>> {
  const folder = mkdtempSync(join(tmpdir(), "canvass-browser-"));
  const { town, server } = await build(folder);
  const file = join(folder, "town.json");
  writeFileSync(file, JSON.stringify(town));
  process.env.CANVASS_TOWN = file;
  return async () => {
    const ended = new Promise((done) => server.once("exit", done));
    server.kill("SIGTERM");
    await Promise.race([ended, new Promise((done) => setTimeout(done, 10_000))]);
    if (server.exitCode === null) server.kill("SIGKILL");
    if (!process.env.CANVASS_KEEP) rmSync(folder, { recursive: true, force: true });
  };
}
