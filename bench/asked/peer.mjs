// The peer of run.sh: the same step by @noble/curves.
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { resolve } from "node:path";

const web = createRequire(resolve(import.meta.dirname, "../../web/package.json"));
const { ristretto255_oprf } = await import(pathToFileURL(web.resolve("@noble/curves/ed25519.js")).href);
const { voprf } = ristretto255_oprf;
const keys = voprf.generateKeyPair();
const { blinded } = voprf.blind(new TextEncoder().encode("canvass/plate/v1/ABC1234"));
const count = Number(process.argv[2] ?? 200);
const begin = performance.now();
for (let n = 0; n < count; n += 1) voprf.blindEvaluate(keys.secretKey, keys.publicKey, blinded);
const rate = Math.round((count * 1000) / (performance.now() - begin));
console.log(JSON.stringify({ what: "@noble/curves blindEvaluate with proof", count, per_second: rate }));
