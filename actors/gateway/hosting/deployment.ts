// A deployed pipeline as the handlers of the server see it: its control thread is up, whatever state the pipeline is in.
//
// Handlers call the control thread through `call` and `wait` (embedded/control-connection.ts) and register what they move
// under the names that statistics show. Data never passes through here: handlers hold ports of their own.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Remote } from '../../../runtime/thread/remote.ts';
import type { IngressEntry } from '../../store/messages.ts';
import type { PipelineStatus } from '../../supervisor/messages.ts';
import type {
  ControlInterface,
  GatewayControl,
  TableDescription,
  ViewDescription,
} from '../embedded/control-interface.ts';
import type { CallOptions } from '../embedded/pipeline-options.ts';

/** Counters of one HTTP input: `endpoint` is `table.api-ingress-…`. All counts since the deployment began. */
export interface ApiInput {
  readonly endpoint: string;
  readonly relation: string;
  totalRecords: number;
  totalBytes: number;
  numParseErrors: number;
  /** Rows decoded and sent, not yet taken by a step. */
  bufferedRecords(): number;
  bufferedBytes(): number;
  /** The latest 100, newest last. */
  readonly parseErrors: readonly { readonly time: number; readonly index: number; readonly message: string }[];
}

/** Counters of one HTTP output: `endpoint` is `view.api-…`. */
export interface ApiOutput {
  readonly endpoint: string;
  readonly relation: string;
  transmittedRecords: number;
  transmittedBytes: number;
  queuedRecords: number;
  queuedBytes: number;
  droppedRecords: number;
  /** Listeners that share it. */
  listeners: number;
}

/** Where HTTP inputs keep what they take, until a checkpoint holds it (ingress-journal.ts). */
export interface InputJournal {
  /** False: nothing is kept, inputs send to the engine themselves. */
  readonly keeps: boolean;
  /**
   * Resolves when the entry is on disk and `send`, which gives it to the engine and answers with its token, has been called.
   * Calls take effect in their order; they wait while a checkpoint is taken. Without chunks nothing is written.
   */
  write(entry: IngressEntry, send: () => string): Promise<void>;
}

export interface Deployment {
  readonly name: string;
  /** UUID, new for each deployment; part of completion tokens. */
  readonly incarnation: string;
  readonly tables: readonly TableDescription[];
  /** Without local views. */
  readonly views: readonly ViewDescription[];
  /** The latest that the control thread has reported. */
  readonly status: PipelineStatus;
  /** Aborted when the deployment is over, whatever the reason. */
  readonly ended: AbortSignal;
  /** Called after every change of `status`; returns what ends it. */
  onStatus(listener: (status: PipelineStatus) => void): () => void;
  /** A call that takes effect at once. `name` is for error texts. */
  call<R>(
    name: string,
    make: (control: Remote<ControlInterface & GatewayControl>) => PromiseLike<R>,
    options?: CallOptions,
  ): Promise<R>;
  /** A call that may wait without end; given up on both sides. */
  wait<R>(
    name: string,
    make: (control: Remote<ControlInterface & GatewayControl>, waitId: number) => PromiseLike<R>,
    options?: CallOptions,
  ): Promise<R>;
  /** Live HTTP inputs and outputs by endpoint: handlers add and remove theirs. */
  readonly apiInputs: Map<string, ApiInput>;
  readonly apiOutputs: Map<string, ApiOutput>;
  readonly journal?: InputJournal;
}

/** Where handlers find deployments. */
export interface PipelineDirectory {
  /** @throws HttpProblem UnknownPipelineName (404), PipelineInteractionNotDeployed (503, Retry-After: 5) */
  deployed(name: string): Deployment;
}

/** One request outside the JSON routes: its body and its reply are streams. Authenticated already. */
export interface RawExchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly requestId: string;
  readonly deployment: Deployment;
  /** The decoded path segment of the table or view, '' for a query. */
  readonly relation: string;
  readonly query: URLSearchParams;
  /** Aborted when the client has gone or the server shuts down. */
  readonly signal: AbortSignal;
}

/** Resolves when the reply is over. Throws HttpProblem or a coded error before the reply's head is sent. */
export type RawHandler = (exchange: RawExchange) => Promise<void>;
