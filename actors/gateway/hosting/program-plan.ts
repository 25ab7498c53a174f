// The plan of a program as the compiler has bound it, in the form of `/v0`: the nodes of each view from its tables
// upwards, and all nodes by id.
//
// It is the algebra before the engine makes operators of it. Expressions are shown as they stand in the SQL text.
import type { BoundProgram, ViewDefinition } from '../../engine/messages.ts';

type Rel = ViewDefinition['query'];
type JsonObject = Readonly<Record<string, unknown>>;

export interface ProgramPlan {
  /** By view: nodes, inputs before those that read them. */
  readonly calcite_plan: Readonly<Record<string, { readonly rels: readonly JsonObject[] }>>;
  /** The same nodes by `view.id`, with the names of their inputs. */
  readonly mir: Readonly<Record<string, JsonObject>>;
}

export function programPlan(program: BoundProgram): ProgramPlan {
  const plans: Record<string, { rels: JsonObject[] }> = {};
  const nodes: Record<string, JsonObject> = {};
  for (const { relation, query } of program.views) {
    const rels: JsonObject[] = [];
    addNode(query, rels);
    plans[relation.name] = { rels };
    for (const { id, relOp, inputs, ...rest } of rels) {
      const names = Array.isArray(inputs) ? inputs.map((input) => ({ node: `${relation.name}.${input}` })) : [];
      nodes[`${relation.name}.${id}`] = { operation: relOp, inputs: names, ...rest };
    }
  }
  return { calcite_plan: plans, mir: nodes };
}

/** Adds a node behind its inputs and returns its id. */
function addNode(rel: Rel, to: JsonObject[]): number {
  const inputs: number[] = [];
  const settings: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(rel)) {
    if (key === 'kind' || key === 'schema') continue;
    if (isRel(value)) inputs.push(addNode(value, to));
    else if (Array.isArray(value) && value.length > 0 && value.every(isRel)) {
      for (const input of value) inputs.push(addNode(input, to));
    } else settings[key] = plain(value);
  }
  const id = to.length;
  to.push({ id, relOp: rel.kind, inputs, fields: rel.schema.fields.map(({ name }) => name), ...settings });
  return id;
}

function isRel(value: unknown): value is Rel {
  return typeof value === 'object' && value !== null && 'kind' in value && 'schema' in value;
}

/** Expressions become their text, everything else stays, in JSON. */
function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString();
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(plain);
  if ('kind' in value && value.kind === 'column' && 'ordinal' in value) return `$${value.ordinal}`;
  if ('source' in value && 'type' in value) return textOf(value.source);
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item)]));
}

function textOf(source: unknown): string {
  return typeof source === 'object' && source !== null && 'text' in source ? String(source.text) : '';
}
