// Reconciliation: hand-picked cases, then a random walk of users, ends and failures over random graphs, with the
// invariants checked after every step.
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type ConnectorState, nextConnectorState } from '../../../actors/supervisor/connector-lifecycle.ts';
import { buildDependencyGraph, type OrderedInput } from '../../../actors/supervisor/dependency-graph.ts';
import {
  type Action,
  type Desired,
  type InputDesired,
  type InputObserved,
  reconcile,
  stuckInputs,
  waitingFor,
} from '../../../actors/supervisor/reconcile.ts';
import type { OnDependencyFailure } from '../../../connectors/sdk/connector-configuration.ts';

type Configured = OrderedInput & { readonly paused: boolean; readonly onDependencyFailure: OnDependencyFailure };

/** A pipeline whose actions take no time. */
class Model {
  pipeline: 'running' | 'paused';
  readonly #graph: Desired['graph'];
  readonly desired = new Map<string, InputDesired>();
  readonly observed = new Map<string, InputObserved>();
  readonly log: Action[] = [];

  constructor(inputs: readonly Configured[], pipeline: 'running' | 'paused' = 'running') {
    this.pipeline = pipeline;
    this.#graph = buildDependencyGraph(inputs).graph;
    for (const { endpoint, paused, onDependencyFailure } of inputs) {
      this.desired.set(endpoint, { paused, startedByHand: false, onDependencyFailure });
      const idle = { attached: false, flowing: false, busy: false, backingOff: false };
      this.observed.set(endpoint, { endpoint, state: 'created', ...idle });
    }
    this.settle();
  }

  get wanted(): Desired {
    return { pipeline: this.pipeline, graph: this.#graph, inputs: this.desired };
  }

  state(endpoint: string): ConnectorState {
    return this.observed.get(endpoint)!.state;
  }

  waits(endpoint: string): readonly string[] {
    return waitingFor(endpoint, this.wanted, this.observed);
  }

  pause(endpoint: string): void {
    this.desired.set(endpoint, { ...this.desired.get(endpoint)!, paused: true });
    this.settle();
  }

  resume(endpoint: string): void {
    const old = this.desired.get(endpoint)!;
    const startedByHand = old.startedByHand || this.state(endpoint) === 'waiting';
    this.desired.set(endpoint, { ...old, paused: false, startedByHand });
    this.settle();
  }

  setPipeline(wanted: 'running' | 'paused'): void {
    this.pipeline = wanted;
    this.settle();
  }

  end(endpoint: string): void {
    this.#put(endpoint, 'end', { flowing: false });
    this.settle();
  }

  fail(endpoint: string): void {
    this.#put(endpoint, 'fail', { flowing: false });
    this.settle();
  }

  settle(): void {
    for (let round = 0; ; round++) {
      assert.ok(round < 20, 'actions come to an end');
      const actions = reconcile(this.wanted, this.observed);
      if (actions.length === 0) return;
      for (const action of actions) {
        this.log.push(action);
        this.#perform(action);
      }
    }
  }

  #perform(action: Action): void {
    const { attached } = this.observed.get(action.endpoint)!;
    switch (action.kind) {
      case 'open':
        this.#checkMayOpen(action.endpoint);
        this.#put(action.endpoint, 'open', {});
        this.#put(action.endpoint, 'opened', { attached: true, flowing: true });
        break;
      case 'pause':
        this.#put(action.endpoint, 'pause', attached ? { flowing: false } : {});
        break;
      case 'resume':
        this.#put(action.endpoint, 'resume', { flowing: true });
        break;
      case 'wait':
      case 'fail':
        this.#put(action.endpoint, action.kind, {});
    }
  }

  #checkMayOpen(endpoint: string): void {
    const wanted = this.desired.get(endpoint)!;
    assert.not.ok(wanted.paused, 'what the user paused is not opened');
    assert.is(this.pipeline, 'running');
    if (wanted.startedByHand) return;
    for (const { endpoints } of this.#graph.dependenciesOf(endpoint)) {
      for (const other of endpoints) {
        const state = this.state(other);
        assert.ok(
          state === 'ended' || (state === 'failed' && wanted.onDependencyFailure === 'continue'),
          `${endpoint} opened while ${other} is ${state}`,
        );
      }
    }
  }

  #put(endpoint: string, event: Parameters<typeof nextConnectorState>[2], change: Partial<InputObserved>): void {
    const old = this.observed.get(endpoint)!;
    this.observed.set(endpoint, { ...old, ...change, state: nextConnectorState(endpoint, old.state, event) });
  }
}

function input(endpoint: string, more: Partial<Configured> = {}): Configured {
  return { endpoint, labels: [], startAfter: [], paused: false, onDependencyFailure: 'wait', ...more };
}

const stages = [input('a', { labels: ['one'] }), input('b', { labels: ['two'], startAfter: ['one'] })];

test('a dependant waits until the connectors with its labels have ended', () => {
  const model = new Model([...stages, input('c', { startAfter: ['one', 'two'] })]);
  assert.is(model.state('a'), 'running');
  assert.is(model.state('b'), 'waiting');
  assert.equal(model.waits('c'), ['one', 'two']);
  model.end('a');
  assert.is(model.state('b'), 'running');
  assert.equal(model.waits('c'), ['two']);
  model.end('b');
  assert.is(model.state('c'), 'running');
});

test('with paused: true and start_after both have to be lifted', () => {
  const model = new Model([stages[0]!, input('b', { startAfter: ['one'], paused: true })]);
  assert.is(model.state('b'), 'waiting');
  model.end('a');
  assert.is(model.state('b'), 'paused');
  model.resume('b');
  assert.is(model.state('b'), 'running');
});

test('resuming a waiting connector starts it at once, also when it is paused by the user', () => {
  const model = new Model([stages[0]!, input('b', { startAfter: ['one'], paused: true })]);
  model.resume('b');
  assert.is(model.state('b'), 'running');
  assert.equal(model.waits('b'), []);
});

test('a pause by the user stays across pausing and resuming the pipeline', () => {
  const model = new Model([input('a'), input('b')]);
  model.pause('a');
  model.setPipeline('paused');
  assert.is(model.state('b'), 'paused');
  model.setPipeline('running');
  assert.is(model.state('a'), 'paused');
  assert.is(model.state('b'), 'running');
});

test('a pipeline that starts paused opens no input; resuming opens those that may', () => {
  const model = new Model(stages, 'paused');
  assert.equal([model.state('a'), model.state('b')], ['paused', 'waiting']);
  assert.not.ok(model.log.some((action) => action.kind === 'open'));
  model.setPipeline('running');
  assert.equal([model.state('a'), model.state('b')], ['running', 'waiting']);
});

test('a failed dependency keeps a dependant waiting, fails it, or is passed over, as the dependant says', () => {
  const model = new Model([
    stages[0]!,
    input('waits', { startAfter: ['one'] }),
    input('fails', { startAfter: ['one'], onDependencyFailure: 'fail', labels: ['deep'] }),
    input('goes', { startAfter: ['one'], onDependencyFailure: 'continue' }),
    input('behind', { startAfter: ['deep'] }),
  ]);
  model.fail('a');
  assert.is(model.state('waits'), 'waiting');
  assert.is(model.state('fails'), 'failed');
  assert.is(model.state('goes'), 'running');
  assert.equal(stuckInputs(model.wanted, model.observed), ['waits', 'behind']);
  model.resume('waits');
  assert.is(model.state('waits'), 'running');
  assert.equal(stuckInputs(model.wanted, model.observed), ['behind']);
});

test('nothing is begun on a connector that is busy, and a pause while it opens follows after', () => {
  const model = new Model([input('a')]);
  const busy = { ...model.observed.get('a')!, busy: true };
  const paused = new Map([['a', { ...model.desired.get('a')!, paused: true }]]);
  const desired = { ...model.wanted, inputs: paused };
  assert.equal(reconcile(desired, new Map([['a', busy]])), []);
  assert.equal(reconcile(desired, model.observed), [{ kind: 'pause', endpoint: 'a' }]);
});

test('a connector that backs off is not opened, but can be paused', () => {
  const backingOff: InputObserved = {
    endpoint: 'a',
    state: 'opening',
    attached: false,
    flowing: false,
    busy: false,
    backingOff: true,
  };
  const model = new Model([input('a')]);
  assert.equal(reconcile(model.wanted, new Map([['a', backingOff]])), []);
  const actions = reconcile({ ...model.wanted, pipeline: 'paused' }, new Map([['a', backingOff]]));
  assert.equal(actions, [{ kind: 'pause', endpoint: 'a' }]);
});

const names = ['a', 'b', 'c', 'd', 'e'];
// Each connector may start after labels of those before it only, so that there is no cycle.
const configurations = fc.tuple(
  ...names.map((endpoint, i) =>
    fc.record({
      endpoint: fc.constant(endpoint),
      labels: fc.constant([`l-${endpoint}`]),
      startAfter: i === 0 ? fc.constant([]) : fc.subarray(names.slice(0, i).map((name) => `l-${name}`)),
      paused: fc.boolean(),
      onDependencyFailure: fc.constantFrom<OnDependencyFailure>('wait', 'fail', 'continue'),
    }),
  ),
);
const commands = fc.array(
  fc.record({
    verb: fc.constantFrom('pause', 'resume', 'end', 'fail', 'pipeline paused', 'pipeline running'),
    endpoint: fc.constantFrom(...names),
  }),
  { maxLength: 30 },
);

test('whatever users, ends and failures do, the rules hold and every walk comes to rest', () => {
  fc.assert(
    fc.property(configurations, commands, (inputs, walk) => {
      const model = new Model(inputs, 'paused');
      const byHand = new Map(inputs.map((i) => [i.endpoint, i.paused]));
      for (const { verb, endpoint } of walk) {
        const live = model.observed.get(endpoint)!.flowing;
        if (verb === 'pause') {
          model.pause(endpoint);
          byHand.set(endpoint, true);
        } else if (verb === 'resume') {
          model.resume(endpoint);
          byHand.set(endpoint, false);
        } else if (verb === 'pipeline paused') model.setPipeline('paused');
        else if (verb === 'pipeline running') model.setPipeline('running');
        else if (live && verb === 'end') model.end(endpoint);
        else if (live && verb === 'fail') model.fail(endpoint);
        for (const [name, seen] of model.observed) {
          if (model.pipeline === 'paused' || byHand.get(name) === true) assert.not.ok(seen.flowing);
          else if (!['ended', 'failed', 'waiting'].includes(seen.state)) assert.ok(seen.flowing, `${name} flows`);
          if (seen.attached) assert.equal(model.waits(name), []);
          assert.is(seen.state === 'waiting', model.waits(name).length > 0 && seen.state !== 'failed');
        }
      }
    }),
  );
});

test('a walk that only ends connectors starts every one of them', () => {
  fc.assert(
    fc.property(configurations, (configured) => {
      const model = new Model(configured.map((c) => ({ ...c, paused: false })));
      const ended = new Set<string>();
      for (let round = 0; round <= names.length; round++) {
        for (const [name, seen] of model.observed) {
          if (!seen.flowing) continue;
          model.end(name);
          ended.add(name);
        }
      }
      assert.is(ended.size, names.length);
    }),
  );
});

test.run();
