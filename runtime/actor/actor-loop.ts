// The actors of one thread: makes them from the program's behaviours and hands them their messages.
//
// One loop lives on each worker thread (thread/worker-entry.ts exposes it to the actor system) and one on the system's own
// thread for actors placed 'here'. It knows its actors by id and nothing of other threads.
import { MessagePort, type TransferListItem } from 'node:worker_threads';
import { type CodedErrorClass, defineError } from '../errors.ts';
import { Gauges } from '../metrics.ts';
import { nearestName } from '../nearest-name.ts';
import type { ActorId, Behaviour } from './actor.ts';
import { ActorCell, type Answer, type CellSurroundings } from './actor-cell.ts';
import { ActorGone } from './request.ts';

/** A behaviour of which nothing is known but that it is one. One that is loaded late may say how it is loaded earlier. */
export type AnyBehaviour = Behaviour<unknown, unknown, unknown> & {
  /** `expected`: what is known of the actors to come, for a behaviour that can load more by it. */
  readonly load?: (expected: unknown) => Promise<unknown>;
};
export type Behaviours = Readonly<Record<string, AnyBehaviour>>;

/** What an actor is made from. Everything in it survives a structured clone. */
export interface ActorSpec {
  readonly actor: ActorId;
  readonly behaviour: string;
  readonly args: unknown;
  readonly gauges: SharedArrayBuffer;
}

export const UnknownBehaviour: CodedErrorClass<{ readonly behaviour: string }> = defineError(
  'actor.unknown_behaviour',
  { help: 'Name one of the behaviours that the behaviours module exports.' },
  (f) => `there is no behaviour "${f.behaviour}"`,
);

export const BehavioursUnreadable: CodedErrorClass<{ readonly url: string }> = defineError(
  'actor.behaviours_unreadable',
  { help: 'The behaviours module must exist, load, and export an object named `behaviours`.' },
  (f) => `cannot read behaviours from ${f.url}`,
);

/** Imports the module that maps names to behaviours. @throws BehavioursUnreadable */
export async function importBehaviours(url: string): Promise<Behaviours> {
  let found: unknown;
  try {
    const module: { readonly behaviours?: unknown } = await import(url);
    found = module.behaviours;
  } catch (cause) {
    throw new BehavioursUnreadable({ url }, { cause });
  }
  if (typeof found !== 'object' || found === null) throw new BehavioursUnreadable({ url });
  // SAFETY: the module is part of the program; what it exports under this name is a record of behaviours by contract.
  return found as Behaviours;
}

export class ActorLoop {
  readonly #behaviours: Behaviours;
  readonly #surroundings: CellSurroundings;
  readonly #cells = new Map<ActorId, ActorCell>();

  constructor(behaviours: Behaviours, surroundings: CellSurroundings) {
    this.#behaviours = behaviours;
    this.#surroundings = surroundings;
  }

  /** Resolves when the actor has started. @throws UnknownBehaviour, or what the behaviour threw. */
  async spawn(spec: ActorSpec): Promise<void> {
    const behaviour = Object.hasOwn(this.#behaviours, spec.behaviour) ? this.#behaviours[spec.behaviour] : undefined;
    if (behaviour === undefined) {
      const suggestion = nearestName(spec.behaviour, Object.keys(this.#behaviours));
      throw new UnknownBehaviour({ behaviour: spec.behaviour }, { suggestion });
    }
    const { clock, report } = this.#surroundings;
    const cell: ActorCell = new ActorCell(spec.actor, new Gauges(spec.gauges), {
      clock,
      report: (said) => {
        // A detached actor may go on for a while; its successor of the same name must not be blamed for it.
        if (this.#cells.get(spec.actor) !== cell) return;
        if (said.kind === 'failed') this.#cells.delete(spec.actor);
        report(said);
      },
    });
    this.#cells.set(spec.actor, cell);
    try {
      await cell.start(behaviour, spec.args);
    } catch (error) {
      this.#cells.delete(spec.actor);
      closePorts(spec.args);
      throw error;
    }
  }

  /** Loads what a behaviour is made of, ahead of its first actor. @throws what loading threw; so does the spawn. */
  async prepare(behaviour: string, expected: unknown): Promise<void> {
    if (Object.hasOwn(this.#behaviours, behaviour)) await this.#behaviours[behaviour]?.load?.(expected);
  }

  tell(actor: ActorId, message: unknown): void {
    this.#cells.get(actor)?.tell(message);
  }

  ask(actor: ActorId, message: unknown): Promise<Answer> {
    const cell = this.#cells.get(actor);
    return cell === undefined ? Promise.reject(new ActorGone({ actor })) : cell.ask(message);
  }

  /** Resolves when every actor has come round to its mailbox. */
  async ping(): Promise<void> {
    await Promise.all([...this.#cells.values()].map((cell) => cell.ping()));
  }

  async stop(actor: ActorId): Promise<void> {
    const cell = this.#cells.get(actor);
    await cell?.stop();
    if (this.#cells.get(actor) === cell) this.#cells.delete(actor);
  }

  /** Forgets an actor that does not stop. What it still does reaches nobody. */
  detach(actor: ActorId): void {
    this.#cells.delete(actor);
  }
}

/** Closes the ports that were handed to an actor that never was, so that their other ends hear of it. */
function closePorts(args: unknown): void {
  if (typeof args !== 'object' || args === null) return;
  for (const value of Object.values(args)) if (value instanceof MessagePort) value.close();
}

/** What the actor system calls on a worker thread, by comlink. Messages travel in an object so that they can be transferred. */
export interface ThreadHost {
  /** Resolves when the behaviours are loaded. */
  ready(): Promise<void>;
  prepare(behaviour: string, expected: unknown): Promise<void>;
  spawn(spec: ActorSpec): Promise<void>;
  tell(envelope: Envelope): void;
  ask(envelope: Envelope): Promise<{ readonly value: unknown }>;
  ping(): Promise<void>;
  stop(actor: ActorId): Promise<void>;
  detach(actor: ActorId): void;
}

export interface Envelope {
  readonly actor: ActorId;
  readonly message: unknown;
}

export type Transfer = readonly TransferListItem[];
