// Runs a pipeline file once in a process of its own and brings back what it took. The parent does nothing meanwhile: what is
// measured is the pipeline's alone.
//
// The process ends with its answer, when `signal` aborts, or when this one is gone, whichever comes first.
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { type ErrorData, errorFromData } from '../../../runtime/errors.ts';
import { siblingModule } from '../../../runtime/thread/worker-thread.ts';
import { MeasuredProcessGone } from './bench-errors.ts';
import type { MeasuredPipeline } from './measured-pipeline.ts';
import type { RunFigures, RunKind } from './run-figures.ts';

export interface MeasuredRequest {
  readonly pipeline: MeasuredPipeline;
  /** What the user calls it. */
  readonly name: string;
  /** null: whole if it ends within warm-up and seconds, else a window. */
  readonly kind: RunKind | null;
  readonly warmUpSeconds: number;
  readonly seconds: number;
}

export type MeasuredAnswer =
  | { readonly kind: 'figures'; readonly figures: RunFigures }
  | { readonly kind: 'failed'; readonly error: ErrorData };

const runModule: URL = siblingModule('./measured-run', import.meta.url);
const probeModule: URL = siblingModule('./thread-probe', import.meta.url);

/** Flags for a Node of which every thread answers questions (process-watch.ts). */
export const probeFlags: readonly string[] = ['--import', probeModule.href];

/** @throws what the pipeline failed with, MeasuredProcessGone, or the signal's reason */
export function runMeasured(request: MeasuredRequest, signal: AbortSignal): Promise<RunFigures> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(signal.reason);
      return;
    }
    const child = fork(fileURLToPath(runModule), [], {
      execArgv: [...process.execArgv, ...probeFlags],
      // What connectors and functions of the user print is nobody's result.
      stdio: ['ignore', 2, 2, 'ipc'],
      serialization: 'advanced',
    });
    const onAbort = (): void => {
      child.kill('SIGKILL');
      settle(() => reject(signal.reason));
    };
    const settle = (call: () => void): void => {
      signal.removeEventListener('abort', onAbort);
      call();
    };
    signal.addEventListener('abort', onAbort, { once: true });
    let answered: MeasuredAnswer | null = null;
    child.once('message', (message) => {
      // SAFETY: measured-run.ts sends nothing else.
      answered = message as MeasuredAnswer;
    });
    child.on('error', (error) => settle(() => reject(error)));
    child.once('exit', (code, name) => {
      settle(() => {
        if (answered?.kind === 'figures') resolve(answered.figures);
        else if (answered?.kind === 'failed') reject(errorFromData(answered.error));
        else reject(new MeasuredProcessGone({ exit: name ?? `exit code ${code}` }));
      });
    });
    child.send(request);
  });
}
