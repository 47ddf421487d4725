/** Keeps the screen on while something long goes on, where the browser can. */

/** Begins; the answer ends it. Asked for again when the person comes back to the tab. */
export function awake(): () => void {
  let ended = false;
  let lock: WakeLockSentinel | null = null;
  const ask = async () => {
    if (ended || document.visibilityState !== "visible") return;
    try {
      lock = await navigator.wakeLock.request("screen");
      if (ended) await lock.release();
    } catch {
      // Not there, or refused at low battery; the work goes on as long as the device lets it.
    }
  };
  const again = () => void ask();
  document.addEventListener("visibilitychange", again);
  void ask();
  return () => {
    ended = true;
    document.removeEventListener("visibilitychange", again);
    void lock?.release().catch(() => undefined);
  };
}
