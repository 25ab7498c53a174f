// What a relay does all the time: takes frames, sends them on to every output, and says what is settled.
//
//   inputs ─► RetainedFrames ─► outputs (a copy each) ─► … settled rows … ─► RetainedFrames ─► inputs
//                     └──────── refused rows ─► DeadLetters ─► …
//
// Invariants: the frames of an input keep their order; a row is settled for its input when every output has delivered or refused it
// and every refusal of it is kept by the dead-letter queue; rows are settled in order, so that a row that is not holds back all
// behind it, and memory is bounded by what may be kept. Between two turns control messages get theirs. After too many refusals
// nothing more is taken. Not here: messages and ports (relay-actor.ts).

import { recordSchema } from '../../connectors/sdk/record-batch.ts';
import { TurnLoop } from '../../runtime/actor/turn-loop.ts';
import { assert } from '../../runtime/assert.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { MillraceError } from '../../runtime/errors.ts';
import type { Gauges } from '../../runtime/metrics.ts';
import type { EngineNotice, EngineProgress } from '../engine/messages.ts';
import { DeadLetters } from './dead-letters.ts';
import type { DeadLetterSettings } from './messages.ts';
import type { RelayInput } from './relay-input.ts';
import { RelayOutput } from './relay-output.ts';
import { RetainedFrames } from './retained-frames.ts';

/** What is kept of frames that are not settled. */
const keptRowsMax = 1_000_000;
const keptBytesMax = 64 * 1024 * 1024;
const deadLettersMax = 10_000;
/** What one turn takes before the rest of the thread gets its own. */
const turnFramesMax = 64;

export interface RelayLoopParts {
  readonly deadLetters: DeadLetterSettings;
  readonly clock: Clock;
  readonly gauges: Gauges;
  readonly notify: (notice: EngineNotice) => void;
  readonly schedule: (call: () => void) => void;
  readonly defect: (error: unknown) => void;
  readonly onOver: (error: MillraceError) => void;
}

export class RelayLoop {
  readonly deadLetters: DeadLetters;
  readonly #parts: RelayLoopParts;
  readonly #frames = new RetainedFrames();
  readonly #loop: TurnLoop;
  readonly #inputs = new Map<string, RelayInput>();
  readonly #outputs = new Map<string, RelayOutput>();
  /** Turns that took something, with the row behind the last one taken, while they are not complete. */
  #openSteps: { readonly step: number; readonly row: number }[] = [];
  #steps = 0;
  #completedStep = 0;
  #turns = 0;

  constructor(parts: RelayLoopParts) {
    this.#parts = parts;
    const { schedule, defect } = parts;
    this.#loop = new TurnLoop({ schedule, defect, turn: () => this.#turn() });
    const { endpoint, windowSize, windowNackThreshold } = parts.deadLetters;
    this.deadLetters = new DeadLetters({
      endpoint,
      windowSize,
      windowNackThreshold,
      now: () => parts.clock.now(),
      onProgress: () => this.wake(),
      onOver: parts.onOver,
    });
  }

  get progress(): EngineProgress {
    const rows = this.#frames.endRow;
    return {
      steps: this.#steps,
      processedRecords: rows,
      completedRecords: this.#frames.settledRow,
      completedStep: this.#completedStep,
      outputs: [...this.#outputs.values()].map(
        ({ endpoint, droppedRows, queuedRows, queuedFrames, queuedBytes, settledRow }) => ({
          endpoint,
          droppedRecords: droppedRows,
          queuedRecords: queuedRows,
          queuedBatches: queuedFrames,
          queuedBytes,
          completedStep: this.#completedStep,
          completedRecords: settledRow,
        }),
      ),
      inputs: [...this.#inputs.values()].map(({ endpoint, takenRows, receiver }) => ({
        endpoint,
        takenRecords: takenRows,
        queuedRecords: receiver.queuedRows,
      })),
    };
  }

  get steps(): number {
    return this.#steps;
  }

  input(endpoint: string): RelayInput | undefined {
    return this.#inputs.get(endpoint);
  }

  output(endpoint: string): RelayOutput | undefined {
    return endpoint === this.deadLetters.output.endpoint ? this.deadLetters.output : this.#outputs.get(endpoint);
  }

  addInput(input: RelayInput): void {
    this.#inputs.set(input.endpoint, input);
    input.receiver.onFrame = () => this.wake();
    this.wake();
  }

  /** What was taken of it goes on. */
  removeInput(input: RelayInput): void {
    if (this.#inputs.get(input.endpoint) === input) this.#inputs.delete(input.endpoint);
    input.receiver.onFrame = null;
    input.receiver.close();
    this.wake();
  }

  /** An output that was not here before; it begins with what comes from now on. */
  addOutput(endpoint: string, options: { readonly isKept: boolean; readonly onFull: 'block' | 'drop' }): RelayOutput {
    const output: RelayOutput = new RelayOutput({
      endpoint,
      frames: this.#frames,
      schema: recordSchema,
      ...options,
      onProgress: () => this.wake(),
      onDelivered: (rows) => this.deadLetters.delivered(rows),
      onRefuse: (row, error) => {
        this.deadLetters.refuse(row, this.#frames.withRow(row).frame, endpoint, error);
        this.wake();
      },
    });
    this.#outputs.set(endpoint, output);
    return output;
  }

  /** Nobody waits for it any more, whatever it has not settled. */
  removeOutput(output: RelayOutput): void {
    if (this.#outputs.get(output.endpoint) === output) this.#outputs.delete(output.endpoint);
    this.wake();
  }

  /** Its channel is gone. */
  lost(output: RelayOutput): void {
    const hasSettledAll = output.settledRow === this.#frames.endRow;
    output.detach();
    if (!output.isKept || (output.isLeaving && hasSettledAll)) this.removeOutput(output);
  }

  stop(): void {
    this.#loop.stop();
    for (const input of this.#inputs.values()) input.receiver.close();
    for (const output of [...this.#outputs.values(), this.deadLetters.output]) output.detach();
    this.#inputs.clear();
    this.#outputs.clear();
  }

  /** Resolves when everything that is not held has been taken, sent, and settled or given up; outputs have got their end. */
  async drain(): Promise<void> {
    await this.#loop.whenQuiet(() => !this.#mayTakeSomething() || this.#isStuck);
    for (const output of this.#outputs.values()) output.isLeaving = true;
    this.wake();
    await this.#loop.whenQuiet(() =>
      [...this.#outputs.values()].every((output) => !output.isAttached || this.#isThrough(output)),
    );
    const { deadLetters } = this;
    await this.#loop.whenQuiet(() => deadLetters.rows === 0 || deadLetters.isOver || !deadLetters.output.isAttached);
    this.deadLetters.output.end();
  }

  /** Something may have become possible. */
  wake(): void {
    this.#loop.wake();
  }

  /** There is no room, and an output that is not here would have to make some. */
  get #isStuck(): boolean {
    const isHere = [...this.#outputs.values(), this.deadLetters.output].every(({ isAttached }) => isAttached);
    return !this.#hasRoom && !isHere;
  }

  #isThrough(output: RelayOutput): boolean {
    return output.hasEnded && output.settledRow === this.#frames.endRow;
  }

  #mayTakeSomething(): boolean {
    return !this.deadLetters.isOver && [...this.#inputs.values()].some((input) => input.isReady);
  }

  get #hasRoom(): boolean {
    const { rows, bytes } = this.#frames;
    return rows < keptRowsMax && bytes < keptBytesMax && this.deadLetters.rows < deadLettersMax;
  }

  #turn(): void {
    const taken = this.deadLetters.isOver ? 0 : this.#take();
    for (const output of this.#outputs.values()) output.pump();
    this.deadLetters.pump();
    this.#settle();
    this.#showQueues();
    this.#loop.tellWaiters();
    if (taken === turnFramesMax || (this.#mayTakeSomething() && this.#hasRoom)) this.wake();
  }

  /** Frames of all inputs in turn; each turn begins with another input. */
  #take(): number {
    const inputs = [...this.#inputs.values()];
    const first = this.#turns++;
    const step = this.#steps + 1;
    let taken = 0;
    for (let isMore = true; isMore && taken < turnFramesMax; ) {
      isMore = false;
      for (let i = 0; i < inputs.length && this.#hasRoom; i++) {
        const input = inputs[(first + i) % inputs.length];
        if (input === undefined || !input.isReady) continue;
        taken += this.#takeFrom(input, step);
        isMore = true;
      }
    }
    if (taken === 0) return 0;
    this.#steps = step;
    this.#openSteps.push({ step, row: this.#frames.endRow });
    this.#count(inputs, taken);
    return taken;
  }

  /** Takes one frame. Answers with 1 when it holds rows. */
  #takeFrom(input: RelayInput, step: number): 0 | 1 {
    const frame = input.receiver.takeEncoded();
    assert(frame?.kind !== 'clear', 'a source of records refuses clears');
    assert(frame?.kind !== 'barrier', 'barriers go to outputs');
    assert(frame?.kind !== 'lent batch', 'who keeps frames is lent none');
    switch (frame?.kind) {
      case 'batch':
      case 'refused': {
        const refused = frame.kind === 'refused' ? frame.errors : null;
        const kept = this.#frames.push({ input, buffer: frame.frame, rows: frame.rows, step, refused });
        input.takenRows += frame.rows;
        for (const [i, error] of (refused ?? []).entries()) {
          this.deadLetters.refuse(kept.startRow + i, kept, nodeOf(error), error);
        }
        return 1;
      }
      case 'mark':
        input.marked(frame.mark);
        this.#parts.notify({ kind: 'mark stepped', endpoint: input.endpoint, mark: frame.mark, step });
        return 0;
      case 'end':
        input.hasEnded = true;
        return 0;
      case undefined:
        return 0;
    }
  }

  #count(inputs: readonly RelayInput[], frames: number): void {
    const { gauges, clock, notify } = this.#parts;
    for (const { endpoint, takenRows: records, tellsRecords } of inputs) {
      if (tellsRecords) notify({ kind: 'records stepped', endpoint, records, step: this.#steps });
    }
    gauges.set('steps', this.#steps);
    gauges.set('records', this.#frames.endRow);
    gauges.add('batches', frames);
    gauges.add('heartbeat', 1);
    gauges.set('activeAt', clock.now());
  }

  #settle(): void {
    let row = this.#frames.endRow;
    for (const output of this.#outputs.values()) row = Math.min(row, output.settledRow);
    const waiting = this.deadLetters.firstRow;
    if (waiting !== null) row = Math.min(row, waiting);
    this.#frames.settle(row);
    for (const input of this.#inputs.values()) {
      input.tell();
      if (!input.isThrough || input.isFinished) continue;
      // The supervisor detaches it; until then its channel stays open.
      input.isFinished = true;
      this.#parts.notify({ kind: 'input finished', endpoint: input.endpoint, step: this.#steps });
    }
    let completed = this.#completedStep;
    for (let next = this.#openSteps[0]; next !== undefined && next.row <= row; next = this.#openSteps[0]) {
      completed = next.step;
      this.#openSteps.shift();
    }
    if (completed === this.#completedStep) return;
    this.#completedStep = completed;
    this.#parts.notify({ kind: 'step completed', step: completed });
  }

  #showQueues(): void {
    const { gauges } = this.#parts;
    let rows = 0;
    for (const input of this.#inputs.values()) rows += input.receiver.queuedRows;
    gauges.set('queuedRecords', rows);
    gauges.set('stateRows', this.#frames.rows);
    gauges.set('stateBytes', this.#frames.bytes);
  }
}

/** Who has refused a row before it came here: the processor says so in its error. */
function nodeOf(error: { readonly fields: Readonly<Record<string, unknown>> }): string {
  const { processor } = error.fields;
  return typeof processor === 'string' ? processor : '';
}
