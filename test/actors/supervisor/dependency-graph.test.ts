// The dependency graph: levels, unknown labels with a suggestion, every cycle with its whole path.
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { buildDependencyGraph, type OrderedInput } from '../../../actors/supervisor/dependency-graph.ts';

function input(endpoint: string, labels: readonly string[] = [], startAfter: readonly string[] = []): OrderedInput {
  return { endpoint, labels, startAfter };
}

test('connectors without start_after share the first level', () => {
  const { graph, problems } = buildDependencyGraph([input('a.a'), input('b.b')]);
  assert.equal(problems, []);
  assert.equal(graph.startOrder, [['a.a', 'b.b']]);
});

test('three stages give three levels, whatever the order of the configuration', () => {
  const { graph, problems } = buildDependencyGraph([
    input('t.three', [], ['two']),
    input('t.two', ['two'], ['one']),
    input('t.one', ['one']),
  ]);
  assert.equal(problems, []);
  assert.equal(graph.startOrder, [['t.one'], ['t.two'], ['t.three']]);
});

test('a label is carried by several connectors and a connector starts after all of them', () => {
  const { graph } = buildDependencyGraph([
    input('a.a', ['dimension']),
    input('b.b', ['dimension', 'x y']),
    input('f.f', [], ['dimension', 'x y', 'dimension']),
  ]);
  assert.equal(graph.dependenciesOf('f.f'), [
    { label: 'dimension', endpoints: ['a.a', 'b.b'] },
    { label: 'x y', endpoints: ['b.b'] },
  ]);
  assert.equal(graph.dependantsOf('b.b'), ['f.f']);
  assert.equal(graph.startOrder, [['a.a', 'b.b'], ['f.f']]);
});

test('an unknown label is refused with the nearest one', () => {
  const { problems } = buildDependencyGraph([input('a.a', ['dimension']), input('f.f', [], ['dimensoin', 'zzz'])]);
  assert.equal(
    problems.map((p) => [p.code, p.fields['label'], p.suggestion]),
    [
      ['connector.unknown_label', 'dimensoin', 'dimension'],
      ['connector.unknown_label', 'zzz', undefined],
    ],
  );
  assert.match(problems[0]!.message, "connector 'f.f' starts after label 'dimensoin'");
});

test('a cycle is refused with its whole path, once', () => {
  const { graph, problems } = buildDependencyGraph([
    input('t.e1', ['l1'], ['l2']),
    input('t.e2', ['l2'], ['l3']),
    input('t.e3', ['l3'], ['l1']),
    input('t.behind', [], ['l1']),
  ]);
  assert.is(problems.length, 1);
  assert.is(problems[0]!.code, 'connector.dependency_cycle');
  assert.match(
    problems[0]!.message,
    "connector 't.e1' (label 'l1') waits for connector 't.e2' (label 'l2') waits for connector 't.e3' (label 'l3') waits for connector 't.e1' (label 'l1')",
  );
  assert.equal(graph.startOrder, []);
});

test('a connector that starts after its own label is a cycle of one', () => {
  const { problems } = buildDependencyGraph([input('t.e', ['l'], ['l'])]);
  assert.equal(problems[0]!.fields['cycle'], [{ endpoint: 't.e', label: 'l' }]);
});

test('every cycle and every unknown label is reported at once', () => {
  const { problems } = buildDependencyGraph([
    input('t.a', ['a'], ['b']),
    input('t.b', ['b'], ['a']),
    input('t.c', ['c'], ['c']),
    input('t.d', [], ['nowhere']),
    input('t.e', ['']),
    input('t.f', [], ['']),
  ]);
  assert.equal(problems.map((p) => p.code).sort(), [
    'connector.dependency_cycle',
    'connector.dependency_cycle',
    'connector.empty_label',
    'connector.empty_label',
    'connector.unknown_label',
  ]);
});

const configurations = fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'), { minLength: 1 }).chain((names) =>
  fc.tuple(
    ...names.map((name) =>
      fc.record({
        endpoint: fc.constant(`t.${name}`),
        labels: fc.uniqueArray(fc.constantFrom('p', 'q', 'r')),
        startAfter: fc.uniqueArray(fc.constantFrom('p', 'q', 'r'), { maxLength: 2 }),
      }),
    ),
  ),
);

test('levels hold every connector exactly once unless there is a cycle, each after what it waits for', () => {
  fc.assert(
    fc.property(configurations, (inputs) => {
      const { graph, problems } = buildDependencyGraph(inputs);
      const placed = graph.startOrder.flat();
      const cyclic = problems.some((p) => p.code === 'connector.dependency_cycle');
      assert.is(placed.length === inputs.length, !cyclic);
      assert.is(new Set(placed).size, placed.length);
      for (const endpoint of placed) {
        for (const { endpoints } of graph.dependenciesOf(endpoint)) {
          for (const other of endpoints) assert.ok(placed.indexOf(other) < placed.indexOf(endpoint));
        }
      }
    }),
  );
});

test('a reported cycle is one: each link waits for the next by the label that it names', () => {
  fc.assert(
    fc.property(configurations, (inputs) => {
      const { graph, problems } = buildDependencyGraph(inputs);
      for (const problem of problems) {
        if (problem.code !== 'connector.dependency_cycle') continue;
        // SAFETY: the fields of the class whose code was compared.
        const cycle = problem.fields['cycle'] as { endpoint: string; label: string }[];
        cycle.forEach((link, i) => {
          const next = cycle[(i + 1) % cycle.length]!;
          const row = graph.dependenciesOf(link.endpoint).find((d) => d.label === next.label);
          assert.ok(row?.endpoints.includes(next.endpoint));
        });
      }
    }),
  );
});

test.run();
