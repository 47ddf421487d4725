/** How fast something goes on, evened out over the last seconds. Pure. */

/** Over how long it is evened out, in milliseconds. */
const WINDOW = 12_000;
/** Before this, nobody can tell. */
const LEAST = 1500;

export class Speed {
  private marks: { at: number; done: number }[] = [];

  reset(): void {
    this.marks = [];
  }

  /** Notes how much is done at a moment (milliseconds); gives units a second, or none while it is too early. */
  at(now: number, done: number): number | null {
    this.marks.push({ at: now, done });
    while (this.marks.length > 2 && now - (this.marks[0]?.at ?? now) > WINDOW) this.marks.shift();
    const first = this.marks[0];
    if (!first || now - first.at < LEAST || done <= first.done) return null;
    return ((done - first.done) / (now - first.at)) * 1000;
  }
}
