/** What was done last and can be taken back. It stays until it is dismissed or something else is done. */
interface Done {
  text: string;
  undo?: () => Promise<void>;
}

let done = $state.raw<Done | null>(null);

export const lastDone = {
  get value() {
    return done;
  },
};

/** Says what was done, with how to take it back if the law and the record allow. */
export function say(text: string, undo?: () => Promise<void>): void {
  done = { text, undo };
}

export function dismiss(): void {
  done = null;
}
