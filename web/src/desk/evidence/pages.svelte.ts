/** Lists that the server hands out in pages. */

/** One page of a list. */
export interface Page<T> {
  items: T[];
  /** Where the next page begins; none after the last. */
  next?: number | string | null;
}

/** A list that grows page by page. A new start makes answers of an older one void. */
export class Pages<T extends { id: string }> {
  items = $state.raw<T[]>([]);
  next = $state.raw<number | string | null>(null);
  loading = $state(true);
  error = $state.raw<unknown>(null);
  #turn = 0;
  readonly #load: (after: number | undefined) => Promise<Page<T>>;

  constructor(load: (after: number | undefined) => Promise<Page<T>>) {
    this.#load = load;
  }

  /** Loads the first page; `quiet` keeps what is shown until the answer is there. */
  async start(quiet = false): Promise<void> {
    if (!quiet) this.items = [];
    await this.#take(undefined);
  }

  /** Loads the next page. */
  async more(): Promise<void> {
    if (this.next !== null && !this.loading) await this.#take(Number(this.next));
  }

  /** Puts a changed record in the place of the old one. */
  put(changed: T): void {
    this.items = this.items.map((item) => (item.id === changed.id ? changed : item));
  }

  async #take(after: number | undefined): Promise<void> {
    const turn = ++this.#turn;
    this.loading = true;
    this.error = null;
    try {
      const page = await this.#load(after);
      if (turn !== this.#turn) return;
      this.items = after === undefined ? page.items : [...this.items, ...page.items];
      this.next = page.next ?? null;
    } catch (error) {
      if (turn === this.#turn) this.error = error;
    } finally {
      if (turn === this.#turn) this.loading = false;
    }
  }
}

/** Every page of a list, up to `most` entries. */
export async function everything<T>(load: (after: number | undefined) => Promise<Page<T>>, most = 5000): Promise<T[]> {
  const all: T[] = [];
  let after: number | undefined;
  do {
    const page: Page<T> = await load(after);
    all.push(...page.items);
    after = page.next === null || page.next === undefined ? undefined : Number(page.next);
  } while (after !== undefined && all.length < most);
  return all;
}
