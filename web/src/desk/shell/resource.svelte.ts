/** Loading data for a page, again whenever what the load read at its beginning changes, such as a filter of the address. */
import { asProblem, type Problem } from "$lib/problem";

/** One thing that is loaded. */
export class Resource<T> {
  /** What came last; kept while it is loaded again, so that nothing jumps. */
  data = $state.raw<T | null>(null);
  problem = $state.raw<Problem | null>(null);
  loading = $state(true);
  #load: () => Promise<T>;
  #turn = 0;

  /** Begins to load; for the top level of a component. */
  constructor(load: () => Promise<T>) {
    this.#load = load;
    $effect(() => void this.reload());
  }

  /** Loads again. An answer that was overtaken is dropped. */
  async reload(): Promise<void> {
    const turn = ++this.#turn;
    const coming = this.#load();
    this.loading = true;
    try {
      const data = await coming;
      if (turn !== this.#turn) return;
      this.data = data;
      this.problem = null;
    } catch (error) {
      if (turn === this.#turn) this.problem = asProblem(error);
    } finally {
      if (turn === this.#turn) this.loading = false;
    }
  }
}

/** A part of a list, as the server gives it. */
export interface Part<T> {
  items: T[];
  next?: number | null;
}

/** A list that is loaded part by part. */
export class Listing<T> {
  items = $state.raw<T[]>([]);
  next = $state<number | null>(null);
  problem = $state.raw<Problem | null>(null);
  /** Whether the first part is on its way. */
  loading = $state(true);
  /** Whether a further part is on its way. */
  more = $state(false);
  #load: (after?: number) => Promise<Part<T>>;
  #turn = 0;

  constructor(load: (after?: number) => Promise<Part<T>>) {
    this.#load = load;
    $effect(() => void this.reload());
  }

  /** Loads from the beginning. */
  async reload(): Promise<void> {
    await this.#part(this.#load(), ++this.#turn, []);
  }

  /** Loads the following part. */
  async further(): Promise<void> {
    if (this.next === null || this.more) return;
    this.more = true;
    await this.#part(this.#load(this.next), this.#turn, this.items);
    this.more = false;
  }

  async #part(coming: Promise<Part<T>>, turn: number, before: T[]): Promise<void> {
    if (before.length === 0) this.loading = true;
    try {
      const part = await coming;
      if (turn !== this.#turn) return;
      this.items = [...before, ...part.items];
      this.next = part.next ?? null;
      this.problem = null;
    } catch (error) {
      if (turn === this.#turn) this.problem = asProblem(error);
    } finally {
      if (turn === this.#turn) this.loading = false;
    }
  }
}

/** All of a list that is short by nature, such as an agency's members. */
export async function all<T>(load: (after?: number) => Promise<Part<T>>): Promise<T[]> {
  const found: T[] = [];
  let after: number | undefined;
  do {
    const part = await load(after);
    found.push(...part.items);
    after = part.next ?? undefined;
  } while (after !== undefined);
  return found;
}
