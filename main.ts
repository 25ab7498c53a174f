#!/usr/bin/env node
// The binary: puts the compiler, the registry and the terminal into the hands of the command line.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { runCli } from './actors/gateway/cli/cli.ts';
import type { Validation } from './actors/gateway/hosting/validation.ts';

// dist/main.js lies one folder below package.json, in a checkout and in the packed tarball alike.
const packageFolder = fileURLToPath(new URL('..', import.meta.url)).replace(/[/\\]$/, '');
const { version } = JSON.parse(readFileSync(`${packageFolder}/package.json`, 'utf8'));

// A reader that has gone away (`millrace run … | head`) is no failure of ours: a run drains, as it does on a signal. So does one whose
// results cannot be written any more (a full disk), which fails.
let isReaderGone = false;
let isOutputLost = false;
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (isReaderGone) return;
    isReaderGone = true;
    isOutputLost = error.code !== 'EPIPE';
    if (isOutputLost) process.stderr.write(`error: what is printed cannot be written: ${error.message}\n`);
    if (!process.emit('SIGTERM', 'SIGTERM')) process.exit(isOutputLost ? 1 : 0);
  });
}

const exitCode = await runCli(process.argv.slice(2), {
  version: String(version),
  packageFolder,
  loadValidation,
  environment: process.env,
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
  // Looked up each time: the window may be resized. A terminal that does not know its width says 0.
  get terminalColumns(): number | null {
    return process.stderr.isTTY ? process.stderr.columns || 80 : null;
  },
});
process.exitCode = isOutputLost && exitCode === 0 ? 1 : exitCode;

async function loadValidation(): Promise<Validation> {
  const [{ compileProgram }, { compilerFor }, { validatePipeline }, { registry }] = await Promise.all([
    import('./actors/engine/sql/compile-program.ts'),
    import('./actors/engine/function-declarations.ts'),
    import('./actors/supervisor/validate-pipeline.ts'),
    import('./connectors/registry.ts'),
  ]);
  const sharingOf: NonNullable<Validation['sharingOf']> = async (program, workers) =>
    (await import('./actors/engine/program-sharing.ts')).sharingOf(program, workers);
  return { compile: compileProgram, compilerFor, sharingOf, validate: validatePipeline, registry };
}
