// Source of AND and OR over any number of operands, in three-valued logic.
//
// False wins over NULL and NULL over true for AND; true over NULL over false for OR. Operands are computed from left to
// right, and none behind the deciding one. `emit` writes an operand, `mayBeNull` says whether a NULL has to be kept.
import type { OperatorCall, Scalar } from '../sql/bound.ts';
import { type CodeWriter, type Operand, plainCode } from './expression-code.ts';

export interface OperandSource {
  readonly writer: CodeWriter;
  readonly emit: (scalar: Scalar) => Operand;
  readonly mayBeNull: (scalar: Scalar) => boolean;
}

export function conjunction(source: OperandSource, call: OperatorCall): Operand {
  const { writer } = source;
  const { operands, value, isNull, label } = openLogic(source, call);
  for (const scalar of operands) {
    const operand = source.emit(scalar);
    const code = plainCode(writer, operand);
    const decided = isNull === null ? `break ${label};` : `${isNull} = false; break ${label};`;
    if (operand.isNull === null) writer.line(`if (!${code}) { ${decided} }`);
    else writer.line(`if (!${code}) { if (${operand.isNull}) ${isNull} = true; else { ${decided} } }`);
  }
  writer.line(isNull === null ? `${value} = true;` : `${value} = !${isNull};`);
  writer.close();
  return { type: call.type, isNull, value: { form: 'plain', code: value } };
}

export function disjunction(source: OperandSource, call: OperatorCall): Operand {
  const { writer } = source;
  const { operands, value, isNull, label } = openLogic(source, call);
  for (const scalar of operands) {
    const operand = source.emit(scalar);
    const code = plainCode(writer, operand);
    const decided = isNull === null ? '' : ` ${isNull} = false;`;
    writer.line(`if (${code}) { ${value} = true;${decided} break ${label}; }`);
    if (operand.isNull !== null) writer.line(`if (${operand.isNull}) ${isNull} = true;`);
  }
  writer.close();
  return { type: call.type, isNull, value: { form: 'plain', code: value } };
}

function openLogic(
  { writer, emit, mayBeNull }: OperandSource,
  call: OperatorCall,
): {
  readonly operands: readonly Scalar[];
  readonly value: string;
  readonly isNull: string | null;
  readonly label: string;
} {
  const operands = flattened(call);
  const value = writer.declare('v', 'false');
  const isNull = operands.some(mayBeNull) ? writer.declare('n', 'false') : null;
  // The first operand is computed in any case: outside of the block, what it computes can be used again later.
  if (operands[0] !== undefined) emit(operands[0]);
  const label = writer.local('L');
  writer.open(`${label}:`);
  return { operands, value, isNull, label };
}

/** The operands of nested ANDs, or of nested ORs, as one list: of thousands, too, in time that grows with their number. */
export function flattened(call: OperatorCall): readonly Scalar[] {
  const operands: Scalar[] = [];
  const waiting = call.operands.toReversed();
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (next.kind === 'operator' && next.operator === call.operator) waiting.push(...next.operands.toReversed());
    else operands.push(next);
  }
  return operands;
}
