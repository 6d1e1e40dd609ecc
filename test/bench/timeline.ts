/** How far a load had come at which moment, as samples; rates between any two moments, straight lines in between. */
export class Timeline {
  private readonly samples: { readonly atMs: number; readonly done: number }[] = [];

  /** Times and counts must not go back. */
  add(atMs: number, done: number): void {
    this.samples.push({ atMs, done });
  }

  /** Before the first sample and behind the last nothing is known: what they say is taken. 0 when there are none. */
  doneAt(atMs: number): number {
    const { samples } = this;
    const next = samples.findIndex((sample) => sample.atMs >= atMs);
    if (next < 0) return samples.at(-1)?.done ?? 0;
    const after = samples[next];
    if (next === 0) return after.done;
    const before = samples[next - 1];
    return before.done + ((after.done - before.done) * (atMs - before.atMs)) / (after.atMs - before.atMs);
  }

  perSec(fromMs: number, toMs: number): number {
    return ((this.doneAt(toMs) - this.doneAt(fromMs)) * 1000) / (toMs - fromMs);
  }
}
