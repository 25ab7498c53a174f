// One consistent image of a pipeline: the circuit's state as of a step, and how far each input had come by then.
import type { ActorRef } from '../../runtime/actor/actor.ts';
import type { EngineCheckpoint, EngineMessage } from '../engine/messages.ts';
import type { InputHandle } from './input-handle.ts';
import type { CheckpointState } from './messages.ts';

/** However long the engine takes: a step may be under way, and the state may be large. */
export async function takeCheckpoint(
  engine: ActorRef<EngineMessage>,
  handles: readonly InputHandle[],
  fingerprint: CheckpointState['fingerprint'],
  signal: AbortSignal,
): Promise<CheckpointState> {
  const taken = await engine.ask<EngineCheckpoint>(
    { kind: 'checkpoint' },
    { signal, deadlineMs: Number.POSITIVE_INFINITY },
  );
  const counted = new Map(taken.inputs.map((input) => [input.endpoint, input]));
  const inputs = await Promise.all(
    handles.map((input) => {
      const { takenRecords = 0, ended = false } = counted.get(input.connector.endpoint) ?? {};
      return input.checkpoint(takenRecords, ended);
    }),
  );
  const { steps, processedRecords } = taken;
  const parts = taken.parts.map((bytes, n) => ({ name: `circuit-${String(n).padStart(5, '0')}`, bytes }));
  return { fingerprint, steps, processedRecords, parts, inputs };
}
