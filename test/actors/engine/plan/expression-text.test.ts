// Functions of texts that are computed on bytes: the same as their rows in the table of functions, which compute on strings.
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { EvaluationFailures } from '../../../../actors/engine/circuit/evaluation-failures.ts';
import { compileRowProgram } from '../../../../actors/engine/plan/expression-compiler.ts';
import type { Scalar } from '../../../../actors/engine/sql/bound.ts';
import { bindNamedFunction } from '../../../../actors/engine/sql/named-function.ts';
import type { ScalarValue } from '../../../../actors/engine/sql/scalar-value.ts';
import { readCell } from '../../../../runtime/batch/scalar-values.ts';
import { evaluate } from './naive-evaluation.ts';
import {
  batchOf,
  boolean,
  column,
  literal,
  operator,
  schemaOf,
  varchar,
  when,
  withDictionaries,
} from './scalar-nodes.ts';

const source = { place: { line: 1, column: 1 }, text: 'the call' };
const call = (name: string, ...operands: readonly Scalar[]): Scalar => bindNamedFunction(name, operands, source);
const [x, y, z] = [column(0, varchar), column(1, varchar), column(2, varchar)];
const types = [varchar, varchar, varchar];

const calls: readonly Scalar[] = [
  call('char_length', x),
  call('replace', x, y, z),
  call('upper', x),
  call('lower', x),
  call('char_length', call('replace', x, literal('a', varchar), literal('', varchar))),
  // Two of the same function hold two texts at a time.
  operator('=', boolean, call('replace', x, y, z), call('replace', x, y, literal('β', varchar))),
  when([[operator('=', boolean, call('upper', x), call('upper', y)), call('lower', z)]], call('upper', z)),
];

// Few letters, so that one text is found in another.
const character = fc.constantFrom('a', 'A', 'b', 'ab', 'z', '{', '@', '[', 'é', 'É', 'ß', 'β', 'İ', '€', '\u{1f600}');
const text = fc.option(fc.string({ unit: character, maxLength: 12 }), { freq: 8 });

test('texts are counted, replaced and put into upper and lower case as bytes as they are as strings', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(text, text, text), { minLength: 1, maxLength: 20 }), (rows) => {
      const program = compileRowProgram({
        inputSchema: schemaOf(types),
        predicate: null,
        outputs: calls,
        outputSchema: schemaOf(calls.map(({ type }) => type)),
        view: 'v',
      });
      const batch = batchOf(schemaOf(types), rows);
      for (const input of [batch, withDictionaries(batch)]) {
        const out = program.run(input, new EvaluationFailures('stop'));
        rows.forEach((row, i) => {
          const made = out?.columns.map((made): ScalarValue => readCell(made, i));
          assert.equal(
            made,
            calls.map((scalar) => evaluate(scalar, row)),
            JSON.stringify(row),
          );
        });
      }
    }),
    { numRuns: process.env['MILLRACE_LONG'] === '1' ? 5000 : 150 },
  );
});

test('a replaced text that would be longer than a text may be is refused', () => {
  const scalar = call('replace', x, literal('a', varchar), y);
  const program = compileRowProgram({
    inputSchema: schemaOf([varchar, varchar]),
    predicate: null,
    outputs: [scalar],
    outputSchema: schemaOf([scalar.type]),
    view: 'v',
  });
  const failures = new EvaluationFailures('skip');
  const rows = [
    ['a'.repeat(1 << 14), 'b'.repeat(1 << 14)],
    ['xax', 'b'],
  ];
  const out = program.run(batchOf(schemaOf([varchar, varchar]), rows), failures);
  assert.ok(out !== null);
  assert.is(out.rows, 1);
  assert.is(readCell(out.columns[0]!, 0), 'xbx');
  assert.is(failures.count, 1);
});

test.run();
