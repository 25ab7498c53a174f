// Source of comparisons of two operands of one type that are not NULL; the result is a JavaScript boolean expression.
//
// Text and binary compare as bytes where both sides are at hand as bytes, without making strings; VARIANT compares as its
// JSON text. In REAL and DOUBLE, NaN equals itself and is greater than every number, as in Feldera and PostgreSQL, so that
// grouping, sorting and comparing agree. DECIMALs of two scales are brought to one.
import type { ScalarOperator } from '../sql/bound.ts';
import { type CodeWriter, isBinary, isText, type Operand, plainCode } from './expression-code.ts';

export type Comparison = Extract<ScalarOperator, '=' | '<>' | '<' | '<=' | '>' | '>='>;

const javaScriptOperators: Readonly<Record<Comparison, string>> = {
  '=': '===',
  '<>': '!==',
  '<': '<',
  '<=': '<=',
  '>': '>',
  '>=': '>=',
};

export function comparisonCode(writer: CodeWriter, comparison: Comparison, a: Operand, b: Operand): string {
  const operator = javaScriptOperators[comparison];
  const x = a.value;
  const y = b.value;
  if (x.form === 'slice' && y.form === 'slice') {
    if (comparison === '=' || comparison === '<>') {
      const same = `${x.end} - ${x.start} === ${y.end} - ${y.start} && sameBytes(${x.bytes}, ${x.start}, ${x.end}, ${y.bytes}, ${y.start})`;
      return comparison === '=' ? `(${same})` : `!(${same})`;
    }
    return `compareBytes(${x.bytes}, ${x.start}, ${x.end}, ${y.bytes}, ${y.start}, ${y.end}) ${operator} 0`;
  }
  if (x.form === 'words' && y.form === 'words') {
    if (comparison === '=') return `(${x.low} === ${y.low} && ${x.high} === ${y.high})`;
    if (comparison === '<>') return `!(${x.low} === ${y.low} && ${x.high} === ${y.high})`;
    return `compareWords(${x.low}, ${x.high}, ${y.low}, ${y.high}) ${operator} 0`;
  }
  const left = plainCode(writer, a);
  const right = plainCode(writer, b);
  if (isText(a.type)) {
    if (comparison === '=' || comparison === '<>') return `${left} ${operator} ${right}`;
    return `compareText(${left}, ${right}) ${operator} 0`;
  }
  if (isBinary(a.type)) return `compareBytes(${left}, 0, ${left}.length, ${right}, 0, ${right}.length) ${operator} 0`;
  if (a.type.kind === 'REAL' || a.type.kind === 'DOUBLE') return floatCode(comparison, left, right);
  if (a.type.kind === 'DECIMAL' && b.type.kind === 'DECIMAL' && a.type.scale !== b.type.scale) {
    const scale = Math.max(a.type.scale, b.type.scale);
    const factors = [a, b].map(({ type }) => (type.kind === 'DECIMAL' ? 10n ** BigInt(scale - type.scale) : 1n));
    return `${left} * ${factors[0]}n ${operator} ${right} * ${factors[1]}n`;
  }
  return `${left} ${operator} ${right}`;
}

/** IEEE comparisons, with NaN as the greatest value: `x !== x` holds for NaN alone. */
function floatCode(comparison: Comparison, a: string, b: string): string {
  switch (comparison) {
    case '=':
      return `(${a} === ${b} || (${a} !== ${a} && ${b} !== ${b}))`;
    case '<>':
      return `!(${a} === ${b} || (${a} !== ${a} && ${b} !== ${b}))`;
    case '<':
      return `(${a} < ${b} || (${b} !== ${b} && ${a} === ${a}))`;
    case '<=':
      return `(${a} <= ${b} || ${b} !== ${b})`;
    case '>':
      return `(${a} > ${b} || (${a} !== ${a} && ${b} === ${b}))`;
    case '>=':
      return `(${a} >= ${b} || ${a} !== ${a})`;
  }
}
