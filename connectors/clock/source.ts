// clock: the time, over and over: what NOW() reads.
//
// A pipeline whose program says NOW() has one, on its relation `now`; nobody has to configure it. The first tick comes at once,
// then one at each multiple of the resolution, whose time it carries. A tick that finds the engine busy waits and is late, none is
// made up for. There is no position to go on from: time goes on by itself. With `fixed_millis` it ticks once, and whoever drives the clock
// sends later times himself.
import { BatchBuilder } from '../../runtime/batch/batch-builder.ts';
import { writeCell } from '../../runtime/batch/scalar-values.ts';
import type { ParameterValues } from '../sdk/parameters.ts';
import { defineSource, type Payload, type Source, type SourceContext, type SourceDefinition } from '../sdk/source.ts';
import { wait } from '../sdk/wait.ts';

export const clock: SourceDefinition = defineSource({
  name: 'clock',
  summary: 'The time, in ticks. Pipelines whose program says NOW() have it by themselves.',
  format: 'none',
  parameters: [
    {
      name: 'clock_resolution_usecs',
      type: { kind: 'integer', min: 1 },
      required: false,
      default: 1_000_000,
      description: 'Microseconds between ticks, at least a millisecond. NOW() is a multiple of it.',
    },
    {
      name: 'offset_millis',
      type: { kind: 'integer' },
      required: false,
      default: 0,
      description: 'Milliseconds that NOW() is ahead of the time of the machine, in UTC.',
    },
    {
      name: 'fixed_millis',
      type: { kind: 'integer' },
      required: false,
      description: 'NOW() is this, in milliseconds since 1970, and does not move by itself.',
    },
  ],
  create: (configuration, context) => new ClockSource(configuration, context),
});

class ClockSource implements Source {
  readonly #context: SourceContext;
  readonly #resolutionMs: number;
  readonly #offsetMs: number;
  readonly #fixedMs: number | null;

  constructor(configuration: ParameterValues, context: SourceContext) {
    const { clock_resolution_usecs: resolution, offset_millis: offset, fixed_millis: fixed } = configuration;
    this.#context = context;
    this.#resolutionMs = Math.max(1, Math.round(Number(resolution) / 1000));
    this.#offsetMs = Number(offset);
    this.#fixedMs = typeof fixed === 'number' ? fixed : null;
  }

  async open(): Promise<void> {}

  async *read(): AsyncIterable<Payload> {
    const { clock, signal } = this.#context;
    const resolution = this.#resolutionMs;
    if (this.#fixedMs !== null) {
      yield this.#tick(Math.floor(this.#fixedMs / resolution) * resolution);
      yield { kind: 'idle' };
      await new Promise<void>((resolve) => {
        if (signal.aborted) resolve();
        signal.addEventListener('abort', () => resolve(), { once: true });
      });
      return;
    }
    const now = (): number => clock.now() + this.#offsetMs;
    while (!signal.aborted) {
      const tick = Math.floor(now() / resolution);
      yield this.#tick(tick * resolution);
      yield { kind: 'idle' };
      const due = (tick + 1) * resolution;
      // Timers may fire early by a fraction.
      for (let left = due - now(); left > 0 && !signal.aborted; left = due - now()) {
        await wait(clock, left, signal);
      }
    }
  }

  #tick(milliseconds: number): Payload {
    const builder = new BatchBuilder(this.#context.relation.schema, 1);
    builder.reserve(1);
    for (const column of builder.columns) writeCell(column, 0, BigInt(milliseconds) * 1000n);
    builder.commitRow();
    return { kind: 'batch', batch: builder.finish(), position: {} };
  }
}
