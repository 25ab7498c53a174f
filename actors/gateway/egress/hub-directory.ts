// The hubs of one deployment: one for each relation and form of printing, opened when somebody listens first.
//
// Kept beside the deployment, weakly, because HTTP requests and WebSockets reach it by different ways; it goes when the
// deployment goes. The bound on listeners is that of whoever comes first.
import { randomUUID } from 'node:crypto';
import type { Relation } from '../../../runtime/batch/schema.ts';
import { type Clock, systemClock } from '../../../runtime/clock.ts';
import type { FrameReceiver } from '../../../runtime/mailbox/channel.ts';
import { openFrameReceiver } from '../../../runtime/mailbox/port-channel.ts';
import type { ApiOutput, Deployment } from '../hosting/deployment.ts';
import { HttpProblem } from '../http/http-problem.ts';
import { openPrinter, type PrintOptions } from './chunk-printer.ts';
import { EgressHub } from './egress-hub.ts';
import { printKey } from './egress-request.ts';

export interface EgressOptions {
  /** Listeners of one deployment. Default 10,000. */
  readonly listenersMax?: number;
  /** Past chunks that are kept for each hub. Default 8 MiB. */
  readonly windowBytesMax?: number;
  /** How long a hub waits for somebody to come back. Default 60 s. */
  readonly lingerMs?: number;
  /** Silence after which a message without data is sent. Default 3 s. */
  readonly keepaliveMs?: number;
  /** Chunk bound of GET and WebSocket. Default 16 KiB. */
  readonly chunkBytesMax?: number;
  readonly clock?: Clock;
}

/** What the port from the engine may hold. */
const portLimits = { rowsMax: 100_000, bytesMax: 64 * 1024 * 1024 };

const directories = new WeakMap<Deployment, HubDirectory>();

export function hubsOf(deployment: Deployment, options: EgressOptions): HubDirectory {
  let directory = directories.get(deployment);
  if (directory === undefined) {
    directory = new HubDirectory(deployment, options);
    directories.set(deployment, directory);
  }
  return directory;
}

/** A port out of the engine, and what gives it back. */
export interface OpenedOutput {
  readonly endpoint: string;
  readonly receiver: FrameReceiver;
  /** The latest step when it was attached. */
  readonly step: number;
  close(): void;
}

export class HubDirectory {
  readonly #deployment: Deployment;
  readonly #options: EgressOptions;
  readonly #hubs = new Map<string, Promise<EgressHub>>();
  #listeners = 0;

  constructor(deployment: Deployment, options: EgressOptions) {
    this.#deployment = deployment;
    this.#options = options;
  }

  /** Counts a listener. Call what it returns when the listener has gone. @throws HttpProblem 429 */
  admit(): () => void {
    const { listenersMax = 10_000 } = this.#options;
    if (this.#listeners >= listenersMax) {
      throw new HttpProblem({
        status: 429,
        code: 'ApiConnectionLimit',
        message: `the pipeline has ${listenersMax} listeners over HTTP; that is the limit`,
        details: { limit: listenersMax },
        headers: { 'Retry-After': '5' },
      });
    }
    this.#listeners++;
    return () => {
      this.#listeners--;
    };
  }

  /** A hub that is held once for the caller: release it. */
  async acquire(relation: Relation, print: PrintOptions): Promise<EgressHub> {
    const key = printKey(relation.name, print);
    for (;;) {
      let opening = this.#hubs.get(key);
      if (opening === undefined) {
        opening = this.#open(key, relation, print);
        this.#hubs.set(key, opening);
        opening.catch(() => this.#hubs.delete(key));
      }
      const hub = await opening;
      if (!hub.isClosed) {
        hub.hold();
        return hub;
      }
      // It closed between two turns; whoever closed it has forgotten it.
      this.#hubs.delete(key);
    }
  }

  async openOutput(relation: Relation, sendSnapshot: boolean): Promise<OpenedOutput> {
    const deployment = this.#deployment;
    const wished = `${relation.name}.api-${randomUUID()}`;
    const opened = await deployment.call('openEgressPort', (control) =>
      control.openEgressPort(relation.name, wished, portLimits, { sendSnapshot, everyStep: true }),
    );
    const receiver = openFrameReceiver(opened.port, { schema: relation.schema, limits: portLimits });
    let isClosed = false;
    return {
      endpoint: opened.endpoint,
      receiver,
      step: opened.step,
      close: () => {
        if (isClosed) return;
        isClosed = true;
        receiver.close();
        if (deployment.ended.aborted) return;
        deployment
          .call('closeEgressPort', (control) => control.closeEgressPort(opened.endpoint))
          // The pipeline is gone, and with it the output.
          .catch(() => undefined);
      },
    };
  }

  async #open(key: string, relation: Relation, print: PrintOptions): Promise<EgressHub> {
    const deployment = this.#deployment;
    const {
      clock = systemClock,
      windowBytesMax = 8 * 1024 * 1024,
      lingerMs = 60_000,
      keepaliveMs = 3_000,
    } = this.#options;
    const printer = await openPrinter(print, relation);
    const output = await this.openOutput(relation, false);
    const { endpoint } = output;
    const statistics: ApiOutput = {
      endpoint,
      relation: relation.name,
      transmittedRecords: 0,
      transmittedBytes: 0,
      queuedRecords: 0,
      queuedBytes: 0,
      droppedRecords: 0,
      listeners: 0,
    };
    const onEnded = (): void => hub.end();
    const onClosed = (): void => {
      this.#hubs.delete(key);
      deployment.apiOutputs.delete(endpoint);
      deployment.ended.removeEventListener('abort', onEnded);
      output.close();
    };
    const hub = new EgressHub(output.receiver, printer, statistics, output.step, {
      format: print.format,
      clock,
      windowBytesMax,
      lingerMs,
      keepaliveMs,
      onClosed,
    });
    deployment.apiOutputs.set(endpoint, statistics);
    if (deployment.ended.aborted) hub.end();
    else deployment.ended.addEventListener('abort', onEnded);
    return hub;
  }
}
