// What ships with Millrace: every transport, format and processor that a configuration may name, one line each.
// A connector is added by a line here and its own folder; nothing else knows its name. Every thread loads this file, so what
// stands on a large library loads that library when it is used.
import { nullOutput } from './discard/destination.ts';
import { fileOutput } from './file/destination.ts';
import { fileInput } from './file/source.ts';
import { arrowInput } from './formats/arrow-decoder.ts';
import { csvInput } from './formats/csv-decoder.ts';
import { csvOutput } from './formats/csv-encoder.ts';
import { jsonInput } from './formats/json-decoder.ts';
import { jsonOutput } from './formats/json-encoder.ts';
import { msgpackInput } from './formats/msgpack-decoder.ts';
import { parquetInput } from './formats/parquet-input.ts';
import { parquetOutput } from './formats/parquet-output.ts';
import { rawInput } from './formats/raw-decoder.ts';
import { emptyInput } from './generator/empty-source.ts';
import { datagen } from './generator/source.ts';
import { postgresCdcInput } from './postgres/cdc-source.ts';
import { postgresOutput } from './postgres/destination.ts';
import { postgresInput } from './postgres/source.ts';
import { error } from './processors/error.ts';
import { filter } from './processors/filter.ts';
import { s3Input } from './s3/source.ts';
import type { ConnectorRegistry } from './sdk/connector.ts';
import { pluginOutput } from './standalone/plugin-destination.ts';
import { pluginInput } from './standalone/plugin-source.ts';
import { urlInput } from './url/source.ts';

export const registry: ConnectorRegistry = {
  sources: [fileInput, urlInput, s3Input, postgresInput, postgresCdcInput, datagen, emptyInput, pluginInput],
  destinations: [fileOutput, nullOutput, postgresOutput, pluginOutput],
  inputFormats: [jsonInput, csvInput, parquetInput, rawInput, msgpackInput, arrowInput],
  outputFormats: [jsonOutput, csvOutput, parquetOutput],
  processors: [error, filter],
};
