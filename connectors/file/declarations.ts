// What configurations may say of the connector `file` of pipelines without SQL. Its code is loaded when it is used.
import type { DestinationDeclaration, SourceDeclaration } from '../sdk/load-on-use.ts';
import { destinationMiddlewareParameters, sourceMiddlewareParameters } from '../sdk/middleware-parameters.ts';
import type { Parameter } from '../sdk/parameters.ts';

const sourceParameters: readonly Parameter[] = [
  {
    name: 'path',
    type: { kind: 'string' },
    required: true,
    description: 'Path of the file. A relative path starts at the folder of the pipeline file.',
  },
  ...sourceMiddlewareParameters,
];

export const fileRecordSourceDeclaration: SourceDeclaration = {
  kind: 'source',
  name: 'file',
  summary: 'Reads a file line by line and follows it: every line is a record.',
  format: 'none',
  produces: 'records',
  parameters: sourceParameters,
};

export const fileRecordDestinationDeclaration: DestinationDeclaration = {
  kind: 'destination',
  name: 'file',
  summary: 'Appends every record to a file, one line each.',
  format: 'none',
  accepts: 'records',
  acknowledges: true,
  parameters: [
    {
      name: 'path',
      type: { kind: 'string' },
      required: true,
      description:
        'Path of the file, which is made when it does not exist. A relative path starts at the folder of the pipeline file.',
    },
    ...destinationMiddlewareParameters,
  ],
};
