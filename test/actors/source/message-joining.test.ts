// Messages through the decoders of every format: each stands alone, whether they are read at once or one by one.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { decodeFrame } from '../../../actors/source/encoded-batch.ts';
import { type Decoded, PieceDecoder } from '../../../actors/source/piece-decoder.ts';
import { registry } from '../../../connectors/registry.ts';
import { rowsFromBatch } from '../../../runtime/batch/row-objects.ts';
import { makeSchema, type Relation } from '../../../runtime/batch/schema.ts';
import { pack } from '../../../runtime/wire/msgpack.ts';

const relation: Relation = {
  name: 't',
  schema: makeSchema([
    { name: 'a', type: { kind: 'BIGINT' }, nullable: true },
    { name: 'b', type: { kind: 'VARCHAR', length: null }, nullable: true },
  ]),
  primaryKey: [],
};

async function decoded(
  format: string,
  configuration: object,
  messages: readonly (string | Uint8Array)[],
  decoder: PieceDecoder = new PieceDecoder(registry.inputFormats),
): Promise<{ rows: object[]; outcome: Decoded }> {
  const parts = messages.map((message) => Buffer.from(message));
  const bytes = new Uint8Array(Buffer.concat(parts.flatMap((part) => [part, Buffer.from('\n')])));
  let at = 0;
  const starts = Int32Array.from(parts, (part) => (at += part.length + 1) - part.length - 1);
  const ends = starts.map((start, i) => start + (parts[i]?.length ?? 0));
  const setup = JSON.stringify({ format, configuration, relation, defaults: [null, '"none"'], strict: false });
  const noBytes = new Uint8Array(0);
  const request = { kind: 'piece', setup, bytes, first: false, prologue: noBytes, messages: { starts, ends } } as const;
  const outcome = await decoder.decode(request);
  const rows = outcome.batches.flatMap((batch) => rowsFromBatch(decodeFrame(batch, relation.schema)).rows);
  return { rows, outcome };
}

test('a message that is cut spoils no other one', async () => {
  const json = { update_format: 'raw' };
  const messages = ['{"a": 1, "b": "x"}', '{"a": 2, "b": "', '{"a": 3}', '{"a": 4, "b"', '{"a": 5}', ''];
  const { rows, outcome } = await decoded('json', json, messages);
  assert.equal(rows, [
    { a: 1, b: 'x' },
    { a: 3, b: 'none' },
    { a: 5, b: 'none' },
  ]);
  assert.is(outcome.numParseErrors, 2);
  assert.equal(
    outcome.errors.map(({ record, offset }) => [record, offset]),
    [
      [2, 19],
      [4, 44],
    ],
  );
});

test('two messages that would be one record together are none', async () => {
  const { rows, outcome } = await decoded('json', { update_format: 'raw' }, ['{"a":', '1}']);
  assert.is(rows.length, 0);
  // What is left over of the second, a number and a brace, are two of them.
  assert.is(outcome.numParseErrors, 3);
});

test('a message may hold several records, and a piece of such ones is followed by another', async () => {
  const decoder = new PieceDecoder(registry.inputFormats);
  for (let piece = 0; piece < 3; piece++) {
    const { rows, outcome } = await decoded('json', { update_format: 'raw' }, ['{"a":1}{"a":2}', '{"a":3}'], decoder);
    assert.is(rows.length, 3);
    assert.is(outcome.records, 3);
  }
});

test('raw messages are a row each, with their line breaks; lines of them are rows', async () => {
  const raw = { column_name: 'b' };
  const whole = await decoded('raw', { mode: 'blob', ...raw }, ['one\ntwo', '', 'three']);
  assert.equal(
    whole.rows.map((row) => ('b' in row ? row.b : null)),
    ['one\ntwo', '', 'three'],
  );
  const lines = await decoded('raw', { mode: 'lines', ...raw }, ['one\ntwo', '', 'three']);
  assert.is(lines.rows.length, 3);
});

test('CSV messages have no header, or each its own', async () => {
  const csv = (headers: boolean): object => ({
    delimiter: ',',
    headers,
    quote: '"',
    double_quote: true,
    quoting: true,
    flexible: true,
    trim: 'none',
  });
  const bare = await decoded('csv', csv(false), ['1,x', '2,"y\nz"', '3,"open', '4,w']);
  assert.equal(bare.rows, [
    { a: 1, b: 'x' },
    { a: 2, b: 'y\nz' },
    { a: 4, b: 'w' },
  ]);
  assert.is(bare.outcome.numParseErrors, 1);
  const headed = await decoded('csv', csv(true), ['b,a\nx,1', 'a,b\n2,y\n3,z']);
  assert.equal(headed.rows, [
    { a: 1, b: 'x' },
    { a: 2, b: 'y' },
    { a: 3, b: 'z' },
  ]);
});

test('binary messages are read one by one, whatever bytes they hold', async () => {
  const { rows } = await decoded('msgpack', { update_format: 'raw' }, [pack({ a: 10, b: '\n' }), pack({ a: 2 ** 40 })]);
  assert.equal(rows, [
    { a: 10, b: '\n' },
    { a: 2 ** 40, b: 'none' },
  ]);
});

test.run();
