import { svelte } from "@sveltejs/vite-plugin-svelte";
import { resolve } from "node:path";
import { defineConfig } from "vitest/config";

const at = (path: string) => resolve(import.meta.dirname, path);

// Two documents, one workspace: what the public role serves, and what the agency's side serves.
export default defineConfig({
  plugins: [svelte()],
  resolve: {
    alias: { $lib: at("src/lib"), $resident: at("src/resident"), $desk: at("src/desk") },
    // Vitest runs in Node; Svelte's browser build is what we test.
    conditions: process.env.VITEST ? ["browser"] : undefined,
  },
  worker: { format: "es", plugins: () => [] },
  build: {
    outDir: "dist",
    assetsDir: "assets",
    // No data: addresses: the content policy names 'self' alone for scripts, styles and fonts.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    sourcemap: false,
    target: "es2023",
    rolldownOptions: { input: { index: at("index.html"), desk: at("desk.html") } },
  },
  server: {
    proxy: {
      "/api": "http://127.0.0.1:8420",
      ...Object.fromEntries(
        [
          "/feed",
          "/ledger",
          "/requests",
          "/portals",
          "/agencies",
          "/offers",
          "/uploads",
          "/messages",
          "/policy.json",
          "/site.json",
        ].map((path) => [path, "http://127.0.0.1:8421"]),
      ),
    },
  },
  test: { include: ["src/**/*.test.ts"], testTimeout: 60_000 },
});
