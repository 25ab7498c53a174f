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

/** The expression with `json` where it reads the metadata. */
export function withMetadata(scalar: Scalar, json: string): Scalar {
  return replaceMetadata(scalar, ({ type, source }) => ({
    kind: 'literal',
    type,
    nullable: false,
    source,
    value: json,
  }));
}

export function readsMetadata(scalar: Scalar): boolean {
  let reads = false;
  replaceMetadata(scalar, (call) => {
    reads = true;
    return call;
  });
  return reads;
}

/** The expression with what `replacement` makes of each call; the very same one when there is none. */
export function replaceMetadata(scalar: Scalar, replacement: (call: FunctionCall) => Scalar): Scalar {
  const inner = (operand: Scalar): Scalar => replaceMetadata(operand, replacement);
  switch (scalar.kind) {
    case 'column':
    case 'literal':
      return scalar;
    case 'function':
      if (scalar.name === metadataFunction) return replacement(scalar);
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
