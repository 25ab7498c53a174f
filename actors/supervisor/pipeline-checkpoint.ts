// Checkpoints of one pipeline: a consistent image of the circuit's state as of a step, of how far each input had come by then, and of what
// outputs that deliver exactly once were sent by then, which each of them has made safe (output-preparation.ts).
//
//   engine: image of step n, barriers ─► outputs: prepared ─► the image is given out ─► it is on disk ─► sources are told, outputs commit
import type { ActorRef } from '../../runtime/actor/actor.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { EngineCheckpoint, EngineMessage } from '../engine/messages.ts';
import type { ConnectorRoster } from './connector-roster.ts';
import type { CheckpointState, OutputCheckpoint } from './messages.ts';
import type { OutputHandle } from './output-handle.ts';

export interface CheckpointParts {
  readonly engine: () => ActorRef<EngineMessage>;
  readonly roster: Pick<ConnectorRoster, 'inputs' | 'outputs'>;
  readonly fingerprint: CheckpointState['fingerprint'];
  readonly clock: Clock;
  /** Unique to this run. */
  readonly incarnation: string;
}

export class PipelineCheckpoints {
  readonly #parts: CheckpointParts;
  #taken = 0;
  /** Outputs of the latest image that was given out. */
  #outputs: readonly OutputCheckpoint[] = [];

  constructor(parts: CheckpointParts) {
    this.#parts = parts;
  }

  /** Somebody waits for one to be stored. */
  get areAwaited(): boolean {
    const { inputs, outputs } = this.#parts.roster;
    return [...inputs, ...outputs].some((handle) => handle.awaitsCheckpoint);
  }

  /** However long it takes: a step may be under way, and the state may be large. @throws CheckpointHeldBack */
  async take(signal: AbortSignal): Promise<CheckpointState> {
    const { engine, roster, fingerprint, incarnation, clock } = this.#parts;
    const checkpoint = `${incarnation}:${++this.#taken}`;
    const exact = roster.outputs.filter((output) => output.preparation !== null);
    for (const output of exact) output.preparation?.refuseFailed();
    // What they answer may be heard before the engine is.
    for (const output of exact) output.preparation?.expect(checkpoint);
    try {
      const message = { kind: 'checkpoint', checkpoint } as const;
      const options = { signal, deadlineMs: Number.POSITIVE_INFINITY };
      const taken = await engine().ask<EngineCheckpoint>(message, options);
      const image = await this.#imageOf(taken, fingerprint);
      const since = clock.monotonic();
      const outputs = await preparedOutputs(exact, taken.barriers, checkpoint, signal);
      this.#outputs = outputs;
      return { ...image, outputs, awaitedMs: clock.monotonic() - since };
    } finally {
      for (const output of exact) output.preparation?.forget(checkpoint);
    }
  }

  /** The latest image is on disk. Resolves when outputs have committed it, or have been given time to. */
  async stored(): Promise<void> {
    const { inputs, outputs } = this.#parts.roster;
    for (const input of inputs) input.checkpointStored();
    const committed = this.#outputs.map(async ({ endpoint, checkpoint }) => {
      const output = outputs.find(({ connector }) => connector.endpoint === endpoint);
      await output?.preparation?.commit(checkpoint);
    });
    await Promise.all(committed);
  }

  async #imageOf(taken: EngineCheckpoint, fingerprint: string): Promise<CheckpointState> {
    const counted = new Map(taken.inputs.map((input) => [input.endpoint, input]));
    const inputs = await Promise.all(
      this.#parts.roster.inputs.map((input) => {
        const { takenRecords = 0, ended = false } = counted.get(input.connector.endpoint) ?? {};
        return input.checkpoint(takenRecords, ended);
      }),
    );
    const { steps, processedRecords } = taken;
    const parts = taken.parts.map((bytes, n) => ({ name: `circuit-${String(n).padStart(5, '0')}`, bytes }));
    return { fingerprint, steps, processedRecords, parts, inputs };
  }
}

/** Those that a checkpoint is theirs as well; one that was not attached then has been sent nothing that the image holds. */
async function preparedOutputs(
  outputs: readonly OutputHandle[],
  barriers: EngineCheckpoint['barriers'],
  checkpoint: string,
  signal: AbortSignal,
): Promise<readonly OutputCheckpoint[]> {
  const prepared = outputs.map(async ({ connector, preparation }): Promise<readonly OutputCheckpoint[]> => {
    const { endpoint } = connector;
    const barrier = barriers.find((each) => each.endpoint === endpoint) ?? null;
    const isPart = await preparation?.prepared(checkpoint, barrier, signal);
    return isPart === true ? [{ endpoint, checkpoint }] : [];
  });
  return (await Promise.all(prepared)).flat();
}
