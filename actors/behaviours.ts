// The composition root of a worker thread: which actors there are, by name, and what they share on one thread.
//
// Loaded once by each thread (runtime/thread/worker-entry.ts). The decoding pool is made here and not in a module of its own,
// since it belongs to the thread: all sources that are placed on it share it. It has no thread before it is needed.
import type { AnyBehaviour } from '../runtime/actor/actor-loop.ts';
import { destinationBehaviour } from './destination/destination-actor.ts';
import { engineBehaviour } from './engine/engine-actor.ts';
import { compileCircuit } from './engine/program-circuit.ts';
import { DecodePool } from './source/decode-pool.ts';
import { sourceBehaviour } from './source/source-actor.ts';

// SAFETY: a behaviour is found by its name; that its arguments and messages fit is the contract of its messages.ts, and
// the only caller that knows the name is the supervisor, which is written against that contract.
const any = (behaviour: unknown): AnyBehaviour => behaviour as AnyBehaviour;

export const behaviours: Readonly<Record<string, AnyBehaviour>> = {
  source: any(sourceBehaviour(new DecodePool())),
  destination: any(destinationBehaviour()),
  engine: any(engineBehaviour(compileCircuit)),
};
