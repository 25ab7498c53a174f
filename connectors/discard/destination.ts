// null_output: takes everything and keeps nothing. For measuring, and for views whose changes nobody wants yet.
// With a format the changes are still encoded, so that the cost of encoding can be seen. The runtime counts.
import { type DestinationDefinition, defineDestination } from '../sdk/destination.ts';

export const nullOutput: DestinationDefinition = defineDestination({
  name: 'null_output',
  summary: 'Discards everything.',
  format: 'optional',
  parameters: [],
  ignoresColumns: true,
  create: () => ({
    open: async () => {},
    write: async () => {},
  }),
});
