// Which thread an actor is placed on, and how many threads that makes.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type PlacementWish, placeActor, type ThreadLoad } from '../../../runtime/thread/placement.ts';

/** Places one actor after another; returns actors by thread. */
function place(wishes: readonly PlacementWish[], hotMax: number): ReadonlyMap<string, number> {
  const threads = new Map<string, number>();
  for (const wish of wishes) {
    const loads: ThreadLoad[] = [...threads].map(([name, actors]) => ({ name, actors }));
    const name = placeActor(wish, loads, hotMax);
    threads.set(name, (threads.get(name) ?? 0) + 1);
  }
  return threads;
}

const hot: PlacementWish = { heat: 'hot', thread: null };
const quiet: PlacementWish = { heat: 'quiet', thread: null };

test('hot actors are alone while there are threads, then share the least loaded', () => {
  assert.equal(
    [...place([hot, hot], 3)],
    [
      ['hot-1', 1],
      ['hot-2', 1],
    ],
  );
  assert.equal(
    [...place([hot, hot, hot, hot, hot], 2)],
    [
      ['hot-1', 3],
      ['hot-2', 2],
    ],
  );
});

test('quiet actors share one thread', () => {
  assert.equal([...place(Array(200).fill(quiet), 4)], [['quiet', 200]]);
});

test('without hot threads everything is quiet', () => {
  assert.equal([...place([hot, quiet], 0)], [['quiet', 2]]);
});

test('a thread that was asked for is taken, and takes none from the hot ones', () => {
  assert.equal(placeActor({ heat: 'hot', thread: 'intake' }, [], 1), 'intake');
  assert.equal(placeActor(hot, [{ name: 'intake', actors: 1 }], 1), 'hot-1');
});

test('the number of a hot thread that has ended is given again', () => {
  assert.is(placeActor(hot, [{ name: 'hot-2', actors: 1 }], 2), 'hot-1');
});

test('two hundred idle connectors make three threads besides the control thread and the decode pool', () => {
  const idle: PlacementWish[] = Array.from({ length: 200 }, (_, i) =>
    i % 2 ? quiet : { heat: 'quiet', thread: 'intake' },
  );
  const threads = place([hot, ...idle], 1);
  assert.equal([...threads.keys()].sort(), ['hot-1', 'intake', 'quiet']);
});

test.run();
