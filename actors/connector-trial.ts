// The actor that holds a connector only to tell it that it is gone.
//
// The instance is made with the first call and torn down by `end`, also when the call has failed; otherwise by the actor's end.
// Sources and destinations differ only in how they are made.
import type { ParameterValues } from '../connectors/sdk/parameters.ts';
import type { Actor, ActorContext, Behaviour, Reply } from '../runtime/actor/actor.ts';
import { unreachable } from '../runtime/assert.ts';
import { phaseOf, tellEvent } from './connector-calls.ts';
import type { TrialArguments, TrialMessage, TrialNotice } from './connector-trial-messages.ts';

export interface TrialConnector {
  configure?(): Promise<void> | void;
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
        const { call } = message;
        this.#call(phaseOf(call), (connector) => tellEvent(connector, call)).then(reply.resolve, reply.reject);
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

  async #call(phase: TrialNotice['phase'], call: (connector: TrialConnector) => Promise<void>): Promise<void> {
    this.#connector ??= await this.#make(this.#abort.signal);
    this.#context.notify({ kind: 'phase', phase });
    await call(this.#connector);
    this.#context.notify({ kind: 'phase', phase: null });
  }
}
