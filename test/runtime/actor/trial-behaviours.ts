// Behaviours for tests of the actor system: one that does whatever it is told, and two ends of a data channel.
import { type MessagePort, threadId } from 'node:worker_threads';
import type { Actor, Behaviour } from '../../../runtime/actor/actor.ts';
import type { AnyBehaviour } from '../../../runtime/actor/actor-loop.ts';
import { BatchBuilder } from '../../../runtime/batch/batch-builder.ts';
import type { ChangeBatch } from '../../../runtime/batch/change-batch.ts';
import { makeSchema, type Schema } from '../../../runtime/batch/schema.ts';
import { systemClock } from '../../../runtime/clock.ts';
import { type CodedErrorClass, defineError } from '../../../runtime/errors.ts';
import type { MailboxLimits } from '../../../runtime/mailbox/channel.ts';
import { openFrameReceiver, openFrameSender } from '../../../runtime/mailbox/port-channel.ts';

export const TrialFailure: CodedErrorClass<{ readonly depth: number; readonly big: bigint }> = defineError(
  'trial.failure',
  { help: 'Only tests see this.', retry: 'later' },
  (f) => `failed at depth ${f.depth}`,
);

export type TrialMessage =
  | { readonly kind: 'echo'; readonly value: unknown }
  | { readonly kind: 'give'; readonly bytes: number }
  | { readonly kind: 'where' }
  | { readonly kind: 'throw' }
  | { readonly kind: 'reject' }
  | { readonly kind: 'fail' }
  | { readonly kind: 'uncaught' }
  | { readonly kind: 'exit'; readonly code: number }
  | { readonly kind: 'spin'; readonly beat: boolean }
  | { readonly kind: 'work'; readonly ms: number }
  | { readonly kind: 'never' }
  | { readonly kind: 'notify'; readonly notice: unknown }
  | { readonly kind: 'count to self'; readonly left: number; readonly seen?: readonly number[] }
  | { readonly kind: 'gauge'; readonly records: number };

export interface TrialArguments {
  readonly start?: 'throw' | 'hang';
  readonly stop?: 'throw' | 'hang';
}

const trial: Behaviour<TrialArguments, TrialMessage, unknown> = (args, context): Actor<TrialMessage> => {
  let counted: ((value: unknown) => void) | null = null;
  return {
    start: async () => {
      if (args.start === 'throw') throw failure();
      if (args.start === 'hang') await new Promise(() => {});
    },
    receive: (message, reply) => {
      switch (message.kind) {
        case 'echo':
          return reply.resolve(message.value);
        case 'give': {
          const buffer = new ArrayBuffer(message.bytes);
          reply.resolve(buffer, [buffer]);
          return context.notify({ kind: 'left over', bytes: buffer.byteLength });
        }
        case 'where':
          return reply.resolve(threadId);
        case 'throw':
          throw failure();
        case 'reject':
          return reply.reject(failure());
        case 'fail':
          return context.fail(failure());
        case 'uncaught':
          setImmediate(() => {
            throw failure();
          });
          return;
        case 'exit':
          return process.exit(message.code);
        case 'spin':
          while (true) if (message.beat) context.gauges.add('heartbeat', 1);
        case 'work': {
          const end = systemClock.monotonic() + message.ms;
          while (systemClock.monotonic() < end) context.gauges.add('heartbeat', 1);
          return reply.resolve();
        }
        case 'never':
          return;
        case 'notify':
          context.notify(message.notice);
          return reply.resolve();
        case 'count to self': {
          counted ??= (value) => reply.resolve(value);
          const seen = [...(message.seen ?? []), message.left];
          if (message.left === 0) return counted(seen);
          return context.self({ kind: 'count to self', left: message.left - 1, seen });
        }
        case 'gauge':
          context.gauges.set('records', message.records);
          return reply.resolve();
      }
    },
    stop: async () => {
      if (args.stop === 'throw') throw failure();
      if (args.stop === 'hang') await new Promise(() => {});
      context.notify({ kind: 'stopped' });
    },
  };
};

function failure(): Error {
  const root = new TrialFailure({ depth: 2, big: 1n }, { place: { file: 'deep.sql', line: 3 } });
  return new TrialFailure({ depth: 1, big: 2n ** 62n }, { cause: root, suggestion: 'depths' });
}

export interface ChannelEndArguments {
  readonly port: MessagePort;
  readonly limits: MailboxLimits;
}

export interface ProducerArguments extends ChannelEndArguments {
  readonly batches: number;
  readonly rows: number;
}

export const numbersSchema: Schema = makeSchema([{ name: 'n', type: { kind: 'BIGINT' }, nullable: false }]);

/** Rows whose only value counts from `first`. */
export function numbersBatch(first: number, rows: number): ChangeBatch {
  const builder = new BatchBuilder(numbersSchema, rows);
  builder.reserve(rows);
  const values = builder.columns[0]?.values;
  if (values instanceof BigInt64Array) for (let row = 0; row < rows; row++) values[row] = BigInt(first + row);
  builder.commitRows(rows, null);
  return builder.finish();
}

/** Sends as long as it has credit; answers with the most rows that were ever queued once the end is confirmed. */
const producer: Behaviour<ProducerArguments, { readonly kind: 'run' }, unknown> = (args) => {
  const sender = openFrameSender(args.port, { schema: numbersSchema, limits: args.limits });
  return {
    receive: (_, reply) => {
      let sent = 0;
      let queuedRowsMost = 0;
      let waits = 0;
      const pump = (): void => {
        while (sent < args.batches && sender.hasCredit) {
          sender.send({ kind: 'batch', sequence: sent + 1, batch: numbersBatch(sent * args.rows, args.rows) });
          queuedRowsMost = Math.max(queuedRowsMost, sender.queuedRows);
          if (++sent < args.batches) continue;
          sender.send({ kind: 'mark', mark: 1 });
          sender.send({ kind: 'end' });
        }
        if (sent < args.batches) waits++;
      };
      sender.onReady = pump;
      sender.onConfirm = (mark) => reply.resolve({ mark, queuedRowsMost, waits });
      sender.onClose = () => reply.reject(failure());
      pump();
    },
    stop: () => sender.close(),
  };
};

/** Takes one frame a turn; answers with what it has seen at the end. */
const consumer: Behaviour<ChannelEndArguments, { readonly kind: 'run' }, unknown> = (args, context) => {
  const receiver = openFrameReceiver(args.port, { schema: numbersSchema, limits: args.limits });
  return {
    receive: (_, reply) => {
      let rows = 0;
      let isInOrder = true;
      let queuedRowsMost = 0;
      const turn = (): void => {
        queuedRowsMost = Math.max(queuedRowsMost, receiver.queuedRows);
        const frame = receiver.take();
        if (frame?.kind === 'batch') {
          const values = frame.batch.columns[0];
          isInOrder &&= values?.layout === 'fixed' && values.values[0] === BigInt(rows);
          rows += frame.batch.rows;
        } else if (frame?.kind === 'mark') {
          receiver.confirm(frame.mark);
        } else if (frame?.kind === 'end') {
          reply.resolve({ rows, isInOrder, queuedRowsMost });
        }
        if (!receiver.isEmpty) setImmediate(turn);
      };
      receiver.onFrame = () => setImmediate(turn);
      receiver.onClose = () => context.notify({ kind: 'closed', rows });
      if (!receiver.isEmpty) setImmediate(turn);
    },
    stop: () => receiver.close(),
  };
};

export const behaviours: Readonly<Record<string, AnyBehaviour>> = {
  // SAFETY: a test that spawns a behaviour passes the arguments and messages that belong to it.
  trial: trial as AnyBehaviour,
  // SAFETY: as above.
  producer: producer as AnyBehaviour,
  // SAFETY: as above.
  consumer: consumer as AnyBehaviour,
};
