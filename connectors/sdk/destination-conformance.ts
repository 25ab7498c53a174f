// What every destination has to get right, as a list of named checks. The checks drive it as the runtime does: one call after another,
// teardown always, also without open. They prove the contract, not that the right thing was written; `written` may look at that.
import type { Relation } from '../../runtime/batch/schema.ts';
import { type Clock, systemClock } from '../../runtime/clock.ts';
import {
  type ConformanceCase,
  check,
  leavesNothing,
  refusesMissingParameters,
  refusesUnknownParameter,
} from './conformance-check.ts';
import type { Destination, DestinationContext, DestinationDefinition, Outgoing } from './destination.ts';
import { recordBatchOf, recordRelation } from './record-batch.ts';
import { validateSettings } from './setting-rules.ts';

export interface DestinationConformanceOptions {
  /** A valid configuration, for a destination that may be opened again and again. */
  readonly configuration: Readonly<Record<string, unknown>>;
  /** Default: that of records. */
  readonly relation?: Relation;
  /** What it is written, twice or more; default: records. */
  readonly outgoing?: readonly Outgoing[];
  readonly baseFolder?: string;
  readonly clock?: Clock;
  /** How many rows can be seen outside, where that can be counted. */
  readonly written?: () => Promise<number>;
}

export function destinationConformance(
  definition: DestinationDefinition,
  options: DestinationConformanceOptions,
): readonly ConformanceCase[] {
  const harness = new Harness(definition, options);
  const { name, parameters } = definition;
  const { configuration } = options;
  return [
    { title: `${name} is torn down without having been opened`, run: () => harness.tearDownUnopened() },
    {
      title: `${name} refuses a parameter that it does not declare`,
      run: async () => refusesUnknownParameter(parameters, configuration),
    },
    {
      title: `${name} refuses a configuration that lacks a required parameter`,
      run: async () => refusesMissingParameters(parameters, configuration),
    },
    { title: `${name} may be opened, flushed and torn down without a write`, run: () => harness.flushNothing() },
    {
      title: `${name} answers for every row that it was written, in order, and for no other`,
      run: () => harness.write(),
    },
    { title: `${name} is torn down in the middle of what it writes`, run: () => harness.tearDownEarly() },
    { title: `${name} leaves nothing open behind`, run: () => leavesNothing(() => harness.write()) },
  ];
}

interface Made {
  readonly destination: Destination;
  readonly controller: AbortController;
  /** Rows that it has answered for. */
  readonly answered: () => number;
  /** Those among them that it did not take. */
  readonly refused: () => number;
  /** Resolves when it has answered for so many, or has failed. */
  readonly until: (rows: number) => Promise<void>;
}

class Harness {
  readonly #definition: DestinationDefinition;
  readonly #options: DestinationConformanceOptions;

  constructor(definition: DestinationDefinition, options: DestinationConformanceOptions) {
    this.#definition = definition;
    this.#options = options;
  }

  async tearDownUnopened(): Promise<void> {
    const { destination } = this.#make();
    await destination.teardown?.();
    const configured = this.#make().destination;
    await configured.configure?.();
    await configured.teardown?.();
  }

  async flushNothing(): Promise<void> {
    const { destination, answered } = this.#make();
    try {
      await destination.configure?.();
      await destination.open();
      await destination.flush?.();
      await destination.flush?.();
      await destination.stop?.();
    } finally {
      await destination.teardown?.();
    }
    check(answered() === 0, 'a destination that was written nothing answers for nothing');
  }

  async write(): Promise<void> {
    const { written } = this.#options;
    const before = (await written?.()) ?? 0;
    const { destination, until, answered, refused } = this.#make();
    let rows = 0;
    let all = 0;
    try {
      await destination.configure?.();
      await destination.open();
      for (let round = 0; round < 2; round++) {
        for (const data of this.#outgoing) {
          rows += data.kind === 'batch' ? data.batch.rows : data.records;
          this.#writtenRows = rows;
          await destination.write(data);
        }
        await destination.flush?.();
        all = rows;
        await until(all);
      }
      await destination.stop?.();
    } finally {
      await destination.teardown?.();
    }
    if (this.#definition.acknowledges === true) check(answered() === rows, 'every row is answered for');
    if (written === undefined) return;
    check((await written()) - before === rows - refused(), 'every row that it took can be seen outside');
  }

  async tearDownEarly(): Promise<void> {
    const { destination, controller } = this.#make();
    await destination.configure?.();
    await destination.open();
    const [first] = this.#outgoing;
    if (first !== undefined) {
      this.#writtenRows = first.kind === 'batch' ? first.batch.rows : first.records;
      await destination.write(first);
    }
    controller.abort();
    await destination.teardown?.();
  }

  #writtenRows = 0;

  get #outgoing(): readonly Outgoing[] {
    return this.#options.outgoing ?? defaultOutgoing;
  }

  #make(): Made {
    const { configuration, relation = recordRelation, baseFolder, clock } = this.#options;
    const { values, problems } = validateSettings(
      this.#definition,
      configuration,
      () => ({}),
      [],
      this.#definition.name,
    );
    if (problems[0] !== undefined) throw problems[0];
    const controller = new AbortController();
    const acknowledges = this.#definition.acknowledges === true;
    let answered = 0;
    let refused = 0;
    let failure: Error | null = null;
    let wake: () => void = () => {};
    this.#writtenRows = 0;
    const answer = (count: number): void => {
      answered += count;
      // Nobody is called who could hear of it here: the check comes with the next one that waits.
      if (answered > this.#writtenRows)
        failure ??= new Error(`${answered} rows are answered for, of ${this.#writtenRows}`);
      wake();
    };
    const context: DestinationContext = {
      endpoint: `${relation.name}.conformance`,
      relation,
      signal: controller.signal,
      baseFolder: baseFolder ?? process.cwd(),
      clock: clock ?? systemClock,
      reportError: () => {},
      acknowledged: answer,
      refused: () => {
        refused++;
        answer(1);
      },
      failed: (error) => {
        failure = error;
        wake();
      },
      log: () => {},
    };
    return {
      destination: this.#definition.create(values, context),
      controller,
      answered: () => answered,
      refused: () => refused,
      until: async (rows) => {
        while (acknowledges && answered < rows && failure === null) {
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        }
        if (failure !== null) throw failure;
      },
    };
  }
}

const defaultOutgoing: readonly Outgoing[] = [3, 1].map((rows, part) => ({
  kind: 'batch',
  batch: recordBatchOf(
    Array.from({ length: rows }, (_, i) => ({
      position: new TextEncoder().encode(`${part} ${i}`),
      operation: 'create',
      metadata: { part: String(part) },
      key: new TextEncoder().encode(`key ${i}`),
      before: null,
      after: { number: BigInt(i) + 2n ** 60n, text: 'zażółć', bytes: Uint8Array.of(0, 255, i) },
    })),
  ),
}));
