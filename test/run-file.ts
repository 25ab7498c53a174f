// The process of one test file: says which of its tests runs, and on request what it waits for.
//
//   node dist/test/run-file.js FILE
//
// The runner (run.ts) hears of each test on file descriptor 3, a line when it begins, and asks by SIGUSR2 before it kills a file
// that has not ended. uvu prints failures only when the last test is over, and nothing at all of a hook before the tests that
// throws: both would leave a hang or a failure without a name. A file started by hand has none of this and needs none of it.
import { readFileSync, writeSync } from 'node:fs';
import { pathToFileURL } from 'node:url';

const file = process.argv[2];
if (file === undefined) throw new Error('usage: run-file.js FILE');

function tell(name: string): void {
  try {
    writeSync(3, `${name.replaceAll('\n', ' ')}\n`);
  } catch {
    // Started by hand: nobody listens.
  }
}

// uvu keeps the running test's name in the state of its suite, '' before the first and behind the last, and has no other hook
// for every suite there is. Not enumerable: no test sees it.
Object.defineProperty(Object.prototype, '__test__', {
  get: () => '',
  set: (name: unknown) => tell(String(name)),
});

// Properties are tried on the same examples in every run that decides about a change; by hand, and at length, on others each time.
if (
  process.env['CI'] === 'true' &&
  process.env['MILLRACE_LONG'] !== '1' &&
  /\bfast-check'/.test(readFileSync(file, 'utf8'))
) {
  const { default: fc } = await import('fast-check');
  fc.configureGlobal({ ...fc.readConfigureGlobal(), seed: 20_261_121 });
}

const { test } = await import('uvu');
const { before } = test;
const watched = (hook: Parameters<typeof before>[0]): void =>
  before(async (context) => {
    try {
      await hook(context);
    } catch (error) {
      console.log('  FAIL  a hook before the tests', error);
      throw error;
    }
  });
test.before = Object.assign(watched, { each: before.each });

process.on('SIGUSR2', () => {
  const counts = new Map<string, number>();
  for (const name of process.getActiveResourcesInfo()) counts.set(name, (counts.get(name) ?? 0) + 1);
  console.error(`waits for: ${[...counts].map(([name, n]) => (n === 1 ? name : `${n} ${name}`)).join(', ')}`);
});

await import(pathToFileURL(file).href);
