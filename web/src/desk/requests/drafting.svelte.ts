/** The state of the draft form: what is typed, what the server says about it, and what this tab keeps of it. */
import { asProblem, type Problem } from "$lib/problem";

import { DRAFTS } from "../session/session.svelte";
import { checkDraft, type Check, type DraftBody, type FieldProblem, saveDraft, type RequestView } from "./api";
import { draftOf, type Form, unstorable } from "./form";

/** How long typing must rest before the draft is judged, in milliseconds. */
const REST = 400;

export class Drafting {
  form = $state<Form>() as Form;
  check = $state.raw<Check | null>(null);
  /** Why the draft could not be judged: not what is wrong with it. */
  unjudged = $state.raw<Problem | null>(null);
  /** Fields that were left once; problems show beside these alone, until one tries to go on. */
  touched = $state<Record<string, boolean>>({});
  tried = $state(false);
  saving = $state(false);
  #timer: ReturnType<typeof setTimeout> | undefined;
  #turn = 0;

  constructor(
    form: Form,
    /** The draft that is changed; none for a new one. */
    readonly id: string | undefined,
  ) {
    this.form = form;
    this.#key = `${DRAFTS}${id ?? "new"}`;
    this.#stored = JSON.stringify(form);
  }

  #key: string;
  #stored: string;

  /** Takes up what this tab kept of an earlier visit; whether there was something. */
  restore(): boolean {
    try {
      const text = sessionStorage.getItem(this.#key);
      if (!text || text === this.#stored) return false;
      this.form = { ...this.form, ...(JSON.parse(text) as Form) };
      return true;
    } catch {
      return false;
    }
  }

  /** Keeps what is typed in this tab; for an effect that reads the whole form. */
  keep(): void {
    const text = JSON.stringify(this.form);
    try {
      if (text === this.#stored) sessionStorage.removeItem(this.#key);
      else sessionStorage.setItem(this.#key, text);
    } catch {
      // Storage may be full or off; what is typed then lives as long as the page.
    }
  }

  /** Forgets what the tab kept, and starts over from what is stored. */
  reset(): void {
    this.form = JSON.parse(this.#stored) as Form;
    this.touched = {};
    this.tried = false;
  }

  /** Judges the draft once typing rests. */
  judgeSoon(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.judge(), REST);
  }

  /** Judges the draft now. An answer that was overtaken is dropped. */
  async judge(): Promise<void> {
    clearTimeout(this.#timer);
    const turn = ++this.#turn;
    try {
      const check = await checkDraft(draftOf(this.form));
      if (turn !== this.#turn) return;
      this.check = check;
      this.unjudged = null;
    } catch (error) {
      if (turn !== this.#turn) return;
      const problem = asProblem(error);
      this.unjudged = problem;
      this.check = null;
    }
  }

  /** Problems of a field that may be shown now. */
  problems(field: string): FieldProblem[] {
    if (!this.tried && !this.touched[field]) return [];
    const missing = this.check?.missing ?? [];
    return (this.check?.problems ?? []).filter(
      (problem) =>
        (problem.field === field || (field === "contact.phone" && problem.field === "contact")) &&
        (this.tried || !missing.includes(problem.field)),
    );
  }

  /** Words of a field that a moderator will look at. */
  findings(field: string): FieldProblem[] {
    return (this.check?.findings ?? []).filter((finding) => finding.field === field);
  }

  touch(field: string): void {
    this.touched = { ...this.touched, [field]: true };
  }

  /** Whether the draft can be stored: with problems it can, without an area or an incident it can't. */
  get unstorable(): ("incident" | "area")[] {
    return unstorable(this.form);
  }

  /** Stores the draft. Throws a {@link Problem}. */
  async save(): Promise<RequestView> {
    this.saving = true;
    try {
      const saved = await saveDraft(this.id, draftOf(this.form) as DraftBody);
      this.#stored = JSON.stringify(this.form);
      this.keep();
      try {
        sessionStorage.removeItem(this.#key);
      } catch {
        // Nothing was kept then.
      }
      return saved;
    } finally {
      this.saving = false;
    }
  }
}
