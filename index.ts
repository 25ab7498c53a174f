// The package's entry: the embedded API, its errors and its types. Connector authors use `millrace/connector`.
/// <reference types="node" preserve="true" />

export {
  type AggregateSource,
  defineAggregate,
  defineFunction,
  type FunctionExport,
  type FunctionSource,
} from './actors/engine/sql/user-function.ts';
export { ChangeListener, type Changes } from './actors/gateway/embedded/change-listener.ts';
export type { DisplayKey, TableDescription, ViewDescription } from './actors/gateway/embedded/control-interface.ts';
export {
  AmbiguousConnector,
  CallTimedOut,
  CompletionFailed,
  ListenerGone,
  PipelineClosed,
  PushMalformed,
  PushWhilePaused,
  UnknownRelation,
} from './actors/gateway/embedded/embedded-errors.ts';
export { Pipeline } from './actors/gateway/embedded/pipeline.ts';
export type {
  AnyRow,
  AnyTables,
  CallOptions,
  ChunkSubscription,
  ConnectorDefinition,
  DirectionOptions,
  FileOpenOptions,
  InputOptions,
  InputRow,
  ListenOptions,
  OpenOptions,
  ProgramOpenOptions,
  StopOptions,
  TableChange,
  UpdateFormat,
} from './actors/gateway/embedded/pipeline-options.ts';
export { RowsRefused } from './actors/gateway/embedded/pushed-rows.ts';
export type { ConnectorMark, LifecycleIntent, LifecycleJournal, PositionMark } from './actors/lifecycle-journal.ts';
export {
  type DeadLetterQueue,
  defaultDeadLetterQueue,
  defaultErrorRecovery,
  type ErrorRecovery,
  type RelayConnector,
  type RelayDefinition,
  type RelayProcessor,
} from './actors/relay-definition.ts';
export type {
  ConnectorState,
  ConnectorStatus,
  Direction,
  EngineStats,
  InputConnectorStats,
  OutputConnectorStats,
  PipelineState,
  PipelineStats,
  PipelineStatus,
} from './actors/supervisor/messages.ts';
export {
  ConnectorFailed,
  ConnectorUnknown,
  DependencyFailed,
  EngineLost,
  PipelineAlreadyStarted,
  PipelineFailed,
  PipelineInvalid,
  PipelineNotStarted,
  PipelineStopped,
  StopTimedOut,
} from './actors/supervisor/supervision-errors.ts';
export {
  type ErrorData,
  type ErrorDefinition,
  errorDefinitions,
  formatPlace,
  MillraceError,
  type Place,
} from './runtime/errors.ts';
export type { LogEntry, LogLevel } from './runtime/log.ts';
