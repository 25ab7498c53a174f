// The taps of one connector's actor: copies of the records that pass, for those who look at them.
//
// Nobody is ever waited for: what one who looks has no room for is left out and counted. Without taps a batch costs a comparison.
// A tap goes when the other end of its port does. Owned by the actor, on its thread.
import type { MessagePort } from 'node:worker_threads';
import type { ChainObserver } from '../connectors/sdk/processor-chain.ts';
import { recordSchema } from '../connectors/sdk/record-batch.ts';
import type { ChangeBatch } from '../runtime/batch/change-batch.ts';
import { sliceBatch } from '../runtime/batch/slice-batch.ts';
import type { FrameSender } from '../runtime/mailbox/channel.ts';
import { openFrameSender } from '../runtime/mailbox/port-channel.ts';
import type { Gauges } from '../runtime/metrics.ts';
import { encodeBatch } from '../runtime/wire/batch-codec.ts';
import { type InspectionPoint, inspectionLimits } from './inspection-point.ts';

interface Tap {
  readonly point: InspectionPoint;
  readonly sender: FrameSender;
}

export class InspectionTaps implements ChainObserver {
  readonly #gauges: Gauges;
  #taps: readonly Tap[] = [];

  constructor(gauges: Gauges) {
    this.#gauges = gauges;
  }

  add(point: InspectionPoint, port: MessagePort): void {
    const sender = openFrameSender(port, { schema: recordSchema, limits: inspectionLimits });
    const tap = { point, sender };
    sender.onClose = () => {
      this.#taps = this.#taps.filter((other) => other !== tap);
    };
    this.#taps = [...this.#taps, tap];
  }

  /** Records that a source has read, or that a destination is about to be written. */
  connector(batch: ChangeBatch): void {
    for (const { point, sender } of this.#taps) if (point.kind === 'connector') this.#show(sender, batch);
  }

  entering(processor: string, batch: ChangeBatch): void {
    this.#processor('processor in', processor, batch);
  }

  left(processor: string, batch: ChangeBatch): void {
    this.#processor('processor out', processor, batch);
  }

  close(): void {
    for (const { sender } of this.#taps) sender.close();
    this.#taps = [];
  }

  #processor(kind: 'processor in' | 'processor out', processor: string, batch: ChangeBatch): void {
    for (const { point, sender } of this.#taps) {
      if (point.kind === kind && point.processor === processor) this.#show(sender, batch);
    }
  }

  #show(sender: FrameSender, batch: ChangeBatch): void {
    const room = sender.hasCredit ? Math.max(0, inspectionLimits.rowsMax - sender.queuedRows) : 0;
    const shown = Math.min(room, batch.rows);
    if (shown > 0) sender.sendEncoded(encodeBatch(sliceBatch(batch, 0, shown), 0, 'in memory'), shown);
    if (shown < batch.rows) this.#gauges.add('inspectorDroppedRecords', batch.rows - shown);
  }
}
