// parquet, out: what the format is called, and its parameters.
//
// The encoder (parquet-encoder.ts) and the library behind it are loaded by the first output that writes such a file.
import type { Encoder, OutputFormat } from '../sdk/format.ts';

const bufferRecordsDefault = 100_000;

export const parquetOutput: OutputFormat<Promise<Encoder>> = {
  name: 'parquet',
  summary: 'A Parquet file of insertions.',
  needsEnd: true,
  parameters: [
    {
      name: 'buffer_size_records',
      type: { kind: 'integer', min: 1, max: 10_000_000 },
      required: false,
      default: bufferRecordsDefault,
      description: 'Rows of one row group. They are held in memory until the row group is written.',
    },
  ],
  encoder: async (configuration, relation) => {
    const { ParquetEncoder } = await import('./parquet-encoder.ts');
    return new ParquetEncoder(relation, Number(configuration['buffer_size_records'] ?? bufferRecordsDefault));
  },
};
