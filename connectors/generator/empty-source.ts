// empty_input: no data, and the end of the input at once. For tables that are filled by other means, and for
// trying out `start_after`.
import { defineSource, type Payload, type SourceDefinition } from '../sdk/source.ts';

export const emptyInput: SourceDefinition = defineSource({
  name: 'empty_input',
  summary: 'Ends at once without data.',
  format: 'none',
  parameters: [],
  create: () => ({
    open: async () => {},
    read: async function* (): AsyncIterable<Payload> {},
  }),
});
