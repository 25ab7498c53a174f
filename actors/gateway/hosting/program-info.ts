// The relations and connectors of a compiled program in the form of `/v0`: `program_info` of a pipeline's descriptor.
import type { Field, Relation } from '../../../runtime/batch/schema.ts';
import type { SqlType } from '../../../runtime/batch/sql-type.ts';
import type { BoundProgram } from '../../engine/messages.ts';
import type { CompiledPipeline, DeclaredConnector } from './program-compilation.ts';

type JsonObject = Readonly<Record<string, unknown>>;

export interface ProgramInfo {
  readonly schema: { readonly inputs: readonly JsonObject[]; readonly outputs: readonly JsonObject[] };
  readonly udf_stubs: string;
  readonly input_connectors: JsonObject;
  readonly output_connectors: JsonObject;
}

export function programInfo(compiled: CompiledPipeline): ProgramInfo {
  const { tables, views } = compiled.program ?? { tables: [], views: [] };
  return {
    schema: {
      inputs: tables.map((table) => relationJson(table.relation, tableProperties(table))),
      outputs: views
        .filter((view) => view.kind !== 'local')
        .map((view) => relationJson(view.relation, { materialized: view.kind === 'materialized' })),
    },
    udf_stubs: '',
    input_connectors: Object.fromEntries(compiled.inputs.map(connectorJson)),
    output_connectors: Object.fromEntries(compiled.outputs.map(connectorJson)),
  };
}

function tableProperties(table: BoundProgram['tables'][number]): JsonObject {
  const key = table.relation.primaryKey.map((ordinal) => table.relation.schema.fields[ordinal]?.name ?? '');
  return {
    materialized: table.materialized,
    ...(key.length === 0 ? {} : { primary_key: key }),
    foreign_keys: [],
  };
}

function relationJson(relation: Relation, properties: JsonObject): JsonObject {
  return {
    name: relation.name,
    // A name that SQL would have folded was quoted.
    case_sensitive: needsQuotes(relation.name),
    fields: relation.schema.fields.map(fieldJson),
    properties: {},
    ...properties,
  };
}

function needsQuotes(name: string): boolean {
  return !/^[a-z_][a-z0-9_$]*$/.test(name);
}

function fieldJson(field: Field): JsonObject {
  return {
    name: field.name,
    case_sensitive: field.quoted === true,
    columntype: columnType(field.type, field.nullable),
    unused: false,
  };
}

const unsignedNames = { 8: 'UTINYINT', 16: 'USMALLINT', 32: 'UINTEGER', 64: 'UBIGINT' } as const;

export function columnType(type: SqlType, nullable: boolean): JsonObject {
  switch (type.kind) {
    case 'DECIMAL':
      if (type.unsigned !== undefined) return { type: unsignedNames[type.unsigned], nullable };
      return { type: 'DECIMAL', nullable, precision: type.precision, scale: type.scale };
    case 'CHAR':
    case 'BINARY':
      return { type: type.kind, nullable, precision: type.length };
    case 'VARCHAR':
    case 'VARBINARY':
      return { type: type.kind, nullable, precision: type.length ?? -1 };
    case 'TIMESTAMP':
      return { type: type.zoned === true ? 'TIMESTAMP_TZ' : type.kind, nullable, precision: 6 };
    case 'TIME':
      return { type: type.kind, nullable, precision: 9 };
    case 'INTERVAL_MONTHS':
      return { type: 'INTERVAL_YEAR_MONTH', nullable };
    case 'INTERVAL_MICROS':
      return { type: 'INTERVAL_DAY_SECOND', nullable };
    default:
      return { type: type.kind, nullable };
  }
}

function connectorJson(connector: DeclaredConnector): [string, JsonObject] {
  return [connector.endpoint, { stream: connector.relation, format: null, ...connector.definition }];
}
