// Folders, files and pipelines for tests of the embedded API. Everything that it makes is removed by `cleanUp`.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Observable } from 'rxjs';
import * as assert from 'uvu/assert';
import { MillraceError, type PipelineStatus } from '../../index.ts';

/** What the fixture needs of a pipeline, whatever its tables are. */
interface AnyPipeline {
  readonly status$: Observable<PipelineStatus>;
  stop(options: { readonly force: boolean }): Promise<void>;
}

export class Fixture {
  readonly folder: string = mkdtempSync(join(tmpdir(), 'millrace-'));
  readonly #pipelines: AnyPipeline[] = [];

  /** A pipeline that is stopped by `cleanUp` if the test has not done it. */
  async track<P extends AnyPipeline>(opening: Promise<P>): Promise<P> {
    const pipeline = await opening;
    this.#pipelines.push(pipeline);
    return pipeline;
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  write(name: string, content: string): string {
    writeFileSync(this.path(name), content);
    return this.path(name);
  }

  /** The lines of an NDJSON or text file. */
  lines(name: string): string[] {
    const text = readFileSync(this.path(name), 'utf8');
    return text.split('\n').filter((line) => line !== '');
  }

  async cleanUp(): Promise<void> {
    await Promise.all(this.#pipelines.splice(0).map((pipeline) => pipeline.stop({ force: true }).catch(() => {})));
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** What a NDJSON output file adds up to: rows by their JSON text, with how many times each stands. */
export function content(lines: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const line of lines) {
    const change: { readonly insert?: unknown; readonly delete?: unknown } = JSON.parse(line);
    const key = JSON.stringify(change.insert ?? change.delete);
    const count = (counts.get(key) ?? 0) + (change.insert === undefined ? -1 : 1);
    if (count === 0) counts.delete(key);
    else counts.set(key, count);
  }
  return counts;
}

/** Resolves with the first status of which `holds` is true. */
export function statusWhere(
  pipeline: AnyPipeline,
  holds: (status: PipelineStatus) => boolean,
): Promise<PipelineStatus> {
  return new Promise((resolve, reject) => {
    const subscription = pipeline.status$.subscribe({
      next: (status) => {
        if (!holds(status)) return;
        resolve(status);
        // The first value comes while subscribing, before there is a subscription to end.
        queueMicrotask(() => subscription.unsubscribe());
      },
      complete: () => reject(new Error('the pipeline stopped before the status came')),
    });
  });
}

/** The state of one connector. */
export function stateOf(status: PipelineStatus, endpoint: string): string | undefined {
  return status.connectors.find((connector) => connector.endpoint === endpoint)?.state;
}

/** Waits for a rejection with this code. */
export async function rejects(promise: Promise<unknown>, code: string): Promise<MillraceError> {
  try {
    await promise;
  } catch (error) {
    assert.instance(error, MillraceError, String(error));
    // SAFETY: checked above.
    assert.is((error as MillraceError).code, code, String(error));
    return error as MillraceError;
  }
  assert.unreachable(`expected an error with code ${code}`);
  throw new Error('unreachable');
}
