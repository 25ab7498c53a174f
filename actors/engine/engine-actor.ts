// The engine actor: ports in, ports out, a circuit between them.
//
// It has no SQL, no row loop and no disk: what a step takes is decided by step-scheduler.ts, when one takes place by
// step-loop.ts, what comes out by the circuit. Everything here happens between two steps, since a step is one synchronous
// call: that is why `hold input` may answer at once, and why a query sees whole steps only.
import type { Actor, ActorContext, Behaviour, Reply } from '../../runtime/actor/actor.ts';
import { assert, unreachable } from '../../runtime/assert.ts';
import { bareSchema } from '../../runtime/batch/bare-batch.ts';
import { BatchBuilder } from '../../runtime/batch/batch-builder.ts';
import type { Relation } from '../../runtime/batch/schema.ts';
import { sliceBatch } from '../../runtime/batch/slice-batch.ts';
import { AssertionFailed, MillraceError } from '../../runtime/errors.ts';
import { openFrameReceiver, openFrameSender } from '../../runtime/mailbox/port-channel.ts';
import { encodeBatch } from '../../runtime/wire/batch-codec.ts';
import type { EngineCircuit } from './engine-circuit.ts';
import { EngineFailed, InputUnknown } from './engine-errors.ts';
import { InputGate } from './input-gate.ts';
import type {
  EngineArguments,
  EngineCheckpoint,
  EngineMessage,
  EngineNotice,
  EngineProgress,
  OutputAttached,
  QueryResult,
  WorkerShare,
} from './messages.ts';
import { frameRowsMax, OutputQueue } from './output-queue.ts';
import { compileCircuit, engineCircuit, workersFor } from './program-circuit.ts';
import type { BoundQuery } from './sql/bound.ts';
import { loadFunctions } from './sql/function-modules.ts';
import type { UserFunction } from './sql/user-function.ts';
import { StepLoop } from './step-loop.ts';
import { openShardedCircuit } from './workers/sharded-circuit.ts';

/** State is counted at most this often: it walks over every operator. */
const statisticsMs = 500;
/** A checkpoint of up to so many bytes is copied to who stores it. */
const copiedBytesMax = 64 << 20;

type Context = ActorContext<EngineMessage, EngineNotice>;
type Attach<K extends EngineMessage['kind']> = Extract<EngineMessage, { kind: K }>;

export function engineBehaviour(
  makeCircuit: (args: EngineArguments) => EngineCircuit = compileCircuit,
): Behaviour<EngineArguments, EngineMessage, EngineNotice> {
  return (args, context) => {
    const { functions = [] } = args.program;
    const sharing = workersFor(args, context.log);
    if (sharing.workers > 1) return shardedEngine(args, context, sharing);
    const open = (loaded: Functions): EngineActor =>
      new EngineActor(args, context, { circuit: makeCircuit(args), functions: loaded, sharing });
    return functions.length === 0 ? open(noFunctions) : loadFunctions(functions).then(open);
  };
}

async function shardedEngine(args: EngineArguments, context: Context, sharing: WorkerShare): Promise<EngineActor> {
  const { program, onError } = args;
  const onLost = (error: MillraceError): void => context.fail(error);
  let functions = noFunctions;
  const circuit = await openShardedCircuit({ program, onError, workers: sharing.workers, onLost }, async () => {
    functions = await loadFunctions(program.functions ?? []);
  });
  try {
    return new EngineActor(args, context, { circuit: engineCircuit(circuit), functions, sharing });
  } catch (error) {
    await circuit.stop();
    throw error;
  }
}

type Functions = ReadonlyMap<string, UserFunction>;

const noFunctions: Functions = new Map();

interface EngineParts {
  readonly circuit: EngineCircuit;
  readonly functions: Functions;
  readonly sharing: WorkerShare;
}

class EngineActor implements Actor<EngineMessage> {
  readonly #relations: ReadonlyMap<string, Relation>;
  readonly #context: Context;
  readonly #circuit: EngineCircuit;
  readonly #functions: Functions;
  readonly #sharing: WorkerShare;
  readonly #loop: StepLoop;
  /** Before any time, so that the first step is counted. */
  #countedAt = -statisticsMs;

  constructor(args: EngineArguments, context: Context, { circuit, functions, sharing }: EngineParts) {
    const { clock, gauges } = context;
    this.#context = context;
    this.#circuit = circuit;
    this.#functions = functions;
    this.#sharing = sharing;
    if (args.restore !== null) circuit.restore(args.restore.parts.map((part) => new Uint8Array(part)));
    const definitions = [...args.program.tables, ...args.program.views];
    const { clock: ticks } = args.program;
    const relations = [...definitions.map(({ relation }) => relation), ...(ticks === undefined ? [] : [ticks])];
    this.#relations = new Map(relations.map((relation) => [relation.name, relation]));
    this.#loop = new StepLoop({
      compute: (batches) => circuit.step(batches),
      stepRowsMax: args.stepRowsMax,
      clock,
      gauges,
      notify: (notice) => context.notify(notice),
      schedule: (call) => setImmediate(call),
      defect: (error) => context.fail(error),
      onStepped: () => this.#sampleState(),
      onUnread: (relation) => circuit.unobserve(relation),
    });
    if (args.restore !== null) this.#loop.restore(args.restore.steps, args.restore.processedRecords);
  }

  receive(message: EngineMessage, reply: Reply): void {
    try {
      this.#receive(message, reply);
    } catch (error) {
      // A refusal is the asker's; a defect is ours, and the actor dies of it.
      if (!(error instanceof MillraceError) || error instanceof AssertionFailed) throw error;
      reply.reject(error);
    }
  }

  async stop(): Promise<void> {
    this.#loop.stop();
    await this.#circuit.stop?.();
  }

  #receive(message: EngineMessage, reply: Reply): void {
    switch (message.kind) {
      case 'attach input':
        this.#attachInput(message);
        reply.resolve();
        return;
      case 'detach input':
        this.#detachInput(message, reply);
        return;
      case 'hold input':
        this.#input(message.endpoint).isHeld = true;
        reply.resolve();
        return;
      case 'release input':
        this.#releaseInput(message.endpoint);
        reply.resolve();
        return;
      case 'attach output':
        this.#attachOutput(message);
        reply.resolve({ step: this.#loop.steps } satisfies OutputAttached);
        return;
      case 'pause output':
      case 'resume output':
        this.#loop.pauseOutput(message.endpoint, message.kind === 'pause output');
        reply.resolve();
        return;
      case 'detach output':
        this.#loop.removeOutput(message.endpoint);
        reply.resolve();
        return;
      case 'query':
        this.#query(message.query, reply);
        return;
      case 'progress':
        // Who asks for progress looks at the gauges next, which must not be those of half a second ago.
        this.#countState();
        reply.resolve({ ...this.#loop.progress, sharing: this.#sharing } satisfies EngineProgress);
        return;
      case 'start transaction':
        this.#refuseFailed();
        this.#loop.startTransaction().then(reply.resolve, reply.reject);
        return;
      case 'commit transaction':
        this.#refuseFailed();
        this.#commit().then(reply.resolve, reply.reject);
        return;
      case 'checkpoint':
        this.#checkpoint(message.checkpoint, reply);
        return;
      case 'drain':
        this.#drain().then(reply.resolve, reply.reject);
        return;
      default:
        unreachable(message);
    }
  }

  #attachInput(message: Attach<'attach input'>): void {
    const { endpoint, table, port, limits, batchRowsMax, held } = message;
    const { schema } = this.#relation(table);
    const receiver = openFrameReceiver(port, { schema, limits });
    const isHeld = held || this.#loop.hasFailed;
    const rowsMax = batchRowsMax ?? Number.MAX_SAFE_INTEGER;
    const { tellsRecords = false, takenRecords: takenRows = 0 } = message;
    this.#loop.addInput(new InputGate({ endpoint, table, receiver, rowsMax, isHeld, tellsRecords, takenRows }));
  }

  #detachInput(message: Attach<'detach input'>, reply: Reply): void {
    const gate = this.#input(message.endpoint);
    const detach = (): void => {
      this.#loop.removeInput(gate);
      reply.resolve();
    };
    if (message.discard || this.#loop.hasFailed) detach();
    else this.#loop.whenQuiet(() => gate.isEmpty || this.#loop.hasFailed).then(detach);
  }

  #releaseInput(endpoint: string): void {
    this.#refuseFailed();
    this.#input(endpoint).isHeld = false;
    this.#loop.wake();
  }

  #attachOutput(message: Attach<'attach output'>): void {
    const { endpoint, relation, port, limits, onFull, sendSnapshot } = message;
    const { closesSnapshot = false, everyStep = false, withoutColumns = false, takesBarriers = false } = message;
    const { schema } = withoutColumns ? { schema: bareSchema } : this.#relation(relation);
    // The first step may have rows of its own, which belong to the contents.
    if (sendSnapshot && closesSnapshot) this.#loop.ensureFirstStep();
    // What is not materialized is refused before the port is taken over.
    const snapshot = sendSnapshot ? this.#circuit.contents(relation) : [];
    this.#circuit.observe(relation);
    const sender = openFrameSender(port, { schema, limits });
    const flags = { everyStep, withoutColumns, takesBarriers };
    const output = new OutputQueue({ endpoint, relation, sender, onFull, ...flags });
    this.#loop.addOutput(output);
    this.#loop.sendNow(output, snapshot, sendSnapshot && closesSnapshot);
  }

  #query(query: BoundQuery, reply: Reply): void {
    this.#loop.ensureFirstStep();
    this.#refuseFailed();
    // A query comes with handles of its own, without the code.
    for (const each of query.functions ?? []) each.evaluate = this.#functions.get(each.name)?.evaluate ?? null;
    const { schema, batches } = this.#circuit.query(query);
    const frames: ArrayBuffer[] = [];
    for (const batch of batches) {
      for (let start = 0; start < batch.rows; start += frameRowsMax) {
        frames.push(encodeBatch(sliceBatch(batch, start, Math.min(batch.rows, start + frameRowsMax))));
      }
    }
    if (frames.length === 0) frames.push(encodeBatch(new BatchBuilder(schema, 8).finish()));
    // Copied, not transferred: see runtime/mailbox/port-channel.ts.
    reply.resolve({ schema, frames } satisfies QueryResult);
  }

  async #commit(): Promise<void> {
    await this.#loop.commitTransaction();
    this.#refuseFailed();
  }

  #checkpoint(checkpoint: string, reply: Reply): void {
    this.#loop.ensureFirstStep();
    this.#refuseFailed();
    const inputs = this.#loop.taken;
    const { steps, processedRecords } = this.#loop.progress;
    const parts = this.#circuit.snapshot().map((part) => part.slice().buffer);
    const bytes = parts.reduce((sum, part) => sum + part.byteLength, 0);
    const barriers = this.#loop.sendBarriers(checkpoint);
    // Copied, not transferred (see runtime/mailbox/port-channel.ts), unless it would fill the memory once more.
    const given = bytes > copiedBytesMax ? parts : [];
    reply.resolve({ steps, processedRecords, parts, inputs, barriers } satisfies EngineCheckpoint, given);
  }

  async #drain(): Promise<void> {
    const loop = this.#loop;
    loop.start();
    // What was taken in is carried out; nobody will commit it later.
    if (loop.isInTransaction) {
      await loop.whenQuiet(() => !loop.hasReadyInput);
      if (loop.isInTransaction) await loop.commitTransaction();
      await loop.whenQuiet(() => !loop.isInTransaction || loop.hasFailed);
    }
    await loop.whenQuiet(() => !loop.hasReadyInput);
    loop.endOutputs();
    await loop.whenQuiet(() => loop.areOutputsFlushed);
  }

  #sampleState(): void {
    const now = this.#context.clock.monotonic();
    if (now - this.#countedAt < statisticsMs) return;
    this.#countedAt = now;
    this.#countState();
  }

  #countState(): void {
    const { gauges } = this.#context;
    const { stateRows, stateBytes, evaluationErrors } = this.#circuit.statistics();
    gauges.set('stateRows', stateRows);
    gauges.set('stateBytes', stateBytes);
    gauges.set('numEvaluationErrors', evaluationErrors);
  }

  #refuseFailed(): void {
    if (this.#loop.hasFailed) throw new EngineFailed({});
  }

  #input(endpoint: string): InputGate {
    const gate = this.#loop.input(endpoint);
    if (gate === undefined) throw new InputUnknown({ endpoint });
    return gate;
  }

  #relation(name: string): Relation {
    const relation = this.#relations.get(name);
    assert(relation !== undefined, 'the supervisor attaches to relations of the program');
    return relation;
  }
}
