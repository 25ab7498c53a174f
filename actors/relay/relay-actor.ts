// The relay actor: the engine of a pipeline without SQL. Frames of records come in on ports and go out on ports as they came.
//
// It speaks the engine's messages, so that supervisor and gateways need not know which of the two they have; what needs state or SQL
// is refused with a coded error. Nothing is decoded here but the rows that are refused, and the one frame of which an output
// that failed had settled a part. What is done when is in relay-loop.ts.
import { recordSchema } from '../../connectors/sdk/record-batch.ts';
import type { Actor, ActorContext, Behaviour, Reply } from '../../runtime/actor/actor.ts';
import { unreachable } from '../../runtime/assert.ts';
import { errorToData } from '../../runtime/errors.ts';
import { openFrameReceiver, openFrameSender } from '../../runtime/mailbox/port-channel.ts';
import type { EngineMessage, EngineNotice, OutputAttached } from '../engine/messages.ts';
import type { RelayArguments } from './messages.ts';
import { RelayEndpointUnknown, RelayUnsupported } from './relay-errors.ts';
import { RelayInput } from './relay-input.ts';
import { RelayLoop } from './relay-loop.ts';

type Context = ActorContext<EngineMessage, EngineNotice>;
type Attach<K extends EngineMessage['kind']> = Extract<EngineMessage, { kind: K }>;

export function relayBehaviour(): Behaviour<RelayArguments, EngineMessage, EngineNotice> {
  return (args, context) => new RelayActor(args, context);
}

class RelayActor implements Actor<EngineMessage> {
  readonly #loop: RelayLoop;

  constructor(args: RelayArguments, context: Context) {
    const { clock, gauges } = context;
    this.#loop = new RelayLoop({
      deadLetters: args.deadLetters,
      clock,
      gauges,
      notify: (notice) => context.notify(notice),
      schedule: (call) => setImmediate(call),
      defect: (error) => context.fail(error),
      onOver: (error) => context.notify({ kind: 'refused too often', error: errorToData(error) }),
    });
  }

  receive(message: EngineMessage, reply: Reply): void {
    switch (message.kind) {
      case 'attach input':
        this.#attachInput(message);
        reply.resolve();
        return;
      case 'detach input':
        this.#detachInput(message.endpoint, reply);
        return;
      case 'hold input':
      case 'release input':
        this.#hold(message.endpoint, message.kind === 'hold input', reply);
        return;
      case 'attach output':
        this.#attachOutput(message);
        reply.resolve({ step: this.#loop.steps } satisfies OutputAttached);
        return;
      case 'pause output':
      case 'resume output':
        this.#pause(message.endpoint, message.kind === 'pause output');
        reply.resolve();
        return;
      case 'detach output':
        this.#detachOutput(message.endpoint, message.abandon === true);
        reply.resolve();
        return;
      case 'progress':
        reply.resolve(this.#loop.progress);
        return;
      case 'drain':
        this.#loop.drain().then(reply.resolve, reply.reject);
        return;
      case 'query':
      case 'start transaction':
      case 'commit transaction':
      case 'checkpoint':
        reply.reject(new RelayUnsupported({ call: message.kind }));
        return;
      default:
        unreachable(message);
    }
  }

  stop(): void {
    this.#loop.stop();
  }

  #attachInput(message: Attach<'attach input'>): void {
    const { endpoint, port, limits, held, tellsRecords = false, replay } = message;
    const receiver = openFrameReceiver(port, { schema: recordSchema, limits });
    this.#loop.addInput(
      new RelayInput({
        endpoint,
        receiver,
        isHeld: held,
        tellsRecords,
        ...(replay === undefined ? {} : { replay }),
      }),
    );
  }

  /** What has come is on its way; what waits to be taken is taken first, unless nobody wants it. */
  #detachInput(endpoint: string, reply: Reply): void {
    const input = this.#loop.input(endpoint);
    if (input === undefined) {
      reply.reject(new RelayEndpointUnknown({ endpoint }));
      return;
    }
    this.#loop.removeInput(input);
    reply.resolve();
  }

  #hold(endpoint: string, isHeld: boolean, reply: Reply): void {
    const input = this.#loop.input(endpoint);
    if (input === undefined) {
      reply.reject(new RelayEndpointUnknown({ endpoint }));
      return;
    }
    input.isHeld = isHeld;
    this.#loop.wake();
    reply.resolve();
  }

  #attachOutput(message: Attach<'attach output'>): void {
    const { endpoint, port, limits, onFull, keepsUnsettled: isKept = false } = message;
    const sender = openFrameSender(port, { schema: recordSchema, limits });
    const output = this.#loop.output(endpoint) ?? this.#loop.addOutput(endpoint, { isKept, onFull });
    output.attach(sender);
    sender.onClose = () => {
      if (output.isOn(sender)) this.#loop.lost(output);
    };
    this.#loop.wake();
  }

  #pause(endpoint: string, isPaused: boolean): void {
    const output = this.#loop.output(endpoint);
    if (output === undefined) return;
    output.isPaused = isPaused;
    this.#loop.wake();
  }

  #detachOutput(endpoint: string, abandon: boolean): void {
    const output = this.#loop.output(endpoint);
    if (output === undefined) return;
    output.isLeaving = true;
    if (abandon) {
      output.end();
      this.#loop.removeOutput(output);
    } else this.#loop.wake();
  }
}
