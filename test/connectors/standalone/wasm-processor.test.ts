// Processors that are WebAssembly modules: one on the official SDK, and some that no SDK would make.
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { ProcessorContext } from '../../../connectors/sdk/processor.ts';
import type { ConnectorRecord } from '../../../connectors/sdk/record.ts';
import { recordBatchOf, recordsOf } from '../../../connectors/sdk/record-batch.ts';
import { SchemaStore } from '../../../connectors/standalone/schema-store.ts';
import { discoverModules, specifyModule } from '../../../connectors/standalone/wasm-catalog.ts';
import { withMemoryLimit } from '../../../connectors/standalone/wasm-memory-limit.ts';
import { type WasmProcessorOptions, wasmProcessor } from '../../../connectors/standalone/wasm-processor.ts';
import { webAssembly } from '../../../connectors/standalone/web-assembly.ts';
import { type Clock, systemClock } from '../../../runtime/clock.ts';
import { markProcessor } from '../../plugins/probe-plugin.ts';
import { opcodes, wasmBytes, withWasmFile } from './wasm-module.ts';

const mark = await markProcessor();
const markTest = (title: string, run: (path: string) => Promise<void>): void => {
  if ('path' in mark) test(title, () => run(mark.path));
  else test.skip(`${title} (skipped: ${mark.missing})`, () => {});
};

const logged: string[] = [];
const contextWith = (clock: Clock = systemClock): ProcessorContext => ({
  id: 'p:it',
  baseFolder: '.',
  signal: new AbortController().signal,
  clock,
  schemas: new SchemaStore(null),
  log: (message) => void logged.push(message),
});

const recordFor = (does: string, i: number, more: Partial<ConnectorRecord> = {}): ConnectorRecord => ({
  position: new Uint8Array(Buffer.from(`at ${i}`)),
  operation: 'update',
  metadata: does === '' ? {} : { do: does },
  key: { id: i },
  before: null,
  after: new Uint8Array(Buffer.from('raw')),
  ...more,
});

interface Outcome {
  /** Row, position, what was done. */
  readonly made: readonly string[];
  readonly failed: readonly string[];
  readonly records: readonly ConnectorRecord[];
}

async function processed(
  options: Omit<WasmProcessorOptions, 'plugin'>,
  records: readonly ConnectorRecord[],
  clock?: Clock,
): Promise<Outcome> {
  const processor = wasmProcessor({ ...options, plugin: 'standalone:test' }, contextWith(clock));
  await processor.open?.();
  try {
    const { batch, origins, failed } = await processor.process(recordBatchOf(records));
    const made = recordsOf(batch);
    return {
      records: made,
      made: made.map(
        ({ position, metadata }, i) =>
          `${origins?.[i]} ${Buffer.from(position)} ${metadata['mark']} ${metadata['do'] ?? ''}`,
      ),
      failed: failed.map(({ row, error }) => `${row} ${error.message}`),
    };
  } finally {
    await processor.teardown?.();
  }
}

const failureOf = async (work: Promise<unknown>): Promise<string> => {
  try {
    await work;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  return 'nothing failed';
};

markTest(
  'a module on the official SDK says what it is, and marks, drops, doubles and refuses records',
  async (path) => {
    const { name, version, parameters } = await specifyModule(path, { clock: systemClock });
    assert.equal([name, version, parameters['limit']?.default], ['test.mark', 'v0.2.0', '10']);
    assert.equal(parameters['mark']?.validations, [{ type: 'required', value: '' }]);
    const records = ['', 'drop', 'double', 'refuse', 'schema', 'no schema', 'read'].map((does, i) =>
      recordFor(does, i),
    );
    const { made, failed, records: all } = await processed({ path, settings: { mark: 'm' } }, records);
    assert.equal(made, ['0 at 0 m ', '2 at 2 m double', '2 at 2 m double', '4 at 4 m schema']);
    assert.match(all[3]?.metadata['schema'] ?? '', /^marks 1 \{"type":"record"/);
    assert.equal([all[0]?.key, Buffer.from(all[0]?.after as Uint8Array).toString()], [{ id: 0 }, 'raw']);
    assert.is(failed[0], '3 refused: at 3');
    assert.match(failed[1] ?? '', /^5 .*schema subject not found$/);
    // There are no files.
    assert.match(failed[2] ?? '', /^6 open \/etc\/passwd: Not implemented/);
    assert.is(failed.length, 3);
  },
);

markTest(
  '64-bit integers and bytes pass a module exactly, and records name no schema that they did not name',
  async (path) => {
    const data = { big: 9_007_199_254_740_993n, bytes: Uint8Array.of(0, 255), small: 1.5 };
    const { records, failed } = await processed({ path, settings: { mark: 'm' } }, [
      recordFor('', 0, { after: data, key: { id: 2n ** 62n } }),
      recordFor('', 1),
    ]);
    assert.equal(failed, []);
    assert.equal([records[0]?.after, records[0]?.key], [data, { id: 2n ** 62n }]);
    assert.equal(Object.keys(records[0]?.metadata ?? {}).sort(), ['mark', 'opened', 'seen']);
    assert.equal(records[1]?.key, { id: 1 });
  },
);

markTest(
  'a record that ends the module is refused with what it printed, and those beside it are processed',
  async (path) => {
    const records = ['', 'panic', '', 'exit'].map((does, i) => recordFor(does, i));
    const { made, failed } = await processed({ path, settings: { mark: 'm' } }, records);
    assert.equal(made, ['0 at 0 m ', '2 at 2 m ']);
    assert.match(failed[0] ?? '', /^1 standalone:test ended during process: .*assignment to entry in nil map/);
    assert.match(failed[1] ?? '', /^3 standalone:test ended during process: it exited with code 3/);
  },
);

markTest('a module gets no more memory than it may have', async (path) => {
  const options = { path, settings: { mark: 'm' }, memoryBytesMax: 128 << 20 };
  const { made, failed } = await processed(options, [recordFor('memory', 0), recordFor('', 1)]);
  assert.equal(made, ['1 at 1 m ']);
  assert.match(failed[0] ?? '', /out of memory/);
});

markTest('a record on which the module hangs is refused when the deadline has passed', async (path) => {
  // Commands in order: configure, open, both records, then a new instance, and the records one by one. The deadlines of the commands
  // that hang pass at once, all others never.
  const hanging = new Set([3, 7]);
  let commands = 0;
  const clock: Clock = {
    ...systemClock,
    after: (ms, call) => {
      if (ms !== 5_000) return systemClock.after(ms, call);
      commands++;
      return hanging.has(commands) ? systemClock.after(0, call) : { cancel: () => {} };
    },
  };
  const options = { path, settings: { mark: 'm' }, deadlineMs: 5_000 };
  const { made, failed } = await processed(options, [recordFor('', 0), recordFor('hang', 1)], clock);
  assert.equal(made, ['0 at 0 m ']);
  assert.equal(failed, ['1 standalone:test did not answer to process within 5 s']);
});

markTest(
  'a module that hangs when its processor is torn down is ended, and no other one is made of its records',
  async (path) => {
    // Deadlines of commands never pass.
    const clock: Clock = {
      ...systemClock,
      after: (ms, call) => (ms === 60_000 ? { cancel: () => {} } : systemClock.after(ms, call)),
    };
    const processor = wasmProcessor({ path, plugin: 'standalone:test', settings: { mark: 'm' } }, contextWith(clock));
    await processor.open?.();
    const outcome = Promise.resolve(processor.process(recordBatchOf([recordFor('hang', 0), recordFor('', 1)]))).then(
      () => 'processed',
      (error: unknown) => String(error),
    );
    await processor.teardown?.();
    assert.match(await outcome, /standalone:test ended during process/);
  },
);

markTest('a module that refuses its settings does not open, and says why', async (path) => {
  const open = async (settings: Readonly<Record<string, string>>): Promise<string> =>
    await failureOf(processed({ path, settings }, []));
  assert.is(await open({ mark: 'refused' }), 'standalone:test: configure failed: this mark is taken');
  assert.is(await open({ mark: 'unopenable' }), 'standalone:test: open failed: it does not open');
  assert.match(await open({ mark: 'm', 'sdk.egress.enabled': 'true' }), /no access to the network/);
});

markTest('a folder has the modules that are in it, each asked once; what cannot be used is told', async (path) => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-processors-'));
  const cacheFile = join(folder, '.cache.json');
  const options = { folder, cacheFile, clock: systemClock, deadlineMs: 600_000 };
  try {
    copyFileSync(path, join(folder, 'mark.wasm'));
    writeFileSync(join(folder, 'README'), 'no module');
    writeFileSync(join(folder, 'trap.wasm'), wasmBytes({ body: opcodes.unreachable }));
    mkdirSync(join(folder, 'below.wasm'));
    const { modules, problems } = await discoverModules(options);
    assert.equal(
      modules.map(({ name, version }) => `${name}@${version}`),
      ['test.mark@v0.2.0'],
    );
    assert.is(problems.length, 1);
    assert.match(
      problems[0]?.error.message ?? '',
      /trap\.wasm cannot be used as a processor: .*ended during specify: unreachable$/,
    );
    // What is remembered answers for the file.
    const remembered = readFileSync(cacheFile, 'utf8').replaceAll('v0.2.0', 'v9.9.9');
    writeFileSync(cacheFile, remembered);
    assert.is((await discoverModules(options)).modules[0]?.version, 'v9.9.9');
    copyFileSync(path, join(folder, 'twin.wasm'));
    writeFileSync(cacheFile, '{}');
    const twins = await discoverModules(options);
    assert.equal(twins.modules, []);
    assert.match(twins.problems.at(-1)?.error.message ?? '', /test\.mark@v0\.2\.0 is there more than once/);
  } finally {
    rmSync(folder, { recursive: true });
  }
  assert.equal(await discoverModules({ ...options, folder: join(folder, 'gone'), cacheFile: null }), {
    modules: [],
    problems: [],
  });
});

test('a module that traps, returns, hangs, imports what is not there or is none is refused with the reason', async () => {
  const specified = async (bytes: Uint8Array, deadlineMs = 60_000): Promise<string> =>
    await withWasmFile(bytes, (path) => failureOf(specifyModule(path, { clock: systemClock, deadlineMs })));
  assert.match(await specified(wasmBytes({ body: opcodes.unreachable })), /ended during specify: unreachable$/);
  assert.match(await specified(wasmBytes({ body: opcodes.nothing })), /ended during specify: it returned from main$/);
  assert.match(
    await specified(wasmBytes({ body: opcodes.endlessLoop }), 50),
    /did not answer to specify within 0\.05 s$/,
  );
  const missing = wasmBytes({ body: opcodes.nothing, imported: ['conduit', 'launch'] });
  assert.match(await specified(missing), /it imports conduit\.launch, which is not there$/);
  assert.match(await specified(Buffer.from('text')), /it is no WebAssembly module$/);
  const cut = wasmBytes({ body: opcodes.nothing }).subarray(0, 20);
  assert.match(await specified(cut), /the module is cut or malformed$/);
  assert.match(await specified(wasmBytes({ body: [0xff] })), /cannot be used as a processor: .*WebAssembly/);
});

test('the limit of memory is written into the module, whatever it declares', () => {
  const grown = (memory: readonly number[], limit: number, pages: number): boolean => {
    const bytes = withMemoryLimit(wasmBytes({ body: opcodes.nothing, memory }), limit);
    const { memory: made } = new webAssembly.Instance(new webAssembly.Module(bytes), {}).exports;
    try {
      Reflect.apply(Reflect.get(Object(made), 'grow'), made, [pages]);
      return true;
    } catch {
      return false;
    }
  };
  assert.equal([grown([1], 3 * 65_536, 2), grown([1], 3 * 65_536, 3)], [true, false]);
  assert.equal([grown([1, 2], 3 * 65_536, 1), grown([1, 2], 3 * 65_536, 2)], [true, false]);
  // What it begins with it has.
  assert.equal([grown([4], 3 * 65_536, 0), grown([4], 3 * 65_536, 1)], [true, false]);
});

test.run();
