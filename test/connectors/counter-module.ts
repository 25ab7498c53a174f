// A source for pipelines that are killed, as the text of a module: it counts, and goes on behind its checkpoint.
import { fileURLToPath, pathToFileURL } from 'node:url';

const entry = pathToFileURL(fileURLToPath(new URL('../../connector.js', import.meta.url))).href;
/**
 * Counts up without end, `size` numbers a payload, until the file `last` says where to end; notes what it was acknowledged for: then a checkpoint
 * that holds so much is stored.
 */
export const counterModule: string = `import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { BatchBuilder, defineSource, wait } from '${entry}';
export const counter = defineSource({
  name: 'counter',
  summary: 'Counts.',
  format: 'none',
  parameters: [],
  create: (_, { relation, signal, clock }) => {
    let next = 1;
    return {
      open: async (position) => {
        next = (position?.n ?? 0) + 1;
      },
      async *read() {
        for (;;) {
          const last = existsSync('last') ? Number(readFileSync('last', 'utf8')) : Infinity;
          if (next > last || signal.aborted) return;
          const end = Math.min(last, next + 9);
          const builder = new BatchBuilder(relation.schema);
          builder.reserve(end - next + 1);
          for (; next <= end; next++) {
            builder.columns[0].values[builder.rows] = BigInt(next);
            builder.commitRow();
          }
          yield { kind: 'batch', batch: builder.finish(), position: { n: end } };
          await wait(clock, 10, signal);
        }
      },
      ack: ({ n }) => appendFileSync('acks', n + '\\n'),
    };
  },
});
`;
