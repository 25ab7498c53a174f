// What can go wrong with a connector that is a process of its own. Every error names the plugin and what it was doing; where the
// process has ended or has said something on stderr, that is part of the message.
import { type CodedErrorClass, defineError } from '../../runtime/errors.ts';

/** What is known of the process when something fails. */
export interface ProcessEvidence {
  /** Null: it still runs, or was ended by a signal. */
  readonly exitCode: number | null;
  readonly exitSignal: string | null;
  /** Its last lines, oldest first. */
  readonly stderr: readonly string[];
}

interface PluginFields extends ProcessEvidence {
  readonly [name: string]: unknown;
  readonly plugin: string;
}

export const PluginNotStarted: CodedErrorClass<PluginFields & { readonly detail: string }> = defineError(
  'plugin.not_started',
  {
    help: 'Run the binary by hand with the argument "version"; it must be a connector for this system and executable.',
  },
  (f) => `${f.plugin} could not be started: ${f.detail}${evidence(f)}`,
);

export const PluginExited: CodedErrorClass<PluginFields & { readonly phase: string }> = defineError(
  'plugin.exited',
  { help: 'The process ended by itself. Its last lines say why; it is started anew.', retry: 'later' },
  (f) => `${f.plugin} ended during ${f.phase}${evidence(f)}`,
);

export const PluginCallFailed: CodedErrorClass<PluginFields & { readonly call: string; readonly detail: string }> =
  defineError(
    'plugin.call_failed',
    { help: 'The plugin itself answered with this error.', retry: 'later' },
    (f) => `${f.plugin}: ${f.call} failed: ${f.detail}${evidence(f)}`,
  );

export const PluginCallTimedOut: CodedErrorClass<
  PluginFields & { readonly call: string; readonly deadlineMs: number }
> = defineError(
  'plugin.call_timed_out',
  { help: 'The plugin hangs, or needs more time: the timeouts are parameters of the connector.', retry: 'later' },
  (f) => `${f.plugin}: ${f.call} did not answer within ${f.deadlineMs / 1000} s${evidence(f)}`,
);

export const PluginCallCancelled: CodedErrorClass<{ readonly plugin: string; readonly call: string }> = defineError(
  'plugin.call_cancelled',
  { help: 'The connector was stopped meanwhile.', retry: 'later' },
  (f) => `${f.plugin}: ${f.call} was given up, because the connector was stopped`,
);

export const PluginStreamEnded: CodedErrorClass<PluginFields & { readonly detail: string }> = defineError(
  'plugin.stream_ended',
  { help: 'The plugin reported this error and stopped, or ended its stream although nobody asked.', retry: 'later' },
  (f) => `${f.plugin} ended its stream: ${f.detail}${evidence(f)}`,
);

export const PluginProtocolViolation: CodedErrorClass<PluginFields & { readonly detail: string }> = defineError(
  'plugin.protocol_violation',
  { help: 'This is a defect of the plugin: report it to its author.', retry: 'later' },
  (f) => `${f.plugin} breaks the connector protocol: ${f.detail}${evidence(f)}`,
);

export const PluginRecordWithoutPosition: CodedErrorClass<{ readonly plugin: string; readonly after: string }> =
  defineError(
    'plugin.record_without_position',
    { help: 'A source must give each record a position that is not empty; report it to the author of the plugin.' },
    (f) => `${f.plugin} sent a record without a position, after ${f.after}`,
  );

export const PluginUnknownOperation: CodedErrorClass<{
  readonly plugin: string;
  readonly operation: number;
  readonly position: string;
}> = defineError(
  'plugin.unknown_operation',
  { help: 'The record was left out. Operations are create (1), update (2), delete (3) and snapshot (4).' },
  (f) => `${f.plugin} sent a record with the unknown operation ${f.operation} at position ${f.position}`,
);

export const PluginRecordTooLarge: CodedErrorClass<{
  readonly plugin: string;
  readonly bytes: number;
  readonly bytesMax: number;
}> = defineError(
  'plugin.record_too_large',
  { help: 'Raise max_receive_bytes of the destination, or record_bytes_max of the source, if records are that large.' },
  (f) => `a record of ${f.bytes} bytes is more than ${f.plugin} may exchange (${f.bytesMax} bytes)`,
);

export const PluginUnexpectedAck: CodedErrorClass<PluginFields & { readonly expected: string; readonly got: string }> =
  defineError(
    'plugin.unexpected_ack',
    { help: 'A destination must acknowledge records in the order in which it got them.', retry: 'later' },
    (f) => `${f.plugin} acknowledged position ${f.got}, but ${f.expected} was next${evidence(f)}`,
  );

export const PluginRefusedRecord: CodedErrorClass<{ readonly plugin: string; readonly detail: string }> = defineError(
  'plugin.refused_record',
  { help: 'The destination did not take this record; the message is its own.' },
  (f) => `${f.plugin}: ${f.detail}`,
);

export const PluginHasNoEvents: CodedErrorClass<{ readonly plugin: string; readonly event: string }> = defineError(
  'plugin.has_no_events',
  { help: 'Nothing has to be done: the plugin does not implement lifecycle events.' },
  (f) => `${f.plugin} does not implement ${f.event}`,
);

export const PluginSilent: CodedErrorClass<PluginFields & { readonly call: string }> = defineError(
  'plugin.silent',
  {
    help: 'Its process was stopped, or hangs: it was ended instead of being asked. What was not acknowledged comes again.',
    retry: 'later',
  },
  (f) => `${f.plugin} does not answer and is not asked for ${f.call}${evidence(f)}`,
);

export const PluginStalled: CodedErrorClass<PluginFields & { readonly waiting: number; readonly seconds: number }> =
  defineError(
    'plugin.stalled',
    {
      help: 'The destination takes records but does not acknowledge them. It is only reported; a stop has its own deadline.',
    },
    (f) => `${f.plugin} has acknowledged none of ${f.waiting} records for ${f.seconds} s${evidence(f)}`,
  );

export const PluginStopIncomplete: CodedErrorClass<PluginFields & { readonly detail: string }> = defineError(
  'plugin.stop_incomplete',
  { help: 'What was not acknowledged comes again at the next start; the plugin was ended.', retry: 'later' },
  (f) => `${f.plugin} did not stop as it should: ${f.detail}${evidence(f)}`,
);

/** The lines that stand in a message; the field holds all that were kept. */
const linesShown = 5;

function evidence({ exitCode, exitSignal, stderr }: ProcessEvidence): string {
  const end = exitCode !== null ? ` (exit code ${exitCode})` : exitSignal !== null ? ` (ended by ${exitSignal})` : '';
  if (stderr.length === 0) return end;
  const isPanic = /^(panic|fatal error): /.test(stderr[0] ?? '');
  const lines = isPanic ? stderr.slice(0, linesShown) : stderr.slice(-linesShown);
  return `${end}; its last lines: ${lines.join(' | ')}`;
}

/** A position for a message: positions are opaque bytes, but mostly text. */
export function shownPosition(bytes: Uint8Array): string {
  if (bytes.length === 0) return 'the start';
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, 120));
  const text = buffer.toString('utf8');
  const isText = !/[\p{Cc}\ufffd]/u.test(text);
  return `${isText ? `"${text}"` : `base64 ${buffer.toString('base64')}`}${bytes.length > 120 ? '…' : ''}`;
}

/** The plugin answered that it does not know the call. Callers decide what that means. */
export class CallUnimplemented extends Error {
  readonly call: string;

  constructor(call: string) {
    super(`${call} is not implemented`);
    this.call = call;
  }
}
