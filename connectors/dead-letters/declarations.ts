// What configurations may say of the queue that a pipeline has by itself, and what a replay says of the source that it is made with.
// Their code is loaded when it is used.
import type { DestinationDeclaration, SourceDeclaration } from '../sdk/load-on-use.ts';
import { destinationMiddlewareParameters } from '../sdk/middleware-parameters.ts';

export const deadLettersDeclaration: SourceDeclaration = {
  kind: 'source',
  name: 'dead_letters',
  summary:
    'The records of a dead-letter queue in a file, as they were. A replay of a pipeline without SQL has one by itself.',
  format: 'none',
  parameters: [
    { name: 'path', type: { kind: 'string' }, required: true, description: 'Of the file.' },
    {
      name: 'pipeline',
      type: { kind: 'string' },
      required: true,
      description: 'Its id: what has been replayed is noted for it.',
    },
    {
      name: 'source',
      type: { kind: 'string' },
      required: true,
      description: 'Letters of this connector; others are passed over.',
    },
    {
      name: 'from',
      type: { kind: 'integer', min: 0 },
      required: true,
      description: 'Offset of the first line.',
    },
    { name: 'to', type: { kind: 'integer', min: 0 }, required: true, description: 'Offset behind the last line.' },
  ],
};

export const keptLettersDeclaration: DestinationDeclaration = {
  kind: 'destination',
  name: 'dead_letters',
  summary:
    'Writes dead letters to the log and keeps them in a file for a replay. A pipeline whose queue is builtin:log has it by itself where there is a data folder.',
  format: 'none',
  accepts: 'records',
  acknowledges: true,
  parameters: [
    { name: 'path', type: { kind: 'string' }, required: true, description: 'Of the file.' },
    {
      name: 'bytes_max',
      type: { kind: 'integer', min: 0 },
      required: false,
      default: 256 << 20,
      description: 'Letters beyond this are logged and not kept.',
    },
    {
      name: 'level',
      type: { kind: 'enum', values: ['trace', 'debug', 'info', 'warn', 'error'] },
      required: false,
      default: 'warn',
      description: 'Level of the lines.',
    },
    {
      name: 'message',
      type: { kind: 'string' },
      required: false,
      default: 'record delivery failed',
      description: 'What the lines say before the record.',
    },
    ...destinationMiddlewareParameters,
  ],
};
