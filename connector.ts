// The entry for authors of connectors: `import { defineSource, defineDestination } from 'millrace/connector'`.
// It re-exports the contracts of the SDK, what is needed to make batches and coded errors, and the conformance suite.
/// <reference types="node" preserve="true" />

export {
  type AssembledChain,
  type AssemblyOptions,
  assembleChain,
  type ProcessorPlan,
  type StandaloneMaker,
} from './connectors/processors/assemble-chain.ts';
export * from './connectors/sdk/configuration-errors.ts';
export { type ConformanceCase, type ConformanceOptions, conformance } from './connectors/sdk/conformance.ts';
export type { ConnectorRegistry } from './connectors/sdk/connector.ts';
export {
  type CheckpointNote,
  type Destination,
  type DestinationContext,
  type DestinationDefinition,
  defineDestination,
  type Outgoing,
} from './connectors/sdk/destination.ts';
export type { DestinationConformanceOptions } from './connectors/sdk/destination-conformance.ts';
export { parseDuration } from './connectors/sdk/duration.ts';
export type {
  Block,
  BlockInputFormat,
  DecodeError,
  DecodeReport,
  Decoder,
  DecoderContext,
  Encoder,
  InputFormat,
  OutputFormat,
  Splitter,
  StreamInputFormat,
} from './connectors/sdk/format.ts';
export type {
  ConfigurationOf,
  Parameter,
  ParameterType,
  ParameterValues,
  PlaceOf,
  ValueOf,
} from './connectors/sdk/parameters.ts';
export {
  defineProcessor,
  type FailedRecord,
  type ProcessedBatch,
  type Processor,
  type ProcessorContext,
  type ProcessorDefinition,
  perRecord,
  type RecordResult,
} from './connectors/sdk/processor.ts';
export {
  type ChainedBatch,
  type ChainFailure,
  type ChainLink,
  ProcessorChain,
} from './connectors/sdk/processor-chain.ts';
export {
  type ConnectorRecord,
  type RecordData,
  type RecordOperation,
  recordMetadata,
  recordOperations,
  type StructuredData,
  type StructuredValue,
} from './connectors/sdk/record.ts';
export {
  appendRecord,
  dataShape,
  recordAt,
  recordBatchBuilder,
  recordBatchOf,
  recordBytes,
  recordColumn,
  recordRelation,
  recordSchema,
  recordsOf,
  shapeShift,
} from './connectors/sdk/record-batch.ts';
export { recordPosition, recordPositionBytes, recordsPayload } from './connectors/sdk/record-position.ts';
export type { RegisteredSchema, SchemaRegistry } from './connectors/sdk/schema-registry.ts';
export {
  type BatchPayload,
  type BytesPayload,
  defineSource,
  type IdlePayload,
  type Payload,
  type Position,
  type RandomAccess,
  type Source,
  type SourceContext,
  type SourceDefinition,
} from './connectors/sdk/source.ts';
export { typedSettings } from './connectors/sdk/text-settings.ts';
export { type ValidatedParameters, validateParameters } from './connectors/sdk/validate-parameters.ts';
export { wait } from './connectors/sdk/wait.ts';
export { BatchBuilder, type ColumnBuilder } from './runtime/batch/batch-builder.ts';
export type { ChangeBatch } from './runtime/batch/change-batch.ts';
export type { BytesColumn, Column, Dictionary, DictionaryColumn, FixedColumn, Values } from './runtime/batch/column.ts';
export { type CellValue, readCell, writeCell } from './runtime/batch/scalar-values.ts';
export { type Field, makeSchema, type Relation, type Schema } from './runtime/batch/schema.ts';
export { formatSqlType, type SqlType, type Storage, storageOf } from './runtime/batch/sql-type.ts';
export { type Clock, systemClock, type Timer } from './runtime/clock.ts';
export {
  type CodedErrorClass,
  defineError,
  type ErrorContext,
  type ErrorFields,
  MillraceError,
  type Place,
  type Retry,
} from './runtime/errors.ts';
export { nearestName } from './runtime/nearest-name.ts';
