// Makes the actor that stands between a pipeline's inputs and outputs: the engine, or the relay where there is no SQL.
import { type ActorRef, actorId } from '../../runtime/actor/actor.ts';
import type { EngineArguments, EngineMessage, EngineNotice } from '../engine/messages.ts';
import type { SupervisorArguments } from './supervisor-arguments.ts';

/** Whoever has the actor host may prepare it before there is a supervisor. */
export const engineThread = 'engine';

/** With the state of the checkpoint that the pipeline goes on from, whose parts move to the engine's thread. */
export async function spawnEngine(
  { program, onError, stepRowsMax, workers = 1, host, relay, restore: image }: SupervisorArguments,
  onNotice: (notice: EngineNotice) => void,
): Promise<ActorRef<EngineMessage>> {
  const common = { id: actorId('engine'), thread: engineThread, onNotice };
  if (relay !== null) return await host.spawn({ ...common, behaviour: 'relay', args: relay.args, transfer: [] });
  const parts = (image?.parts ?? []).map(({ bytes }) => bytes);
  const restore = image && { steps: image.steps, processedRecords: image.processedRecords, parts };
  const args: EngineArguments = { program, onError, stepRowsMax, workers, restore };
  return await host.spawn<EngineMessage, EngineNotice>({ ...common, behaviour: 'engine', args, transfer: parts });
}
