// datagen: made-up rows, as fast as the engine takes them or at a rate, from a seed.
//
// It writes columns, no bytes and no format. The plans run one after the other. Position: { plan, row, seed }, the next
// row; with it the rest of the rows is the same, whatever the batches were. Without a `seed` one is taken from the clock.
// Not here: `workers` are accepted for configurations that have them, but one thread generates: it is rarely the
// bottleneck, and rows keep their order.

import { BatchBuilder } from '../../runtime/batch/batch-builder.ts';
import { nearestName } from '../../runtime/nearest-name.ts';
import { ConfigUnknownKey } from '../sdk/configuration-errors.ts';
import type { ParameterValues } from '../sdk/parameters.ts';
import {
  defineSource,
  type Payload,
  type Position,
  type Source,
  type SourceContext,
  type SourceDefinition,
} from '../sdk/source.ts';
import { wait } from '../sdk/wait.ts';
import { fillBatch } from './column-filler.ts';
import { datagenDeclaration } from './declarations.ts';
import { type FieldPlan, planField } from './field-plan.ts';

const batchRowsMax = 10_000;
/** With a rate and no `worker_chunk_size`, so many batches are made in a second. */
const batchesPerSecond = 10;

export const datagen: SourceDefinition = defineSource({
  ...datagenDeclaration,
  create: (configuration, context) => new GeneratorSource(configuration, context),
});

interface RowPlan {
  readonly limit: number;
  /** Rows a millisecond. */
  readonly rate: number;
  readonly chunkRows: number;
  readonly fields: readonly FieldPlan[];
}

class GeneratorSource implements Source {
  readonly #context: SourceContext;
  readonly #configuration: ParameterValues;
  #plans: readonly RowPlan[] = [];
  #seed: number;
  #plan = 0;
  #row = 0;

  constructor(configuration: ParameterValues, context: SourceContext) {
    this.#context = context;
    this.#configuration = configuration;
    this.#seed = Number(configuration['seed'] ?? context.clock.now());
  }

  /** Not earlier: who is told that it is deleted may have no table any more. */
  configure(): void {
    // SAFETY: the values have been validated against the parameters above.
    const given = (this.#configuration['plan'] ?? [{}]) as readonly ParameterValues[];
    this.#plans = given.map((plan) => planRows(plan, this.#context));
  }

  async open(position: Position | null): Promise<void> {
    this.configure();
    if (position === null) return;
    this.#plan = Number(position['plan']);
    this.#row = Number(position['row']);
    this.#seed = Number(position['seed']);
  }

  async *read(): AsyncIterable<Payload> {
    for (; this.#plan < this.#plans.length; this.#plan++) {
      const plan = this.#plans[this.#plan];
      if (plan === undefined) return;
      yield* this.#readPlan(plan);
      if (this.#context.signal.aborted) return;
      this.#row = 0;
    }
  }

  recordsTotal(): number | null {
    const total = this.#plans.reduce((sum, plan) => sum + plan.limit, 0);
    return Number.isFinite(total) ? total : null;
  }

  async *#readPlan(plan: RowPlan): AsyncIterable<Payload> {
    const { clock, signal, relation } = this.#context;
    const firstRow = this.#row;
    const startedAt = clock.monotonic();
    while (this.#row < plan.limit && !signal.aborted) {
      const rows = Math.min(plan.chunkRows, plan.limit - this.#row);
      // The arrays of a finished batch are its own, so a builder serves one batch.
      const builder = new BatchBuilder(relation.schema, rows);
      const batch = fillBatch(builder, plan.fields, this.#seed, this.#plan, this.#row, rows);
      this.#row += rows;
      const position = { plan: this.#plan, row: this.#row, seed: this.#seed };
      yield { kind: 'batch', batch, position };
      const due = startedAt + (this.#row - firstRow) / plan.rate;
      if (due > clock.monotonic() && this.#row < plan.limit) {
        yield { kind: 'idle' };
        // Timers may fire early by a fraction.
        for (let left = due - clock.monotonic(); left > 0 && !signal.aborted; left = due - clock.monotonic()) {
          await wait(clock, left, signal);
        }
      }
    }
  }
}

/** @throws a coded error when the settings do not fit the table. */
function planRows(plan: ParameterValues, context: SourceContext): RowPlan {
  // SAFETY: the values have been validated against the parameters above.
  const settings = (plan['fields'] ?? {}) as Readonly<Record<string, ParameterValues>>;
  const { fields } = context.relation.schema;
  const byColumn = new Map<string, ParameterValues>();
  for (const [key, value] of Object.entries(settings)) {
    const field = fields.find(({ name, quoted }) => name === key || (quoted !== true && name === key.toLowerCase()));
    if (field === undefined) {
      const names = fields.map(({ name }) => name);
      const owner = `table ${context.relation.name}`;
      throw new ConfigUnknownKey({ key, owner }, { suggestion: nearestName(key, names) });
    }
    byColumn.set(field.name, value);
  }
  const rate = Number(plan['rate'] ?? Number.POSITIVE_INFINITY) / 1000;
  const usual = Number.isFinite(rate) ? Math.max(1, Math.floor((rate * 1000) / batchesPerSecond)) : batchRowsMax;
  return {
    limit: Number(plan['limit'] ?? Number.POSITIVE_INFINITY),
    rate,
    chunkRows: Math.min(batchRowsMax, Number(plan['worker_chunk_size'] ?? usual)),
    fields: fields.map((field) => planField(field, byColumn.get(field.name) ?? {})),
  };
}
