// An engine actor on the test's thread over a circuit that needs no SQL, with the other ends of its ports.
import { MessageChannel } from 'node:worker_threads';
import { engineBehaviour } from '../../../actors/engine/engine-actor.ts';
import type { EngineCircuit } from '../../../actors/engine/engine-circuit.ts';
import type { EngineMessage, EngineNotice } from '../../../actors/engine/messages.ts';
import { bareSchema } from '../../../runtime/batch/bare-batch.ts';
import { BatchBuilder } from '../../../runtime/batch/batch-builder.ts';
import type { ChangeBatch } from '../../../runtime/batch/change-batch.ts';
import { makeSchema, type Relation, type Schema } from '../../../runtime/batch/schema.ts';
import { type CodedErrorClass, defineError } from '../../../runtime/errors.ts';
import type { Frame, FrameReceiver, FrameSender } from '../../../runtime/mailbox/channel.ts';
import { FrameRooms } from '../../../runtime/mailbox/frame-rooms.ts';
import { openFrameReceiver, openFrameSender } from '../../../runtime/mailbox/port-channel.ts';
import { type LoneActor, loneActor } from '../lone-actor.ts';

export const numberSchema: Schema = makeSchema([{ name: 'n', type: { kind: 'INTEGER' }, nullable: false }]);

export const Poisoned: CodedErrorClass<Record<string, never>> = defineError(
  'test.poisoned',
  { help: 'Do not send 666.' },
  () => 'a poisoned number came in',
);

export function numberBatch(numbers: readonly number[]): ChangeBatch {
  const builder = new BatchBuilder(numberSchema, numbers.length);
  builder.reserve(numbers.length);
  for (const n of numbers) {
    builder.columns[0]!.values[builder.rows] = n;
    builder.commitRow();
  }
  return builder.finish();
}

export function numbersOf(batch: ChangeBatch): number[] {
  const column = batch.columns[0];
  return column?.layout === 'fixed' ? [...column.values.subarray(0, batch.rows)].map(Number) : [];
}

/**
 * Tables a and b; view `all` is their union, view `count` the number of rows after each step (as if deleted before), and has a
 * row before any input. 666 cannot be computed.
 */
export class TestCircuit implements EngineCircuit {
  readonly stepSizes: number[] = [];
  readonly taken: { readonly relation: string; readonly numbers: readonly number[] }[] = [];
  readonly #observed = new Set<string>();
  #rows = 0;

  observe(relation: string): void {
    this.#observed.add(relation);
  }

  unobserve(relation: string): void {
    this.#observed.delete(relation);
  }

  step(
    batches: readonly { readonly relation: string; readonly batch: ChangeBatch }[],
  ): Map<string, readonly ChangeBatch[]> {
    const all: number[] = [];
    for (const { relation, batch } of batches) {
      const numbers = numbersOf(batch);
      if (numbers.includes(666)) throw new Poisoned({});
      this.taken.push({ relation, numbers });
      all.push(...numbers);
    }
    this.stepSizes.push(all.length);
    this.#rows += all.length;
    const changes = new Map<string, readonly ChangeBatch[]>();
    if (all.length > 0 && this.#observed.has('all')) changes.set('all', [numberBatch(all)]);
    if (this.#observed.has('count')) changes.set('count', [numberBatch([this.#rows])]);
    return changes;
  }

  contents(): readonly ChangeBatch[] {
    return [numberBatch(this.taken.flatMap(({ numbers }) => numbers))];
  }

  query(): { readonly schema: Schema; readonly batches: readonly ChangeBatch[] } {
    return { schema: numberSchema, batches: [numberBatch([this.#rows])] };
  }

  snapshot(): readonly Uint8Array[] {
    return [new Uint8Array(new Float64Array([this.#rows]).buffer)];
  }

  restore(parts: readonly Uint8Array[]): void {
    this.#rows = new Float64Array((parts[0] ?? new Uint8Array(8)).slice().buffer)[0] ?? 0;
  }

  statistics(): { readonly stateRows: number; readonly stateBytes: number; readonly evaluationErrors: number } {
    return { stateRows: this.#rows, stateBytes: 0, evaluationErrors: 0 };
  }
}

export interface EngineFixture extends LoneActor<EngineMessage, EngineNotice> {
  readonly circuit: TestCircuit;
  input(
    endpoint: string,
    options?: {
      readonly batchRowsMax?: number;
      readonly held?: boolean;
      readonly table?: string;
      readonly rooms?: FrameRooms;
    },
  ): Promise<FrameSender>;
  output(
    endpoint: string,
    options?: {
      readonly relation?: string;
      readonly rowsMax?: number;
      readonly onFull?: 'block' | 'drop';
      readonly sendSnapshot?: boolean;
      readonly withoutColumns?: boolean;
    },
  ): Promise<FrameReceiver>;
  close(): Promise<void>;
}

const wide = { rowsMax: 1_000_000, bytesMax: 1 << 30 };

export async function engineFixture(stepRowsMax = 1000): Promise<EngineFixture> {
  const circuit = new TestCircuit();
  const relation = (name: string): { readonly relation: Relation } => ({
    relation: { name, schema: numberSchema, primaryKey: [] },
  });
  // SAFETY: the actor looks at nothing of a definition but its relation; the circuit is not made from the program.
  const program = { tables: [relation('a'), relation('b')], views: [relation('all'), relation('count')] } as never;
  const lone = await loneActor(
    engineBehaviour(() => circuit),
    { program, onError: 'stop', stepRowsMax, restore: null },
  );
  const ends: { close(): void }[] = [];
  return {
    ...lone,
    circuit,
    input: async (endpoint, options = {}) => {
      const { port1, port2 } = new MessageChannel();
      const { batchRowsMax = null, held = false, table = 'a', rooms = new FrameRooms(1) } = options;
      await lone.ask({ kind: 'attach input', endpoint, table, port: port2, limits: wide, batchRowsMax, held });
      const sender = openFrameSender(port1, { schema: numberSchema, limits: wide, rooms });
      ends.push(sender);
      return sender;
    },
    output: async (endpoint, options = {}) => {
      const { port1, port2 } = new MessageChannel();
      const { relation: of = 'all', rowsMax = wide.rowsMax, onFull = 'block', sendSnapshot = false } = options;
      const { withoutColumns = false } = options;
      const limits = { rowsMax, bytesMax: wide.bytesMax };
      const port = port2;
      const how = { limits, onFull, sendSnapshot, withoutColumns };
      await lone.ask({ kind: 'attach output', endpoint, relation: of, port, ...how });
      const schema = withoutColumns ? bareSchema : numberSchema;
      const receiver = openFrameReceiver(port1, { schema, limits });
      ends.push(receiver);
      return receiver;
    },
    close: async () => {
      await lone.actor.stop();
      for (const end of ends) end.close();
    },
  };
}

export function send(sender: FrameSender, numbers: readonly number[]): void {
  sender.send({ kind: 'batch', sequence: 1, batch: numberBatch(numbers) });
}

/** Takes everything that waits; marks are confirmed when `confirms`. */
export function takeWaiting(receiver: FrameReceiver, confirms = true): Frame[] {
  const frames: Frame[] = [];
  for (let frame = receiver.take(); frame !== null; frame = receiver.take()) {
    frames.push(frame);
    if (confirms && frame.kind === 'mark') receiver.confirm(frame.mark);
  }
  return frames;
}

export function rowsOf(frames: readonly Frame[]): number[] {
  return frames.flatMap((frame) => (frame.kind === 'batch' ? numbersOf(frame.batch) : []));
}
