// CONNECTOR_METADATA() belongs into the DEFAULT of a column and nowhere else.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { evaluateConstant } from '../../../../actors/engine/plan/expression-compiler.ts';
import { compileProgram } from '../../../../actors/engine/sql/compile-program.ts';
import { withMetadata } from '../../../../actors/engine/sql/connector-metadata.ts';

const codesOf = (text: string): string[] => compileProgram(text).problems.map(({ code }) => code);

test('a DEFAULT reads the metadata of a record, and is NULL where there are none', () => {
  const { program } = compileProgram(
    "CREATE TABLE t (a BIGINT, b VARCHAR DEFAULT COALESCE(UPPER(CAST(CONNECTOR_METADATA()['k'] AS VARCHAR)), 'none'));",
  );
  const expression = program?.tables[0]?.defaults[1];
  if (expression === undefined || expression === null) throw new Error('there is a DEFAULT');
  assert.is(evaluateConstant(expression), 'none');
  assert.is(evaluateConstant(withMetadata(expression, '{"k":"x"}')), 'X');
  assert.is(evaluateConstant(withMetadata(expression, '{"other":1}')), 'none');
});

test('arguments and other places are refused', () => {
  assert.equal(codesOf("CREATE TABLE t (a VARIANT DEFAULT CONNECTOR_METADATA('k'));"), ['sql.invalid_arguments']);
  assert.equal(codesOf('CREATE TABLE t (a BIGINT); CREATE VIEW v AS SELECT CONNECTOR_METADATA() AS m FROM t;'), [
    'sql.unsupported',
  ]);
});

test('bytes are joined by ||, not by CONCAT', () => {
  const view = (expression: string): string[] =>
    codesOf(`CREATE TABLE t (b VARBINARY, s VARCHAR); CREATE VIEW v AS SELECT ${expression} AS r FROM t;`);
  assert.equal(view('CONCAT(b, b)'), ['sql.invalid_arguments']);
  assert.equal(view('b || b'), []);
  assert.equal(view('CONCAT(s, 1)'), []);
});

test.run();
