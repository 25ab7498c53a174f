// What the store can be asked: the server's memory on disk. One thread owns the disk (store-thread.ts); `Store` is the face of
// it in whatever thread has opened it (actors/store/open-store.ts). Plain data only; what is JSON stays JSON.
//
// Every call that writes resolves after the fsync, never before; it either happened as a whole or not at all. Calls of one
// caller take effect in their order. Pipelines are known here by their id, so that a rename is a change of the document.
import type { CheckpointNote } from '../../connectors/sdk/destination.ts';
import type { Position } from '../../connectors/sdk/source.ts';
import type { ConnectorMark, PositionMark } from '../lifecycle-journal.ts';

/** What a checkpoint consists of: the owner of the disk writes it in one transaction and `open` can restore it. */
export interface CheckpointImage {
  /** Of the program and connectors that it fits. */
  readonly fingerprint: string;
  readonly steps: number;
  readonly processedRecords: number;
  /** Transferred. */
  readonly parts: readonly CheckpointPart[];
  readonly inputs: readonly CheckpointInput[];
  /** Of connectors that deliver exactly once: what each knows the checkpoint by. */
  readonly outputs?: readonly CheckpointOutput[];
}

export interface CheckpointOutput {
  readonly endpoint: string;
  readonly checkpoint: string;
  readonly note?: CheckpointNote;
}

export interface CheckpointPart {
  readonly name: string;
  readonly bytes: ArrayBuffer;
}

export interface CheckpointInput {
  readonly endpoint: string;
  readonly position: Position | null;
  readonly ended: boolean;
  readonly paused: boolean;
}

export interface CheckpointInfo {
  /** Grows by one with each checkpoint of the pipeline; never given twice, not even after `clearCheckpoints`. */
  readonly number: number;
  readonly uuid: string;
  readonly fingerprint: string;
  readonly steps: number;
  readonly processedRecords: number;
  /** Of all parts. */
  readonly bytes: number;
  /** Milliseconds since 1970-01-01 UTC. */
  readonly time: number;
}

export interface StoredPipeline {
  readonly id: string;
  /** 1 when made, one more with each `putPipeline`. */
  readonly version: number;
  /** JSON: whatever the server keeps of a pipeline. */
  readonly document: unknown;
}

export type AccessScope = 'read' | 'write' | 'ingest' | 'admin';

/** A key without its secret: what is kept is a salted hash. */
export interface StoredApiKey {
  readonly id: string;
  readonly name: string;
  readonly scopes: readonly AccessScope[];
  /** Names of pipelines; null: all. */
  readonly pipelines: readonly string[] | null;
  readonly createdAt: number;
  /** Hexadecimal. */
  readonly salt: string;
  readonly hash: string;
}

/** A piece of HTTP input after the latest checkpoint. What `bytes` means is the writer's: `kind` and `format` say it. */
export interface IngressEntry {
  readonly endpoint: string;
  readonly table: string;
  /** Encoded batches (wire/batch-codec), or what came in, still to be decoded. */
  readonly kind: 'batches' | 'raw';
  /** JSON: format and its options; null for batches. */
  readonly format: unknown;
  readonly chunks: readonly ArrayBuffer[];
}

export interface IngressRecord extends IngressEntry {
  /** Order of arrival within the pipeline; grows. */
  readonly sequence: number;
}

/** A connector that is gone and has not been told yet. */
export interface OwedMark {
  /** Id of a pipeline that may be gone too. */
  readonly pipeline: string;
  readonly mark: ConnectorMark;
}

/** A schema that a plugin has registered. JSON. */
export interface StoredSchema {
  readonly subject: string;
  readonly version: number;
  readonly id: number;
  readonly type: 'avro';
  /** The schema itself. */
  readonly text: string;
}

export interface Store {
  readonly folder: string;

  // Catalog.
  pipelines(): Promise<readonly StoredPipeline[]>;
  /** Makes or replaces; answers with the new version. `ifVersion` 0: only if there is none. @throws VersionConflict */
  putPipeline(id: string, document: unknown, ifVersion?: number): Promise<StoredPipeline>;
  /** With its checkpoints, ingress log and history. */
  deletePipeline(id: string): Promise<void>;
  /** JSON: what `putHistory` was given last; null when nothing was. */
  history(id: string): Promise<unknown>;
  putHistory(id: string, history: unknown): Promise<void>;

  // API keys.
  apiKeys(): Promise<readonly StoredApiKey[]>;
  /** @throws VersionConflict when the name is taken */
  addApiKey(key: StoredApiKey): Promise<void>;
  /** False: there was none. */
  removeApiKey(id: string): Promise<boolean>;

  // Connectors: see actors/lifecycle-journal.ts.
  connectorMarks(pipeline: string): Promise<readonly ConnectorMark[]>;
  putConnectorMark(pipeline: string, mark: ConnectorMark): Promise<void>;
  /** With its position. */
  removeConnectorMark(pipeline: string, connector: string): Promise<void>;
  /** Of all pipelines. They outlive their pipeline. */
  owedMarks(): Promise<readonly OwedMark[]>;
  positions(pipeline: string): Promise<readonly PositionMark[]>;
  putPositions(pipeline: string, positions: readonly PositionMark[]): Promise<void>;
  clearPositions(pipeline: string): Promise<void>;
  schemas(): Promise<readonly StoredSchema[]>;
  putSchema(schema: StoredSchema): Promise<void>;

  // Checkpoints.
  /**
   * Transfers the parts: the caller's buffers are empty afterwards. `ingressUpTo` is the sequence of the last ingress record
   * that the image contains; the log is cut there in the same transaction (0 or nothing: it is left alone).
   */
  writeCheckpoint(id: string, image: CheckpointImage, ingressUpTo?: number): Promise<CheckpointInfo>;
  /** Newest first. */
  checkpoints(id: string): Promise<readonly CheckpointInfo[]>;
  /** The latest, or the given one; null when there is none. @throws CheckpointCorrupt */
  readCheckpoint(
    id: string,
    number?: number,
  ): Promise<{ readonly info: CheckpointInfo; readonly image: CheckpointImage } | null>;
  clearCheckpoints(id: string): Promise<void>;

  // Ingress log.
  /** Durable when it resolves. Appends that come together share one fsync. Transfers the chunks. Answers with the sequence. */
  appendIngress(id: string, entry: IngressEntry): Promise<number>;
  /** In order of arrival, beginning after `after` (0: from the first). @throws IngressLogCorrupt */
  replayIngress(id: string, after?: number): AsyncIterable<IngressRecord>;
  truncateIngress(id: string, upTo: number): Promise<void>;

  /** Lets go of the folder. Idempotent. */
  close(): Promise<void>;
}
