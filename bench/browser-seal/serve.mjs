// Builds the page and serves it as the public role does: the same content policy. What else is asked for goes to a Canvass, if one is named.
import { createReadStream, existsSync, statSync } from "node:fs";
import { createServer, request as ask } from "node:http";
import { createRequire } from "node:module";
import { extname, join, normalize, resolve } from "node:path";
import { pathToFileURL } from "node:url";

const here = import.meta.dirname;
const web = resolve(here, "../../web");
export const require = createRequire(join(web, "package.json"));

const POLICY =
  "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' data: blob:; media-src 'self' blob:; " +
  "worker-src 'self' blob:; font-src 'self'; connect-src 'self'; require-trusted-types-for 'script'";
const TYPES = { ".html": "text/html; charset=utf-8", ".js": "text/javascript", ".css": "text/css", ".wasm": "application/wasm" };

export async function build(outDir) {
  const { build, runnerImport } = await import(pathToFileURL(require.resolve("vite")));
  const { ageCipher } = (await runnerImport(join(web, "age-cipher.ts"))).module;
  await build({
    configFile: false,
    root: here,
    logLevel: "error",
    plugins: [ageCipher()],
    worker: { format: "es", plugins: () => [ageCipher()] },
    build: { outDir, emptyOutDir: true, assetsInlineLimit: 0, target: "es2023", modulePreload: { polyfill: false } },
  });
}

export function serve(folder, { port = 0, canvass } = {}) {
  const server = createServer((incoming, outgoing) => {
    const path = new URL(incoming.url, "http://local").pathname;
    const file = join(folder, normalize(path === "/" ? "/index.html" : path));
    if (file.startsWith(folder) && existsSync(file) && statSync(file).isFile()) {
      outgoing.writeHead(200, { "content-type": TYPES[extname(file)] ?? "application/octet-stream", "content-security-policy": POLICY });
      createReadStream(file).pipe(outgoing);
    } else if (canvass) {
      const to = new URL(incoming.url, canvass(path));
      const proxied = ask(to, { method: incoming.method, headers: { ...incoming.headers, host: to.host } }, (answer) => {
        outgoing.writeHead(answer.statusCode, answer.headers);
        answer.pipe(outgoing);
      });
      proxied.on("error", () => outgoing.destroy());
      incoming.on("error", () => proxied.destroy());
      incoming.pipe(proxied);
    } else {
      outgoing.writeHead(404, { "content-security-policy": POLICY }).end();
    }
  });
  return new Promise((done) => server.listen(port, "127.0.0.1", () => done(server)));
}
