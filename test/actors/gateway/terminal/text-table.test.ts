// Tables of the command line.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { textTable } from '../../../../actors/gateway/terminal/text-table.ts';

test('numbers that JSON has no word for are not shown as if they were NULL', () => {
  const rows = [{ x: Number.NaN }, { x: Number.NEGATIVE_INFINITY }, { x: null }, { x: 1.5 }];
  assert.equal(textTable(['x'], rows), ['        x', '---------', '      NaN', '-Infinity', '     NULL', '      1.5']);
});

test('a long text is cut, unless its column is to be whole', () => {
  const rows = [{ a: 'x'.repeat(80), b: 'y'.repeat(80) }];
  const [, , line = ''] = textTable(['a', 'b'], rows, 'b');
  assert.is(line, `${'x'.repeat(59)}…  ${'y'.repeat(80)}`);
});

test.run();
