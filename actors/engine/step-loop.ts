// The engine's heart beat: take what is queued, step, send, again; and between two steps the rest of the world.
//
//   frames ─► InputGate ─┐                              ┌─► OutputQueue ─► changes, mark n ─► … ─► confirm n ─┐
//   frames ─► InputGate ─┴► planStep ─► compute (step n) ┴─► OutputQueue                        Completion ◄───┘
//
// Invariants: a step is one synchronous call; between two steps control messages get their turn (`schedule` yields to the event
// loop). No step begins while an output with `on_full: block` has no credit. The first step takes place even when
// nothing came in: views over constants and global aggregates have rows then. A step that fails lets nothing out, and
// none follows: every input is held for good. While a transaction is open, what comes in is taken out of the mailboxes and
// waits for its commit, which is one step; marks and ends wait with their rows.
// Not here: messages and ports (engine-actor.ts), SQL, operators (the circuit behind `compute`).

import { TurnLoop } from '../../runtime/actor/turn-loop.ts';
import type { ChangeBatch } from '../../runtime/batch/change-batch.ts';
import type { Clock } from '../../runtime/clock.ts';
import { AssertionFailed, errorToData, MillraceError } from '../../runtime/errors.ts';
import type { Gauges } from '../../runtime/metrics.ts';
import { Completion } from './completion.ts';
import type { StepChanges } from './engine-circuit.ts';
import { NoTransactionInProgress, TransactionInProgress } from './engine-errors.ts';
import type { InputGate } from './input-gate.ts';
import type { EngineCheckpoint, EngineNotice, EngineProgress, OutputProgress } from './messages.ts';
import type { OutputQueue } from './output-queue.ts';
import { StepBudget } from './step-budget.ts';
import { emptyPlan, planStep, type StepPlan } from './step-scheduler.ts';

export interface StepLoopParts {
  /** @throws a coded error when the step cannot be computed. */
  readonly compute: (batches: StepPlan['batches']) => StepChanges;
  readonly stepRowsMax: number;
  readonly clock: Clock;
  readonly gauges: Gauges;
  readonly notify: (notice: EngineNotice) => void;
  /** Calls later, after the event loop has had its turn. */
  readonly schedule: (call: () => void) => void;
  /** A defect: the actor dies. */
  readonly defect: (error: unknown) => void;
  /** Called after a step, for gauges of the circuit. */
  readonly onStepped: () => void;
  /** Nobody reads the changes of this relation any more. */
  readonly onUnread: (relation: string) => void;
}

interface Transaction {
  readonly id: number;
  /** Everything that has come in since it began. */
  readonly plan: StepPlan;
  isCommitting: boolean;
}

/** What has entered steps of one input; it outlives the gate. */
interface Taken {
  records: number;
  ended: boolean;
}

export class StepLoop {
  readonly #parts: StepLoopParts;
  readonly #gates: InputGate[] = [];
  readonly #outputs = new Map<string, OutputQueue>();
  /** Detached, but their readers have not gone yet: something may still wait for credit. */
  readonly #leaving = new Set<OutputQueue>();
  readonly #completion = new Completion();
  readonly #loop: TurnLoop;
  readonly #budget: StepBudget;
  #isStarted = false;
  #hasFailed = false;
  #steps = 0;
  #records = 0;
  #toldStep = 0;
  #turns = 0;
  #transaction: Transaction | null = null;
  #transactions = 0;
  readonly #taken = new Map<string, Taken>();
  /** Marks of inputs whose step is not complete. */
  readonly #openMarks: { readonly gate: InputGate; readonly mark: number; readonly step: number }[] = [];
  /** When steps began to wait for an output. */
  #heldSince: number | null = null;
  #droppedBefore = 0;

  constructor(parts: StepLoopParts) {
    this.#parts = parts;
    this.#budget = new StepBudget(parts.stepRowsMax);
    const { schedule, defect } = parts;
    this.#loop = new TurnLoop({ schedule, defect, turn: () => this.#turn() });
  }

  /** Goes on behind the steps of an earlier run. Before anything else. */
  restore(steps: number, records: number): void {
    this.#steps = steps;
    this.#records = records;
    this.#completion.restore(steps, records);
    this.#parts.gauges.set('steps', steps);
    this.#parts.gauges.set('records', records);
    this.wake();
  }

  get hasFailed(): boolean {
    return this.#hasFailed;
  }

  get isInTransaction(): boolean {
    return this.#transaction !== null;
  }

  get steps(): number {
    return this.#steps;
  }

  get progress(): EngineProgress {
    const { completedStep, completedRecords } = this.#completion;
    const outputs = [...this.#outputs.values()].map((output) => this.#outputProgress(output));
    const inputs = this.#gates.map((gate) => ({
      endpoint: gate.endpoint,
      takenRecords: gate.takenRows,
      queuedRecords: gate.queuedRows + (this.#transaction?.plan.inputs.get(gate) ?? 0),
    }));
    const heldMs = this.#heldSince === null ? 0 : this.#parts.clock.monotonic() - this.#heldSince;
    const { steps } = this;
    return { steps, processedRecords: this.#records, completedRecords, completedStep, heldMs, outputs, inputs };
  }

  #outputProgress({ endpoint, droppedRows, queued }: OutputQueue): OutputProgress {
    const { step, records } = this.#completion.of(endpoint);
    return {
      endpoint,
      droppedRecords: droppedRows,
      queuedRecords: queued.rows,
      queuedBatches: queued.batches,
      queuedBytes: queued.bytes,
      completedStep: step,
      completedRecords: records,
    };
  }

  /** What has entered steps, input by input. @throws TransactionInProgress: what waits for a commit would be in neither. */
  get taken(): EngineCheckpoint['inputs'] {
    this.#refuseInTransaction();
    return [...this.#taken].map(([endpoint, { records, ended }]) => ({ endpoint, takenRecords: records, ended }));
  }

  // ── transactions ──

  /** @throws TransactionInProgress */
  async startTransaction(): Promise<number> {
    this.#refuseInTransaction();
    await this.#loop.arrivals();
    this.#refuseInTransaction();
    // Questions are answered from the state before, which has the first step in it.
    this.ensureFirstStep();
    const id = ++this.#transactions;
    this.#transaction = { id, plan: emptyPlan(), isCommitting: false };
    return id;
  }

  /** Takes the step now or, while an output holds steps, as soon as none does. @throws NoTransactionInProgress */
  async commitTransaction(): Promise<void> {
    const transaction = this.#transaction;
    if (transaction === null) throw new NoTransactionInProgress({});
    await this.#loop.arrivals();
    if (this.#transaction !== transaction) return;
    if (!transaction.isCommitting) {
      // What has arrived belongs to it, taken or not.
      this.#takeInto(transaction.plan);
      transaction.isCommitting = true;
    }
    this.#tryCommit();
    this.wake();
  }

  #tryCommit(): void {
    const transaction = this.#transaction;
    if (transaction === null || !transaction.isCommitting || this.#hasFailed || !this.#mayStep()) return;
    this.#transaction = null;
    const { id, plan } = transaction;
    if (plan.rows > 0) this.#step(plan);
    if (this.#hasFailed) return;
    this.#tell(plan);
    this.#parts.notify({ kind: 'transaction committed', id, step: this.#steps });
  }

  #takeInto(plan: StepPlan): void {
    // Taking is synchronous: nothing arrives meanwhile, and an input that gives few rows at a time is asked again.
    while (this.#gates.some((gate) => gate.isReady)) {
      planStep(this.#gates, this.#turns++, Number.MAX_SAFE_INTEGER, plan);
    }
  }

  #refuseInTransaction(): void {
    if (this.#transaction !== null) throw new TransactionInProgress({ id: this.#transaction.id });
  }

  // ── inputs and outputs ──

  input(endpoint: string): InputGate | undefined {
    return this.#gates.find((gate) => gate.endpoint === endpoint);
  }

  output(endpoint: string): OutputQueue | undefined {
    return this.#outputs.get(endpoint);
  }

  /** Begins to step, also when nothing comes in. */
  start(): void {
    this.#isStarted = true;
    this.wake();
  }

  stop(): void {
    this.#loop.stop();
    for (const gate of this.#gates.splice(0)) gate.receiver.close();
    for (const output of [...this.#outputs.values(), ...this.#leaving]) output.sender.close();
    this.#outputs.clear();
    this.#leaving.clear();
  }

  addInput(gate: InputGate): void {
    this.#gates.push(gate);
    this.#taken.set(gate.endpoint, { records: gate.takenRows, ended: false });
    gate.receiver.onFrame = () => this.wake();
    this.start();
  }

  removeInput(gate: InputGate): void {
    const at = this.#gates.indexOf(gate);
    if (at >= 0) this.#gates.splice(at, 1);
    gate.receiver.onFrame = null;
    gate.receiver.close();
    this.wake();
  }

  addOutput(output: OutputQueue): void {
    const { endpoint, sender } = output;
    this.#outputs.set(endpoint, output);
    this.#completion.attach(endpoint);
    output.onProgress = () => this.wake();
    sender.onConfirm = (mark) => {
      this.#completion.confirmed(endpoint, mark);
      this.wake();
    };
    // Nobody reads any more: the output must not hold the others back.
    sender.onClose = () => {
      if (!this.#leaving.delete(output)) this.#forget(output);
    };
  }

  /** Sends rows that are no step's, such as a snapshot, with the mark of the latest step. */
  sendNow(output: OutputQueue, batches: readonly ChangeBatch[], closes = false): void {
    if (output.sendStep(batches, this.#steps, closes)) this.#completion.sent(output.endpoint, this.#steps);
  }

  /** A checkpoint of this name holds the steps so far, and no later one. */
  sendBarriers(checkpoint: string): EngineCheckpoint['barriers'] {
    const told = [...this.#outputs.values()].filter(({ takesBarriers }) => takesBarriers);
    return told.map((output) => ({ endpoint: output.endpoint, hasEnded: !output.sendBarrier(checkpoint) }));
  }

  pauseOutput(endpoint: string, isPaused: boolean): void {
    const output = this.#outputs.get(endpoint);
    if (output === undefined) return;
    output.isPaused = isPaused;
    this.wake();
  }

  /** Ends and forgets an output; the port is closed by the reader. */
  removeOutput(endpoint: string): void {
    const output = this.#outputs.get(endpoint);
    if (output === undefined) return;
    output.end();
    this.#leaving.add(output);
    this.#forget(output);
  }

  #forget(output: OutputQueue): void {
    this.#droppedBefore += output.droppedRows;
    this.#outputs.delete(output.endpoint);
    this.#completion.detach(output.endpoint);
    const isRead = [...this.#outputs.values()].some(({ relation }) => relation === output.relation);
    if (!isRead) this.#parts.onUnread(output.relation);
    this.wake();
  }

  endOutputs(): void {
    for (const output of this.#outputs.values()) output.end();
  }

  get areOutputsFlushed(): boolean {
    return [...this.#outputs.values()].every((output) => output.isFlushed);
  }

  /** Whether anything waits that may enter a step. */
  get hasReadyInput(): boolean {
    return !this.#hasFailed && (this.#isFirstDue || this.#gates.some((gate) => gate.isReady));
  }

  /** Resolves when `isDone` holds and nothing on its way can change that. */
  whenQuiet(isDone: () => boolean): Promise<void> {
    return this.#loop.whenQuiet(isDone);
  }

  /** Takes the first step now, if it has not been. */
  ensureFirstStep(): void {
    this.#isStarted = true;
    if (this.#steps === 0 && !this.#hasFailed) this.#step(emptyPlan());
  }

  /** Something may have become possible. */
  wake(): void {
    this.#loop.wake();
  }

  get #isFirstDue(): boolean {
    return this.#isStarted && this.#steps === 0;
  }

  #turn(): void {
    const transaction = this.#transaction;
    if (transaction !== null) {
      if (transaction.isCommitting) this.#tryCommit();
      else if (this.hasReadyInput) this.#takeInto(transaction.plan);
    } else if (this.hasReadyInput && this.#mayStep()) {
      const plan = planStep(this.#gates, this.#turns++, this.#budget.rows);
      if (plan.rows > 0 || this.#isFirstDue) this.#step(plan);
      if (!this.#hasFailed) this.#tell(plan);
    }
    this.#tellCompleted();
    this.#loop.tellWaiters();
    this.#showQueues();
    // What has come in behind a commit that an output holds back waits for that.
    const isWaiting = this.#transaction?.isCommitting === true;
    if (this.hasReadyInput && this.#heldSince === null && !isWaiting) this.wake();
  }

  #step(plan: StepPlan): void {
    const { compute, clock, gauges, onStepped } = this.#parts;
    const since = clock.monotonic();
    let changes: StepChanges;
    try {
      changes = compute(plan.batches);
    } catch (error) {
      if (!(error instanceof MillraceError) || error instanceof AssertionFailed) throw error;
      this.#fail(error);
      return;
    }
    const step = ++this.#steps;
    this.#count(plan);
    this.#records += plan.rows;
    for (const output of this.#outputs.values()) {
      if (output.sendStep(changes.get(output.relation) ?? [], step)) this.#completion.sent(output.endpoint, step);
    }
    for (const [gate, rooms] of plan.rooms) gate.receiver.giveBack(rooms);
    this.#completion.stepped(step, this.#records);
    gauges.set('steps', step);
    const milliseconds = clock.monotonic() - since;
    this.#budget.note(plan.rows, milliseconds);
    gauges.add('stepNanos', milliseconds * 1e6);
    gauges.set('records', this.#records);
    gauges.add('batches', plan.batches.length);
    gauges.add('heartbeat', 1);
    gauges.set('activeAt', clock.now());
    onStepped();
  }

  #count(plan: StepPlan): void {
    for (const [gate, rows] of plan.inputs) {
      gate.takenRows += rows;
      // An input that was opened again meanwhile begins anew.
      const taken = this.#taken.get(gate.endpoint);
      if (taken !== undefined) taken.records = gate.takenRows;
    }
  }

  #fail(error: MillraceError): void {
    this.#hasFailed = true;
    for (const gate of this.#gates) gate.isHeld = true;
    this.#parts.notify({ kind: 'evaluation failed', error: errorToData(error) });
  }

  /** Whether every output lets a step begin; shows and counts the time for which one does not. */
  #mayStep(): boolean {
    const { clock, gauges } = this.#parts;
    for (const output of this.#outputs.values()) {
      if (!output.holdsSteps) continue;
      this.#heldSince ??= clock.monotonic();
      gauges.set('throttled', 1);
      return false;
    }
    if (this.#heldSince !== null) {
      gauges.set('throttled', 0);
      gauges.add('throttledMs', clock.monotonic() - this.#heldSince);
      this.#heldSince = null;
    }
    return true;
  }

  #tell(plan: StepPlan): void {
    const step = this.#steps;
    for (const gate of plan.inputs.keys()) {
      const { endpoint, takenRows: records, tellsRecords } = gate;
      if (tellsRecords) this.#parts.notify({ kind: 'records stepped', endpoint, records, step });
    }
    for (const { endpoint, mark } of plan.marks) {
      this.#parts.notify({ kind: 'mark stepped', endpoint, mark, step });
      const gate = this.input(endpoint);
      if (gate !== undefined) this.#openMarks.push({ gate, mark, step });
    }
    for (const endpoint of plan.ended) {
      const taken = this.#taken.get(endpoint);
      if (taken !== undefined) taken.ended = true;
      this.#parts.notify({ kind: 'input finished', endpoint, step });
    }
  }

  #tellCompleted(): void {
    const step = this.#completion.completedStep;
    this.#confirmMarks(step);
    if (step === this.#toldStep) return;
    this.#toldStep = step;
    this.#parts.notify({ kind: 'step completed', step });
  }

  /** Whoever sent a mark is told when every output has confirmed the step with what stood before it. */
  #confirmMarks(step: number): void {
    let done = 0;
    for (const { gate, mark, step: of } of this.#openMarks) {
      if (of > step) break;
      gate.receiver.confirm(mark);
      done++;
    }
    if (done > 0) this.#openMarks.splice(0, done);
  }

  #showQueues(): void {
    const { gauges } = this.#parts;
    let rows = 0;
    let bytes = 0;
    for (const gate of this.#gates) {
      rows += gate.queuedRows;
      bytes += gate.receiver.queuedBytes;
    }
    let dropped = this.#droppedBefore;
    for (const output of this.#outputs.values()) dropped += output.droppedRows;
    gauges.set('queuedRecords', rows);
    gauges.set('queuedBytes', bytes);
    gauges.set('droppedRecords', dropped);
  }
}
