// Pipelines without SQL over the trial connectors, and what their logs say.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ControlConnection } from '../../actors/gateway/embedded/control-connection.ts';
import type { OpenRequest } from '../../actors/gateway/embedded/control-interface.ts';
import { journalPort } from '../../actors/journal-port.ts';
import type { LifecycleJournal } from '../../actors/lifecycle-journal.ts';
import type { DeadLetterQueue, RelayConnector, RelayDefinition } from '../../actors/relay-definition.ts';
import { memoryJournal } from '../../actors/supervisor/memory-journal.ts';
import type { PipelineStatus, StopReport } from '../../actors/supervisor/messages.ts';
import { systemClock } from '../../runtime/clock.ts';
import { transfer } from '../../runtime/thread/remote.ts';

const connectors = fileURLToPath(new URL('./trial-connectors.js', import.meta.url));

export type Settings = Readonly<Record<string, string>>;

/** One folder, one journal; pipelines come and go. */
export class RelayFixture {
  readonly folder: string = mkdtempSync(join(tmpdir(), 'millrace-relay-'));
  /** Of the trial connectors. */
  readonly module: string = connectors;
  readonly journal: LifecycleJournal = memoryJournal();
  #connections: ControlConnection[] = [];

  source(settings: Settings = {}, id = 'p:in'): RelayConnector {
    return this.#connector(id, 'source', 'builtin:trial', { log: this.log(id), ...settings });
  }

  destination(settings: Settings = {}, id = 'p:out', plugin = 'builtin:trial'): RelayConnector {
    return this.#connector(id, 'destination', plugin, { log: this.log(id), ...settings });
  }

  definition(all: readonly RelayConnector[], more: Partial<RelayDefinition> = {}): RelayDefinition {
    const queue = this.deadLetters({ windowSize: 1, windowNackThreshold: 0 });
    return { id: 'p', name: 'p', description: '', connectors: all, processors: [], deadLetterQueue: queue, ...more };
  }

  deadLetters(window: Pick<DeadLetterQueue, 'windowSize' | 'windowNackThreshold'>): DeadLetterQueue {
    return { plugin: 'builtin:trial', settings: { log: this.log('p-dlq'), note: 'dead letters' }, ...window };
  }

  open(definition: RelayDefinition, request: Partial<OpenRequest> = {}): Promise<RunningRelay> {
    return this.openDefinition({ relay: definition }, request);
  }

  /** A definition of either kind. */
  async openDefinition(definition: unknown, request: Partial<OpenRequest> = {}): Promise<RunningRelay> {
    const running = new RunningRelay();
    const connection = new ControlConnection({
      name: 'relay test',
      clock: systemClock,
      onReport: (report) => {
        if (report.kind === 'status') running.say(report.status);
      },
      onLost: (error) => running.lost(error),
    });
    this.#connections.push(connection);
    const port = request.journal ?? journalPort(this.journal);
    const full: OpenRequest = {
      source: { definition, baseFolder: this.folder },
      stepRowsMax: null,
      connectorModules: [connectors],
      journal: port,
      ...request,
    };
    running.connection = connection;
    await connection.call('open', (control) => control.open(transfer(full, [port])));
    return running;
  }

  /** Lines of a connector's log. */
  lines(id: string): string[] {
    const file = this.log(id);
    return existsSync(file)
      ? readFileSync(file, 'utf8')
          .split('\n')
          .filter((line) => line !== '')
      : [];
  }

  forget(id: string): void {
    rmSync(this.log(id), { force: true });
  }

  /** A file beside the log of a connector. */
  touch(id: string, name: string): void {
    writeFileSync(`${this.log(id)}.${name}`, '');
  }

  async cleanUp(): Promise<void> {
    await Promise.all(this.#connections.map((connection) => connection.end()));
    rmSync(this.folder, { recursive: true, force: true });
  }

  log(id: string): string {
    return join(this.folder, `${id.replace(':', '-')}.log`);
  }

  #connector(id: string, type: RelayConnector['type'], plugin: string, settings: Settings): RelayConnector {
    return { id, type, plugin, name: id, settings, processors: [] };
  }
}

/** An open pipeline: its calls, and its status as it is reported. */
export class RunningRelay {
  connection: ControlConnection | null = null;
  #status: PipelineStatus = { state: 'created', error: null, connectors: [] };
  #listeners: (() => void)[] = [];
  #lost: unknown = null;

  say(status: PipelineStatus): void {
    this.#status = status;
    for (const listener of this.#listeners.splice(0)) listener();
  }

  lost(error: unknown): void {
    this.#lost = error;
    for (const listener of this.#listeners.splice(0)) listener();
  }

  get status(): PipelineStatus {
    return this.#status;
  }

  get control(): ControlConnection {
    if (this.connection === null) throw new Error('not open');
    return this.connection;
  }

  async start(): Promise<void> {
    await this.control.call('start', (control) => control.start({ paused: false }));
  }

  async completed(): Promise<void> {
    await this.control.wait('completed', (control, waitId) => control.allCompleted(waitId));
  }

  async stop(options: { readonly force?: boolean; readonly timeoutMs?: number } = {}): Promise<StopReport> {
    const { force = false, timeoutMs = 100_000 } = options;
    const report = await this.control.call('stop', (control) => control.stop({ force, timeoutMs }));
    await this.control.end();
    return report;
  }

  state(endpoint: string): string | undefined {
    return this.#status.connectors.find((connector) => connector.endpoint === endpoint)?.state;
  }

  async statusWhere(holds: (status: PipelineStatus) => boolean): Promise<PipelineStatus> {
    while (!holds(this.#status)) {
      if (this.#lost !== null) throw this.#lost;
      await new Promise<void>((resolve) => this.#listeners.push(resolve));
    }
    return this.#status;
  }
}

/** Resolves when `holds`; looks every few milliseconds. */
export async function eventually(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 3));
}
