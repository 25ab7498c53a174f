// error: refuses every record that reaches it, so it stands with a condition as a rule. The dead-letter queue decides.

import { type CodedErrorClass, defineError } from '../../runtime/errors.ts';
import { defineProcessor, type ProcessorDefinition } from '../sdk/processor.ts';
import { recordBatchBuilder } from '../sdk/record-batch.ts';
import { errorDeclaration } from './declarations.ts';

export const ErrorProcessorTriggered: CodedErrorClass<{ readonly text: string }> = defineError(
  'processor.error_triggered',
  { help: 'The pipeline holds an error processor whose condition is true of this record.' },
  (f) => f.text,
);

export const error: ProcessorDefinition = defineProcessor({
  ...errorDeclaration,
  create: (configuration) => ({
    process: (batch) => {
      const failure = new ErrorProcessorTriggered({ text: String(configuration['message']) });
      const failed = Array.from({ length: batch.rows }, (_, row) => ({ row, error: failure }));
      return { batch: recordBatchBuilder(0).finish(), origins: new Int32Array(0), failed };
    },
  }),
});
