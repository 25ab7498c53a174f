// One run of a pipeline: its control thread, what that thread reports, and the HTTP inputs and outputs that are open.
//
// Made by `openDeployment`, ended by `end`; a thread that dies by itself ends it too. What a change of status means for the
// pipeline is decided in hosted-pipeline.ts.

import { errorToData } from '../../../runtime/errors.ts';
import type { LogEntry } from '../../../runtime/log.ts';
import { type Remote, transfer } from '../../../runtime/thread/remote.ts';
import { relayIn } from '../../relay-definition.ts';
import type { Store } from '../../store/messages.ts';
import type { PipelineStatus } from '../../supervisor/messages.ts';
import type { ControlConnection } from '../embedded/control-connection.ts';
import type { ControlInterface, GatewayControl, OpenedPipeline, OpenRequest } from '../embedded/control-interface.ts';
import type { CallOptions } from '../embedded/pipeline-options.ts';
import type { ApiInput, ApiOutput, Deployment } from './deployment.ts';
import { IngressJournal } from './ingress-journal.ts';
import type { SentByOutput } from './pipeline-record.ts';
import type { SpareControl } from './spare-control.ts';

type Control = ControlInterface & GatewayControl;

export interface DeploymentOptions {
  readonly name: string;
  readonly request: OpenRequest;
  readonly spare: SpareControl;
  readonly onLog: (entry: LogEntry) => void;
  readonly onStatus: (status: PipelineStatus) => void;
  /** Called once, when it is over or could not be opened. */
  readonly onEnded?: () => void;
  /** Where HTTP input is kept. */
  readonly journal: { readonly store: Store; readonly id: string; readonly keeps: boolean };
}

/** @throws a coded error when the definition is not valid; nothing is left then. */
export async function openDeployment(options: DeploymentOptions): Promise<LiveDeployment> {
  const listeners: ((status: PipelineStatus) => void)[] = [options.onStatus];
  const abort = new AbortController();
  let status: PipelineStatus = { state: 'created', error: null, connectors: [] };
  const report = (next: PipelineStatus): void => {
    status = next;
    for (const listener of [...listeners]) listener(next);
  };
  const { source } = options.request;
  const isRelay = 'definition' in source && relayIn(source.definition) !== null;
  const connection = options.spare.take({
    name: options.name,
    expected: isRelay ? 'relay' : 'program',
    onReport: (message) => (message.kind === 'status' ? report(message.status) : options.onLog(message.entry)),
    onLost: (error) => report({ ...status, state: 'failed', error: errorToData(error) }),
  });
  try {
    const opened = await connection.call('open', (control) =>
      control.open(transfer(options.request, options.request.journal === undefined ? [] : [options.request.journal])),
    );
    status = opened.status;
    const { incarnation } = await connection.call('stats', (control) => control.stats());
    return new LiveDeployment({
      opened,
      incarnation,
      connection,
      abort,
      listeners,
      journal: options.journal,
      status: () => status,
      onEnded: options.onEnded ?? (() => {}),
    });
  } catch (error) {
    await connection.end();
    options.onEnded?.();
    throw error;
  }
}

interface Parts {
  readonly opened: OpenedPipeline;
  readonly incarnation: string;
  readonly connection: ControlConnection;
  readonly abort: AbortController;
  readonly listeners: ((status: PipelineStatus) => void)[];
  readonly journal: DeploymentOptions['journal'];
  readonly status: () => PipelineStatus;
  readonly onEnded: () => void;
}

export class LiveDeployment implements Deployment {
  readonly name: string;
  readonly incarnation: string;
  readonly tables: Deployment['tables'];
  readonly views: Deployment['views'];
  readonly ended: AbortSignal;
  readonly apiInputs: Map<string, ApiInput> = new Map();
  readonly apiOutputs: Map<string, ApiOutput> = new Map();
  readonly journal: IngressJournal;
  /** What output connectors had sent when the checkpoint was taken that this has gone on from, by endpoint. */
  sentBefore: Readonly<Record<string, SentByOutput>> = {};
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.name = parts.opened.name;
    this.incarnation = parts.incarnation;
    this.tables = parts.opened.tables;
    this.views = parts.opened.views.filter((view) => view.kind !== 'local');
    this.ended = parts.abort.signal;
    this.journal = new IngressJournal({ ...parts.journal, deployment: this });
  }

  get status(): PipelineStatus {
    return this.#parts.status();
  }

  get isLost(): boolean {
    return this.#parts.connection.isLost;
  }

  onStatus(listener: (status: PipelineStatus) => void): () => void {
    const { listeners } = this.#parts;
    listeners.push(listener);
    return () => {
      const at = listeners.indexOf(listener);
      if (at >= 0) listeners.splice(at, 1);
    };
  }

  call<R>(name: string, make: (control: Remote<Control>) => PromiseLike<R>, options: CallOptions = {}): Promise<R> {
    // SAFETY: the control thread of a server implements both interfaces.
    return this.#parts.connection.call(name, (control) => make(control as Remote<Control>), options);
  }

  wait<R>(
    name: string,
    make: (control: Remote<Control>, waitId: number) => PromiseLike<R>,
    options: CallOptions = {},
  ): Promise<R> {
    // SAFETY: as above.
    return this.#parts.connection.wait(name, (control, waitId) => make(control as Remote<Control>, waitId), options);
  }

  /** Everything that listens is told first, then the thread goes. Idempotent. */
  async end(): Promise<void> {
    const { abort, connection, onEnded } = this.#parts;
    const isFirst = !abort.signal.aborted;
    abort.abort();
    await connection.end();
    if (isFirst) onEnded();
  }
}
