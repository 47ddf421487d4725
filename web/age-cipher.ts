import { resolve } from "node:path";
import type { Plugin } from "vite";

const CIPHER = resolve(import.meta.dirname, "src/lib/seal/cipher.ts");

/** age's STREAM takes its cipher from us, so that workers can do its work (see `lib/seal/cipher.ts`). */
export function ageCipher(): Plugin {
  return {
    name: "age-cipher",
    enforce: "pre",
    resolveId(source, importer) {
      const from = importer?.replaceAll("\\", "/").split("?")[0];
      const stream = from?.endsWith("/age-encryption/dist/stream.js");
      return stream && source === "@noble/ciphers/chacha.js" ? CIPHER : null;
    },
  };
}
