// What a replay says of the source that it is made with. Its code is loaded when it is used.
import type { SourceDeclaration } from '../sdk/load-on-use.ts';

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
