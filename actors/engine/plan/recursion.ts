// The inner circuit of a recursion: its bodies, each of them read under its name and computed under another.
//
// Inputs are kept whole, because a deletion computes everything again (operators/fixpoint.ts). Bodies are made distinct: the
// state of that is their content. With UNION ALL they are kept whole as they are.
import { Circuit, type CircuitNode, type CircuitRelation } from '../circuit/circuit.ts';
import type { EvaluationFailures } from '../circuit/evaluation-failures.ts';
import type { RecursionCircuit } from '../operators/fixpoint.ts';
import { Integrate } from '../operators/integrate.ts';
import { UnionAll } from '../operators/union-all.ts';
import type { Rel } from '../sql/bound.ts';
import type { StringPool } from '../state/string-pool.ts';
import type { Built } from './built-relation.ts';
import type { NodeBuilder } from './node-builder.ts';
import { externalScans } from './scanned-relations.ts';

type FixpointRel = Extract<Rel, { kind: 'fixpoint' }>;

export interface RecursionSurroundings {
  readonly pool: StringPool;
  readonly failures: EvaluationFailures;
  readonly makeNodes: (scan: (relation: string) => Built) => NodeBuilder;
}

export function recursionCircuit(
  rel: FixpointRel,
  { pool, failures, makeNodes }: RecursionSurroundings,
): RecursionCircuit {
  const relations = new Map<string, CircuitRelation>();
  const scans = new Map<string, Built>();
  const nodes = makeNodes((name) => scans.get(name)!);
  const external = externalScans(rel);
  const schemas = new Map([...external, ...rel.bodies.map(({ name, query }) => [name, query.schema] as const)]);
  for (const [name, schema] of schemas) {
    const node = nodes.add(new UnionAll(schema, 'table', name), []);
    const columns = schema.fields.map((_, i) => i);
    scans.set(name, { node, schema, columns, appendOnly: false, key: null });
    let contents: CircuitRelation['contents'] = null;
    if (external.has(name)) {
      const integrate = new Integrate(schema, pool, name);
      nodes.add(integrate, [node]);
      contents = integrate.contents;
    }
    relations.set(name, { name, schema, node, isTable: true, contents, changesAreDistinct: false });
  }
  for (const { name, query } of rel.bodies) {
    const { node, contents } = rel.all ? everyDerivation(nodes, pool, query) : onceEach(nodes, query);
    const output = outputOf(name);
    relations.set(output, {
      name: output,
      schema: query.schema,
      node,
      isTable: false,
      contents,
      changesAreDistinct: !rel.all,
    });
  }
  const circuit = new Circuit({ nodes: nodes.nodes, relations, pool, failures, runQuery: () => [] });
  for (const { name } of rel.bodies) circuit.observe(outputOf(name));
  const isBody = (name: string): boolean => rel.bodies.some((body) => body.name === name);
  return {
    step: (inputs) => {
      const changes = circuit.step(inputs);
      return new Map([...changes].map(([output, change]) => [output.slice(outputOf('').length), change]));
    },
    contents: (name) => circuit.contents(isBody(name) ? outputOf(name) : name),
    snapshot: () => circuit.snapshot(),
    restore: (parts) => circuit.restore(parts),
    stateRows: () => sum(nodes.nodes, ({ operator }) => operator.stateRows()),
    stateBytes: () => sum(nodes.nodes, ({ operator }) => operator.stateBytes()),
  };
}

interface Body {
  readonly node: number;
  readonly contents: CircuitRelation['contents'];
}

function onceEach(nodes: NodeBuilder, query: Rel): Body {
  const { node } = nodes.buildWhole({ kind: 'distinct', input: query, schema: query.schema });
  return { node, contents: nodes.contentsOf(node) };
}

function everyDerivation(nodes: NodeBuilder, pool: StringPool, query: Rel): Body {
  const { node } = nodes.buildWhole(query);
  const integrate = new Integrate(query.schema, pool, 'body');
  nodes.add(integrate, [node]);
  return { node, contents: integrate.contents };
}

function outputOf(body: string): string {
  return `body ${body}`;
}

function sum(nodes: readonly CircuitNode[], measure: (node: CircuitNode) => number): number {
  return nodes.reduce((total, node) => total + measure(node), 0);
}
