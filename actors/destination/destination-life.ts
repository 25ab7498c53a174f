// The destination of one output connector through its life, with the processors and the schema access that it needs:
//
//   prepare (configure, lifecycle event) ─► open (and recover) ─► stop ─► teardown
//
// The actor (destination-actor.ts) decides when; each call is made once and told as a phase while it lasts. What is torn down is torn down
// whole: a call that throws keeps nothing after it from being made. Not here: rows and flushes, which are the actor's turns.
import type { ConnectorRegistry } from '../../connectors/sdk/connector.ts';
import type { Destination } from '../../connectors/sdk/destination.ts';
import type { Encoder } from '../../connectors/sdk/format.ts';
import type { ProcessorChain } from '../../connectors/sdk/processor-chain.ts';
import type { SchemaClient } from '../../connectors/standalone/schema-client.ts';
import type { ActorContext } from '../../runtime/actor/actor.ts';
import { errorToData } from '../../runtime/errors.ts';
import { type LifecycleCall, phaseOf, tellEvent } from '../connector-calls.ts';
import { makeChain } from '../processor-opening.ts';
import { openSchemas } from '../schema-access.ts';
import { type DestinationWords, type OpenedDestination, openDestination, openEncoder } from './destination-opening.ts';
import type { DestinationArguments, DestinationMessage, DestinationNotice } from './messages.ts';

type Surroundings = Pick<ActorContext<DestinationMessage, DestinationNotice>, 'clock' | 'log' | 'notify'>;

export class DestinationLife {
  readonly #args: DestinationArguments;
  readonly #connectors: ConnectorRegistry;
  readonly #surroundings: Surroundings;
  readonly #words: Omit<DestinationWords, 'clock'>;
  #made: OpenedDestination | null = null;
  #chain: ProcessorChain | null = null;
  #schemas: SchemaClient | null = null;
  #isOpen = false;
  #hasStopped = false;

  /** `words`: what the destination may say, and the signal that ends it. */
  constructor(
    args: DestinationArguments,
    connectors: ConnectorRegistry,
    surroundings: Surroundings,
    words: Omit<DestinationWords, 'clock'>,
  ) {
    this.#args = args;
    this.#connectors = connectors;
    this.#surroundings = surroundings;
    this.#words = words;
  }

  /** Null before it is prepared. */
  get destination(): Destination | null {
    return this.#made?.destination ?? null;
  }

  /** Null: nothing stands between the rows and the destination. */
  get chain(): ProcessorChain | null {
    return this.#chain;
  }

  /** Each flush ends what the encoder writes. */
  get streamPerFlush(): boolean {
    return this.#made?.streamPerFlush === true;
  }

  /** Makes and configures it, and tells it the event of its lifecycle. @throws a coded error, or what the destination throws */
  async prepare(event: LifecycleCall | null): Promise<OpenedDestination> {
    const made = await this.#make();
    const { destination } = made;
    this.enter('configure');
    await destination.configure?.();
    if (event !== null) {
      this.enter(phaseOf(event));
      await tellEvent(destination, event);
    }
    this.enter(null);
    return made;
  }

  /** `recovers`: it is told which checkpoint the pipeline goes on from. @throws what the destination throws */
  async open(recovers: boolean): Promise<void> {
    this.enter('open');
    await this.destination?.open();
    this.#isOpen = true;
    const { checkpoint = null, note = null } = this.#args.recovered ?? {};
    if (recovers) await this.destination?.recover?.(checkpoint, note);
    await this.#chain?.open();
    this.enter(null);
  }

  /** Once, when it has been opened. @throws what the destination throws */
  async stop(): Promise<void> {
    if (this.#hasStopped || !this.#isOpen) return;
    this.#hasStopped = true;
    const { destination } = this;
    if (destination?.stop === undefined) return;
    this.enter('stop');
    await destination.stop();
    this.enter(null);
  }

  /** What it throws is told. */
  async teardown(): Promise<void> {
    const { destination } = this;
    if (destination !== null) this.enter('teardown');
    try {
      await destination?.teardown?.();
      this.enter(null);
    } catch (error) {
      this.enter(null);
      this.#surroundings.notify({ kind: 'teardown failed', error: errorToData(error) });
    } finally {
      await this.#chain?.teardown();
      await this.#schemas?.close();
    }
  }

  /** Null: the destination takes batches. @throws a coded error when the configuration does not fit */
  encoder(): Promise<Encoder | null> {
    const { signal, reportError } = this.#words;
    return openEncoder(this.#args, this.#connectors, { signal, reportError, clock: this.#surroundings.clock });
  }

  /** Which call of the destination is under way; null: none. */
  enter(phase: Extract<DestinationNotice, { kind: 'phase' }>['phase']): void {
    this.#surroundings.notify({ kind: 'phase', phase });
  }

  async #make(): Promise<OpenedDestination> {
    const { clock, log } = this.#surroundings;
    const { signal } = this.#words;
    const { processors = [], baseFolder } = this.#args;
    this.#schemas = await openSchemas(this.#args.schemas, clock);
    const schemas = this.#schemas === null ? {} : { schemas: this.#schemas };
    if (processors.length > 0)
      this.#chain = await makeChain(processors, this.#connectors, { baseFolder, signal, clock, log, ...schemas });
    const words = { ...this.#words, clock, ...schemas };
    this.#made = await openDestination(this.#args, this.#connectors, words);
    return this.#made;
  }
}
