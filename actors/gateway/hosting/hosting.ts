// What the routes of a server work on: its pipelines, its keys, its plugins, and what they may ask of them. hosting-start.ts opens it.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Log } from '../../../runtime/log.ts';
import type { AccessControl } from '../access/access-control.ts';
import type { Access } from '../http/route.ts';
import type { ConnectorPlugins } from './connector-plugins.ts';
import type { HostedPipeline } from './hosted-pipeline.ts';
import type { OwedDeletions } from './owed-deletions.ts';
import type { HostedPipelines } from './pipeline-directory.ts';

/** The version of the interface that clients compare with their own. */
export const platformVersion = '0.369.0';

export interface Hosting {
  readonly pipelines: HostedPipelines;
  readonly plugins: ConnectorPlugins;
  /** Of dead letters that are kept beside the log. */
  readonly deadLetterFolder: string;
  /** Deleted connectors that could not be told of it yet. */
  readonly owed: OwedDeletions;
  /** Of Millrace, without a `v`. */
  readonly version: string;
  readonly access: AccessControl;
  readonly log: Log;
  readonly startedAt: string;
  readonly hasKeys: boolean;
  now(): string;
  /** From the latest checkpoint, where there is one. The wish is in the record already. */
  start(pipeline: HostedPipeline): Promise<void>;
  /** Takes a checkpoint, then stops. */
  suspend(pipeline: HostedPipeline): Promise<void>;
  /** Returns its number at once; the pipeline's `checkpointSuccess` follows when it is on disk. */
  beginCheckpoint(pipeline: HostedPipeline): number;
  /** Drops what is stored. */
  clear(pipeline: HostedPipeline): Promise<void>;
  /** @throws HttpProblem when the caller may not. */
  authorize(access: Access, request: IncomingMessage, pipeline: string | null, isFiltered?: boolean): Promise<void>;
  /** Why the server cannot serve; null: it can. */
  unready(): Promise<string | null>;
  /** Has the reply written into the audit log. */
  audit(request: IncomingMessage, response: ServerResponse, requestId: string): void;
  /** A refused upgrade has no ServerResponse. */
  auditUpgrade(request: IncomingMessage, requestId: string, status: number): void;
  /** Pipelines that ran, or were to run, when the last server ended. */
  startWished(): Promise<void>;
  close(): Promise<void>;
}
