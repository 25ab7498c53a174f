// The arrow input format, for streams that are none.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { arrowInput } from '../../../connectors/formats/arrow-decoder.ts';
import { MillraceError } from '../../../runtime/errors.ts';
import { bigint, decode, table } from './decoded-rows.ts';

test('bytes that are no Arrow stream are told as such, in words for whoever sent them', () => {
  const target = table([{ name: 'id', type: bigint }]);
  const { fatal } = decode(arrowInput, {}, target, 'no Arrow at all, of more than a few bytes').report;
  assert.instance(fatal, MillraceError);
  // SAFETY: asserted on the line above.
  assert.is((fatal as MillraceError).code, 'format.arrow_malformed');
  assert.not.match((fatal as MillraceError).message, /Error:/);
});

test.run();
