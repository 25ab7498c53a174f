// Life of a pipeline. The table is the specification; docs/lifecycle.md is printed from it (lifecycle-page.ts).
//
// A pipeline lives once: after `stopped` a new one is opened. `draining` takes every row that has been read through the
// engine to the outputs; a forced stop skips that and leads straight to `stopped`. A failed pipeline keeps answering
// questions about its state until it is stopped. The supervisor is the only one who calls `nextPipelineState`.
import { type CodedErrorClass, defineError } from '../../runtime/errors.ts';

export type PipelineState =
  /** Valid and compiled; nothing has been opened. */
  | 'created'
  /** The engine is being made, outputs are being opened. */
  | 'starting'
  /** Every input is held. Outputs go on with what has been computed; `inputJson` waits. */
  | 'paused'
  | 'running'
  /** Inputs are closed; what they sent is on its way to the outputs. */
  | 'draining'
  | 'stopped'
  /** The engine is gone or refuses to go on; `error` says why. */
  | 'failed';

export type PipelineEvent = 'start' | 'started' | 'started paused' | 'pause' | 'resume' | 'stop' | 'drained' | 'fail';

export const pipelineStates: readonly PipelineState[] = [
  'created',
  'starting',
  'paused',
  'running',
  'draining',
  'stopped',
  'failed',
];

export const pipelineEvents: readonly PipelineEvent[] = [
  'start',
  'started',
  'started paused',
  'pause',
  'resume',
  'stop',
  'drained',
  'fail',
];

export const pipelineTransitions: Readonly<Record<PipelineState, Partial<Record<PipelineEvent, PipelineState>>>> = {
  created: { start: 'starting', stop: 'draining', fail: 'failed' },
  starting: { started: 'running', 'started paused': 'paused', stop: 'draining', fail: 'failed' },
  paused: { resume: 'running', stop: 'draining', fail: 'failed' },
  running: { pause: 'paused', stop: 'draining', fail: 'failed' },
  draining: { drained: 'stopped', fail: 'failed' },
  stopped: {},
  failed: { stop: 'draining' },
};

export const IllegalPipelineTransition: CodedErrorClass<{
  readonly state: PipelineState;
  readonly event: PipelineEvent;
}> = defineError(
  'pipeline.illegal_transition',
  { help: 'This is a defect in Millrace. Report it with the pipeline file.' },
  (f) => `the pipeline is ${f.state}: '${f.event}' cannot happen to it`,
);

/** Where `event` leads, or null when it cannot happen in `state`. */
export function peekPipelineState(state: PipelineState, event: PipelineEvent): PipelineState | null {
  return pipelineTransitions[state][event] ?? null;
}

/** @throws IllegalPipelineTransition */
export function nextPipelineState(state: PipelineState, event: PipelineEvent): PipelineState {
  const next = peekPipelineState(state, event);
  if (next === null) throw new IllegalPipelineTransition({ state, event });
  return next;
}
