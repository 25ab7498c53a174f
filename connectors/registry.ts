// What ships with Millrace: every transport, format and processor that a configuration may name, one line each.
// A connector is added by a line here and its own folder; nothing else knows its name. Every thread loads this file, so
// what stands on much code is declared here and loaded when it is used (sdk/load-on-use.ts).

import { clock } from './clock/source.ts';
import { deadLettersDeclaration, keptLettersDeclaration } from './dead-letters/declarations.ts';
import { nullOutput } from './discard/destination.ts';
import { fileRecordDestinationDeclaration, fileRecordSourceDeclaration } from './file/declarations.ts';
import { fileOutput } from './file/destination.ts';
import { fileInput } from './file/source.ts';
import { avroOutputDeclaration, csvOutputDeclaration, jsonOutputDeclaration } from './formats/output-declarations.ts';
import { parquetOutput } from './formats/parquet-output.ts';
import { datagenDeclaration, generatorRecordSourceDeclaration } from './generator/declarations.ts';
import { emptyInput } from './generator/empty-source.ts';
import { inputFormats, ownFormats } from './input-formats.ts';
import { kafkaInputDeclaration, kafkaOutputDeclaration } from './kafka/declarations.ts';
import { logRecordDestinationDeclaration } from './log/declarations.ts';
import { nexmarkDeclaration } from './nexmark/declarations.ts';
import {
  postgresCdcInputDeclaration,
  postgresInputDeclaration,
  postgresOutputDeclaration,
} from './postgres/declarations.ts';
import {
  avroDecodeDeclaration,
  avroEncodeDeclaration,
  base64DecodeDeclaration,
  base64EncodeDeclaration,
  cloneDeclaration,
  customJavascriptDeclaration,
  errorDeclaration,
  fieldConvertDeclaration,
  fieldExcludeDeclaration,
  fieldRenameDeclaration,
  fieldSetDeclaration,
  filterDeclaration,
  jsonDecodeDeclaration,
  jsonEncodeDeclaration,
  splitDeclaration,
  unwrapDebeziumDeclaration,
  unwrapKafkaConnectDeclaration,
  unwrapOpencdcDeclaration,
  webhookHttpDeclaration,
} from './processors/declarations.ts';
import { s3InputDeclaration, s3OutputDeclaration } from './s3/declarations.ts';
import type { ConnectorRegistry } from './sdk/connector.ts';
import { onUse } from './sdk/load-on-use.ts';
import { pluginInputDeclaration, pluginOutputDeclaration } from './standalone/declarations.ts';
import { urlInputDeclaration } from './url/declarations.ts';

export const registry: ConnectorRegistry = {
  sources: [
    fileInput,
    onUse(urlInputDeclaration, async () => (await import('./url/source.ts')).urlInput),
    onUse(s3InputDeclaration, async () => (await import('./s3/source.ts')).s3Input),
    onUse(kafkaInputDeclaration, async () => (await import('./kafka/source.ts')).kafkaInput),
    onUse(postgresInputDeclaration, async () => (await import('./postgres/source.ts')).postgresInput),
    onUse(postgresCdcInputDeclaration, async () => (await import('./postgres/cdc-source.ts')).postgresCdcInput),
    onUse(datagenDeclaration, async () => (await import('./generator/source.ts')).datagen),
    emptyInput,
    onUse(nexmarkDeclaration, async () => (await import('./nexmark/source.ts')).nexmark),
    onUse(pluginInputDeclaration, async () => (await import('./standalone/plugin-source.ts')).pluginInput),
    onUse(fileRecordSourceDeclaration, async () => (await import('./file/record-source.ts')).fileRecordSource),
    onUse(
      generatorRecordSourceDeclaration,
      async () => (await import('./generator/record-source.ts')).generatorRecordSource,
    ),
    onUse(deadLettersDeclaration, async () => (await import('./dead-letters/source.ts')).deadLetters),
    clock,
  ],
  destinations: [
    onUse(keptLettersDeclaration, async () => (await import('./dead-letters/destination.ts')).keptLetters),
    fileOutput,
    nullOutput,
    onUse(postgresOutputDeclaration, async () => (await import('./postgres/destination.ts')).postgresOutput),
    onUse(kafkaOutputDeclaration, async () => (await import('./kafka/destination.ts')).kafkaOutput),
    onUse(s3OutputDeclaration, async () => (await import('./s3/destination.ts')).s3Output),
    onUse(pluginOutputDeclaration, async () => (await import('./standalone/plugin-destination.ts')).pluginOutput),
    onUse(
      fileRecordDestinationDeclaration,
      async () => (await import('./file/record-destination.ts')).fileRecordDestination,
    ),
    onUse(
      logRecordDestinationDeclaration,
      async () => (await import('./log/record-destination.ts')).logRecordDestination,
    ),
  ],
  inputFormats,
  ownFormats,
  outputFormats: [
    onUse(jsonOutputDeclaration, async () => (await import('./formats/json-encoder.ts')).jsonOutput),
    onUse(csvOutputDeclaration, async () => (await import('./formats/csv-encoder.ts')).csvOutput),
    parquetOutput,
    onUse(avroOutputDeclaration, async () => (await import('./formats/avro-encoder.ts')).avroOutput),
  ],
  processors: [
    onUse(avroDecodeDeclaration, async () => (await import('./processors/avro.ts')).avroDecode),
    onUse(avroEncodeDeclaration, async () => (await import('./processors/avro.ts')).avroEncode),
    onUse(base64DecodeDeclaration, async () => (await import('./processors/base64.ts')).base64Decode),
    onUse(base64EncodeDeclaration, async () => (await import('./processors/base64.ts')).base64Encode),
    onUse(cloneDeclaration, async () => (await import('./processors/copies.ts')).clone),
    onUse(customJavascriptDeclaration, async () => (await import('./processors/javascript.ts')).customJavascript),
    onUse(errorDeclaration, async () => (await import('./processors/error.ts')).error),
    onUse(fieldConvertDeclaration, async () => (await import('./processors/field.ts')).fieldConvert),
    onUse(fieldExcludeDeclaration, async () => (await import('./processors/field.ts')).fieldExclude),
    onUse(fieldRenameDeclaration, async () => (await import('./processors/field.ts')).fieldRename),
    onUse(fieldSetDeclaration, async () => (await import('./processors/field.ts')).fieldSet),
    onUse(filterDeclaration, async () => (await import('./processors/filter.ts')).filter),
    onUse(jsonDecodeDeclaration, async () => (await import('./processors/json.ts')).jsonDecode),
    onUse(jsonEncodeDeclaration, async () => (await import('./processors/json.ts')).jsonEncode),
    onUse(splitDeclaration, async () => (await import('./processors/copies.ts')).split),
    onUse(unwrapDebeziumDeclaration, async () => (await import('./processors/unwrap.ts')).unwrapDebezium),
    onUse(unwrapKafkaConnectDeclaration, async () => (await import('./processors/unwrap.ts')).unwrapKafkaConnect),
    onUse(unwrapOpencdcDeclaration, async () => (await import('./processors/unwrap.ts')).unwrapOpencdc),
    onUse(webhookHttpDeclaration, async () => (await import('./processors/webhook.ts')).webhookHttp),
  ],
};
