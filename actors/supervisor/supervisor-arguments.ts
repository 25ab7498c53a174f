// What a supervisor is made from: the configuration of one pipeline, what it is remembered by, and what it is made with.

import type { Connector, InputConnector, OutputConnector } from '../../connectors/sdk/connector-configuration.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Log } from '../../runtime/log.ts';
import type { BoundProgram, BoundQuery, EngineArguments } from '../engine/messages.ts';
import type { ConnectorMark, LifecycleJournal } from '../lifecycle-journal.ts';
import type { MetadataDefault } from '../metadata-defaults.ts';
import type { RelayArguments } from '../relay/messages.ts';
import type { ErrorRecovery, RelayProcessor } from '../relay-definition.ts';
import type { SchemaAccess } from '../schema-access.ts';
import type { ActorHost } from './actor-host.ts';
import type { ConnectorDeadlines } from './connector-deadlines.ts';
import type { CheckpointState, Direction, InputCheckpoint, OutputCheckpoint } from './messages.ts';

export interface SupervisorArguments {
  readonly name: string;
  /** See SourceContext. */
  readonly pipelineId?: string;
  readonly program: BoundProgram;
  readonly inputs: readonly InputConnector[];
  readonly outputs: readonly OutputConnector[];
  readonly onError: EngineArguments['onError'];
  readonly stepRowsMax: number;
  /** Threads that compute the circuit. Default 1. */
  readonly workers?: number;
  /** See ConnectorContext, which it becomes part of. */
  readonly labelsLiftPause?: boolean;
  readonly baseFolder: string;
  readonly decodeWorkers: number;
  /** Unique to this run: completion tokens of another run are refused. */
  readonly incarnation: string;
  /** Of the program, for checkpoints. */
  readonly fingerprint: string;
  /** Go on from here. It fits the program. */
  readonly restore: CheckpointState | null;
  /** Inputs that go on although the engine does not. */
  readonly continued?: readonly InputCheckpoint[];
  /** Outputs that deliver exactly once, and the checkpoint that each goes on from. */
  readonly recoveredOutputs?: readonly OutputCheckpoint[];
  readonly host: ActorHost;
  readonly clock: Clock;
  readonly log: Log;
  /** In [0, 1). */
  readonly random: () => number;
  /** Compiles a SELECT over the relations of the program. @throws the first problem of the text. */
  readonly compileQuery: (sql: string) => BoundQuery;
  /** JSON text of each column's DEFAULT, see DecoderContext. */
  readonly defaultsOf: (table: string) => readonly (string | null)[];
  /** DEFAULTs that read the metadata of records. */
  readonly metadataOf?: (table: string) => readonly MetadataDefault[];
  /** Validates the whole definition with one connector more and returns that one. @throws PipelineInvalid */
  readonly extend: (direction: Direction, key: string, definition: unknown) => Connector;
  /** The definition is from now on without this connector. */
  readonly shrink: (direction: Direction, endpoint: string) => void;
  /** Set for a pipeline without SQL. */
  readonly relay: RelayPipeline | null;
  readonly journal: LifecycleJournal;
  readonly deadlines: ConnectorDeadlines;
  readonly acknowledgesCheckpoints: boolean;
  /** A connector as it was when it was started last, to be told that it is gone; null: its plugin is not there. */
  readonly revive: (mark: ConnectorMark) => Connector | null;
}

/** What a pipeline without SQL has besides its connectors. */
export interface RelayPipeline {
  readonly args: RelayArguments;
  readonly recovery: ErrorRecovery;
  readonly processors: ReadonlyMap<string, readonly RelayProcessor[]>;
  /** Of the pipeline, and of the file that its dead letters are in. @throws DeadLettersNotKept */
  readonly id: string;
  readonly deadLetterFile: () => string;
  /** Left out where nobody keeps schemas. */
  readonly schemas?: SchemaAccess;
}
