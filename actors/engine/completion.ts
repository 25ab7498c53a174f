// Which step is complete: computed, and confirmed by every output that had something to confirm.
//
// An output is behind while a mark that was sent to it has not come back; then it vouches for the last mark that did.
// What was taken in by complete steps is counted in rows; that list is thinned out when it grows long, and then
// `completedRecords` may lag behind, never run ahead.
import { assert } from '../../runtime/assert.ts';

const stepsMax = 4096;

export class Completion {
  readonly #outputs = new Map<string, { sent: number; confirmed: number }>();
  /** Steps that are not complete, with the rows taken in up to each. */
  #open: { readonly step: number; readonly records: number }[] = [];
  #steps = 0;
  #completedStep = 0;
  #completedRecords = 0;

  /** The latest step that is complete. Never goes back. */
  get completedStep(): number {
    return this.#completedStep;
  }

  get completedRecords(): number {
    return this.#completedRecords;
  }

  /** Goes on behind the steps of an earlier run. */
  restore(steps: number, records: number): void {
    this.#steps = steps;
    this.#completedStep = steps;
    this.#completedRecords = records;
  }

  attach(endpoint: string): void {
    this.#outputs.set(endpoint, { sent: 0, confirmed: 0 });
  }

  /** The output is gone: nobody waits for it. */
  detach(endpoint: string): void {
    this.#outputs.delete(endpoint);
    this.#advance();
  }

  /** A mark with this step has been sent. */
  sent(endpoint: string, step: number): void {
    const output = this.#outputs.get(endpoint);
    if (output !== undefined) output.sent = step;
  }

  confirmed(endpoint: string, step: number): void {
    const output = this.#outputs.get(endpoint);
    if (output === undefined) return;
    assert(step <= output.sent, 'an output confirms what was sent to it');
    output.confirmed = Math.max(output.confirmed, step);
    this.#advance();
  }

  /** What an output has confirmed, with everything before it. */
  of(endpoint: string): { readonly step: number; readonly records: number } {
    const output = this.#outputs.get(endpoint);
    const step = output === undefined || output.confirmed >= output.sent ? this.#steps : output.confirmed;
    const records = this.#open.findLast((open) => open.step <= step)?.records ?? this.#completedRecords;
    return { step: Math.max(step, this.#completedStep), records };
  }

  /** `step` has been computed, and its marks have been sent; `records` rows were taken in up to it. */
  stepped(step: number, records: number): void {
    this.#steps = step;
    if (this.#open.length >= stepsMax) this.#open = this.#open.filter((_, i) => i % 2 === 1);
    this.#open.push({ step, records });
    this.#advance();
  }

  #advance(): void {
    let complete = this.#steps;
    for (const { sent, confirmed } of this.#outputs.values()) {
      if (confirmed < sent) complete = Math.min(complete, confirmed);
    }
    if (complete <= this.#completedStep) return;
    this.#completedStep = complete;
    let done = 0;
    while (done < this.#open.length && this.#open[done]!.step <= complete) done++;
    if (done === 0) return;
    this.#completedRecords = this.#open[done - 1]!.records;
    this.#open.splice(0, done);
  }
}
