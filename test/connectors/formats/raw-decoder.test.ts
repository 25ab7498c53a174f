// The raw input format.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { rawInput } from '../../../connectors/formats/raw-decoder.ts';
import { decode, integer, splitAll, table, varchar } from './decoded-rows.ts';

const lines = { mode: 'lines' };
const log = table([{ name: 'line', type: varchar }]);
const binary = table([{ name: 'data', type: { kind: 'VARBINARY', length: null } }]);

test('with mode: lines every line that is not empty is a row', () => {
  assert.equal(decode(rawInput, lines, log, 'a\n\n b,"c\r\n\r\nlast').rows, [['a'], [' b,"c'], ['last']]);
  const { pieces } = splitAll(rawInput, lines, new TextEncoder().encode('ab\ncd\nef'), [1, 1, 3, 1, 1, 1]);
  assert.equal(decode(rawInput, lines, log, '', { pieces }).rows, [['ab'], ['cd'], ['ef']]);
});

test('with mode: blob a stream is a row', () => {
  assert.equal(decode(rawInput, {}, binary, Uint8Array.of(255, 10, 0)).rows, [[[255, 10, 0]]]);
  assert.is(rawInput.splitter({}).split(Uint8Array.of(1, 10, 10)), 0);
});

test('text has to be UTF-8, binary does not', () => {
  const bytes = Uint8Array.of(0x61, 10, 0xff, 10, 0x62);
  const got = decode(rawInput, lines, log, bytes);
  assert.equal(got.rows, [['a'], ['b']]);
  assert.equal(got.codes, ['record.invalid_encoding']);
  assert.equal(decode(rawInput, lines, binary, bytes).rows, [[[0x61]], [[0xff]], [[0x62]]]);
});

test('other columns take their default or NULL', () => {
  const target = table([
    { name: 'id', type: integer, notNull: true, default: '7' },
    { name: 'line', type: varchar },
    { name: 'note', type: varchar },
  ]);
  assert.equal(decode(rawInput, { ...lines, column_name: 'LINE' }, target, 'a\nb').rows, [
    [7, 'a', null],
    [7, 'b', null],
  ]);
  const refused = (configuration: Record<string, unknown>, columns = target): void =>
    assert.throws(
      () => decode(rawInput, configuration, columns, ''),
      (error: { code?: string }) => error.code === 'format.conflicting_options',
    );
  refused({});
  refused({ column_name: 'lin' });
  refused({ column_name: 'id' });
  refused(
    { column_name: 'a' },
    table([
      { name: 'a', type: varchar },
      { name: 'b', type: integer, notNull: true },
    ]),
  );
});

test.run();
