// A source that empties its table: the clear goes in its place among the rows, and a run that goes on knows on which side of it it is.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { ReplayPoint } from '../../../actors/source/messages.ts';
import { registry } from '../../../connectors/registry.ts';
import { recordRelation } from '../../../connectors/sdk/record-batch.ts';
import { defineSource, type Payload, type Position } from '../../../connectors/sdk/source.ts';
import { BatchBuilder } from '../../../runtime/batch/batch-builder.ts';
import { idsOf, numbers, type SourceFixture, sourceFixture } from './source-fixture.ts';

const parts = [[0, 1, 2], 'clear', 'clear', [3], [4, 5], 'clear', [6, 7]] as const;
const everything = [0n, 1n, 2n, 'clear', 'clear', 3n, 4n, 5n, 'clear', 6n, 7n];

function rows(ids: readonly number[], position: Position): Payload {
  const builder = new BatchBuilder(numbers.schema);
  for (const id of ids) {
    builder.reserve(1);
    builder.columns[0]!.values[builder.rows] = BigInt(id);
    builder.columns[1]!.setNull(builder.rows);
    builder.commitRow();
  }
  return { kind: 'batch', batch: builder.finish(), position };
}

function lines(ids: readonly number[], part: number): Payload {
  const bytes = new Uint8Array(Buffer.from(ids.map((id) => `{"id":${id}}\n`).join('')));
  return { kind: 'bytes', bytes, positionAfter: (length) => (length === bytes.length ? { part } : { part: part - 1 }) };
}

const clearing = (
  name: string,
  payload: (ids: readonly number[], part: number) => Payload,
  format: 'none' | 'required',
) =>
  defineSource({
    name,
    summary: 'Rows, and clears between them.',
    format,
    parameters: [],
    create: () => {
      let at = 0;
      return {
        open: async (position) => {
          at = Number(position?.['part'] ?? 0);
        },
        async *read() {
          for (; at < parts.length; at++) {
            const part = parts[at]!;
            yield part === 'clear' ? { kind: 'clear', position: { part: at + 1 } } : payload(part, at + 1);
          }
        },
      };
    },
  });
const connectors = {
  ...registry,
  sources: [clearing('batches', (ids, part) => rows(ids, { part }), 'none'), clearing('lines', lines, 'required')],
};
const json = { name: 'json', config: { update_format: 'raw' } };

async function fixtureOf(name: string, begin: Partial<ReplayPoint> = {}): Promise<SourceFixture> {
  const { position = null, skipRows = 0 } = begin;
  const transport = { name, config: {} };
  const format = name === 'lines' ? json : null;
  return await sourceFixture({ transport, format, connectors, position, skipRows });
}

/** Everything until the end. */
async function taken({ source, receiver }: SourceFixture): Promise<(bigint | 'clear')[]> {
  await source.ask({ kind: 'open' });
  const all: (bigint | 'clear')[] = [];
  for (;;) {
    const kind = receiver.peek();
    if (kind === 'end') return all;
    if (kind === null) {
      await new Promise<void>((resolve) => {
        receiver.onFrame = resolve;
      });
      receiver.onFrame = null;
    } else if (kind === 'clear') {
      receiver.takeEncoded();
      all.push('clear');
    } else {
      const frame = receiver.take();
      if (frame?.kind === 'batch') all.push(...idsOf(frame));
    }
  }
}

for (const name of ['batches', 'lines']) {
  test(`${name}: clears come in their places and count as rows`, async () => {
    const fixture = await fixtureOf(name);
    assert.equal(await taken(fixture), everything);
    assert.is(fixture.source.gauges.get('records'), everything.length);
    await fixture.close();
  });

  test(`${name}: a run that goes on behind any number of rows and clears gives exactly the rest`, async () => {
    const first = await fixtureOf(name);
    await taken(first);
    const points = await first.source.ask<readonly ReplayPoint[]>({ kind: 'replay points' });
    await first.close();
    assert.ok(points.length > 5);
    for (const { position, skipRows, records } of points) {
      for (let behind = records; behind <= everything.length; behind++) {
        const again = await fixtureOf(name, { position, skipRows: skipRows + behind - records });
        assert.equal(await taken(again), everything.slice(behind), `behind ${behind}`);
        await again.close();
      }
    }
  });
}

test('where the table keeps no rows a clear ends the connector behind what came before it, and says why', async () => {
  const fixture = await sourceFixture({
    transport: { name: 'batches', config: {} },
    connectors,
    unclearable: { table: 'numbers', reason: 'it keeps none' },
  });
  await fixture.source.ask({ kind: 'open' });
  const failure = await fixture.source.noticed('source failed');
  assert.ok(failure.kind === 'source failed');
  const { error } = failure;
  assert.is(error.code, 'source.table_not_cleared');
  assert.match(error.message, /it keeps none/);
  assert.is(fixture.source.gauges.get('records'), 3);
  await fixture.close();
});

test('records that pass have no table: a clear among them ends the connector', async () => {
  const clears = defineSource({
    name: 'clears',
    summary: 'A clear.',
    format: 'none',
    produces: 'records',
    parameters: [],
    create: () => ({
      open: async () => {},
      async *read() {
        yield { kind: 'clear', position: {} };
      },
    }),
  });
  const fixture = await sourceFixture({
    transport: { name: 'clears', config: {} },
    relation: recordRelation,
    connectors: { ...registry, sources: [clears] },
  });
  await fixture.source.ask({ kind: 'open' });
  const failure = await fixture.source.noticed('source failed');
  assert.is(failure.kind === 'source failed' && failure.error.code, 'source.clear_without_table');
  await fixture.close();
});

test.run();
