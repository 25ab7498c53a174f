// How full queues were, from looks at the statistics of a pipeline.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { QueueWatch } from '../../../../actors/gateway/bench/queue-watch.ts';
import type {
  ConnectorStatus,
  InputConnectorStats,
  OutputConnectorStats,
  PipelineStats,
} from '../../../../actors/supervisor/messages.ts';

interface Looked {
  readonly taken: number;
  readonly buffered: number;
  readonly throttledMs: number;
  readonly written: number;
  readonly queued: number;
  readonly queuedBytes: number;
}

function statsOf({ taken, buffered, throttledMs, written, queued, queuedBytes }: Looked): PipelineStats {
  const status = { relation: 't', state: 'running', endpoint: 't.same', name: 'same' } as const;
  // SAFETY: what is looked at of them.
  const [input, output] = [
    { ...status, direction: 'input' } as unknown as ConnectorStatus,
    { ...status, direction: 'output' } as unknown as ConnectorStatus,
  ];
  const limits = { maxQueuedRecords: 100, maxQueuedBytes: 1000 };
  return {
    engine: null,
    inputs: [
      {
        ...input,
        ...limits,
        takenRecords: taken,
        totalBytes: taken * 10,
        bufferedRecords: buffered,
        bufferedBytes: 0,
        throttledMs,
      } as InputConnectorStats,
    ],
    outputs: [
      {
        ...output,
        ...limits,
        transmittedRecords: written,
        transmittedBytes: written,
        queuedRecords: queued,
        queuedBytes,
      } as OutputConnectorStats,
    ],
  } as unknown as PipelineStats;
}

test('queues are means and maxima over the looks, by records or bytes; counters are what came since the beginning', () => {
  let now = 0;
  const clock = {
    now: () => 0,
    monotonic: () => now,
    after: () => ({ cancel: () => {} }),
    every: () => ({ cancel: () => {} }),
  };
  const watch = new QueueWatch(clock);
  watch.begin(statsOf({ taken: 500, buffered: 100, throttledMs: 70, written: 9, queued: 0, queuedBytes: 0 }));
  watch.begin(statsOf({ taken: 1000, buffered: 0, throttledMs: 100, written: 10, queued: 0, queuedBytes: 0 }));
  now = 100;
  watch.look(statsOf({ taken: 1500, buffered: 50, throttledMs: 110, written: 10, queued: 20, queuedBytes: 1000 }));
  now = 180;
  watch.look(statsOf({ taken: 1600, buffered: 100, throttledMs: 150, written: 30, queued: 10, queuedBytes: 100 }));
  const [input, output] = watch.connectors;
  assert.equal(input, {
    endpoint: 't.same',
    direction: 'input',
    records: 600,
    bytes: 6000,
    queuedRecordsMean: 50,
    queuedRecordsMax: 100,
    queueFillMean: 0.5,
    queueFillMax: 1,
    throttledMs: 50,
  });
  assert.equal([output?.records, output?.queuedRecordsMax, output?.queueFillMax], [20, 20, 1]);
  assert.is(output?.throttledMs, 100, 'its queue was full, by bytes, when it was looked at after 100 ms');
});

test.run();
