// Where records of a pipeline without SQL can be looked at, and how much of that may wait for somebody to look.
//
//   source ─(connector)─► processor ─► … ─► relay ─► processor ─► … ─(connector)─► destination
//                     (processor in) (processor out)
//
// A source shows what it has read, before any processor; a destination what it is written, after all of them. Processors of a whole
// pipeline run beside every source of it. Not here: the taps (inspection-taps.ts).
import type { MessagePort } from 'node:worker_threads';
import type { MailboxLimits } from '../runtime/mailbox/channel.ts';

export type InspectionPoint =
  | { readonly kind: 'connector' }
  | { readonly kind: 'processor in' | 'processor out'; readonly processor: string };

/** What an actor of either direction is told: the producer's end of a channel of records. */
export interface InspectMessage {
  readonly kind: 'inspect';
  readonly point: InspectionPoint;
  readonly port: MessagePort;
}

/** What waits for one who looks. What comes on top of that is left out. */
export const inspectionLimits: MailboxLimits = { rowsMax: 1_000, bytesMax: 16 * 1024 * 1024 };
