// parquet, in: what the format is called, and its two halves.
//
// `plan` reads the directory once (parquet-directory.ts); `decodeBlock` decodes one row group (parquet-row-group.ts). Both,
// and the library behind them, are loaded by the first file that is read: most pipelines have none.
import type { BlockInputFormat } from '../sdk/format.ts';

export const parquetInput: BlockInputFormat = {
  kind: 'block',
  name: 'parquet',
  summary: 'Parquet files with flat columns, matched by name. Insertions only.',
  parameters: [],
  plan: async (input, _configuration, context, signal) => {
    const [directory, rowGroup] = await Promise.all([
      import('./parquet-directory.ts'),
      import('./parquet-row-group.ts'),
    ]);
    const metadata = await directory.readDirectory(input, signal);
    for (let i = 0; i < context.relation.schema.fields.length; i++) rowGroup.defaultOf(context, i);
    return directory.planBlocks(metadata, input.size, context);
  },
  decodeBlock: async (bytes, block, _configuration, context, report, batchRowsMax) => {
    const { decodeRowGroup } = await import('./parquet-row-group.ts');
    try {
      return decodeRowGroup(bytes, block, context, report, batchRowsMax);
    } catch (thrown) {
      report.fatal = thrown instanceof Error ? thrown : new Error(String(thrown));
      return [];
    }
  },
};
