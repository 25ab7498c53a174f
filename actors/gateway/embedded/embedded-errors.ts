// Errors of the embedded API itself; those of running a pipeline are in actors/supervisor/supervision-errors.ts.
import { type CodedErrorClass, defineError } from '../../../runtime/errors.ts';

export const NotOpen: CodedErrorClass<Record<string, never>> = defineError(
  'embedded.not_open',
  { help: 'This is a defect in Millrace: a pipeline is handed out only once it is open.' },
  () => 'the control thread has no pipeline yet',
);

export const CallGivenUp: CodedErrorClass<{ readonly reason: string }> = defineError(
  'embedded.given_up',
  { help: 'Nothing waits for the answer any more.' },
  (f) => `the call was given up: ${f.reason}`,
);

export const CallTimedOut: CodedErrorClass<{ readonly call: string; readonly timeoutMs: number }> = defineError(
  'embedded.timed_out',
  { help: 'Allow more with `timeoutMs`, or look at status$ and stats() for what is waited for.', retry: 'later' },
  (f) => `${f.call} did not come to an end within ${f.timeoutMs} ms`,
);

export const ListenerGone: CodedErrorClass<Record<string, never>> = defineError(
  'embedded.listener_gone',
  { help: 'The listener was closed, or its pipeline failed (then the cause says why). Listen again if need be.' },
  () => 'the listener is gone',
);

export const UnknownRelation: CodedErrorClass<{ readonly relation: string; readonly wanted: string }> = defineError(
  'embedded.unknown_relation',
  { help: 'tables() and views() list what the program declares.' },
  (f) => `the program has no ${f.wanted} '${f.relation}'`,
);

export const CompletionFailed: CodedErrorClass<{
  readonly failed: readonly string[];
  /** Connectors that wait for a failed one. */
  readonly stuck: readonly string[];
}> = defineError(
  'pipeline.connectors_failed',
  { help: 'Everything else has been processed. status$ and the stats of the connectors say what went wrong.' },
  (f) => {
    const stuck = f.stuck.length === 0 ? '' : `; waiting for them in vain: ${f.stuck.join(', ')}`;
    return `connectors have failed: ${f.failed.join(', ')}${stuck}`;
  },
);

export const PipelineClosed: CodedErrorClass<{ readonly call: string }> = defineError(
  'embedded.closed',
  { help: 'A stopped pipeline does not come back. Open a new one with Pipeline.open().' },
  (f) => `${f.call}: the pipeline is stopped`,
);

export const PushWhilePaused: CodedErrorClass<{ readonly table: string; readonly timeoutMs: number }> = defineError(
  'embedded.push_waited',
  { help: 'Call resume(), or push with { force: true } into a paused pipeline.', retry: 'later' },
  (f) => `rows for '${f.table}' were not taken within ${f.timeoutMs} ms: the pipeline is paused or its queue is full`,
);

export const PushMalformed: CodedErrorClass<{ readonly table: string; readonly detail: string }> = defineError(
  'embedded.push_malformed',
  { help: "Pass an array of rows, and 'raw' or 'insert_delete' as updateFormat." },
  (f) => `rows for '${f.table}': ${f.detail}`,
);

export const AmbiguousConnector: CodedErrorClass<{ readonly endpoint: string }> = defineError(
  'connector.ambiguous',
  { help: "Say { direction: 'input' } or { direction: 'output' }." },
  (f) => `there is an input and an output connector '${f.endpoint}'`,
);
