// datagen: the same rows from the same seed however they are cut, rates by the clock, and settings that cannot be.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { emptyInput } from '../../../connectors/generator/empty-source.ts';
import { datagen } from '../../../connectors/generator/source.ts';
import { textStrategies } from '../../../connectors/generator/text-strategies.ts';
import { conformance } from '../../../connectors/sdk/conformance.ts';
import { type CellValue, readCell } from '../../../runtime/batch/scalar-values.ts';
import type { Relation } from '../../../runtime/batch/schema.ts';
import { unsignedType } from '../../../runtime/batch/sql-type.ts';
import { bigint, codeOf, contextFor, eagerClock, readAll, relationOf, varchar } from '../connector-context.ts';

const everything = relationOf({
  id: bigint,
  small: { kind: 'TINYINT' },
  amount: { kind: 'DECIMAL', precision: 10, scale: 2 },
  wide: { kind: 'DECIMAL', precision: 30, scale: 2 },
  ratio: { kind: 'DOUBLE' },
  at: { kind: 'TIMESTAMP' },
  day: { kind: 'DATE' },
  time: { kind: 'TIME' },
  flag: { kind: 'BOOLEAN' },
  key: { kind: 'UUID' },
  text: varchar,
  raw: { kind: 'VARBINARY', length: null },
  any: { kind: 'VARIANT' },
});

const uniform = { strategy: 'uniform', null_percentage: 20 };
const fields = Object.fromEntries(everything.schema.fields.slice(1, -1).map(({ name }) => [name, uniform]));

for (const { title, run } of conformance(datagen, {
  configuration: { seed: 3, plan: [{ limit: 70, worker_chunk_size: 32, fields }, { limit: 5 }] },
  relation: everything,
})) {
  test(title, run);
}

for (const { title, run } of conformance(emptyInput, { configuration: {}, relation: everything })) {
  if (!/every time|goes on/.test(title)) test(title, run);
}

async function generate(relation: Relation, plan: object, seed = 1): Promise<CellValue[][]> {
  const source = datagen.create({ plan: [plan], seed }, contextFor(relation, '.'));
  await source.open(null);
  const rows: CellValue[][] = [];
  for (const payload of await readAll(source)) {
    if (payload.kind !== 'batch') continue;
    const { batch } = payload;
    for (let i = 0; i < batch.rows; i++) rows.push(batch.columns.map((column) => readCell(column, i)));
  }
  return rows;
}

test('without settings every column counts', async () => {
  const rows = await generate(everything, { limit: 3 });
  assert.equal(rows[2]?.slice(0, 8), [2n, 2, 2n, 2n, 2, 2000n, 2, 2_000_000n]);
  assert.equal(rows[1]?.slice(8, 11), [true, '00000000-0000-0000-0000-000000000001', '1']);
});

test('rows are the same whatever the size of the batches, and others for another seed', async () => {
  const whole = await generate(everything, { limit: 300, fields });
  assert.equal(await generate(everything, { limit: 300, fields, worker_chunk_size: 7 }), whole);
  assert.not.equal(await generate(everything, { limit: 300, fields }, 2), whole);
});

test('a seed gives the values that are known of it in other generators of the same numbers', async () => {
  const unsigned = relationOf({
    id: { kind: 'INTEGER' },
    tiny: unsignedType(8),
    small: unsignedType(16),
    whole: unsignedType(32),
    big: unsignedType(64),
    tiny1: unsignedType(8),
    small1: unsignedType(16),
    whole1: unsignedType(32),
    big1: bigint,
  });
  const between = (from: number, to: number): object => ({ strategy: 'uniform', range: [from, to] });
  const ranges = [between(0, 255), between(256, 65535), between(65536, 4294967295), between(2 ** 32, 2 ** 63)];
  const names = unsigned.schema.fields.slice(1).map(({ name }) => name);
  const plan = { limit: 1, fields: Object.fromEntries(names.map((name, i) => [name, ranges[i % 4]])) };
  assert.equal(
    (await generate(unsigned, plan, 12345)).map((row) => row.map(String)),
    [['0', '9', '10192', '1146171806', '6996571239486628517', '84', '15522', '1457925796', '3352245520498693749']],
  );
});

test('a BIGINT without a range is drawn from all of them', async () => {
  const rows = await generate(relationOf({ n: bigint }), { limit: 100, fields: { n: { strategy: 'uniform' } } });
  const drawn = rows.map(([n]) => BigInt(String(n)));
  assert.ok(drawn.some((n) => n < -(2n ** 61n)) && drawn.some((n) => n > 2n ** 61n) && new Set(drawn).size === 100);
});

test('unsigned integers are drawn from their whole range', async () => {
  const relation = relationOf({ u: unsignedType(64) });
  const [low, high] = [4294967296, 2 ** 64];
  const rows = await generate(relation, { limit: 500, fields: { u: { strategy: 'uniform', range: [low, high] } } });
  const drawn = rows.map(([u]) => BigInt(String(u)));
  assert.ok(drawn.every((u) => u >= 4294967296n && u < 2n ** 64n));
  assert.ok(drawn.some((u) => u > 2n ** 63n));
});

test('draws stay in their range, and every part of it is reached', async () => {
  const relation = relationOf({
    u: bigint,
    z: bigint,
    d: { kind: 'DECIMAL', precision: 9, scale: 2 },
    t: { kind: 'TIMESTAMP' },
  });
  const rows = await generate(relation, {
    limit: 5000,
    fields: {
      u: { strategy: 'uniform', range: [-5, 5] },
      z: { strategy: 'zipf', range: [0, 50], e: 1.2 },
      d: { strategy: 'uniform', range: [1.5, 2] },
      t: { strategy: 'uniform', range: ['2020-01-01 00:00:00', '2020-01-01 00:00:01'] },
    },
  });
  const counts = new Map<unknown, number>();
  for (const row of rows) counts.set(row[0], (counts.get(row[0]) ?? 0) + 1);
  assert.is(counts.size, 10);
  assert.ok([...counts].every(([value, count]) => Number(value) >= -5 && Number(value) < 5 && count > 350));
  const ranks = rows.map((row) => Number(row[1]));
  assert.ok(ranks.every((rank) => rank >= 0 && rank < 50));
  assert.ok(ranks.filter((rank) => rank === 0).length > 4 * ranks.filter((rank) => rank === 9).length);
  assert.ok(rows.every((row) => Number(row[2]) >= 150 && Number(row[2]) < 200));
  const second = 1577836800000000n;
  assert.ok(rows.every((row) => BigInt(Number(row[3])) >= second && BigInt(Number(row[3])) < second + 1000000n));
});

test('every text strategy makes texts, and values are picked from a list', async () => {
  for (const strategy of textStrategies.keys()) {
    const rows = await generate(relationOf({ s: varchar }), { limit: 20, fields: { s: { strategy, range: [1, 6] } } });
    assert.ok(
      rows.every(([text]) => typeof text === 'string' && /^[\x20-\x7e]+$/.test(text)),
      strategy,
    );
  }
  const picked = await generate(relationOf({ s: varchar }), { limit: 4, fields: { s: { values: ['a', null, 'ö'] } } });
  assert.equal(picked.flat(), ['a', null, 'ö', 'a']);
});

test('texts are picked as they stand in the list, also where some stand there twice, and whatever other columns draw', async () => {
  const values = ['aa', null, 'b', 'aa', ''];
  const relation = relationOf({ s: varchar, n: bigint, one: varchar });
  const rows = await generate(relation, { limit: 11, fields: { s: { values }, one: { values: ['always'] } } });
  assert.equal(
    rows,
    Array.from({ length: 11 }, (_, i) => [values[i % 5], BigInt(i), 'always']),
  );
  const drawn = async (one: object): Promise<unknown[]> => {
    const fields = { s: { strategy: 'uniform', values, null_percentage: 30 }, one, n: { strategy: 'uniform' } };
    return (await generate(relation, { limit: 50, fields })).map(([s, n]) => [s, n]);
  };
  assert.equal(await drawn({ values: ['always'] }), await drawn({ strategy: 'increment' }));
});

test('numbers count up to the end of their range, and begin anew', async () => {
  for (const size of [1, 7]) {
    const plan = { limit: 7, worker_chunk_size: size, fields: { n: { range: [5, 8], scale: 2 } } };
    assert.equal((await generate(relationOf({ n: bigint }), plan)).flat(), [5n, 7n, 6n, 5n, 7n, 6n, 5n]);
  }
});

test('about as many values are NULL as asked for', async () => {
  const rows = await generate(relationOf({ s: varchar }), {
    limit: 4000,
    fields: { s: { strategy: 'name', null_percentage: 25 } },
  });
  const nulls = rows.filter(([text]) => text === null).length;
  assert.ok(nulls > 850 && nulls < 1150, String(nulls));
});

test('a rate is kept by the clock that is given', async () => {
  const clock = eagerClock();
  const source = datagen.create(
    { plan: [{ limit: 50, rate: 100 }], seed: 1 },
    contextFor(relationOf({ id: bigint }), '.', clock),
  );
  await source.open(null);
  const sizes = (await readAll(source)).flatMap((payload) => (payload.kind === 'batch' ? [payload.batch.rows] : []));
  assert.equal(sizes, [10, 10, 10, 10, 10]);
  assert.is(clock.monotonic(), 400);
  assert.is(source.recordsTotal?.(), 50);
});

test('settings that cannot be are coded errors', async () => {
  const create = (settings: object): Promise<string> =>
    codeOf(() =>
      datagen
        .create(
          { plan: [{ fields: settings }] },
          contextFor(relationOf({ 'id!': bigint, s: varchar, n: { kind: 'TINYINT' } }), '.'),
        )
        .configure?.(),
    );
  assert.is(await create({ idd: {} }), 'config.unknown_key id');
  assert.is(await create({ s: { strategy: 'emial' } }), 'config.unknown_value email');
  assert.is(await create({ n: { strategy: 'email' } }), 'config.unknown_value');
  assert.is(await create({ n: { range: [0, 1000] } }), 'config.invalid_value');
  assert.is(await create({ n: { range: [5, 5] } }), 'config.invalid_value');
  assert.is(await create({ id: { null_percentage: 1 } }), 'config.invalid_value');
});

test.run();
