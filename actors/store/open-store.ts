// Opens a data folder: locks it, starts the store's thread, and gives the store's face to the thread that has called.
//
// It stands beside the actors because the gateway may import none of them: this is where the two are put together.
// The thread's death is the end of the store: every call rejects with its cause, and the folder is let go of.
import type { Clock } from '../../runtime/clock.ts';
import { errorToData } from '../../runtime/errors.ts';
import type { Log } from '../../runtime/log.ts';
import { type CallOptions, type Remote, transfer } from '../../runtime/thread/remote.ts';
import { siblingModule, WorkerThread } from '../../runtime/thread/worker-thread.ts';
import { lockDataFolder } from './data-folder.ts';
import type { IngressRecord, Store } from './messages.ts';
import type { StoreCalls, StoreThreadData } from './store-calls.ts';
import { StoreClosed } from './store-errors.ts';

export interface OpenStoreOptions {
  readonly clock: Clock;
  readonly log: Log;
}

const callTimeoutMs = 60_000;
/** Reading and writing whole images takes as long as the disk takes. */
const withoutDeadline = { deadlineMs: Number.POSITIVE_INFINITY };
const replayPageBytes = 8 << 20;

/** @throws FolderLocked, FormatTooNew, FolderUnusable, ThreadGone when the file cannot be opened */
export async function openStore(path: string, options: OpenStoreOptions): Promise<Store> {
  const { clock, log } = options;
  const folder = lockDataFolder(path, clock);
  if (folder.wasTakenOver) log.warn('the last process has not let go of the data folder: taken over', { folder: path });
  const data: StoreThreadData = { file: folder.storeFile };
  const thread = new WorkerThread<StoreCalls>({
    name: 'store',
    entry: siblingModule('./store-thread', import.meta.url),
    data,
    clock,
    deadlineMs: callTimeoutMs,
    onReport: () => {},
    onExit: (error) => {
      folder.unlock();
      if (error !== null) log.error('the store has ended', { error: errorToData(error) });
    },
  });
  let closing: Promise<void> | null = null;
  const ask = async <R>(make: (calls: Remote<StoreCalls>) => PromiseLike<R>, options: CallOptions = {}): Promise<R> => {
    if (closing !== null) throw new StoreClosed({ folder: folder.path });
    return await thread.connection.call(make, options);
  };
  const close = async (): Promise<void> => {
    try {
      await thread.connection.call((calls) => calls.closeFile(), withoutDeadline);
    } finally {
      thread.connection.fail(new StoreClosed({ folder: folder.path }));
      await thread.terminate();
      folder.unlock();
    }
  };
  const store: Store = {
    folder: folder.path,
    pipelines: () => ask((calls) => calls.pipelines()),
    putPipeline: (id, document, ifVersion) => ask((calls) => calls.putPipeline(id, document, ifVersion)),
    deletePipeline: (id) => ask((calls) => calls.deletePipeline(id)),
    history: (id) => ask((calls) => calls.history(id)),
    putHistory: (id, history) => ask((calls) => calls.putHistory(id, history)),
    apiKeys: () => ask((calls) => calls.apiKeys()),
    addApiKey: (key) => ask((calls) => calls.addApiKey(key)),
    removeApiKey: (id) => ask((calls) => calls.removeApiKey(id)),
    connectorMarks: (pipeline) => ask((calls) => calls.connectorMarks(pipeline)),
    putConnectorMark: (pipeline, mark) => ask((calls) => calls.putConnectorMark(pipeline, mark)),
    removeConnectorMark: (pipeline, connector) => ask((calls) => calls.removeConnectorMark(pipeline, connector)),
    owedMarks: () => ask((calls) => calls.owedMarks()),
    positions: (pipeline) => ask((calls) => calls.positions(pipeline)),
    putPositions: (pipeline, positions) => ask((calls) => calls.putPositions(pipeline, positions)),
    clearPositions: (pipeline) => ask((calls) => calls.clearPositions(pipeline)),
    schemas: () => ask((calls) => calls.schemas()),
    putSchema: (schema) => ask((calls) => calls.putSchema(schema)),
    writeCheckpoint: (id, image, ingressUpTo) => {
      const buffers = image.parts.map((part) => part.bytes);
      return ask((calls) => calls.writeCheckpoint(id, transfer(image, buffers), ingressUpTo), withoutDeadline);
    },
    checkpoints: (id) => ask((calls) => calls.checkpoints(id)),
    readCheckpoint: (id, number) => ask((calls) => calls.readCheckpoint(id, number), withoutDeadline),
    clearCheckpoints: (id) => ask((calls) => calls.clearCheckpoints(id), withoutDeadline),
    appendIngress: (id, entry) => ask((calls) => calls.appendIngress(id, transfer({ ...entry }, entry.chunks))),
    replayIngress: (id, after = 0) =>
      replay((last) => ask((calls) => calls.readIngress(id, last, replayPageBytes)), after),
    truncateIngress: (id, upTo) => ask((calls) => calls.truncateIngress(id, upTo)),
    close: () => {
      closing ??= close();
      return closing;
    },
  };
  try {
    await store.pipelines();
  } catch (error) {
    await thread.terminate();
    folder.unlock();
    throw error;
  }
  return store;
}

async function* replay(
  readAfter: (sequence: number) => Promise<readonly IngressRecord[]>,
  after: number,
): AsyncGenerator<IngressRecord> {
  let last = after;
  for (;;) {
    const page = await readAfter(last);
    if (page.length === 0) return;
    for (const record of page) {
      last = record.sequence;
      yield record;
    }
  }
}
