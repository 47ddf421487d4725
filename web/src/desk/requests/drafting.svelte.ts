/** The state of the draft form: what is typed, what the server says about it, and what this tab keeps of it. */
import type { Polygon } from "$lib/format/types";
import { asProblem, type Problem } from "$lib/problem";

import { checkDraft, type Check, type DraftBody, type FieldProblem, saveDraft, type RequestView } from "./api";
import { draftOf, type Form, unstorable } from "./form";

/** How long typing must rest before the draft is judged, in milliseconds. */
const REST = 400;

/** A check of a draft in which others stood in for these fields: what it says of them is replaced by that they are missing. */
function without(check: Check, missing: ("incident" | "area")[]): Check {
  const about = (problem: FieldProblem) =>
    missing.some((field) => field === problem.field) || (missing.includes("area") && problem.rule === "longitude");
  const told = missing.map((field) => ({ field, rule: "missing", message: "", remedy: "" }));
  return {
    ...check,
    area_sq_mi: missing.includes("area") ? null : check.area_sq_mi,
    missing: [...missing, ...(check.missing ?? [])],
    problems: [...told, ...check.problems.filter((problem) => !about(problem))],
  };
}

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
    /** An area that stands in for the one that is not drawn yet: the agency's own. */
    readonly standIn: Polygon,
  ) {
    this.form = form;
    this.#key = `canvass.desk.draft.${id ?? "new"}`;
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
    const draft = draftOf(this.form);
    const missing = this.unstorable;
    try {
      // What is not chosen yet stands in for itself, so that all other fields are judged from the first word on.
      const check = await checkDraft({
        ...draft,
        incident: (draft.incident || "other") as DraftBody["incident"],
        area: missing.includes("area") ? this.standIn : draft.area,
      });
      if (turn !== this.#turn) return;
      this.check = missing.length > 0 ? without(check, missing) : check;
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
