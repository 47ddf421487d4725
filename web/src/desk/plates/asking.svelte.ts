/** What both forms of searches that always take a second person do: plan, ask, and go where it waits. */
import { asProblem, type Problem, saidOf } from "$lib/problem";
import type { Purpose } from "$lib/purpose";
import { go } from "$lib/route.svelte";

import { emptyPurpose, keepPurpose } from "../evidence/purposes";
import { askApproval, planSearch, type Question, type SearchPlan } from "./api";

/** The purpose is remembered with those of all searches of plates. */
export const SCOPE = "plates";

/** Asks for a second person's approval, and goes where it waits. The purpose is remembered with those of the scope. */
export async function askSecond(question: Question, purpose: Purpose, scope: string): Promise<void> {
  const made = await askApproval(question, purpose);
  keepPurpose(scope, purpose);
  go(`/desk/plates/approvals/${made.approval.id}`);
}

export class Asking {
  busy = $state(false);
  error = $state.raw<Problem | null>(null);
  plan = $state.raw<SearchPlan | null>(null);
  purpose = $state.raw<Purpose>(emptyPurpose("crime"));
  #planned: { question: Question; purpose: Purpose } | null = null;

  /** What is wrong with a field, as the server said. */
  said = (field: string): string | null => saidOf(this.error, field);

  /** Tells what the search would touch; what was told before counts no more. */
  async look(question: Question, purpose: Purpose): Promise<void> {
    [this.busy, this.error, this.plan] = [true, null, null];
    try {
      this.plan = await planSearch(question, purpose);
      this.#planned = { question, purpose };
    } catch (thrown) {
      this.error = asProblem(thrown);
    } finally {
      this.busy = false;
    }
  }

  /** Asks for exactly what was planned. */
  ask = async (): Promise<void> => {
    if (!this.#planned || this.busy) return;
    [this.busy, this.error] = [true, null];
    try {
      const { question, purpose } = this.#planned;
      await askSecond(question, purpose, SCOPE);
    } catch (thrown) {
      this.error = asProblem(thrown);
      this.plan = null;
    } finally {
      this.busy = false;
    }
  };

  /** Forgets the plan when the question changes. */
  changed = (): void => {
    this.plan = null;
    this.#planned = null;
  };
}
