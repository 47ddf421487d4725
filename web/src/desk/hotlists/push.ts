/** Web push of alerts to this browser (W3C Push API): one subscription of the desk's service worker. */
import { type Schemas } from "$lib/api/client";
import { currentLanguage } from "$lib/i18n/index.svelte";
import { Problem } from "$lib/problem";

import { call } from "../evidence/call";
import { whenSigningOut } from "../session/session.svelte";

export type MyPushes = Schemas["MyPushes"];
export type PushView = Schemas["PushView"];

const WORKER = "/desk-sw.js";
const SCOPE = "/desk";

/** Whether this browser can show notices at all. */
export const canPush = (): boolean =>
  "serviceWorker" in navigator && "PushManager" in window && "Notification" in window;

/** The member's browsers that are told, and the key that another subscribes with. */
export const myPushes = (): Promise<MyPushes> => call("GET", "/me/push");

async function current(): Promise<PushSubscription | null> {
  if (!canPush()) return null;
  const registration = await navigator.serviceWorker.getRegistration(`${SCOPE}/`);
  return (await registration?.pushManager.getSubscription()) ?? null;
}

/** SHA-256 of an address, by which the server names a browser. */
async function digest(endpoint: string): Promise<string> {
  const bytes = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(endpoint)));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Which of the member's browsers is this one; null when it is not told. */
export async function thisOne(browsers: readonly PushView[]): Promise<PushView | null> {
  const subscription = await current();
  if (!subscription) return null;
  const own = await digest(subscription.endpoint);
  return browsers.find(({ endpoint }) => endpoint === own) ?? null;
}

async function send(subscription: PushSubscription): Promise<PushView> {
  const { endpoint, keys } = subscription.toJSON();
  if (!endpoint || !keys?.p256dh || !keys.auth) throw new Problem("plates.push.problem.service");
  const body = { endpoint, keys: { p256dh: keys.p256dh, auth: keys.auth }, language: currentLanguage() };
  return call("POST", "/me/push", { body });
}

/** Asks the person, then the browser's push service, and tells the server. `key` is the server's VAPID key. */
export async function startPush(key: string): Promise<PushView> {
  if ((await Notification.requestPermission()) !== "granted") throw new Problem("plates.push.problem.permission");
  const registration = await navigator.serviceWorker.register(WORKER, { scope: SCOPE });
  let made: PushSubscription;
  try {
    await active(registration);
    made = await registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: key });
  } catch {
    throw new Problem("plates.push.problem.service");
  }
  return send(made);
}

/** Waits until the worker runs. */
function active(registration: ServiceWorkerRegistration): Promise<void> {
  const worker = registration.installing ?? registration.waiting;
  if (registration.active || !worker) return Promise.resolve();
  return new Promise((done, fail) => {
    worker.addEventListener("statechange", () => {
      if (worker.state === "activated") done();
      if (worker.state === "redundant") fail(new Error("the worker was replaced"));
    });
  });
}

/** Lets what this browser has live on, in the language of now. */
export async function renewPush(): Promise<void> {
  const subscription = await current();
  if (subscription) await send(subscription);
}

/** Has a browser told no more; this one ends its subscription as well. */
export async function stopPush(browser: PushView, own: boolean): Promise<void> {
  if (own) await forgetPush();
  await call("DELETE", `/me/push/${browser.id}`);
}

/** Ends the subscription of this browser alone: for who signs out. The push service then says that it is gone. */
export async function forgetPush(): Promise<void> {
  await (await current())?.unsubscribe();
}

// The next person at this browser is told nothing. The server forgets it with the session, or when the push service says so.
whenSigningOut(() => void forgetPush().catch(() => undefined));
