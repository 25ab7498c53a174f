// The life of a source without SQL as its supervisor leads it, against a model of a few lines: any order of failures, pauses, back-offs
// and ends leads where the transition table says, and to no call that the model does not know.
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { defaultErrorRecovery } from '../../../actors/relay-definition.ts';
import { defaultDeadlines } from '../../../actors/supervisor/connector-deadlines.ts';
import { peekConnectorState } from '../../../actors/supervisor/connector-lifecycle.ts';
import { memoryJournal } from '../../../actors/supervisor/memory-journal.ts';
import type { ConnectorState } from '../../../actors/supervisor/messages.ts';
import { boundToRecords } from '../../../actors/supervisor/relay-configuration.ts';
import { Supervisor } from '../../../actors/supervisor/supervisor-actor.ts';
import { recordRelation } from '../../../connectors/sdk/record-batch.ts';
import type { Timer } from '../../../runtime/clock.ts';
import { errorToData } from '../../../runtime/errors.ts';
import { makeLog } from '../../../runtime/log.ts';
import { SimulatedHost } from './simulated-host.ts';

interface Model {
  state: ConnectorState;
  paused: boolean;
  attempts: number;
  /** The pipeline. */
  isStopped: boolean;
}

class ModelClock {
  time = 0;
  #timers: { readonly at: number; readonly call: () => void }[] = [];
  now = (): number => this.time;
  monotonic = (): number => this.time;
  every(): Timer {
    return { cancel: () => {} };
  }
  after(ms: number, call: () => void): Timer {
    const timer = { at: this.time + ms, call };
    this.#timers.push(timer);
    return { cancel: () => this.#timers.splice(this.#timers.indexOf(timer), this.#timers.includes(timer) ? 1 : 0) };
  }
  advance(ms: number): void {
    this.time += ms;
    const due = this.#timers.filter(({ at }) => at <= this.time);
    this.#timers = this.#timers.filter(({ at }) => at > this.time);
    for (const { call } of due) call();
  }
}

class Real {
  readonly host = new SimulatedHost();
  readonly clock = new ModelClock();
  readonly supervisor: Supervisor;

  constructor() {
    const log = makeLog('model', this.clock.now, () => {});
    const connector = boundToRecords({ id: 'in', type: 'source', transport: { name: 'x', config: {} } });
    assert.is(connector.kind, 'input');
    const table = {
      relation: recordRelation,
      defaults: [],
      connectors: null,
      materialized: false,
      appendOnly: true,
      source: { text: '', place: {} },
    };
    const refuse = (): never => assert.unreachable() as never;
    this.supervisor = new Supervisor({
      name: 'p',
      program: { tables: [table], views: [] },
      inputs: connector.kind === 'input' ? [connector] : [],
      outputs: [],
      onError: 'stop',
      stepRowsMax: 1,
      baseFolder: '/',
      decodeWorkers: 0,
      incarnation: 'run',
      fingerprint: '',
      restore: null,
      host: this.host,
      clock: this.clock,
      log,
      random: () => 0.5,
      compileQuery: refuse,
      defaultsOf: () => [],
      extend: refuse,
      shrink: refuse,
      relay: {
        args: { deadLetters: { endpoint: 'dlq', windowSize: 1, windowNackThreshold: 0 } },
        recovery: defaultErrorRecovery,
        processors: new Map(),
        id: 'p',
        deadLetterFile: refuse,
      },
      journal: memoryJournal(),
      deadlines: defaultDeadlines,
      acknowledgesCheckpoints: false,
      revive: () => null,
    });
  }

  get state(): ConnectorState | undefined {
    return this.supervisor.status.connectors[0]?.state;
  }

  /** Everything that was asked has been answered. */
  async settle(): Promise<void> {
    for (let turn = 0; turn < 30; turn++) await new Promise((resolve) => setImmediate(resolve));
  }

  source(attempts: number): string {
    return attempts === 1 ? 'source:in' : `source:in#${attempts}`;
  }
}

type Command = fc.AsyncCommand<Model, Real>;

function command(
  name: string,
  check: (model: Model) => boolean,
  run: (model: Model, real: Real) => Promise<void>,
): Command {
  return {
    check: (model) => !model.isStopped && check(model),
    toString: () => name,
    run: async (model, real) => {
      const before = model.state;
      await run(model, real);
      await real.settle();
      assert.is(real.state, model.state, `${name} in ${before}`);
      const opened = real.host.log.filter((line) => line.endsWith(' open')).length;
      assert.is(opened, model.attempts, `opened as often as the model says, after ${name}`);
    },
  };
}

const isOver = ({ state }: Model): boolean => state === 'ended' || state === 'stopped';
const move = (model: Model, event: Parameters<typeof peekConnectorState>[1]): void => {
  const next = peekConnectorState(model.state, event);
  assert.ok(next !== null, `${event} in ${model.state}`);
  model.state = next;
};

const fails = command(
  'fails',
  ({ state, attempts }) => attempts > 0 && (state === 'running' || state === 'paused'),
  async (model, real) => {
    // One that was paused before it was opened again has no source that could fail.
    const id = real.source(model.attempts);
    const isAlive = real.host.log.lastIndexOf(`${id} stop`) < real.host.log.lastIndexOf(`${id} open`);
    real.host.notify(id, { kind: 'source failed', error: errorToData(new Error('x')), repeats: true });
    if (!isAlive) return;
    move(model, 'retry');
    // Held, it is shown as paused, and opened when it is resumed.
    if (model.paused) move(model, 'pause');
  },
);
const waits = command(
  'waits',
  () => true,
  async (model, real) => {
    real.clock.advance(700_000);
    if (model.state !== 'recovering') return;
    move(model, 'open');
    move(model, 'opened');
    model.attempts++;
  },
);
const pauses = command(
  'pauses',
  (model) => !isOver(model),
  async (model, real) => {
    await real.supervisor.pauseConnector('in');
    if (!model.paused && model.state !== 'paused') move(model, 'pause');
    model.paused = true;
  },
);
const resumes = command(
  'resumes',
  (model) => !isOver(model),
  async (model, real) => {
    const id = real.source(model.attempts);
    const isAlive = real.host.log.lastIndexOf(`${id} stop`) < real.host.log.lastIndexOf(`${id} open`);
    await real.supervisor.resumeConnector('in');
    if (model.paused) {
      model.paused = false;
      if (isAlive) move(model, 'resume');
      else {
        move(model, 'open');
        move(model, 'opened');
        model.attempts++;
      }
    }
  },
);
const ends = command(
  'ends',
  ({ state }) => state === 'running' || state === 'recovering',
  async (model, real) => {
    real.host.notify('engine', { kind: 'input finished', endpoint: 'in', step: 1 });
    move(model, 'end');
  },
);
const stops = command(
  'stops',
  () => true,
  async (model, real) => {
    await real.supervisor.stop({ force: false, timeoutMs: 1_000 });
    // What has ended stays so.
    if (!isOver(model)) move(model, 'stop');
    model.isStopped = true;
  },
);

test('any order of failures, pauses, back-offs and ends leads where the table says', async () => {
  const all = [fails, waits, pauses, resumes, ends, stops].map((one) => fc.constant(one));
  await fc.assert(
    fc.asyncProperty(fc.commands(all, { maxCommands: 14 }), async (commands) => {
      const setup = async (): Promise<{ model: Model; real: Real }> => {
        const real = new Real();
        await real.supervisor.start({ paused: false });
        await real.settle();
        assert.is(real.state, 'running');
        return { model: { state: 'running', paused: false, attempts: 1, isStopped: false }, real };
      };
      await fc.asyncModelRun(setup, commands);
    }),
    { numRuns: 80 },
  );
});

for (const hasOpened of [true, false]) {
  const title = hasOpened
    ? 'a pipeline that fails before a source has answered that it is open settles what that source has sent'
    : 'a pipeline that fails while a source is being opened does not wait for it';
  test(title, async () => {
    const real = new Real();
    const { host, supervisor } = real;
    host.answers.set('source:in open', new Promise(() => {}));
    await supervisor.start({ paused: false });
    await real.settle();
    assert.is(real.state, 'opening');
    if (hasOpened) host.gauges.get('source:in')?.set('open', 1);
    host.notify('engine', { kind: 'refused too often', error: errorToData(new Error('no')) });
    assert.is(supervisor.status.state, 'failed');
    await supervisor.stop({ force: false, timeoutMs: 1000 });
    const calls = host.log.filter((line) => line.startsWith('source:in')).slice(2);
    assert.is(calls.includes('source:in finish'), hasOpened, calls.join());
    assert.is(calls.at(-1), 'source:in stop');
  });
}

test.run();
