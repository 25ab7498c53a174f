// Checkpoints of one pipeline: a consistent image of the circuit's state as of a step, of how far each input had come by then, and of what
// outputs that deliver exactly once were sent by then. It may be stored when every output has made that safe (output-preparation.ts):
// what is in it is not computed again.
//
//   engine: image of step n, barriers ─► outputs: prepared ─► the image is stored ─► sources are told, outputs commit
import type { ActorRef } from '../../runtime/actor/actor.ts';
import type { EngineCheckpoint, EngineMessage } from '../engine/messages.ts';
import type { ConnectorRoster } from './connector-roster.ts';
import type { CheckpointState, OutputCheckpoint } from './messages.ts';
import type { OutputHandle } from './output-handle.ts';

export interface CheckpointParts {
  readonly engine: () => ActorRef<EngineMessage>;
  readonly roster: Pick<ConnectorRoster, 'inputs' | 'outputs'>;
  readonly fingerprint: CheckpointState['fingerprint'];
  /** Unique to this run. */
  readonly incarnation: string;
  /** Rows may have come that no connector reads again. */
  readonly isPushed: () => boolean;
}

interface Taken {
  readonly checkpoint: string;
  readonly barriers: EngineCheckpoint['barriers'];
  /** Outputs that there were. */
  readonly handles: readonly OutputHandle[];
}

export class PipelineCheckpoints {
  readonly #parts: CheckpointParts;
  #count = 0;
  /** The latest image that was given out, and outputs that are to be told of it. */
  #taken: Taken | null = null;
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
    const { engine, roster, fingerprint, incarnation, isPushed } = this.#parts;
    const checkpoint = `${incarnation}:${++this.#count}`;
    const handles = roster.outputs.filter((output) => output.preparation !== null);
    // What they answer may be heard before the engine is.
    for (const output of handles) output.preparation?.expect(checkpoint, isPushed());
    this.#outputs = [];
    const message = { kind: 'checkpoint', checkpoint } as const;
    const taken = await engine().ask<EngineCheckpoint>(message, { signal, deadlineMs: Number.POSITIVE_INFINITY });
    this.#taken = { checkpoint, barriers: taken.barriers, handles };
    return await this.#imageOf(taken, fingerprint);
  }

  /** The latest image may be stored. Outputs that are to be told when it is. @throws CheckpointHeldBack, the signal's reason */
  async prepared(signal: AbortSignal): Promise<readonly OutputCheckpoint[]> {
    if (this.#taken === null) return [];
    const { checkpoint, barriers, handles } = this.#taken;
    const told = handles.map(async ({ connector, preparation }): Promise<readonly OutputCheckpoint[]> => {
      const { endpoint } = connector;
      const barrier = barriers.find((each) => each.endpoint === endpoint) ?? null;
      // One that was not attached then has been sent nothing that the image holds.
      const prepared = (await preparation?.prepared(checkpoint, barrier, signal)) ?? null;
      return prepared !== null && connector.isExactlyOnce === true ? [{ endpoint, ...prepared }] : [];
    });
    this.#outputs = (await Promise.all(told)).flat();
    return this.#outputs;
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
