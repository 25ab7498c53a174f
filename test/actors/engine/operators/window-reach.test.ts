// How far a change reaches, as far as the calls of a window tell.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { reachOf } from '../../../../actors/engine/operators/window-reach.ts';
import type { WindowColumn } from '../../../../actors/engine/operators/window-results.ts';
import type { FrameBound, WindowFrame } from '../../../../actors/engine/sql/window-function.ts';

const current: FrameBound = { kind: 'current' };
const unbounded: FrameBound = { kind: 'unbounded' };

function call(name: WindowColumn['function'], frame: WindowFrame): WindowColumn {
  const type = { kind: 'BIGINT' } as const;
  return { function: name, operand: null, filter: null, fallback: null, offset: 1, ignoreNulls: false, frame, type };
}

test('a rank without gaps is computed from what lies before a change, not from the whole partition', () => {
  const reach = reachOf([call('dense_rank', { unit: 'range', start: unbounded, end: current })], null);
  assert.ok(reach?.runs);
  assert.ok(reach.peers);
});

test('a frame in groups reaches as many groups as it is wide, the other way round', () => {
  const frame: WindowFrame = { unit: 'groups', start: { kind: 'offset', by: -2 }, end: { kind: 'offset', by: 1 } };
  const reach = reachOf([call('count', frame)], null);
  assert.equal([reach?.groupsBefore, reach?.groupsAfter, reach?.runs], [2, 1, false]);
});

test('a frame to the end of the partition is computed as a whole', () => {
  assert.is(reachOf([call('count', { unit: 'groups', start: current, end: unbounded })], null), null);
});

test.run();
