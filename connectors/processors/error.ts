// error: refuses every record that reaches it, so it stands with a condition as a rule. The dead-letter queue decides.
//
// A message that holds {{ is a template over the record; where it fails, what it says is the error.
import { type CodedErrorClass, defineError } from '../../runtime/errors.ts';
import { defineProcessor, type FailedRecord, type ProcessorDefinition } from '../sdk/processor.ts';
import { recordAt, recordBatchBuilder } from '../sdk/record-batch.ts';
import { GoTemplate } from '../templates/go-template.ts';
import { errorDeclaration } from './declarations.ts';

export const ErrorProcessorTriggered: CodedErrorClass<{ readonly text: string }> = defineError(
  'processor.error_triggered',
  { help: 'The pipeline holds an error processor whose condition is true of this record.' },
  (f) => f.text,
);

export const error: ProcessorDefinition = defineProcessor({
  ...errorDeclaration,
  create: (configuration, { clock }) => {
    const message = String(configuration['message']);
    const template = message.includes('{{') ? new GoTemplate(message, clock) : null;
    return {
      process: (batch) => {
        const failed = Array.from({ length: batch.rows }, (_, row): FailedRecord => {
          try {
            const text = template === null ? message : template.executeRecord(recordAt(batch, row));
            return { row, error: new ErrorProcessorTriggered({ text }) };
          } catch (thrown) {
            return { row, error: thrown instanceof Error ? thrown : new Error(String(thrown)) };
          }
        });
        return { batch: recordBatchBuilder(0).finish(), origins: new Int32Array(0), failed };
      },
    };
  },
});
