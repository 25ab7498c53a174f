// Where the store's thread begins: opens the file and answers calls. Run by node:worker_threads (actors/store/open-store.ts), never imported.
//
// lmdb's commits block the thread that makes them: that is why they have one of their own. Calls that arrive meanwhile share
// the next commit (lmdb-file.ts).
import { randomUUID } from 'node:crypto';
import { parentPort, workerData } from 'node:worker_threads';
import { systemClock } from '../../runtime/clock.ts';
import { errorToData } from '../../runtime/errors.ts';
import { expose, transfer } from '../../runtime/thread/remote.ts';
import type { ThreadDying } from '../../runtime/thread/worker-thread.ts';
import * as catalog from './catalog.ts';
import { clearCheckpoints, listCheckpoints, readCheckpoint, writeCheckpoint } from './checkpoint-store.ts';
import * as connectorMarks from './connector-marks.ts';
import { appendIngress, readIngress, sealIngress, truncateIngress } from './ingress-log.ts';
import { LmdbFile } from './lmdb-file.ts';
import type { StoreCalls, StoreThreadData } from './store-calls.ts';

if (parentPort === null) throw new Error('store-thread is run as a worker thread');
process.on('uncaughtException', (error) => {
  exposed.report({ kind: 'thread dying', error: errorToData(error) } satisfies ThreadDying);
  process.exit(1);
});

const calls: StoreCalls = {
  pipelines: async () => catalog.readPipelines(file),
  putPipeline: (id, document, ifVersion) => file.write(() => catalog.putPipeline(file, id, document, ifVersion)),
  deletePipeline: (id) => file.write(() => catalog.deletePipeline(file, id)),
  history: async (id) => catalog.readHistory(file, id),
  putHistory: (id, history) => file.write(() => catalog.putHistory(file, id, history)),

  apiKeys: async () => catalog.readApiKeys(file),
  addApiKey: (key) => file.write(() => catalog.addApiKey(file, key)),
  removeApiKey: (id) => file.write(() => catalog.removeApiKey(file, id)),

  connectorMarks: async (pipeline) => connectorMarks.readConnectorMarks(file, pipeline),
  putConnectorMark: (pipeline, mark) => file.write(() => connectorMarks.putConnectorMark(file, pipeline, mark)),
  removeConnectorMark: (pipeline, connector) =>
    file.write(() => connectorMarks.removeConnectorMark(file, pipeline, connector)),
  owedMarks: async () => connectorMarks.readOwedMarks(file),
  positions: async (pipeline) => connectorMarks.readPositions(file, pipeline),
  putPositions: (pipeline, positions) => file.write(() => connectorMarks.putPositions(file, pipeline, positions)),
  clearPositions: (pipeline) => file.write(() => connectorMarks.clearPositions(file, pipeline)),
  schemas: async () => connectorMarks.readSchemas(file),
  putSchema: (schema) => file.write(() => connectorMarks.putSchema(file, schema)),

  writeCheckpoint: (id, image, ingressUpTo = 0) =>
    file.write(() => {
      const info = writeCheckpoint(file, id, image, { uuid: randomUUID(), time: systemClock.now() });
      if (ingressUpTo > 0) truncateIngress(file, id, ingressUpTo);
      return info;
    }),
  checkpoints: async (id) => listCheckpoints(file, id),
  readCheckpoint: async (id, number) => {
    const read = readCheckpoint(file, id, number);
    return read === null
      ? null
      : transfer(
          read,
          read.image.parts.map((part) => part.bytes),
        );
  },
  clearCheckpoints: (id) => file.write(() => clearCheckpoints(file, id)),

  appendIngress: (id, entry) => {
    const sealed = sealIngress(entry);
    return file.write(() => appendIngress(file, id, sealed));
  },
  readIngress: async (id, after, bytesMax) => {
    const records = readIngress(file, id, after, bytesMax);
    return transfer(
      records,
      records.flatMap((record) => record.chunks),
    );
  },
  truncateIngress: (id, upTo) => file.write(() => truncateIngress(file, id, upTo)),
  closeFile: () => file.close(),
};

const exposed = expose(calls, parentPort);

// Last: what is wrong with the file is said to the opener, as the thread's end.
const file = new LmdbFile((workerData as StoreThreadData).file); // SAFETY: given by open-store.ts.
