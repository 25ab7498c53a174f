// CONNECTOR_METADATA() in the DEFAULT of a column: what a connector knows of a record beside its columns, as a VARIANT.
//
// It is a call without arguments that amounts to NULL; whoever knows the metadata of a record puts them in its place before the
// DEFAULT is evaluated. Anywhere else than in a DEFAULT it has no meaning and is refused.

import type { ExpressionSource, FunctionCall, Scalar } from './bound.ts';
import { caseBranch } from './case-branch.ts';
import { SqlInvalidArguments, SqlUnsupported } from './sql-errors.ts';

export const metadataFunction = 'connector_metadata';

/** @throws SqlInvalidArguments, SqlUnsupported */
export function bindMetadata(clause: string, argumentCount: number, source: ExpressionSource): FunctionCall {
  const { place } = source;
  if (argumentCount > 0) {
    throw new SqlInvalidArguments({ function: 'CONNECTOR_METADATA', detail: 'takes no arguments' }, { place });
  }
  if (clause !== 'DEFAULT') {
    const instead = 'give a column a DEFAULT that reads it, and use the column';
    throw new SqlUnsupported({ construct: `CONNECTOR_METADATA in ${clause}`, instead }, { place });
  }
  const type = { kind: 'VARIANT' } as const;
  return { kind: 'function', name: metadataFunction, overload: 0, operands: [], type, nullable: true, source };
}

/** The expression with `json` where it reads the metadata; the very same one when it does not. */
export function withMetadata(scalar: Scalar, json: string): Scalar {
  const inner = (operand: Scalar): Scalar => withMetadata(operand, json);
  switch (scalar.kind) {
    case 'column':
    case 'literal':
      return scalar;
    case 'function':
      if (scalar.name === metadataFunction) {
        return { kind: 'literal', type: scalar.type, nullable: false, source: scalar.source, value: json };
      }
      return { ...scalar, operands: scalar.operands.map(inner) };
    case 'operator':
      return { ...scalar, operands: scalar.operands.map(inner) };
    case 'cast':
    case 'in list':
      return { ...scalar, operand: inner(scalar.operand) };
    case 'case': {
      const branches = scalar.branches.map(({ when, then }) => caseBranch(inner(when), inner(then)));
      return { ...scalar, branches, otherwise: inner(scalar.otherwise) };
    }
  }
}
