// The pipeline file: YAML with the place of everything in it.
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { readPipelineFile } from '../../../actors/gateway/pipeline-file.ts';
import { MillraceError } from '../../../runtime/errors.ts';

function write(text: string): string {
  const path = join(mkdtempSync(join(tmpdir(), 'millrace-')), 'pipeline.yaml');
  writeFileSync(path, text);
  return path;
}

test('names line and column of a key, and of the deepest key that exists', () => {
  const file = readPipelineFile(write('program: x\ninputs:\n  users:\n    stream: users\n    paused: 3\n'));
  assert.equal(file.problems, []);
  const paused = file.placeOf(['inputs', 'users', 'paused']);
  assert.is(paused.line, 5);
  assert.is(paused.column, 5);
  assert.is(paused.path, 'inputs.users.paused');
  const missing = file.placeOf(['inputs', 'users', 'transport', 'name']);
  assert.is(missing.line, 3);
});

test('finds where the SQL text of a block scalar begins', () => {
  const file = readPipelineFile(write('name: p\nprogram: |\n    CREATE TABLE t (a INT);\n    SELECT;\n'));
  assert.equal(file.programPlace, { line: 3, indent: 4 });
});

test('reports a syntax error of the YAML with its position instead of a definition', () => {
  const file = readPipelineFile(write('program: "x\ninputs: {\n'));
  assert.ok(file.problems.length >= 1);
  assert.is(file.problems[0]?.code, 'config.invalid_yaml');
  assert.type(file.problems[0]?.place?.line, 'number');
});

test('refuses a file that is not there and a folder with a coded error', () => {
  for (const path of [join(tmpdir(), 'no-such-file.yaml'), tmpdir()]) {
    let caught: unknown;
    try {
      readPipelineFile(path);
    } catch (error) {
      caught = error;
    }
    assert.instance(caught, MillraceError);
    // SAFETY: asserted on the line above.
    assert.is((caught as MillraceError).code, 'config.unreadable_file');
  }
});

test('aliases that nobody could follow, depths, tags and second documents are problems of the file, not defects', () => {
  const doubled = (of: string): string => `[${Array.from({ length: 9 }, () => `*${of}`).join(', ')}]`;
  const bomb = ['a: &a [x]', ...[...'bcdefg'].map((name, i) => `${name}: &${name} ${doubled('abcdef'[i] ?? '')}`)];
  for (const [text, message] of [
    [`${bomb.join('\n')}\n`, /alias/],
    ['inputs: &a\n  b: *a\n', /alias stands inside/],
    [`inputs: ${'['.repeat(20_000)}${']'.repeat(20_000)}\n`, /nested too deep/],
    ['name: !!js/function x\n', /tag/],
    ['name: a\n---\nname: b\n', /one document/],
  ] as const) {
    const file = readPipelineFile(write(text));
    assert.is(file.definition, null);
    assert.is(file.problems[0]?.code, 'config.invalid_yaml');
    assert.match(file.problems[0]?.message ?? '', message);
    assert.type(file.problems[0]?.place?.line, 'number');
  }
});

test('merge keys are merged, and what is no UTF-8 is not read as if it were', () => {
  const merged = readPipelineFile(write('a: &a { x: 1 }\nb: { <<: *a, y: 2 }\n'));
  assert.equal(merged.definition, { a: { x: 1 }, b: { x: 1, y: 2 } });
  const path = write('');
  writeFileSync(path, Buffer.from('name: \xf6\n', 'latin1'));
  assert.throws(() => readPipelineFile(path), /is not encoded in UTF-8/);
});

test.run();
