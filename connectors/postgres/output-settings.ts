// The settings of postgres_output, as its declaration has checked them.
import type { PostgresSettings } from './postgres-connection.ts';

export interface OutputSettings extends PostgresSettings {
  readonly table: string;
  readonly mode: 'materialized' | 'cdc';
  readonly key_columns?: readonly string[];
  readonly cdc_op_column: string;
  readonly cdc_ts_column: string;
  readonly on_conflict_do_nothing: boolean;
  readonly max_buffer_size_bytes: number;
  readonly delivery: 'at_least_once' | 'exactly_once';
  readonly state_table: string;
  readonly output_id?: string;
}
