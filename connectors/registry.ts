// What ships with Millrace: every transport, format and processor that a configuration may name, one line each.
// A connector is added by a line here and its own folder; nothing else knows its name. Every thread loads this file, so what
// stands on a large library loads that library when it is used.

import { nullOutput } from './discard/destination.ts';
import { fileOutput } from './file/destination.ts';
import { fileRecordDestination } from './file/record-destination.ts';
import { fileRecordSource } from './file/record-source.ts';
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
import { generatorRecordSource } from './generator/record-source.ts';
import { datagen } from './generator/source.ts';
import { kafkaOutput } from './kafka/destination.ts';
import { kafkaInput } from './kafka/source.ts';
import { logRecordDestination } from './log/record-destination.ts';
import { postgresCdcInput } from './postgres/cdc-source.ts';
import { postgresOutput } from './postgres/destination.ts';
import { postgresInput } from './postgres/source.ts';
import { avroDecode, avroEncode } from './processors/avro.ts';
import { base64Decode, base64Encode } from './processors/base64.ts';
import { clone, split } from './processors/copies.ts';
import { error } from './processors/error.ts';
import { fieldConvert, fieldExclude, fieldRename, fieldSet } from './processors/field.ts';
import { filter } from './processors/filter.ts';
import { customJavascript } from './processors/javascript.ts';
import { jsonDecode, jsonEncode } from './processors/json.ts';
import { unwrapDebezium, unwrapKafkaConnect, unwrapOpencdc } from './processors/unwrap.ts';
import { webhookHttp } from './processors/webhook.ts';
import { s3Input } from './s3/source.ts';
import type { ConnectorRegistry } from './sdk/connector.ts';
import { pluginOutput } from './standalone/plugin-destination.ts';
import { pluginInput } from './standalone/plugin-source.ts';
import { urlInput } from './url/source.ts';

export const registry: ConnectorRegistry = {
  sources: [
    fileInput,
    urlInput,
    s3Input,
    kafkaInput,
    postgresInput,
    postgresCdcInput,
    datagen,
    emptyInput,
    pluginInput,
    fileRecordSource,
    generatorRecordSource,
  ],
  destinations: [
    fileOutput,
    nullOutput,
    postgresOutput,
    kafkaOutput,
    pluginOutput,
    fileRecordDestination,
    logRecordDestination,
  ],
  inputFormats: [jsonInput, csvInput, parquetInput, rawInput, msgpackInput, arrowInput],
  outputFormats: [jsonOutput, csvOutput, parquetOutput],
  processors: [
    avroDecode,
    avroEncode,
    base64Decode,
    base64Encode,
    clone,
    customJavascript,
    error,
    fieldConvert,
    fieldExclude,
    fieldRename,
    fieldSet,
    filter,
    jsonDecode,
    jsonEncode,
    split,
    unwrapDebezium,
    unwrapKafkaConnect,
    unwrapOpencdc,
    webhookHttp,
  ],
};
