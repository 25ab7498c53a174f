// A condition on NOW() as a node: the value that is compared becomes a column, the clock gives the bound.
//
// The bound is computed again when the clock has moved, once for all rows. A condition without a bound (NULL) holds for no row.
import { makeSchema } from '../../../runtime/batch/schema.ts';
import { inPlace } from '../circuit/node-sharding.ts';
import type { Clock } from '../operators/clock.ts';
import { TemporalFilter } from '../operators/temporal-filter.ts';
import type { Rel, Scalar } from '../sql/bound.ts';
import { replaceNow } from '../sql/clock.ts';
import type { StringPool } from '../state/string-pool.ts';
import { columnReference } from './algebra.ts';
import type { Built } from './built-relation.ts';
import { evaluateConstant } from './expression-compiler.ts';
import { scalarKey } from './expression-shape.ts';
import type { NodeBuilder } from './node-builder.ts';
import type { TemporalCondition } from './rewrite-now.ts';

export function buildTemporalFilter(
  nodes: NodeBuilder,
  pool: StringPool,
  clock: Clock,
  rel: Extract<Rel, { kind: 'filter' }>,
  { value, operator, bound }: TemporalCondition,
  wanted: readonly number[],
): Built {
  const { input } = rel;
  const fields = wanted.map((ordinal) => input.schema.fields[ordinal]!);
  const time = { name: 'time', type: value.type, nullable: value.nullable };
  const schema = makeSchema([...fields, time]);
  const columns = [...wanted.map((ordinal) => columnReference(input, ordinal)), value];
  const below = nodes.buildWhole({ kind: 'project', input, columns, schema });
  const filter = new TemporalFilter({
    schema,
    ordinal: wanted.length,
    operator,
    pool,
    bound: boundOf(clock, bound),
    detail: `${value.source.text} ${operator} ${scalarKey(bound)}`,
  });
  const node = nodes.add(filter, [below.node], { kind: 'rows', schema, sources: [inPlace(schema.fields.length)] });
  const places = input.schema.fields.map((_, ordinal) => wanted.indexOf(ordinal));
  return { node, schema, columns: places, appendOnly: false, key: null };
}

function boundOf(clock: Clock, bound: Scalar): () => number | bigint | null {
  let seen: bigint | null = null;
  let known: number | bigint | null = null;
  return () => {
    const { time } = clock;
    if (time === seen) return known;
    seen = time;
    const at = replaceNow(bound, ({ type, source }) => ({
      kind: 'literal',
      value: time,
      type,
      nullable: false,
      source,
    }));
    const made = time === null ? null : evaluateConstant(at);
    known = typeof made === 'number' || typeof made === 'bigint' ? made : null;
    return known;
  };
}
