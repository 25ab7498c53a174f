// The entry of `millrace/client`: a pipeline behind `millrace serve`, from a browser or from Node, without dependencies.
export type { RetryOptions } from './connectors/http/client/back-off.ts';
export type {
  ChangeListener,
  Changes,
  ConnectionState,
  ListenOptions,
  ResetReason,
} from './connectors/http/client/change-listener.ts';
export { ClientError } from './connectors/http/client/client-error.ts';
export { type NumberForms, parseJson, printJson } from './connectors/http/client/exact-json.ts';
export type { CallOptions } from './connectors/http/client/http-transport.ts';
export type { LiveChange, LiveState, LiveView } from './connectors/http/client/live-view.ts';
export type { ChangeObservable, Observer, Subscription } from './connectors/http/client/observable.ts';
export {
  type ConnectOptions,
  connect,
  type InputOptions,
  type PipelineClient,
  type PipelineStatus,
} from './connectors/http/client/pipeline-client.ts';
