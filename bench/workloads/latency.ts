// One changed row to its visible effect: from the user's push to a listener, and inside the engine over a view of a million rows.
//
// Inside the engine is from a frame in the engine's port to the frame of the changed view in the reader's port, two threads apart; and of
// that the step alone, as the engine counts it. By the clock, and without the time in which a thread on the way had no core
// (core-waits.ts), which on a machine with other work is nearly all of the tail.
import { MessageChannel } from 'node:worker_threads';
import type { EngineArguments, EngineMessage } from '../../actors/engine/messages.ts';
import { compileProgram } from '../../actors/engine/sql/compile-program.ts';
import { percentile } from '../../actors/gateway/bench/statistics.ts';
import { actorId } from '../../runtime/actor/actor.ts';
import { ActorSystem } from '../../runtime/actor/actor-system.ts';
import { BatchBuilder } from '../../runtime/batch/batch-builder.ts';
import type { ChangeBatch } from '../../runtime/batch/change-batch.ts';
import { systemClock } from '../../runtime/clock.ts';
import { makeLog } from '../../runtime/log.ts';
import type { FrameReceiver } from '../../runtime/mailbox/channel.ts';
import { openFrameReceiver, openFrameSender } from '../../runtime/mailbox/port-channel.ts';
import { scattered } from '../bare-circuit.ts';
import { CoreWaits } from '../core-waits.ts';
import { type Measured, medianOf, script, type Workload, type Workloads } from '../workload.ts';

export const workloads: Workloads = {
  'latency-idle': () => listener('idle'),
  'latency-busy': () => listener('busy'),
  'latency-engine': () => ({
    title: 'one changed row inside the engine, a view over 1,000,000 rows; promised: p99 at most 2 ms',
    checksum: '2000 seen',
    contenders: Object.keys(views).map((name) => ({ name, run: () => insideEngine(name) })),
    figures: (runs) => ({
      lines: Object.keys(views).map((name, i) => {
        const own = runs[i] ?? [];
        const of = (key: string): string => medianOf(own, key).toFixed(3);
        return `  ${name.padEnd(8)} port to port p50 ${of('p50')} ms, p99 ${of('p99')} ms; without waiting for a core p99 ${of('ownP99')} ms, at most ${of('ownMax')} ms; the step alone p50 ${of('stepP50')} ms, p99 ${of('stepP99')} ms`;
      }),
      panels: [
        {
          kind: 'bars',
          title: 'One changed row, a view over 10^6 rows, inside the engine',
          unit: 'ms',
          series: ['p50', 'p99', 'p99 without waiting for a core'],
          groups: Object.keys(views).map((name, i) => ({
            name,
            values: ['p50', 'p99', 'ownP99'].map((key) => ({ value: medianOf(runs[i] ?? [], key) })),
          })),
          line: { name: 'promised p99', value: 2 },
        },
      ],
    }),
  }),
};

function listener(load: 'idle' | 'busy'): Workload {
  return {
    title: `one row, push to listener, ${load === 'idle' ? 'idle' : 'beside 500,000 rows/s from a generator'}`,
    checksum: '2300 seen',
    contenders: [{ name: 'Millrace', command: script('latency-run', load, 2000) }],
    figures: ([own = []]) => ({
      lines: [
        `  p50 ${medianOf(own, 'p50').toFixed(2)} ms, p99 ${medianOf(own, 'p99').toFixed(2)} ms (medians of ${own.length} runs)`,
      ],
    }),
  };
}

const stateRows = 1_000_000;
const warmUp = 500;
const samples = 2000;
const wide = { rowsMax: 2_000_000, bytesMax: 1 << 30 };

/** Each has a million rows of state, and a change of one row changes it. */
const views: Readonly<Record<string, string>> = {
  'group by': 'SELECT k, COUNT(*) AS n, SUM(v) AS total FROM t GROUP BY k',
  'top-k':
    'SELECT k, v FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY k ORDER BY v DESC) AS place FROM t) WHERE place <= 3',
  join: 'SELECT a.k, a.v, b.v AS w FROM t a JOIN t b ON a.k = b.k',
};

async function insideEngine(name: string): Promise<Measured> {
  const { program } = compileProgram(
    `CREATE TABLE t (k BIGINT NOT NULL, v BIGINT NOT NULL); CREATE VIEW result AS ${views[name]};`,
  );
  const [table, view] = [program?.tables[0]?.relation, program?.views[0]?.relation];
  if (program === null || table === undefined || view === undefined) throw new Error(`${name} does not compile`);
  const log = makeLog('bench', systemClock.now, () => {});
  const system = new ActorSystem({
    behaviours: new URL('../../actors/control/behaviours.js', import.meta.url),
    threadsMax: { hot: 1 },
    clock: systemClock,
    log,
    onNotice: () => {},
    onEvent: () => {},
    onLog: () => {},
  });
  const args: EngineArguments = { program, onError: 'stop', stepRowsMax: 1_048_576, restore: null };
  const engine = await system.spawn<EngineMessage>({
    id: actorId('engine'),
    behaviour: 'engine',
    args,
    heat: 'hot',
  });
  const [inputs, outputs] = [new MessageChannel(), new MessageChannel()];
  const attached = {
    endpoint: 't.rows',
    table: 't',
    port: inputs.port1,
    limits: wide,
    batchRowsMax: null,
    held: false,
  };
  await engine.ask({ kind: 'attach input', ...attached }, { transfer: [inputs.port1] });
  const sender = openFrameSender(inputs.port2, { schema: table.schema, limits: wide });
  const rows = (count: number, keyOf: (row: number) => number): ChangeBatch => {
    const builder = new BatchBuilder(table.schema, count);
    builder.reserve(count);
    // SAFETY: both columns are BIGINT.
    const [k, v] = builder.columns.map((column) => column.values as BigInt64Array);
    for (let row = 0; row < count; row++) {
      k![row] = BigInt(keyOf(row));
      v![row] = BigInt(row);
    }
    builder.commitRows(count, null);
    return builder.finish();
  };
  let sequence = 0;
  const send = (batch: ChangeBatch): void => sender.send({ kind: 'batch', sequence: ++sequence, batch });
  for (let from = 0; from < stateRows; from += 100_000) {
    await sender.whenReady();
    send(rows(100_000, (row) => from + row));
  }
  while (engine.gauges.get('records') < stateRows) await new Promise((resolve) => setTimeout(resolve, 5));
  const output = {
    endpoint: 'result.out',
    relation: 'result',
    port: outputs.port1,
    limits: wide,
    onFull: 'block' as const,
    sendSnapshot: false,
  };
  await engine.ask({ kind: 'attach output', ...output }, { transfer: [outputs.port1] });
  const receiver = openFrameReceiver(outputs.port2, { schema: view.schema, limits: wide });
  const took: number[] = [];
  const stepTook: number[] = [];
  const waited: number[] = [];
  // This thread and the engine's have filled the state.
  const waits = CoreWaits.ofBusiest(2);
  let seen = 0;
  const begun = performance.now();
  for (let n = 0; n < warmUp + samples; n++) {
    const batch = rows(1, () => scattered(n) % stateRows);
    const waitedBefore = waits.waitedMs();
    const nanosBefore = engine.gauges.get('stepNanos');
    const started = performance.now();
    send(batch);
    const changed = await nextStep(receiver);
    const elapsed = performance.now() - started;
    if (n < warmUp) continue;
    took.push(elapsed);
    stepTook.push((engine.gauges.get('stepNanos') - nanosBefore) / 1e6);
    waited.push(waits.waitedMs() - waitedBefore);
    if (changed > 0) seen++;
  }
  const seconds = (performance.now() - begun) / 1000;
  await system.shutdown();
  // Without the time in which one of the two threads was ready and had no core.
  const own = took.map((elapsed, i) => Math.max(0, elapsed - (waited[i] ?? 0)));
  return {
    ownP99: percentile(own, 0.99),
    ownMax: Math.max(...own),
    seconds,
    rows: warmUp + samples,
    checksum: `${seen} seen`,
    p50: percentile(took, 0.5),
    p99: percentile(took, 0.99),
    stepP50: percentile(stepTook, 0.5),
    stepP99: percentile(stepTook, 0.99),
  };
}

/** Rows of the next step, whose mark is confirmed. */
async function nextStep(receiver: FrameReceiver): Promise<number> {
  let rows = 0;
  for (;;) {
    const frame = receiver.take();
    if (frame === null) {
      await new Promise<void>((resolve) => {
        receiver.onFrame = resolve;
      });
    } else if (frame.kind === 'batch') rows += frame.batch.rows;
    else if (frame.kind === 'mark') {
      receiver.confirm(frame.mark);
      return rows;
    }
  }
}
