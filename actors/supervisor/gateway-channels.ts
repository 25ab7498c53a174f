// Data channels between the engine and gateways: ingress for pushed rows, egress for listeners.
//
// They are inputs and outputs of the engine without a connector: no label, no lifecycle, never at their end. The gateway
// holds the other port. Endpoint names are reserved (`table.api-ingress`, `view.api-1`): a connector's name has no such
// prefix unless the user chose it, and then a number keeps them apart. A gateway may wish for a name of its own. The name of
// an ingress is never given twice: tokens may still speak of it.
import { MessageChannel } from 'node:worker_threads';
import type { ActorRef } from '../../runtime/actor/actor.ts';
import { errorToData } from '../../runtime/errors.ts';
import type { Log } from '../../runtime/log.ts';
import type { MailboxLimits } from '../../runtime/mailbox/channel.ts';
import type { EngineMessage, OutputAttached } from '../engine/messages.ts';
import type { GatewayChannel } from './messages.ts';

export interface EgressOptions {
  /** A name that is wished for. */
  readonly endpoint?: string;
  readonly closesSnapshot?: boolean;
  readonly everyStep?: boolean;
}

export class GatewayChannels {
  readonly #engine: () => ActorRef<EngineMessage>;
  readonly #log: Log;
  readonly #isTaken: (endpoint: string) => boolean;
  readonly #endpoints = new Set<string>();
  #hasOpenedIngress = false;

  constructor(engine: () => ActorRef<EngineMessage>, log: Log, isTaken: (endpoint: string) => boolean) {
    this.#engine = engine;
    this.#log = log;
    this.#isTaken = isTaken;
  }

  /** Rows may have been pushed. */
  get hasOpenedIngress(): boolean {
    return this.#hasOpenedIngress;
  }

  async openIngress(table: string, limits: MailboxLimits, wished?: string): Promise<GatewayChannel> {
    const endpoint = this.#name(wished ?? `${table}.api-ingress`);
    const { port1, port2 } = new MessageChannel();
    const attach = {
      kind: 'attach input',
      endpoint,
      table,
      port: port2,
      limits,
      batchRowsMax: null,
      held: false,
    } as const;
    try {
      await this.#engine().ask(attach, { transfer: [port2] });
      this.#hasOpenedIngress = true;
      return { endpoint, port: port1 };
    } catch (error) {
      this.#endpoints.delete(endpoint);
      throw error;
    }
  }

  /** The sender has closed; resolves when what it has sent is taken. */
  async closeIngress(endpoint: string): Promise<void> {
    if (!this.#endpoints.has(endpoint)) return;
    try {
      const detach = { kind: 'detach input', endpoint, discard: false } as const;
      await this.#engine().ask(detach, { deadlineMs: Number.POSITIVE_INFINITY });
    } catch (error) {
      // The engine or the input is gone already.
      this.#log.debug(`detaching ${endpoint}`, { cause: errorToData(error).message });
    }
  }

  async openEgress(
    relation: string,
    limits: MailboxLimits,
    sendSnapshot: boolean,
    options: EgressOptions = {},
  ): Promise<GatewayChannel & OutputAttached> {
    const endpoint = this.#name(options.endpoint ?? `${relation}.api-egress`);
    const { port1, port2 } = new MessageChannel();
    const attach = {
      kind: 'attach output',
      endpoint,
      relation,
      port: port2,
      limits,
      onFull: 'block',
      sendSnapshot,
      closesSnapshot: options.closesSnapshot === true,
      everyStep: options.everyStep === true,
    } as const;
    try {
      const { step } = await this.#engine().ask<OutputAttached>(attach, { transfer: [port2] });
      return { endpoint, port: port1, step };
    } catch (error) {
      this.#endpoints.delete(endpoint);
      throw error;
    }
  }

  async closeEgress(endpoint: string): Promise<void> {
    if (!this.#endpoints.delete(endpoint)) return;
    try {
      await this.#engine().ask({ kind: 'detach output', endpoint });
    } catch (error) {
      // The engine is gone, and with it the output.
      this.#log.debug(`detaching ${endpoint}`, { cause: errorToData(error).message });
    }
  }

  #name(wanted: string): string {
    let name = wanted;
    for (let n = 2; this.#endpoints.has(name) || this.#isTaken(name); n++) name = `${wanted}-${n}`;
    this.#endpoints.add(name);
    return name;
  }
}
