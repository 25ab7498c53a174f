// The types of the embedded API: what users pass and get, apart from the class itself.
import type { PublicForms } from '../../../runtime/batch/public-values.ts';
import type { LogEntry } from '../../../runtime/log.ts';
import type { RelayDefinition } from '../../relay-definition.ts';

/** A row by column name. */
export type AnyRow = Record<string, unknown>;

/** Row types by relation, when the user gives none: `Pipeline.open<Tables>` names them (`millrace types` prints them). */
export interface AnyTables {
  readonly [relation: string]: AnyRow;
}

/**
 * A connector as in a pipeline file: `stream`, and the connector's fields under `connector_config` or flat.
 * @example { stream: 'users', transport: { name: 'file_input', config: { path: 'users.csv' } }, format: { name: 'csv', config: { headers: true } } }
 */
export type ConnectorDefinition = Readonly<Record<string, unknown>>;

/** Limits of one call. */
export interface CallOptions {
  /** Gives the call up: it rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Milliseconds after which the call is given up: it rejects with `embedded.timed_out`. Default: 150,000 for calls that are answered at
   * once; none for `query`, `completed`, `waitForCompletion`, `connectorEnded` and `drain`; `inputJson` and `stop` say their own.
   */
  readonly timeoutMs?: number | undefined;
}

export interface CommonOpenOptions extends CallOptions, PublicForms {
  /** Lines for the user: `time` in milliseconds since 1970, `level`, `source`, `message`, `fields`. Nothing is printed. Called on the main thread. */
  readonly log?: ((entry: LogEntry) => void) | undefined;
  /**
   * A folder in which checkpoints are kept: the next run with the same program goes on where this one has ended, also after a crash. One
   * process at a time has it. Without it every run begins at the start.
   */
  readonly dataFolder?: string | undefined;
  /** The most rows that one step takes in. Default: steered between 65,536 and 1,048,576, so that a step takes about 800 ms at most. */
  readonly stepRowsMax?: number | undefined;
}

export interface FileOpenOptions extends CommonOpenOptions {
  /** A pipeline file; its connectors' paths are relative to its folder. */
  readonly file: string;
}

export interface ProgramOpenOptions extends CommonOpenOptions {
  /** SQL text. */
  readonly program: string;
  /** By connector name; its endpoint is `stream.name`. */
  readonly inputs?: Readonly<Record<string, ConnectorDefinition>> | undefined;
  readonly outputs?: Readonly<Record<string, ConnectorDefinition>> | undefined;
  readonly name?: string | undefined;
  /** What an expression that fails on a row does: stop the pipeline (default), or leave the row out and count it. */
  readonly onError?: 'stop' | 'skip' | undefined;
  /** Threads that compute the views, each for the rows of its own keys. Default 1. */
  readonly workers?: number | undefined;
  /** Threads that decode large inputs. Default: the number of cores less one, at least 1. */
  readonly decodeWorkers?: number | undefined;
  /** By transport: configuration keys that its connectors leave out. */
  readonly transportDefaults?: Readonly<Record<string, Readonly<Record<string, unknown>>>> | undefined;
  /** Files of modules that define connectors of your own (docs/own-connectors.md); relative ones start at `baseFolder`. */
  readonly connectorModules?: readonly string[] | undefined;
  /** A module, or several, with SQL functions and aggregates of your own (docs/embedded.md); relative ones start at `baseFolder`. */
  readonly functions?: string | readonly string[] | undefined;
  /** Relative paths of connectors start here. Default: the working folder. */
  readonly baseFolder?: string | undefined;
}

export interface RelayOpenOptions extends CommonOpenOptions {
  /** A pipeline without SQL: records pass from its sources to its destinations. */
  readonly relay: RelayDefinition;
  /** Files of modules that define connectors of your own; absolute. */
  readonly connectorModules?: readonly string[] | undefined;
  /** Relative paths of connectors start here. Default: the working folder. */
  readonly baseFolder?: string | undefined;
}

export type OpenOptions = FileOpenOptions | ProgramOpenOptions | RelayOpenOptions;

export type UpdateFormat = 'raw' | 'insert_delete';

/** A change to a table: in `update`, columns that are left out keep their value. */
export type TableChange<Row> =
  | { readonly insert: Partial<Row> }
  | { readonly delete: Partial<Row> }
  | { readonly update: Partial<Row> };

/** What inputJson takes. Columns that are left out get their default, or NULL. */
export type InputRow<Row, Format extends UpdateFormat> = Format extends 'insert_delete'
  ? TableChange<Row>
  : Partial<Row>;

export interface InputOptions<Format extends UpdateFormat> extends CallOptions {
  /** Default `raw`: every object is a row to insert (with a primary key: to upsert). */
  readonly updateFormat?: Format | undefined;
  /** Push into a paused pipeline too. Otherwise the call waits until it runs (`timeoutMs`, default 30,000). */
  readonly force?: boolean | undefined;
}

export interface ListenOptions {
  /**
   * Default true: a listener that does not read makes the pipeline wait once its queue is full. With false the listener
   * loses whole steps then: a gap in the sequence numbers, counted in `droppedRecords`.
   */
  readonly backpressure?: boolean | undefined;
  /** Begin with the whole content of the view, which has to be materialized. Default false. */
  readonly sendSnapshot?: boolean | undefined;
  /** Rows that are kept for a listener that has not read them yet. Default 1,000,000. */
  readonly queuedRowsMax?: number | undefined;
}

export interface StopOptions extends CallOptions {
  /** Do not take what has been read to the outputs. */
  readonly force?: boolean | undefined;
}

export interface DirectionOptions extends CallOptions {
  /** Needed only where an input and an output have the same name. */
  readonly direction?: 'input' | 'output' | undefined;
}

/** A running `foreachChunk`. */
export interface ChunkSubscription {
  /** Resolves when the pipeline has stopped or `close` was called; rejects when the callback threw. */
  readonly closed: Promise<void>;
  close(): Promise<void>;
}
