// Runs the whole suite: lint and format (biome), then every compiled test file as a process of its own, two at a time.
//
//   node dist/test/run.js [PART-OF-A-PATH …]     only the files whose path contains one of the parts; no lint then
//
// A file fails when a test in it fails, when it ran no test, when it does not end by itself within its time limit, or when
// it leaves output that cannot be read. Closes with a plain line `N passed, N failed`; exit code 1 when anything failed.
import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, '..', '..');
const fileSecondsMax = Number(process.env['MILLRACE_TEST_SECONDS'] ?? 120);
const parts = process.argv.slice(2);

interface Outcome {
  readonly name: string;
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly seconds: number;
  /** Why the file failed as a whole, and everything it printed. */
  readonly reason: string | null;
  readonly output: string;
}

function findTests(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return findTests(path);
    return entry.name.endsWith('.test.js') ? [path] : [];
  });
}

interface Exit {
  readonly code: number | null;
  readonly timedOut: boolean;
  readonly output: string;
  readonly seconds: number;
}

function runProcess(command: string, args: readonly string[], secondsMax: number): Promise<Exit> {
  return new Promise((resolve) => {
    const started = performance.now();
    // A group of its own, so that a file that hangs is ended with everything it started.
    const child = spawn(command, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
    let output = '';
    let timedOut = false;
    const collect = (chunk: Buffer): void => {
      if (output.length < 4_000_000) output += chunk.toString('utf8');
    };
    child.stdout.on('data', collect);
    child.stderr.on('data', collect);
    const endGroup = (): void => {
      try {
        if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
      } catch {
        // The group is already gone.
      }
    };
    const timer = setTimeout(() => {
      timedOut = true;
      endGroup();
    }, secondsMax * 1000);
    child.on('error', (error) => {
      output += `could not be started: ${error.message}\n`;
    });
    child.on('close', (code) => {
      clearTimeout(timer);
      endGroup();
      resolve({ code, timedOut, output, seconds: (performance.now() - started) / 1000 });
    });
  });
}

async function runFile(path: string): Promise<Outcome> {
  const name = relative(here, path).replace(/\.js$/, '');
  const exit = await runProcess(process.execPath, ['--enable-source-maps', path], fileSecondsMax);
  const output = exit.output.replace(new RegExp(`${String.fromCharCode(27)}\\[[0-9;]*m`, 'g'), '');
  // uvu prints three plain lines at the end: Total, Passed, Skipped.
  const count = (label: string): number =>
    Number([...output.matchAll(new RegExp(`^\\s*${label}:\\s+(\\d+)`, 'gm'))].at(-1)?.[1] ?? 0);
  const total = count('Total');
  const passed = count('Passed');
  const skipped = count('Skipped');
  const failed = Math.max(0, total - passed - skipped);
  let reason: string | null = null;
  if (exit.timedOut) reason = `did not end within ${fileSecondsMax} s`;
  else if (total === 0) reason = `ran no test (exit code ${exit.code})`;
  else if (exit.code !== 0) reason = `exit code ${exit.code}`;
  return {
    name,
    passed,
    failed: reason === null ? failed : Math.max(1, failed),
    skipped,
    seconds: exit.seconds,
    reason,
    output,
  };
}

async function main(): Promise<void> {
  console.log(`node ${process.version}, ${availableParallelism()} cores`);
  let passed = 0;
  let failed = 0;
  let skipped = 0;
  if (parts.length === 0) {
    const biome = join(root, 'node_modules', '@biomejs', 'biome', 'bin', 'biome');
    const lint = await runProcess(process.execPath, [biome, 'check', '--max-diagnostics=50', '.'], 120);
    if (lint.code === 0) passed += 1;
    else failed += 1;
    console.log(`${lint.code === 0 ? 'ok  ' : 'FAIL'} lint and format (${lint.seconds.toFixed(1)} s)`);
    if (lint.code !== 0) console.log(lint.output);
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
      const state = outcome.reason === null && outcome.failed === 0 ? 'ok  ' : 'FAIL';
      const notes = [`${outcome.passed} passed`];
      if (outcome.failed > 0) notes.push(`${outcome.failed} failed`);
      if (outcome.skipped > 0) notes.push(`${outcome.skipped} skipped`);
      if (outcome.reason !== null) notes.push(outcome.reason);
      console.log(`${state} ${outcome.name} (${notes.join(', ')}, ${outcome.seconds.toFixed(1)} s)`);
      if (state === 'FAIL') console.log(outcome.output.slice(-20_000));
      else for (const line of outcome.output.split('\n')) if (line.startsWith('skipped: ')) console.log(`     ${line}`);
    }
  };
  await Promise.all(Array.from({ length: Math.min(2, availableParallelism()) }, worker));
  if (skipped > 0) console.log(`${skipped} skipped`);
  console.log(`${passed} passed, ${failed} failed`);
  process.exitCode = failed > 0 || passed === 0 ? 1 : 0;
}

await main();
