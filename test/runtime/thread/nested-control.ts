// A worker thread with an actor system of its own, whose parent is blocked: two nested threads exchange frames, then a cell of
// shared memory says how it went. Run by worker-thread.test.ts.
import { MessageChannel, workerData } from 'node:worker_threads';
import { actorId } from '../../../runtime/actor/actor.ts';
import { makeTrial } from '../actor/trial-system.ts';

/** Cell 0: 0 = not done, 1 = every row arrived in order, 2 = it did not, 3 = something was thrown. Cell 1: rows. */
const outcome = new Int32Array((workerData as { readonly outcome: SharedArrayBuffer }).outcome);

async function exchange(): Promise<number> {
  const { system } = makeTrial();
  const { port1, port2 } = new MessageChannel();
  const limits = { rowsMax: 10_000, bytesMax: 1 << 20 };
  const [producer, consumer] = await Promise.all([
    system.spawn<{ kind: 'run' }>({
      id: actorId('producer'),
      behaviour: 'producer',
      args: { port: port1, limits, batches: 200, rows: 1_000 },
      heat: 'hot',
      transfer: [port1],
    }),
    system.spawn<{ kind: 'run' }>({
      id: actorId('consumer'),
      behaviour: 'consumer',
      args: { port: port2, limits },
      heat: 'hot',
      transfer: [port2],
    }),
  ]);
  const [, seen] = await Promise.all([
    producer.ask({ kind: 'run' }),
    consumer.ask<{ readonly rows: number; readonly isInOrder: boolean }>({ kind: 'run' }),
  ]);
  await system.shutdown();
  Atomics.store(outcome, 1, seen.rows);
  return seen.isInOrder ? 1 : 2;
}

const result = await exchange().catch(() => 3);
Atomics.store(outcome, 0, result);
Atomics.notify(outcome, 0);
