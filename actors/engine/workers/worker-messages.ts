// What the threads of one engine say to one another, and how a circuit's exchanges are made of it.
//
//   worker 0 to another     orders: one at a time, each answered by `done` or `failed`
//   any to any              parcels of exchanges, while an order `step` is carried out
//   any to any              `failed`, in the place of a parcel or an answer: whoever hears it ends its step in the same way
import type { ChangeBatch } from '../../../runtime/batch/change-batch.ts';
import type { Schema } from '../../../runtime/batch/schema.ts';
import { type ErrorData, errorFromData, errorToData } from '../../../runtime/errors.ts';
import type { OperatorStatistics } from '../circuit/circuit.ts';
import type { Parcel, ShardLink } from '../circuit/shard-link.ts';
import { type PackedBatch, packBatch, unpackBatch } from './packed-batch.ts';
import type { WorkerLines } from './worker-line.ts';

export type Order =
  | {
      readonly kind: 'step';
      readonly inputs: readonly { readonly relation: string; readonly batches: readonly PackedBatch[] }[];
    }
  | { readonly kind: 'observe' | 'unobserve' | 'contents'; readonly relation: string }
  | { readonly kind: 'snapshot' | 'statistics' }
  | { readonly kind: 'stop' }
  | { readonly kind: 'restore'; readonly parts: readonly Uint8Array[] };

export interface Answer {
  readonly kind: 'done';
  /** Of a step: the changes of observed relations. Of `contents`: under the name of the relation. */
  readonly batches?: readonly { readonly relation: string; readonly batches: readonly PackedBatch[] }[];
  readonly parts?: readonly Uint8Array[];
  readonly statistics?: readonly OperatorStatistics[];
  readonly evaluationErrors?: number;
}

export interface Failed {
  readonly kind: 'failed';
  readonly error: ErrorData;
}

interface ParcelMessage {
  readonly kind: 'parcel';
  readonly exchange: number;
  readonly batches: readonly PackedBatch[];
}

export type LineMessage = Order | Answer | Failed | ParcelMessage;

/** The link of a circuit over lines. */
export function linkOver(lines: WorkerLines): ShardLink {
  const { worker, workers } = lines;
  const own = new Map<number, Parcel>();
  return {
    worker,
    workers,
    room: lines.room.make,
    send: (exchange, parcels) => {
      parcels.forEach((parcel, to) => {
        if (to === worker) {
          own.set(exchange, parcel);
          return;
        }
        const batches = parcel.map((batch) => packBatch(batch, lines.room));
        lines.send(to, { kind: 'parcel', exchange, batches } satisfies ParcelMessage);
      });
    },
    receive: (exchange, schema) =>
      Array.from({ length: workers }, (_, from): Parcel => {
        if (from === worker) return own.get(exchange) ?? [];
        return parcelOf(lines, from, exchange, schema);
      }),
  };
}

function parcelOf(lines: WorkerLines, from: number, exchange: number, schema: Schema): readonly ChangeBatch[] {
  // SAFETY: workers of one engine send one another nothing else.
  const message = lines.receive(from) as LineMessage;
  if (message.kind === 'failed') throw errorFromData(message.error);
  if (message.kind !== 'parcel' || message.exchange !== exchange)
    throw new TypeError(`worker ${from} sent "${message.kind}" where exchange ${exchange} was due`);
  return message.batches.map((batch) => unpackBatch(batch, schema, lines.pools[from]!));
}

/** Tells all others that this worker's step has failed. */
export function spreadFailure(lines: WorkerLines, thrown: unknown): void {
  const error = errorToData(thrown);
  for (let to = 0; to < lines.workers; to++) {
    if (to !== lines.worker) lines.send(to, { kind: 'failed', error } satisfies Failed);
  }
}
