// The life of an actor, every state and event.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { actorEvents, actorStates, actorTransitions, nextState } from '../../../runtime/actor/actor-lifecycle.ts';

test('every state meets every event as the table says, or refuses it', () => {
  for (const state of actorStates) {
    for (const event of actorEvents) {
      const next = actorTransitions[state][event];
      if (next === undefined) assert.throws(() => nextState(state, event), /cannot meet/);
      else assert.is(nextState(state, event), next);
    }
  }
});

test('a failure ends every life that has not ended, and an end is final', () => {
  for (const state of ['starting', 'running', 'stopping'] as const) assert.is(nextState(state, 'fail'), 'failed');
  for (const state of ['stopped', 'failed'] as const) {
    for (const event of actorEvents)
      assert.ok([state, undefined].includes(actorTransitions[state][event] as typeof state));
  }
});

test.run();
