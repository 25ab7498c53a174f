// Where CSV records end.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { csvInput } from '../../../connectors/formats/csv-decoder.ts';
import { decode, splitAll, table, varchar } from './decoded-rows.ts';

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

test('a line feed outside of quotes is a border', () => {
  const split = (text: string, configuration: Record<string, unknown> = {}): number =>
    csvInput.splitter(configuration).split(bytesOf(text));
  assert.is(split('a,b\nc'), 4);
  assert.is(split('a,b'), 0);
  assert.is(split('a,"b\nc'), 0);
  assert.is(split('a,"b\nc"\nd'), 8);
  assert.is(split('a,b"\nc'), 5);
  assert.is(split('a,"b"\n"c\n'), 6);
  assert.is(split('a,"b""\n"\n'), 9);
  assert.is(split('#"\na\n"', { comment: '#' }), 5);
  assert.is(split('"a\\"\n"\nb', { escape: '\\' }), 7);
});

test('the state inside of quotes is kept from payload to payload', () => {
  const text = 'a,"b\n""\n",c\n"d\n"\ne,f\n';
  for (let size = 1; size < text.length; size++) {
    const { pieces } = splitAll(csvInput, {}, bytesOf(text), new Array(text.length).fill(size));
    const target = table([
      { name: 'x', type: varchar },
      { name: 'y', type: varchar },
    ]);
    assert.equal(decode(csvInput, {}, target, '', { pieces }).rows, [
      ['a', 'b\n"\n'],
      ['d\n', null],
      ['e', 'f'],
    ]);
  }
});

test('the header line is the prologue of every piece', () => {
  const target = table([
    { name: 'x', type: varchar },
    { name: 'y', type: varchar },
  ]);
  const configuration = { headers: true };
  const { pieces, prologue } = splitAll(csvInput, configuration, bytesOf('\ufeff\ny,"x"\na,b\nc,d\n'), [12, 4, 4, 4]);
  assert.is(new TextDecoder('utf-8', { ignoreBOM: true }).decode(prologue), '\ufeff\ny,"x"\n');
  assert.ok(pieces.length > 2);
  assert.equal(decode(csvInput, configuration, target, '', { pieces, prologue }).rows, [
    ['b', 'a'],
    ['d', 'c'],
  ]);
  const splitter = csvInput.splitter(configuration);
  splitter.prologue?.(bytesOf('x,y\n1,2\n'));
  splitter.reset();
  assert.is(new TextDecoder().decode(splitter.prologue?.(bytesOf('y\n1\n'))), 'y\n');
});

test('a byte order mark does not hide the quote behind it', () => {
  for (let size = 1; size < 12; size++) {
    const { pieces } = splitAll(csvInput, {}, bytesOf('\ufeff"a\nb"\nc\n'), new Array(20).fill(size));
    const got = decode(csvInput, {}, table([{ name: 'x', type: varchar }]), '', { pieces });
    assert.equal(got.rows, [['a\nb'], ['c']]);
  }
});

test('a stray quote does not hold back a stream for ever', () => {
  const bytes = new Uint8Array(65 * 1024 * 1024).fill(0x61);
  for (let i = 79; i < bytes.length; i += 80) bytes[i] = 10;
  bytes[80] = 0x22;
  const splitter = csvInput.splitter({});
  assert.is(splitter.split(bytes.subarray(0, 1024)), 80);
  const rest = bytes.subarray(80);
  assert.is(splitter.split(rest.subarray(0, 2048)), 0);
  const length = splitter.split(rest);
  assert.ok(length > 64 * 1024 * 1024);
  assert.is(rest[length - 1], 10);
});

test.run();
