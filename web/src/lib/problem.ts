/** What went wrong, in a form that a page can show: never raw text of an exception. */
export class Problem extends Error {
  constructor(
    /** Key of a text of `common.problem.*`, or a sentence of the server, which is already made for people. */
    public readonly text: string,
    public readonly remedy?: string,
    /** One entry a field. */
    public readonly fields: { field: string; message: string; remedy: string; rule?: string }[] = [],
    public readonly status?: number,
    /** The word of the server for its kind, such as `step-up`. */
    public readonly kind?: string,
  ) {
    super(text);
    this.name = "Problem";
  }
}

/** What is wrong with a field, as the server said. */
export function saidOf(problem: Problem | null, field: string): string | null {
  const one = problem?.fields.find((each) => each.field === field);
  return one ? `${one.message}. ${one.remedy}.` : null;
}

/** Turns whatever was thrown into something to show. */
export function asProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof DOMException && error.name === "QuotaExceededError") return new Problem("common.problem.full");
  if (error instanceof TypeError && /fetch|network|load failed/i.test(error.message))
    return new Problem("common.problem.offline");
  return new Problem("common.problem.unknown", error instanceof Error ? error.message : undefined);
}
