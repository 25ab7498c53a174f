// Errors of a pipeline's configuration: what validation can find before anything runs.
import { type CodedErrorClass, defineError } from '../../runtime/errors.ts';

export const ConfigSyntax: CodedErrorClass<{ readonly detail: string }> = defineError(
  'config.syntax',
  { help: 'Correct the YAML or JSON at the place that is named.' },
  (f) => f.detail,
);
export const ConfigUnknownRelation: CodedErrorClass<{
  readonly relation: string;
  readonly wanted: 'table' | 'table or view';
}> = defineError(
  'config.unknown_relation',
  { help: 'Name a table (for an input) or a view or table (for an output) that the program declares.' },
  (f) => `the program has no ${f.wanted} "${f.relation}"`,
);
export const ConfigNotATable: CodedErrorClass<{ readonly relation: string }> = defineError(
  'config.not_a_table',
  { help: 'Inputs feed tables; views are computed. Name a table.' },
  (f) => `"${f.relation}" is a view; an input connector feeds a table`,
);
export const ConfigLocalView: CodedErrorClass<{ readonly relation: string }> = defineError(
  'config.local_view',
  { help: 'Drop LOCAL from the view, or read another view.' },
  (f) => `"${f.relation}" is a LOCAL view; it has no outputs`,
);
export const ConfigDuplicateEndpoint: CodedErrorClass<{ readonly endpoint: string }> = defineError(
  'config.duplicate_endpoint',
  { help: 'Give one of the two connectors another name.' },
  (f) => `two connectors are called "${f.endpoint}"`,
);
export const ConfigOverwritten: CodedErrorClass<{
  readonly target: string;
  readonly endpoint: string;
  readonly isRead: boolean;
}> = defineError(
  'config.overwritten',
  { help: 'Write to another place. Outputs with `mode: append` may share a file.' },
  (f) =>
    `${f.target} is ${f.isRead ? 'read by input' : 'written by output'} "${f.endpoint}", too: one would destroy the data of the other`,
);
export const ConfigBadName: CodedErrorClass<{ readonly name: string }> = defineError(
  'config.bad_name',
  { help: 'Use 1 to 100 letters, digits, _ and -.' },
  (f) => `"${f.name}" is no connector name`,
);
export const ConfigStartAfter: CodedErrorClass<{ readonly detail: string }> = defineError(
  'config.bad_start_after',
  { help: 'Give a label, or a list of at least one label.' },
  (f) => `start_after ${f.detail}`,
);
export const ConfigBadLabel: CodedErrorClass<Record<string, never>> = defineError(
  'config.bad_label',
  { help: 'A label is any string but the empty one.' },
  () => 'a label is empty',
);
export const ConfigFormat: CodedErrorClass<{ readonly transport: string }> = defineError(
  'config.format_mismatch',
  { help: 'Add a format: the transport moves bytes.' },
  (f) => `transport "${f.transport}" needs a format`,
);
export const ConfigFormatNeedsMessages: CodedErrorClass<{ readonly format: string; readonly transport: string }> =
  defineError(
    'config.format_needs_messages',
    { help: 'Use the format with a transport of messages, such as Kafka, or choose another format.' },
    (f) => `format "${f.format}" needs messages, and transport "${f.transport}" moves a stream of bytes`,
  );
export const ConfigUnknownIndex: CodedErrorClass<{
  readonly index: string;
  readonly relation: string;
  readonly known: readonly string[];
}> = defineError(
  'config.unknown_index',
  { help: 'Declare it with CREATE INDEX name ON relation (columns), or name one that there is.' },
  (f) => `"${f.relation}" has no index "${f.index}"${f.known.length === 0 ? '' : `; it has ${f.known.join(', ')}`}`,
);
export const ConfigSnapshot: CodedErrorClass<{ readonly relation: string }> = defineError(
  'config.snapshot_needs_materialized',
  { help: 'Declare the view as CREATE MATERIALIZED VIEW, or drop send_snapshot.' },
  (f) => `send_snapshot: "${f.relation}" is not materialized`,
);
export const ConfigExactlyOnce: CodedErrorClass<{ readonly endpoint: string; readonly detail: string }> = defineError(
  'config.exactly_once',
  { help: 'Do what the message says, or leave out `delivery: exactly_once`.' },
  (f) => `"${f.endpoint}" cannot deliver exactly once: ${f.detail}`,
);
export const ConfigUnsetVariable: CodedErrorClass<{ readonly variable: string }> = defineError(
  'config.unset_variable',
  { help: 'Set the environment variable before the start.' },
  (f) => `the environment has no variable ${f.variable}`,
);
export const ConfigSecretMissing: CodedErrorClass<{ readonly secret: string; readonly reason: string }> = defineError(
  'config.secret_missing',
  {
    help: 'Mount the secret as the file that the message names, or set MILLRACE_SECRETS_FOLDER to the folder that holds `kubernetes/NAME/KEY`.',
  },
  (f) => `there is no secret ${f.secret}: ${f.reason}`,
);
export const ConfigBufferOff: CodedErrorClass<{ readonly key: string }> = defineError(
  'config.output_buffer_off',
  { help: 'Add `enable_output_buffer: true`, or remove the key.' },
  (f) => `"${f.key}" has no effect without enable_output_buffer`,
);
export const ConfigUnsupported: CodedErrorClass<{ readonly what: string; readonly instead: string }> = defineError(
  'config.unsupported',
  { help: 'Remove it; the message says what to use instead.' },
  (f) => `${f.what} is not supported; ${f.instead}`,
);

export const ConfigUnknownPlugin: CodedErrorClass<{ readonly plugin: string; readonly type: string }> = defineError(
  'config.unknown_connector_plugin',
  {
    help: 'Name a connector that ships with Millrace (`builtin:file`), or one of the connectors folder (`standalone:name@v1.0.0`).',
  },
  (f) => `there is no ${f.type} plugin '${f.plugin}'`,
);

export const ConfigDeadLetters: CodedErrorClass<{
  readonly windowSize: number;
  readonly windowNackThreshold: number;
}> = defineError(
  'config.dead_letters',
  { help: 'Both are counts from 0; unless the window is 0 (no bound), the threshold is less than the window.' },
  (f) => `a dead-letter window of ${f.windowSize} with a threshold of ${f.windowNackThreshold} cannot be`,
);
