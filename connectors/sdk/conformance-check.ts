// What the conformance suites of sources and destinations have in common: a named check, a claim, and the search for what was left open.
//
// What is open is what Node says keeps a process busy (sockets, processes, threads, requests), and the file descriptors of the process
// where the system lists them. Timers do not count: they belong to anybody.
import { readdirSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { AssertionFailed } from '../../runtime/errors.ts';
import type { Parameter } from './parameters.ts';
import { validateParameters } from './validate-parameters.ts';

export interface ConformanceCase {
  readonly title: string;
  readonly run: () => Promise<void>;
}

/** @throws AssertionFailed */
export function check(condition: boolean, claim: string): void {
  if (!condition) throw new AssertionFailed({ invariant: claim });
}

const looksMax = 20_000;
const notCounted: readonly string[] = [
  'Timeout',
  'Immediate',
  'TickObject',
  'Microtask',
  'FSReqPromise',
  'FSReqCallback',
];

/** What `run` opens is closed when it has resolved, or soon after. It is run twice: what is made once for a process counts as nothing. */
export async function leavesNothing(run: () => Promise<void>): Promise<void> {
  await run();
  const before = await settledResources();
  await run();
  let left = exceeding(before, openResources());
  for (let look = 0; left.length > 0 && look < looksMax; look++) {
    await turn();
    left = exceeding(before, openResources());
  }
  check(left.length === 0, `nothing is left open, but there is one more: ${left.join(', ')}`);
}

/** What the first run closes late must not count as having been there before. */
async function settledResources(): Promise<ReadonlyMap<string, number>> {
  let latest = openResources();
  for (let same = 0; same < 50; same++) {
    await turn();
    const now = openResources();
    if (exceeding(now, latest).length > 0) same = 0;
    latest = now;
  }
  return latest;
}

/** Every other event of the process gets its turn, and so does the system. */
async function turn(): Promise<void> {
  await new Promise<void>((resolve) => setImmediate(resolve));
  await stat(process.execPath);
}

function openResources(): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const kind of process.getActiveResourcesInfo()) {
    if (!notCounted.includes(kind)) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }
  try {
    counts.set('file descriptor', readdirSync('/proc/self/fd').length);
  } catch {
    // Elsewhere descriptors are not listed: what Node knows has to do.
  }
  return counts;
}

function exceeding(before: ReadonlyMap<string, number>, after: ReadonlyMap<string, number>): readonly string[] {
  return [...after].filter(([kind, count]) => count > (before.get(kind) ?? 0)).map(([kind]) => kind);
}

type Given = Readonly<Record<string, unknown>>;

export function refusesUnknownParameter(parameters: readonly Parameter[], configuration: Given): void {
  const { problems } = validateParameters(parameters, { ...configuration, no_such_parameter: 1 }, () => ({}), []);
  check(
    problems.some((problem) => problem.code === 'config.unknown_key'),
    'an unknown parameter is refused',
  );
}

export function refusesMissingParameters(parameters: readonly Parameter[], configuration: Given): void {
  for (const parameter of parameters) {
    if (!parameter.required) continue;
    const { [parameter.name]: _, ...given } = configuration;
    const { problems } = validateParameters(parameters, given, () => ({}), []);
    check(
      problems.some((problem) => problem.code === 'config.missing_key'),
      `a configuration without ${parameter.name} is refused`,
    );
  }
}
