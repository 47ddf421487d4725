/**
 * Who is signed in, in this tab: the secret, the member, and their keys. The secret lives in the tab's storage, so that a
 * reload keeps it and closing the tab forgets it; the keys live in memory alone and a reload forgets them.
 */
import { api, type Schemas, useToken } from "$lib/api/client";
import { asProblem, Problem } from "$lib/problem";

/** The member who is signed in, with their agency's name and the actions they may take. */
export type Member = Schemas["Myself"];

/** Why there is a sign-in page: nobody was there yet, the secret no longer counts, nobody moved, or they signed out. */
export type SignedOut = "new" | "refused" | "idle" | "left";

const SECRET = "canvass.desk.secret";
const MOVED = "canvass.desk.moved";
const ENDED = "canvass.desk.ended";
/** After so long without a key or a pointer the tab locks, in milliseconds. */
export const IDLE = 30 * 60 * 1000;

let member = $state.raw<Member | null>(null);
let rights = $state.raw<ReadonlySet<string>>(new Set());
let agencyName = $state<string | null>(null);
let starting = $state(true);
let signedOut = $state<SignedOut>(whyEnded());
let failure = $state.raw<Problem | null>(null);
const onEnd = new Set<() => void>();
let awake = 0;

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

/** Signs out and forgets the keys. */
export function signOut(): void {
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
  if (secret && idleFor() > IDLE) end("idle");
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
  starting = false;
}

function welcome(found: Member): void {
  rights = new Set(found.rights);
  agencyName = found.organisation?.name ?? null;
  member = found;
}

function end(why: SignedOut): void {
  keep(SECRET, null);
  keep(ENDED, why);
  useToken(null);
  member = null;
  rights = new Set();
  agencyName = null;
  signedOut = why;
  for (const forget of onEnd) forget();
}

/** Why the last session of this tab ended, so that a reload still says so. */
function whyEnded(): SignedOut {
  const why = kept(ENDED);
  return why === "refused" || why === "idle" || why === "left" ? why : "new";
}

let movedAt = 0;
function moved(): void {
  const now = Date.now();
  // Once every few seconds is exact enough, and spares the storage.
  if (now - movedAt < 5000) return;
  movedAt = now;
  keep(MOVED, String(now));
}

function idleFor(): number {
  return Date.now() - Number(kept(MOVED) ?? Date.now());
}

function lockIfIdle(): void {
  if (member && awake === 0 && idleFor() > IDLE) end("idle");
}

function kept(name: string): string | null {
  try {
    return sessionStorage.getItem(name);
  } catch {
    return null;
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
