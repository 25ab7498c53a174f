// What the routes of a server work on: its pipelines, its keys, its store; opened before the first request and closed
// after the last.
import type { IncomingMessage } from 'node:http';
import { resolve } from 'node:path';
import { systemClock } from '../../../runtime/clock.ts';
import type { Log } from '../../../runtime/log.ts';
import type { HostedPipeline } from '../hosting/hosted-pipeline.ts';
import { HostedPipelines } from '../hosting/pipeline-directory.ts';
import { timeText } from '../hosting/pipeline-record.ts';
import { start, stop } from '../hosting/pipeline-run.ts';
import { HttpProblem } from './http-problem.ts';
import type { ServerOptions } from './http-server.ts';
import type { Access } from './route.ts';

/** The version of the interface that clients compare with their own. */
export const platformVersion = '0.369.0';

export interface Hosting {
  readonly pipelines: HostedPipelines;
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
  authorize(access: Access, request: IncomingMessage, pipeline: string | null): Promise<void>;
  /** Pipelines that ran, or were to run, when the last server ended. */
  startWished(): Promise<void>;
  close(): Promise<void>;
}

export async function openHosting(options: ServerOptions, log: Log): Promise<Hosting> {
  const pipelines = new HostedPipelines({
    clock: systemClock,
    validation: options.loadValidation,
    platformVersion,
    baseFolder: resolve(options.baseFolder ?? '.'),
    save: async () => {},
    remove: async () => {},
  });
  const now = (): string => timeText(systemClock.now());
  return {
    pipelines,
    log,
    startedAt: now(),
    hasKeys: false,
    now,
    start: (pipeline) => start(pipeline, null),
    suspend: (pipeline) => stop(pipeline, { force: false }),
    beginCheckpoint: () => {
      throw new HttpProblem({ status: 501, code: 'CheckpointsUnavailable', message: 'this server has no store' });
    },
    clear: async (pipeline) => pipeline.change({ storageStatus: 'Cleared', checkpoints: null }),
    authorize: async () => {},
    startWished: async () => {
      for (const pipeline of pipelines.list()) {
        if (pipeline.record.desired === 'Provisioned') {
          pipeline.exclusively(() => start(pipeline, null)).catch((error: unknown) => log.error(String(error)));
        }
      }
    },
    close: async () => {
      await Promise.all(
        pipelines.list().map(async (pipeline) => {
          pipeline.logs.end();
          if (pipeline.deployment !== null) await stop(pipeline, { force: false });
        }),
      );
    },
  };
}
