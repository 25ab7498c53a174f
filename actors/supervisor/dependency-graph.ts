// The order in which input connectors may start: labels on one side, `start_after` on the other.
//
// An edge leads from a connector to every connector that carries a label it starts after: all of them have to finish.
// The graph is validated as a whole, also when a connector is added at run time; every problem is reported, not only
// the first. A label is any non-empty string and is global to the pipeline. Pure; knows no actor and no state.
// Not here: whether a dependency has finished, and what to do then (reconcile.ts).
import type { InputConnector } from '../../connectors/sdk/connector-configuration.ts';
import { type CodedErrorClass, defineError, type MillraceError, type Place } from '../../runtime/errors.ts';
import { nearestName } from '../../runtime/nearest-name.ts';

export const UnknownLabel: CodedErrorClass<{
  readonly endpoint: string;
  readonly label: string;
  readonly labels: readonly string[];
}> = defineError(
  'connector.unknown_label',
  { help: 'Give a connector under `inputs` this label, or correct `start_after`.' },
  (f) =>
    `connector ${quote(f.endpoint)} starts after label ${quote(f.label)}, which no input connector carries; ` +
    (f.labels.length === 0 ? 'there are no labels' : `labels are ${f.labels.map(quote).join(', ')}`),
);

export const DependencyCycle: CodedErrorClass<{
  /** Endpoint and the label by which its predecessor waits for it, in order; the last one waits for the first. */
  readonly cycle: readonly { readonly endpoint: string; readonly label: string }[];
}> = defineError(
  'connector.dependency_cycle',
  { help: 'Remove one label or one `start_after` on the path: none of these connectors could ever start.' },
  (f) => {
    const first = f.cycle[0];
    const path = f.cycle.map((link) => `connector ${quote(link.endpoint)} (label ${quote(link.label)})`);
    const back = first === undefined ? '' : `connector ${quote(first.endpoint)} (label ${quote(first.label)})`;
    return `start_after goes in a circle: ${[...path, back].join(' waits for ')}`;
  },
);

export const EmptyLabel: CodedErrorClass<{ readonly endpoint: string; readonly field: 'labels' | 'start_after' }> =
  defineError(
    'connector.empty_label',
    { help: 'A label is any string of at least one character.' },
    (f) => `connector ${quote(f.endpoint)} has an empty string in \`${f.field}\``,
  );

/** One `start_after` label of a connector, and who carries it. */
export interface Dependency {
  readonly label: string;
  readonly endpoints: readonly string[];
}

export interface DependencyGraph {
  /** Every input endpoint, in the order of the configuration. */
  readonly endpoints: readonly string[];
  /** What `endpoint` waits for, a row for each of its `start_after` labels. Empty: it may start at once. */
  dependenciesOf(endpoint: string): readonly Dependency[];
  /** Endpoints that wait for `endpoint` directly. */
  dependantsOf(endpoint: string): readonly string[];
  /** Endpoints by level: those of a level may start together once all levels before it have finished. */
  readonly startOrder: readonly (readonly string[])[];
}

/** What `endpoint` was configured with, as far as order is concerned. */
export type OrderedInput = Pick<InputConnector, 'endpoint' | 'labels' | 'startAfter'>;

/** Where a field of a connector stands, for problems. */
export type PlaceOfField = (endpoint: string, field: 'labels' | 'start_after') => Place;

const configuredPlace: PlaceOfField = (endpoint, field) => ({ path: `inputs.${endpoint}.${field}` });

/**
 * Builds and checks the graph. With problems the graph still answers, but connectors on a cycle, and those that wait
 * for them, appear in no level of `startOrder`.
 */
export function buildDependencyGraph(
  inputs: readonly OrderedInput[],
  placeOf: PlaceOfField = configuredPlace,
): {
  readonly graph: DependencyGraph;
  readonly problems: readonly MillraceError[];
} {
  const carriers = carriersByLabel(inputs);
  const dependencies = new Map<string, readonly Dependency[]>();
  const dependants = new Map<string, Set<string>>(inputs.map((input) => [input.endpoint, new Set()]));
  for (const input of inputs) {
    const rows = [...new Set(input.startAfter)].map((label) => ({ label, endpoints: carriers.get(label) ?? [] }));
    dependencies.set(input.endpoint, rows);
    for (const row of rows) for (const endpoint of row.endpoints) dependants.get(endpoint)?.add(input.endpoint);
  }
  const graph: DependencyGraph = {
    endpoints: inputs.map((input) => input.endpoint),
    dependenciesOf: (endpoint) => dependencies.get(endpoint) ?? [],
    dependantsOf: (endpoint) => [...(dependants.get(endpoint) ?? [])],
    startOrder: levels(inputs, dependencies),
  };
  return { graph, problems: [...labelProblems(inputs, carriers, placeOf), ...cycleProblems(graph, placeOf)] };
}

function carriersByLabel(inputs: readonly OrderedInput[]): Map<string, string[]> {
  const carriers = new Map<string, string[]>();
  for (const input of inputs) {
    for (const label of new Set(input.labels)) {
      const endpoints = carriers.get(label);
      if (endpoints === undefined) carriers.set(label, [input.endpoint]);
      else endpoints.push(input.endpoint);
    }
  }
  return carriers;
}

function labelProblems(
  inputs: readonly OrderedInput[],
  carriers: ReadonlyMap<string, unknown>,
  placeOf: PlaceOfField,
): MillraceError[] {
  const problems: MillraceError[] = [];
  const labels = [...carriers.keys()].filter((label) => label !== '');
  for (const { endpoint, labels: own, startAfter } of inputs) {
    const at = (field: 'labels' | 'start_after') => ({ place: placeOf(endpoint, field) });
    if (own.includes('')) problems.push(new EmptyLabel({ endpoint, field: 'labels' }, at('labels')));
    if (startAfter.includes('')) problems.push(new EmptyLabel({ endpoint, field: 'start_after' }, at('start_after')));
    for (const label of new Set(startAfter)) {
      if (label === '' || carriers.has(label)) continue;
      const suggestion = nearestName(label, labels);
      problems.push(new UnknownLabel({ endpoint, label, labels }, { ...at('start_after'), suggestion }));
    }
  }
  return problems;
}

/**
 * One problem for each knot (strongly connected component): the shortest cycle through its first connector. Reporting
 * every simple cycle could be exponential; once this one is cut the next appears.
 */
function cycleProblems(graph: DependencyGraph, placeOf: PlaceOfField): MillraceError[] {
  const problems: MillraceError[] = [];
  const reported = new Set<string>();
  for (const start of graph.endpoints) {
    if (reported.has(start)) continue;
    const cycle = shortestCycle(graph, start);
    if (cycle === null) continue;
    for (const endpoint of knotOf(graph, start)) reported.add(endpoint);
    problems.push(new DependencyCycle({ cycle }, { place: placeOf(start, 'start_after') }));
  }
  return problems;
}

/** Breadth first from `start` along "waits for" until it is met again. The label is the one waited for. */
function shortestCycle(graph: DependencyGraph, start: string): { endpoint: string; label: string }[] | null {
  const reachedFrom = new Map<string, { readonly from: string; readonly label: string }>();
  const queue = [start];
  for (let current = queue.shift(); current !== undefined; current = queue.shift()) {
    for (const { label, endpoints } of graph.dependenciesOf(current)) {
      for (const endpoint of endpoints) {
        if (reachedFrom.has(endpoint)) continue;
        reachedFrom.set(endpoint, { from: current, label });
        if (endpoint === start) return unwind(reachedFrom, start);
        queue.push(endpoint);
      }
    }
  }
  return null;
}

function unwind(
  reachedFrom: ReadonlyMap<string, { readonly from: string; readonly label: string }>,
  start: string,
): { endpoint: string; label: string }[] {
  const path: { endpoint: string; label: string }[] = [];
  let endpoint = start;
  do {
    const link = reachedFrom.get(endpoint);
    if (link === undefined) break;
    path.unshift({ endpoint, label: link.label });
    endpoint = link.from;
  } while (endpoint !== start);
  // The path was collected backwards and ends with `start`; a reader expects to begin there.
  const last = path.pop();
  return last === undefined ? path : [last, ...path];
}

/** Everything that `start` waits for and that waits for `start`. */
function knotOf(graph: DependencyGraph, start: string): string[] {
  const forward = reachable(start, (e) => graph.dependenciesOf(e).flatMap((row) => row.endpoints));
  const backward = reachable(start, (e) => graph.dependantsOf(e));
  return [...forward].filter((endpoint) => backward.has(endpoint));
}

function reachable(start: string, step: (endpoint: string) => readonly string[]): Set<string> {
  const seen = new Set([start]);
  for (const endpoint of seen) for (const following of step(endpoint)) seen.add(following);
  return seen;
}

function levels(
  inputs: readonly OrderedInput[],
  dependencies: ReadonlyMap<string, readonly Dependency[]>,
): readonly (readonly string[])[] {
  const placed = new Set<string>();
  const result: string[][] = [];
  let rest = inputs.map((input) => input.endpoint);
  while (rest.length > 0) {
    const ready = rest.filter((endpoint) =>
      (dependencies.get(endpoint) ?? []).every((row) => row.endpoints.every((other) => placed.has(other))),
    );
    if (ready.length === 0) break;
    for (const endpoint of ready) placed.add(endpoint);
    result.push(ready);
    rest = rest.filter((endpoint) => !placed.has(endpoint));
  }
  return result;
}

function quote(name: string): string {
  return `'${name}'`;
}
