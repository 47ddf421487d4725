/**
 * New alerts as they come. The browser's own EventSource can send no header, and the desk signs in with one; so the stream is
 * read with `fetch`. It goes on behind the last alert that it gave.
 */
import { createParser } from "eventsource-parser";

import { authorization, problemOf } from "$lib/api/client";
import { asProblem, Problem } from "$lib/problem";

import type { AlertView } from "./api";

/** Where the stream stands: it opens, it is open, it broke off and is tried again, or the server refuses it. */
export type LiveState = "opening" | "live" | "lost" | "refused";

export interface Listener {
  onalert: (alert: AlertView) => void;
  onstate: (state: LiveState) => void;
  /** The stream is open and begins at the newest alert: what came before is in the list. */
  onstart: () => void;
}

/** The first pause before another try, and the longest; milliseconds. */
const FIRST = 1_000;
const MOST = 60_000;
/** The server gives a sign of life every 15 seconds: one that says nothing for so long is gone. */
const SILENCE = 45_000;

/** How long to wait before the next try, after so many that failed; `chance` spreads those who come back at once. */
export function pause(failures: number, chance: number): number {
  return Math.min(MOST, FIRST * 2 ** Math.max(0, failures - 1)) * (0.5 + chance / 2);
}

/** Follows the alerts until what it returns is called. */
export function followAlerts(listener: Listener): () => void {
  const left = new AbortController();
  void follow(listener, left.signal);
  return () => left.abort();
}

async function follow(listener: Listener, left: AbortSignal): Promise<void> {
  let last: string | undefined;
  let failures = 0;
  listener.onstate("opening");
  while (!left.aborted) {
    let wait = pause(0, Math.random());
    try {
      const body = await open(last, left);
      failures = 0;
      listener.onstate("live");
      if (last === undefined) listener.onstart();
      await read(body, left, (id, alert) => {
        last = id ?? last;
        listener.onalert(alert);
      });
    } catch (error) {
      if (left.aborted) return;
      const { status } = asProblem(error);
      if (status === 401 || status === 403) return listener.onstate("refused");
      failures += 1;
      wait = status === 503 ? MOST : pause(failures, Math.random());
      listener.onstate("lost");
    }
    await sleep(wait, left);
  }
}

async function open(last: string | undefined, left: AbortSignal): Promise<ReadableStream<Uint8Array>> {
  const response = await fetch("/api/v1/alerts/stream", {
    headers: { ...authorization(), Accept: "text/event-stream", ...(last ? { "Last-Event-ID": last } : {}) },
    cache: "no-store",
    signal: left,
  });
  if (!response.ok) throw await problemOf(response);
  if (!response.body) throw new Problem("common.problem.offline");
  return response.body;
}

/** Reads to the end of the stream; throws when it breaks off or falls silent. */
async function read(
  body: ReadableStream<Uint8Array>,
  left: AbortSignal,
  give: (id: string | undefined, alert: AlertView) => void,
): Promise<void> {
  const parser = createParser({
    onEvent: ({ event, id, data }) => {
      if (event === "alert") give(id, JSON.parse(data) as AlertView);
    },
  });
  const reader = body.getReader();
  const text = new TextDecoder();
  let silence: ReturnType<typeof setTimeout> | undefined;
  try {
    while (!left.aborted) {
      const silent = new Promise<never>((_, fail) => {
        silence = setTimeout(() => fail(new Problem("common.problem.offline")), SILENCE);
      });
      const { done, value } = await Promise.race([reader.read(), silent]);
      clearTimeout(silence);
      if (done) return;
      parser.feed(text.decode(value, { stream: true }));
    }
  } finally {
    clearTimeout(silence);
    void reader.cancel().catch(() => undefined);
  }
}

function sleep(milliseconds: number, left: AbortSignal): Promise<void> {
  return new Promise((done) => {
    const over = () => {
      clearTimeout(timer);
      left.removeEventListener("abort", over);
      done();
    };
    const timer = setTimeout(over, milliseconds);
    left.addEventListener("abort", over);
  });
}
