// Both lifecycle tables, walked exhaustively, and the page printed from them.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  connectorEvents,
  connectorStates,
  connectorTransitions,
  nextConnectorState,
  peekConnectorState,
} from '../../../actors/supervisor/connector-lifecycle.ts';
import { lifecyclePage } from '../../../actors/supervisor/lifecycle-page.ts';
import {
  nextPipelineState,
  peekPipelineState,
  pipelineEvents,
  pipelineStates,
  pipelineTransitions,
} from '../../../actors/supervisor/pipeline-lifecycle.ts';
import { MillraceError } from '../../../runtime/errors.ts';

function reachableFrom<State, Event>(
  start: State,
  events: readonly Event[],
  peek: (state: State, event: Event) => State | null,
): Set<State> {
  const seen = new Set([start]);
  for (const state of seen) {
    for (const event of events) {
      const next = peek(state, event);
      if (next !== null) seen.add(next);
    }
  }
  return seen;
}

test('every connector state x event leads to a listed state or is refused with its code', () => {
  assert.equal(connectorStates, Object.keys(connectorTransitions));
  for (const state of connectorStates) {
    for (const event of connectorEvents) {
      const next = peekConnectorState(state, event);
      if (next !== null) assert.ok(connectorStates.includes(nextConnectorState('t.c', state, event)));
      else {
        try {
          nextConnectorState('t.c', state, event);
          assert.unreachable();
        } catch (error) {
          assert.instance(error, MillraceError);
          assert.is((error as MillraceError).code, 'connector.illegal_transition'); // SAFETY: checked above.
        }
      }
    }
  }
});

test('every pipeline state x event leads to a listed state or is refused with its code', () => {
  assert.equal(pipelineStates, Object.keys(pipelineTransitions));
  for (const state of pipelineStates) {
    for (const event of pipelineEvents) {
      const next = peekPipelineState(state, event);
      if (next !== null) assert.ok(pipelineStates.includes(nextPipelineState(state, event)));
      else assert.throws(() => nextPipelineState(state, event), /cannot happen/);
    }
  }
});

test('every state can be reached, and every state but the last can be stopped', () => {
  assert.equal(reachableFrom('created', connectorEvents, peekConnectorState), new Set(connectorStates));
  assert.equal(reachableFrom('created', pipelineEvents, peekPipelineState), new Set(pipelineStates));
  for (const state of connectorStates) {
    assert.is(peekConnectorState(state, 'stop'), state === 'stopped' ? null : 'stopped');
  }
  for (const state of pipelineStates) {
    assert.is(peekPipelineState(state, 'stop') !== null, state !== 'stopped' && state !== 'draining');
  }
});

test('every event is used somewhere', () => {
  for (const event of connectorEvents) assert.ok(connectorStates.some((s) => peekConnectorState(s, event) !== null));
  for (const event of pipelineEvents) assert.ok(pipelineStates.some((s) => peekPipelineState(s, event) !== null));
});

test('what has ended or failed does not come back', () => {
  for (const state of ['ended', 'failed'] as const) {
    assert.equal(reachableFrom(state, connectorEvents, peekConnectorState), new Set([state, 'stopped']));
  }
});

test('the page shows every state and every transition', () => {
  const page = lifecyclePage();
  for (const state of connectorStates) {
    assert.ok(page.includes(`| \`${state}\` |`));
    for (const event of connectorEvents) {
      const next = peekConnectorState(state, event);
      assert.is(page.includes(`  ${state} --> ${next}: ${event}\n`), next !== null);
    }
  }
  for (const state of pipelineStates) assert.ok(page.includes(`| \`${state}\` |`));
});

test.run();
