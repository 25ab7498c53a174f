// filter: drops every record that reaches it, so it stands with a condition as a rule. A dropped record counts as delivered.

import { defineProcessor, type ProcessorDefinition } from '../sdk/processor.ts';
import { recordBatchBuilder } from '../sdk/record-batch.ts';
import { filterDeclaration } from './declarations.ts';

export const filter: ProcessorDefinition = defineProcessor({
  ...filterDeclaration,
  create: () => ({
    process: () => ({ batch: recordBatchBuilder(0).finish(), origins: new Int32Array(0), failed: [] }),
  }),
});
