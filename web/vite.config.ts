import { svelte } from "@sveltejs/vite-plugin-svelte";
import { resolve } from "node:path";
import type { Plugin } from "vite";
import { defineConfig } from "vitest/config";

import { ageCipher } from "./age-cipher.js";
import { mapData } from "./scripts/map-data.js";

const at = (path: string) => resolve(import.meta.dirname, path);

/** In development, the API and the public files come from a Canvass that runs (`cargo xtask demo` prints its addresses). */
function proxies(): Record<string, string> {
  const desk = process.env.CANVASS_DESK ?? "http://127.0.0.1:8420";
  const open = process.env.CANVASS_PUBLIC ?? "http://127.0.0.1:8421";
  const files = ["asked", "feed", "ledger", "requests", "portals", "agencies", "offers", "maps"].map(
    (name) => `^/${name}/`,
  );
  const others = ["^/uploads", "^/messages", "^/policy.json", "^/site.json"];
  return { "/api": desk, ...Object.fromEntries([...files, ...others].map((path) => [path, open])) };
}

/** In development, addresses below `/desk` show the desk, as the server does. */
const deskPages: Plugin = {
  name: "desk-pages",
  configureServer(server) {
    server.middlewares.use((request, _response, next) => {
      if (/^\/desk(\/|\?|$)/.test(request.url ?? "")) request.url = "/desk.html";
      next();
    });
  },
};

const BASE_PACKAGES = /node_modules\/(svelte|esm-env|clsx|intl-messageformat|@formatjs|@lucide|idb)\//;
const BASE = /\/src\/lib\/(seal\/(store|opfs)\.ts|i18n\/\w+\.(svelte\.)?ts|ui\/|\w+\.(svelte\.)?ts)/;
/** A file of what at least two pages need, with what that needs; nothing as large as a map or a player. */
const shared = (name: string, ...tests: RegExp[]) => ({
  name,
  test: (id: string) => tests.some((test) => test.test(id)),
  minShareCount: 2,
  maxModuleSize: 100_000,
});

// Two documents, one workspace: what the public role serves, and what the agency's side serves.
export default defineConfig({
  plugins: [mapData(), svelte(), deskPages, ageCipher()],
  resolve: {
    alias: { $lib: at("src/lib"), $resident: at("src/resident"), $desk: at("src/desk") },
    // Vitest runs in Node; Svelte's browser build is what we test.
    conditions: process.env.VITEST ? ["browser"] : undefined,
  },
  worker: { format: "es", plugins: () => [ageCipher()] },
  // Bundled beforehand, its imports would be out of the plugin's reach.
  optimizeDeps: { exclude: ["age-encryption"] },
  build: {
    outDir: "dist",
    assetsDir: "assets",
    // No data: addresses: the content policy names 'self' alone for scripts, styles and fonts.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    sourcemap: false,
    target: "es2023",
    rolldownOptions: {
      input: { index: at("index.html"), desk: at("desk.html") },
      // On a phone's network each file costs a turn, however small it is: what most pages share lies in three files.
      output: {
        codeSplitting: {
          groups: [
            shared("base", BASE_PACKAGES, BASE),
            shared("checks", /\/src\/lib\/format\//),
            shared("places", /\/src\/resident\/look\/|\/src\/lib\/map\/(places|geometry|scale|site|Picker)/),
          ],
        },
      },
    },
  },
  server: { proxy: proxies() },
  preview: { proxy: proxies() },
  test: { include: ["src/**/*.test.ts"], testTimeout: 60_000, server: { deps: { inline: ["age-encryption"] } } },
});
