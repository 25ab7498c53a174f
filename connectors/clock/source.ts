// clock: the time, over and over: what NOW() reads.
//
// A pipeline whose program says NOW() has one, on its relation `now`; nobody has to configure it. The first tick comes at once,
// then one at each multiple of the resolution, whose time it carries. A tick that finds the engine busy waits and is late, none is
// made up for. There is no position to go on from: time goes on by itself.
import { BatchBuilder } from '../../runtime/batch/batch-builder.ts';
import { writeCell } from '../../runtime/batch/scalar-values.ts';
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
  ],
  create: (configuration, context) => new ClockSource(Number(configuration.clock_resolution_usecs), context),
});

class ClockSource implements Source {
  readonly #context: SourceContext;
  readonly #resolutionMs: number;

  constructor(resolutionMicros: number, context: SourceContext) {
    this.#context = context;
    this.#resolutionMs = Math.max(1, Math.round(resolutionMicros / 1000));
  }

  async open(): Promise<void> {}

  async *read(): AsyncIterable<Payload> {
    const { clock, signal, relation } = this.#context;
    const resolution = this.#resolutionMs;
    while (!signal.aborted) {
      const tick = Math.floor(clock.now() / resolution);
      const builder = new BatchBuilder(relation.schema, 1);
      builder.reserve(1);
      for (const column of builder.columns) writeCell(column, 0, BigInt(tick * resolution) * 1000n);
      builder.commitRow();
      yield { kind: 'batch', batch: builder.finish(), position: {} };
      yield { kind: 'idle' };
      const due = (tick + 1) * resolution;
      // Timers may fire early by a fraction.
      for (let left = due - clock.now(); left > 0 && !signal.aborted; left = due - clock.now()) {
        await wait(clock, left, signal);
      }
    }
  }
}
