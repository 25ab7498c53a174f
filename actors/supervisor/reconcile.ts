// What has to happen to the input connectors, given what is wanted and what is. Pure; the supervisor performs it.
//
//   desired    the user's flags: pipeline running or paused, connector paused, connector started by hand
//   observed   the state of every connector, and whether something is already being done to it (`busy`)
//
// Rules: a connector opens when every connector with a label that it starts after is `ended`, unless the user started it
// by hand. `failed` never counts as ended; `onDependencyFailure` of the one that waits says what then. A pause by the
// user survives everything but a resume by the user; a paused pipeline holds every input. What has been opened never
// waits again. Level-triggered: calling it twice with the same arguments gives the same actions, and none once they are
// performed.
import type { OnDependencyFailure } from '../../connectors/sdk/connector-configuration.ts';
import type { ConnectorState } from './connector-lifecycle.ts';
import type { DependencyGraph } from './dependency-graph.ts';

export interface InputDesired {
  /** The user's own pause: `paused: true` or pauseConnector. */
  readonly paused: boolean;
  /** The user resumed it while it was waiting: its labels no longer matter. */
  readonly startedByHand: boolean;
  readonly onDependencyFailure: OnDependencyFailure;
}

export interface InputObserved {
  readonly endpoint: string;
  readonly state: ConnectorState;
  /** It has been opened: a source and an engine input exist. */
  readonly attached: boolean;
  /** The source reads and the engine takes its rows. */
  readonly flowing: boolean;
  /** An action on it is under way: nothing else is begun. */
  readonly busy: boolean;
  /** It failed to open and will be tried again later. */
  readonly backingOff: boolean;
}

export interface Desired {
  readonly pipeline: 'running' | 'paused';
  readonly graph: DependencyGraph;
  readonly inputs: ReadonlyMap<string, InputDesired>;
}

export type Observed = ReadonlyMap<string, InputObserved>;

export type Action =
  /** Only a state to show: it waits for labels. */
  | { readonly kind: 'wait'; readonly endpoint: string }
  /** Makes the source and the engine's input, and lets them run. */
  | { readonly kind: 'open'; readonly endpoint: string }
  /** Holds the engine's input, then stops the source at a record border. Before it is open: only a state to show. */
  | { readonly kind: 'pause'; readonly endpoint: string }
  | { readonly kind: 'resume'; readonly endpoint: string }
  /** A connector that it starts after has failed, and its configuration says that it fails then too. */
  | { readonly kind: 'fail'; readonly endpoint: string; readonly dependency: string };

export function reconcile(desired: Desired, observed: Observed): readonly Action[] {
  const actions: Action[] = [];
  for (const input of observed.values()) {
    const action = actionFor(input, desired, observed);
    if (action !== null) actions.push(action);
  }
  return actions;
}

function actionFor(input: InputObserved, desired: Desired, observed: Observed): Action | null {
  const { endpoint, state } = input;
  const wanted = desired.inputs.get(endpoint);
  if (wanted === undefined || input.busy || isOver(state)) return null;
  const held = wanted.paused || desired.pipeline === 'paused';
  if (input.attached) {
    if (held === !input.flowing) return null;
    return { kind: held ? 'pause' : 'resume', endpoint };
  }
  const failed = failedDependency(endpoint, desired, observed);
  if (failed !== null && wanted.onDependencyFailure === 'fail') return { kind: 'fail', endpoint, dependency: failed };
  if (waitingFor(endpoint, desired, observed).length > 0)
    return state === 'waiting' ? null : { kind: 'wait', endpoint };
  if (held) return state === 'paused' ? null : { kind: 'pause', endpoint };
  return input.backingOff ? null : { kind: 'open', endpoint };
}

/** The labels that keep `endpoint` from starting; none once it was opened or started by hand. */
export function waitingFor(endpoint: string, desired: Desired, observed: Observed): readonly string[] {
  const wanted = desired.inputs.get(endpoint);
  if (wanted === undefined || wanted.startedByHand || observed.get(endpoint)?.attached === true) return [];
  const goesOn = wanted.onDependencyFailure === 'continue';
  return desired.graph
    .dependenciesOf(endpoint)
    .filter((row) => !row.endpoints.every((other) => isSatisfied(observed.get(other)?.state, goesOn)))
    .map((row) => row.label);
}

/** A failed connector among those that keep `endpoint` waiting, or null. */
export function failedDependency(endpoint: string, desired: Desired, observed: Observed): string | null {
  if (desired.inputs.get(endpoint)?.startedByHand === true) return null;
  for (const row of desired.graph.dependenciesOf(endpoint)) {
    for (const other of row.endpoints) if (observed.get(other)?.state === 'failed') return other;
  }
  return null;
}

/** Endpoints that will never start unless the user does something: they wait, directly or not, for a failed one. */
export function stuckInputs(desired: Desired, observed: Observed): readonly string[] {
  const stuck = new Set<string>();
  // As many rounds as there are connectors on the longest path; each adds at least one or is the last.
  for (let grown = true; grown; ) {
    grown = false;
    for (const input of observed.values()) {
      if (stuck.has(input.endpoint) || input.attached || isOver(input.state)) continue;
      if (waitingFor(input.endpoint, desired, observed).length === 0) continue;
      const hopeless = desired.graph
        .dependenciesOf(input.endpoint)
        .some((row) => row.endpoints.some((other) => stuck.has(other)));
      const ownPolicy = desired.inputs.get(input.endpoint)?.onDependencyFailure;
      const failed = ownPolicy === 'wait' && failedDependency(input.endpoint, desired, observed) !== null;
      if (!hopeless && !failed) continue;
      stuck.add(input.endpoint);
      grown = true;
    }
  }
  return [...stuck];
}

function isSatisfied(state: ConnectorState | undefined, goesOnAfterFailure: boolean): boolean {
  return state === 'ended' || (goesOnAfterFailure && state === 'failed');
}

function isOver(state: ConnectorState): boolean {
  return state === 'ended' || state === 'failed' || state === 'stopped';
}
