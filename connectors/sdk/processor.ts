// The contract of a processor: what happens to records between a source and a destination.
//
// Order of calls: create (a configuration that cannot work throws), open, process…, teardown. A processor sees records in order,
// batch by batch, and answers with records and with the row of its input that each of them comes from: left out = filtered (and
// thereby acknowledged), several of one row = split, `failed` = refused (the dead-letter queue decides). Positions are the
// source's: what a processor makes keeps the position of the record that it is made from.
import type { ChangeBatch } from '../../runtime/batch/change-batch.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { ConfigurationOf, Parameter, ParameterValues } from './parameters.ts';
import type { ConnectorRecord } from './record.ts';
import { appendRecord, recordBatchBuilder, recordsOf } from './record-batch.ts';
import type { SchemaRegistry } from './schema-registry.ts';

export interface FailedRecord {
  /** Row of the batch that came in. */
  readonly row: number;
  readonly error: Error;
}

export interface ProcessedBatch {
  readonly batch: ChangeBatch;
  /** The input row of each row of `batch`, ascending; null: row i comes from row i, all of them. */
  readonly origins: Int32Array | null;
  /** Ascending; none of them is among `origins`. */
  readonly failed: readonly FailedRecord[];
}

export interface ProcessorContext {
  /** `<pipeline>:<processor>`, or with the connector between. */
  readonly id: string;
  readonly baseFolder: string;
  readonly signal: AbortSignal;
  readonly clock: Clock;
  /** Left out where nobody keeps schemas. */
  readonly schemas?: SchemaRegistry;
  log(message: string, fields?: Readonly<Record<string, unknown>>): void;
}

export interface Processor {
  open?(): Promise<void> | void;
  process(batch: ChangeBatch): Promise<ProcessedBatch> | ProcessedBatch;
  teardown?(): Promise<void> | void;
}

/** A kind of processor, as data. */
export interface ProcessorDefinition {
  /** Put by defineProcessor: how a module's exports are told apart. */
  readonly kind?: 'processor';
  /** File of the module that it was loaded from; absent: it ships with Millrace. */
  readonly module?: string;
  readonly name: string;
  readonly summary: string;
  readonly description?: string;
  readonly parameters: readonly Parameter[];
  readonly create: (configuration: ParameterValues, context: ProcessorContext) => Processor;
}

export function defineProcessor<const P extends readonly Parameter[]>(
  definition: Omit<ProcessorDefinition, 'kind' | 'parameters' | 'create'> & {
    readonly parameters: P;
    readonly create: (configuration: ConfigurationOf<P>, context: ProcessorContext) => Processor;
  },
): ProcessorDefinition {
  // SAFETY: `create` is called with what validateParameters has made of these very parameters.
  const create = definition.create as ProcessorDefinition['create'];
  return { ...definition, create, kind: 'processor' };
}

/** What one record becomes: itself, nothing (filtered), or several. */
export type RecordResult = ConnectorRecord | null | readonly ConnectorRecord[];

/** A processor from a function of one record. What it throws refuses that record. */
export function perRecord(
  process: (record: ConnectorRecord) => Promise<RecordResult> | RecordResult,
): Pick<Processor, 'process'> {
  return {
    process: async (batch) => {
      const builder = recordBatchBuilder(batch.rows);
      const origins: number[] = [];
      const failed: FailedRecord[] = [];
      for (const [row, record] of recordsOf(batch).entries()) {
        try {
          const result = await process(record);
          for (const made of result === null ? [] : isSeveral(result) ? result : [result]) {
            appendRecord(builder, made);
            origins.push(row);
          }
        } catch (thrown) {
          failed.push({ row, error: thrown instanceof Error ? thrown : new Error(String(thrown)) });
        }
      }
      return { batch: builder.finish(), origins: Int32Array.from(origins), failed };
    },
  };
}

function isSeveral(result: ConnectorRecord | readonly ConnectorRecord[]): result is readonly ConnectorRecord[] {
  return Array.isArray(result);
}
