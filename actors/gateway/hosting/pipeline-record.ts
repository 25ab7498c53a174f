// Everything that is known of one pipeline between deployments: what the user has defined, what the compiler has made of
// it, and how far its life has come. Plain JSON: the store keeps it as it stands, the descriptor is printed from it.
//
// Times are RFC 3339 with an offset of `+00:00`, which every reader of ISO dates understands.

import type { ConnectorEdit } from '../embedded/control-interface.ts';
import type { RelayPipeline } from './relay-record.ts';

export type ProgramStatus =
  | 'Pending'
  | 'CompilingSql'
  | 'SqlCompiled'
  | 'CompilingRust'
  | 'Success'
  | 'SqlError'
  | 'RustError'
  | 'SystemError';
export type ResourcesStatus = 'Stopped' | 'Provisioning' | 'Provisioned' | 'Stopping';
export type RuntimeStatus = 'Initializing' | 'AwaitingApproval' | 'Bootstrapping' | 'Paused' | 'Running' | 'Suspended';
export type RuntimeDesired = 'Paused' | 'Running' | 'Suspended';
export type StorageStatus = 'Cleared' | 'InUse' | 'Clearing';
export type BootstrapPolicy = 'allow' | 'reject' | 'await_approval';

/** An error as the descriptor shows it. */
export interface RecordedProblem {
  readonly message: string;
  readonly error_code: string;
  readonly details: unknown;
}

export interface CheckpointMetadata {
  readonly uuid: string;
  readonly identifier: string | null;
  readonly fingerprint: number;
  readonly size: number;
  readonly steps: number;
  readonly processed_records: number;
}

/** Counters of an HTTP input, which outlive it like the rows that it has brought. */
export interface StoredApiInput {
  readonly endpoint: string;
  readonly relation: string;
  readonly totalRecords: number;
  readonly totalBytes: number;
  readonly numParseErrors: number;
  readonly parseErrors: readonly { readonly time: number; readonly index: number; readonly message: string }[];
}

export interface SentByOutput {
  readonly records: number;
  readonly bytes: number;
}

export interface ProgramConfiguration {
  readonly profile: string | null;
  readonly cache: boolean;
  readonly runtime_version: string | null;
  readonly use_platform_compiler: boolean;
}

/** What a user may edit. */
export interface PipelineSource {
  readonly name: string;
  readonly description: string;
  readonly tags: readonly string[];
  readonly runtimeConfig: Readonly<Record<string, unknown>>;
  /** What its user said for `workers`; null, or absent in records of before: nothing, whatever the default is. */
  readonly workers?: number | null;
  readonly programCode: string;
  readonly udfRust: string;
  readonly udfToml: string;
  readonly programConfig: ProgramConfiguration;
}

export interface PipelineRecord {
  readonly id: string;
  source: PipelineSource;
  readonly createdAt: string;
  version: number;
  platformVersion: string;
  programVersion: number;
  programStatus: ProgramStatus;
  programStatusSince: string;
  programError: unknown;
  programInfo: unknown;
  deploymentError: RecordedProblem | null;
  refreshVersion: number;
  storageStatus: StorageStatus;
  /** null: nothing has been stored since the storage was cleared. */
  checkpoints: readonly CheckpointMetadata[] | null;
  /** When the run began that later deployments go on with, in milliseconds; absent before the first. */
  firstStartedAt?: number;
  /** What the clock says that requests drive, in milliseconds since 1970, UTC; absent: none do. */
  drivenClockMs?: number | undefined;
  /** Connectors added to the running pipeline, replaced or removed since the program was edited; absent: none. */
  connectorEdits?: readonly ConnectorEdit[];
  /** Connectors that were paused (true) or started by hand in this deployment, by direction and endpoint. */
  manualPauses?: Readonly<Record<string, boolean>>;
  /** The program that has taken the latest checkpoint; absent: none has been taken. */
  checkpointProgram?: { readonly programCode: string; readonly edits: readonly ConnectorEdit[] } | undefined;
  /** HTTP inputs as of the latest checkpoint. */
  apiInputs?: readonly StoredApiInput[];
  /** What output connectors had sent then, by endpoint. */
  sentByOutputs?: Readonly<Record<string, SentByOutput>>;
  deploymentId: string | null;
  initial: RuntimeDesired | null;
  resources: ResourcesStatus;
  resourcesSince: string;
  desired: 'Stopped' | 'Provisioned';
  desiredSince: string;
  runtime: RuntimeStatus | null;
  runtimeSince: string | null;
  runtimeDesired: RuntimeDesired | null;
  runtimeDesiredSince: string | null;
  bootstrapPolicy: BootstrapPolicy | null;
  silentBootstrap: boolean;
  concurrentBootstrap: boolean;
  /** A pipeline without SQL; absent: the program says what it is. */
  relay?: RelayPipeline;
  /** The latest deployment was ended by a user: an error that it left is no reason to call it degraded. */
  isStoppedByUser?: boolean;
}

/** HTTP input survives a crash of the server. */
export function isFaultTolerant(record: PipelineRecord): boolean {
  const model = faultTolerance(record)['model'];
  return model === 'at_least_once' || model === 'exactly_once';
}

/** Whether it may take checkpoints. */
export function hasStorage({ source }: PipelineRecord): boolean {
  return source.runtimeConfig['storage'] !== null;
}

/** Milliseconds between checkpoints that nobody asks for; null: none are taken. */
export function checkpointIntervalMs(record: PipelineRecord): number | null {
  const seconds = faultTolerance(record)['checkpoint_interval_secs'];
  return isFaultTolerant(record) && typeof seconds === 'number' && seconds > 0 ? seconds * 1000 : null;
}

/** Variables that the runtime configuration sets for the strings of connectors. */
export function environmentOf({ source }: PipelineRecord): Readonly<Record<string, string>> {
  // SAFETY: the configuration has been read, with `env` as an object of texts.
  return (source.runtimeConfig['env'] ?? {}) as Readonly<Record<string, string>>;
}

/** Threads that compute the views: what the user asks for, as far as there are cores. */
export function workersOf({ source }: PipelineRecord, cores: number): { readonly workers?: number } {
  const workers = Math.min(source.workers ?? 1, cores);
  return workers > 1 ? { workers } : {};
}

/** Of its checkpoints. */
export function storageBytes({ checkpoints }: PipelineRecord): number {
  return (checkpoints ?? []).reduce((sum, { size }) => sum + size, 0);
}

function faultTolerance({ source }: PipelineRecord): Readonly<Record<string, unknown>> {
  // SAFETY: the configuration has been read with its defaults, where this is an object.
  return (source.runtimeConfig['fault_tolerance'] ?? {}) as Readonly<Record<string, unknown>>;
}

export function timeText(milliseconds: number): string {
  return new Date(milliseconds).toISOString().replace('Z', '+00:00');
}

export function makeRecord(id: string, source: PipelineSource, platformVersion: string, now: string): PipelineRecord {
  return {
    id,
    source,
    createdAt: now,
    version: 1,
    platformVersion,
    programVersion: 1,
    programStatus: 'Pending',
    programStatusSince: now,
    programError: { sql_compilation: null, rust_compilation: null, system_error: null },
    programInfo: null,
    deploymentError: null,
    refreshVersion: 1,
    storageStatus: 'Cleared',
    checkpoints: null,
    deploymentId: null,
    initial: null,
    resources: 'Stopped',
    resourcesSince: now,
    desired: 'Stopped',
    desiredSince: now,
    runtime: null,
    runtimeSince: null,
    runtimeDesired: null,
    runtimeDesiredSince: null,
    bootstrapPolicy: null,
    silentBootstrap: false,
    concurrentBootstrap: false,
  };
}
