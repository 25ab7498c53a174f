// Batches as one: what becomes of dictionaries, which each frame brings anew.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { ChangeBatch } from '../../../runtime/batch/change-batch.ts';
import { concatBatches } from '../../../runtime/batch/concat-batches.ts';
import { readCell } from '../../../runtime/batch/scalar-values.ts';
import { makeSchema } from '../../../runtime/batch/schema.ts';

const type = { kind: 'VARCHAR', length: null } as const;
const schema = makeSchema([{ name: 's', type, nullable: true }]);

/** Over a dictionary of its own, as each frame has one. */
function coded(entries: readonly string[], codes: readonly number[]): ChangeBatch {
  const bytes = new TextEncoder().encode(entries.join(''));
  const ends = entries.map((_, i) => entries.slice(0, i + 1).join('').length);
  const dictionary = { identity: {}, size: entries.length, offsets: Int32Array.of(0, ...ends), bytes };
  const column = { layout: 'dictionary', type, validity: null, codes: Int32Array.from(codes), dictionary } as const;
  return { schema, rows: codes.length, weights: null, columns: [column], presence: null };
}

function concat(...batches: ChangeBatch[]): { layout: string | undefined; texts: unknown[] } {
  const { columns, rows } = concatBatches(batches, schema);
  const [column] = columns;
  return {
    layout: column?.layout,
    texts: Array.from({ length: rows }, (_, row) => (column === undefined ? null : readCell(column, row))),
  };
}

test('dictionaries that say the same stay one, and others give up their texts', () => {
  const once = coded(['ab', 'c'], [1, 0]);
  assert.equal(concat(once, coded(['ab', 'c'], [0, 0])), { layout: 'dictionary', texts: ['c', 'ab', 'ab', 'ab'] });
  assert.equal(concat(once, coded(['a', 'bc'], [0, 1])), { layout: 'bytes', texts: ['c', 'ab', 'a', 'bc'] });
  assert.equal(concat(once, coded(['ab', 'd'], [0, 1])), { layout: 'bytes', texts: ['c', 'ab', 'ab', 'd'] });
  assert.equal(concat(once, coded(['ab', 'c', 'd'], [2])), { layout: 'bytes', texts: ['c', 'ab', 'd'] });
});

test.run();
