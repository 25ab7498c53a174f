// A source actor on the test's thread, reading a file, and the other end of its port.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MessageChannel } from 'node:worker_threads';
import { DecodePool } from '../../../actors/source/decode-pool.ts';
import type { SourceArguments, SourceMessage, SourceNotice } from '../../../actors/source/messages.ts';
import { sourceBehaviour } from '../../../actors/source/source-actor.ts';
import { registry } from '../../../connectors/registry.ts';
import type { ConnectorRegistry } from '../../../connectors/sdk/connector.ts';
import type { InputConnector } from '../../../connectors/sdk/connector-configuration.ts';
import { type Field, makeSchema, type Relation } from '../../../runtime/batch/schema.ts';
import type { Frame, FrameReceiver } from '../../../runtime/mailbox/channel.ts';
import { openFrameReceiver } from '../../../runtime/mailbox/port-channel.ts';
import { type LoneActor, loneActor } from '../lone-actor.ts';

export const numbers: Relation = relationOf('numbers', [
  { name: 'id', type: { kind: 'BIGINT' }, nullable: false },
  { name: 'name', type: { kind: 'VARCHAR', length: null }, nullable: true },
]);

export function relationOf(name: string, fields: readonly Field[]): Relation {
  return { name, schema: makeSchema(fields), primaryKey: [] };
}

export interface SourceFixture {
  readonly source: LoneActor<SourceMessage, SourceNotice>;
  readonly receiver: FrameReceiver;
  close(): Promise<void>;
}

export interface FixtureOptions {
  readonly transport: InputConnector['transport'];
  readonly format?: InputConnector['format'];
  readonly relation?: Relation;
  readonly maxQueuedRecords?: number;
  readonly maxQueuedBytes?: number;
  readonly decodeWorkers?: number;
  readonly baseFolder?: string;
  readonly connectors?: ConnectorRegistry;
  readonly position?: SourceArguments['position'];
  readonly skipRows?: number;
  readonly unclearable?: SourceArguments['unclearable'];
}

export async function sourceFixture(options: FixtureOptions): Promise<SourceFixture> {
  const relation = options.relation ?? numbers;
  const { port1, port2 } = new MessageChannel();
  const connector: InputConnector = {
    kind: 'input',
    name: 'in',
    relation: relation.name,
    endpoint: `${relation.name}.in`,
    transport: options.transport,
    format: options.format ?? null,
    labels: [],
    startAfter: [],
    onDependencyFailure: 'wait',
    paused: false,
    strict: false,
    maxQueuedRecords: options.maxQueuedRecords ?? 1_000_000,
    maxQueuedBytes: options.maxQueuedBytes ?? 64 << 20,
    maxBatchSize: null,
  };
  const args: SourceArguments = {
    connector,
    relation,
    defaults: relation.schema.fields.map(() => null),
    port: port1,
    position: options.position ?? null,
    skipRows: options.skipRows ?? 0,
    baseFolder: options.baseFolder ?? '.',
    decodeWorkers: options.decodeWorkers ?? 0,
    ...(options.unclearable === undefined ? {} : { unclearable: options.unclearable }),
  };
  const source = await loneActor(sourceBehaviour(new DecodePool(), options.connectors ?? registry), args);
  const limits = { rowsMax: connector.maxQueuedRecords, bytesMax: connector.maxQueuedBytes };
  const receiver = openFrameReceiver(port2, { schema: relation.schema, limits });
  return {
    source,
    receiver,
    close: async () => {
      await source.actor.stop();
      receiver.close();
    },
  };
}

/** A folder that is gone when `use` is through. */
export async function inFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-'));
  try {
    await use(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

export function ndjson(folder: string, rows: number, pad = ''): string {
  const lines: string[] = [];
  for (let i = 0; i < rows; i++) lines.push(`{"id":${i},"name":"name ${i}${pad}"}\n`);
  writeFileSync(join(folder, 'numbers.ndjson'), lines.join(''));
  return 'numbers.ndjson';
}

/** Takes frames, as they come, until `wanted` says stop. */
export async function takeFrames(receiver: FrameReceiver, wanted: (frame: Frame) => boolean): Promise<void> {
  for (;;) {
    const frame = receiver.take();
    if (frame === null) {
      await new Promise<void>((resolve) => {
        receiver.onFrame = resolve;
      });
      receiver.onFrame = null;
    } else if (!wanted(frame)) return;
  }
}

/** The first column of a batch. */
export function idsOf(frame: Frame): readonly bigint[] {
  if (frame.kind !== 'batch') return [];
  const column = frame.batch.columns[0];
  return column?.layout === 'fixed' && column.values instanceof BigInt64Array
    ? [...column.values.subarray(0, frame.batch.rows)]
    : [];
}
