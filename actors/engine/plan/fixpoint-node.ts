// A recursion as a node: its relations of the program are inputs, its bodies a circuit of their own (recursion.ts).
import { Fixpoint } from '../operators/fixpoint.ts';
import { allColumns, type Built, type Rels } from './built-relation.ts';
import type { NodeBuilder } from './node-builder.ts';
import { recursionCircuit } from './recursion.ts';
import { externalScans } from './scanned-relations.ts';

export function buildFixpoint(nodes: NodeBuilder, rel: Rels<'fixpoint'>): Built {
  const pool = nodes.pool;
  const failures = nodes.failures;
  const makeNodes = (scan: (relation: string) => Built): NodeBuilder => nodes.inner(rel.main, scan);
  const external = [...externalScans(rel)];
  const inputs = external.map(([relation, schema]) => nodes.buildWhole({ kind: 'scan', relation, schema }));
  const fixpoint = new Fixpoint({
    schema: rel.schema,
    all: rel.all,
    main: rel.main,
    bodies: rel.bodies.map(({ name }) => name),
    inputs: external.map(([name]) => name),
    start: () => recursionCircuit(rel, { pool, failures, makeNodes }),
  });
  const node = nodes.add(
    fixpoint,
    inputs.map((input) => input.node),
    { kind: 'single', schema: rel.schema },
  );
  const columns = allColumns(rel);
  return { node, schema: rel.schema, columns, appendOnly: false, key: rel.all ? null : columns };
}
