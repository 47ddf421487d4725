/**
 * Who is signed in, in this tab, and how. A passkey opens a session whose secret is in a cookie that no script reads; all tabs
 * share it, it locks, and the passkey unlocks it. A token lives in the tab's storage, so that a reload keeps it and closing the
 * tab forgets it. The member's keys live in memory alone: a lock, a reload and the end forget them.
 */
import { api, type Schemas, useStepUp, useToken } from "$lib/api/client";
import { asProblem, Problem } from "$lib/problem";

import { confirmSession, openSession, type SignInWays, signInWays } from "./passkeys";
import { type Back, confirmInWindow, finish } from "./provider";

/** The member who is signed in, with their agency's name and the actions they may take. */
export type Member = Schemas["Myself"];

/** Why there is a sign-in page: nobody was there yet, the secret no longer counts, nobody moved, or they signed out. */
export type SignedOut = "new" | "refused" | "idle" | "left" | "ended";

const SECRET = "canvass.desk.secret";
const MOVED = "canvass.desk.moved";
const ENDED = "canvass.desk.ended";
/** What the keys of drafts in the tab's storage begin with. */
export const DRAFTS = "canvass.desk.draft.";
/** After so long without a key or a pointer the tab locks, in milliseconds. */
export const IDLE = 30 * 60 * 1000;

let member = $state.raw<Member | null>(null);
let rights = $state.raw<ReadonlySet<string>>(new Set());
let agencyName = $state<string | null>(null);
let starting = $state(true);
let signedOut = $state<SignedOut>(whyEnded());
let failure = $state.raw<Problem | null>(null);
const onEnd = new Set<() => void>();
const onLeave = new Set<() => void>();
let awake = 0;
let ways = $state.raw<SignInWays | null>(null);
/** Whether a passkey's session signs this tab in, and not a token. */
let bySession = $state(false);
let locked = $state(false);
let leaving: Promise<unknown> = Promise.resolve();
let confirming = $state.raw<((done: boolean) => void) | null>(null);

export const session = {
  /** The member who is signed in. */
  get member() {
    return member;
  },
  /** The id of their agency; none for operators, moderators and overseers. */
  get agency(): string | null {
    return member?.agency ?? null;
  },
  /** Its name, once known. */
  get agencyName() {
    return agencyName;
  },
  /** Whether a kept secret is being tried. */
  get starting() {
    return starting;
  },
  /** Why nobody is signed in. */
  get signedOut() {
    return signedOut;
  },
  /** How one can sign in here; null while the server has not said. */
  get ways() {
    return ways;
  },
  /** Whether a passkey opened the session. */
  get bySession() {
    return bySession;
  },
  /** Whether the session waits for its passkey. */
  get locked() {
    return locked;
  },
  /** Whether an action waits for a fresh passkey. */
  get confirming() {
    return confirming !== null;
  },
  /** Why the kept secret could not be tried: the server did not answer. */
  get failure() {
    return failure;
  },
  /** Whether the member may take an action of `policies/roles.txt`. Only for what is shown: the server judges again. */
  may(action: string): boolean {
    return rights.has(action);
  },
};

/** Runs when the session ends, for whatever must be forgotten then. */
export function whenSessionEnds(forget: () => void): void {
  onEnd.add(forget);
}

/** Runs when the member signs out by themselves, and not when the session locks or ends by itself. */
export function whenSigningOut(leave: () => void): void {
  onLeave.add(leave);
}

/** Keeps the tab from locking while long work goes on, such as an export; call what it returns when done. */
export function stayAwake(): () => void {
  awake += 1;
  let over = false;
  return () => {
    if (!over) awake -= 1;
    over = true;
    moved();
  };
}

/** Signs in with a secret. Throws a {@link Problem} that says why not. */
export async function signIn(secret: string): Promise<void> {
  // A secret that never counted is a mistake in typing, not the end of a session.
  useToken(secret, () => member && end("refused"));
  bySession = false;
  let found: Member;
  try {
    const { data } = await api.GET("/api/v1/me");
    found = data as Member;
  } catch (error) {
    useToken(null);
    throw error;
  }
  keep(SECRET, secret);
  keep(ENDED, null);
  moved();
  welcome(found);
}

/** Signs in by a passkey. Throws a {@link Problem} that says why not. */
export async function signInByPasskey(): Promise<void> {
  // The end of the last session takes its cookie away: not the new one's.
  await leaving;
  useToken(null);
  await openSession();
  await enter();
}

/** Unlocks the session by its passkey. Throws a {@link Problem} that says why not. */
export async function unlock(): Promise<void> {
  await confirmSession();
  await enter();
}

/** Unlocks or signs in with what a provider gave. Throws a {@link Problem} that says why not. */
export async function enterFromProvider(back: Back): Promise<void> {
  await leaving;
  if (back.going?.errand === "sign-in") useToken(null);
  await finish(back);
  await enter();
}

/** Takes up the session whose cookie this browser has. */
async function enter(): Promise<void> {
  useToken(null, refusedSession);
  const { data } = await api.GET("/api/v1/me");
  bySession = true;
  locked = false;
  keep(SECRET, null);
  keep(ENDED, null);
  moved();
  welcome(data as Member);
  // Where this session is unlocked and confirmed.
  ways = await signInWays();
}

function refusedSession(kind: string | undefined): void {
  if (kind === "locked") lockTab();
  else if (member || locked) end("ended");
}

/** Locks the session, in all tabs of this browser. */
export async function lock(): Promise<void> {
  lockTab();
  await api.POST("/api/v1/session/lock").catch(() => undefined);
}

function lockTab(): void {
  if (!bySession || locked) return;
  locked = true;
  answerConfirmation(false);
  for (const forget of onEnd) forget();
}

/** Confirms what waits by the passkey; it goes on then. Throws a {@link Problem} that says why not. */
export async function confirmByPasskey(): Promise<void> {
  await confirmSession();
  answerConfirmation(true);
}

/** Confirms what waits at the provider that unlocks this session; it goes on then. */
export async function confirmAt(provider: string, given: AbortSignal): Promise<void> {
  if (await confirmInWindow(provider, given)) answerConfirmation(true);
}

/** Gives up, or grants, what waits for a fresh passkey. */
export function answerConfirmation(done: boolean): void {
  confirming?.(done);
  confirming = null;
}

useStepUp(
  () =>
    new Promise((resolve) => {
      answerConfirmation(false);
      if (bySession && !locked) confirming = resolve;
      else resolve(false);
    }),
);

/** Signs out and forgets the keys. */
export function signOut(): void {
  for (const leave of onLeave) leave();
  if (bySession) leaving = api.DELETE("/api/v1/session", { keepalive: true }).catch(() => undefined);
  end("left");
}

/** Reads the member again, after their own recipient or roles changed. */
export async function refreshMember(): Promise<void> {
  const { data } = await api.GET("/api/v1/me");
  await welcome(data as Member);
}

/** Tries the secret that this tab keeps, and begins to watch for an idle tab. */
export async function startSession(): Promise<void> {
  for (const name of ["pointerdown", "keydown", "wheel", "touchstart"])
    addEventListener(name, moved, { passive: true, capture: true });
  setInterval(lockIfIdle, 15_000);
  document.addEventListener("visibilitychange", lockIfIdle);
  await resume();
}

/** Tries the kept secret, again after a failure. */
export async function resume(): Promise<void> {
  starting = true;
  failure = null;
  const secret = kept(SECRET);
  if (secret && !bySession && idleFor() > IDLE) end("idle");
  else if (secret) {
    try {
      await signIn(secret);
    } catch (error) {
      const problem = asProblem(error);
      // Only a refusal ends the session; a server that can't be reached is tried again.
      if (problem.status === 401) end("refused");
      else failure = problem;
    }
  }
  if (!member && !failure) await takeUp();
  starting = false;
}

/** Asks which ways there are, and takes up a session that this browser has. */
async function takeUp(): Promise<void> {
  try {
    ways = await signInWays();
    if (ways.session === "open") await enter();
    else if (ways.session === "locked") {
      useToken(null, refusedSession);
      bySession = true;
      locked = true;
    }
  } catch (error) {
    const problem = asProblem(error);
    if (problem.status !== 401) failure = problem;
  }
}

function welcome(found: Member): void {
  rights = new Set(found.rights);
  agencyName = found.organisation?.name ?? null;
  member = found;
}

function end(why: SignedOut): void {
  keep(SECRET, null);
  forgetDrafts();
  keep(ENDED, why);
  useToken(null);
  answerConfirmation(false);
  if (!ways)
    void signInWays().then(
      (found) => (ways = found),
      () => undefined,
    );
  bySession = false;
  locked = false;
  member = null;
  rights = new Set();
  agencyName = null;
  signedOut = why;
  for (const forget of onEnd) forget();
}

/** Why the last session of this tab ended, so that a reload still says so. */
function whyEnded(): SignedOut {
  const why = kept(ENDED);
  return why === "refused" || why === "idle" || why === "left" || why === "ended" ? why : "new";
}

let movedAt = 0;
function moved(): void {
  const now = Date.now();
  // Once every few seconds is exact enough, and spares the storage.
  if (now - movedAt < 5000) return;
  movedAt = now;
  keep(MOVED, String(now));
  // Tabs of one session lock together, and while one of them is used none does.
  if (bySession) share(String(now));
}

function idleFor(): number {
  const last = Math.max(Number(kept(MOVED) ?? 0), bySession ? Number(shared() ?? 0) : 0);
  return last > 0 ? Date.now() - last : 0;
}

function lockIfIdle(): void {
  if (!member || locked || awake > 0 || idleFor() <= IDLE) return;
  if (bySession) void lock();
  else end("idle");
}

function shared(): string | null {
  try {
    return localStorage.getItem(MOVED);
  } catch {
    return null;
  }
}

function share(value: string): void {
  try {
    localStorage.setItem(MOVED, value);
  } catch {
    // Storage may be off: each tab then counts for itself.
  }
}

function kept(name: string): string | null {
  try {
    return sessionStorage.getItem(name);
  } catch {
    return null;
  }
}

/** A lock keeps what was typed; an end does not, for the next person at this tab may be another. */
function forgetDrafts(): void {
  try {
    for (const name of Object.keys(sessionStorage)) if (name.startsWith(DRAFTS)) sessionStorage.removeItem(name);
  } catch {
    // Storage may be off: nothing was kept then.
  }
}

function keep(name: string, value: string | null): void {
  try {
    if (value === null) sessionStorage.removeItem(name);
    else sessionStorage.setItem(name, value);
  } catch {
    // Storage may be off: the session then lasts until a reload.
  }
}
