// The bare clients of the comparison of connectors: a thread that has its work as plain data, and loads its library when it is told to
// begin, as a connector does. Not here: what the clients do (bare-thread.ts), Kafka's (prepared-inputs.ts, prepared-outputs.ts).
import { Worker } from 'node:worker_threads';

export type BareTask =
  | { readonly kind: 's3 reads'; readonly url: string; readonly keys: readonly string[] }
  | { readonly kind: 's3 writes'; readonly url: string; readonly bodies: readonly Uint8Array[] }
  | { readonly kind: 'url reads'; readonly url: string }
  | { readonly kind: 'postgres reads'; readonly uri: string; readonly statement: string }
  | { readonly kind: 'postgres writes'; readonly uri: string; readonly chunks: readonly Uint8Array[] };

/** Begins, and answers with the rows that it has seen; of what it writes, with 0. */
export type BareRun = () => Promise<number>;

/** Resolves when the thread has its work and waits. */
export async function bareClient(task: BareTask): Promise<BareRun> {
  const worker = new Worker(
    new URL(`./bare-thread${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url),
  );
  const answer = (): Promise<number> =>
    new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
  const ready = answer();
  worker.postMessage(task);
  await ready;
  return async () => {
    const done = answer();
    worker.postMessage('begin');
    const seen = await done;
    // Its thread stays until its time has been read.
    worker.unref();
    return seen;
  };
}
