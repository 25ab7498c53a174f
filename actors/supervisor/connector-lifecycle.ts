// Life of a connector. The table is the specification; docs/lifecycle.md is printed from it (lifecycle-page.ts).
//
// Inputs use all of it; an output is never told to wait. `waiting` (for labels), `paused` (by the user, or
// with the whole pipeline) and `throttled` (by back-pressure) are three states that a user can tell apart. While a
// connector waits for labels *and* is paused by the user it is `waiting`; its `paused` flag says the rest.
// The supervisor is the only one who calls `nextConnectorState`.
import { type CodedErrorClass, defineError } from '../../runtime/errors.ts';

export type ConnectorState =
  /** Configured, nothing decided yet. */
  | 'created'
  /** Connectors with the labels that it starts after have not finished. Not opened. */
  | 'waiting'
  /** Held by the user, or together with the pipeline. No row of it enters a step. */
  | 'paused'
  /** Being configured, told of its event, opened. */
  | 'opening'
  | 'running'
  /** Running, but kept back by what comes after it. */
  | 'throttled'
  /** It has failed, and is opened again in a while: `error` says why. What it had not settled comes again. */
  | 'recovering'
  /** An input: its end is reached and the step with its last row is computed. An output: everything is flushed. */
  | 'ended'
  /** It will do nothing more; `error` says why. */
  | 'failed'
  /** Removed, or its pipeline has stopped. */
  | 'stopped';

export type ConnectorEvent =
  | 'wait'
  | 'pause'
  | 'open'
  | 'opened'
  | 'resume'
  | 'throttle'
  | 'flow'
  | 'retry'
  | 'end'
  | 'fail'
  | 'stop';

export const connectorStates: readonly ConnectorState[] = [
  'created',
  'waiting',
  'paused',
  'opening',
  'running',
  'throttled',
  'recovering',
  'ended',
  'failed',
  'stopped',
];

export const connectorEvents: readonly ConnectorEvent[] = [
  'wait',
  'pause',
  'open',
  'opened',
  'resume',
  'throttle',
  'flow',
  'retry',
  'end',
  'fail',
  'stop',
];

export const connectorTransitions: Readonly<Record<ConnectorState, Partial<Record<ConnectorEvent, ConnectorState>>>> = {
  // `end` right away: it had ended before the checkpoint that the pipeline goes on from.
  created: { wait: 'waiting', pause: 'paused', open: 'opening', end: 'ended', fail: 'failed', stop: 'stopped' },
  waiting: { pause: 'paused', open: 'opening', fail: 'failed', stop: 'stopped' },
  // `wait` only before it was opened; `end` when the pause came just behind the last row.
  paused: {
    wait: 'waiting',
    open: 'opening',
    resume: 'running',
    retry: 'recovering',
    end: 'ended',
    fail: 'failed',
    stop: 'stopped',
  },
  // An input that is short may have ended before the answer to `open` is here.
  opening: {
    opened: 'running',
    pause: 'paused',
    retry: 'recovering',
    end: 'ended',
    fail: 'failed',
    stop: 'stopped',
  },
  running: {
    throttle: 'throttled',
    pause: 'paused',
    retry: 'recovering',
    end: 'ended',
    fail: 'failed',
    stop: 'stopped',
  },
  throttled: { flow: 'running', pause: 'paused', retry: 'recovering', end: 'ended', fail: 'failed', stop: 'stopped' },
  // `end` when all that it had sent, and its end, are taken after it has failed.
  recovering: { open: 'opening', pause: 'paused', end: 'ended', fail: 'failed', stop: 'stopped' },
  ended: { stop: 'stopped' },
  failed: { stop: 'stopped' },
  stopped: {},
};

export const IllegalConnectorTransition: CodedErrorClass<{
  readonly endpoint: string;
  readonly state: ConnectorState;
  readonly event: ConnectorEvent;
}> = defineError(
  'connector.illegal_transition',
  { help: 'This is a defect in Millrace. Report it with the pipeline file.' },
  (f) => `connector '${f.endpoint}' is ${f.state}: '${f.event}' cannot happen to it`,
);

/** Where `event` leads, or null when it cannot happen in `state`. */
export function peekConnectorState(state: ConnectorState, event: ConnectorEvent): ConnectorState | null {
  return connectorTransitions[state][event] ?? null;
}

/** @throws IllegalConnectorTransition */
export function nextConnectorState(endpoint: string, state: ConnectorState, event: ConnectorEvent): ConnectorState {
  const next = peekConnectorState(state, event);
  if (next === null) throw new IllegalConnectorTransition({ endpoint, state, event });
  return next;
}
