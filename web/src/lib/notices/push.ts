/** Web push on this device (W3C Push API): one subscription of the service worker `/sw.js`. */
import { Problem } from "../problem";
import type { PushTarget } from "./wish";

/** Whether this browser can show notices at all. */
export function canPush(): boolean {
  return "serviceWorker" in navigator && "PushManager" in window && "Notification" in window;
}

/** The subscription that this device has, if any. */
export async function currentPush(): Promise<PushSubscription | null> {
  if (!canPush()) return null;
  const registration = await navigator.serviceWorker.getRegistration("/");
  return (await registration?.pushManager.getSubscription()) ?? null;
}

/** Asks the person, then the browser's push service. `key` is the server's VAPID key. */
export async function startPush(key: string): Promise<PushTarget> {
  if ((await Notification.requestPermission()) !== "granted") throw new Problem("notify.problem.permission");
  const registration = await navigator.serviceWorker.register("/sw.js");
  await navigator.serviceWorker.ready;
  try {
    const made = await registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: key });
    const { endpoint, keys } = made.toJSON();
    if (!endpoint || !keys?.p256dh || !keys.auth) throw new Problem("notify.problem.push");
    return { endpoint, keys: { p256dh: keys.p256dh, auth: keys.auth } };
  } catch (error) {
    if (error instanceof Problem) throw error;
    throw new Problem("notify.problem.push");
  }
}

/** Ends it on this device; gives back the address, so that the server can forget it, too. */
export async function stopPush(): Promise<string | null> {
  const current = await currentPush();
  if (!current) return null;
  await current.unsubscribe();
  return current.endpoint;
}
