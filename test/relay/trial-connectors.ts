// Connectors for tests of pipelines without SQL, loaded by their pipelines as a module: they write down every call and do what their
// settings say. Each line of the log is one call.

import { appendFileSync, existsSync } from 'node:fs';
import type { Destination, DestinationDefinition } from '../../connectors/sdk/destination.ts';
import type { Parameter, ParameterValues } from '../../connectors/sdk/parameters.ts';
import { defineProcessor, type ProcessorDefinition, perRecord } from '../../connectors/sdk/processor.ts';
import type { ConnectorRecord } from '../../connectors/sdk/record.ts';
import { recordsOf } from '../../connectors/sdk/record-batch.ts';
import { recordPositionBytes, recordsPayload } from '../../connectors/sdk/record-position.ts';
import type { Payload, Position, Source, SourceDefinition } from '../../connectors/sdk/source.ts';

const text = (name: string): Parameter => ({ name, type: { kind: 'string' }, required: false, description: name });
const count = (name: string, value: number): Parameter => ({
  name,
  type: { kind: 'integer' },
  required: false,
  default: value,
  description: name,
});

const parameters: readonly Parameter[] = [
  { ...text('log'), required: true },
  text('note'),
  /** The call that throws, and how many times it does so in a process, counted by files beside the log. */
  text('fail'),
  count('fail_times', 1_000_000),
  /** The call that never comes back. */
  text('hang'),
  /** Number of the record at which read hangs, until there is a file beside the log. */
  count('hang_read', -1),
  count('records', 10),
  count('batch', 3),
  /** Characters of the text of each record; 0: it says its number. */
  count('text_length', 0),
  /** Goes on until it is stopped. */
  { name: 'endless', type: { kind: 'boolean' }, required: false, default: false, description: 'endless' },
  /** Number of the record at which read or write fails. */
  count('fail_at', -1),
  /** Numbers that are refused, separated by commas. */
  text('refuse'),
];

/** What both kinds do at the beginning of a call. */
class CallLog {
  readonly #values: ParameterValues;

  constructor(values: ParameterValues) {
    this.#values = values;
  }

  say(line: string): void {
    appendFileSync(String(this.#values['log']), `${line}\n`);
  }

  async call(name: string, detail = ''): Promise<void> {
    this.say(detail === '' ? name : `${name} ${detail}`);
    if (this.#values['hang'] === name) await new Promise(() => {});
    if (this.#values['fail'] === name && this.#values['fail_at'] === -1) this.mayFail(name);
  }

  async released(): Promise<void> {
    while (!existsSync(`${String(this.#values['log'])}.released`)) await new Promise((done) => setTimeout(done, 2));
  }

  /** Throws, unless it has done so often enough. */
  mayFail(name: string): void {
    const times = Number(this.#values['fail_times']);
    for (let n = 0; n < times; n++) {
      const file = `${String(this.#values['log'])}.failed-${n}`;
      if (existsSync(file)) continue;
      appendFileSync(file, '');
      throw new Error(`${name} fails as it was told to`);
    }
  }
}

const settingsOf = (values: ParameterValues): string => JSON.stringify(values['note'] ?? null);

class TrialSource implements Source {
  readonly #values: ParameterValues;
  readonly #log: CallLog;
  #next = 0;
  #isStopped = false;
  readonly #signal: AbortSignal;

  constructor(values: ParameterValues, signal: AbortSignal) {
    this.#values = values;
    this.#log = new CallLog(values);
    this.#signal = signal;
  }

  configure(): Promise<void> {
    return this.#log.call('configure');
  }

  onCreated(settings: ParameterValues): Promise<void> {
    return this.#log.call('onCreated', settingsOf(settings));
  }

  onUpdated(before: ParameterValues, after: ParameterValues): Promise<void> {
    return this.#log.call('onUpdated', `${settingsOf(before)} ${settingsOf(after)}`);
  }

  onDeleted(settings: ParameterValues): Promise<void> {
    return this.#log.call('onDeleted', settingsOf(settings));
  }

  async open(position: Position | null): Promise<void> {
    const at = position === null ? '' : Buffer.from(recordPositionBytes(position)).toString();
    await this.#log.call('open', at === '' ? 'null' : at);
    this.#next = at === '' ? 0 : Number(at) + 1;
  }

  async *read(): AsyncIterable<Payload> {
    const { records, batch, endless, fail_at: failAt, hang_read: hangs, text_length: textLength } = this.#values;
    let hasPassed = false;
    while (!this.#isStopped && !this.#signal.aborted) {
      const made: ConnectorRecord[] = [];
      while (made.length < Number(batch) && this.#next < Number(records)) {
        if (this.#next === Number(hangs) && made.length > 0) break;
        if (this.#next === failAt && !hasPassed) break;
        if (this.#next === Number(hangs) && made.length === 0) await this.#log.released();
        made.push(record(this.#next++, Number(textLength)));
      }
      if (made.length > 0) yield recordsPayload(made);
      if (this.#next === failAt) {
        this.#log.mayFail('read');
        hasPassed = true;
      }
      if (this.#next < Number(records)) continue;
      if (endless !== true) return;
      await new Promise<void>((resolve) => setTimeout(resolve, 2));
    }
  }

  async ack(position: Position): Promise<void> {
    await this.#log.call('ack', Buffer.from(recordPositionBytes(position)).toString());
  }

  async stop(): Promise<void> {
    await this.#log.call('stop');
    this.#isStopped = true;
  }

  async teardown(): Promise<void> {
    await this.#log.call('teardown');
  }
}

function record(number: number, textLength: number): ConnectorRecord {
  return {
    position: Buffer.from(String(number)),
    operation: 'create',
    metadata: { n: String(number) },
    key: Buffer.from(`key ${number}`),
    before: null,
    after: { number: BigInt(number), text: textLength > 0 ? 'x'.repeat(textLength) : `record ${number}` },
  };
}

interface Answers {
  acknowledged(count: number): void;
  refused(error: Error): void;
}

class TrialDestination implements Destination {
  readonly #values: ParameterValues;
  readonly #log: CallLog;
  readonly #answers: Answers | null;
  readonly #refused: readonly string[];

  constructor(values: ParameterValues, answers: Answers | null) {
    this.#values = values;
    this.#log = new CallLog(values);
    this.#answers = answers;
    this.#refused = String(values['refuse'] ?? '').split(',');
  }

  configure(): Promise<void> {
    return this.#log.call('configure');
  }

  onCreated(settings: ParameterValues): Promise<void> {
    return this.#log.call('onCreated', settingsOf(settings));
  }

  onUpdated(before: ParameterValues, after: ParameterValues): Promise<void> {
    return this.#log.call('onUpdated', `${settingsOf(before)} ${settingsOf(after)}`);
  }

  onDeleted(settings: ParameterValues): Promise<void> {
    return this.#log.call('onDeleted', settingsOf(settings));
  }

  open(): Promise<void> {
    return this.#log.call('open');
  }

  async write(data: Parameters<Destination['write']>[0]): Promise<void> {
    if (data.kind !== 'batch') throw new Error('records come as batches');
    for (const { position, after } of recordsOf(data.batch)) {
      const number = Buffer.from(position).toString();
      if (Number(number) === this.#values['fail_at']) this.#log.mayFail('write');
      if (this.#answers !== null && this.#refused.includes(number)) {
        this.#answers.refused(new Error(`no ${number} for me`));
        continue;
      }
      const shown = this.#values['note'] === 'dead letters' ? ` ${shown_(after)}` : '';
      await this.#log.call('write', `${number}${shown}`);
      this.#answers?.acknowledged(1);
    }
  }

  async stop(): Promise<void> {
    await this.#log.call('stop');
  }

  async teardown(): Promise<void> {
    await this.#log.call('teardown');
  }
}

function shown_(after: ConnectorRecord['after']): string {
  return JSON.stringify(after, (_, value: unknown) => (typeof value === 'bigint' ? `${value}n` : value));
}

export const trialSource: SourceDefinition = {
  kind: 'source',
  name: 'trial',
  summary: 'For tests.',
  format: 'none',
  produces: 'records',
  parameters,
  create: (values, { signal }) => new TrialSource(values, signal),
};

export const trialDestination: DestinationDefinition = {
  kind: 'destination',
  name: 'trial',
  summary: 'For tests.',
  format: 'none',
  accepts: 'records',
  parameters,
  create: (values) => new TrialDestination(values, null),
};

export const answeringDestination: DestinationDefinition = {
  kind: 'destination',
  name: 'answering',
  summary: 'For tests; it says itself what is safe.',
  format: 'none',
  accepts: 'records',
  acknowledges: true,
  parameters,
  create: (values, context) => new TrialDestination(values, context),
};

/** Drops records with odd numbers, and those with numbers above `upTo`. */
export const keepEven: ProcessorDefinition = defineProcessor({
  name: 'keep_even',
  summary: 'Keeps some.',
  parameters: [{ name: 'upTo', type: { kind: 'integer' }, required: true, description: 'The largest.' }],
  create: ({ upTo }) =>
    perRecord((record) => {
      const n = Number(record.metadata['n']);
      return n % 2 === 0 && n <= Number(upTo) ? record : null;
    }),
});
