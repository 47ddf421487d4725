/**
 * This browser's own key. It is made by WebCrypto so that it can't be exported, kept in IndexedDB, and signs each ceremony of
 * signing in: a session's cookie that was copied elsewhere can't be unlocked or confirmed there.
 */
const DATABASE = "canvass-device";
const STORE = "keys";
const NAME = "desk";

function finished<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error("IndexedDB"));
  });
}

function open(): Promise<IDBDatabase> {
  const request = indexedDB.open(DATABASE, 1);
  request.onupgradeneeded = () => request.result.createObjectStore(STORE);
  return finished(request);
}

async function pair(): Promise<CryptoKeyPair> {
  const database = await open();
  try {
    const found = (await finished(database.transaction(STORE).objectStore(STORE).get(NAME))) as
      CryptoKeyPair | undefined;
    if (found) return found;
    const made = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, false, ["sign", "verify"]);
    await finished(database.transaction(STORE, "readwrite").objectStore(STORE).put(made, NAME));
    return made;
  } finally {
    database.close();
  }
}

/** Bytes in base64url without padding. */
export function base64url(bytes: ArrayBuffer): string {
  const text = String.fromCharCode(...new Uint8Array(bytes));
  return btoa(text).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** What this browser and system are called, for people who look through their sessions. */
export function deviceName(agent = navigator.userAgent): string {
  const browser = /Edg\//.test(agent)
    ? "Edge"
    : /Firefox\//.test(agent)
      ? "Firefox"
      : /Chrom(e|ium)\//.test(agent)
        ? "Chrome"
        : /Safari\//.test(agent)
          ? "Safari"
          : "Browser";
  const system = /Android/.test(agent)
    ? "Android"
    : /iPhone|iPad/.test(agent)
      ? "iOS"
      : /Windows/.test(agent)
        ? "Windows"
        : /Mac OS/.test(agent)
          ? "macOS"
          : "Linux";
  return `${browser}, ${system}`;
}

/** The public half, as the server takes it. */
export async function deviceKey(): Promise<string> {
  return base64url(await crypto.subtle.exportKey("raw", (await pair()).publicKey));
}

/** The device with its signature over a ceremony at this origin, as the server takes it. */
export async function signCeremony(ceremony: string): Promise<{ key: string; signature: string; name: string }> {
  const { publicKey, privateKey } = await pair();
  const text = new TextEncoder().encode(`canvass/device/v1\n${location.origin}\n${ceremony}`);
  const signature = await crypto.subtle.sign({ name: "ECDSA", hash: "SHA-256" }, privateKey, text);
  const key = await crypto.subtle.exportKey("raw", publicKey);
  return { key: base64url(key), signature: base64url(signature), name: deviceName() };
}
