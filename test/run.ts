// Runs the whole suite: lint and format (biome), then every compiled test file as a process of its own, one more at a time than there are
// cores, and at most three: files wait for servers a tenth of their time.
//
//   node dist/test/run.js [PART-OF-A-PATH …]     only the files whose path contains one of the parts; no lint then
//
// A file fails when a test in it fails, when it ran no test, when it does not end by itself within its time limit, or when
// it leaves output that cannot be read. Closes with every failure once more, because whoever reads a long log sees its end, and
// a plain line `N passed, N failed`; exit code 1 when anything failed.
import { readdirSync } from 'node:fs';
import { availableParallelism, loadavg } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { sourcePositions } from './source-positions.ts';
import { runProcess } from './test-process.ts';

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, '..', '..');
/** No test takes a fifth of it on a quiet machine; a limit that is never reached costs nothing. */
const fileSecondsMax = Number(process.env['MILLRACE_TEST_SECONDS'] ?? 400);
/** Characters of a failed file's output where it fails, and of all of them at the end. */
const outputMax = 20_000;
const closingMax = 24_000;
const parts = process.argv.slice(2);

interface Outcome {
  readonly name: string;
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly seconds: number;
  readonly cpuSeconds: number | null;
  /** Why the file failed as a whole, and everything it printed. */
  readonly reason: string | null;
  readonly output: string;
  readonly leftovers: readonly string[];
}

function findTests(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return findTests(path);
    return entry.name.endsWith('.test.js') ? [path] : [];
  });
}

async function runFile(path: string): Promise<Outcome> {
  const args = [join(here, 'run-file.js'), path];
  const { output: printed, ...exit } = await runProcess(args, { cwd: root, secondsMax: fileSecondsMax });
  const output = exit.code === 0 ? printed : sourcePositions(printed, root);
  // uvu prints three plain lines at the end: Total, Passed, Skipped.
  const count = (label: string): number =>
    Number([...output.matchAll(new RegExp(`^\\s*${label}:\\s+(\\d+)`, 'gm'))].at(-1)?.[1] ?? 0);
  const total = count('Total');
  const passed = count('Passed');
  const skipped = count('Skipped');
  const failed = Math.max(0, total - passed - skipped);
  const ending = `exit code ${exit.code ?? exit.signal}`;
  let reason: string | null = null;
  if (exit.hang !== null) reason = exit.hang;
  else if (total === 0) reason = `ran no test (${ending})`;
  else if (exit.code !== 0) reason = ending;
  else if (failed > 0 && !output.includes(' FAIL ')) reason = `${failed} tests were not run: a hook has failed`;
  return {
    ...exit,
    name: relative(here, path).replace(/\.js$/, ''),
    passed,
    failed: reason === null ? failed : Math.max(1, failed),
    skipped,
    reason,
    output,
  };
}

/** The failures of a file as uvu prints them; all of its output when it prints none. */
function failuresOf(output: string): string {
  const from = output.search(/^ +FAIL /m);
  return (from < 0 ? output : output.slice(from)).replace(/\n *Total: [\s\S]*$/, '').trimEnd();
}

function closing(failures: readonly (readonly [title: string, text: string])[]): string {
  const share = Math.floor(closingMax / failures.length);
  const blocks = failures.map(([title, text]) => {
    const shown = text.length <= share ? text : `${text.slice(0, share / 2)}\n  […]\n${text.slice(-share / 2)}`;
    return `FAIL ${title}\n${shown}`;
  });
  return `\n── what has failed ──\n\n${blocks.join('\n\n')}\n`;
}

async function main(): Promise<void> {
  console.log(`node ${process.version}, ${availableParallelism()} cores`);
  const started = performance.now();
  const failures: (readonly [title: string, text: string])[] = [];
  let passed = 0;
  let failed = 0;
  let skipped = 0;
  if (parts.length === 0) {
    const biome = join(root, 'node_modules', '@biomejs', 'biome', 'bin', 'biome');
    const args = [biome, 'check', '--max-diagnostics=50', '.'];
    const lint = await runProcess(args, { cwd: root, secondsMax: fileSecondsMax });
    if (lint.code === 0) passed += 1;
    else failed += 1;
    console.log(`${lint.code === 0 ? 'ok  ' : 'FAIL'} lint and format (${lint.seconds.toFixed(1)} s)`);
    if (lint.code !== 0) {
      const text = [lint.output, lint.hang ?? ''].join('\n');
      console.log(text);
      failures.push(['lint and format', text]);
    }
  }
  const files = findTests(here).filter(
    (path) => parts.length === 0 || parts.some((part) => relative(here, path).includes(part)),
  );
  const queue = files.sort();
  const worker = async (): Promise<void> => {
    for (let path = queue.shift(); path !== undefined; path = queue.shift()) {
      const outcome = await runFile(path);
      passed += outcome.passed;
      failed += outcome.failed;
      skipped += outcome.skipped;
      const isGood = outcome.reason === null && outcome.failed === 0;
      const notes = [`${outcome.passed} passed`];
      if (outcome.failed > 0) notes.push(`${outcome.failed} failed`);
      if (outcome.skipped > 0) notes.push(`${outcome.skipped} skipped`);
      const [brief, ...more] = outcome.reason?.split('\n') ?? [];
      if (brief !== undefined) notes.push(brief);
      notes.push(`${outcome.seconds.toFixed(1)} s`);
      if (outcome.cpuSeconds !== null) notes.push(`${outcome.cpuSeconds.toFixed(1)} s of CPU`);
      const title = `${outcome.name} (${notes.join(', ')})`;
      console.log(`${isGood ? 'ok  ' : 'FAIL'} ${title}`);
      for (const leftover of outcome.leftovers) console.log(`     left running: ${leftover}`);
      if (isGood) {
        for (const line of outcome.output.split('\n')) if (line.startsWith('skipped: ')) console.log(`     ${line}`);
        continue;
      }
      const text = [...more, outcome.output.slice(-outputMax)].join('\n');
      console.log(text);
      failures.push([title, [...more, failuresOf(outcome.output)].join('\n')]);
    }
  };
  await Promise.all(Array.from({ length: Math.min(3, availableParallelism() + 1) }, worker));
  const load = loadavg().map((value) => value.toFixed(1));
  console.log(`${((performance.now() - started) / 1000).toFixed(0)} s, load ${load.join(' ')}`);
  if (failures.length > 0) console.log(closing(failures));
  if (skipped > 0) console.log(`${skipped} skipped`);
  console.log(`${passed} passed, ${failed} failed`);
  process.exitCode = failed > 0 || passed === 0 ? 1 : 0;
}

await main();
