// What the expression compiler writes: no text of the user, one loop without calls, bytes compared as bytes.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { compileRowProgram } from '../../../../actors/engine/plan/expression-compiler.ts';
import { compile } from './compiled-rows.ts';
import {
  bigint,
  boolean,
  column,
  decimal,
  inList,
  literal,
  operator,
  schemaOf,
  varchar,
  when,
} from './scalar-nodes.ts';

test('generated code holds no text of the user', () => {
  const types = [varchar, bigint, decimal(10, 2)];
  const evil = 'evil`${"\'*/ text';
  const predicate = operator('=', boolean, column(0, varchar), literal(evil, varchar));
  const outputs = [
    operator('+', bigint, column(1, bigint), literal(31337n, bigint)),
    when([[predicate, literal(evil, varchar)]], column(0, varchar)),
    inList(column(0, varchar), ['evil a', 'evil b', 'evil c', 'evil d', 'evil e']),
  ];
  const source = compile(types, predicate, outputs).source;
  assert.not.match(source, 'evil');
  assert.not.match(source, '31337');
});

test('the source of a filter with arithmetic is one loop without calls', () => {
  const over = operator('>', boolean, column(0, bigint), literal(500n, bigint));
  const schema = schemaOf([bigint], false);
  const sum = operator('+', bigint, column(0, bigint), literal(7n, bigint));
  const program = compileRowProgram({
    inputSchema: schema,
    predicate: over,
    outputs: [sum],
    outputSchema: schema,
    view: 'v',
  });
  assert.snapshot(
    program.source,
    `const p0 = p[0];
const p1 = p[1];
return function rowProgram(f) {
  const rows = f.rows, selection = f.selection;
  const c0 = f.columns[0].values;
  const o0 = f.outputs[0].values;
  let i = f.row, o = f.out, site = -1;
  try {
    for (; i < rows; i++) {
      const v_0 = c0[i];
      const v_1 = v_0 > p0;
      if (!v_1) continue;
      const x_2 = v_0 + p1;
      if (BigInt.asIntN(64, x_2) !== x_2) { site = 0; throw overflow(sites[0]); }
      const v_3 = x_2;
      o0[o] = v_3;
      selection[o++] = i;
    }
  } catch (error) {
    f.failed = true; f.error = error; f.site = site;
  }
  f.row = i; f.out = o;
};`,
  );
});

test('the source of a projection over nullable text compares bytes', () => {
  const equal = operator('=', boolean, column(0, varchar), literal('completed', varchar));
  assert.snapshot(
    compile([varchar], null, [equal]).source,
    `const p0 = p[0];
const p1 = p[1];
return function rowProgram(f) {
  const rows = f.rows, selection = f.selection;
  const u0 = f.columns[0].validity;
  const b0 = f.columns[0].bytes, x0 = f.columns[0].offsets;
  const o0 = f.outputs[0].values;
  const w0 = f.outputs[0].validity;
  let i = f.row, o = f.out, site = -1;
  try {
    for (; i < rows; i++) {
      const n_0 = (u0[i >> 3] & (1 << (i & 7))) === 0;
      const s_1 = x0[i];
      const e_2 = x0[i + 1];
      let v_3 = false;
      if (!n_0) {
        v_3 = (e_2 - s_1 === 9 - 0 && sameBytes(b0, s_1, e_2, p1, 0));
      }
      if (n_0) { w0[o >> 3] &= ~(1 << (o & 7)); }
      else {
        o0[o] = v_3 ? 1 : 0;
      }
      selection[o++] = i;
    }
  } catch (error) {
    f.failed = true; f.error = error; f.site = site;
  }
  f.row = i; f.out = o;
};`,
  );
});

test.run();
