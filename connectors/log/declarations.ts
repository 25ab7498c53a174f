// What configurations may say of the connector `log`. Its code is loaded when it is used.
import type { DestinationDeclaration } from '../sdk/load-on-use.ts';
import { destinationMiddlewareParameters } from '../sdk/middleware-parameters.ts';

export const logRecordDestinationDeclaration: DestinationDeclaration = {
  kind: 'destination',
  name: 'log',
  summary: "Writes every record to the pipeline's log.",
  format: 'none',
  accepts: 'records',
  acknowledges: true,
  parameters: [
    {
      name: 'level',
      type: { kind: 'enum', values: ['trace', 'debug', 'info', 'warn', 'error'] },
      required: false,
      default: 'info',
      description: 'Level of the lines.',
    },
    {
      name: 'message',
      type: { kind: 'string' },
      required: false,
      default: '',
      description: 'What the lines say before the record.',
    },
    ...destinationMiddlewareParameters,
  ],
};
