// The bare clients of the comparison of connectors: a thread that has its work as plain data. One that reads has loaded its library when it is
// told to begin, as an input connector has; one that writes loads it then. `asRows`: it has the rows as values of its own, as a user's program has them; else it moves bytes and nothing
// more. Not here: what the clients do (bare-reads.ts, bare-writes.ts), Kafka's that moves bytes (prepared-inputs.ts, prepared-outputs.ts).
import { Worker } from 'node:worker_threads';
import type { ProgressMark } from './row-progress.ts';

export type BareTask =
  | { readonly kind: 's3 reads'; readonly url: string; readonly keys: readonly string[]; readonly asRows: boolean }
  | { readonly kind: 'url reads'; readonly url: string; readonly asRows: boolean }
  | { readonly kind: 'postgres reads'; readonly uri: string; readonly table: string; readonly asRows: boolean }
  | { readonly kind: 'kafka reads'; readonly bootstrap: string; readonly topic: string; readonly rows: number }
  | { readonly kind: 's3 writes'; readonly url: string; readonly bodies: readonly Uint8Array[] }
  | { readonly kind: 'postgres writes'; readonly uri: string; readonly chunks: readonly Uint8Array[] }
  | PrintTask;

/** Rows from 0 on, each with the same note, which become text on their way. */
export interface PrintTask {
  readonly kind: 's3 prints' | 'postgres prints' | 'kafka prints';
  readonly address: string;
  readonly rows: number;
  /** Of one request. */
  readonly rowsAtOnce: number;
  readonly note: string;
}

export interface BareSeen {
  /** Of what it writes: 0. */
  readonly rows: number;
  /** Of their ids; null: nobody has looked at them. */
  readonly sum: number | null;
  /** Of what it reads. */
  readonly marks?: readonly ProgressMark[];
}

/** Begins, and answers with what it has seen. */
export type BareRun = () => Promise<BareSeen>;

/** Resolves when the thread has its work and waits. */
export async function bareClient(task: BareTask): Promise<BareRun> {
  const worker = new Worker(
    new URL(`./bare-thread${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url),
  );
  const answer = <T>(): Promise<T> =>
    new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
  const ready = answer();
  worker.postMessage(task);
  await ready;
  return async () => {
    const done = answer<BareSeen>();
    worker.postMessage('begin');
    const seen = await done;
    // Its thread stays until its time has been read.
    worker.unref();
    return seen;
  };
}
