// The actor that holds a connector only to tell it that it is gone.
//
// The instance is made with the first call and torn down by `end`, also when the call has failed; otherwise by the actor's end.
// Sources and destinations differ only in how they are made.
import type { CheckpointNote } from '../connectors/sdk/destination.ts';
import type { ParameterValues } from '../connectors/sdk/parameters.ts';
import type { Actor, ActorContext, Behaviour, Reply } from '../runtime/actor/actor.ts';
import { unreachable } from '../runtime/assert.ts';
import { type CodedErrorClass, defineError } from '../runtime/errors.ts';
import { phaseOf, tellEvent } from './connector-calls.ts';
import type { RecoveredCheckpoint, TrialArguments, TrialMessage, TrialNotice } from './connector-trial-messages.ts';

export const OutputLeftBehind: CodedErrorClass<{ readonly checkpoint: string; readonly reason: string }> = defineError(
  'checkpoint.output_gone',
  {
    help: 'Start the pipeline once more with the output as it was, so that it delivers what it had prepared, and stop it; then rename or remove the output. Or clear the storage of the pipeline.',
  },
  (f) =>
    `an output that delivers exactly once is gone, and what it was prepared for by checkpoint ${f.checkpoint} cannot be delivered: ${f.reason}`,
);

export interface TrialConnector {
  configure?(): Promise<void> | void;
  /** A source has a position to be opened with; only destinations are opened here. */
  open?(position: null): Promise<void>;
  recover?(checkpoint: string, note: CheckpointNote | null): Promise<void>;
  teardown?(): Promise<void> | void;
  onCreated?(configuration: ParameterValues): Promise<void>;
  onUpdated?(before: ParameterValues, after: ParameterValues): Promise<void>;
  onDeleted?(configuration: ParameterValues): Promise<void>;
}

type Context = ActorContext<TrialMessage, TrialNotice>;

export function trialBehaviour<Args extends TrialArguments>(
  make: (args: Args, context: Context, signal: AbortSignal) => Promise<TrialConnector>,
): Behaviour<Args, TrialMessage, TrialNotice> {
  return (args, context) => new TrialActor((signal) => make(args, context, signal), context);
}

class TrialActor implements Actor<TrialMessage> {
  readonly #make: (signal: AbortSignal) => Promise<TrialConnector>;
  readonly #context: Context;
  readonly #abort = new AbortController();
  #connector: TrialConnector | null = null;

  constructor(make: (signal: AbortSignal) => Promise<TrialConnector>, context: Context) {
    this.#make = make;
    this.#context = context;
  }

  receive(message: TrialMessage, reply: Reply): void {
    switch (message.kind) {
      case 'tell': {
        const { call, recovers } = message;
        this.#recover(recovers)
          .then(() => this.#call(phaseOf(call), (connector) => tellEvent(connector, call)))
          .then(reply.resolve, reply.reject);
        return;
      }
      case 'end':
        this.stop().then(reply.resolve, reply.reject);
        return;
      default:
        unreachable(message);
    }
  }

  async stop(): Promise<void> {
    const connector = this.#connector;
    this.#connector = null;
    this.#abort.abort();
    if (connector === null) return;
    this.#context.notify({ kind: 'phase', phase: 'teardown' });
    await connector.teardown?.();
    this.#context.notify({ kind: 'phase', phase: null });
  }

  async #recover(recovered: RecoveredCheckpoint | undefined): Promise<void> {
    if (recovered === undefined) return;
    const { checkpoint, note = null } = recovered;
    const connector = await this.#make(this.#abort.signal);
    try {
      this.#context.notify({ kind: 'phase', phase: 'open' });
      await connector.open?.(null);
      await connector.recover?.(checkpoint, note);
    } catch (error) {
      throw new OutputLeftBehind(
        { checkpoint, reason: error instanceof Error ? error.message : String(error) },
        { cause: error },
      );
    } finally {
      await connector.teardown?.();
    }
  }

  async #call(phase: TrialNotice['phase'], call: (connector: TrialConnector) => Promise<void>): Promise<void> {
    this.#connector ??= await this.#make(this.#abort.signal);
    this.#context.notify({ kind: 'phase', phase });
    await call(this.#connector);
    this.#context.notify({ kind: 'phase', phase: null });
  }
}
